//! Merging of similar spans that follow each other under one parent (agent specification, "span compression").
//!
//! Pure: the caller owns the buffer of the parent and reports what comes out.

use std::time::{Duration, Instant};

use crate::clock::nanos;
use crate::event::{Composite, CompressionStrategy, Outcome, SpanRecord};
use crate::target::service_target;

/// Options of compression, read once a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compression {
    /// `span_compression_enabled`
    pub(crate) enabled: bool,
    /// `span_compression_exact_match_max_duration`
    pub(crate) exact_match_max: Duration,
    /// `span_compression_same_kind_max_duration`
    pub(crate) same_kind_max: Duration,
}

impl Default for Compression {
    fn default() -> Self {
        Self { enabled: true, exact_match_max: Duration::from_millis(50), same_kind_max: Duration::ZERO }
    }
}

/// May this span be merged with others at all?
pub(crate) fn eligible(span: &SpanRecord) -> bool {
    span.exit && !span.propagated && matches!(span.outcome, None | Some(Outcome::Success))
}

/// Merges a span that has ended, at `end`, into the buffer of its parent if that can be. If not: [`keep`].
pub(crate) fn merged(
    compression: Compression,
    buffer: &mut Option<SpanRecord>,
    parent_ended: bool,
    child: &SpanRecord,
    end: Instant,
) -> bool {
    may_wait(compression, parent_ended, child)
        && buffer.as_mut().is_some_and(|buffered| try_compress(compression, buffered, child, end))
}

/// Takes a span that was not [`merged`]. What must be reported now comes back, in order.
pub(crate) fn keep(
    compression: Compression,
    buffer: &mut Option<SpanRecord>,
    parent_ended: bool,
    child: SpanRecord,
) -> [Option<SpanRecord>; 2] {
    let waits = may_wait(compression, parent_ended, &child);
    if waits { [buffer.replace(child), None] } else { [buffer.take(), Some(child)] }
}

fn may_wait(compression: Compression, parent_ended: bool, child: &SpanRecord) -> bool {
    !parent_ended && compression.enabled && eligible(child)
}

/// Merges `child`, which ended at `end`, into `buffered` if they are alike.
pub(crate) fn try_compress(
    compression: Compression,
    buffered: &mut SpanRecord,
    child: &SpanRecord,
    end: Instant,
) -> bool {
    let strategy = match buffered.composite {
        Some(composite) => fits(compression, composite.strategy, buffered, child).then_some(composite.strategy),
        None => strategy(compression, buffered, child),
    };
    let Some(strategy) = strategy else { return false };
    if buffered.composite.is_none() && strategy == CompressionStrategy::SameKind {
        buffered.name = same_kind_name(buffered).into();
    }
    merge(buffered, strategy, 1, child.duration_ns, end);
    buffered.covered_ns = buffered.covered_ns.saturating_add(child.covered_ns);
    true
}

/// Adds `count` spans of together `sum_ns` that ended at `end` to `buffered`.
pub(crate) fn merge(buffered: &mut SpanRecord, strategy: CompressionStrategy, count: u32, sum_ns: u64, end: Instant) {
    let composite = buffered.composite.get_or_insert(Composite { strategy, count: 1, sum_ns: buffered.duration_ns });
    composite.count = composite.count.saturating_add(count);
    composite.sum_ns = composite.sum_ns.saturating_add(sum_ns);
    buffered.duration_ns = buffered.duration_ns.max(nanos(buffered.start, end));
}

fn within(span: &SpanRecord, max: Duration) -> bool {
    u128::from(span.duration_ns) <= max.as_nanos()
}

fn strategy(compression: Compression, first: &SpanRecord, second: &SpanRecord) -> Option<CompressionStrategy> {
    if !same_kind(first, second) {
        return None;
    }
    let (strategy, max) = if same_text(&first.name, &second.name) {
        (CompressionStrategy::ExactMatch, compression.exact_match_max)
    } else {
        (CompressionStrategy::SameKind, compression.same_kind_max)
    };
    (within(first, max) && within(second, max)).then_some(strategy)
}

fn fits(compression: Compression, strategy: CompressionStrategy, buffered: &SpanRecord, child: &SpanRecord) -> bool {
    let (same_name, max) = match strategy {
        CompressionStrategy::ExactMatch => (same_text(&buffered.name, &child.name), compression.exact_match_max),
        CompressionStrategy::SameKind => (true, compression.same_kind_max),
    };
    same_name && within(child, max) && same_kind(buffered, child)
}

fn same_kind(a: &SpanRecord, b: &SpanRecord) -> bool {
    let alike = same_text(&a.kind, &b.kind)
        && match (&a.subtype, &b.subtype) {
            (Some(a), Some(b)) => same_text(a, b),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
    // Without details the callee follows from type and subtype.
    alike && ((a.details.is_none() && b.details.is_none()) || service_target(a) == service_target(b))
}

/// Equality that need not look at the letters of one and the same literal.
#[inline]
fn same_text(a: &str, b: &str) -> bool {
    std::ptr::eq(a, b) || a == b
}

fn same_kind_name(span: &SpanRecord) -> String {
    let target = service_target(span).unwrap_or_default();
    match (target.kind, target.name) {
        (None, None) => "Calls to unknown".to_owned(),
        (Some(part), None) | (None, Some(part)) => format!("Calls to {part}"),
        (Some(kind), Some(name)) => format!("Calls to {kind}/{name}"),
    }
}

#[cfg(test)]
mod tests;
