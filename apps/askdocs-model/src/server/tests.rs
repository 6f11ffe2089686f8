use std::time::Instant;

use axum::http::Method;
use base64::Engine as _;
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::scripted::{ScriptedEmbedding, ScriptedModel};

fn models(answer: &str, faults: &str) -> Models {
    let model = ScriptedModel::new(answer).step_time(Duration::from_millis(2));
    Models {
        chat: Some(Scheduler::start(Arc::new(model), 3).expect("a thread")),
        embedding: Some(Arc::new(ScriptedEmbedding)),
        faults: faults.parse::<Faults>().expect("rules").seeded(1),
        api_key: None,
    }
}

async fn call(router: &Router, method: Method, path: &str, body: &Value) -> Response {
    let request = Request::builder().method(method).uri(path).body(Body::from(body.to_string())).expect("a request");
    router.clone().oneshot(request).await.expect("infallible")
}

async fn json_of(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    (status, serde_json::from_slice(&bytes).expect("JSON"))
}

async fn post_json(router: &Router, path: &str, body: &Value) -> (u16, Value) {
    json_of(call(router, Method::POST, path, body).await).await
}

fn question(text: &str) -> Value {
    json!({ "model": "scripted", "messages": [{ "role": "user", "content": text }] })
}

fn with(mut body: Value, more: &Value) -> Value {
    let more = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(more);
    body
}

const CHAT: &str = "/v1/chat/completions";

#[tokio::test]
async fn an_answer_has_openais_form() {
    let router = router(models("A frozen node.", ""));
    let (status, answer) = post_json(&router, CHAT, &question("What is it?")).await;
    assert_eq!((status, &answer["object"]), (200, &json!("chat.completion")));
    assert_eq!(answer["choices"][0]["message"]["content"], "A frozen node.");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let usage = &answer["usage"];
    assert_eq!(usage["completion_tokens"], 3);
    assert_eq!(usage["total_tokens"], usage["prompt_tokens"].as_u64().expect("a number") + 3);
}

#[tokio::test]
async fn a_streamed_answer_comes_piece_by_piece() {
    let router = router(models("one two three", ""));
    let body = with(question("Count."), &json!({ "stream": true, "stream_options": { "include_usage": true } }));
    let response = call(&router, Method::POST, CHAT, &body).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut parts = response.into_body().into_data_stream();
    let (mut times, mut text) = (Vec::new(), String::new());
    while let Some(part) = parts.next().await {
        times.push(Instant::now());
        text.push_str(std::str::from_utf8(&part.expect("unbroken")).expect("text"));
    }
    assert!(times.len() >= 4 && times[times.len() - 1] > times[0], "not in one piece");
    let events: Vec<&str> = text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).collect();
    assert_eq!(events.last(), Some(&"[DONE]"));
    let chunks: Vec<Value> =
        events[..events.len() - 1].iter().map(|data| serde_json::from_str(data).expect("JSON")).collect();
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let pieces: Vec<&str> =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(pieces, ["", "one", " two", " three"]);
    assert_eq!(chunks[4]["choices"][0]["finish_reason"], "stop");
    assert!(chunks[4]["usage"].is_null());
    assert_eq!((&chunks[5]["choices"], &chunks[5]["usage"]["completion_tokens"]), (&json!([]), &json!(3)));
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_a_reason() {
    let router = router(models("x", ""));
    for (more, status, words) in [
        (json!({ "model": "gpt-9" }), 404, "GET /v1/models"),
        (json!({ "messages": [] }), 400, "must not be empty"),
        (json!({ "messages": "hello" }), 400, "not what is expected"),
        (json!({ "temperature": 3.0 }), 400, "between 0 and 2"),
        (json!({ "top_p": 0.0 }), 400, "above 0"),
        (json!({ "n": 2 }), 400, "`n` must be 1"),
        (json!({ "tools": [{ "type": "function" }] }), 400, "cannot be used"),
        (json!({ "stop": ["a", "b", "c", "d", "e"] }), 400, "at most 4"),
        (json!({ "max_tokens": 10_000 }), 400, "maximum context length is 4096 tokens"),
    ] {
        let (got, body) = post_json(&router, CHAT, &with(question("x"), &more)).await;
        let message = body["error"]["message"].as_str().expect("a message");
        assert!(got == status && message.contains(words), "{more}: {got} {message}");
    }
    let too_long = post_json(&router, CHAT, &with(question("x"), &json!({ "max_tokens": 10_000 }))).await.1;
    assert_eq!(too_long["error"]["code"], "context_length_exceeded");
    assert_eq!(json_of(call(&router, Method::GET, "/v2", &json!({})).await).await.0, 404);
}

#[tokio::test]
async fn messages_may_have_parts_and_the_role_of_developers() {
    let router = router(models("yes", ""));
    let body = json!({ "model": "scripted", "max_completion_tokens": 5, "stop": "never", "messages": [
        { "role": "developer", "content": "Be brief." },
        { "role": "user", "content": [{ "type": "text", "text": "Is it?" }] },
    ] });
    assert_eq!(post_json(&router, CHAT, &body).await.0, 200);
}

#[tokio::test]
async fn embeddings_are_numbers_or_base64() {
    let router = router(models("", ""));
    let body = json!({ "model": "scripted-embedding", "input": ["a frozen node", "frozen node a"] });
    let (status, answer) = post_json(&router, "/v1/embeddings", &body).await;
    assert_eq!((status, answer["data"].as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!(answer["usage"]["total_tokens"], 6);
    assert_eq!(answer["data"][0]["embedding"], answer["data"][1]["embedding"], "the same words");
    let encoded = post_json(&router, "/v1/embeddings", &with(body, &json!({ "encoding_format": "base64" }))).await.1;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded["data"][0]["embedding"].as_str().expect("text"))
        .expect("base64");
    let first = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    assert!((f64::from(first) - answer["data"][0]["embedding"][0].as_f64().expect("a number")).abs() < 1e-6);
    for (more, status) in [
        (json!({ "model": "scripted" }), 404),
        (json!({ "input": [] }), 400),
        (json!({ "input": "" }), 400),
        (json!({ "dimensions": 3 }), 400),
        (json!({ "encoding_format": "gzip" }), 400),
    ] {
        let body = with(json!({ "model": "scripted-embedding", "input": "x" }), &more);
        assert_eq!(post_json(&router, "/v1/embeddings", &body).await.0, status, "{more}");
    }
}

#[tokio::test]
async fn models_are_listed() {
    let router = router(models("", ""));
    let (_, list) = json_of(call(&router, Method::GET, "/v1/models", &json!({})).await).await;
    let ids: Vec<&str> = list["data"].as_array().expect("a list").iter().filter_map(|m| m["id"].as_str()).collect();
    assert_eq!(ids, ["scripted", "scripted-embedding"]);
    assert_eq!(json_of(call(&router, Method::GET, "/v1/models/scripted", &json!({})).await).await.1["object"], "model");
    assert_eq!(json_of(call(&router, Method::GET, "/v1/models/other", &json!({})).await).await.0, 404);
}

#[tokio::test]
async fn a_key_that_is_set_is_asked_for() {
    let router = router(Models { api_key: Some("secret".to_owned()), ..models("x", "") });
    assert_eq!(post_json(&router, CHAT, &question("x")).await.0, 401);
    let request = |key: &str| {
        let request = Request::builder().method("POST").uri(CHAT).header("authorization", format!("Bearer {key}"));
        router.clone().oneshot(request.body(Body::from(question("x").to_string())).expect("a request"))
    };
    assert_eq!(request("secret").await.expect("infallible").status(), 200);
    assert_eq!(request("secrets").await.expect("infallible").status(), 401);
    assert_eq!(json_of(call(&router, Method::GET, "/health", &json!({})).await).await.0, 200);
}

#[tokio::test]
async fn faults_are_what_a_provider_would_do() {
    let limited = router(models("x", "rate-limit=1"));
    let response = call(&limited, Method::POST, CHAT, &question("x")).await;
    assert_eq!(response.headers()["retry-after"], "1");
    let (status, body) = json_of(response).await;
    assert_eq!((status, &body["error"]["code"]), (429, &json!("rate_limit_exceeded")));
    let failing = router(models("x", "server-error=1"));
    assert_eq!(post_json(&failing, CHAT, &question("x")).await.0, 503);

    let breaking = router(models(&"word ".repeat(100), "disconnect=1"));
    let mut broken = [0, 0];
    for _ in 0..12 {
        let body = with(question("x"), &json!({ "stream": true }));
        let stream = call(&breaking, Method::POST, CHAT, &body).await.into_body().into_data_stream();
        let parts: Vec<_> = futures_util::StreamExt::collect(stream).await;
        assert!(parts.last().expect("an error").is_err());
        // The first part tells the role.
        broken[usize::from(parts.len() > 2)] += 1;
    }
    assert!(broken[0] > 0 && broken[1] > 0, "before and after the first token: {broken:?}");

    let slow = router(models("a b c d e f g h i j", "slow:40=1@slow,stall:150=1@stall"));
    let took = async |text: &str| {
        let begin = Instant::now();
        assert_eq!(post_json(&slow, CHAT, &question(text)).await.0, 200);
        begin.elapsed()
    };
    assert!(took("a slow one").await >= Duration::from_millis(160));
    assert!(took("one that will stall").await >= Duration::from_millis(150));
}
