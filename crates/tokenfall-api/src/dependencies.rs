//! Dependencies: who is waited for.

use serde::Serialize;
use utoipa::ToSchema;

use crate::common::{Range, SeriesAxis, Summary, SummarySeries};
use crate::transactions::TraceSample;

/// Answer of `GET /api/v1/dependencies`, for all services or for one (`service=…`).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DependencyList {
    /// Time range of the answer.
    pub range: Range,
    /// Buckets of the series.
    pub axis: SeriesAxis,
    /// Rows, the one with the most time spent first.
    pub dependencies: Vec<DependencySummary>,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// One callee.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DependencySummary {
    /// Callee: the provider of model calls, else what the agent names.
    pub resource: String,
    /// `genai`, `db`, `messaging`, `storage` or `external`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Models that were asked, where known.
    pub models: Vec<String>,
    /// Services that call it.
    pub callers: Vec<String>,
    /// Figures of the calls. A streamed answer lasts until its last token.
    pub summary: Summary,
    /// Figures over time.
    pub series: SummarySeries,
    /// Share of the time spent in all dependencies.
    pub impact: f64,
}

/// Answer of `GET /api/v1/dependency?resource=…`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DependencyDetail {
    /// Time range of the answer.
    pub range: Range,
    /// Buckets of the series.
    pub axis: SeriesAxis,
    /// Figures; null if nothing called it in the range.
    pub dependency: Option<DependencySummary>,
    /// By calling service.
    pub callers: Vec<DependencyGroup>,
    /// By span name.
    pub operations: Vec<DependencyGroup>,
    /// Newest traces that call it.
    pub samples: Vec<TraceSample>,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// Calls of one service, or of one operation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DependencyGroup {
    /// Service or span name.
    pub name: String,
    /// Figures.
    pub summary: Summary,
    /// Share of the time spent in this dependency.
    pub impact: f64,
}
