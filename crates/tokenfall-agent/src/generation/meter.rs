//! How do the chunks of an answer come in? Times to the first and the last one, gaps between them, and the timeline.
//!
//! Pure: every method is told the time. No chunk costs an allocation.

use std::time::{Duration, Instant};

use super::timeline::Timeline;
use crate::clock::nanos;

/// Bits of a gap below its leading one that count: an error of at most 1/32.
const PRECISION_BITS: u32 = 5;
/// Buckets for each power of two.
const STEPS: usize = 1 << PRECISION_BITS;
/// Gaps up to 2³² µs (71 minutes) are kept apart; longer ones share the last bucket.
const BUCKETS: usize = (32 - PRECISION_BITS as usize + 1) * STEPS;

/// Arrivals of chunks with content.
#[derive(Debug)]
pub(super) struct Meter {
    start: Instant,
    arrivals: Option<Arrivals>,
    gaps: Box<[u32; BUCKETS]>,
    timeline: Timeline,
}

#[derive(Clone, Copy, Debug)]
struct Arrivals {
    first: Instant,
    last: Instant,
    chunks: u64,
    longest_gap_ns: u64,
}

/// What a finished stream was like.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrived {
    pub(super) chunks: u64,
    pub(super) time_to_first: Duration,
    pub(super) time_to_last: Duration,
    /// Absent if there was one chunk only.
    pub(super) gaps: Option<Gaps>,
    pub(super) timeline: Option<String>,
}

/// Gaps between chunks that follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gaps {
    pub(super) p50: Duration,
    pub(super) p95: Duration,
    pub(super) max: Duration,
}

impl Meter {
    pub(super) fn new(start: Instant) -> Self {
        Self { start, arrivals: None, gaps: Box::new([0; BUCKETS]), timeline: Timeline::new() }
    }

    /// Forgets what came: the answer begins anew.
    pub(super) fn clear(&mut self) {
        self.arrivals = None;
        self.gaps.fill(0);
        self.timeline.clear();
    }

    /// A chunk has come.
    pub(super) fn chunk(&mut self, at: Instant) {
        self.timeline.push(nanos(self.start, at) / 1000);
        let Some(arrivals) = &mut self.arrivals else {
            self.arrivals = Some(Arrivals { first: at, last: at, chunks: 1, longest_gap_ns: 0 });
            return;
        };
        let gap_ns = nanos(arrivals.last, at);
        arrivals.last = at;
        arrivals.chunks += 1;
        arrivals.longest_gap_ns = arrivals.longest_gap_ns.max(gap_ns);
        let count = &mut self.gaps[bucket(gap_ns / 1000)];
        *count = count.saturating_add(1);
    }

    /// Chunks so far.
    pub(super) fn chunks(&self) -> u64 {
        self.arrivals.map_or(0, |arrivals| arrivals.chunks)
    }

    /// What the stream was like; `None` if nothing came.
    pub(super) fn arrived(&self) -> Option<Arrived> {
        let arrivals = self.arrivals?;
        let max = Duration::from_nanos(arrivals.longest_gap_ns);
        let gaps =
            (arrivals.chunks > 1).then(|| Gaps { p50: self.gap(0.5).min(max), p95: self.gap(0.95).min(max), max });
        Some(Arrived {
            chunks: arrivals.chunks,
            time_to_first: arrivals.first.saturating_duration_since(self.start),
            time_to_last: arrivals.last.saturating_duration_since(self.start),
            gaps,
            timeline: self.timeline.encode(),
        })
    }

    /// The gap that this share of the gaps does not exceed, to about 2 %.
    fn gap(&self, share: f64) -> Duration {
        let total: u64 = self.gaps.iter().map(|count| u64::from(*count)).sum();
        let rank = ((total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let of_rank = self.gaps.iter().position(|count| {
            seen += u64::from(*count);
            seen >= rank
        });
        Duration::from_micros(middle(of_rank.unwrap_or_default()))
    }
}

/// Bucket of a gap: linear below 32 µs, then 32 buckets for each power of two.
fn bucket(us: u64) -> usize {
    let us = us.min(u64::from(u32::MAX));
    if us < STEPS as u64 {
        return us as usize;
    }
    let exponent = us.ilog2() - PRECISION_BITS;
    (exponent as usize + 1) * STEPS + (us >> exponent) as usize - STEPS
}

/// Middle of a bucket in microseconds.
fn middle(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let exponent = bucket / STEPS - 1;
    let lowest = ((bucket % STEPS + STEPS) as u64) << exponent;
    lowest + (1_u64 << exponent) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_narrow_and_in_range() {
        for us in (0..2000).chain([65_535, 65_536, 1 << 31, u64::from(u32::MAX), u64::MAX]) {
            let of = bucket(us);
            assert!(of < BUCKETS, "{us}");
            let middle = middle(of) as f64;
            let us = us.min(u64::from(u32::MAX)) as f64;
            assert!((middle - us).abs() <= us / 31.0, "{us}: {middle}");
        }
    }

    #[test]
    fn a_stream_is_described() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        assert_eq!(meter.arrived(), None);
        let at = |ms: u64| start + Duration::from_millis(ms);
        // 19 gaps of 20 ms and one of 500 ms.
        let mut ms = 300;
        meter.chunk(at(ms));
        for n in 0..20 {
            ms += if n == 7 { 500 } else { 20 };
            meter.chunk(at(ms));
        }
        let arrived = meter.arrived().expect("chunks came");
        assert_eq!(
            (arrived.chunks, arrived.time_to_first, arrived.time_to_last),
            (21, at(300) - start, at(1180) - start)
        );
        let gaps = arrived.gaps.expect("several chunks came");
        let near = |gap: Duration, ms: u64| gap.abs_diff(Duration::from_millis(ms)) <= Duration::from_millis(ms) / 32;
        assert!(near(gaps.p50, 20) && near(gaps.p95, 20), "{gaps:?}");
        assert_eq!(gaps.max, Duration::from_millis(500));
        meter.clear();
        assert_eq!((meter.chunks(), meter.arrived()), (0, None));
    }

    #[test]
    fn one_chunk_has_no_gaps() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        meter.chunk(start + Duration::from_millis(5));
        let arrived = meter.arrived().expect("a chunk came");
        assert_eq!((arrived.gaps, arrived.chunks), (None, 1));
        assert_eq!(arrived.time_to_last, Duration::from_millis(5));
    }
}
