//! What is computed over the documents that match: Elasticsearch's aggregations, the subset that both engines execute.

use serde::{Deserialize, Serialize};
use tokenfall_model::fields::Field;

use crate::filter::{Filter, Value};
use crate::request::Sort;

/// Named aggregations, in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Aggregations(pub Vec<(String, Aggregation)>);

impl Aggregations {
    /// No aggregation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    #[must_use]
    pub fn with(mut self, name: &str, aggregation: Aggregation) -> Self {
        self.0.push((name.to_owned(), aggregation));
        self
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An aggregation with the aggregations inside each of its buckets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aggregation {
    /// What is computed.
    pub kind: AggregationKind,
    /// Computed again in each bucket; must be empty for metrics.
    pub aggs: Aggregations,
}

/// Order of the buckets of a terms aggregation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermsOrder {
    /// Most documents first; equal counts by key.
    #[default]
    CountDescending,
    /// By key, ascending.
    KeyAscending,
    /// By a metric directly inside the bucket, largest first.
    MetricDescending(String),
}

/// The aggregations. Field names are dotted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregationKind {
    /// A bucket for each value. Counts are exact unless there is a `segment_size`: nothing is cut before the merge.
    Terms {
        /// Keyword, bool or number.
        field: String,
        /// Buckets to return.
        size: usize,
        /// Their order.
        order: TermsOrder,
        /// Key for documents without the field; without it they are left out.
        missing: Option<String>,
        /// Buckets kept from each segment, the first in the order there; none keeps all and is exact. As Elasticsearch's
        /// `shard_size`, it bounds what a field with very many values costs: a bucket that a segment cuts lacks the documents
        /// of that segment. The bucket of documents without the field is never cut.
        #[serde(default)]
        segment_size: Option<usize>,
    },
    /// A bucket for each combination of values; key is the list of them.
    MultiTerms {
        /// Fields, each with the key for documents without it; without one they are left out.
        fields: Vec<(String, Option<String>)>,
        /// Buckets to return.
        size: usize,
        /// Their order.
        order: TermsOrder,
    },
    /// A bucket for each interval of time, empty ones between the first and the last (or the bounds) included.
    DateHistogram {
        /// Date field.
        field: String,
        /// Width in microseconds.
        interval_us: i64,
        /// First and last instant (inclusive, in microseconds) that must have a bucket even if it is empty.
        bounds_us: Option<(i64, i64)>,
    },
    /// A bucket for each range of numbers.
    Range {
        /// Numeric field.
        field: String,
        /// Ranges `from ≤ x < to`, in the order of the buckets; they may overlap.
        ranges: Vec<(Option<f64>, Option<f64>)>,
    },
    /// One bucket: the documents that also satisfy a filter.
    Filter(Filter),
    /// A bucket for each named filter.
    Filters(Vec<(String, Filter)>),
    /// Mean.
    Avg(String),
    /// Sum.
    Sum(String),
    /// Smallest.
    Min(String),
    /// Largest.
    Max(String),
    /// Number of values.
    ValueCount(String),
    /// Percentiles, with a relative error of at most 1 % (DDSketch).
    Percentiles {
        /// Numeric field.
        field: String,
        /// Percentages between 0 and 100.
        percents: Vec<f64>,
    },
    /// Number of distinct values.
    Cardinality(String),
    /// The first documents of the bucket, whole.
    TopHits {
        /// How many.
        size: usize,
        /// Which are first.
        sort: Vec<Sort>,
    },
    /// How the documents of each row spread over the columns: a contingency table. All rows are counted in one pass.
    Crosstab {
        /// Rows; a document can be in several.
        rows: Vec<CrosstabRow>,
        /// Columns.
        columns: CrosstabColumns,
    },
    /// Values of some fields of documents, as columns: an even sample of the documents, the same each time.
    Points {
        /// Keywords, bools, numbers and dates; of several values the first. Documents without one of them have none there.
        fields: Vec<String>,
        /// Most documents.
        size: usize,
    },
}

/// A row of a contingency table: the documents with a value of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrosstabRow {
    /// The keyword, bool, label or number is this.
    Value {
        /// Dotted name.
        field: String,
        /// Value.
        value: Value,
    },
    /// The number lies between the bounds that are given.
    Range {
        /// Dotted name.
        field: String,
        /// At least.
        gte: Option<f64>,
        /// Less than.
        lt: Option<f64>,
    },
}

/// Columns of a contingency table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrosstabColumns {
    /// Ranges `from ≤ x < to` of a number, ascending and without overlap; gaps are allowed.
    Ranges {
        /// Numeric field.
        field: String,
        /// Ranges.
        ranges: Vec<(Option<f64>, Option<f64>)>,
    },
    /// Conditions; a document can satisfy several.
    Filters(Vec<Filter>),
}

impl CrosstabColumns {
    /// Number of columns.
    pub fn len(&self) -> usize {
        match self {
            Self::Ranges { ranges, .. } => ranges.len(),
            Self::Filters(filters) => filters.len(),
        }
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl AggregationKind {
    /// This aggregation with nothing inside.
    pub fn leaf(self) -> Aggregation {
        Aggregation { kind: self, aggs: Aggregations::new() }
    }

    /// This aggregation with others in each of its buckets.
    pub fn with(self, aggs: Aggregations) -> Aggregation {
        Aggregation { kind: self, aggs }
    }

    /// Terms by count.
    pub fn terms(field: Field, size: usize) -> Self {
        let field = field.name.to_owned();
        Self::Terms { field, size, order: TermsOrder::default(), missing: None, segment_size: None }
    }

    /// The most frequent terms of a field that may have very many: each segment keeps `segment_size` of them.
    pub fn frequent_terms(field: impl Into<String>, size: usize, segment_size: usize) -> Self {
        let (field, segment_size) = (field.into(), Some(segment_size));
        Self::Terms { field, size, order: TermsOrder::default(), missing: None, segment_size }
    }

    /// Percentiles of a field.
    pub fn percentiles(field: Field, percents: &[f64]) -> Self {
        Self::Percentiles { field: field.name.to_owned(), percents: percents.to_vec() }
    }

    /// Mean of a field.
    pub fn avg(field: Field) -> Self {
        Self::Avg(field.name.to_owned())
    }

    /// Sum of a field.
    pub fn sum(field: Field) -> Self {
        Self::Sum(field.name.to_owned())
    }

    /// Number of values of a field.
    pub fn value_count(field: Field) -> Self {
        Self::ValueCount(field.name.to_owned())
    }

    /// Number of distinct values of a field.
    pub fn cardinality(field: Field) -> Self {
        Self::Cardinality(field.name.to_owned())
    }

    /// Smallest value of a field.
    pub fn min(field: Field) -> Self {
        Self::Min(field.name.to_owned())
    }

    /// Largest value of a field.
    pub fn max(field: Field) -> Self {
        Self::Max(field.name.to_owned())
    }
}
