//! What the agent sends is what the server takes.

use tokenfall_agent::{LabelValue, Outcome, Request, Response, User};
use tokenfall_intake::{IntakeStream, StreamOptions};
use tokenfall_model::EventKind;

use crate::server::{EVENTS, PATIENCE, Server};

#[test]
fn the_server_has_nothing_to_say_against_a_whole_request() {
    let server = Server::start();
    let agent = server.agent().start();
    let transaction = agent.begin_transaction("x".repeat(5000), "request");
    transaction.label("tenant.\"id\"*", "acme");
    transaction.label("nothing", LabelValue::Number(f64::NAN));
    transaction.set_user(User { id: Some("7".into()), ..User::default() });
    transaction.set_request(Request {
        method: "GET".into(),
        url: Some("https://shop.example/cart?x=1".into()),
        headers: vec![("Authorization".into(), "hush".into())],
        ..Request::default()
    });
    transaction.set_response(Response { status_code: Some(200), headers: Vec::new() });
    transaction.set_custom("cart", serde_json::json!({"items": [1, 2]}));
    let mut span = transaction.capture_span("").span_type("").exit().http("POST", "https://api.openai.com/v1").start();
    span.set_http_status(429);
    span.capture_error(&std::io::Error::other("too many requests")).expect("captured");
    span.end();
    for _ in 0..5 {
        transaction.capture_span("token").span_type("openai").exit().service_target("openai", None).start().end();
    }
    agent.capture_message("not in stock", "warning").expect("captured");
    transaction.end();
    assert!(agent.flush(PATIENCE));

    let requests = server.wait_for_requests(EVENTS, 1);
    let mut stream = IntakeStream::new(StreamOptions::default());
    let mut documents = Vec::new();
    for request in &requests {
        assert!(!String::from_utf8_lossy(&request.body).contains("hush"));
        stream.feed(&request.body, &mut documents);
    }
    stream.finish(&mut documents);
    assert_eq!(stream.errors(), []);
    let count = |kind| documents.iter().filter(|document| document.kind() == kind).count();
    assert_eq!((count(EventKind::Transaction), count(EventKind::Error), count(EventKind::Span)), (1, 2, 2));
    let spans =
        documents.iter().filter_map(|document| Some((document.span.as_deref()?, document.event.as_ref()?.outcome)));
    let call = spans.clone().find(|(span, _)| span.name.as_deref() == Some("unnamed")).expect("a call");
    assert_eq!(call.1.map(|outcome| outcome.as_str()), Some(Outcome::Failure.as_str()));
    let tokens = spans.clone().find(|(span, _)| span.name.as_deref() == Some("token")).expect("merged spans");
    assert_eq!(tokens.0.composite.as_ref().map(|composite| composite.count), Some(5));
}
