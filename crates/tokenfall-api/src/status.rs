//! State of the server.

use serde::Serialize;
use utoipa::ToSchema;

/// Answer of `GET /api/v1/status`; the Get-started page reads it every second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Status {
    /// Version of Tokenfall.
    pub version: String,
    /// True if requests need a secret.
    pub auth_required: bool,
    /// Events that are stored.
    pub events: EventTotals,
    /// The newest service seen; null if no event is stored.
    pub newest_service: Option<NewestService>,
    /// Intake requests since the start by result, for the check list of the Get-started page.
    pub intake: IntakeTotals,
}

/// Stored events by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventTotals {
    /// Transactions.
    pub transaction: u64,
    /// Spans.
    pub span: u64,
    /// Errors.
    pub error: u64,
    /// Metricsets.
    pub metricset: u64,
    /// Log records.
    pub log: u64,
}

/// Service of the newest event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NewestService {
    /// Name.
    pub name: String,
    /// Agent, such as `python`.
    pub agent_name: Option<String>,
    /// Its version.
    pub agent_version: Option<String>,
    /// When the event happened.
    pub timestamp_us: i64,
    /// Trace to open, if the service sent one.
    pub trace_id: Option<String>,
}

/// Intake requests since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct IntakeTotals {
    /// Requests.
    pub requests: u64,
    /// Of them refused for a missing or wrong secret.
    pub unauthorized: u64,
    /// Of them with at least one bad line, or bad as a whole.
    pub invalid: u64,
    /// Of them turned away because the server was busy.
    pub unavailable: u64,
    /// Events accepted.
    pub events_accepted: u64,
    /// Events refused.
    pub events_rejected: u64,
}

/// Answer of `GET /api/v1/store/stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct StoreStats {
    /// Events that are durably stored.
    pub events: EventTotals,
    /// Bytes of the data directory.
    pub disk_bytes: u64,
}
