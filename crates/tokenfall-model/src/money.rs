//! Money: exact integers, never floating point.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Parts of a dollar in which amounts are kept: a token at 0.01 USD a million costs 10,000 of them.
const PER_USD: i128 = 1_000_000_000_000;
/// Decimal places of an amount.
const DIGITS: usize = 12;
/// Longest text that is read as an amount, in bytes.
const BYTES_MAX: usize = 64;

/// An amount of US dollars: an integer of 10⁻¹² USD. Written as an exact decimal number, such as `0.002875`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(i128);

/// Text that is no amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an amount in USD: expected a decimal number such as 0.002875")]
pub struct UsdError(String);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of 10⁻¹² USD.
    pub const fn from_pico(pico: i128) -> Self {
        Self(pico)
    }

    /// The amount in 10⁻¹² USD.
    pub const fn pico(self) -> i128 {
        self.0
    }

    /// The amount in 10⁻¹² USD as the index keeps it; amounts over nine million dollars are cut.
    pub fn pico_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(if self.0 < 0 { i64::MIN } else { i64::MAX })
    }

    /// A sum that an aggregation computed in floating point, in 10⁻¹² USD. Sums of up to 9,007 USD are exact, larger ones have
    /// sixteen digits.
    pub fn from_pico_sum(sum: f64) -> Self {
        // `as` saturates, and gives zero for what is no number.
        Self(sum.round() as i128)
    }

    /// From a floating point number, as programs send it in labels: the closest amount. `None` if it is negative or no number.
    pub fn from_f64(usd: f64) -> Option<Self> {
        (usd.is_finite() && (0.0..1e15).contains(&usd)).then(|| Self((usd * PER_USD as f64).round() as i128))
    }

    /// The amount as a floating point number of USD, for pictures and statistics.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / PER_USD as f64
    }

    /// An equal part of the amount, rounded; `None` of no part.
    pub fn divided_by(self, parts: u64) -> Option<Self> {
        (parts > 0).then(|| {
            let parts = i128::from(parts);
            Self((self.0 + parts / 2 * self.0.signum()) / parts)
        })
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, pico) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, fraction) = (pico / PER_USD.unsigned_abs(), pico % PER_USD.unsigned_abs());
        let fraction = format!("{fraction:0DIGITS$}");
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

impl FromStr for Usd {
    type Err = UsdError;

    /// Reads a decimal number. Digits after the twelfth are rounded.
    fn from_str(text: &str) -> Result<Self, UsdError> {
        let parse = || {
            if text.len() > BYTES_MAX {
                return None;
            }
            let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
            let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if !is_digits(whole) || !is_digits(fraction) {
                return None;
            }
            let (kept, rest) = fraction.split_at_checked(DIGITS).unwrap_or((fraction, ""));
            let kept: i128 = format!("{kept:0<DIGITS$}").parse().ok()?;
            let round = i128::from(rest.bytes().next().is_some_and(|digit| digit >= b'5'));
            let whole: i128 = whole.parse().ok()?;
            Some(Self(sign * (whole.checked_mul(PER_USD)?.checked_add(kept + round)?)))
        };
        parse().ok_or_else(|| UsdError(text.chars().take(BYTES_MAX).collect()))
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Usd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Usd {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_and_back() {
        for (text, pico) in [
            ("0", 0),
            ("0.002875", 2_875_000_000),
            ("1", 1_000_000_000_000),
            ("-12.5", -12_500_000_000_000),
            ("0.000000000001", 1),
            ("9007199.254740993", 9_007_199_254_740_993_000),
        ] {
            let usd: Usd = text.parse().unwrap();
            assert_eq!(usd.pico(), pico, "{text}");
            assert_eq!(usd.to_string(), text);
        }
        assert_eq!("0.0000000000015".parse::<Usd>().map(Usd::pico), Ok(2));
        for bad in ["", ".", "1.", ".5", "1e3", "--1", "1,5", "ä", &"1".repeat(65)] {
            assert!(bad.parse::<Usd>().is_err(), "{bad}");
        }
    }

    #[test]
    fn floating_point_only_at_the_edges() {
        assert_eq!(Usd::from_f64(0.002_892).map(|u| u.to_string()).as_deref(), Some("0.002892"));
        assert_eq!(Usd::from_f64(f64::NAN), None);
        assert_eq!(Usd::from_f64(-1.0), None);
        assert_eq!(Usd::from_pico_sum(f64::NAN), Usd::ZERO);
        assert_eq!(Usd::from_pico(10).divided_by(4), Some(Usd::from_pico(3)));
        assert_eq!(Usd::from_pico(10).divided_by(0), None);
    }

    #[test]
    fn json_is_text() {
        let json = serde_json::to_string(&Usd::from_pico(2_875_000_000)).unwrap();
        assert_eq!(json, "\"0.002875\"");
        assert_eq!(serde_json::from_str::<Usd>(&json).unwrap(), Usd::from_pico(2_875_000_000));
    }
}
