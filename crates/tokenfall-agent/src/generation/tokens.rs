//! Token spans: one for each chunk with content, from its arrival until the program asks for the next one, merged here as the
//! specification of span compression demands, so that a token costs no lock and no allocation.
//!
//! A token span has type and subtype of its model call, the name and action `token`, and no callee.

use std::sync::Arc;
use std::time::Instant;

use crate::clock::nanos;
use crate::compression::{self, Compression};
use crate::event::{CompressionStrategy, Outcome, SpanDetails, SpanRecord, Target, Text};
use crate::id::SpanId;
use crate::trace::Node;

/// Name and action of token spans. The server knows them by the action.
pub(super) const TOKEN: &str = "token";

/// Token spans of one model call.
#[derive(Debug)]
pub(super) struct TokenSpans {
    node: Arc<Node>,
    kind: Text,
    subtype: Option<Text>,
    compression: Compression,
    /// Arrival of the token that the program works on.
    open: Option<Instant>,
    /// Merged tokens that more may join.
    run: Option<SpanRecord>,
}

impl TokenSpans {
    pub(super) fn new(node: Arc<Node>, kind: Text, subtype: Option<Text>) -> Self {
        let compression = node.trace.settings.compression;
        Self { node, kind, subtype, compression, open: None, run: None }
    }

    /// A token has come. One before it of which nobody said that it is done took no time.
    pub(super) fn arrived(&mut self, at: Instant) {
        if let Some(start) = self.open.replace(at) {
            self.ended(start, start);
        }
    }

    /// The program is done with the token that came last.
    pub(super) fn consumed(&mut self, at: Instant) {
        if let Some(start) = self.open.take() {
            self.ended(start, at);
        }
    }

    /// Is a token being worked on?
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    fn ended(&mut self, start: Instant, end: Instant) {
        let duration_ns = nanos(start, end);
        let max_ns = self.compression.exact_match_max.as_nanos() as u64;
        if let Some(run) = &mut self.run {
            let is_joinable = run.composite.is_some() || run.duration_ns <= max_ns;
            if is_joinable && duration_ns <= max_ns {
                compression::merge(run, CompressionStrategy::ExactMatch, 1, duration_ns, end);
                return;
            }
        }
        self.begin_run(start, duration_ns);
    }

    #[cold]
    fn begin_run(&mut self, start: Instant, duration_ns: u64) {
        self.flush();
        let trace = &self.node.trace;
        let details =
            SpanDetails { action: Some(Text::Borrowed(TOKEN)), target: Target::None, ..SpanDetails::default() };
        self.run = Some(SpanRecord {
            trace_id: trace.trace_id,
            transaction_id: trace.transaction_id,
            parent_id: self.node.id,
            id: SpanId::random(),
            name: Text::Borrowed(TOKEN),
            kind: self.kind.clone(),
            subtype: self.subtype.clone(),
            timestamp_us: trace.anchor.timestamp_us(start),
            duration_ns,
            start,
            outcome: Some(Outcome::Success),
            sample_rate: trace.sample_rate,
            exit: true,
            propagated: false,
            composite: None,
            covered_ns: 0,
            details: Some(Box::new(details)),
        });
        if !self.compression.enabled {
            self.flush();
        }
    }

    /// Reports the run: nothing more joins it.
    pub(super) fn flush(&mut self) {
        let Some(run) = self.run.take() else { return };
        self.node.add_covered(run.composite.map_or(run.duration_ns, |composite| composite.sum_ns));
        self.node.report_child(run);
    }
}
