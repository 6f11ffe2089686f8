use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::ask::tests::application;

async fn site(folder: &std::path::Path) -> Router {
    let application = application(folder, "").await.0;
    router(Site {
        application,
        tokenfall_url: Some("http://127.0.0.1:8200/".to_owned()),
        documents: Some(folder.join("documents")),
        examples: vec!["What is a frozen node?".to_owned()],
        about: None,
    })
}

async fn call(router: &Router, method: &str, path: &str, body: &Value) -> (Response, String) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let request = request.body(Body::from(body.to_string())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("infallible");
    let (head, body) = response.into_parts();
    let text = String::from_utf8_lossy(&body.collect().await.expect("a body").to_bytes()).into_owned();
    (Response::from_parts(head, Body::empty()), text)
}

fn events(text: &str) -> Vec<Value> {
    let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

#[tokio::test]
async fn a_question_is_answered_by_events_that_the_page_knows() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = site(folder.path()).await;
    let (response, text) =
        call(&site, "POST", "/api/ask", &json!({ "question": " How do I mount a frozen node? " })).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let events = events(&text);
    let page = include_str!("../page/askdocs.js");
    for event in &events {
        let kind = event["type"].as_str().expect("a type");
        assert!(page.contains(&format!("case \"{kind}\":")), "{kind}");
    }
    let id = events.last().expect("an end")["id"].as_str().expect("an id").to_owned();
    let thumb = |answer: usize| json!({ "id": id, "answer": answer, "thumb": "up" });
    assert_eq!(call(&site, "POST", "/api/feedback", &thumb(0)).await.0.status(), 204);
    assert_eq!(call(&site, "POST", "/api/feedback", &thumb(3)).await.0.status(), 404);
    let (trace, _) = call(&site, "GET", &format!("/trace/{id}"), &Value::Null).await;
    assert_eq!(trace.headers()["location"], format!("http://127.0.0.1:8200/traces/{id}"));
}

#[tokio::test]
async fn what_is_no_question_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = site(folder.path()).await;
    for (question, words) in [("  ".to_owned(), "empty"), ("x".repeat(1_001), "longer than 1000")] {
        let (response, text) = call(&site, "POST", "/api/ask", &json!({ "question": question })).await;
        assert!(response.status() == 400 && text.contains(words), "{text}");
    }
    assert_eq!(call(&site, "GET", "/trace/../../etc", &Value::Null).await.0.status(), 404);
}

#[tokio::test]
async fn documents_are_shown_but_run_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = site(folder.path()).await;
    let (document, text) = call(&site, "GET", "/docs/first.md", &Value::Null).await;
    assert!(text.starts_with("# first"), "{text}");
    assert!(document.headers()["content-security-policy"].to_str().is_ok_and(|policy| policy.starts_with("sandbox")));
    let (outside, _) = call(&site, "GET", "/docs/..%2findex%2fvectors", &Value::Null).await;
    assert_eq!(outside.status(), 404);
    let (page, _) = call(&site, "GET", "/", &Value::Null).await;
    assert!(
        page.headers()["content-security-policy"].to_str().is_ok_and(|policy| policy.contains("script-src 'self'"))
    );
    let about: Value = serde_json::from_str(&call(&site, "GET", "/api/about", &Value::Null).await.1).expect("JSON");
    assert_eq!((&about["passages"], &about["embedded"], &about["model"]), (&json!(4), &json!(4), &json!("scripted")));
}
