//! What goes along with slowness, failure, or whatever was selected.

use serde::Serialize;
use tokenfall_model::Usd;
use utoipa::ToSchema;

use crate::common::Range;

/// What is explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CorrelationsOf {
    /// Long durations.
    #[default]
    Latency,
    /// Failure.
    Failures,
    /// Being in the selection.
    Selection,
}

/// Answer of `GET /api/v1/correlations`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CorrelationsAnswer {
    /// Time range of the answer.
    pub range: Range,
    /// What is explained.
    pub of: CorrelationsOf,
    /// The set that is looked at: all transactions for latency, failures, or the selection.
    pub selected: CorrelationSet,
    /// The set that it is compared with: all transactions for latency, else those that are not in the first.
    pub baseline: CorrelationSet,
    /// What stands out, strongest first. Without anything that does, the strongest that was found, marked as not significant.
    pub correlations: Vec<Correlation>,
    /// True if something stands out.
    pub is_significant: bool,
    /// Values of fields that were looked at.
    pub tested: u64,
    /// Fields that were looked at.
    pub fields: Vec<String>,
    /// Fields with so many values that only the most frequent ones of each part of the data were looked at.
    pub fields_sampled: Vec<String>,
    /// Share of false discoveries that is accepted among what stands out.
    pub false_discovery_rate: f64,
    /// Too few transactions to say anything (fewer than 20 in one of the sets).
    pub not_enough: bool,
    /// Durations of both sets, for drawing: the same bars, from short to long.
    pub distribution: Vec<CorrelationBar>,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// One of the two sets.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CorrelationSet {
    /// Transactions.
    pub count: u64,
    /// Mean duration in microseconds.
    pub latency_avg_us: Option<f64>,
    /// failure / (success + failure).
    pub failure_rate: Option<f64>,
    /// Mean cost of those whose cost is known.
    #[schema(value_type = Option<String>)]
    pub usd_avg: Option<Usd>,
}

/// One bar: transactions with `from_us ≤ duration < to_us`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct CorrelationBar {
    /// Shortest duration inside.
    pub from_us: u64,
    /// First duration after.
    pub to_us: u64,
    /// All transactions.
    pub all: u64,
    /// Those of the selected set.
    pub selected: u64,
}

/// How strong a correlation is, as Kibana words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Below every threshold: shown only because nothing stronger was found, or found by our test alone.
    VeryLow,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

/// One value, or range of a number, that goes along with what is explained.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Correlation {
    /// Dotted name of the field.
    pub field: String,
    /// Its value; for a number the range as text, such as `≥ 412`.
    pub value: String,
    /// Lower end of the range of a number.
    pub from: Option<f64>,
    /// Upper end, exclusive.
    pub to: Option<f64>,
    /// Other fields and values that the very same transactions have.
    pub same_as: Vec<FieldAndValue>,
    /// Transactions with the value.
    pub count: u64,
    /// Of them in the selected set.
    pub selected_count: u64,
    /// Share of the selected set that has the value; for latency, of all.
    pub selected_share: f64,
    /// Share of the baseline that has the value.
    pub baseline_share: f64,
    /// Kibana's figure: correlation coefficient for latency, normalised score from 0 to 1 otherwise.
    pub score: f64,
    /// Kibana's p-value: Kolmogorov–Smirnov for latency, χ² otherwise; null where it is not defined (too few).
    pub kibana_p: Option<f64>,
    /// Kibana's word for the strength.
    pub impact: Impact,
    /// p-value of our own test: Mann–Whitney for durations, Fisher's exact or χ² for counts.
    pub p: f64,
    /// The same after control of the false discovery rate over everything that was tested (Benjamini–Hochberg).
    pub q: f64,
    /// True if `q` is at most the accepted rate and the effect is worth mentioning.
    pub is_significant: bool,
    /// Mean duration with the value less the mean without it, in microseconds.
    pub effect_us: Option<f64>,
    /// Mean cost with the value less the mean without it, in US dollars.
    pub effect_usd: Option<f64>,
    /// Failure rate with the value less the rate without it, in percentage points.
    pub effect_failure_points: Option<f64>,
    /// Transactions with the value in each bar of `distribution`.
    pub distribution: Vec<u64>,
}

/// A field and one of its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldAndValue {
    /// Dotted name.
    pub field: String,
    /// Value.
    pub value: String,
}
