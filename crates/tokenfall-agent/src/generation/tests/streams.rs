//! Streams: what is wrapped comes out as it went in, and the call is described.

use std::pin::pin;
use std::task::{Context, Waker};

use futures_util::StreamExt as _;
use futures_util::stream;
use proptest::prelude::*;

use super::*;

type Item = Result<Value, GenerationError>;

/// Runs something that never waits for anything.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

/// A stream of which each item comes after some time, with a `Pending` before it.
fn script(items: Vec<(u64, Item)>) -> impl stream::Stream<Item = Item> {
    stream::iter(items).then(|(ms, item)| async move {
        let mut is_first = true;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut is_first, false) {
                return std::task::Poll::Pending;
            }
            NOW.set(NOW.get().map(|now| now + Duration::from_millis(ms)));
            std::task::Poll::Ready(())
        })
        .await;
        item
    })
}

#[test]
fn chunks_pass_and_are_measured() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let chunks = vec![
        (400, Ok(delta(&json!({ "role": "assistant" })))),
        (20, Ok(content("a"))),
        (30, Ok(content("b"))),
        (5, Ok(finish("stop"))),
        (5, Ok(usage())),
    ];
    let mut wrapped = transaction.generation().provider("openai").start().wrap(Box::pin(script(chunks.clone())));
    assert!(wrapped.generation().is_recorded());
    let mut got = Vec::new();
    block_on(async {
        while let Some(item) = wrapped.next().await {
            stage.pass(3);
            got.push(item);
        }
    });
    assert_eq!(got, chunks.into_iter().map(|(_, item)| item).collect::<Vec<_>>());
    let summary = wrapped.summary().expect("it has ended").clone();
    assert_eq!((summary.usage.input, summary.usage.output, summary.chunks), (Some(1000), Some(100), 2));
    // The role chunk took 3 ms to look at.
    assert_eq!(summary.time_to_first_chunk, Some(Duration::from_millis(423)));
    assert_eq!(summary.time_to_last_chunk, Some(Duration::from_millis(456)));
    let events = stage.events();
    assert_eq!((events.tokens(), events.call().outcome), (vec![2], Some(Outcome::Success)));
    assert_eq!(events.call().covered_ns, 6_000_000);
}

#[test]
fn plain_chunks_pass_too() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let chunks = [content("a"), finish("stop")];
    let wrapped = transaction.generation().start().wrap(stream::iter(chunks.clone()));
    assert_eq!(block_on(wrapped.collect::<Vec<_>>()), chunks);
    assert_eq!(stage.events().tokens(), [1]);
}

#[test]
fn the_call_is_current_while_the_stream_is_polled() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let generation = transaction.generation().provider("openai").start();
    let expect = generation.context().span_id();
    let mut seen = Vec::new();
    let chunks =
        stream::iter([content("a"), finish("stop")]).inspect(|_| seen.push(crate::Context::current().span_id()));
    block_on(generation.wrap(chunks).for_each(|_| async { assert!(crate::Context::current().is_none()) }));
    assert_eq!(seen, [expect, expect]);
}

#[test]
fn requests_inside_are_part_of_the_call() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let generation = transaction.generation().provider("openai").start();
    let request = generation.context().capture_span("POST api.openai.com").span_type("external").subtype("http").exit();
    let mut request = request.start();
    assert!(!request.is_recorded());
    assert!(request.trace_context().is_some());
    drop(request);
    drop(generation.finish());
    assert_eq!(stage.events().call().name, "chat");
}

#[test]
fn an_error_in_the_stream_fails_the_call() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let broken = GenerationError::new(GenerationErrorKind::ApiConnection, "connection reset");
    let items = vec![(10, Ok(content("a"))), (10, Ok(content("b"))), (10, Err(broken.clone()))];
    let wrapped = transaction.generation().start().wrap(script(items));
    let got = block_on(wrapped.collect::<Vec<_>>());
    assert_eq!(got.last(), Some(&Err(broken)));
    let events = stage.events();
    let call = events.call();
    assert_eq!(call.outcome, Some(Outcome::Failure));
    let attributes = attributes(call);
    assert_eq!(attributes[semconv::ERROR_TYPE], "APIConnectionError");
    assert_eq!(attributes[semconv::USAGE_OUTPUT_TOKENS], 2);
    assert_eq!(attributes.get(semconv::RESPONSE_FINISH_REASONS), None);
    let errors: Vec<_> = events.errors.iter().map(|(at, error)| (*at, error.message.as_ref())).collect();
    assert_eq!(errors, [(Some(call.id), "connection reset")]);
}

#[test]
fn a_stream_that_is_dropped_early() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let items = (0..10).map(|_| (10, Ok(content("a")))).collect();
    let mut wrapped = Box::pin(transaction.generation().start().wrap(script(items)));
    block_on(async {
        for _ in 0..4 {
            assert!(wrapped.next().await.is_some());
        }
    });
    drop(wrapped);
    let events = stage.events();
    let attributes = attributes(events.call());
    assert_eq!(events.call().outcome, Some(Outcome::Unknown));
    assert_eq!((&attributes[semconv::USAGE_OUTPUT_TOKENS], events.tokens()), (&json!(4), vec![4]));
    assert_eq!(attributes.get(semconv::RESPONSE_FINISH_REASONS), None);
}

#[test]
fn a_stream_that_was_cut_is_no_success() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let wrapped = transaction.generation().start().wrap(stream::iter([content("a")]));
    drop(block_on(wrapped.collect::<Vec<_>>()));
    assert_eq!(stage.events().call().outcome, Some(Outcome::Unknown));
}

#[test]
fn a_stream_can_be_asked_for_again() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let broken = GenerationError::new(GenerationErrorKind::ApiConnection, "connection reset");
    let mut wrapped = transaction.generation().start().wrap(stream::iter([Ok(content("a")), Err(broken.clone())]));
    block_on(async { while let Some(Ok(_)) = wrapped.next().await {} });
    let mut generation = wrapped.into_generation();
    generation.retry(&broken, Duration::ZERO);
    let wrapped = generation.wrap(stream::iter([content("b"), finish("stop")]));
    drop(block_on(wrapped.collect::<Vec<_>>()));
    let events = stage.events();
    assert_eq!(
        (events.call().outcome, attributes(events.call())[semconv::ATTEMPTS].clone()),
        (Some(Outcome::Success), json!(2))
    );
}

#[test]
fn three_streams_at_once() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let wrap = |n: u64| {
        let mut items: Vec<(u64, Item)> = (0..n * 10).map(|_| (n, Ok(content("a")))).collect();
        items.push((1, Ok(finish("stop"))));
        transaction.generation().provider("openai").start().wrap(script(items)).collect::<Vec<_>>()
    };
    let (one, two, three) = (wrap(1), wrap(2), wrap(3));
    let got = block_on(async { futures_util::join!(one, two, three) });
    assert_eq!((got.0.len(), got.1.len(), got.2.len()), (11, 21, 31));
    transaction.end();
    let events = stage.events();
    let calls: Vec<&SpanRecord> = events.spans.iter().filter(|span| span.name == "chat").collect();
    assert_eq!(calls.len(), 3);
    for (call, expect) in calls.iter().zip([10, 20, 30]) {
        assert_eq!(attributes(call)[semconv::STREAM_CHUNKS], expect);
        let tokens = events.spans.iter().filter(|span| span.parent_id == call.id);
        let count: u32 = tokens.map(|span| span.composite.map_or(1, |composite| composite.count)).sum();
        assert_eq!(count, expect);
    }
}

/// Bytes of a chat completion as OpenAI sends them.
fn body() -> String {
    let role = delta(&json!({ "role": "assistant", "content": "" }));
    let chunks = [role, content("Hel"), content("lö"), content("!"), finish("stop"), usage()];
    let mut body: String =
        chunks.iter().flat_map(|chunk| ["data: ".to_owned(), chunk.to_string(), "\n\n".to_owned()]).collect();
    body.push_str("data: [DONE]\n\n");
    body
}

fn described(parts: Vec<Vec<u8>>) -> (Value, Vec<u8>) {
    let stage = Stage::new(Settings { capture_content: true, ..Settings::default() });
    let transaction = stage.transaction();
    let parts = parts.into_iter().map(Ok::<_, std::io::Error>);
    let wrapped = transaction.generation().provider("openai").start().wrap_sse(stream::iter(parts));
    let got = block_on(wrapped.collect::<Vec<_>>()).into_iter().flat_map(|part| part.expect("no error")).collect();
    let events = stage.events();
    assert_eq!(events.call().outcome, Some(Outcome::Success));
    (attributes(events.call()), got)
}

#[test]
fn bytes_pass_and_are_read() {
    let body = body();
    let (attributes, got) = described(vec![body.clone().into_bytes()]);
    assert_eq!(got, body.as_bytes());
    assert_eq!(attributes[semconv::USAGE_INPUT_TOKENS], 1000);
    assert_eq!(attributes[semconv::STREAM_CHUNKS], 3);
    let expect = r#"[{"finish_reason":"stop","parts":[{"content":"Hellö!","type":"text"}],"role":"assistant"}]"#;
    assert_eq!(attributes[semconv::OUTPUT_MESSAGES], expect);
}

#[test]
fn broken_bytes_fail_the_call() {
    let stage = Stage::new(Settings::default());
    let transaction = stage.transaction();
    let parts = [Ok(b"data: {\"choi".to_vec()), Err(std::io::Error::other("connection reset"))];
    let wrapped = transaction.generation().start().wrap_sse(stream::iter(parts));
    assert_eq!(block_on(wrapped.collect::<Vec<_>>()).len(), 2);
    let events = stage.events();
    assert_eq!(events.call().outcome, Some(Outcome::Failure));
    let errors: Vec<_> =
        events.errors.iter().map(|(_, error)| (error.kind.as_deref(), error.message.as_ref())).collect();
    assert_eq!(errors, [(Some("Error"), "connection reset")]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_cut_of_the_bytes_is_described_alike(cuts in prop::collection::vec(1_usize..200, 0..40)) {
        let body = body();
        let whole = described(vec![body.clone().into_bytes()]);
        let mut parts = Vec::new();
        let mut rest = body.as_bytes();
        for cut in cuts {
            let (part, after) = rest.split_at(cut.min(rest.len()));
            parts.push(part.to_vec());
            rest = after;
        }
        parts.push(rest.to_vec());
        prop_assert_eq!(described(parts), whole);
    }
}
