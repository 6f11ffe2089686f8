//! Model calls: tokens against time, how answers stream.

use serde::Serialize;
use tokenfall_model::Usd;
use utoipa::ToSchema;

use crate::common::{Outcome, Range, SeriesAxis};

/// How many tokens of a figure were got in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TokenSources {
    /// Said by the provider or the program.
    pub reported: u64,
    /// Counted by the tokenizer of the model.
    pub counted: u64,
    /// From the number of chunks.
    pub derived: u64,
    /// From the number of characters.
    pub estimated: u64,
}

/// What the points of a scatter are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PointOf {
    /// Model calls: tokens of the answer against the duration of the call.
    #[default]
    Calls,
    /// Transactions: tokens of all their answers against the duration of the transaction.
    Transactions,
}

/// Answer of `GET /api/v1/llm/tokens`: tokens of answers against duration.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TokensAnswer {
    /// Time range of the answer.
    pub range: Range,
    /// What a point is.
    pub of: PointOf,
    /// Model calls (or transactions) whose tokens and duration are known.
    pub matching: u64,
    /// Model calls (or transactions with model calls) that did not fail and whose tokens are not known.
    pub unknown: u64,
    /// The points as columns: all of `matching`, or an even sample of them.
    pub points: TokenPoints,
    /// Lines through the points: of all models first, then of each model with at least 10 points.
    pub fits: Vec<TokenFit>,
    /// Duration per 100 tokens by length of the answer, all models.
    pub per_100_tokens: Vec<Per100Tokens>,
    /// The points that lie farthest above the line of their model, farthest first.
    pub slow_for_size: Vec<SlowForSize>,
    /// How the tokens of `matching` were got.
    pub sources: TokenSources,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// Points as columns of equal length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct TokenPoints {
    /// Tokens of the answer.
    pub tokens: Vec<u64>,
    /// Duration in microseconds.
    pub duration_us: Vec<u64>,
    /// Begin, in microseconds since the epoch.
    pub timestamp_us: Vec<i64>,
    /// Index into `models`; −1 if the model is not known.
    pub model: Vec<i32>,
    /// True where the outcome is failure.
    pub failed: Vec<bool>,
    /// Models by number of points, the most frequent first.
    pub models: Vec<String>,
}

/// `duration = time to first token + tokens × time per token`, fitted robustly (Theil–Sen start, then Tukey's bisquare).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TokenFit {
    /// Model; null for all.
    pub model: Option<String>,
    /// Points.
    pub count: u64,
    /// Intercept: time to first token in microseconds.
    pub intercept_us: f64,
    /// Standard error of the intercept.
    pub intercept_error_us: f64,
    /// Slope: microseconds a token.
    pub us_per_token: f64,
    /// Standard error of the slope.
    pub us_per_token_error: f64,
    /// Slope in seconds for 100 tokens.
    pub seconds_per_100_tokens: f64,
    /// Coefficient of determination of the weighted fit; null if all durations are equal.
    pub r_squared: Option<f64>,
    /// Robust standard deviation of the residuals in microseconds.
    pub residual_us: f64,
    /// 95 % confidence band of the line at some numbers of tokens, ascending; for drawing.
    pub band: Vec<BandPoint>,
}

/// The confidence band at one number of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct BandPoint {
    /// Tokens.
    pub tokens: f64,
    /// Lower end, in microseconds.
    pub low_us: f64,
    /// The line.
    pub fit_us: f64,
    /// Upper end.
    pub high_us: f64,
}

/// Duration per 100 tokens of the answers of one range of lengths.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Per100Tokens {
    /// Fewest tokens.
    pub from_tokens: u64,
    /// First number of tokens that is too large.
    pub to_tokens: u64,
    /// Points.
    pub count: u64,
    /// 10th percentile of the microseconds for 100 tokens.
    pub p10_us: f64,
    /// Median.
    pub p50_us: f64,
    /// 90th percentile.
    pub p90_us: f64,
}

/// One model call or transaction, as a row that leads to its trace.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CallRow {
    /// Trace.
    pub trace_id: String,
    /// Span, or transaction if there is no span.
    pub span_id: String,
    /// Service.
    pub service: String,
    /// Name of the span or transaction.
    pub name: String,
    /// Model.
    pub model: Option<String>,
    /// Begin, in microseconds since the epoch.
    pub timestamp_us: i64,
    /// Duration until the last token.
    pub duration_us: u64,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
    /// Cost.
    #[schema(value_type = Option<String>)]
    pub usd: Option<Usd>,
    /// How it ended.
    pub outcome: Outcome,
}

/// A call that took longer than its tokens explain.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SlowForSize {
    /// The call.
    #[serde(flatten)]
    pub call: CallRow,
    /// Duration that the line of its model gives, in microseconds.
    pub expected_us: f64,
    /// What it took longer.
    pub excess_us: f64,
}

/// Answer of `GET /api/v1/llm/calls`: the calls (or transactions) of a selection.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CallList {
    /// Time range of the answer.
    pub range: Range,
    /// Calls in the selection.
    pub total: u64,
    /// The longest of them, longest first.
    pub calls: Vec<CallRow>,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// Answer of `GET /api/v1/llm/streaming`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct StreamingAnswer {
    /// Time range of the answer.
    pub range: Range,
    /// Buckets of the series.
    pub axis: SeriesAxis,
    /// Figures of all streamed calls.
    pub total: StreamingFigures,
    /// Figures by model, the one with the most calls first.
    pub models: Vec<ModelStreaming>,
    /// Figures over time.
    pub series: StreamingSeries,
    /// Distribution of the time to the first token.
    pub time_to_first_token: Vec<DurationBar>,
    /// Distribution of the time from token to token (the mean of each answer).
    pub inter_token: Vec<DurationBar>,
    /// Distribution of the tokens a second of each answer.
    pub tokens_per_second: Vec<RateBar>,
    /// Answers with the most time in stalls, the worst first.
    pub stalled: Vec<StalledAnswer>,
    /// Model calls that were not streamed, or of whose stream nothing is known.
    pub not_streamed: u64,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// How answers stream. Durations are microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct StreamingFigures {
    /// Streamed calls.
    pub calls: u64,
    /// Median time to the first token.
    pub time_to_first_token_p50_us: Option<f64>,
    /// 95th percentile.
    pub time_to_first_token_p95_us: Option<f64>,
    /// 99th percentile.
    pub time_to_first_token_p99_us: Option<f64>,
    /// Median time from token to token.
    pub inter_token_p50_us: Option<f64>,
    /// 95th percentile of the answers' mean time from token to token.
    pub inter_token_p95_us: Option<f64>,
    /// Median tokens a second.
    pub tokens_per_second_p50: Option<f64>,
    /// Tokens a second of the slowest 5 % of the answers.
    pub tokens_per_second_p5: Option<f64>,
    /// Answers whose gaps are known.
    pub with_gaps: u64,
    /// Of them had stalls.
    pub stalled: u64,
    /// Stalls.
    pub stalls: u64,
    /// Time in them.
    pub stall_us: u64,
}

/// Figures of one model.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ModelStreaming {
    /// Model; null if not known.
    pub model: Option<String>,
    /// Figures.
    pub figures: StreamingFigures,
}

/// One value for each bucket of the axis; null where nothing was streamed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct StreamingSeries {
    /// Median time to the first token.
    pub time_to_first_token_p50_us: Vec<Option<f64>>,
    /// 95th percentile.
    pub time_to_first_token_p95_us: Vec<Option<f64>>,
    /// Median time from token to token.
    pub inter_token_p50_us: Vec<Option<f64>>,
    /// Median tokens a second.
    pub tokens_per_second_p50: Vec<Option<f64>>,
    /// Streamed calls.
    pub calls: Vec<u64>,
    /// Stalls.
    pub stalls: Vec<u64>,
}

/// One bar of a distribution of durations: `from_us ≤ duration < to_us`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct DurationBar {
    /// Shortest duration inside.
    pub from_us: u64,
    /// First duration after.
    pub to_us: u64,
    /// Answers.
    pub count: u64,
}

/// One bar of a distribution of rates: `from ≤ tokens a second < to`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct RateBar {
    /// Smallest rate inside.
    pub from: f64,
    /// First rate after.
    pub to: f64,
    /// Answers.
    pub count: u64,
}

/// An answer that stood still.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct StalledAnswer {
    /// The call.
    #[serde(flatten)]
    pub call: CallRow,
    /// Stalls in it.
    pub stalls: Vec<Stall>,
}

/// One gap that is longer than 250 ms and than five median gaps.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Stall {
    /// When it began, after the start of the call.
    pub offset_us: u64,
    /// How long it was.
    pub gap_us: u64,
    /// Chunks that had come before.
    pub after_chunks: u64,
    /// About what stood before it, if the answer was captured: the end of the text that had come by then. Chunks are taken to be
    /// of equal length, so the place is near, not exact.
    pub text_before: Option<String>,
}
