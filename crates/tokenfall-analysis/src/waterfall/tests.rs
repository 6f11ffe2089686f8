use proptest::prelude::*;
use tokenfall_model::document::{
    Children, Dependency, DependencyRole, DurationUs, Event, Id, LlmRollup, Span, TokenfallCost, TokenfallFields,
    Transaction,
};
use tokenfall_model::{ErrorId, Micros, ServiceName, SpanId, Timestamp, TraceId, TransactionId, Usd};

use super::*;

fn new(kind: EventKind, service: &str, parent: Option<&str>, at_us: i64) -> Document {
    let mut document = Document::new(Timestamp::from_micros(at_us), kind, ServiceName::new(service));
    document.trace = Some(Id { id: TraceId::new("t") });
    document.parent = parent.map(|p| Id { id: SpanId::new(p) });
    document
}

fn transaction(service: &str, id: &str, parent: Option<&str>, at_us: i64, duration_us: u64) -> Document {
    let mut document = new(EventKind::Transaction, service, parent, at_us);
    document.transaction = Some(Box::new(Transaction {
        id: Some(TransactionId::new(id)),
        name: Some(id.into()),
        duration: Some(DurationUs { us: Micros::new(duration_us) }),
        ..Transaction::default()
    }));
    document
}

fn span(service: &str, id: &str, parent: Option<&str>, at_us: i64, duration_us: u64) -> Document {
    let mut document = new(EventKind::Span, service, parent, at_us);
    document.span = Some(Box::new(Span {
        id: Some(SpanId::new(id)),
        name: Some(id.into()),
        duration: Some(DurationUs { us: Micros::new(duration_us) }),
        ..Span::default()
    }));
    document
}

fn trace(documents: &[Document]) -> TraceSkeleton {
    assemble("t", documents, &[], true)
}

fn ids(trace: &TraceSkeleton) -> Vec<&str> {
    trace.id.iter().map(String::as_str).collect()
}

#[test]
fn a_parent_stands_before_its_children_by_start() {
    let trace = trace(&[
        span("a", "late", Some("root"), 60, 10),
        span("a", "inner", Some("early"), 15, 5),
        span("a", "early", Some("root"), 10, 20),
        transaction("a", "root", None, 0, 100),
    ]);
    assert_eq!(ids(&trace), ["root", "early", "inner", "late"]);
    assert_eq!(trace.parent, [-1, 0, 1, 0]);
    assert_eq!(trace.subtree, [4, 2, 1, 1]);
    assert_eq!((trace.start_us, trace.duration_us), (0, 100));
}

#[test]
fn orphans_hang_under_the_entry_and_say_so() {
    let trace = trace(&[
        transaction("a", "root", None, 0, 100),
        span("a", "lost", Some("gone"), 10, 20),
        span("a", "its-child", Some("lost"), 12, 2),
    ]);
    assert_eq!(ids(&trace), ["root", "lost", "its-child"]);
    assert_eq!((trace.parent.as_slice(), trace.orphans.as_slice()), (&[-1, 0, 1][..], &[1][..]));
    assert_eq!(trace.flags[1] & flag::ORPHAN, flag::ORPHAN);
}

#[test]
fn without_a_root_the_first_orphaned_transaction_is_the_entry() {
    let trace = trace(&[
        span("a", "first", Some("gone"), 0, 5),
        transaction("b", "tx", Some("browser"), 10, 50),
        span("b", "s", Some("tx"), 20, 5),
    ]);
    assert_eq!(ids(&trace), ["tx", "first", "s"]);
    assert_eq!(trace.parent, [-1, 0, 0]);
    assert_eq!(trace.orphans, [0, 1]);
}

#[test]
fn cycles_self_parents_and_repeated_ids_are_drawn() {
    let trace = trace(&[
        transaction("a", "root", None, 0, 100),
        span("a", "x", Some("y"), 10, 5),
        span("a", "y", Some("z"), 11, 5),
        span("a", "z", Some("x"), 12, 5),
        span("a", "self", Some("self"), 20, 5),
        span("a", "twin", Some("root"), 30, 5),
        span("a", "twin", Some("root"), 31, 5),
        span("a", "twin", Some("root"), 31, 5),
        span("a", "child", Some("twin"), 32, 1),
    ]);
    assert_eq!(ids(&trace), ["root", "x", "z", "y", "self", "twin", "child", "twin"]);
    assert_eq!(trace.parent, [-1, 0, 1, 2, 0, 0, 5, 0]);
    assert_eq!(trace.orphans, [1, 4]);
}

#[test]
fn an_adopting_span_is_the_parent() {
    let mut adopter = span("a", "adopter", Some("root"), 5, 50);
    adopter.child = Some(Children { id: vec![SpanId::new("kid"), SpanId::new("nobody")] });
    let trace = trace(&[transaction("a", "root", None, 0, 100), adopter, span("a", "kid", Some("root"), 10, 5)]);
    assert_eq!(trace.parent, [-1, 0, 1]);
}

#[test]
fn clocks_of_other_services_are_corrected() {
    let trace = trace(&[
        transaction("a", "root", None, 1_000_000, 1_000),
        span("a", "exit", Some("root"), 1_000_100, 800),
        // Two minutes behind; 400 long in 800.
        transaction("b", "served", Some("exit"), 999_000, 400),
        span("b", "inside", Some("served"), 999_100, 100),
        // A span of the same service is never moved on its own.
        span("a", "early", Some("exit"), 999_900, 10),
    ]);
    let row = |id: &str| trace.id.iter().position(|i| i == id).unwrap();
    assert_eq!(trace.offset_us[row("served")], trace.offset_us[row("exit")] + 200);
    assert_eq!(trace.offset_us[row("inside")], trace.offset_us[row("served")] + 100);
    assert_eq!(trace.flags[row("inside")] & flag::SKEW_CORRECTED, flag::SKEW_CORRECTED);
    assert_eq!((trace.offset_us[row("early")], trace.flags[row("early")] & flag::SKEW_CORRECTED), (0, 0));
}

#[test]
fn the_critical_path_goes_through_what_ended_last() {
    let trace = trace(&[
        transaction("a", "root", None, 0, 100_000),
        span("a", "fast", Some("root"), 10_000, 30_000),
        span("a", "slow", Some("root"), 20_000, 60_000),
        span("a", "tail", Some("slow"), 50_000, 29_500),
        span("a", "background", Some("root"), 90_000, 500_000),
    ]);
    let path: Vec<_> =
        trace.critical_path.iter().map(|s| (trace.id[s.item as usize].as_str(), s.from_us, s.to_us)).collect();
    // From back to front: 20 ms of root's own, `tail` (its half millisecond of slack included), `slow`, root.
    assert_eq!(
        path,
        [("root", 0, 20_000), ("slow", 20_000, 50_000), ("tail", 50_000, 80_000), ("root", 80_000, 100_000)]
    );
}

fn call(id: &str, name: &str, at_us: i64, duration_us: u64, outcome: Outcome) -> Document {
    let mut document = span("a", id, Some("root"), at_us, duration_us);
    document.span.as_mut().unwrap().name = Some(name.into());
    document.event = Some(Event { outcome: Some(outcome), ..Event::default() });
    let dependency = Some(generation(duration_us));
    document.tokenfall = Some(Box::new(TokenfallFields { dependency, ..TokenfallFields::default() }));
    document
}

fn generation(duration_us: u64) -> Dependency {
    Dependency {
        resource: "openai".into(),
        kind: "genai".into(),
        role: DependencyRole::Generation,
        count: 1.0,
        sum_us: duration_us as f64,
        duration_us,
    }
}

#[test]
fn attempts_of_parallel_calls_are_kept_apart() {
    use Outcome::{Failure, Success};
    let trace = trace(&[
        transaction("a", "root", None, 0, 100),
        call("a1", "chat", 0, 10, Failure),
        call("b1", "chat", 0, 12, Failure),
        call("once", "chat", 1, 50, Success),
        call("a2", "chat", 20, 5, Failure),
        call("b2", "chat", 21, 30, Success),
        call("a3", "chat", 40, 5, Success),
        call("other", "embed", 41, 5, Success),
    ]);
    let attempt = |id: &str| trace.attempt[trace.id.iter().position(|i| i == id).unwrap()];
    let all = ["a1", "a2", "a3", "b1", "b2", "once", "other"].map(attempt);
    assert_eq!(all, [1, 2, 3, 1, 2, 0, 0]);
}

#[test]
fn errors_find_their_item() {
    let error = |id: &str, parent: Option<&str>, transaction: Option<&str>| {
        let mut document = new(EventKind::Error, "a", parent, 50);
        document.error = Some(Box::new(tokenfall_model::document::Error {
            id: Some(ErrorId::new(id)),
            ..tokenfall_model::document::Error::default()
        }));
        document.transaction =
            transaction.map(|id| Box::new(Transaction { id: Some(TransactionId::new(id)), ..Transaction::default() }));
        document
    };
    let items = vec![transaction("a", "root", None, 0, 100), span("a", "s", Some("root"), 10, 5)];
    let errors =
        [error("e1", Some("s"), Some("root")), error("e2", Some("gone"), Some("root")), error("e3", None, None)];
    let trace = assemble("t", &items, &errors, true);
    assert_eq!(trace.error_count, [1, 1]);
    assert_eq!(trace.errors.iter().map(|e| e.item).collect::<Vec<_>>(), [1, 0, -1]);
    let alone = assemble("t", &[], &errors, true);
    assert_eq!((alone.items, alone.start_us, alone.errors.len()), (0, 50, 3));
}

#[test]
fn a_deep_trace_needs_no_stack() {
    let mut documents = vec![transaction("a", "0", None, 0, 1_000_000)];
    for i in 1..ITEMS_MAX as i64 {
        documents.push(span("a", &i.to_string(), Some(&(i - 1).to_string()), i, 1_000_000 - 2 * i.unsigned_abs()));
    }
    let trace = trace(&documents);
    assert_eq!(trace.subtree[0] as usize, ITEMS_MAX);
    assert_eq!(trace.critical_path.iter().map(|s| s.to_us - s.from_us).sum::<i64>(), 1_000_000);
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let trace = trace(&[
        transaction("a", "root", None, i64::MIN, u64::MAX),
        transaction("b", "served", Some("root"), i64::MAX, u64::MAX),
        transaction("c", "inner", Some("served"), i64::MIN, 0),
    ]);
    assert_eq!(trace.items, 3);
}

proptest! {
    /// Any documents at all: every item is in the drawing once, after its parent, and the critical path tiles the entry.
    #[test]
    fn whatever_comes_is_drawn(
        items in prop::collection::vec((0_u8..20, prop::option::of(0_u8..25), 0_i64..10_000, 0_u64..10_000, any::<bool>(), 0_u8..3), 0..60)
    ) {
        let documents: Vec<Document> = items
            .iter()
            .map(|(id, parent, at, length, is_transaction, service)| {
                let (id, parent) = (id.to_string(), parent.map(|p| p.to_string()));
                let make = if *is_transaction { transaction } else { span };
                make(&service.to_string(), &id, parent.as_deref(), *at, *length)
            })
            .collect();
        let trace = trace(&documents);
        prop_assert_eq!(trace.items, unique(&documents).len());
        for row in 0..trace.items {
            let parent = trace.parent[row];
            prop_assert!(parent < row as i32);
            if parent >= 0 {
                let parent = parent as usize;
                prop_assert!(row < parent + trace.subtree[parent] as usize);
            }
            prop_assert!(trace.offset_us[row] >= 0);
        }
        let roots: u32 = (0..trace.items).filter(|row| trace.parent[*row] < 0).map(|row| trace.subtree[row]).sum();
        prop_assert_eq!(roots as usize, trace.items);
        if trace.items > 0 {
            let mut at = trace.offset_us[0];
            for segment in &trace.critical_path {
                prop_assert_eq!(segment.from_us, at);
                prop_assert!(segment.to_us > at);
                at = segment.to_us;
            }
            prop_assert_eq!(at, trace.offset_us[0] + trace.duration[0] as i64);
        }
    }
}

#[test]
fn tokens_and_cost_of_a_trace_are_those_of_its_sums() {
    let with = |mut document: Document, fields: TokenfallFields| {
        document.tokenfall = Some(Box::new(fields));
        document
    };
    let sum = |generations, total_tokens, cost_pico_usd, reported_tokens| {
        Some(Box::new(LlmRollup {
            generations,
            total_tokens,
            cost_pico_usd,
            reported_tokens,
            unpriced_generations: u64::from(cost_pico_usd.is_none()),
            ..LlmRollup::default()
        }))
    };
    let call = TokenfallFields {
        dependency: Some(generation(20)),
        model: Some("m".into()),
        cost: Some(TokenfallCost::reported(Usd::from_pico(5))),
        ..TokenfallFields::default()
    };
    let late = TokenfallFields { llm: sum(1, None, None, None), ..call.clone() };
    let trace = trace(&[
        with(
            transaction("a", "root", None, 0, 100),
            TokenfallFields { llm: sum(1, Some(40), Some(5), Some(40)), ..TokenfallFields::default() },
        ),
        with(span("a", "counted above", Some("root"), 10, 20), call),
        with(span("a", "late", Some("root"), 40, 20), late),
    ]);
    let llm = trace.llm.unwrap();
    assert_eq!((llm.calls, llm.total_tokens, llm.usd), (2, Some(40), Some(Usd::from_pico(5))));
    assert_eq!((llm.sources.reported, llm.unpriced_calls), (40, 1));
    assert_eq!(trace.calls.len(), 2);
    assert_eq!((trace.calls[0].item, trace.calls[0].usd), (1, Some(Usd::from_pico(5))));
}
