use std::net::SocketAddr;
use std::pin::pin;

use axum::body::Body;
use axum::extract::Path;
use axum::routing::{get, post};
use futures_util::{FutureExt as _, StreamExt as _};
use http::header;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::context::Context;
use crate::event::{AttributeValue, Text};
use crate::wildcard::WildcardMatcher;

fn request(uri: &str) -> Request<()> {
    Request::builder().uri(uri).body(()).expect("a request")
}

fn grpc_request() -> Request<()> {
    Request::post("http://a/pkg.Greeter/Hello").header("content-type", "application/grpc").body(()).expect("a request")
}

#[tokio::test]
async fn status_decides_unless_the_program_does() {
    let recorder = Recorder::default();
    let cases = [(200, "HTTP 2xx", true), (302, "HTTP 3xx", true), (404, "HTTP 4xx", true), (499, "HTTP 4xx", true)];
    let failures = [(500, "HTTP 5xx", false), (503, "HTTP 5xx", false)];
    for (status, result, success) in cases.into_iter().chain(failures) {
        let answer = move || Response::builder().status(status).body(frames(vec![data("x")])).expect("an answer");
        let response = fixed(&recorder, answer).oneshot(request("/")).await.expect("infallible");
        assert!(recorder.is_silent(), "the body has not been read");
        response.collect().await.expect("a body");
        let expect = if success { Outcome::Success } else { Outcome::Failure };
        assert_eq!(outcome(&recorder.transaction().await.0), (Some(result), Some(expect)));
    }
    let answer = || {
        Context::current().set_outcome(Outcome::Failure);
        Response::new(frames(vec![]))
    };
    let service = recorder.layer();
    let service =
        ServiceBuilder::new().layer(service).service_fn(move |_: Request<()>| async move { Ok::<_, ()>(answer()) });
    let response = service.oneshot(request("/")).await.expect("an answer");
    response.collect().await.expect("a body");
    assert_eq!(outcome(&recorder.transaction().await.0), (Some("HTTP 2xx"), Some(Outcome::Failure)));
}

#[tokio::test]
async fn grpc_status_comes_from_headers_trailers_or_nowhere() {
    let recorder = Recorder::default();
    let check = async |head: Option<&'static str>, frame: Option<&'static str>, http: u16, name: &str, ok: Outcome| {
        let answer = move || {
            let mut body = vec![data("message")];
            body.extend(frame.map(trailers));
            let response = Response::builder().status(http).header("content-type", "application/grpc");
            let response = head.into_iter().fold(response, |response, status| response.header("grpc-status", status));
            response.body(frames(body)).expect("an answer")
        };
        let response = fixed(&recorder, answer).oneshot(grpc_request()).await.expect("infallible");
        response.collect().await.expect("a body");
        let (transaction, _) = recorder.transaction().await;
        assert_eq!(outcome(&transaction), (Some(name), Some(ok)), "{head:?} {frame:?} {http}");
        assert_eq!(transaction.name, "/pkg.Greeter/Hello");
    };
    check(None, Some("0"), 200, "OK", Outcome::Success).await;
    check(None, Some("5"), 200, "NOT_FOUND", Outcome::Success).await;
    check(None, Some("13"), 200, "INTERNAL", Outcome::Failure).await;
    check(Some("16"), None, 200, "UNAUTHENTICATED", Outcome::Success).await;
    check(Some("14"), None, 200, "UNAVAILABLE", Outcome::Failure).await;
    check(None, None, 200, "UNKNOWN", Outcome::Failure).await;
    check(None, None, 404, "UNIMPLEMENTED", Outcome::Success).await;
}

#[tokio::test]
async fn bodies_that_fail_or_are_left() {
    let recorder = Recorder::default();
    let answer = || Response::new(frames(vec![data("x"), Err("broken")]));
    let response = fixed(&recorder, answer).oneshot(request("/")).await.expect("infallible");
    response.collect().await.expect_err("it is broken");
    assert_eq!(outcome(&recorder.transaction().await.0), (Some("HTTP 2xx"), Some(Outcome::Failure)));

    let answer = || Response::new(frames(vec![data("x"), data("y")]));
    let mut response = fixed(&recorder, answer).oneshot(request("/")).await.expect("infallible");
    response.frame().await.expect("a frame").expect("not broken");
    assert!(recorder.is_silent());
    drop(response);
    assert_eq!(outcome(&recorder.transaction().await.0), (Some("HTTP 2xx"), Some(Outcome::Unknown)));

    // A failure is one, whoever leaves.
    let answer = || Response::builder().status(502).body(frames(vec![data("x")])).expect("an answer");
    drop(fixed(&recorder, answer).oneshot(request("/")).await);
    assert_eq!(outcome(&recorder.transaction().await.0), (Some("HTTP 5xx"), Some(Outcome::Failure)));

    // Who knows the length need not ask for the end.
    let answer = || Response::builder().header("content-length", 3).body(frames(vec![data("ab"), data("c")]));
    let answer = move || answer().expect("an answer");
    let mut response = fixed(&recorder, answer).oneshot(request("/")).await.expect("infallible");
    for _ in 0..2 {
        response.frame().await.expect("a frame").expect("not broken");
    }
    drop(response);
    assert_eq!(outcome(&recorder.transaction().await.0), (Some("HTTP 2xx"), Some(Outcome::Success)));

    // Nobody reads the body of an answer to HEAD.
    let head = Request::head("/").body(()).expect("a request");
    drop(fixed(&recorder, answer).oneshot(head).await);
    assert_eq!(outcome(&recorder.transaction().await.0), (Some("HTTP 2xx"), Some(Outcome::Success)));
}

async fn panicking() -> &'static str {
    panic!("on purpose")
}

#[tokio::test]
async fn services_that_fail_hang_or_panic() {
    let recorder = Recorder::default();
    let build = || ServiceBuilder::new().layer(recorder.layer());
    let failing = build().service_fn(async |_: Request<()>| Err::<Response<Frames>, _>("no"));
    assert!(failing.oneshot(request("/")).await.is_err());
    assert_eq!(outcome(&recorder.transaction().await.0), (None, Some(Outcome::Failure)));

    let hanging = build()
        .service_fn(async |_: Request<()>| std::future::pending::<Result<Response<Frames>, Infallible>>().await)
        .oneshot(request("/"));
    {
        let mut hanging = pin!(hanging);
        assert!(hanging.as_mut().now_or_never().is_none());
        assert!(recorder.is_silent());
    }
    assert_eq!(outcome(&recorder.transaction().await.0), (None, Some(Outcome::Unknown)));

    // The panic is caught outside: the future is not dropped while the thread panics.
    let app = Router::new()
        .route("/panic", get(panicking))
        .layer(ServiceBuilder::new().layer(tower_http::catch_panic::CatchPanicLayer::new()).layer(recorder.layer()));
    let get = || Request::get("/panic").body(Body::empty()).expect("a request");
    assert_eq!(app.oneshot(get()).await.expect("infallible").status(), 500);
    assert_eq!(outcome(&recorder.transaction().await.0), (None, Some(Outcome::Failure)));
    // It is caught inside: there is an answer.
    let app = Router::new()
        .route("/panic", axum::routing::get(panicking))
        .layer(ServiceBuilder::new().layer(recorder.layer()).layer(tower_http::catch_panic::CatchPanicLayer::new()));
    let response = app.oneshot(get()).await.expect("infallible");
    response.into_body().collect().await.expect("a body");
    assert_eq!(outcome(&recorder.transaction().await.0), (Some("HTTP 5xx"), Some(Outcome::Failure)));
}

#[tokio::test]
async fn a_stream_is_part_of_its_transaction() {
    let recorder = Recorder::default();
    let handler = async || {
        let stream = futures_util::stream::iter(["a", "b"]).then(async |token| {
            let mut span = Context::current().capture_span("token").start();
            span.label("token", token);
            tokio::task::yield_now().await;
            drop(span);
            Ok::<_, Infallible>(token)
        });
        Body::from_stream(stream)
    };
    let app = Router::new().route("/chat", post(handler)).layer(recorder.layer());
    let request = Request::post("/chat").body(Body::empty()).expect("a request");
    let response = app.oneshot(request).await.expect("infallible");
    assert!(Context::current().is_none());
    assert!(recorder.is_silent(), "the stream has not begun");
    assert_eq!(response.into_body().collect().await.expect("a body").to_bytes(), "ab");
    let (transaction, spans) = recorder.transaction().await;
    assert_eq!((transaction.name.as_ref(), transaction.spans_started), ("POST /chat", 2));
    assert!(spans.iter().all(|span| span.parent_id == transaction.id && span.name == "token"));
    assert!(Context::current().is_none());
}

#[tokio::test]
async fn axum_tells_route_peer_and_address() {
    let settings = Settings {
        transaction_name_groups: WildcardMatcher::list("GET /files/*,*/renamed *"),
        transaction_ignore_urls: WildcardMatcher::list("/health*"),
        transaction_ignore_user_agents: WildcardMatcher::list("*probe*"),
        ..Settings::default()
    };
    let recorder = Recorder::new(settings);
    let hello = async |Path(name): Path<String>| {
        if name == "bob" {
            Context::current().transaction().expect("one").set_name("a/renamed bob");
        }
        format!("hello {name}")
    };
    let app = Router::new()
        .route("/hello/{name}", get(hello))
        .nest("/api", Router::new().route("/users/{id}", get(hello)))
        .route("/health", get(async || "fine"))
        .layer(recorder.layer());
    let url = serve(app).await;
    let client = reqwest::Client::new();
    let fetch = async |path: &str, agent: &str| {
        let request = client.get(format!("{url}{path}")).header("user-agent", agent).header("x-answer", "42");
        request.send().await.expect("an answer").text().await.expect("a body")
    };
    let names = ["/hello/alice?q=1&token=s3cret", "/api/users/7", "/files/1", "/nothing", "/hello/bob"];
    for path in ["/health", "/healthy"] {
        fetch(path, "curl").await;
    }
    fetch("/hello/you", "Some-Probe/1").await;
    let mut transactions = Vec::new();
    for path in names {
        fetch(path, "curl").await;
        transactions.push(recorder.transaction().await.0);
    }
    let names: Vec<&str> = transactions.iter().map(|transaction| transaction.name.as_ref()).collect();
    assert_eq!(names, ["GET /hello/{name}", "GET /api/users/{id}", "GET /files/*", "GET unknown route", "*/renamed *"]);
    let first = &transactions[0];
    assert_eq!(first.kind, "request");
    assert_eq!(outcome(first), (Some("HTTP 2xx"), Some(Outcome::Success)));
    assert_eq!(first.context.framework, Some(("axum".into(), None)));
    let seen = first.context.request.as_deref().expect("a request");
    assert_eq!(seen.url.as_deref(), Some(format!("{url}/hello/alice?q=1&token=[REDACTED]").as_str()));
    assert_eq!((seen.method.as_ref(), seen.http_version.as_deref()), ("GET", Some("1.1")));
    assert_eq!(seen.remote_address.as_deref(), Some("127.0.0.1"));
    let has = |headers: &[(Text, Text)], name: &str, value: &str| headers.iter().any(|(n, v)| n == name && v == value);
    assert!(has(&seen.headers, "x-answer", "42"), "{seen:?}");
    let answer = first.context.response.as_ref().expect("an answer");
    assert_eq!(answer.status_code, Some(200));
    assert!(has(&answer.headers, "content-type", "text/plain; charset=utf-8"), "{answer:?}");
    let nested = transactions[1].context.request.as_deref().expect("a request");
    assert_eq!(nested.url.as_deref(), Some(format!("{url}/api/users/7").as_str()));
}

#[tokio::test]
async fn an_inner_layer_names_what_the_outer_one_cannot() {
    let recorder = Recorder::default();
    let app = Router::new().route("/a/{b}", get(async || "c")).layer(recorder.layer());
    let app = ServiceBuilder::new().layer(recorder.layer()).service(app);
    let request = Request::get("/a/b").extension(SocketAddr::from(([1, 2, 3, 4], 5))).body(Body::empty());
    let response = app.oneshot(request.expect("a request")).await.expect("infallible");
    response.into_body().collect().await.expect("a body");
    assert_eq!(recorder.transaction().await.0.name, "GET /a/{b}");
    assert!(recorder.is_silent(), "one transaction, not two");
}

#[tokio::test]
async fn headers_are_not_captured_if_the_settings_say_so() {
    let recorder = Recorder::new(Settings { capture_headers: false, ..Settings::default() });
    let answer = || Response::builder().header("x", "y").body(frames(vec![])).expect("an answer");
    let mut request = request("/");
    request.headers_mut().insert(header::ACCEPT, http::HeaderValue::from_static("text/html"));
    let response = fixed(&recorder, answer).oneshot(request).await.expect("infallible");
    response.collect().await.expect("a body");
    let context = recorder.transaction().await.0.context;
    assert!(context.request.expect("a request").headers.is_empty());
    assert!(context.response.expect("an answer").headers.is_empty());
}

#[tokio::test]
async fn the_callers_trace_goes_on() {
    let recorder =
        Recorder::new(Settings { baggage_to_attach: WildcardMatcher::list("tenant"), ..Settings::default() });
    let called = |flags: &str| {
        Request::get("/")
            .header("traceparent", format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}"))
            .header("tracestate", "other=1,es=s:0.5")
            .header("baggage", "tenant=acme,secret=1")
            .body(())
            .expect("a request")
    };
    let answer = || {
        let goes_on = Context::current().trace_context().expect("a trace");
        let state = goes_on.tracestate().expect("a state");
        assert_eq!((state.as_str(), goes_on.baggage()), ("es=s:0.5,other=1", Some("tenant=acme,secret=1")));
        Response::builder().header("x-trace", goes_on.traceparent()).body(frames(vec![])).expect("an answer")
    };
    let service = || {
        let service = tower::service_fn(move |_: Request<()>| async move { Ok::<_, Infallible>(answer()) });
        ServiceBuilder::new().layer(recorder.layer()).service(service)
    };
    let response = service().oneshot(called("01")).await.expect("infallible");
    response.collect().await.expect("a body");
    let (transaction, _) = recorder.transaction().await;
    assert_eq!(transaction.trace_id.to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(transaction.parent_id.map(|id| id.to_string()).as_deref(), Some("b7ad6b7169203331"));
    assert_eq!(transaction.sample_rate, Some(0.5));
    assert_eq!(transaction.otel.attributes, [("baggage.tenant".into(), AttributeValue::Text("acme".into()))]);

    // What the caller does not record is not recorded here, but goes on.
    let response = service().oneshot(called("00")).await.expect("infallible");
    let sent = response.headers()["x-trace"].to_str().expect("text");
    assert!(sent.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && sent.ends_with("-00"), "{sent}");
    response.collect().await.expect("a body");
    assert!(recorder.is_silent());
}
