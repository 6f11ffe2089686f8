//! When did the chunks of an answer come? At most [`MAX_TICKS`] offsets, however long the answer is.
//!
//! ```text
//! chunk     0 1 2 3 4 5 6 7 8 …
//! 1 a tick  ● ● ● ● ● ● ●              until the list is full
//! 2 a tick  ●   ●   ●   ●   ●          then every second one is forgotten, and only every second one noted
//! ```
//!
//! Written as text of at most [`MAX_CHARS`] characters; the format is specified in `docs/formats/token-timeline.md`.

/// Most offsets that are kept. So many fit into the text with two characters each.
const MAX_TICKS: usize = 480;
/// Longest text: Elastic keeps 1024 characters of an attribute.
pub(super) const MAX_CHARS: usize = 1000;
/// The digits of Base64 (RFC 4648 §4).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Offsets of chunks from the start of the call.
#[derive(Debug)]
pub(super) struct Timeline {
    /// Offsets in microseconds, rising, one for every `chunks_per_tick`th chunk, the first one included.
    ticks_us: Vec<u64>,
    chunks_per_tick: u64,
    /// Chunks that come before the next tick.
    until_tick: u64,
}

impl Timeline {
    pub(super) fn new() -> Self {
        Self { ticks_us: Vec::with_capacity(MAX_TICKS), chunks_per_tick: 1, until_tick: 0 }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.ticks_us.clear();
        self.chunks_per_tick = 1;
        self.until_tick = 0;
    }

    /// Notes a chunk. Never allocates.
    pub(super) fn push(&mut self, offset_us: u64) {
        if self.until_tick > 0 {
            self.until_tick -= 1;
            return;
        }
        if self.ticks_us.len() == MAX_TICKS {
            let mut index = 0_usize;
            self.ticks_us.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.chunks_per_tick = self.chunks_per_tick.saturating_mul(2);
        }
        // Offsets of one monotonic clock rise; a caller's own times need not.
        let last = self.ticks_us.last().copied().unwrap_or(0);
        self.ticks_us.push(offset_us.max(last));
        self.until_tick = self.chunks_per_tick - 1;
    }

    /// The text; `None` if no chunk came.
    pub(super) fn encode(&self) -> Option<String> {
        if self.ticks_us.is_empty() {
            return None;
        }
        // 1, 2, 5, 10, 20 … microseconds: the finest unit that fits.
        let mut unit_us = 1_u64;
        let mut step = 0_usize;
        loop {
            let text = self.encode_in(unit_us);
            if text.len() <= MAX_CHARS {
                return Some(text);
            }
            unit_us = if step % 3 == 1 { unit_us / 2 * 5 } else { unit_us * 2 };
            step += 1;
        }
    }

    fn encode_in(&self, unit_us: u64) -> String {
        let mut text = format!("1;{unit_us};{};", self.chunks_per_tick);
        let mut before = 0;
        for tick_us in &self.ticks_us {
            // The offset is rounded, not the distance, so that errors do not add up.
            let tick = tick_us.saturating_add(unit_us / 2) / unit_us;
            push_digits(&mut text, tick - before);
            before = tick;
        }
        text
    }
}

/// Appends a number, five bits a character, lowest first; the sixth bit says that more follow.
fn push_digits(text: &mut String, mut number: u64) {
    loop {
        let more = u64::from(number > 31) << 5;
        text.push(char::from(DIGITS[(number & 31 | more) as usize]));
        number >>= 5;
        if number == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(offsets_us: impl IntoIterator<Item = u64>) -> Timeline {
        let mut timeline = Timeline::new();
        offsets_us.into_iter().for_each(|offset| timeline.push(offset));
        timeline
    }

    #[test]
    fn the_example_of_the_specification() {
        let text = timeline([420_000, 450_100, 450_100, 481_000]).encode();
        assert_eq!(text.as_deref(), Some("1;1;1;gl6M0sdA0le"));
    }

    #[test]
    fn nothing_came() {
        assert_eq!(timeline([]).encode(), None);
    }

    #[test]
    fn a_full_list_is_thinned_out() {
        let chunks = MAX_TICKS as u64 * 2 + 3;
        let timeline = timeline((0..chunks).map(|n| n * 1000));
        assert_eq!(timeline.chunks_per_tick, 4);
        let expect: Vec<u64> = (0..chunks).step_by(4).map(|n| n * 1000).collect();
        assert_eq!(timeline.ticks_us, expect);
    }

    #[test]
    fn the_list_never_grows() {
        let mut timeline = Timeline::new();
        let capacity = timeline.ticks_us.capacity();
        (0..100_000).for_each(|n| timeline.push(n));
        assert_eq!(timeline.ticks_us.capacity(), capacity);
    }

    #[test]
    fn the_text_always_fits() {
        for gap_us in [0, 1, 31, 32, 40_000, 1 << 30, 1 << 50] {
            for chunks in [1, 2, 479, 480, 481, 961, 5000] {
                let text = timeline((0..chunks).map(|n| n * gap_us)).encode().expect("chunks came");
                assert!(text.len() <= MAX_CHARS, "{gap_us} µs, {chunks} chunks: {}", text.len());
            }
        }
    }

    #[test]
    fn the_server_reads_what_the_agent_writes() {
        // A stream with stalls: the offsets are strange, so that rounding errors would add up.
        let offsets = |n: u64| (0..n).map(|i| 412_345 + i * 33_333 + i / 100 * 1_234_567);
        for chunks in [1, 2, 30, 480, 481, 5000] {
            let text = timeline(offsets(chunks)).encode().expect("chunks came");
            let read = tokenfall_model::TokenTimeline::parse(&text).expect("a timeline");
            let truth: Vec<u64> = offsets(chunks).step_by(read.chunks_per_tick as usize).collect();
            assert_eq!(read.offsets_us.len(), truth.len(), "{text}");
            for (got, truth) in read.offsets_us.iter().zip(truth) {
                assert!(got.abs_diff(truth) * 2 <= read.unit_us, "{got} for {truth} in units of {}", read.unit_us);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_arrivals_are_read_back(gaps_us in proptest::collection::vec(0_u64..5_000_000, 1..1500)) {
            let mut at = 0;
            let offsets: Vec<u64> = gaps_us.iter().map(|gap| { at += gap; at }).collect();
            let text = timeline(offsets.iter().copied()).encode().expect("chunks came");
            proptest::prop_assert!(text.len() <= MAX_CHARS);
            let read = tokenfall_model::TokenTimeline::parse(&text).expect("a timeline");
            let truth: Vec<u64> = offsets.into_iter().step_by(read.chunks_per_tick as usize).collect();
            proptest::prop_assert_eq!(read.offsets_us.len(), truth.len());
            for (got, truth) in read.offsets_us.iter().zip(truth) {
                proptest::prop_assert!(got.abs_diff(truth) * 2 <= read.unit_us);
            }
        }
    }
}
