//! Clients built on tower.

use std::task::{self, Poll};

use http::{Request, Response, Uri};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::address::Callee;
use super::call::{Call, TracedFuture};

/// Makes an exit span of each request that a client makes, and writes `traceparent`, `tracestate` and `baggage` into it.
///
/// For any `Service<http::Request<_>>`, such as the client of hyper-util or a channel of tonic. Requests are children of the
/// span or transaction that is current when they are made; without one, and inside of an exit span of another type (a call of
/// a model, say), there is no span, but the trace context goes along. A `traceparent` that the program set stays.
///
/// HTTP: name `GET host`, type `external`, subtype `http`, failure from status 400 on. gRPC (by `content-type`): name
/// `/package.Service/Method`, subtype `grpc`, failure unless the status is `OK`. An error of the client is a failure; a future
/// that is dropped before the answer gives outcome `unknown`. The span ends with the body of the answer, or when that is
/// dropped unread.
///
/// ```
/// use tokenfall_agent::http::HttpClientLayer;
/// use tower::ServiceBuilder;
/// # use std::convert::Infallible;
/// # let inner = tower::service_fn(async |_: http::Request<String>| Ok::<_, Infallible>(http::Response::new(String::new())));
/// let client = ServiceBuilder::new().layer(HttpClientLayer::new()).service(inner);
/// # drop(client);
/// ```
#[derive(Clone, Debug, Default)]
pub struct HttpClientLayer {
    origin: Option<Callee>,
}

impl HttpClientLayer {
    /// A layer for clients whose requests say where they go.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says where requests go whose address has no host: those of a channel of tonic.
    pub fn origin(mut self, origin: &Uri) -> Self {
        self.origin = Callee::of(origin);
        self
    }
}

impl<S> Layer<S> for HttpClientLayer {
    type Service = HttpClient<S>;

    fn layer(&self, inner: S) -> HttpClient<S> {
        HttpClient { inner, origin: self.origin.clone() }
    }
}

/// A client in an [`HttpClientLayer`].
#[derive(Clone, Debug)]
pub struct HttpClient<S> {
    inner: S,
    origin: Option<Callee>,
}

impl<S, A, B> Service<Request<A>> for HttpClient<S>
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
        let mut call = Call::made(&head.method, &head.uri, &mut head.headers, self.origin.as_ref());
        let inner = &mut self.inner;
        let future = super::call::within(&mut call, || inner.call(Request::from_parts(head, body)));
        TracedFuture::new(future, call, None)
    }
}
