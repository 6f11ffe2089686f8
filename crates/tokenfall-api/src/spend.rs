//! What model calls cost. Amounts are decimal numbers of US dollars as text, exact to 10⁻¹² USD.

use serde::Serialize;
use tokenfall_model::Usd;
use utoipa::ToSchema;

use crate::common::Range;
use crate::llm::TokenSources;

/// Answer of `GET /api/v1/llm/spend`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SpendAnswer {
    /// Time range of the answer.
    pub range: Range,
    /// Everything in the range.
    pub total: SpendFigures,
    /// Spend over time.
    pub series: SpendSeries,
    /// What the calendar month of the end of the range will have cost; null without spend in it.
    pub forecast: Option<Forecast>,
    /// What `rows` are of.
    pub by: String,
    /// Spend by it, the dearest first.
    pub rows: Vec<SpendRow>,
    /// Rows that were left out because there are too many.
    pub rows_omitted: u64,
    /// Spend of those rows.
    #[schema(value_type = String)]
    pub omitted_usd: Usd,
    /// Spend that no row has, because the events do not say (a transaction without the label, a call whose transaction never came).
    #[schema(value_type = String)]
    pub unattributed_usd: Usd,
    /// Models whose calls could not be priced.
    pub unpriced: Vec<UnpricedModel>,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// Figures of a part of the spend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct SpendFigures {
    /// Transactions with model calls, or with a cost of their own; for a breakdown by model, null: a transaction can ask several.
    pub transactions: Option<u64>,
    /// Model calls.
    pub calls: u64,
    /// Model calls that succeeded and whose cost is not known.
    pub unpriced_calls: u64,
    /// Cost.
    #[schema(value_type = String)]
    pub usd: Usd,
    /// Cost of one transaction on average, of those whose cost is known.
    #[schema(value_type = Option<String>)]
    pub usd_per_transaction: Option<Usd>,
    /// Cost of one call on average, of those that succeeded and whose cost is known.
    #[schema(value_type = Option<String>)]
    pub usd_per_call: Option<Usd>,
    /// Of `usd` in transactions that failed; null where `transactions` is.
    #[schema(value_type = Option<String>)]
    pub failed_transactions_usd: Option<Usd>,
    /// Of `usd` for calls that failed: attempts that were paid for and tried again or given up.
    #[schema(value_type = String)]
    pub failed_calls_usd: Usd,
    /// Tokens of questions.
    pub input_tokens: Option<u64>,
    /// Tokens of answers.
    pub output_tokens: Option<u64>,
    /// Tokens of both, of the calls that say; null if none does.
    pub total_tokens: Option<u64>,
    /// How they were got.
    pub sources: TokenSources,
    /// Failed transactions.
    pub failed_transactions: Option<u64>,
}

/// Spend over time.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SpendSeries {
    /// Begin of the first bucket, in microseconds since the epoch.
    pub start_us: i64,
    /// Width of a bucket.
    pub bucket_us: i64,
    /// Cost in each bucket.
    #[schema(value_type = Vec<String>)]
    pub usd: Vec<Usd>,
    /// Transactions in each bucket.
    pub transactions: Vec<u64>,
}

/// What a month will have cost, from the days of it that are over and the pace of the last ones.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Forecast {
    /// Month, such as `2026-11`.
    pub month: String,
    /// Spent in it so far.
    #[schema(value_type = String)]
    pub spent_usd: Usd,
    /// Expected at its end.
    #[schema(value_type = String)]
    pub expected_usd: Usd,
    /// Lower end of the range that holds it in four cases of five.
    #[schema(value_type = String)]
    pub low_usd: Usd,
    /// Upper end.
    #[schema(value_type = String)]
    pub high_usd: Usd,
    /// Whole days that it was made from.
    pub days: u32,
}

/// Spend of one model, user, …
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SpendRow {
    /// Value of what `by` says.
    pub key: String,
    /// Figures.
    #[serde(flatten)]
    pub figures: SpendFigures,
    /// Part of the whole spend.
    pub share: f64,
    /// Mean duration of the transactions (of the calls, by model) in microseconds.
    pub latency_avg_us: Option<f64>,
    /// failure / (success + failure) of the transactions (of the calls, by model).
    pub failure_rate: Option<f64>,
}

/// A model without a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnpricedModel {
    /// Provider.
    pub provider: Option<String>,
    /// Model; null if nobody said.
    pub model: Option<String>,
    /// Calls that succeeded and have no cost.
    pub calls: u64,
    /// Why: `no_model`, `no_price`, `no_tokens`.
    pub reason: UnpricedReason,
}

/// Why a call has no cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnpricedReason {
    /// Nobody named the model.
    NoModel,
    /// The numbers of tokens are not known.
    NoTokens,
    /// The price list has no such model.
    NoPrice,
}

/// Answer of `GET /api/v1/llm/questions`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct QuestionList {
    /// Time range of the answer.
    pub range: Range,
    /// Questions, the most frequent first. Those that differ in case, spaces and the mark at their end are one.
    pub questions: Vec<Question>,
    /// Questions that were left out because there are too many.
    pub questions_omitted: u64,
    /// Transactions that have a question.
    pub asked: u64,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Question {
    /// As most people wrote it.
    pub question: String,
    /// Every way in which it was written, the most frequent first, at most 20.
    pub variants: Vec<String>,
    /// How often it was asked.
    pub count: u64,
    /// Users who asked it, as far as they are known; of a question with variants, those who asked the most frequent one.
    pub users: Option<u64>,
    /// Mean duration in microseconds.
    pub latency_avg_us: Option<f64>,
    /// 95th percentile of the duration; of a question with variants, their mean by frequency.
    pub latency_p95_us: Option<f64>,
    /// failure / (success + failure).
    pub failure_rate: Option<f64>,
    /// Cost of all answers to it.
    #[schema(value_type = Option<String>)]
    pub usd: Option<Usd>,
    /// Cost of one on average.
    #[schema(value_type = Option<String>)]
    pub usd_per_question: Option<Usd>,
    /// Tokens of questions and answers, as far as they are known.
    pub total_tokens: Option<u64>,
    /// When it was asked last, in microseconds since the epoch.
    pub last_us: i64,
}
