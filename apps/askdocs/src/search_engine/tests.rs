use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use http_body_util::BodyExt as _;

use super::*;

/// An engine with one index of this mapping, and what it was asked.
async fn engine(mapping: Option<Value>, refuses: &'static [&'static str]) -> (SearchEngine, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    let handler = move |request: Request<Body>| {
        let (kept, mapping) = (Arc::clone(&kept), mapping.clone());
        async move {
            let line = format!("{} {}", request.method(), request.uri().path());
            let body = request.into_body().collect().await.expect("a body").to_bytes();
            let body = String::from_utf8_lossy(&body).into_owned();
            let answer = respond(&line, &body, mapping, refuses);
            kept.lock().expect("no panic").push(format!("{line} {body}"));
            answer
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(handler)).await });
    let engine = SearchEngine::connect(&url, "docs", None, FieldNames::default()).await.expect("connected");
    (engine, asked)
}

fn respond(line: &str, body: &str, mapping: Option<Value>, refuses: &[&str]) -> Response {
    if let Some(word) = refuses.iter().find(|word| body.contains(**word)) {
        let error = json!({ "error": { "reason": format!("No handler for type [{word}]") } });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    match (line, mapping) {
        ("GET /docs/_mapping", Some(mapping)) => Json(json!({ "docs-1": { "mappings": mapping } })).into_response(),
        ("GET /docs/_mapping", None) => {
            (StatusCode::NOT_FOUND, Json(json!({ "error": "no such index" }))).into_response()
        }
        ("POST /docs/_search", _) => {
            let source = json!({ "title": "T", "text": ["one", "two"], "link": "https://x/y" });
            Json(json!({ "hits": { "hits": [{ "_source": source }] } })).into_response()
        }
        _ => Json(json!({ "errors": false })).into_response(),
    }
}

fn seen(asked: &Mutex<Vec<String>>, line: &str) -> Vec<String> {
    asked.lock().expect("no panic").iter().filter_map(|request| request.strip_prefix(line)).map(str::to_owned).collect()
}

#[tokio::test]
async fn an_index_of_somebody_else_is_not_touched() {
    let (mut engine, asked) = engine(Some(json!({ "properties": { "title": { "type": "text" } } })), &[]).await;
    let error = engine.create(384).await.expect_err("not ours");
    assert!(error.to_string().contains("askdocs did not make"), "{error}");
    assert!(seen(&asked, "DELETE").is_empty() && seen(&asked, "PUT").is_empty());
}

#[tokio::test]
async fn our_own_index_is_made_anew_with_what_the_engine_has() {
    let ours = json!({ "_meta": { "made_by": "askdocs" }, "properties": {} });
    for (refuses, kind) in [
        (&[][..], Some("dense_vector")),
        (&["dense_vector"][..], Some("knn_vector")),
        (&["dense_vector", "knn_vector"][..], None),
    ] {
        let (mut engine, asked) = engine(Some(ours.clone()), refuses).await;
        engine.create(384).await.expect("made");
        assert_eq!(seen(&asked, "DELETE /docs").len(), 1);
        let made = seen(&asked, "PUT /docs ").pop().expect("made");
        assert_eq!(["dense_vector", "knn_vector"].into_iter().find(|kind| made.contains(kind)), kind);
        assert_eq!(engine.has_vectors(), kind.is_some());
        engine.add(&[(Passage::default(), vec![1.0])]).await.expect("added");
        assert_eq!(seen(&asked, "POST /docs/_bulk")[0].contains("vector"), kind.is_some());
    }
}

#[tokio::test]
async fn each_engine_is_asked_for_neighbours_in_its_words() {
    for (field, words) in [
        (json!({ "type": "dense_vector", "dims": 2 }), "\"knn\":{\"field\":\"vector\""),
        (json!({ "type": "knn_vector", "dimension": 2 }), "\"query\":{\"knn\":{\"vector\""),
    ] {
        let (engine, asked) = engine(Some(json!({ "properties": { "vector": field } })), &[]).await;
        let found = engine.by_meaning(&[1.0, 0.0], 5).await.expect("found");
        assert_eq!((found[0].title.as_str(), found[0].text.as_str()), ("T", "one two"));
        assert!(seen(&asked, "POST /docs/_search")[0].contains(words));
        let error = engine.by_meaning(&[1.0], 5).await.expect_err("another model");
        assert!(error.to_string().contains("vectors of 2 numbers"), "{error}");
    }
    let (engine, asked) = engine(None, &[]).await;
    assert!(engine.by_meaning(&[1.0], 5).await.expect("nothing").is_empty());
    assert_eq!(engine.by_words("frozen", 5).await.expect("found").len(), 1);
    assert_eq!(seen(&asked, "POST").len(), 1);
}

#[test]
fn fields_may_be_nested_or_lists() {
    let source = json!({ "meta": { "title": "T" }, "a.b": "dotted", "tags": ["x", "y"] });
    let values: Vec<String> = ["meta.title", "a.b", "tags", "none"].iter().map(|name| text_at(&source, name)).collect();
    assert_eq!(values, ["T", "dotted", "x y", ""]);
}

#[test]
fn passwords_are_not_shown() {
    assert_eq!(redacted("https://elastic:secret@host:9200/"), "https://host:9200");
}
