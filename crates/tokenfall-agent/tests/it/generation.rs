//! Model calls on their whole way: the article's program, its agent, and what Tokenfall understands of it.
#![cfg(feature = "stream")]

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokenfall_agent::generation::{GenerationError, Prices, TokenPrice};
use tokenfall_agent::{Agent, Outcome, Transaction};
use tokenfall_enrich::Enricher;
use tokenfall_intake::{IntakeStream, StreamOptions};
use tokenfall_model::document::DependencyRole;
use tokenfall_model::{Document, EventKind, Timestamp, TokenTimeline};

use crate::server::{EVENTS, PATIENCE, Request, Server};

/// Body of a streamed chat completion of so many tokens, byte for byte as OpenAI sends it.
fn body(tokens: usize) -> Vec<String> {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_763_800_000,
            "model": "gpt-4o-mini-2024-07-18", "service_tier": "default", "system_fingerprint": "fp_1", "choices": choices,
            "usage": usage, "obfuscation": "x",
        });
        format!("data: {chunk}\n\n")
    };
    let choice = |delta: Value, reason: Value| json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": reason }]);
    let mut body =
        vec![chunk(choice(json!({ "role": "assistant", "content": "", "refusal": null }), Value::Null), Value::Null)];
    body.extend((0..tokens).map(|_| chunk(choice(json!({ "content": " word" }), Value::Null), Value::Null)));
    body.push(chunk(choice(json!({}), json!("stop")), Value::Null));
    let usage = json!({
        "prompt_tokens": 1000, "completion_tokens": tokens, "total_tokens": 1000 + tokens,
        "prompt_tokens_details": { "cached_tokens": 500, "audio_tokens": 0 },
        "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0 },
    });
    body.push(chunk(json!([]), usage));
    body.push("data: [DONE]\n\n".to_owned());
    body
}

/// One question of the article: three answers at once, each after a refusal.
async fn answer(transaction: &Transaction) -> Result<u64, GenerationError> {
    let ask = async |tokens: usize| {
        let price = |text: &str| text.parse::<TokenPrice>().expect("a price");
        let mut generation = transaction
            .capture_generation("openaiChatCompletion")
            .provider("openai")
            .model("gpt-4o-mini")
            .temperature(0.2)
            .max_tokens(1024)
            .server("https://api.openai.com/v1")
            .prices(Prices::new(price("2.50"), price("10")).cache_read(price("1.25")))
            .start();
        let refused =
            GenerationError::from_response(429, br#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#);
        generation.retry(&refused, std::time::Duration::from_millis(500));
        generation.response_headers([("x-ratelimit-remaining-requests", "499")]);
        let bytes = stream::iter(body(tokens)).then(async |part| {
            tokio::time::sleep(std::time::Duration::from_micros(200)).await;
            Ok::<_, GenerationError>(part)
        });
        let mut bytes = std::pin::pin!(generation.wrap_sse(Box::pin(bytes)));
        while let Some(part) = bytes.next().await {
            part?;
        }
        Ok::<_, GenerationError>(bytes.summary().and_then(|summary| summary.total_tokens()).unwrap_or_default())
    };
    let (a, b, c) = futures_util::join!(ask(40), ask(60), ask(80));
    Ok(a? + b? + c?)
}

fn understood(requests: &[Request]) -> Vec<Document> {
    let mut documents = Vec::new();
    for request in requests {
        let received = Timestamp::from_micros(1_763_800_000_000_000);
        let mut stream = IntakeStream::new(StreamOptions { received, ..StreamOptions::default() });
        stream.feed(&request.body, &mut documents);
        stream.finish(&mut documents);
        assert_eq!(stream.error_count(), 0, "{:?}", stream.errors());
    }
    Enricher::default().enrich_batch(&mut documents);
    documents
}

fn run(agent: &Agent) -> u64 {
    let transaction = agent.begin_transaction("user-query", "request");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let tokens = runtime.block_on(answer(&transaction)).expect("three answers");
    transaction.label("openai_tokens", tokens);
    transaction.set_outcome(Outcome::Success);
    transaction.end();
    tokens
}

#[test]
fn the_server_understands_every_field() {
    let server = Server::start();
    let agent = server.agent().start();
    assert_eq!(run(&agent), 3 * 1000 + 40 + 60 + 80);
    assert!(agent.flush(PATIENCE));
    let documents = understood(&server.wait_for_requests(EVENTS, 1));

    let calls: Vec<&Document> = documents.iter().filter(|document| document.gen_ai.is_some()).collect();
    assert_eq!(calls.len(), 3);
    for (call, tokens) in calls.iter().zip([40, 60, 80]) {
        let span = call.span.as_deref().expect("a span");
        assert_eq!(
            (span.name.as_deref(), span.kind.as_deref(), span.subtype.as_deref()),
            (Some("openaiChatCompletion"), Some("genai"), Some("openai"))
        );
        let gen_ai = call.gen_ai.as_deref().expect("a model call");
        assert_eq!(gen_ai.provider.as_ref().map(|provider| provider.name.as_str()), Some("openai"));
        let request = gen_ai.request.as_ref().expect("a request");
        assert_eq!(
            (request.model.as_deref(), request.max_tokens, request.temperature, request.stream),
            (Some("gpt-4o-mini"), Some(1024), Some(0.2), Some(true))
        );
        let response = gen_ai.response.as_ref().expect("an answer");
        assert_eq!(
            (response.model.as_deref(), response.id.as_deref()),
            (Some("gpt-4o-mini-2024-07-18"), Some("chatcmpl-1"))
        );
        assert_eq!(response.finish_reasons, ["stop"]);
        let usage = gen_ai.usage.expect("usage");
        assert_eq!(
            (usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens, usage.reasoning_output_tokens),
            (Some(1000), Some(tokens), Some(500), Some(0))
        );
        assert_eq!((&gen_ai.input, &gen_ai.output), (&None, &None), "content stays in the program");

        let fields = call.tokenfall.as_deref().expect("derived fields");
        assert_eq!(fields.usage.as_ref().map(|usage| usage.source.as_str()), Some("reported"));
        // 500 × 2.5 + 500 × 1.25 + tokens × 10 millionths.
        let cost = match tokens {
            40 => "0.002275",
            60 => "0.002475",
            _ => "0.002675",
        };
        assert_eq!(fields.cost.as_ref().map(|cost| cost.usd.to_string()).as_deref(), Some(cost));
        assert_eq!((fields.attempts, fields.backoff_us), (Some(2), Some(500_000)));
        assert_eq!(fields.ratelimit, BTreeMap::from([("remaining.requests".to_owned(), 499.0)]));
        let stream = fields.stream.as_ref().expect("a stream");
        let duration_us = call.duration().expect("a duration").get();
        assert_eq!(stream.chunks, tokens, "what the agent measured, and not the token spans on top");
        assert!(0 < stream.time_to_first_chunk_us && stream.time_to_first_chunk_us < stream.time_to_last_chunk_us);
        assert!(stream.time_to_last_chunk_us <= duration_us);
        let (p50, p95, max) = (stream.inter_token_p50_us, stream.inter_token_p95_us, stream.inter_token_max_us);
        assert!(p50 >= Some(200) && p50 <= p95 && p95 <= max, "{p50:?} {p95:?} {max:?}");
        let timeline = TokenTimeline::parse(stream.timeline.as_deref().expect("a timeline")).expect("a timeline");
        assert_eq!(timeline.offsets_us.len() as u64, tokens);
        let first = timeline.offsets_us.first().copied().unwrap_or_default();
        assert!(first.abs_diff(stream.time_to_first_chunk_us) <= timeline.unit_us);

        let dependency = fields.dependency.as_ref().expect("a call");
        assert_eq!(
            (dependency.resource.as_str(), dependency.kind.as_str(), dependency.role),
            ("openai", "genai", DependencyRole::Generation)
        );
        assert_eq!((dependency.count, dependency.duration_us), (1.0, stream.time_to_last_chunk_us));
        // Nothing that is a field is a label as well.
        assert_eq!(call.labels.keys().chain(call.numeric_labels.keys()).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    let is_token =
        |document: &&Document| document.span.as_deref().is_some_and(|span| span.action.as_deref() == Some("token"));
    let tokens: Vec<&Document> = documents.iter().filter(is_token).collect();
    let count =
        |document: &&Document| document.span.as_ref().and_then(|span| span.composite.as_ref()).map_or(1, |c| c.count);
    assert_eq!(tokens.iter().map(count).sum::<u64>(), 180);
    for token in tokens {
        assert!(token.span.as_ref().is_some_and(|span| span.destination.is_none()), "a token calls nobody");
        assert!(token.tokenfall.as_ref().is_none_or(|fields| fields.dependency.is_none()));
    }
    let errors: Vec<&Document> = documents.iter().filter(|document| document.kind() == EventKind::Error).collect();
    assert_eq!(errors.len(), 3);
    let kinds = errors.iter().map(|error| error.error.as_ref().and_then(|e| e.exception.first()?.kind.as_deref()));
    assert!(kinds.into_iter().all(|kind| kind == Some("RateLimitError")));
}
