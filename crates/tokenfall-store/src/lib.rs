//! Where documents are kept: [`Store`], and the engines behind it.
//!
//! [`embedded`] is the only code that knows Tantivy.

pub mod embedded;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokenfall_model::fields::FieldKind;
use tokenfall_model::{Document, EventKind};
use tokenfall_query::{SearchRequest, SearchResponse, TimeRange};

/// A question that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The request makes no sense: an unknown field, an aggregation on text, a metric with aggregations inside.
    #[error("invalid search: {0}")]
    Invalid(String),
    /// It took too long or needed too much memory.
    #[error("the search was stopped: {0}; narrow the time range or the filter")]
    Stopped(String),
    /// The engine failed.
    #[error("the search failed: {0}")]
    Engine(String),
}

/// Documents that were not stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// Too many bytes wait for the log; the sender should come again.
    #[error("queue is full")]
    QueueFull,
    /// The store is closing.
    #[error("server is shutting down")]
    Closing,
    /// The disk is full, or nearly so.
    #[error("the disk of the data directory is full: free some space or shorten the retention")]
    DiskFull,
    /// The log could not be written.
    #[error("the log could not be written: {0}")]
    Log(Arc<std::io::Error>),
}

/// Called once, when it is known whether a batch is durable. Must not block: it runs on the log's thread.
pub type OnDurable = Box<dyn FnOnce(Result<(), AppendError>) + Send + 'static>;

/// Answers questions. Blocks its thread; callers on an async runtime use a blocking pool.
pub trait Search: Send + Sync {
    /// Answers one question over the documents that are visible now.
    fn search(&self, request: &SearchRequest) -> Result<SearchResponse, SearchError>;

    /// Names of the fields that events of one kind in a time range have and that can be aggregated, labels included, sorted. May
    /// name fields that only other events of the same partitions have.
    fn field_names(&self, kind: EventKind, time: TimeRange) -> Result<Vec<FieldName>, SearchError>;
}

/// A field that some event has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName {
    /// Dotted name.
    pub name: String,
    /// How it is indexed; labels are keywords, numeric labels and samples numbers.
    pub kind: FieldKind,
}

/// Keeps documents.
pub trait Store: Search {
    /// Takes a batch. Returns at once; `on_durable` is called with `Ok` only after the whole batch is on disk, and a batch
    /// for which it was called with `Ok` is found exactly once by searches within a second, also after `kill -9`.
    fn append(&self, batch: Vec<Document>, on_durable: OnDurable);

    /// What is durably stored now.
    fn stats(&self) -> StoreStats;

    /// Finishes what was accepted and closes the files. Appends that come later get [`AppendError::Closing`].
    fn close(&self);
}

/// What is durably stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStats {
    /// Events by kind.
    pub events: EventCounts,
    /// Bytes of the data directory.
    pub disk_bytes: u64,
}

/// Events by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCounts {
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

impl EventCounts {
    /// Number of events of one kind.
    pub const fn get(&self, kind: EventKind) -> u64 {
        match kind {
            EventKind::Transaction => self.transaction,
            EventKind::Span => self.span,
            EventKind::Error => self.error,
            EventKind::Metricset => self.metricset,
            EventKind::Log => self.log,
        }
    }

    /// Counts `n` more events of one kind.
    pub const fn add(&mut self, kind: EventKind, n: u64) {
        let count = match kind {
            EventKind::Transaction => &mut self.transaction,
            EventKind::Span => &mut self.span,
            EventKind::Error => &mut self.error,
            EventKind::Metricset => &mut self.metricset,
            EventKind::Log => &mut self.log,
        };
        *count = count.saturating_add(n);
    }

    /// Events of all kinds.
    pub const fn total(&self) -> u64 {
        self.transaction + self.span + self.error + self.metricset + self.log
    }
}
