//! Transaction groups and their traces.

use serde::Serialize;
use utoipa::ToSchema;

use crate::common::{Outcome, Range, SeriesAxis, Summary, SummarySeries};

/// Answer of `GET /api/v1/services/{service}/transactions`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TransactionGroupList {
    /// Time range of the answer.
    pub range: Range,
    /// Transaction type; null if the service sent no transaction.
    pub transaction_type: Option<String>,
    /// Groups, the one with the most time spent first.
    pub groups: Vec<TransactionGroup>,
    /// Groups that were left out because there are too many.
    pub groups_omitted: u64,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// Transactions of one name.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TransactionGroup {
    /// Name.
    pub name: String,
    /// Figures.
    pub summary: Summary,
    /// Share of the time of all groups.
    pub impact: f64,
}

/// Answer of `GET /api/v1/services/{service}/transaction?name=…`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TransactionDetail {
    /// Time range of the answer.
    pub range: Range,
    /// Buckets of the series.
    pub axis: SeriesAxis,
    /// Name.
    pub name: String,
    /// Type.
    pub transaction_type: Option<String>,
    /// Figures.
    pub summary: Summary,
    /// Figures over time.
    pub series: SummarySeries,
    /// How the durations are distributed.
    pub distribution: LatencyDistribution,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// Histogram of durations over steps of equal ratio.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LatencyDistribution {
    /// Bars, from short to long, without gaps between them.
    pub buckets: Vec<LatencyBucket>,
}

/// One bar: `from_us ≤ duration < to_us`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct LatencyBucket {
    /// Shortest duration inside.
    pub from_us: u64,
    /// First duration after.
    pub to_us: u64,
    /// Transactions.
    pub count: u64,
    /// Of them failed.
    pub failed: u64,
}

/// Answer of `GET /api/v1/services/{service}/transaction/samples?name=…`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TraceSampleList {
    /// Samples spread over the selection, newest first.
    pub samples: Vec<TraceSample>,
    /// Transactions in the selection.
    pub selected: u64,
}

/// One transaction whose trace can be opened.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TraceSample {
    /// Trace.
    pub trace_id: String,
    /// Transaction.
    pub transaction_id: String,
    /// When it began.
    pub timestamp_us: i64,
    /// How long it took.
    pub duration_us: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// Answer of `GET /api/v1/traces`: the newest root transactions.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TraceList {
    /// Time range of the answer.
    pub range: Range,
    /// Traces, newest first.
    pub traces: Vec<TraceSummary>,
    /// Root transactions in the range.
    pub total: u64,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// One trace, by its root transaction.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TraceSummary {
    /// Trace and transaction.
    #[serde(flatten)]
    pub sample: TraceSample,
    /// Service of the root transaction.
    pub service: String,
    /// Name of the root transaction.
    pub name: String,
}
