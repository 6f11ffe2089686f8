//! Servers built on tower.

use std::net::{IpAddr, SocketAddr};
use std::task::{self, Poll};

use http::{Extensions, HeaderMap, Method, Request, Response, Uri, Version, header};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::address::sanitized;
use super::call::{Call, TracedFuture, recorded_headers, within};
use super::{grpc, method_text};
use crate::Agent;
use crate::event::{Request as RequestFacts, Text};
use crate::propagation::TraceContext;
use crate::settings::Settings;
use crate::transaction::TransactionRef;
use crate::wildcard::any_match;

impl Agent {
    /// A layer that makes a transaction of each request that a server answers. See [`HttpServerLayer`].
    pub fn http_server_layer(&self) -> HttpServerLayer {
        HttpServerLayer { agent: self.clone() }
    }
}

/// Makes a transaction of each request that a server answers: for axum, tonic and any other `Service<http::Request<_>>`. Made by
/// [`Agent::http_server_layer`].
///
/// The transaction goes on with the trace that the headers tell of, is the current one while the service and the body of its
/// answer are polled, and ends with that body, so that a stream counts in full. Type `request`.
///
/// - HTTP: name `GET /route/{id}` with axum (feature `axum`; routes are known to layers that `Router::layer` adds), else
///   `GET unknown route`; a pattern of `transaction_name_groups` that matches method and path is the name then. Result
///   `HTTP 2xx`, failure from status 500 on.
/// - gRPC (by `content-type`): name `/package.Service/Method`, result `OK` or another name of a status, outcome by the table of
///   the agent specification.
/// - A panic, an error of the service and an error of the body are failures.
/// - If the client goes away, the future or the body is dropped before its end: outcome `unknown`.
///
/// What the program says (`set_name`, `set_outcome` …) wins. Requests that `transaction_ignore_urls` (by path) or
/// `transaction_ignore_user_agents` match are not recorded. With two of these layers around each other, the inner one only
/// tells the outer one its route.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{Router, routing::get};
/// use tokenfall_agent::Agent;
///
/// let agent = Agent::disabled();
/// let app: Router =
///     Router::new().route("/hello/{name}", get(async || "hello")).layer(agent.http_server_layer());
/// # drop(app);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HttpServerLayer {
    agent: Agent,
}

impl<S> Layer<S> for HttpServerLayer {
    type Service = HttpServer<S>;

    fn layer(&self, inner: S) -> HttpServer<S> {
        HttpServer { inner, agent: self.agent.clone() }
    }
}

/// A service in an [`HttpServerLayer`].
#[derive(Clone, Debug)]
pub struct HttpServer<S> {
    inner: S,
    agent: Agent,
}

impl<S, A, B> Service<Request<A>> for HttpServer<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    B: Body,
{
    type Response = Response<super::TracedBody<B>>;
    type Error = S::Error;
    type Future = TracedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let (mut call, unnamed) = match begin(&self.agent, &mut head) {
            Some((call, unnamed)) => (Some(call), unnamed),
            None => (None, None),
        };
        let inner = &mut self.inner;
        let future = within(&mut call, || inner.call(Request::from_parts(head, body)));
        TracedFuture::new(future, call, unnamed)
    }
}

/// Goes along with a request that is recorded.
#[derive(Clone)]
struct Served {
    transaction: TransactionRef,
    /// Its name if the route was not known.
    unnamed: Option<Text>,
}

/// Begins the transaction of a request. Its name comes along if no route is known.
fn begin(agent: &Agent, head: &mut http::request::Parts) -> Option<(Call, Option<Text>)> {
    let core = agent.core()?;
    let route = route(&head.extensions);
    if let Some(served) = head.extensions.get::<Served>() {
        if let (Some(route), Some(unnamed)) = (route, &served.unnamed) {
            served.transaction.replace_name(unnamed, format!("{} {route}", head.method).into());
        }
        return None;
    }
    let settings = core.settings.load();
    let uri = original_uri(&head.extensions).unwrap_or(&head.uri);
    if is_ignored(&settings, uri, &head.headers) {
        return None;
    }
    let (name, has_route) = name(&settings, &head.method, uri, &head.headers, route);
    let transaction = agent
        .transaction(name.clone())
        .transaction_type("request")
        .parent(TraceContext::extract(&head.headers))
        .begin();
    let handle = transaction.handle()?;
    if transaction.is_sampled() {
        transaction.set_request(RequestFacts {
            method: method_text(&head.method),
            http_version: http_version(head.version).map(Text::Borrowed),
            url: Some(sanitized(address(uri, &head.headers), &settings.sanitize_field_names).into()),
            headers: if settings.capture_headers { recorded_headers(&head.headers) } else { Vec::new() },
            remote_address: peer(&head.extensions).map(|address| address.to_string().into()),
            body: None,
        });
        if is_axum(&head.extensions) {
            transaction.set_framework("axum", None);
        }
    }
    let call = Call::served(transaction, &head.method, &head.headers, settings.capture_headers);
    drop(settings);
    let unnamed = (!has_route).then_some(name);
    head.extensions.insert(Served { transaction: handle, unnamed: unnamed.clone() });
    Some((call, unnamed))
}

fn is_ignored(settings: &Settings, uri: &Uri, headers: &HeaderMap) -> bool {
    let agents = &settings.transaction_ignore_user_agents;
    any_match(&settings.transaction_ignore_urls, uri.path())
        || (!agents.is_empty()
            && headers
                .get(header::USER_AGENT)
                .is_some_and(|agent| any_match(agents, &String::from_utf8_lossy(agent.as_bytes()))))
}

/// Name of the transaction, and whether it is one that stays.
fn name(settings: &Settings, method: &Method, uri: &Uri, headers: &HeaderMap, route: Option<&str>) -> (Text, bool) {
    if grpc::is_grpc(headers) {
        return (uri.path().to_owned().into(), true);
    }
    if let Some(route) = route {
        return (format!("{method} {route}").into(), true);
    }
    let groups = &settings.transaction_name_groups;
    if !groups.is_empty() {
        let path = format!("{method} {}", uri.path());
        if let Some(group) = groups.iter().find(|group| group.matches(&path)) {
            return (group.text().to_owned().into(), false);
        }
    }
    (format!("{method} unknown route").into(), false)
}

/// `http://host/path?query` as far as it is known. Behind a proxy that ends TLS the scheme is the one that is spoken here.
fn address(uri: &Uri, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    match uri.authority().map_or(host, |authority| Some(authority.as_str())) {
        Some(host) => {
            // Credentials are nobody's business.
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{}://{host}{path}", uri.scheme_str().unwrap_or("http"))
        }
        None => path.to_owned(),
    }
}

fn http_version(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => return None,
    })
}

#[cfg(feature = "axum")]
use axum_facts::{is_axum, original_uri, peer, route};

#[cfg(feature = "axum")]
pub(super) use axum_facts::name_late;

/// What axum says of a request.
#[cfg(feature = "axum")]
mod axum_facts {
    use axum::extract::{ConnectInfo, MatchedPath, OriginalUri};

    use super::{Call, Extensions, IpAddr, Response, SocketAddr, Text, Uri};

    pub(super) fn route(extensions: &Extensions) -> Option<&str> {
        extensions.get::<MatchedPath>().map(MatchedPath::as_str)
    }

    /// The address before a nested router took its part away.
    pub(super) fn original_uri(extensions: &Extensions) -> Option<&Uri> {
        extensions.get::<OriginalUri>().map(|original| &original.0)
    }

    pub(super) fn peer(extensions: &Extensions) -> Option<IpAddr> {
        extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
    }

    pub(super) fn is_axum(extensions: &Extensions) -> bool {
        extensions.get::<OriginalUri>().is_some()
    }

    /// Names a transaction whose route only the answer tells: a layer outside of the router sees it there if the handler, or
    /// a layer inside, put it there.
    pub(in crate::http) fn name_late<B>(call: &Call, unnamed: Option<Text>, response: &Response<B>) {
        if let (Some(unnamed), Some(transaction), Some(route)) =
            (unnamed, call.transaction(), route(response.extensions()))
            && let Some((method, _)) = unnamed.split_once(' ')
        {
            transaction.replace_name(&unnamed, format!("{method} {route}").into());
        }
    }
}

/// Without axum nobody tells.
#[cfg(not(feature = "axum"))]
fn route(_: &Extensions) -> Option<&str> {
    None
}

#[cfg(not(feature = "axum"))]
fn original_uri(_: &Extensions) -> Option<&Uri> {
    None
}

#[cfg(not(feature = "axum"))]
fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<SocketAddr>().map(SocketAddr::ip)
}

#[cfg(not(feature = "axum"))]
fn is_axum(_: &Extensions) -> bool {
    false
}
