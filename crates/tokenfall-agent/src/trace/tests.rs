use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use super::*;
use crate::agent::Agent;
use crate::context::Context;
use crate::propagation::TraceContext;
use crate::settings::TraceContinuation;
use crate::transaction::Transaction;

struct Harness {
    agent: Agent,
    core: Arc<Core>,
}

impl Harness {
    fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let core = Core::new(settings, 100_000);
        Self { agent: Agent::for_test(Arc::clone(&core)), core }
    }

    fn begin(&self) -> Transaction {
        self.agent.begin_transaction("user-query", "request")
    }

    /// What was sent so far.
    fn sent(&self) -> (Vec<SpanRecord>, Vec<TransactionRecord>) {
        let (mut spans, mut transactions) = (Vec::new(), Vec::new());
        while let Some(event) = self.core.queue.pop() {
            match event {
                Event::Span(span) => spans.push(span),
                Event::Transaction(transaction) => transactions.push(*transaction),
                Event::Error(_) | Event::Log(_) => panic!("nobody reported that"),
            }
        }
        (spans, transactions)
    }
}

fn token(transaction: &Transaction) {
    transaction.capture_span("token").span_type("http").exit().start().end();
}

fn outcomes(spans: &[SpanRecord]) -> Vec<Option<Outcome>> {
    spans.iter().map(|span| span.outcome).collect()
}

#[test]
fn spans_are_counted_after_compression() {
    let harness = Harness::new(|settings| settings.transaction_max_spans = 2);
    let transaction = harness.begin();
    (0..700).for_each(|_| token(&transaction));
    transaction.capture_span("a").start().end();
    transaction.capture_span("b").start().end();
    transaction.end();
    let (spans, transactions) = harness.sent();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["token", "a"]);
    assert_eq!(spans[0].composite.map(|composite| composite.count), Some(700));
    assert_eq!((transactions[0].spans_started, transactions[0].spans_dropped), (2, 1));
}

#[test]
fn short_exit_spans_are_dropped_as_a_whole_unless_they_matter() {
    let harness = Harness::new(|settings| settings.exit_span_min_duration = Duration::from_secs(60));
    let transaction = harness.begin();
    (0..5).for_each(|_| token(&transaction));
    let mut failed = transaction.capture_span("failed").exit().start();
    failed.set_outcome(Outcome::Failure);
    failed.end();
    let mut propagated = transaction.capture_span("propagated").exit().start();
    assert!(propagated.trace_context().is_some());
    propagated.end();
    transaction.capture_span("inside of the process").start().end();
    transaction.end();
    let (spans, transactions) = harness.sent();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["failed", "propagated", "inside of the process"]);
    let transaction = &transactions[0];
    assert_eq!((transaction.spans_started, transaction.spans_dropped), (3, 1));
    let [group] = transaction.dropped_spans.as_slice() else { panic!("{:?}", transaction.dropped_spans) };
    assert_eq!((group.resource.as_ref(), group.outcome, group.count), ("http", Outcome::Success, 5));
}

#[test]
fn dropped_spans_are_told_of_in_128_groups() {
    let harness = Harness::new(|settings| settings.transaction_max_spans = 0);
    let transaction = harness.begin();
    for i in 0..200 {
        transaction.capture_span("call").span_type("db").subtype(format!("db{i}")).exit().start().end();
    }
    transaction.end();
    let (spans, transactions) = harness.sent();
    assert!(spans.is_empty());
    assert_eq!(transactions[0].dropped_spans.len(), MAX_DROPPED_GROUPS);
    assert_eq!(transactions[0].spans_dropped, 200);
}

#[test]
fn an_exit_span_holds_only_its_own_kind() {
    let harness = Harness::new(|_| {});
    let transaction = harness.begin();
    let outer = transaction.capture_span("outer").span_type("db").subtype("postgresql").exit().start();
    let other = outer.capture_span("other").span_type("external").subtype("http").start();
    assert!(!other.is_recorded());
    assert_eq!(other.context().span_id(), outer.context().span_id(), "the outer one stands for it");
    other.end();
    let same = outer.capture_span("same").span_type("db").subtype("postgresql").exit().start();
    assert!(same.is_recorded());
    same.end();
    outer.end();
    transaction.end();
    let (spans, _) = harness.sent();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["same", "outer"]);
    assert_eq!(spans[0].parent_id, spans[1].id);
}

#[test]
fn a_span_may_end_after_its_parents() {
    let harness = Harness::new(|_| {});
    let transaction = harness.begin();
    let parent = transaction.capture_span("parent").start();
    let child = parent.capture_span("child").start();
    parent.end();
    transaction.end();
    let (_, transactions) = harness.sent();
    assert_eq!(transactions[0].spans_started, 1);
    child.end();
    let (spans, transactions) = harness.sent();
    assert_eq!((spans.len(), transactions.len()), (1, 0));
    assert_eq!(spans[0].name, "child");
    assert!(spans[0].timestamp_us > 0);
}

#[test]
fn threads_share_a_transaction() {
    let harness = Harness::new(|settings| settings.transaction_max_spans = u32::MAX);
    let transaction = harness.begin();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for i in 0..500 {
                    token(&transaction);
                    transaction.capture_span("step").span_type("app").start().end();
                    transaction.label("last", i);
                }
            });
        }
    });
    let moved = transaction.capture_span("moved").start();
    std::thread::spawn(move || moved.end()).join().expect("no panic");
    transaction.end();
    let (spans, transactions) = harness.sent();
    let tokens: u32 = spans
        .iter()
        .filter(|span| span.kind == "http")
        .map(|span| span.composite.map_or(1, |composite| composite.count))
        .sum();
    assert_eq!(tokens, 4000);
    assert_eq!(spans.iter().filter(|span| span.kind == "app").count(), 4000);
    assert_eq!(spans.iter().filter(|span| span.name == "moved").count(), 1);
    assert_eq!(transactions[0].spans_started as usize, spans.len());
    let counted: u64 = transactions[0].self_times.iter().map(|time| time.count).sum();
    assert_eq!(counted, 8002);
    let covered: u64 = transactions[0].self_times.iter().filter(|time| time.kind == "app").map(|t| t.count).sum();
    assert_eq!(covered, 4001, "spans of type app and the transaction itself");
}

#[test]
fn a_future_that_is_dropped_ends_its_span_as_unknown() {
    let harness = Harness::new(|_| {});
    let transaction = harness.begin();
    {
        let mut waits = pin!(transaction.capture_span("given up").run_async(std::future::pending::<()>()));
        assert!(waits.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_pending());
    }
    let mut done = pin!(transaction.capture_span("done").run_async(async { Context::current().span_id() }));
    let Poll::Ready(inside) = done.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) else {
        panic!("nothing to wait for")
    };
    transaction.cancel();
    let (spans, transactions) = harness.sent();
    assert_eq!(outcomes(&spans), [Some(Outcome::Unknown), Some(Outcome::Success)]);
    assert_eq!(inside, Some(spans[1].id), "it is current while it is polled");
    assert_eq!(transactions[0].outcome, Some(Outcome::Unknown));
}

#[test]
fn a_panic_is_a_failure() {
    let harness = Harness::new(|_| {});
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let transaction = harness.begin();
        transaction.capture_span("work").run(|_| panic!("the program's own"))
    }));
    assert!(panicked.is_err());
    let (spans, transactions) = harness.sent();
    assert_eq!(outcomes(&spans), [Some(Outcome::Failure)]);
    assert_eq!(transactions[0].outcome, Some(Outcome::Failure));
    assert!(Context::current().is_none());
}

#[test]
fn what_is_said_through_the_context_reaches_the_span() {
    let harness = Harness::new(|_| {});
    let transaction = harness.begin();
    transaction.run(|| {
        crate::label("where", "transaction");
        crate::capture_span("work").run(|_| {
            crate::label("where", "span");
            crate::set_outcome(Outcome::Failure);
        });
        assert_eq!(crate::current_transaction().map(|current| current.id()), transaction.context().transaction_id());
    });
    transaction.end();
    let (spans, transactions) = harness.sent();
    let details = spans[0].details.as_deref().expect("labels");
    assert_eq!(details.labels, [("where".into(), "span".into())]);
    assert_eq!(spans[0].outcome, Some(Outcome::Failure));
    assert_eq!(transactions[0].context.labels, [("where".into(), "transaction".into())]);
    assert_eq!(transactions[0].outcome, Some(Outcome::Success));
}

#[test]
fn guards_nest_and_their_order_is_no_reason_to_panic() {
    let harness = Harness::new(|_| {});
    let transaction = harness.begin();
    let span = transaction.capture_span("span").start();
    let outer = transaction.activate();
    let inner = span.activate();
    assert_eq!(Context::current().span_id(), span.context().span_id());
    drop(inner);
    assert_eq!(Context::current().span_id(), None);
    drop(outer);
    assert!(Context::current().is_none());
    let (outer, inner) = (transaction.activate(), span.activate());
    drop(outer);
    drop(inner);
    drop(Context::none().attach());
}

#[test]
fn the_sample_rate_decides() {
    let sampled = |rate: f64| {
        let harness = Harness::new(|settings| settings.sample_rate = rate);
        (0..10_000).filter(|_| harness.begin().is_sampled()).count()
    };
    assert_eq!(sampled(0.0), 0);
    assert_eq!(sampled(1.0), 10_000);
    // Ten standard deviations.
    assert!((4500..5500).contains(&sampled(0.5)));
}

#[test]
fn an_unsampled_transaction_keeps_its_trace_together_and_sends_nothing() {
    let harness = Harness::new(|settings| settings.sample_rate = 0.0);
    let transaction = harness.begin();
    let outgoing = transaction.trace_context().expect("a trace");
    assert!(!outgoing.is_sampled());
    assert_eq!(outgoing.state.sample_rate, Some(0.0));
    assert_eq!(transaction.context().trace_id(), Some(outgoing.trace_id()));
    let mut span = transaction.capture_span("call").exit().start();
    assert!(!span.is_recorded());
    assert_eq!(span.trace_context(), Some(outgoing.clone()), "the span does not exist, so the transaction calls");
    span.end();
    let callee = Harness::new(|_| {});
    let served = callee.agent.transaction("GET /").parent(Some(outgoing.clone())).begin();
    assert!(!served.is_sampled());
    assert_eq!(served.trace_context().map(|context| context.trace_id()), Some(outgoing.trace_id()));
    served.end();
    transaction.end();
    assert_eq!((harness.core.queue.total(), callee.core.queue.total()), (0, 0));
}

#[test]
fn a_trace_goes_on_or_begins_anew_as_configured() {
    let parent = |is_elastic: bool| TraceContext {
        trace_id: TraceId::random(),
        span_id: SpanId::random(),
        sampled: true,
        state: TraceState { sample_rate: is_elastic.then_some(0.25), is_elastic, ..TraceState::default() },
    };
    let check = |strategy: TraceContinuation, is_elastic: bool, goes_on: bool| {
        let harness = Harness::new(|settings| settings.trace_continuation = strategy);
        let caller = parent(is_elastic);
        harness.agent.transaction("GET /").parent(Some(caller.clone())).begin().end();
        let (_, transactions) = harness.sent();
        let record = &transactions[0];
        assert_eq!(record.trace_id == caller.trace_id, goes_on, "{strategy:?} {is_elastic}");
        assert_eq!(record.parent_id, goes_on.then_some(caller.span_id));
        let link = SpanLink { trace_id: caller.trace_id, span_id: caller.span_id };
        assert_eq!(record.links, if goes_on { vec![] } else { vec![link] });
        assert_eq!(record.sample_rate, if goes_on { caller.state.sample_rate } else { Some(1.0) });
    };
    check(TraceContinuation::Continue, true, true);
    check(TraceContinuation::Continue, false, true);
    check(TraceContinuation::Restart, true, false);
    check(TraceContinuation::Restart, false, false);
    check(TraceContinuation::RestartExternal, true, true);
    check(TraceContinuation::RestartExternal, false, false);
}

#[test]
fn a_transaction_may_have_ended_before_it_is_sent() {
    let harness = Harness::new(|_| {});
    let start = Instant::now();
    let transaction = harness.agent.transaction("user-query").started_at(start).begin();
    std::thread::sleep(Duration::from_millis(20));
    transaction.label("feedback", "up");
    transaction.end_at(start + Duration::from_millis(5));
    let (_, transactions) = harness.sent();
    assert_eq!(transactions[0].duration_ns, 5_000_000);
}
