use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::compression::Compression;
use crate::core::Core;
use crate::event::{ErrorKind, Event, Exception, SpanRecord, Target, TransactionRecord};
use crate::id::SpanId;
use crate::settings::Settings;
use crate::target::{resource, service_target};

thread_local! {
    /// The time by [`now`].
    pub(super) static NOW: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// An agent without a thread, and time that passes only when it is told.
struct Stage {
    core: Arc<Core>,
    agent: Agent,
    start: Instant,
}

impl Stage {
    fn new(settings: Settings) -> Self {
        let core = Core::new(settings, 10_000);
        let agent = Agent::for_test(Arc::clone(&core));
        let start = Instant::now();
        NOW.set(Some(start));
        Self { core, agent, start }
    }

    fn pass(&self, ms: u64) {
        NOW.set(Some(NOW.get().unwrap_or(self.start) + Duration::from_millis(ms)));
    }

    fn elapsed(&self) -> Duration {
        now() - self.start
    }

    fn transaction(&self) -> Transaction {
        self.agent.transaction("user-query").begin()
    }

    /// All events so far.
    fn events(&self) -> Events {
        let mut events = Events::default();
        while let Some(event) = self.core.queue.pop() {
            match event {
                Event::Span(span) => events.spans.push(span),
                Event::Transaction(transaction) => events.transactions.push(*transaction),
                Event::Error(error) => events.errors.push(match error.what {
                    ErrorKind::Exception(exception) => (error.place.map(|place| place.parent_id), exception),
                    ErrorKind::Log { .. } => panic!("no log was written"),
                }),
                Event::Log(_) => panic!("no log was written"),
            }
        }
        events
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        NOW.set(None);
    }
}

#[derive(Default)]
struct Events {
    spans: Vec<SpanRecord>,
    transactions: Vec<TransactionRecord>,
    errors: Vec<(Option<SpanId>, Exception)>,
}

impl Events {
    /// The only model call.
    fn call(&self) -> &SpanRecord {
        let mut calls = self.spans.iter().filter(|span| span.name != "token");
        let call = calls.next().expect("a call");
        assert!(calls.next().is_none(), "one call");
        call
    }

    /// Token spans with the number of tokens in each.
    fn tokens(&self) -> Vec<u32> {
        let tokens = self.spans.iter().filter(|span| span.name == "token");
        tokens.map(|span| span.composite.map_or(1, |composite| composite.count)).collect()
    }
}

fn attributes(span: &SpanRecord) -> Value {
    let attributes = span.details.as_ref().map(|details| details.otel.attributes.as_slice()).unwrap_or_default();
    let value = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => json!(text),
        AttributeValue::Bool(value) => json!(value),
        AttributeValue::Integer(value) => json!(value),
        AttributeValue::Number(value) => json!(value),
        AttributeValue::Texts(texts) => json!(texts),
    };
    attributes.iter().map(|(key, v)| (key.to_string(), value(v))).collect::<serde_json::Map<_, _>>().into()
}

/// A chunk of a chat completion.
fn delta(delta: &Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18", "usage": null,
        "choices": [{ "index": 0, "delta": delta, "finish_reason": null, "logprobs": null }],
    })
}

fn content(text: &str) -> Value {
    delta(&json!({ "content": text }))
}

fn finish(reason: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18", "usage": null,
        "choices": [{ "index": 0, "delta": {}, "finish_reason": reason, "logprobs": null }],
    })
}

fn usage() -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18", "choices": [],
        "usage": {
            "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
            "prompt_tokens_details": { "cached_tokens": 500, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 7 },
        },
    })
}

/// Tells a generation these chunks: each comes after `gap_ms` and is worked on for 1 ms.
fn tell(stage: &Stage, generation: &mut Generation, chunks: &[Value], gap_ms: u64) {
    for chunk in chunks {
        stage.pass(gap_ms);
        generation.chunk(chunk);
        stage.pass(1);
        generation.token_done();
    }
}

#[test]
fn a_streamed_answer_is_told_in_full() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let price = |text: &str| text.parse::<TokenPrice>().expect("a price");
    let mut generation = transaction
        .capture_generation("openaiChatCompletion")
        .provider("openai")
        .model("gpt-4o-mini")
        .max_tokens(1024)
        .temperature(0.2)
        .top_p(1.0)
        .server("https://api.openai.com/v1")
        .label("attempt", "first")
        .prices(Prices::new(price("2.50"), price("10")).cache_read(price("1.25")))
        .start();
    generation.response_headers([("x-ratelimit-remaining-tokens", "149984"), ("content-type", "text/event-stream")]);
    stage.pass(300);
    let role = delta(&json!({ "role": "assistant", "content": "" }));
    let chunks = [role, content("Hel"), content("lo"), content("!"), finish("stop"), usage()];
    tell(&stage, &mut generation, &chunks, 20);
    let elapsed = stage.elapsed();
    let summary = generation.finish();
    transaction.end();
    let events = stage.events();
    let call = events.call();
    let expect = json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.top_p": 1.0,
        "gen_ai.request.stream": true,
        "server.address": "api.openai.com",
        "server.port": 443,
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 500,
        "gen_ai.usage.reasoning.output_tokens": 7,
        "gen_ai.response.time_to_first_chunk": 0.341,
        "tokenfall.usage.source": "reported",
        "tokenfall.cost.usd": "0.002875",
        "tokenfall.stream.chunks": 3,
        "tokenfall.stream.time_to_last_chunk": 0.383,
        "tokenfall.stream.inter_token.p50": 0.021,
        "tokenfall.stream.inter_token.p95": 0.021,
        "tokenfall.stream.inter_token.max": 0.021,
        "tokenfall.stream.timeline": format!("1;1;1;{}", timeline_of(&[341_000, 362_000, 383_000])),
        "tokenfall.ratelimit.remaining.tokens": 149_984,
    });
    assert_eq!(attributes(call), expect);
    assert_eq!(
        (call.name.as_ref(), call.kind.as_ref(), call.subtype.as_deref()),
        ("openaiChatCompletion", "genai", Some("openai"))
    );
    assert_eq!((call.outcome, call.exit, call.duration_ns), (Some(Outcome::Success), true, elapsed.as_nanos() as u64));
    let target = service_target(call).expect("a target");
    assert_eq!((target.kind.as_deref(), target.name.as_deref()), (Some("openai"), None));
    assert_eq!(resource(call, &target).as_deref(), Some("openai"));
    let details = call.details.as_ref().expect("details");
    assert_eq!((details.address.as_deref(), details.port), (Some("api.openai.com"), Some(443)));
    assert_eq!(details.labels, [("attempt".into(), "first".into())]);

    let token = events.spans.iter().find(|span| span.name == "token").expect("tokens");
    assert_eq!((token.parent_id, token.kind.as_ref(), token.subtype.as_deref()), (call.id, "genai", Some("openai")));
    let composite = token.composite.expect("merged tokens");
    assert_eq!((composite.count, composite.sum_ns, token.duration_ns), (3, 3_000_000, 43_000_000));
    let details = token.details.as_ref().expect("details");
    assert_eq!((details.action.as_deref(), &details.target), (Some("token"), &Target::None));
    assert_eq!((service_target(token), token.exit, token.outcome), (None, true, Some(Outcome::Success)));
    // The time of the tokens is not the call's own.
    assert_eq!(call.covered_ns, 3_000_000);
    assert_eq!(events.transactions.first().map(|t| (t.spans_started, t.spans_dropped)), Some((2, 0)));

    assert_eq!((summary.total_tokens(), summary.chunks), (Some(1100), 3));
    assert_eq!(summary.cost.map(|cost| cost.as_f64()), Some(0.002_875));
    assert_eq!(summary.time_to_first_chunk, Some(Duration::from_millis(341)));
    assert_eq!(summary.finish_reasons, ["stop"]);
}

/// The last part of a timeline.
fn timeline_of(offsets_us: &[u64]) -> String {
    let mut timeline = timeline::Timeline::new();
    for offset in offsets_us {
        timeline.push(*offset);
    }
    let text = timeline.encode().expect("chunks");
    text.rsplit(';').next().unwrap_or_default().to_owned()
}

#[test]
fn a_call_that_does_not_stream() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let mut generation = transaction.generation().provider("openai").model("gpt-4o").operation("chat").start();
    generation.response(&json!({
        "id": "chatcmpl-2", "object": "chat.completion", "model": "gpt-4o-2024-08-06",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hello" }, "finish_reason": "length" }],
        "usage": { "prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6 },
    }));
    let summary = generation.finish();
    assert_eq!(
        (summary.total_tokens(), summary.usage_source, summary.chunks),
        (Some(6), Some(UsageSource::Reported), 0)
    );
    let events = stage.events();
    let expect = json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": "chatcmpl-2",
        "gen_ai.response.finish_reasons": ["length"],
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 1,
        "tokenfall.usage.source": "reported",
    });
    assert_eq!(attributes(events.call()), expect);
    assert_eq!((events.call().name.as_ref(), events.tokens()), ("chat gpt-4o", vec![]));
}

#[test]
fn embeddings_have_no_output() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let mut generation = transaction.generation().operation("embeddings").model("text-embedding-3-small").start();
    generation.response(
        &json!({ "object": "list", "data": [], "model": "e", "usage": { "prompt_tokens": 8, "total_tokens": 8 } }),
    );
    let summary = generation.finish();
    assert_eq!((summary.usage.input, summary.usage.output), (Some(8), None));
    assert_eq!(stage.events().call().name, "embeddings text-embedding-3-small");
}

#[test]
fn the_type_of_the_article() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let mut generation = transaction.capture_generation("openaiChatCompletion").span_type("openai").start();
    tell(&stage, &mut generation, &[content("a"), content("b")], 1);
    drop(generation.finish());
    let events = stage.events();
    let call = events.call();
    assert_eq!((call.kind.as_ref(), call.subtype.as_deref()), ("openai", None));
    assert_eq!(service_target(call).and_then(|target| target.kind).as_deref(), Some("openai"));
    assert_eq!(events.spans.iter().find(|span| span.name == "token").map(|span| span.kind.as_ref()), Some("openai"));
}

#[test]
fn without_usage_the_chunks_count() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let prices = Prices::new(TokenPrice::micro_usd_per_million(1), TokenPrice::micro_usd_per_million(1));
    let mut generation = transaction.generation().prices(prices).start();
    tell(&stage, &mut generation, &[content("a"), content("b"), content(""), finish("stop")], 1);
    let summary = generation.finish();
    assert_eq!((summary.usage.input, summary.usage.output), (None, Some(2)));
    assert_eq!((summary.usage_source, summary.cost), (Some(UsageSource::Derived), None));
    assert_eq!(attributes(stage.events().call())["tokenfall.usage.source"], "derived");
}

#[test]
fn a_counter_counts_question_and_answer() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let question = json!([{ "role": "user", "content": "one two three" }]);
    let words = |text: &str| text.split_whitespace().count() as u64;
    let mut generation = transaction.generation().input_messages(&question).count_tokens(words).start();
    tell(&stage, &mut generation, &[content("four five"), content("six"), finish("stop")], 1);
    let summary = generation.finish();
    assert_eq!((summary.usage.input, summary.usage.output), (Some(3), Some(3)));
    assert_eq!(summary.usage_source, Some(UsageSource::Counted));
    let attributes = attributes(stage.events().call());
    assert_eq!(attributes.get(semconv::INPUT_MESSAGES), None, "counted, not captured");
}

#[test]
fn an_estimate_is_the_last_resort() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let answer = json!({ "choices": [{ "index": 0, "message": { "content": "12345678" }, "finish_reason": "stop" }] });
    for (estimates, expect) in [(true, (Some(2), Some(2), Some(UsageSource::Estimated))), (false, (None, None, None))] {
        let mut builder = transaction.generation().input_messages("12345");
        if estimates {
            builder = builder.estimate_tokens();
        }
        let mut generation = builder.start();
        generation.response(&answer);
        let summary = generation.finish();
        assert_eq!((summary.usage.input, summary.usage.output, summary.usage_source), expect);
    }
}

#[test]
fn a_slow_token_breaks_the_run() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let mut generation = transaction.generation().provider("openai").start();
    for work_ms in [1, 50, 51, 1, 1] {
        stage.pass(10);
        generation.chunk(&content("x"));
        stage.pass(work_ms);
        generation.token_done();
    }
    drop(generation.finish());
    let events = stage.events();
    assert_eq!(events.tokens(), [2, 1, 2]);
    assert_eq!(events.call().covered_ns, 104_000_000);
}

#[test]
fn without_compression_each_token_is_a_span() {
    let compression = Compression { enabled: false, ..Compression::default() };
    let stage = Stage::new(Settings { compression, transaction_max_spans: 4, ..Settings::default() });
    let transaction = stage.transaction();
    let mut generation = transaction.generation().start();
    tell(&stage, &mut generation, &[content("a"), content("b"), content("c")], 1);
    drop(generation.finish());
    transaction.end();
    let events = stage.events();
    assert_eq!((events.tokens(), events.spans.len()), (vec![1, 1, 1], 4));
    assert_eq!(events.transactions.first().map(|t| (t.spans_started, t.spans_dropped)), Some((4, 0)));
}

#[test]
fn compression_conserves_count_and_sum() {
    let works_ms = [0, 3, 50, 70, 2, 2, 90, 90, 1];
    for enabled in [true, false] {
        let compression = Compression { enabled, ..Compression::default() };
        let stage = Stage::new(Settings { compression, ..Settings::default() });
        let transaction = stage.transaction();
        let mut generation = transaction.generation().start();
        for work_ms in works_ms {
            stage.pass(5);
            generation.token();
            stage.pass(work_ms);
            generation.token_done();
        }
        drop(generation.finish());
        let events = stage.events();
        let tokens = events.spans.iter().filter(|span| span.name == "token");
        let sum_ns: u64 =
            tokens.map(|span| span.composite.map_or(span.duration_ns, |composite| composite.sum_ns)).sum();
        assert_eq!(events.tokens().iter().sum::<u32>() as usize, works_ms.len());
        assert_eq!(sum_ns, works_ms.iter().sum::<u64>() * 1_000_000);
    }
}

#[test]
fn retries_are_recorded_and_the_last_answer_counts() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let mut generation = transaction.generation().provider("openai").model("gpt-4o").start();
    let refused =
        GenerationError::from_response(429, br#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#);
    generation.retry(&refused, Duration::from_millis(500));
    stage.pass(500);
    tell(&stage, &mut generation, &[content("lost")], 10);
    generation
        .retry(&GenerationError::new(GenerationErrorKind::ApiConnection, "connection reset"), Duration::from_secs(1));
    stage.pass(1000);
    tell(&stage, &mut generation, &[content("a"), finish("stop")], 10);
    let summary = generation.finish();
    assert_eq!((summary.chunks, summary.usage.output), (1, Some(1)));
    let events = stage.events();
    let call = events.call();
    let attributes = attributes(call);
    assert_eq!((&attributes["tokenfall.attempts"], &attributes["tokenfall.backoff"]), (&json!(3), &json!(1.5)));
    assert_eq!((call.outcome, attributes.get("error.type")), (Some(Outcome::Success), None));
    let errors: Vec<_> =
        events.errors.iter().map(|(at, error)| (*at, error.kind.as_deref(), error.code.as_deref())).collect();
    let expect = [
        (Some(call.id), Some("RateLimitError"), Some("rate_limit_exceeded")),
        (Some(call.id), Some("APIConnectionError"), None),
    ];
    assert_eq!(errors, expect);
}

#[test]
fn a_failed_call() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let mut generation = transaction.generation().provider("openai").start();
    generation.fail(&GenerationError::from_response(401, b""));
    generation.fail(&GenerationError::from_response(500, b""));
    drop(generation.finish());
    let events = stage.events();
    assert_eq!(events.call().outcome, Some(Outcome::Failure));
    let attributes = attributes(events.call());
    assert_eq!(attributes["error.type"], "AuthenticationError");
    assert!(attributes.get(semconv::USAGE_SOURCE).is_none());
    assert_eq!(events.errors.len(), 1);
}

#[test]
fn what_is_not_recorded_costs_nothing_and_tells_nothing() {
    let stage = Stage::new(Settings { sample_rate: 0.0, ..Settings::default() });
    let transaction = stage.transaction();
    let mut generation = transaction.generation().provider("openai").start();
    assert!(!generation.is_recorded());
    let context = generation.trace_context().expect("the trace goes on");
    assert_eq!(Some(context.trace_id()), transaction.trace_context().map(|context| context.trace_id()));
    tell(&stage, &mut generation, &[content("a")], 1);
    assert_eq!(generation.finish(), GenerationSummary::default());
    assert_eq!(stage.core.queue.len(), 0);
    // Errors are not sampled.
    let mut generation = transaction.generation().start();
    let refused = GenerationError::from_response(429, b"");
    generation.chunk(&Err::<Value, _>(refused.clone()));
    generation.fail(&refused);
    drop(generation.finish());
    let errors = stage.events().errors;
    let at = transaction.context().transaction_id();
    assert_eq!(
        errors.iter().map(|(place, error)| (*place, error.kind.as_deref())).collect::<Vec<_>>(),
        [(at, Some("RateLimitError")); 2]
    );
    let mut nothing = Agent::disabled().generation().start();
    nothing.token();
    assert_eq!(nothing.finish(), GenerationSummary::default());
    assert_eq!(stage.core.queue.len(), 0);
}

#[test]
fn a_call_that_is_dropped() {
    for (chunks, expect, reason) in [
        (vec![content("a")], Outcome::Unknown, None),
        (vec![content("a"), finish("stop")], Outcome::Success, Some(json!(["stop"]))),
    ] {
        let stage = Stage::new(Settings::default());
        let transaction = stage.transaction();
        let mut generation = transaction.generation().start();
        tell(&stage, &mut generation, &chunks, 1);
        drop(generation);
        let events = stage.events();
        let attributes = attributes(events.call());
        assert_eq!(events.call().outcome, Some(expect));
        assert_eq!(attributes.get(semconv::RESPONSE_FINISH_REASONS), reason.as_ref());
        assert_eq!(attributes[semconv::USAGE_OUTPUT_TOKENS], 1);
    }
}

#[test]
fn what_the_program_says_of_the_outcome_wins() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let mut generation = transaction.generation().start();
    generation.set_outcome(Outcome::Failure);
    drop(generation.finish());
    let generation = transaction.generation().start();
    generation.context().set_outcome(Outcome::Unknown);
    drop(generation.finish());
    let outcomes: Vec<_> = stage.events().spans.iter().map(|span| span.outcome).collect();
    // The two calls are not alike, so neither is merged with the other.
    assert_eq!(outcomes, [Some(Outcome::Failure), Some(Outcome::Unknown)]);
}

#[test]
fn content_is_captured_only_if_wished() {
    for capture_content in [false, true] {
        let stage = Stage::new(Settings { capture_content, long_field_max_length: 300, ..Settings::default() });
        let transaction = stage.transaction();
        let question = json!([{ "role": "user", "content": "my secret" }]);
        let hide = |text: &str| std::borrow::Cow::Owned(text.replace("secret", "…"));
        let mut generation = transaction.generation().input_messages(&question).redact_content(hide).start();
        let long = "x".repeat(500);
        tell(&stage, &mut generation, &[content("a secret "), content(&long), finish("stop")], 1);
        drop(generation.finish());
        let attributes = attributes(stage.events().call());
        let json = |key: &str| {
            attributes.get(key).and_then(Value::as_str).map(|text| {
                assert!(text.chars().count() <= 300, "{text}");
                serde_json::from_str::<Value>(text).expect("valid JSON")
            })
        };
        let (input, output) = (json(semconv::INPUT_MESSAGES), json(semconv::OUTPUT_MESSAGES));
        assert_eq!((input.is_some(), output.is_some()), (capture_content, capture_content));
        let (Some(input), Some(output)) = (input, output) else { continue };
        assert_eq!(input, json!([{ "role": "user", "parts": [{ "type": "text", "content": "my …" }] }]));
        let said = output.pointer("/0/parts/0/content").and_then(Value::as_str).expect("text");
        assert!(said.starts_with("a … xxx") && said.ends_with("left out]"), "{said}");
        assert_eq!(output.pointer("/0/finish_reason"), Some(&json!("stop")));
    }
}

#[test]
fn iterators_are_wrapped() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let chunks = [content("a"), content("b"), finish("stop")];
    let mut wrapped = transaction.generation().start().wrap_iter(chunks.clone());
    let mut got = Vec::new();
    for chunk in wrapped.by_ref() {
        stage.pass(2);
        got.push(chunk);
    }
    assert_eq!(got, chunks);
    assert_eq!(wrapped.summary().map(|summary| summary.chunks), Some(2));
    let events = stage.events();
    assert_eq!((events.tokens(), events.call().outcome), (vec![2], Some(Outcome::Success)));
    assert_eq!(events.call().covered_ns, 4_000_000);
}

#[cfg(feature = "stream")]
mod streams;
