//! Conversations: what one person went through.

use serde::Serialize;
use tokenfall_model::Usd;
use utoipa::ToSchema;

use crate::common::{Outcome, Range};

/// Answer of `GET /api/v1/sessions`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SessionList {
    /// Time range of the answer.
    pub range: Range,
    /// Sessions, the one with the newest event first.
    pub sessions: Vec<SessionSummary>,
    /// Sessions in the range.
    pub total: u64,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SessionSummary {
    /// Its id.
    pub id: String,
    /// User, if one is named.
    pub user: Option<String>,
    /// Services that took part.
    pub services: Vec<String>,
    /// Turns: transactions of the session.
    pub turns: u64,
    /// Turns that failed.
    pub failed: u64,
    /// Begin of the first turn, in microseconds since the epoch.
    pub first_us: i64,
    /// Begin of the last turn.
    pub last_us: i64,
    /// Mean duration of a turn in microseconds.
    pub latency_avg_us: Option<f64>,
    /// Time of all turns: what the person waited.
    pub waited_us: u64,
    /// Model calls.
    pub calls: u64,
    /// Tokens of questions and answers, as far as they are known.
    pub total_tokens: Option<u64>,
    /// Cost, as far as it is known.
    #[schema(value_type = Option<String>)]
    pub usd: Option<Usd>,
}

/// Answer of `GET /api/v1/sessions/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SessionDetail {
    /// Time range of the answer.
    pub range: Range,
    /// The session.
    pub session: SessionSummary,
    /// Its turns by time, at most 500.
    pub turns: Vec<Turn>,
    /// False if a part of the data could not be read.
    pub complete: bool,
}

/// One transaction of a session.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Turn {
    /// Trace.
    pub trace_id: String,
    /// Transaction.
    pub transaction_id: String,
    /// Service.
    pub service: String,
    /// Name of the transaction.
    pub name: String,
    /// Begin, in microseconds since the epoch.
    pub timestamp_us: i64,
    /// How long the person waited for the whole answer.
    pub duration_us: u64,
    /// How long until the first token of the first answer; null if not known.
    pub time_to_first_token_us: Option<u64>,
    /// Time since the end of the turn before; null for the first.
    pub pause_us: Option<i64>,
    /// What was asked, if it is known.
    pub question: Option<String>,
    /// Text of the answers, if they were captured; cut after 2,000 characters each, at most 10.
    pub answers: Vec<String>,
    /// Models that answered.
    pub models: Vec<String>,
    /// Model calls.
    pub calls: u64,
    /// Tokens of questions and answers.
    pub total_tokens: Option<u64>,
    /// Cost.
    #[schema(value_type = Option<String>)]
    pub usd: Option<Usd>,
    /// How it ended.
    pub outcome: Outcome,
    /// Types of the exceptions captured in it.
    pub errors: Vec<String>,
}
