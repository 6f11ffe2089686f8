//! Time. Inside Tokenfall an instant is microseconds since the Unix epoch and a duration is microseconds; text appears only
//! at the edges.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant: microseconds since 1970-01-01T00:00:00Z.
///
/// Serialises as RFC 3339 with milliseconds (`@timestamp` in Elastic's documents; `timestamp.us` carries the microseconds).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Earliest and latest instants that can be written as text (years −9999 to 9999); others are clamped to them.
    const MIN_US: i64 = -377_705_023_201_000_000;
    const MAX_US: i64 = 253_402_207_200_999_000;

    /// Makes an instant from microseconds since the epoch.
    pub const fn from_micros(us: i64) -> Self {
        Self(us)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This instant moved by `us` microseconds; stops at the ends of the range.
    pub const fn saturating_add(self, us: i64) -> Self {
        Self(self.0.saturating_add(us))
    }

    /// Reads RFC 3339 text, with any number of fractional digits. `None` if the text is not a date.
    ///
    /// Also takes the offsets `+hhmm` and `+hh` (Elastic's agents for Java and .NET send them).
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(Self(instant.as_microsecond()));
        }
        None
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clamped = self.0.clamp(Self::MIN_US, Self::MAX_US);
        match jiff::Timestamp::from_microsecond(clamped) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "1970-01-01T00:00:00.000Z"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse_rfc3339(&text).ok_or_else(|| de::Error::custom(format_args!("not an RFC 3339 date: {text}")))
    }
}

/// A length of time in microseconds (`transaction.duration.us`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(u64);

impl Micros {
    /// Makes a duration from microseconds.
    pub const fn new(us: u64) -> Self {
        Self(us)
    }

    /// Converts a duration in milliseconds as agents send it. Truncates below one microsecond, as Elastic's ingest pipeline
    /// does; negative, infinite and NaN become zero (the decoder has refused them before).
    pub fn from_millis(ms: f64) -> Self {
        // Elastic goes through whole nanoseconds (value × 10⁶, truncated) and then divides by 1000, truncating again.
        Self(((ms * 1_000_000.0) as u64) / 1000)
    }

    /// The number of microseconds.
    pub const fn get(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_keep_milliseconds_as_text() {
        let instant = Timestamp::from_micros(1_494_342_245_999_999);
        assert_eq!(instant.to_string(), "2017-05-09T15:04:05.999Z");
        assert_eq!(Timestamp::parse_rfc3339("2017-05-09T15:04:05.999999Z"), Some(instant));
    }

    #[test]
    fn far_away_instants_do_not_panic() {
        for us in [i64::MIN, i64::MAX, 0, -1] {
            assert!(Timestamp::parse_rfc3339(&Timestamp::from_micros(us).to_string()).is_some(), "{us}");
        }
    }

    #[test]
    fn milliseconds_truncate() {
        assert_eq!(Micros::from_millis(32.592_981).get(), 32_592);
        assert_eq!(Micros::from_millis(-1.0).get(), 0);
        assert_eq!(Micros::from_millis(f64::NAN).get(), 0);
    }
}
