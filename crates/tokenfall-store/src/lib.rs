//! Where documents are kept: [`Store`], and the engines behind it.
//!
//! [`embedded`] is the only code that knows Tantivy.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokenfall_model::Document;
use tokenfall_query::{SearchRequest, SearchResponse};

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
