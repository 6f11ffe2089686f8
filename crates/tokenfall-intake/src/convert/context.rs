//! `context`: of transactions and errors, and what spans share with them.

use std::net::{IpAddr, SocketAddr};

use tokenfall_model::ServiceName;
use tokenfall_model::document::{
    CloudOrigin, Document, Endpoint, Headers, Http, HttpBody, HttpRequest, HttpResponse, IdName, Json, Message,
    MessageAge, Name, NameVersion, Nat, ServiceOrigin, ServiceTarget, Url, User, UserAgent,
};

use super::{add_labels, owned, set, some, url};
use crate::wire::{self, Int, JsonObject, StrOrInt, sanitize_key};

/// The parts of a context that belong to the transaction or error itself.
#[derive(Default)]
pub(super) struct Own {
    pub(super) custom: Option<Json>,
    pub(super) message: Option<Box<Message>>,
}

/// Applies the context of a transaction or error to its document.
pub(super) fn context(document: &mut Document, from: Option<Box<wire::Context<'_>>>) -> Own {
    let Some(from) = from.map(|context| *context) else { return Own::default() };
    service(document, from.service);
    user(document, from.user);
    if let Some(origin) = from.cloud.and_then(|cloud| cloud.origin) {
        document.cloud.get_or_insert_default().origin = Some(Box::new(CloudOrigin {
            account: owned(origin.account.and_then(|a| a.id)).map(|id| IdName { id: Some(id), name: None }),
            provider: owned(origin.provider),
            region: owned(origin.region),
            service: owned(origin.service.and_then(|s| s.name)).map(|name| Name { name }),
        }));
    }
    if let Some(from) = from.request {
        request(document, *from);
    }
    if let Some(from) = from.response {
        document.http.get_or_insert_default().response = Some(Box::new(response(from)));
    }
    if let Some(from) = from.page {
        page(document, from);
    }
    add_labels(document, from.tags);
    Own { custom: from.custom.map(custom), message: from.message.and_then(message) }
}

/// `context.service` over the values of the metadata.
pub(super) fn service(document: &mut Document, from: Option<wire::ServiceOverride<'_>>) {
    let Some(from) = from else { return };
    let service = &mut document.service;
    set(&mut service.environment, from.environment);
    if let Some(name) = from.name.filter(|name| !name.as_str().is_empty()) {
        // A version without a name says nothing; with a name, the version of the metadata is another service's.
        service.name = ServiceName::new(name.0);
        service.version = owned(from.version);
    }
    if let Some(name) = owned(from.node.and_then(|node| node.configured_name)) {
        service.node = Some(Name { name });
    }
    for (field, from) in [
        (&mut service.framework, from.framework),
        (&mut service.language, from.language),
        (&mut service.runtime, from.runtime),
    ] {
        if let Some(from) = from {
            let mut merged: NameVersion = field.take().unwrap_or_default();
            set(&mut merged.name, from.name);
            set(&mut merged.version, from.version);
            *field = some(merged);
        }
    }
    if let Some(origin) = from.origin {
        let origin = ServiceOrigin { id: owned(origin.id), name: owned(origin.name), version: owned(origin.version) };
        service.origin = some(origin).map(Box::new);
    }
    if let Some(target) = from.target {
        service.target = Some(ServiceTarget { kind: target.kind.map(Into::into), name: owned(target.name) });
    }
    if let Some(from) = from.agent {
        let agent = document.agent.get_or_insert_default();
        set(&mut agent.name, from.name);
        set(&mut agent.version, from.version);
        set(&mut agent.ephemeral_id, from.ephemeral_id);
    }
}

/// Replaces the user as a whole, so that two people are never mixed.
pub(super) fn user(document: &mut Document, from: Option<wire::User<'_>>) {
    let Some(from) = from else { return };
    document.user = some(User {
        id: from.id.map(StrOrInt::into_text).filter(|id| !id.is_empty()),
        name: owned(from.username),
        email: owned(from.email),
        domain: owned(from.domain),
    })
    .map(Box::new);
}

fn request(document: &mut Document, from: wire::Request<'_>) {
    let headers = from.headers.map(|headers| headers.0).unwrap_or_default();
    if let Some(values) = headers.get("User-Agent") {
        document.user_agent = some(UserAgent { original: values.join(", ") });
    }
    client(document, &headers, from.socket.as_ref().and_then(|s| s.remote_address.as_ref()).map(wire::Text::as_str));
    if let Some(from) = from.url {
        document.url = some(request_url(from)).map(Box::new);
    }
    let http = document.http.get_or_insert_default();
    set(&mut http.version, from.http_version);
    http.request = some(HttpRequest {
        id: None,
        method: owned(from.method),
        referrer: None,
        body: from.body.map(|body| HttpBody { original: body.0 }).filter(|body| body.original != ""),
        headers,
        cookies: from.cookies.map(|cookies| cookies.0.into()),
        env: from.env.map(|env| env.0.into()),
    })
    .map(Box::new);
}

fn request_url(from: wire::RequestUrl<'_>) -> Url {
    let scheme = owned(from.protocol);
    Url {
        original: owned(from.raw),
        full: owned(from.full),
        scheme: scheme.map(|s| s.strip_suffix(':').map(ToOwned::to_owned).unwrap_or(s)),
        domain: owned(from.hostname),
        port: from.port.and_then(|port| port.as_int()),
        path: owned(from.pathname),
        query: owned(from.search),
        fragment: owned(from.hash),
    }
}

fn page(document: &mut Document, from: wire::Page<'_>) {
    if document.url.is_none()
        && let Some(text) = owned(from.url)
    {
        document.url = Some(Box::new(url::parse(&text, None, None)));
    }
    if let Some(referrer) = owned(from.referer) {
        document.http.get_or_insert_default().request.get_or_insert_default().referrer = Some(referrer);
    }
}

/// Where the request came from: the first proxy header with a valid address, else the socket.
fn client(document: &mut Document, headers: &Headers, socket: Option<&str>) {
    let socket = socket.and_then(address);
    let forwarded = forwarded(headers);
    let Some((ip, port)) = forwarded.or(socket) else { return };
    let endpoint = Endpoint { ip: Some(ip.to_string()), port, ..Endpoint::default() };
    let nat = forwarded.and(socket).map(|(ip, _)| Nat { ip: ip.to_string() });
    document.source = Some(Box::new(Endpoint { nat, ..endpoint.clone() }));
    // The port of a socket says nothing about the client.
    let port = forwarded.and(endpoint.port);
    document.client = Some(Box::new(Endpoint { port, ..endpoint }));
}

type Address = (IpAddr, Option<i64>);

fn forwarded(headers: &Headers) -> Option<Address> {
    let first = |name: &str| headers.get(name).and_then(|values| values.first()).map(String::as_str);
    let head = |text: &'static str, list: &str| list.split(text).next().unwrap_or_default().trim().to_owned();
    let from_forwarded = || {
        let element = head(",", first("Forwarded")?);
        let pair = |part: &str| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"').to_owned())
        };
        address(&element.split(';').filter_map(pair).next_back()?)
    };
    from_forwarded().or_else(|| address(first("X-Real-Ip")?)).or_else(|| address(&head(",", first("X-Forwarded-For")?)))
}

/// Reads `host`, `host:port`, `[host]:port`, where the host is an IP address.
fn address(text: &str) -> Option<Address> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some((ip, None));
    }
    let socket = text.parse::<SocketAddr>().ok()?;
    Some((socket.ip(), Some(i64::from(socket.port())).filter(|port| *port > 0)))
}

fn response(from: wire::Response) -> HttpResponse {
    HttpResponse {
        status_code: int(from.status_code),
        finished: from.finished,
        headers_sent: from.headers_sent,
        transfer_size: int(from.transfer_size),
        encoded_body_size: int(from.encoded_body_size),
        decoded_body_size: int(from.decoded_body_size),
        headers: from.headers.map(|headers| headers.0).unwrap_or_default(),
    }
}

/// `http` of a span's context: the call that it made.
pub(super) fn span_http(document: &mut Document, from: Option<wire::SpanHttp<'_>>) {
    let Some(from) = from else { return };
    let (id, body) = from.request.map(|request| (owned(request.id), request.body)).unwrap_or_default();
    let response = from.response.unwrap_or_default();
    document.http = some(Http {
        version: None,
        request: some(HttpRequest {
            id,
            method: owned(from.method),
            body: body.map(|body| HttpBody { original: body.0 }),
            ..HttpRequest::default()
        })
        .map(Box::new),
        response: some(HttpResponse {
            status_code: int(from.status_code.or(response.status_code)),
            finished: None,
            headers_sent: None,
            transfer_size: int(response.transfer_size),
            encoded_body_size: int(response.encoded_body_size),
            decoded_body_size: int(response.decoded_body_size),
            headers: response.headers.map(|headers| headers.0).unwrap_or_default(),
        })
        .map(Box::new),
    })
    .map(Box::new);
    if let Some(original) = owned(from.url) {
        document.url = Some(Box::new(Url { original: Some(original), ..Url::default() }));
    }
}

pub(super) fn message(from: wire::Message<'_>) -> Option<Box<Message>> {
    some(Message {
        queue: owned(from.queue.and_then(|q| q.name)).map(|name| Name { name }),
        age: from.age.and_then(|age| age.ms).map(|ms| MessageAge { ms: ms.0 }),
        body: owned(from.body),
        routing_key: owned(from.routing_key),
        headers: from.headers.map(|headers| headers.0).unwrap_or_default(),
    })
    .map(Box::new)
}

/// `custom`: its top-level keys are treated as those of labels are.
fn custom(from: JsonObject) -> Json {
    from.0.into_iter().map(|(key, value)| (sanitize_key(&key).into_owned(), value)).collect()
}

pub(super) fn int(number: Option<Int>) -> Option<i64> {
    number.map(|number| number.0)
}
