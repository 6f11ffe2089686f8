//! Middleware for reqwest.

use async_trait::async_trait;
use http::{Extensions, Uri};
use reqwest::{Body, Request, Response, ResponseBuilderExt as _};
use reqwest_middleware::{Middleware, Next, Result};

use super::call::{Call, TracedFuture};

/// Makes an exit span of each request of a `reqwest_middleware::ClientWithMiddleware`, and writes `traceparent`, `tracestate`
/// and `baggage` into it.
///
/// The rules are those of the layer for tower: children of what is current, nothing but the trace context inside of exit spans of
/// another type, name `GET host`, failure from status 400 on and on errors, `unknown` if the future is dropped before the
/// answer. The span ends with the body of the answer, or when that is dropped unread. Redirects that reqwest follows are
/// part of one span. Put the middleware after one that retries, so that each attempt is a span.
///
/// ```
/// use tokenfall_agent::http::ReqwestMiddleware;
///
/// let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new()).with(ReqwestMiddleware::new()).build();
/// # drop(client);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ReqwestMiddleware {}

impl ReqwestMiddleware {
    /// The middleware.
    pub const fn new() -> Self {
        Self {}
    }
}

#[async_trait]
impl Middleware for ReqwestMiddleware {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        // What reqwest can send but `Uri` cannot read has no host for us.
        let uri = Uri::try_from(request.url().as_str()).unwrap_or_default();
        let method = request.method().clone();
        let Some(call) = Call::made(&method, &uri, request.headers_mut(), None) else {
            return next.run(request, extensions).await;
        };
        let answer = async {
            let response = next.run(request, extensions).await?;
            let url = response.url().clone();
            let mut response = http::Response::<Body>::from(response);
            // The conversion forgets the address; this is where the way back looks for it.
            if let Ok(with_url) = http::Response::builder().url(url).body(()) {
                response.extensions_mut().extend(with_url.into_parts().0.extensions);
            }
            Ok::<_, reqwest_middleware::Error>(response)
        };
        let response = TracedFuture::new(answer, Some(call), None).await?;
        Ok(response.map(Body::wrap).into())
    }
}
