//! Reads token timelines: when the chunks of an answer came (`docs/formats/token-timeline.md`).

/// Most ticks that are read; writers keep 480.
const TICKS_MAX: usize = 1_024;

/// A stall is a gap that is longer than this, in microseconds, …
const STALL_MIN_US: u64 = 250_000;
/// … and than this many median gaps.
const STALL_MEDIANS: u64 = 5;

/// Arrivals of the chunks of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenTimeline {
    /// Offsets of the ticks from the start of the call in microseconds, rising.
    pub offsets_us: Vec<u64>,
    /// Tick `n` is chunk `n × chunks_per_tick`, both from 0.
    pub chunks_per_tick: u64,
    /// Precision of the offsets in microseconds: each is within half a unit of the truth.
    pub unit_us: u64,
}

/// A gap in the middle of an answer that stands out: longer than 250 ms and than five median gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// When it began, after the start of the call, in microseconds.
    pub offset_us: u64,
    /// How long it was, in microseconds.
    pub gap_us: u64,
    /// Chunks that had come before.
    pub after_chunks: u64,
}

/// A text that is no timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimelineError {
    /// Not `version;unit;chunks-per-tick;ticks`, or one of the first three is no number from 1.
    #[error("timeline is not of the form `1;unit;chunks per tick;ticks`")]
    Form,
    /// Written by a newer agent.
    #[error("timeline has an unknown version")]
    Version,
    /// Something else than the digits of Base64, or the last number is cut off.
    #[error("timeline has a tick that is no number")]
    Digit,
    /// An offset does not fit into 64 bits.
    #[error("timeline has an offset that is too large")]
    Range,
    /// More than 1,024 ticks.
    #[error("timeline has too many ticks")]
    Length,
}

impl TokenTimeline {
    /// Reads a timeline.
    pub fn parse(text: &str) -> Result<Self, TimelineError> {
        let mut parts = text.splitn(4, ';');
        let mut part = || parts.next().ok_or(TimelineError::Form);
        if part()? != "1" {
            return Err(TimelineError::Version);
        }
        let (unit_us, chunks_per_tick) = (positive(part()?)?, positive(part()?)?);
        let mut offsets_us = Vec::new();
        let mut ticks = 0_u64;
        let mut rest = part()?.as_bytes();
        while !rest.is_empty() {
            if offsets_us.len() == TICKS_MAX {
                return Err(TimelineError::Length);
            }
            let (distance, after) = number(rest)?;
            rest = after;
            ticks = ticks.checked_add(distance).ok_or(TimelineError::Range)?;
            offsets_us.push(ticks.checked_mul(unit_us).ok_or(TimelineError::Range)?);
        }
        if offsets_us.is_empty() {
            return Err(TimelineError::Form);
        }
        Ok(Self { offsets_us, chunks_per_tick, unit_us })
    }

    /// Stalls in the order of time. The time to the first chunk is none: nothing had come yet.
    pub fn stalls(&self) -> Vec<Stall> {
        let gaps = || self.offsets_us.windows(2).map(|pair| (pair[0], pair[1].saturating_sub(pair[0])));
        let mut lengths: Vec<u64> = gaps().map(|(_, gap)| gap).collect();
        lengths.sort_unstable();
        let median = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
        let stands_out = |gap: u64| gap > STALL_MIN_US && gap > median.saturating_mul(STALL_MEDIANS);
        let stalls = gaps().enumerate().filter(|(_, (_, gap))| stands_out(*gap));
        stalls
            .map(|(i, (offset_us, gap_us))| {
                let after_chunks = (i as u64).saturating_mul(self.chunks_per_tick).saturating_add(1);
                Stall { offset_us, gap_us, after_chunks }
            })
            .collect()
    }
}

fn positive(text: &str) -> Result<u64, TimelineError> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| is_number && *n > 0).ok_or(TimelineError::Form)
}

/// The first number and what comes after it.
fn number(digits: &[u8]) -> Result<(u64, &[u8]), TimelineError> {
    let mut number = 0_u64;
    let mut rest = digits;
    let mut shift = 0_u32;
    while let Some((first, after)) = rest.split_first() {
        let digit = u64::from(value(*first).ok_or(TimelineError::Digit)?);
        let (part, goes_on) = (digit % 32, digit >= 32);
        let shifted = part.checked_shl(shift).filter(|shifted| shifted >> shift == part);
        number |= shifted.ok_or(TimelineError::Range)?;
        rest = after;
        if !goes_on {
            return Ok((number, rest));
        }
        shift += 5;
    }
    Err(TimelineError::Digit)
}

/// Value of a digit of Base64.
fn value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stalls_stand_out() {
        let stalls = |offsets_us: &[u64], chunks_per_tick| {
            let timeline = TokenTimeline { offsets_us: offsets_us.to_vec(), chunks_per_tick, unit_us: 1 };
            timeline.stalls().into_iter().map(|s| (s.offset_us, s.gap_us, s.after_chunks)).collect::<Vec<_>>()
        };
        assert_eq!(stalls(&[900_000], 1), []);
        assert_eq!(stalls(&[0, 40, 80, 120, 400_120], 1), [(120, 400_000, 4)]);
        assert_eq!(stalls(&[0, 40, 80, 120, 400_120], 4), [(120, 400_000, 13)]);
        assert_eq!(stalls(&[0, 100_000, 200_000, 300_000, 700_000], 1), [], "not even five times as long");
        assert_eq!(stalls(&[0, 4, 8, 12, 250_012], 1), [], "too short to be seen");
    }

    #[test]
    fn the_example_of_the_specification() {
        let expect =
            TokenTimeline { offsets_us: vec![420_000, 450_100, 450_100, 481_000], chunks_per_tick: 1, unit_us: 1 };
        assert_eq!(TokenTimeline::parse("1;1;1;gl6M0sdA0le"), Ok(expect));
    }

    #[test]
    fn units_and_chunks() {
        let expect = TokenTimeline { offsets_us: vec![50, 1_650], chunks_per_tick: 4, unit_us: 50 };
        assert_eq!(TokenTimeline::parse("1;50;4;BgB"), Ok(expect));
    }

    #[test]
    fn what_is_no_timeline_is_refused() {
        let many = format!("1;1;1;{}", "A".repeat(TICKS_MAX + 1));
        for (text, error) in [
            ("", TimelineError::Version),
            ("2;1;1;A", TimelineError::Version),
            ("1;1;1", TimelineError::Form),
            ("1;1;1;", TimelineError::Form),
            ("1;0;1;A", TimelineError::Form),
            ("1;1;0;A", TimelineError::Form),
            ("1;+1;1;A", TimelineError::Form),
            ("1;x;1;A", TimelineError::Form),
            ("1;1;1;A;B", TimelineError::Digit),
            ("1;1;1;ä", TimelineError::Digit),
            ("1;1;1;Ag", TimelineError::Digit),
            ("1;1;1;gggggggggggggggB", TimelineError::Range),
            ("1;1;1;////////////Q", TimelineError::Range),
            ("1;18446744073709551615;1;C", TimelineError::Range),
            (&many, TimelineError::Length),
        ] {
            assert_eq!(TokenTimeline::parse(text), Err(error), "{text}");
        }
        let largest = TokenTimeline::parse("1;1;1;////////////P").map(|timeline| timeline.offsets_us);
        assert_eq!(largest, Ok(vec![u64::MAX]));
        assert_eq!(TokenTimeline::parse("1;1;1;////////////PB"), Err(TimelineError::Range));
    }
}
