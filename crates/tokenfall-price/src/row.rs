//! A row of the price list and the file format: one JSON object a line. `docs/formats/prices.md` describes it for people.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use tokenfall_model::Usd;

use crate::matching::Clause;

/// Prices of one model from one day on, for one way of processing.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceRow {
    /// Provider, such as `openai`.
    pub provider: String,
    /// Name of the model.
    pub model: String,
    /// Which names are this model; without it, only `model` itself.
    #[serde(rename = "match")]
    pub clause: Option<Clause>,
    /// First day on which the prices hold (UTC, `2026-10-14`); without it they always did, as far as the list knows.
    pub valid_from: Option<String>,
    /// Service tier or processing that the prices are for, such as `flex`, `priority`, `batch`; without it, the usual one.
    pub tier: Option<String>,
    /// Hours of the day in UTC between which the prices hold instead of the others (`["00:30", "16:30"]`).
    pub hours_utc: Option<[String; 2]>,
    /// Prices.
    #[serde(flatten)]
    pub prices: Prices,
    /// Prices for calls whose question is longer, ascending. They hold for all tokens of such a call; what they leave out stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub above: Vec<LongPrices>,
}

/// US dollars for a million tokens.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// Tokens of the question.
    pub input: Option<Usd>,
    /// Of them read from the provider's cache; without it, as `input`.
    pub cache_read: Option<Usd>,
    /// Of them written to the provider's cache; without it, as `input`.
    pub cache_write: Option<Usd>,
    /// Tokens of the answer.
    pub output: Option<Usd>,
    /// Of them thought and not said; without it, as `output`.
    pub reasoning: Option<Usd>,
}

/// Prices of calls with a long question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongPrices {
    /// They hold for questions of more tokens than this.
    pub input_tokens: u64,
    /// Prices.
    #[serde(flatten)]
    pub prices: Prices,
}

impl Prices {
    /// These prices, and those of `other` where there is none.
    pub fn or(self, other: Self) -> Self {
        Self {
            input: self.input.or(other.input),
            cache_read: self.cache_read.or(other.cache_read),
            cache_write: self.cache_write.or(other.cache_write),
            output: self.output.or(other.output),
            reasoning: self.reasoning.or(other.reasoning),
        }
    }
}

/// A price file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "line {line} of {file} is no price row: {problem}. Correct or remove the line; docs/formats/prices.md has the format"
)]
pub struct PriceFileError {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// Reads a price file. Empty lines and lines that begin with `#` are left out.
pub fn parse_rows(file: &str, text: &str) -> Result<Vec<PriceRow>, PriceFileError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.trim().starts_with('#'));
    lines
        .map(|(i, line)| {
            let row = serde_json::from_str(line).map_err(|error| error.to_string());
            row.and_then(PriceRow::checked).map_err(|problem| PriceFileError {
                file: file.to_owned(),
                line: i + 1,
                problem,
            })
        })
        .collect()
}

impl PriceRow {
    /// Checks what the types do not.
    fn checked(self) -> Result<Self, String> {
        if self.provider.is_empty() || self.model.is_empty() {
            return Err("provider and model must not be empty".into());
        }
        if let Some(day) = &self.valid_from
            && day.parse::<jiff::civil::Date>().is_err()
        {
            return Err(format!("valid_from is {day:?}, not a day such as 2026-10-14"));
        }
        for time in self.hours_utc.iter().flatten() {
            if time.parse::<jiff::civil::Time>().is_err() {
                return Err(format!("hours_utc has {time:?}, not a time of day such as 16:30"));
            }
        }
        if self.prices == Prices::default() {
            return Err("it has no price: give at least one of input, output".into());
        }
        let Prices { input, cache_read, cache_write, output, reasoning } = self.prices;
        if [input, cache_read, cache_write, output, reasoning].into_iter().flatten().any(|price| price < Usd::ZERO) {
            return Err("a price is negative".into());
        }
        self.clause.iter().try_for_each(Clause::check)?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_line_and_reason() {
        for (line, part) in [
            ("{", "EOF"),
            (r#"{"provider":"openai","model":"m"}"#, "no price"),
            (r#"{"provider":"openai","model":"m","input":"1","valid_from":"yesterday"}"#, "not a day"),
            (r#"{"provider":"openai","model":"m","input":"-1"}"#, "negative"),
            (r#"{"provider":"openai","model":"m","input":"1 USD"}"#, "not an amount in USD"),
            (r#"{"provider":"openai","model":"m","input":"1","prize":"2"}"#, "prize"),
            (r#"{"provider":"openai","model":"m","input":"1","match":{"regex":"("}}"#, "regular expression"),
        ] {
            let error = parse_rows("prices.jsonl", &format!("# mine\n{line}\n")).unwrap_err();
            let message = error.to_string();
            assert!(message.starts_with("line 2 of prices.jsonl") && message.contains(part), "{message}");
        }
    }

    #[test]
    fn rows_survive_writing_and_reading() {
        let line = r#"{"provider":"a","model":"m","match":{"or":[{"equals":"m"},{"not":{"contains":"x"}}]},"valid_from":"2026-01-01","tier":"batch","hours_utc":["00:30","16:30"],"input":"2.5","output":"0.0375","above":[{"input_tokens":200000,"input":"5"}]}"#;
        let rows = parse_rows("f", line).unwrap();
        assert_eq!(serde_json::to_string(&rows[0]).unwrap(), line);
    }
}
