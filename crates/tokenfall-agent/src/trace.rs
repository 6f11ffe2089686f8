//! The state of a sampled transaction that all its spans share.
//!
//! ```text
//! Trace                 one a transaction: identity, snapshot of the settings, facts, counts
//!   └ Node              one for the transaction and one for each span that has children or was made current:
//!                       buffer of span compression, clock of the children
//! ```
//!
//! Locks are one a node and two a transaction; spans of different transactions never share one.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Instant;

use crate::clock::{Anchor, nanos};
use crate::compression;
use crate::core::Core;
use crate::event::{
    DroppedSpans, Event, EventContext, LabelValue, OtelData, Outcome, SelfTime, SpanDetails, SpanLink, SpanRecord,
    Text, TransactionRecord,
};
use crate::id::{SpanId, TraceId};
use crate::otel;
use crate::propagation::TraceState;
use crate::settings::Settings;
use crate::target;

/// Most groups of dropped spans that a transaction tells of (agent specification, "dropped spans stats").
const MAX_DROPPED_GROUPS: usize = 128;
/// Most span types that a transaction keeps apart in its breakdown.
const MAX_SELF_TIMES: usize = 128;

/// A sampled transaction.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "`trace_id` is the field's word")]
pub(crate) struct Trace {
    pub(crate) core: Arc<Core>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) trace_id: TraceId,
    pub(crate) transaction_id: SpanId,
    pub(crate) parent_id: Option<SpanId>,
    pub(crate) sample_rate: Option<f64>,
    /// What goes out in `tracestate`.
    pub(crate) state: TraceState,
    pub(crate) anchor: Anchor,
    pub(crate) facts: Mutex<Facts>,
    reported: AtomicU32,
    dropped: AtomicU32,
    ended: AtomicBool,
    stats: Mutex<Stats>,
}

/// What the program says about a transaction while it runs.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) name: Text,
    pub(crate) kind: Text,
    pub(crate) result: Option<Text>,
    pub(crate) outcome: Option<Outcome>,
    /// Was an error captured directly in it?
    pub(crate) errored: bool,
    pub(crate) context: EventContext,
    pub(crate) links: Vec<SpanLink>,
    pub(crate) otel: OtelData,
}

#[derive(Debug, Default)]
struct Stats {
    self_times: Vec<SelfTime>,
    dropped: Vec<DroppedSpans>,
}

/// A transaction or a span as a parent.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) trace: Arc<Trace>,
    pub(crate) id: SpanId,
    /// Type and subtype, if it is an exit span: only children of the same kind may be in it.
    pub(crate) exit: Option<(Text, Option<Text>)>,
    state: Mutex<NodeState>,
}

#[derive(Debug)]
struct NodeState {
    /// Span that may be merged with the next one.
    buffer: Option<SpanRecord>,
    ended: bool,
    /// Children that run, and since when at least one does.
    n_running: u32,
    running_since: Instant,
    covered_ns: u64,
    remarks: Option<Box<Remarks>>,
}

/// What was said of a span through the current context, not through its handle.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    pub(crate) name: Option<Text>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) errored: bool,
    pub(crate) propagated: bool,
    pub(crate) labels: Vec<(Text, LabelValue)>,
}

/// What is left of a node when it ends.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) covered_ns: u64,
    pub(crate) remarks: Option<Box<Remarks>>,
}

/// A lock whose holder panicked still guards plain data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same without waiting: `None` if it is held, perhaps by this very thread.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Identity of a trace that begins or goes on here.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) trace_id: TraceId,
    pub(crate) transaction_id: SpanId,
    pub(crate) parent_id: Option<SpanId>,
    pub(crate) sample_rate: Option<f64>,
    pub(crate) state: TraceState,
}

impl Trace {
    /// Begins a transaction; its root node comes back.
    pub(crate) fn begin(
        core: Arc<Core>,
        settings: Arc<Settings>,
        identity: Identity,
        anchor: Anchor,
        facts: Facts,
    ) -> Arc<Node> {
        let id = identity.transaction_id;
        let trace = Arc::new(Self {
            core,
            settings,
            trace_id: identity.trace_id,
            transaction_id: id,
            parent_id: identity.parent_id,
            sample_rate: identity.sample_rate,
            state: identity.state,
            anchor,
            facts: Mutex::new(facts),
            reported: AtomicU32::new(0),
            dropped: AtomicU32::new(0),
            ended: AtomicBool::new(false),
            stats: Mutex::default(),
        });
        Arc::new(Node::new(trace, id, None))
    }

    /// Ends the transaction and sends it. Does nothing the second time.
    pub(crate) fn end(&self, root: &Node, now: Instant, fallback: Outcome) {
        if self.ended.load(Ordering::Acquire) {
            return;
        }
        let ended = root.end();
        if self.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        let duration_ns = nanos(self.anchor.instant(), now);
        let facts = {
            let mut guard = lock(&self.facts);
            let facts = &mut *guard;
            otel::infer_transaction(facts);
            // Late errors of still running spans want to know the name.
            let Facts { name, kind, outcome, errored, .. } = facts;
            let kept = Facts {
                name: name.clone(),
                kind: kind.clone(),
                outcome: *outcome,
                errored: *errored,
                ..Facts::default()
            };
            std::mem::replace(facts, kept)
        };
        let mut stats = std::mem::take(&mut *lock(&self.stats));
        add_self_time(
            &mut stats.self_times,
            &Text::Borrowed("app"),
            None,
            1,
            duration_ns.saturating_sub(ended.covered_ns),
        );
        let fallback = match (facts.errored, facts.otel.span_kind) {
            (true, None) => Outcome::Failure,
            // OpenTelemetry's status decides alone.
            (_, Some(_)) if fallback == Outcome::Success => Outcome::Unknown,
            _ => fallback,
        };
        self.core.send(Event::Transaction(Box::new(TransactionRecord {
            trace_id: self.trace_id,
            id: self.transaction_id,
            parent_id: self.parent_id,
            name: self.grouped(facts.name),
            kind: facts.kind,
            timestamp_us: self.anchor.timestamp_us(self.anchor.instant()),
            duration_ns,
            result: facts.result,
            outcome: Some(facts.outcome.unwrap_or(fallback)),
            sample_rate: self.sample_rate,
            spans_started: self.reported.load(Ordering::Acquire),
            spans_dropped: self.dropped.load(Ordering::Acquire),
            dropped_spans: stats.dropped,
            context: facts.context,
            links: facts.links,
            otel: facts.otel,
            self_times: stats.self_times,
        })));
    }

    /// The first of `transaction_name_groups` that matches the name, else the name.
    fn grouped(&self, name: Text) -> Text {
        let group = self.settings.transaction_name_groups.iter().find(|group| group.matches(&name));
        group.map_or(name, |group| group.text().to_owned().into())
    }

    /// Sends a span that nothing more will be merged into, unless a limit says otherwise.
    fn report(&self, span: SpanRecord) {
        let (count, sum_ns) = span.composite.map_or((1, span.duration_ns), |c| (u64::from(c.count), c.sum_ns));
        let open = !self.ended.load(Ordering::Acquire);
        if open {
            let self_ns = sum_ns.saturating_sub(span.covered_ns);
            add_self_time(&mut lock(&self.stats).self_times, &span.kind, span.subtype.as_ref(), count, self_ns);
        }
        let min_ns = self.settings.exit_span_min_duration.as_nanos() as u64;
        let may_drop = span.exit && !span.propagated && span.outcome == Some(Outcome::Success);
        let too_short = may_drop && span.duration_ns < min_ns;
        if too_short || !self.reserve() {
            // A composite is one span in these counts, as in `span_count.started`.
            self.dropped.fetch_add(1, Ordering::AcqRel);
            if open {
                add_dropped(&mut lock(&self.stats).dropped, &span, count, sum_ns);
            }
            return;
        }
        self.core.send(Event::Span(span));
    }

    /// Takes one of the places for reported spans.
    fn reserve(&self) -> bool {
        let max = self.settings.transaction_max_spans;
        self.reported.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < max).then_some(n + 1)).is_ok()
    }
}

impl Node {
    pub(crate) fn new(trace: Arc<Trace>, id: SpanId, exit: Option<(Text, Option<Text>)>) -> Self {
        let running_since = trace.anchor.instant();
        let state = NodeState { buffer: None, ended: false, n_running: 0, running_since, covered_ns: 0, remarks: None };
        Self { trace, id, exit, state: Mutex::new(state) }
    }

    /// Is this the transaction itself?
    pub(crate) fn is_root(&self) -> bool {
        self.id == self.trace.transaction_id
    }

    /// A child begins.
    pub(crate) fn child_started(&self, now: Instant) {
        let mut state = lock(&self.state);
        if state.n_running == 0 {
            state.running_since = now;
        }
        state.n_running += 1;
    }

    /// A child has ended: it is merged where it stands, or taken to be kept for merging or sent.
    pub(crate) fn child_ended(&self, child: &mut Option<SpanRecord>, now: Instant) {
        let Some(span) = child else { return };
        let compression = self.trace.settings.compression;
        let mut state = lock(&self.state);
        let NodeState { buffer, ended, n_running, running_since, covered_ns, .. } = &mut *state;
        *n_running = n_running.saturating_sub(1);
        if *n_running == 0 {
            // Most children run alone.
            let alone = *running_since == span.start;
            *covered_ns += if alone { span.duration_ns } else { nanos(*running_since, now) };
        }
        if compression::merged(compression, buffer, *ended, span, now) {
            return;
        }
        let Some(mut span) = child.take() else { return };
        span.timestamp_us = self.trace.anchor.timestamp_us(span.start);
        let out = compression::keep(compression, buffer, *ended, span);
        drop(state);
        for span in out.into_iter().flatten() {
            self.trace.report(span);
        }
    }

    /// A child that was merged elsewhere is complete. Its time counts through [`add_covered`](Self::add_covered).
    pub(crate) fn report_child(&self, child: SpanRecord) {
        let buffered = lock(&self.state).buffer.take();
        for span in buffered.into_iter().chain([child]) {
            self.trace.report(span);
        }
    }

    /// Counts time in which children ran that this node was not told of.
    pub(crate) fn add_covered(&self, ns: u64) {
        let mut state = lock(&self.state);
        state.covered_ns = state.covered_ns.saturating_add(ns);
    }

    /// Nothing more will be merged; children that end later are sent at once.
    pub(crate) fn end(&self) -> Ended {
        let (buffered, ended) = {
            let mut state = lock(&self.state);
            state.ended = true;
            if state.n_running > 0 {
                state.covered_ns += nanos(state.running_since, Instant::now());
                state.n_running = 0;
            }
            (state.buffer.take(), Ended { covered_ns: state.covered_ns, remarks: state.remarks.take() })
        };
        if let Some(span) = buffered {
            self.trace.report(span);
        }
        ended
    }

    /// Says something of the span that this node stands for. Must not be used on the root.
    pub(crate) fn remark(&self, say: impl FnOnce(&mut Remarks)) {
        say(lock(&self.state).remarks.get_or_insert_default());
    }

    /// The same without waiting; not done if the node is held.
    pub(crate) fn try_remark(&self, say: impl FnOnce(&mut Remarks)) {
        if let Some(mut state) = try_lock(&self.state) {
            say(state.remarks.get_or_insert_default());
        }
    }
}

fn add_self_time(times: &mut Vec<SelfTime>, kind: &Text, subtype: Option<&Text>, count: u64, sum_ns: u64) {
    let known = times.iter_mut().find(|time| time.kind == *kind && time.subtype.as_ref() == subtype);
    if let Some(time) = known {
        time.count += count;
        time.sum_ns = time.sum_ns.saturating_add(sum_ns);
    } else if times.len() < MAX_SELF_TIMES {
        times.push(SelfTime { kind: kind.clone(), subtype: subtype.cloned(), count, sum_ns });
    }
}

fn add_dropped(groups: &mut Vec<DroppedSpans>, span: &SpanRecord, count: u64, sum_ns: u64) {
    let Some(target) = target::service_target(span) else { return };
    let Some(resource) = target::resource(span, &target) else { return };
    let outcome = span.outcome.unwrap_or(Outcome::Unknown);
    let known = groups
        .iter_mut()
        .find(|group| group.outcome == outcome && group.target == target && group.resource == resource);
    if let Some(group) = known {
        group.count += count;
        group.sum_ns = group.sum_ns.saturating_add(sum_ns);
    } else if groups.len() < MAX_DROPPED_GROUPS {
        groups.push(DroppedSpans { target, resource, outcome, count, sum_ns });
    }
}

/// Adds remarks to what the handle of the span knows; the handle wins.
pub(crate) fn apply(remarks: Remarks, span: &mut SpanRecord) -> bool {
    if let Some(name) = remarks.name {
        span.name = name;
    }
    span.outcome = span.outcome.or(remarks.outcome);
    span.propagated |= remarks.propagated;
    if !remarks.labels.is_empty() {
        let details: &mut SpanDetails = span.details.get_or_insert_default();
        for (key, value) in remarks.labels {
            crate::event::set(&mut details.labels, key, value);
        }
    }
    remarks.errored
}

#[cfg(test)]
mod tests;
