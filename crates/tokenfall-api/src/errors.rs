//! Error groups.

use serde::Serialize;
use utoipa::ToSchema;

use crate::common::{Range, SeriesAxis};

/// Answer of `GET /api/v1/errors`, for all services or for one (`service=…`).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ErrorGroupList {
    /// Time range of the answer.
    pub range: Range,
    /// Buckets of the series.
    pub axis: SeriesAxis,
    /// Groups, the most frequent first.
    pub groups: Vec<ErrorGroup>,
    /// Groups that were left out because there are too many.
    pub groups_omitted: u64,
    /// Occurrences in all groups over time.
    pub series: Vec<u64>,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// Errors that are the same but for their values.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ErrorGroup {
    /// Grouping key.
    pub grouping_key: String,
    /// Service.
    pub service: String,
    /// Type of the exception.
    pub exception_type: Option<String>,
    /// Message of the newest occurrence.
    pub message: String,
    /// Function that is to blame.
    pub culprit: Option<String>,
    /// True if the program caught it; null if the agent did not say.
    pub handled: Option<bool>,
    /// Occurrences in the range.
    pub occurrences: u64,
    /// First occurrence in the range.
    pub first_seen_us: i64,
    /// Last occurrence in the range.
    pub last_seen_us: i64,
    /// Occurrences over time.
    pub series: Vec<u64>,
}

/// Answer of `GET /api/v1/errors/{grouping_key}`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ErrorGroupDetail {
    /// Time range of the answer.
    pub range: Range,
    /// Buckets of the series.
    pub axis: SeriesAxis,
    /// The group; null if it has no occurrence in the range.
    pub group: Option<ErrorGroup>,
    /// Transactions in which it happened, the most frequent first.
    pub transactions: Vec<AffectedTransaction>,
    /// Occurrences, newest first, at most 100.
    pub occurrences: Vec<ErrorOccurrence>,
    /// The stored document of the occurrence that was asked for (`occurrence=…`), else of the newest.
    #[schema(value_type = Option<Object>)]
    pub sample: Option<serde_json::Value>,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// A transaction group in which an error happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AffectedTransaction {
    /// Name; null where the agent did not send it and the transaction is not in the store.
    pub name: Option<String>,
    /// Type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Occurrences.
    pub occurrences: u64,
}

/// One occurrence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorOccurrence {
    /// Id.
    pub error_id: String,
    /// When.
    pub timestamp_us: i64,
    /// Trace.
    pub trace_id: Option<String>,
    /// Transaction.
    pub transaction_id: Option<String>,
    /// Span or transaction in which it happened.
    pub parent_id: Option<String>,
}
