//! What did this model call cost? A dated list of prices, and exact arithmetic on it.

mod list;
mod matching;
mod provider;
mod row;

use tokenfall_model::Timestamp;
use tokenfall_model::document::PriceReference;

pub use list::PriceList;
pub use matching::Clause;
pub use row::{LongPrices, PriceFileError, PriceRow, Prices, parse_rows};
pub use tokenfall_model::Usd;

/// A model call, as far as its price depends on it.
#[derive(Clone, Copy, Debug)]
pub struct PricedCall<'a> {
    /// Provider, in OpenTelemetry's words (`openai`, `azure.ai.openai`, `aws.bedrock` …), if it is known.
    pub provider: Option<&'a str>,
    /// Model as the provider or the program names it; of Azure it may be a deployment.
    pub model: &'a str,
    /// When the call began: the price of that day counts.
    pub at: Timestamp,
    /// Tokens.
    pub tokens: CallTokens,
    /// `default`, `flex`, `priority`, `batch` …, if it is known.
    pub service_tier: Option<&'a str>,
}

/// Tokens of a call. Details are parts of their totals, as in OpenTelemetry's conventions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallTokens {
    /// Of the question, cached ones included.
    pub input: u64,
    /// Of `input` read from the provider's cache.
    pub cache_read: u64,
    /// Of `input` written to the provider's cache.
    pub cache_creation: u64,
    /// Of the answer, reasoning included.
    pub output: u64,
    /// Of `output` thought and not said.
    pub reasoning: u64,
}

/// A cost and the row of the list that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Amount.
    pub usd: Usd,
    /// Row.
    pub price: PriceReference,
}
