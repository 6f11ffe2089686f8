use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use askdocs_model::chat::Role;
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use futures_util::stream;
use tokenfall_agent::generation::TokenPrice;

use super::*;

/// What an endpoint does, request by request.
#[derive(Clone)]
enum Script {
    Refuse(u16, &'static str),
    /// Events, and whether the connection breaks after them.
    Stream(Vec<&'static str>, bool),
}

fn client(script: Vec<Script>) -> (ChatClient, Arc<Mutex<Vec<Value>>>) {
    let script = Arc::new(Mutex::new(VecDeque::from(script)));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = Arc::clone(&seen);
    let handler = move |body: Bytes| {
        requests.lock().expect("no panic").push(serde_json::from_slice(&body).expect("JSON"));
        let next = script.lock().expect("no panic").pop_front().expect("not asked more often than written");
        async move { respond(next) }
    };
    let endpoint = Endpoint::local(Router::new().route("/v1/chat/completions", post(handler)), "m");
    let price = TokenPrice::micro_usd_per_million(2_000_000);
    let client = ChatClient {
        endpoint,
        limits: Limits::default(),
        retry: RetryPolicy {
            attempts: 3,
            first_wait: Duration::from_millis(2),
            longest_wait: Duration::from_millis(5),
        },
        counter: TokenCounter::Approximate,
        prices: Some(Prices::new(price, price)),
        temperature: 0.0,
    };
    (client, seen)
}

fn respond(script: Script) -> Response {
    match script {
        Script::Refuse(status, code) => {
            let body = json!({ "error": { "message": "no", "type": code, "code": code } }).to_string();
            (StatusCode::from_u16(status).expect("a status"), body).into_response()
        }
        Script::Stream(events, breaks) => {
            let mut parts: Vec<Result<Bytes, std::io::Error>> =
                events.iter().map(|data| Ok(Bytes::from(format!("data: {data}\n\n")))).collect();
            if breaks {
                parts.push(Err(std::io::Error::other("reset by peer")));
            }
            Body::from_stream(stream::iter(parts)).into_response()
        }
    }
}

async fn ask(script: Vec<Script>) -> (Result<Finished, GenerationError>, Vec<Step>, usize) {
    let (client, seen) = client(script);
    let steps = Mutex::new(Vec::new());
    let messages = [Message::new(Role::User, "12345678")];
    let tell = |step| steps.lock().expect("no panic").push(step);
    let outcome = client.complete(&Transaction::disabled(), &messages, &tell).await;
    let requests = seen.lock().expect("no panic").len();
    (outcome, steps.into_inner().expect("no panic"), requests)
}

fn text(steps: &[Step]) -> String {
    let pieces = steps.iter().filter_map(|step| match step {
        Step::Text(text) => Some(text.as_str()),
        Step::Retry(..) => None,
    });
    pieces.collect()
}

const END: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#;

fn whole(pieces: &[&'static str]) -> Script {
    Script::Stream([pieces, &[END, USAGE, "[DONE]"]].concat(), false)
}

const HELLO: &str = r#"{"model":"m-1","choices":[{"delta":{"content":"Hello"}}]}"#;
const YOU: &str = r#"{"model":"m-1","choices":[{"delta":{"content":" you"}}]}"#;

#[tokio::test]
async fn an_answer_comes_with_its_figures() {
    let (outcome, steps, _) = ask(vec![whole(&[HELLO, YOU])]).await;
    let finished = outcome.expect("an answer");
    assert_eq!(text(&steps), "Hello you");
    assert_eq!(finished.tokens, Tokens { input: 7, output: 2, source: "reported" });
    assert_eq!(finished.cost.map(|cost| cost.to_string()).as_deref(), Some("0.000018"));
    assert_eq!((finished.finish_reason.as_str(), finished.model.as_str()), ("stop", "m-1"));
}

#[tokio::test]
async fn without_a_report_tokens_are_counted_and_marked() {
    let (outcome, ..) = ask(vec![Script::Stream(vec![HELLO, END, "[DONE]"], false)]).await;
    assert_eq!(outcome.expect("an answer").tokens, Tokens { input: 2, output: 2, source: "estimated" });
}

#[tokio::test]
async fn failures_before_the_first_piece_are_repeated() {
    let refusals = [
        Script::Refuse(429, "rate_limit_exceeded"),
        Script::Refuse(503, "server_error"),
        Script::Stream(vec![], true),
        Script::Stream(vec![], false),
    ];
    for refusal in refusals {
        let (outcome, steps, requests) = ask(vec![refusal, whole(&[HELLO])]).await;
        assert!(outcome.is_ok() && requests == 2, "{outcome:?}");
        assert!(matches!(&steps[..], [Step::Retry(..), Step::Text(_)]), "{steps:?}");
    }
}

#[tokio::test]
async fn nothing_is_repeated_in_vain() {
    for (status, code) in [(400, "context_length_exceeded"), (401, "invalid_api_key"), (429, "insufficient_quota")] {
        let (outcome, _, requests) = ask(vec![Script::Refuse(status, code)]).await;
        assert!(outcome.is_err() && requests == 1, "{code}");
    }
    let (outcome, steps, requests) = ask(vec![Script::Refuse(429, "rate_limit_exceeded"); 3]).await;
    assert_eq!(outcome.expect_err("given up").kind(), GenerationErrorKind::RateLimit);
    assert_eq!((requests, steps.len()), (3, 2));
}

#[tokio::test]
async fn an_answer_never_changes_under_the_readers_eyes() {
    for breaks in [true, false] {
        let (outcome, steps, requests) = ask(vec![Script::Stream(vec![HELLO], breaks)]).await;
        assert_eq!(outcome.expect_err("cut off").kind(), GenerationErrorKind::ApiConnection);
        assert_eq!((text(&steps).as_str(), requests), ("Hello", 1));
    }
    let error = r#"{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}"#;
    let (outcome, _, requests) = ask(vec![Script::Stream(vec![HELLO, error], false)]).await;
    assert_eq!((outcome.expect_err("failed").kind(), requests), (GenerationErrorKind::RateLimit, 1));
}

#[test]
fn waits_grow_and_servers_are_obeyed() {
    let policy = RetryPolicy::default();
    let failure = |seconds: Option<u64>| Failure {
        error: GenerationError::new(GenerationErrorKind::RateLimit, "slow down"),
        retry_after: seconds.map(Duration::from_secs),
    };
    let waits: Vec<_> = (1..=5).map(|failed| policy.wait(failed, &failure(None), 1.0).map(|w| w.as_millis())).collect();
    assert_eq!(waits, [Some(500), Some(1_000), Some(2_000), Some(4_000), None]);
    assert_eq!(policy.wait(1, &failure(None), 0.0), Some(Duration::from_millis(250)));
    assert_eq!(policy.wait(1, &failure(Some(7)), 0.5), Some(Duration::from_secs(7)));
    assert_eq!(policy.wait(1, &failure(Some(3_600)), 0.5), None, "nobody waits for an hour");
}
