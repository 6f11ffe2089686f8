//! Transactions and spans, and what stands in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{DurationUs, Frame, Headers, Id, Json, Name, Outcome};
use crate::ids::{SpanId, TraceId, TransactionId};

/// `transaction.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// Id.
    pub id: Option<TransactionId>,
    /// Name of the group, such as `GET /search`.
    pub name: Option<String>,
    /// Type, such as `request`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// How long it took.
    pub duration: Option<DurationUs>,
    /// Result in the words of the protocol, such as `HTTP 2xx`.
    pub result: Option<String>,
    /// False if only the fact of the transaction was recorded.
    pub sampled: Option<bool>,
    /// 1 / sample rate.
    pub representative_count: Option<f64>,
    /// Spans made and dropped.
    pub span_count: Option<SpanCount>,
    /// True if the transaction has no parent (set by the enrichment).
    pub root: Option<bool>,
    /// Named points in time, in milliseconds after the start, by group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<String, BTreeMap<String, f64>>,
    /// Anything that the program attached.
    pub custom: Option<Json>,
    /// Message that was processed.
    pub message: Option<Box<Message>>,
    /// What a browser measured.
    pub experience: Option<Box<Experience>>,
    /// Statistics of exit spans that the agent dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped_spans_stats: Vec<DroppedSpanStats>,
}

/// `transaction.span_count.*`
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanCount {
    /// Spans reported; a composite counts once.
    pub started: Option<u64>,
    /// Spans not reported.
    pub dropped: Option<u64>,
}

/// One row of `transaction.dropped_spans_stats`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DroppedSpanStats {
    /// Callee.
    pub destination_service_resource: Option<String>,
    /// Type of the callee.
    pub service_target_type: Option<String>,
    /// Name of the callee.
    pub service_target_name: Option<String>,
    /// How the calls ended.
    pub outcome: Option<Outcome>,
    /// Number of calls.
    pub count: Option<u64>,
    /// Time in the calls.
    pub sum: Option<DurationUs>,
}

/// `transaction.experience.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Experience {
    /// Cumulative layout shift.
    pub cls: Option<f64>,
    /// First input delay in milliseconds.
    pub fid: Option<f64>,
    /// Total blocking time in milliseconds.
    pub tbt: Option<f64>,
    /// Long tasks.
    pub longtask: Option<LongTask>,
}

/// `transaction.experience.longtask.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LongTask {
    /// Number of tasks.
    pub count: Option<u64>,
    /// Milliseconds in all.
    pub sum: Option<f64>,
    /// Milliseconds of the longest.
    pub max: Option<f64>,
}

/// `span.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Id; on transactions and errors the id of the transaction.
    pub id: Option<SpanId>,
    /// Name, such as `SELECT FROM documents`.
    pub name: Option<String>,
    /// Type, such as `db`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Subtype, such as `postgresql`.
    pub subtype: Option<String>,
    /// Action, such as `query`.
    pub action: Option<String>,
    /// How long it took; for a composite from the first start to the last end, gaps included.
    pub duration: Option<DurationUs>,
    /// False if the caller did not wait.
    pub sync: Option<bool>,
    /// 1 / sample rate.
    pub representative_count: Option<f64>,
    /// Set if several like spans were merged into this one.
    pub composite: Option<Composite>,
    /// Callee.
    pub destination: Option<SpanDestination>,
    /// Database call.
    pub db: Option<Box<Db>>,
    /// Message that was sent or received.
    pub message: Option<Box<Message>>,
    /// OpenTelemetry span kind.
    #[serde(rename = "kind")]
    pub otel_kind: Option<String>,
    /// Causes in other traces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Where the span was started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacktrace: Vec<Frame>,
    /// Breakdown metric: time in spans of this type less time in their children.
    pub self_time: Option<SelfTime>,
}

/// `span.composite.*`
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Composite {
    /// Number of merged spans.
    pub count: u64,
    /// Sum of their durations, gaps left out.
    pub sum: DurationUs,
    /// `exact_match` or `same_kind`; absent if the agent sent another word.
    pub compression_strategy: Option<String>,
}

/// `span.self_time.*` of a breakdown metricset.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTime {
    /// Number of spans.
    pub count: Option<u64>,
    /// Their self time.
    pub sum: Option<DurationUs>,
}

/// `span.destination.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpanDestination {
    /// `span.destination.service.*`
    pub service: Option<DestinationService>,
}

/// `span.destination.service.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DestinationService {
    /// Callee as the agent names it.
    pub resource: Option<String>,
    /// Deprecated.
    pub name: Option<String>,
    /// Deprecated.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// `span.db.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Db {
    /// Database.
    pub instance: Option<String>,
    /// Kind of database.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Statement.
    pub statement: Option<String>,
    /// User of the database.
    pub user: Option<Name>,
    /// Database link.
    pub link: Option<String>,
    /// Rows touched.
    pub rows_affected: Option<i64>,
}

/// `transaction.message.*`, `span.message.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Queue.
    pub queue: Option<Name>,
    /// Age when it was received.
    pub age: Option<MessageAge>,
    /// Body.
    pub body: Option<String>,
    /// Routing key.
    pub routing_key: Option<String>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: Headers,
}

/// `message.age.*`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAge {
    /// Milliseconds.
    pub ms: i64,
}

/// A link to a span of another trace.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Trace.
    pub trace: Option<Id<TraceId>>,
    /// Span.
    pub span: Option<Id<SpanId>>,
}
