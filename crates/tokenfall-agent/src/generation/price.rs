//! What a call costs: exact decimal arithmetic, never floating point.

use std::fmt;
use std::str::FromStr;

use super::answer::TokenUsage;

/// Decimal places of a price per million tokens: the millionth part of a dollar for a million tokens is 10⁻¹² USD a token.
const PRICE_DIGITS: usize = 6;
/// Decimal places of a cost.
const COST_DIGITS: usize = 12;

/// Price of a million tokens in USD, with at most six decimal places.
///
/// ```
/// use tokenfall_agent::generation::TokenPrice;
///
/// let price: TokenPrice = "0.15".parse()?;
/// assert_eq!(price, TokenPrice::micro_usd_per_million(150_000));
/// # Ok::<(), tokenfall_agent::generation::PriceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenPrice(u64);

impl TokenPrice {
    /// A price in millionths of a USD for a million tokens: 150,000 is 0.15 USD.
    pub const fn micro_usd_per_million(micro_usd: u64) -> Self {
        Self(micro_usd)
    }
}

/// Text that is no price: not a decimal number, or with more than six decimal places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceError(String);

impl fmt::Display for PriceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no price in USD for a million tokens (at most {PRICE_DIGITS} decimal places)", self.0)
    }
}

impl std::error::Error for PriceError {}

impl FromStr for TokenPrice {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let parse = || {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
            if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || fraction.len() > PRICE_DIGITS {
                return None;
            }
            let whole: u64 = whole.parse().ok()?;
            let fraction: u64 = format!("{fraction:0<PRICE_DIGITS$}").parse().ok()?;
            whole.checked_mul(1_000_000)?.checked_add(fraction)
        };
        parse().map(Self).ok_or_else(|| PriceError(text.to_owned()))
    }
}

/// Prices of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    input: TokenPrice,
    output: TokenPrice,
    cache_read: Option<TokenPrice>,
    cache_creation: Option<TokenPrice>,
}

impl Prices {
    /// Prices of the question's and of the answer's tokens.
    pub const fn new(input: TokenPrice, output: TokenPrice) -> Self {
        Self { input, output, cache_read: None, cache_creation: None }
    }

    /// Price of tokens of the question that the provider had in its cache. Default: as the others.
    pub const fn cache_read(mut self, price: TokenPrice) -> Self {
        self.cache_read = Some(price);
        self
    }

    /// Price of tokens of the question that the provider put into its cache. Default: as the others.
    pub const fn cache_creation(mut self, price: TokenPrice) -> Self {
        self.cache_creation = Some(price);
        self
    }

    /// Cost of a call; `None` if a number that it takes is not known.
    pub fn cost(&self, usage: &TokenUsage) -> Option<Usd> {
        let (input, output) = (usage.input?, usage.output?);
        let cache_read = usage.cache_read.unwrap_or_default().min(input);
        let cache_creation = usage.cache_creation.unwrap_or_default().min(input - cache_read);
        let of = |tokens: u64, price: TokenPrice| u128::from(tokens) * u128::from(price.0);
        let pico_usd = of(input - cache_read - cache_creation, self.input)
            + of(cache_read, self.cache_read.unwrap_or(self.input))
            + of(cache_creation, self.cache_creation.unwrap_or(self.input))
            + of(output, self.output);
        Some(Usd { pico_usd })
    }
}

/// An amount of US dollars, exact to 10⁻¹². Written as a decimal number without exponent: `0.00123`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd {
    pico_usd: u128,
}

impl Usd {
    /// The amount in 10⁻¹² USD.
    pub const fn pico_usd(self) -> u128 {
        self.pico_usd
    }

    /// The nearest floating point number, for a label.
    pub fn as_f64(self) -> f64 {
        self.pico_usd as f64 / 1e12
    }
}

impl std::ops::Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { pico_usd: self.pico_usd.saturating_add(other.pico_usd) }
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_u128.pow(COST_DIGITS as u32);
        let fraction = format!("{:0COST_DIGITS$}", self.pico_usd % scale);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{}", self.pico_usd / scale),
            digits => write!(f, "{}.{digits}", self.pico_usd / scale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_exactly() {
        for (text, expect) in [
            ("0.15", Some(150_000)),
            ("2", Some(2_000_000)),
            ("2.50", Some(2_500_000)),
            ("0.000001", Some(1)),
            ("10.", Some(10_000_000)),
            ("0.0000001", None),
            ("", None),
            (".5", None),
            ("-1", None),
            ("1e3", None),
            ("1.2.3", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(text.parse::<TokenPrice>().ok(), expect.map(TokenPrice), "{text}");
        }
    }

    #[test]
    fn costs_are_exact() {
        let price = |text: &str| text.parse::<TokenPrice>().expect("a price");
        // gpt-4o, 1000 tokens in of which 500 cached, 100 out: 0.002875 USD.
        let prices = Prices::new(price("2.50"), price("10")).cache_read(price("1.25"));
        let usage = TokenUsage { input: Some(1000), output: Some(100), cache_read: Some(500), ..TokenUsage::default() };
        assert_eq!(prices.cost(&usage).map(|cost| cost.to_string()).as_deref(), Some("0.002875"));
        // Without a price of their own, cached tokens cost as much as the others.
        let plain = Prices::new(price("2.50"), price("10"));
        assert_eq!(plain.cost(&usage).map(|cost| cost.to_string()).as_deref(), Some("0.0035"));
        // What the article computes in floating point: 1446 / 1000 * 0.002.
        let one = Prices::new(price("2"), price("2"));
        let usage = TokenUsage { input: Some(1000), output: Some(446), ..TokenUsage::default() };
        assert_eq!(one.cost(&usage).map(|cost| cost.to_string()).as_deref(), Some("0.002892"));
        let usage = TokenUsage { input: Some(1_000_000), output: Some(0), ..TokenUsage::default() };
        assert_eq!(one.cost(&usage).map(|cost| cost.to_string()).as_deref(), Some("2"));
        assert_eq!(one.cost(&TokenUsage { output: Some(1), ..TokenUsage::default() }), None);
    }

    #[test]
    fn more_cached_than_asked_does_not_overflow() {
        let one = Prices::new(TokenPrice(1), TokenPrice(u64::MAX)).cache_read(TokenPrice(2));
        let usage = TokenUsage {
            input: Some(3),
            output: Some(u64::MAX),
            cache_read: Some(5),
            cache_creation: Some(7),
            ..TokenUsage::default()
        };
        assert!(one.cost(&usage).is_some());
    }

    #[test]
    fn amounts_add_up_exactly() {
        let amount = |pico_usd| Usd { pico_usd };
        assert_eq!((amount(1_500_000_000) + amount(2)).to_string(), "0.001500000002");
        assert_eq!(amount(u128::MAX) + amount(1), amount(u128::MAX));
    }
}
