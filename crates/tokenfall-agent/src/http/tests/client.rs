use axum::body::Body;
use axum::routing::{any, get};
use http::Uri;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use reqwest_middleware::ClientBuilder;
use tower::{Layer as _, ServiceExt as _};

use super::*;
use crate::context::InContextExt as _;
use crate::event::Target;
use crate::http::{HttpClientLayer, ReqwestMiddleware};
use crate::propagation::TraceContext;
use crate::target;

/// Answers with the trace context that came.
fn echo(recorder: &Recorder) -> Router {
    let answer = async |headers: HeaderMap| headers["traceparent"].to_str().expect("text").to_owned();
    Router::new().route("/echo/{id}", any(answer)).layer(recorder.layer())
}

fn reqwest_client() -> reqwest_middleware::ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new()).with(ReqwestMiddleware::new()).build()
}

#[tokio::test]
async fn one_trace_across_client_and_server() {
    let recorder = Recorder::default();
    let server = Recorder::default();
    let url = serve(echo(&server)).await;
    let port: u16 = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let job = recorder.agent.begin_transaction("job", "batch");
    let address = format!("{url}/echo/1?key=s3cret&q=1");
    let by_reqwest = async {
        let response = reqwest_client().get(&address).send().await.expect("an answer");
        assert_eq!((response.url().as_str(), response.content_length()), (address.as_str(), Some(55)));
        response.text().await.expect("a body")
    };
    let by_hyper = async {
        let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
        let request = Request::get(&address).body(Body::empty()).expect("a request");
        let response = HttpClientLayer::new().layer(client).oneshot(request).await.expect("an answer");
        String::from_utf8(response.collect().await.expect("a body").to_bytes().to_vec()).expect("text")
    };
    let sent = [by_reqwest.in_context(job.context()).await, by_hyper.in_context(job.context()).await];
    job.end();
    let (job, spans) = recorder.transaction().await;
    assert_eq!(spans.len(), 2);
    for (span, traceparent) in spans.iter().zip(sent) {
        assert_eq!(traceparent, format!("00-{}-{}-01", job.trace_id, span.id));
        assert_eq!((span.name.as_ref(), span.kind.as_ref()), ("GET 127.0.0.1", "external"));
        assert_eq!(
            (span.subtype.as_deref(), span.parent_id, span.outcome),
            (Some("http"), job.id, Some(Outcome::Success))
        );
        assert!(span.exit && span.propagated);
        let details = span.details.as_deref().expect("details");
        assert_eq!((details.address.as_deref(), details.port), (Some("127.0.0.1"), Some(port)));
        let http = details.http.as_ref().expect("a request");
        assert_eq!((http.method.as_deref(), http.status_code), (Some("GET"), Some(200)));
        assert_eq!(http.url.as_deref(), Some(format!("{url}/echo/1?key=[REDACTED]&q=1").as_str()));
        let target = target::service_target(span).expect("a target");
        assert_eq!(target.name.as_deref(), Some(format!("127.0.0.1:{port}").as_str()));
        let (served, _) = server.transaction().await;
        assert_eq!((served.trace_id, served.parent_id), (job.trace_id, Some(span.id)));
    }
}

/// What a request looked like when the layer was done with it, and the span that was reported.
async fn through(
    recorder: &Recorder,
    layer: HttpClientLayer,
    request: Request<()>,
    answer: impl Fn() -> Result<Response<Frames>, &'static str> + Clone,
) -> (HeaderMap, SpanRecord) {
    let headers = std::sync::Mutex::new(HeaderMap::new());
    let service = tower::service_fn(|request: Request<()>| {
        *headers.lock().expect("not poisoned") = request.headers().clone();
        std::future::ready(answer())
    });
    let transaction = recorder.agent.begin_transaction("job", "batch");
    let call = async {
        if let Ok(response) = layer.layer(service).oneshot(request).await {
            drop(response.collect().await);
        }
    };
    call.in_context(transaction.context()).await;
    transaction.end();
    let (_, mut spans) = recorder.transaction().await;
    let span = spans.pop().expect("a span");
    (headers.into_inner().expect("not poisoned"), span)
}

fn request(uri: &str) -> Request<()> {
    Request::builder().uri(uri).body(()).expect("a request")
}

#[tokio::test]
async fn status_and_errors_decide() {
    let recorder = Recorder::default();
    for (status, expect) in [(200, Outcome::Success), (399, Outcome::Success), (400, Outcome::Failure)] {
        let answer = move || Ok(Response::builder().status(status).body(frames(vec![data("x")])).expect("an answer"));
        let (_, span) = through(&recorder, HttpClientLayer::new(), request("http://h/"), answer).await;
        assert_eq!(span.outcome, Some(expect), "{status}");
    }
    let (_, span) = through(&recorder, HttpClientLayer::new(), request("http://h/"), || Err("refused")).await;
    assert_eq!(span.outcome, Some(Outcome::Failure));
    let broken = || Ok(Response::new(frames(vec![data("x"), Err("broken")])));
    let (_, span) = through(&recorder, HttpClientLayer::new(), request("http://h/"), broken).await;
    assert_eq!(span.outcome, Some(Outcome::Failure));
}

#[tokio::test]
async fn grpc_calls() {
    let recorder = Recorder::default();
    let call = || {
        Request::post("/pkg.Greeter/Hello")
            .header("content-type", "application/grpc+proto")
            .body(())
            .expect("a request")
    };
    for (status, expect) in [("0", Outcome::Success), ("1", Outcome::Failure), ("5", Outcome::Failure)] {
        let answer = move || Ok(Response::new(frames(vec![data("x"), trailers(status)])));
        let layer = HttpClientLayer::new().origin(&Uri::from_static("https://api.example.com"));
        let (headers, span) = through(&recorder, layer, call(), answer).await;
        assert!(TraceContext::extract(&headers).is_some());
        assert_eq!((span.name.as_ref(), span.subtype.as_deref()), ("/pkg.Greeter/Hello", Some("grpc")));
        assert_eq!(span.outcome, Some(expect), "{status}");
        let target = target::service_target(&span).expect("a target");
        assert_eq!(target.name.as_deref(), Some("api.example.com:443"));
        assert_eq!(target::resource(&span, &target).as_deref(), Some("api.example.com:443"));
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_ends_its_span() {
    let recorder = Recorder::default();
    let transaction = recorder.agent.begin_transaction("job", "batch");
    let context = transaction.context();
    let hanging =
        tower::service_fn(async |_: Request<()>| std::future::pending::<Result<Response<Frames>, ()>>().await);
    let mut call = Box::pin(HttpClientLayer::new().layer(hanging).oneshot(request("http://h/")).in_context(context));
    assert!(futures_util::poll!(&mut call).is_pending());
    drop(call);
    // The status was seen: leaving the rest unread is no reason for doubt.
    let answering =
        tower::service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(frames(vec![data("x")]))));
    let call = HttpClientLayer::new().layer(answering).oneshot(request("http://h/"));
    let response = call.in_context(transaction.context()).await.expect("infallible");
    drop(response);
    transaction.end();
    let outcomes: Vec<_> = recorder.transaction().await.1.iter().map(|span| span.outcome).collect();
    assert_eq!(outcomes, [Some(Outcome::Unknown), Some(Outcome::Success)]);
}

#[tokio::test]
async fn a_refused_connection_is_a_failure() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let recorder = Recorder::default();
    let transaction = recorder.agent.begin_transaction("job", "batch");
    let call = async { reqwest_client().get(format!("http://{address}/")).send().await };
    call.in_context(transaction.context()).await.expect_err("nobody listens");
    transaction.end();
    let (_, spans) = recorder.transaction().await;
    assert_eq!(spans.iter().map(|span| span.outcome).collect::<Vec<_>>(), [Some(Outcome::Failure)]);
}

#[tokio::test]
async fn a_call_of_a_model_stands_for_its_requests() {
    let recorder = Recorder::default();
    let server = Recorder::default();
    let url = serve(echo(&server)).await;
    let transaction = recorder.agent.begin_transaction("job", "batch");
    let generation = transaction.capture_span("chat").span_type("gen_ai").subtype("openai").exit();
    let call = async { reqwest_client().get(format!("{url}/echo/1")).send().await.expect("an answer").text().await };
    let sent = generation.run_async(call).await.expect("a body");
    transaction.end();
    let (_, spans) = recorder.transaction().await;
    let [chat] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!(sent, format!("00-{}-{}-01", chat.trace_id, chat.id));
    assert!(chat.propagated, "the callee knows its id: it must be reported");
    assert_eq!(chat.details.as_deref().map(|details| details.target.clone()).unwrap_or_default(), Target::Inferred);
    assert_eq!(server.transaction().await.0.parent_id, Some(chat.id));
}

#[tokio::test]
async fn a_proxy_passes_on_headers_but_not_the_callers_place() {
    let theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let caller = TraceContext::from_headers([theirs], []);
    let recorder = Recorder::default();
    let sent = async |header: &str| {
        let transaction = recorder.agent.transaction("proxy").parent(caller.clone()).begin();
        let echo = tower::service_fn(async |request: Request<()>| {
            let mut response = Response::new(frames(vec![]));
            response.headers_mut().insert("traceparent", request.headers()["traceparent"].clone());
            Ok::<_, Infallible>(response)
        });
        let request = Request::get("http://h/").header("traceparent", header).body(()).expect("a request");
        let call = HttpClientLayer::new().layer(echo).oneshot(request).in_context(transaction.context());
        let response = call.await.expect("infallible");
        let sent = response.headers()["traceparent"].to_str().expect("text").to_owned();
        drop(response);
        transaction.end();
        let (_, spans) = recorder.transaction().await;
        (sent, spans.into_iter().next().expect("a span").id)
    };
    let (there, span) = sent(theirs).await;
    assert_eq!(there, format!("00-0af7651916cd43dd8448eb211c80319c-{span}-01"));
    let own = "00-0af7651916cd43dd8448eb211c80319c-00000000000000aa-01";
    assert_eq!(sent(own).await.0, own, "what the program wrote stays");
}

#[tokio::test]
async fn without_a_transaction_nothing_happens() {
    let answer = async |headers: HeaderMap| headers.contains_key("traceparent").to_string();
    let url = serve(Router::new().route("/", get(answer))).await;
    let response = reqwest_client().get(url).send().await.expect("an answer");
    assert_eq!(response.text().await.expect("a body"), "false");
}
