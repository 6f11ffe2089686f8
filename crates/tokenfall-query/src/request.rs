//! A question to the store.

use serde::{Deserialize, Serialize};
use tokenfall_model::fields::Field;
use tokenfall_model::{EventKind, Timestamp};

use crate::aggregation::Aggregations;
use crate::filter::Filter;

/// Instants `from ≤ t < to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    /// First instant inside.
    pub from: Timestamp,
    /// First instant after.
    pub to: Timestamp,
}

/// Direction of a sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortOrder {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// One key of a sort; documents without the field come last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// Dotted name of a number or date.
    pub field: String,
    /// Direction.
    pub order: SortOrder,
}

impl Sort {
    /// Smallest first.
    pub fn ascending(field: Field) -> Self {
        Self { field: field.name.to_owned(), order: SortOrder::Ascending }
    }

    /// Largest first.
    pub fn descending(field: Field) -> Self {
        Self { field: field.name.to_owned(), order: SortOrder::Descending }
    }
}

/// Which documents to return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HitsRequest {
    /// How many.
    pub size: usize,
    /// Which are first; none means any order.
    pub sort: Vec<Sort>,
}

/// How much of each returned document is read (Elasticsearch's `_source` filter).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceFilter {
    /// All of it.
    #[default]
    Whole,
    /// All but the stack traces, which are most of the bytes of many spans and take most of the time to read.
    WithoutStackTraces,
}

/// A question to the store. `Default` asks how many documents there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchRequest {
    /// Time of the events; partitions outside are not opened.
    pub time: Option<TimeRange>,
    /// Kinds of events; none means all.
    pub kinds: Vec<EventKind>,
    /// Condition.
    pub filter: Filter,
    /// Documents to return.
    pub hits: Option<HitsRequest>,
    /// How much of the returned documents, those of `TopHits` included.
    #[serde(default)]
    pub source: SourceFilter,
    /// What to compute.
    pub aggs: Aggregations,
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self {
            time: None,
            kinds: Vec::new(),
            filter: Filter::All,
            hits: None,
            source: SourceFilter::Whole,
            aggs: Aggregations::new(),
        }
    }
}

impl SearchRequest {
    /// Asks for events of one kind in a time range.
    pub fn of(kind: EventKind, time: TimeRange) -> Self {
        Self { time: Some(time), kinds: vec![kind], ..Self::default() }
    }

    /// Adds a condition.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = self.filter.and(filter);
        self
    }

    /// Adds an aggregation.
    #[must_use]
    pub fn agg(mut self, name: &str, aggregation: crate::Aggregation) -> Self {
        self.aggs = self.aggs.with(name, aggregation);
        self
    }

    /// Asks for documents.
    #[must_use]
    pub fn hits(mut self, size: usize, sort: Vec<Sort>) -> Self {
        self.hits = Some(HitsRequest { size, sort });
        self
    }

    /// Leaves the stack traces of returned documents out.
    #[must_use]
    pub fn without_stack_traces(mut self) -> Self {
        self.source = SourceFilter::WithoutStackTraces;
        self
    }
}
