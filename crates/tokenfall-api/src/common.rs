//! Parts that several answers share.

use serde::Serialize;
use utoipa::ToSchema;

/// The time range that an answer covers, `from ≤ t < to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Range {
    /// First instant, in microseconds since the epoch.
    pub from_us: i64,
    /// First instant after the range.
    pub to_us: i64,
}

/// The buckets of all time series of one answer: bucket `i` begins at `start_us + i × bucket_us`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeriesAxis {
    /// Begin of the first bucket.
    pub start_us: i64,
    /// Width of a bucket.
    pub bucket_us: i64,
    /// Number of buckets.
    pub buckets: usize,
}

/// How a unit of work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
    /// Nobody said.
    Unknown,
}

/// Latency, throughput and failures of a set of transactions or calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Summary {
    /// How many there were.
    pub count: f64,
    /// Mean duration; null if there were none.
    pub latency_avg_us: Option<f64>,
    /// Median duration.
    pub latency_p50_us: Option<f64>,
    /// 95th percentile of the duration.
    pub latency_p95_us: Option<f64>,
    /// 99th percentile of the duration.
    pub latency_p99_us: Option<f64>,
    /// How many a minute.
    pub throughput_per_minute: f64,
    /// failure / (success + failure); null if no outcome is known.
    pub failure_rate: Option<f64>,
}

/// The same over time, one value for each bucket of the axis; null where nothing happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct SummarySeries {
    /// Mean duration.
    pub latency_avg_us: Vec<Option<f64>>,
    /// 95th percentile.
    pub latency_p95_us: Vec<Option<f64>>,
    /// 99th percentile.
    pub latency_p99_us: Vec<Option<f64>>,
    /// How many a minute.
    pub throughput_per_minute: Vec<f64>,
    /// Failure rate.
    pub failure_rate: Vec<Option<f64>>,
}
