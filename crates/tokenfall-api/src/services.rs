//! Services.

use serde::Serialize;
use utoipa::ToSchema;

use crate::common::{Range, SeriesAxis, Summary, SummarySeries};

/// Answer of `GET /api/v1/services`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ServiceList {
    /// Time range of the answer.
    pub range: Range,
    /// Buckets of the series.
    pub axis: SeriesAxis,
    /// One row for each service, the one with the most time spent first.
    pub services: Vec<ServiceSummary>,
    /// Instant of the newest event that is stored, in any range; null if there is none at all.
    pub newest_event_us: Option<i64>,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ServiceSummary {
    /// Name.
    pub name: String,
    /// Environments; empty if none was sent.
    pub environments: Vec<String>,
    /// Agent, such as `python`.
    pub agent_name: Option<String>,
    /// Transaction type that the figures are of: `request`, else the one with the most transactions. Null if the service
    /// sent no transaction.
    pub transaction_type: Option<String>,
    /// Figures of that type.
    pub summary: Summary,
    /// Figures over time.
    pub series: SummarySeries,
    /// Errors captured.
    pub errors: u64,
}

/// Answer of `GET /api/v1/services/{service}`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ServiceDetail {
    /// Time range of the answer.
    pub range: Range,
    /// Buckets of the series.
    pub axis: SeriesAxis,
    /// Name.
    pub name: String,
    /// Environments.
    pub environments: Vec<String>,
    /// Agents with versions, such as `python 6.26.2`.
    pub agents: Vec<String>,
    /// Languages and runtimes with versions.
    pub runtimes: Vec<String>,
    /// Versions of the service.
    pub versions: Vec<String>,
    /// Instances (`service.node.name`).
    pub instances: Vec<String>,
    /// Transaction types, the one with the most transactions first.
    pub transaction_types: Vec<String>,
    /// Type that the figures are of; null if the service sent no transaction.
    pub transaction_type: Option<String>,
    /// Figures.
    pub summary: Summary,
    /// Figures over time.
    pub series: SummarySeries,
    /// Where the time goes: self time by span type, the largest first (from the agents' breakdown metrics).
    pub time_by_span_type: Vec<SpanTypeTime>,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// Self time in spans of one type.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SpanTypeTime {
    /// Span type; `app` is the program's own code.
    pub span_type: String,
    /// Subtype.
    pub span_subtype: Option<String>,
    /// Spans.
    pub count: f64,
    /// Self time.
    pub sum_us: f64,
    /// Share of the self time of all types.
    pub share: f64,
}

/// Answer of `GET /api/v1/environments`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EnvironmentList {
    /// Environments in use.
    pub environments: Vec<String>,
    /// True if there are events without an environment too.
    pub has_undefined: bool,
}
