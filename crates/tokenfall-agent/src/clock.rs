//! Time of spans: monotonic for durations, anchored once a transaction to the wall clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A pair of clocks read at the same moment. Timestamps of everything in a transaction come from its anchor, so that spans
/// keep their order and distance even if the wall clock is set in between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchor {
    instant: Instant,
    /// Microseconds since 1970-01-01 UTC.
    timestamp_us: u64,
}

impl Anchor {
    /// Reads both clocks.
    pub(crate) fn now() -> Self {
        Self { instant: Instant::now(), timestamp_us: wall_us() }
    }

    /// Reads both clocks and moves back to `instant`.
    pub(crate) fn at(instant: Instant) -> Self {
        let now = Self::now();
        Self { instant, timestamp_us: now.timestamp_us(instant) }
    }

    /// The moment of the anchor.
    pub(crate) fn instant(self) -> Instant {
        self.instant
    }

    /// Microseconds since 1970-01-01 UTC at `instant`, also before the anchor.
    pub(crate) fn timestamp_us(self, instant: Instant) -> u64 {
        match instant.checked_duration_since(self.instant) {
            Some(after) => self.timestamp_us.saturating_add(after.as_micros() as u64),
            None => self.timestamp_us.saturating_sub(self.instant.duration_since(instant).as_micros() as u64),
        }
    }
}

/// Microseconds since 1970-01-01 UTC by the wall clock.
pub(crate) fn wall_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

/// Nanoseconds from `start` to `end`; 0 if `end` is not later.
#[inline]
pub(crate) fn nanos(start: Instant, end: Instant) -> u64 {
    let duration = end.saturating_duration_since(start);
    // `as_nanos` would go through 128 bits.
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(duration.subsec_nanos()))
}
