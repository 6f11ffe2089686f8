//! Servers and clients as programs build them: axum, reqwest, hyper-util, tower.

mod client;
mod server;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use tower::ServiceBuilder;

use super::{HttpServer, HttpServerLayer};
use crate::Agent;
use crate::core::Core;
use crate::event::{Event, Outcome, SpanRecord, TransactionRecord};
use crate::settings::Settings;

type Frames = StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, &'static str>>>>;

/// An agent without a thread: what it would send waits in its queue.
struct Recorder {
    core: Arc<Core>,
    agent: Agent,
}

impl Recorder {
    fn new(settings: Settings) -> Self {
        let core = Core::new(settings, 1000);
        Self { agent: Agent::for_test(Arc::clone(&core)), core }
    }

    fn layer(&self) -> HttpServerLayer {
        self.agent.http_server_layer()
    }

    /// The next event, which must come soon.
    async fn event(&self) -> Event {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(event) = self.core.queue.pop() {
                return event;
            }
            assert!(Instant::now() < deadline, "no event");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The next transaction, and the spans that were sent before it.
    async fn transaction(&self) -> (TransactionRecord, Vec<SpanRecord>) {
        let mut spans = Vec::new();
        loop {
            match self.event().await {
                Event::Span(span) => spans.push(span),
                Event::Transaction(transaction) => return (*transaction, spans),
                other => panic!("{other:?}"),
            }
        }
    }

    fn is_silent(&self) -> bool {
        self.core.queue.is_empty()
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "stands in lists beside frames that fail")]
fn data(text: &'static str) -> Result<Frame<Bytes>, &'static str> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

#[expect(clippy::unnecessary_wraps, reason = "stands in lists beside frames that fail")]
fn trailers(grpc_status: &'static str) -> Result<Frame<Bytes>, &'static str> {
    let name = http::HeaderName::from_static("grpc-status");
    Ok(Frame::trailers(HeaderMap::from_iter([(name, http::HeaderValue::from_static(grpc_status))])))
}

fn frames(frames: Vec<Result<Frame<Bytes>, &'static str>>) -> Frames {
    StreamBody::new(futures_util::stream::iter(frames))
}

/// A server that always gives the same answer.
fn fixed<F>(
    recorder: &Recorder,
    answer: F,
) -> HttpServer<
    impl tower::Service<Request<()>, Response = Response<Frames>, Error = Infallible, Future: Send> + Clone + use<F>,
>
where
    F: Fn() -> Response<Frames> + Clone + Send + 'static,
{
    let service = tower::service_fn(move |_: Request<()>| std::future::ready(Ok(answer())));
    ServiceBuilder::new().layer(recorder.layer()).service(service)
}

/// Serves on a free port until the runtime ends; its address.
async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let app = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

fn outcome(transaction: &TransactionRecord) -> (Option<&str>, Option<Outcome>) {
    (transaction.result.as_deref(), transaction.outcome)
}
