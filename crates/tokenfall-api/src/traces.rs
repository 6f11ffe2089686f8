//! One trace, ready to be drawn.

use serde::Serialize;
use tokenfall_model::Usd;
use utoipa::ToSchema;

use crate::llm::TokenSources;

/// Answer of `GET /api/v1/traces/{trace_id}/skeleton`: every transaction and span of the trace as columns.
///
/// Row `i` of each column describes the same item. Rows are in display order (pre-order: a parent, then its children by start
/// time, each with its whole subtree). Attributes and texts come from `GET /api/v1/traces/{trace_id}/items/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TraceSkeleton {
    /// Trace.
    pub trace_id: String,
    /// Begin of the earliest item on the common clock, in microseconds since the epoch.
    pub start_us: i64,
    /// From there to the end of the last item.
    pub duration_us: u64,
    /// Number of items (rows).
    pub items: usize,
    /// Id of the span or transaction.
    pub id: Vec<String>,
    /// Row of the parent; −1 for a root.
    pub parent: Vec<i32>,
    /// Items in the subtree, this one included.
    pub subtree: Vec<u32>,
    /// Begin after `start_us`, clock skew corrected.
    pub offset_us: Vec<i64>,
    /// Duration.
    pub duration: Vec<u64>,
    /// Index into `names`.
    pub name: Vec<u32>,
    /// Index into `services`.
    pub service: Vec<u32>,
    /// Index into `types`: `type.subtype` of a span, type of a transaction.
    #[serde(rename = "type")]
    pub kind_of_work: Vec<u32>,
    /// What the item is, for its colour.
    pub kind: Vec<ItemKind>,
    /// Sum of [`flag`] bits.
    pub flags: Vec<u32>,
    /// Merged spans of a composite; 0 for any other item.
    pub composite_count: Vec<u64>,
    /// Time inside the merged spans, gaps left out.
    pub composite_sum_us: Vec<u64>,
    /// HTTP status code; 0 if there is none.
    pub status_code: Vec<u16>,
    /// Errors captured in this very item.
    pub error_count: Vec<u32>,
    /// Which attempt at the same work this is, from 1; 0 where there was only one.
    pub attempt: Vec<u32>,
    /// Time to the first chunk of a streamed answer; −1 if not known.
    pub first_chunk_us: Vec<i64>,
    /// Chunks of a streamed answer; 0 if not known.
    pub chunks: Vec<u64>,
    /// When the chunks of streamed answers came, for the items whose agent said so.
    pub arrivals: Vec<Arrivals>,
    /// What is known of the model calls, by row.
    pub calls: Vec<TraceCall>,
    /// All model calls of the trace together; null if there is none and no cost.
    pub llm: Option<TraceLlm>,
    /// Dictionary of names.
    pub names: Vec<String>,
    /// Dictionary of services.
    pub services: Vec<String>,
    /// Dictionary of types.
    pub types: Vec<String>,
    /// Errors of the trace by time.
    pub errors: Vec<TraceError>,
    /// What the duration of the root consists of, by time: each instant belongs to one item.
    pub critical_path: Vec<CriticalPathSegment>,
    /// Spans that agents dropped.
    pub dropped_spans: u64,
    /// Items whose parent is not in the store, by row: drawn under the root with an explanation.
    pub orphans: Vec<i32>,
    /// False if not everything was loaded.
    pub complete: bool,
}

/// When the chunks of one streamed answer came.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Arrivals {
    /// Row of the model call.
    pub item: u32,
    /// Chunks that each offset stands for. More than one if the answer was long.
    pub chunks_per_offset: u32,
    /// Microseconds after the start of the item, ascending.
    pub offsets_us: Vec<u64>,
}

/// Tokens and cost of one model call.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TraceCall {
    /// Row of the model call.
    pub item: u32,
    /// Model.
    pub model: Option<String>,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
    /// How the tokens were got: `reported`, `counted`, `derived`, `estimated`.
    pub source: Option<String>,
    /// Cost.
    #[schema(value_type = Option<String>)]
    pub usd: Option<Usd>,
}

/// Tokens and cost of a trace, each model call counted once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TraceLlm {
    /// Model calls, attempts that failed included.
    pub calls: u64,
    /// Of them failed.
    pub failed_calls: u64,
    /// Tokens of questions and answers, as far as they are known.
    pub total_tokens: Option<u64>,
    /// How they were got.
    pub sources: TokenSources,
    /// Cost, as far as it is known.
    #[schema(value_type = Option<String>)]
    pub usd: Option<Usd>,
    /// Calls that succeeded and whose cost is not known.
    pub unpriced_calls: u64,
}

/// Bits of `flags`.
pub mod flag {
    /// A transaction, not a span.
    pub const TRANSACTION: u32 = 1;
    /// Outcome failure.
    pub const FAILURE: u32 = 2;
    /// Outcome success.
    pub const SUCCESS: u32 = 4;
    /// Not waited for by its parent (`span.sync` false).
    pub const ASYNC: u32 = 8;
    /// The parent is not in the store.
    pub const ORPHAN: u32 = 16;
    /// The start was moved because the clocks of two machines disagree.
    pub const SKEW_CORRECTED: u32 = 32;
    /// Composite of spans with the same name (`exact_match`).
    pub const COMPOSITE_EXACT: u32 = 64;
    /// Composite of spans of the same kind (`same_kind`).
    pub const COMPOSITE_SAME_KIND: u32 = 128;
    /// A model call.
    pub const GENERATION: u32 = 256;
    /// Chunks of a streamed answer.
    pub const TOKENS: u32 = 512;
}

/// What an item is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// Language model.
    Llm,
    /// Search and retrieval.
    Retrieval,
    /// HTTP, RPC and the program's own code.
    Http,
    /// Database, cache, queue and storage.
    Db,
    /// Tool or agent step.
    Tool,
    /// Anything else.
    Other,
}

/// One error of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TraceError {
    /// Id of the occurrence.
    pub id: String,
    /// Row of the item in which it happened; −1 if that item is not in the store.
    pub item: i32,
    /// When, after the start of the trace.
    pub offset_us: i64,
    /// Group.
    pub grouping_key: String,
    /// Service.
    pub service: String,
    /// Type of the exception.
    pub exception_type: Option<String>,
    /// Message.
    pub message: String,
    /// Function that is to blame.
    pub culprit: Option<String>,
}

/// A part of the critical path: during it, this item alone was being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CriticalPathSegment {
    /// Row.
    pub item: i32,
    /// Begin after the start of the trace.
    pub from_us: i64,
    /// End.
    pub to_us: i64,
}

/// Answer of `GET /api/v1/traces/{trace_id}/items/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TraceItem {
    /// The stored document, in Elastic's shape.
    #[schema(value_type = Object)]
    pub document: serde_json::Value,
    /// Documents of the errors captured in the item, at most 20.
    #[schema(value_type = Vec<Object>)]
    pub errors: Vec<serde_json::Value>,
}
