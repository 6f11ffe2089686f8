use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::clock::Anchor;
use crate::core::Core;
use crate::event::{Event, ServiceTarget, SpanDetails, Target, TransactionRecord};
use crate::id::{SpanId, TraceId};
use crate::propagation::TraceState;
use crate::settings::Settings;
use crate::trace::{Facts, Identity, Node, Trace};

#[derive(Deserialize)]
struct Case {
    description: String,
    #[serde(default)]
    config: CaseConfig,
    children: Vec<Child>,
    expected_reported: Vec<Expected>,
}

#[derive(Default, Deserialize)]
struct CaseConfig {
    enabled: Option<bool>,
    same_ms: Option<u64>,
    exact_ms: Option<u64>,
}

#[derive(Deserialize)]
struct Child {
    name: String,
    r#type: String,
    #[serde(default)]
    target: CaseTarget,
    start: f64,
    end: f64,
    outcome: Option<String>,
    #[serde(default)]
    propagated: bool,
    exit: Option<bool>,
}

#[derive(Default, Deserialize)]
struct CaseTarget {
    r#type: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Expected {
    name: String,
    start_ms: f64,
    duration_ms: f64,
    composite: Option<ExpectedComposite>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct ExpectedComposite {
    strategy: String,
    count: u32,
    sum_ms: f64,
}

/// A transaction whose children come with their times.
struct Replay {
    core: Arc<Core>,
    root: Arc<Node>,
    zero: Instant,
}

impl Replay {
    fn new(settings: Settings) -> Self {
        let core = Core::new(settings, 10_000);
        let anchor = Anchor::now();
        let identity = Identity {
            trace_id: TraceId::random(),
            transaction_id: SpanId::random(),
            parent_id: None,
            sample_rate: Some(1.0),
            state: TraceState::default(),
        };
        let settings = core.settings.load_full();
        let root = Trace::begin(Arc::clone(&core), settings, identity, anchor, Facts::default());
        Self { core, root, zero: anchor.instant() }
    }

    fn at(&self, us: u64) -> Instant {
        self.zero + Duration::from_micros(us)
    }

    fn child(&self, name: &str, start_us: u64, end_us: u64) -> SpanRecord {
        let start = self.at(start_us);
        SpanRecord {
            trace_id: self.root.trace.trace_id,
            transaction_id: self.root.id,
            parent_id: self.root.id,
            id: SpanId::random(),
            name: name.to_owned().into(),
            kind: "token".into(),
            subtype: None,
            timestamp_us: 0,
            duration_ns: nanos(start, self.at(end_us)),
            start,
            outcome: Some(Outcome::Success),
            sample_rate: Some(1.0),
            exit: true,
            propagated: false,
            composite: None,
            covered_ns: 0,
            details: None,
        }
    }

    fn play(&self, child: SpanRecord) {
        let end = child.start + Duration::from_nanos(child.duration_ns);
        self.root.child_started(child.start);
        self.root.child_ended(&mut Some(child), end);
    }

    /// Ends the transaction; what was reported comes back.
    fn finish(self, end_us: u64) -> (Vec<SpanRecord>, Box<TransactionRecord>) {
        self.root.trace.end(&self.root, self.at(end_us), Outcome::Success);
        let (mut spans, mut transaction) = (Vec::new(), None);
        while let Some(event) = self.core.queue.pop() {
            match event {
                Event::Span(span) => spans.push(span),
                Event::Transaction(record) => transaction = Some(record),
                Event::Error(_) | Event::Log(_) => panic!("nobody reported that"),
            }
        }
        (spans, transaction.expect("a transaction is sent"))
    }
}

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

#[test]
fn the_cases_of_the_algorithm() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../tests/fixtures/span_compression_cases.json")).expect("cases");
    assert_eq!(cases.len(), 9);
    for case in cases {
        let mut settings = Settings { transaction_max_spans: 10_000, ..Settings::default() };
        settings.compression.enabled = case.config.enabled.unwrap_or(true);
        if let Some(max) = case.config.same_ms {
            settings.compression.same_kind_max = Duration::from_millis(max);
        }
        if let Some(max) = case.config.exact_ms {
            settings.compression.exact_match_max = Duration::from_millis(max);
        }
        let replay = Replay::new(settings);
        for child in case.children {
            let us = |ms: f64| (ms * 1000.0).round() as u64;
            let mut record = replay.child(&child.name, us(child.start), us(child.end));
            record.kind = child.r#type.into();
            record.exit = child.exit.unwrap_or(true);
            record.propagated = child.propagated;
            if child.outcome.as_deref() == Some("failure") {
                record.outcome = Some(Outcome::Failure);
            }
            let target =
                ServiceTarget { kind: child.target.r#type.map(Into::into), name: child.target.name.map(Into::into) };
            record.details = Some(Box::new(SpanDetails { target: Target::Set(target), ..SpanDetails::default() }));
            replay.play(record);
        }
        let zero = replay.zero;
        let (spans, transaction) = replay.finish(2_000_000);
        let reported: Vec<Expected> = spans
            .iter()
            .map(|span| Expected {
                name: span.name.clone().into_owned(),
                start_ms: ms(nanos(zero, span.start)),
                duration_ms: ms(span.duration_ns),
                composite: span.composite.map(|composite| ExpectedComposite {
                    strategy: match composite.strategy {
                        CompressionStrategy::ExactMatch => "exact_match".to_owned(),
                        CompressionStrategy::SameKind => "same_kind".to_owned(),
                    },
                    count: composite.count,
                    sum_ms: ms(composite.sum_ns),
                }),
            })
            .collect();
        assert_eq!(reported, case.expected_reported, "{}", case.description);
        assert_eq!(transaction.spans_started, reported.len() as u32, "{}", case.description);
        assert_eq!(transaction.spans_dropped, 0, "{}", case.description);
    }
}

#[test]
fn a_composite_lasts_until_the_last_end_also_if_children_overlap() {
    let replay = Replay::new(Settings::default());
    // The second began before the first, and is kept for merging later.
    replay.play(replay.child("token", 10, 20));
    replay.play(replay.child("token", 5, 40));
    let (spans, _) = replay.finish(100);
    let [span] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!(span.duration_ns, 30_000);
    let composite = Composite { strategy: CompressionStrategy::ExactMatch, count: 2, sum_ns: 45_000 };
    assert_eq!(span.composite, Some(composite));
}

#[test]
fn self_time_is_what_no_child_covers() {
    let replay = Replay::new(Settings::default());
    // Two that overlap: 10 to 30; one inside of another: 40 to 60; together 40 µs of 100.
    let (a, b) = (replay.child("a", 10, 20), replay.child("b", 15, 30));
    replay.root.child_started(a.start);
    replay.root.child_started(b.start);
    replay.root.child_ended(&mut Some(a), replay.at(20));
    replay.root.child_ended(&mut Some(b), replay.at(30));
    let (outer, inner) = (replay.child("outer", 40, 60), replay.child("inner", 45, 50));
    replay.root.child_started(outer.start);
    replay.root.child_started(inner.start);
    replay.root.child_ended(&mut Some(inner), replay.at(50));
    replay.root.child_ended(&mut Some(outer), replay.at(60));
    let (_, transaction) = replay.finish(100);
    let times: Vec<_> =
        transaction.self_times.iter().map(|time| (time.kind.as_ref(), time.count, time.sum_ns)).collect();
    assert_eq!(times, [("token", 4, 50_000), ("app", 1, 60_000)]);
}

#[derive(Clone, Debug)]
struct Played {
    name: &'static str,
    gap_us: u64,
    duration_us: u64,
    failed: bool,
    propagated: bool,
}

fn played() -> impl Strategy<Value = Played> {
    let name = prop_oneof![4 => Just("token"), 1 => Just("other")];
    (name, 0..100u64, 0..60_000u64, prop::bool::weighted(0.1), prop::bool::weighted(0.05)).prop_map(
        |(name, gap_us, duration_us, failed, propagated)| Played { name, gap_us, duration_us, failed, propagated },
    )
}

proptest! {
    /// What is reported and what is told of as dropped together are what ended: nothing is lost, nothing invented.
    #[test]
    fn counts_and_durations_are_conserved(
        children in prop::collection::vec(played(), 0..60),
        max_spans in 0..20u32,
        same_kind_ms in 0..60u64,
        min_us in 0..40_000u64,
    ) {
        let mut settings = Settings {
            transaction_max_spans: max_spans,
            exit_span_min_duration: Duration::from_micros(min_us),
            ..Settings::default()
        };
        settings.compression.same_kind_max = Duration::from_millis(same_kind_ms);
        let replay = Replay::new(settings);
        let (mut now, mut sum_ns) = (0, 0);
        for child in &children {
            now += child.gap_us;
            let mut record = replay.child(child.name, now, now + child.duration_us);
            record.propagated = child.propagated;
            if child.failed {
                record.outcome = Some(Outcome::Failure);
            }
            now += child.duration_us;
            sum_ns += record.duration_ns;
            replay.play(record);
        }
        let (spans, transaction) = replay.finish(now);
        let of = |span: &SpanRecord| span.composite.map_or((1, span.duration_ns), |c| (u64::from(c.count), c.sum_ns));
        let reported = spans.iter().map(of).fold((0, 0), |sum, span| (sum.0 + span.0, sum.1 + span.1));
        let dropped = transaction.dropped_spans.iter().fold((0, 0), |sum, group| (sum.0 + group.count, sum.1 + group.sum_ns));
        prop_assert_eq!((reported.0 + dropped.0, reported.1 + dropped.1), (children.len() as u64, sum_ns));
        prop_assert_eq!(transaction.spans_started, spans.len() as u32);
        prop_assert!(spans.len() as u32 <= max_spans);
        prop_assert!(u64::from(transaction.spans_dropped) <= dropped.0);
        let timed: u64 = transaction.self_times.iter().filter(|time| time.kind == "token").map(|time| time.count).sum();
        prop_assert_eq!(timed, children.len() as u64);
        for span in &spans {
            // One after the other: the whole is at least as long as its parts together.
            prop_assert!(span.composite.is_none_or(|c| c.sum_ns <= span.duration_ns && c.count >= 2));
        }
    }
}
