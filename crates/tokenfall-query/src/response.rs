//! The store's answer.

use serde::Serialize;
use tokenfall_model::Document;

/// Answer to a [`crate::SearchRequest`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SearchResponse {
    /// Documents that match, all of them.
    pub total: u64,
    /// The documents that were asked for, in order.
    pub hits: Vec<Document>,
    /// Results under the names of the request.
    pub aggs: AggregationResults,
    /// False if a partition could not be read or the deadline passed: the figures are then too small.
    pub complete: bool,
}

/// Results by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AggregationResults(pub Vec<(String, AggregationResult)>);

impl AggregationResults {
    /// The result with this name.
    pub fn get(&self, name: &str) -> Option<&AggregationResult> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, r)| r)
    }

    /// Buckets of the aggregation with this name; none if there is no such bucket aggregation.
    pub fn buckets(&self, name: &str) -> &[Bucket] {
        match self.get(name) {
            Some(AggregationResult::Buckets(buckets)) => buckets,
            _ => &[],
        }
    }

    /// The bucket with this key of a `Filters` aggregation, or the one of a `Filter` aggregation if `key` is empty.
    pub fn bucket(&self, name: &str, key: &str) -> Option<&Bucket> {
        self.buckets(name).iter().find(|b| b.key.as_str() == Some(key))
    }

    /// The metric with this name; `None` if no document had the field.
    pub fn value(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Some(AggregationResult::Value(value)) => *value,
            _ => None,
        }
    }

    /// A percentile of the aggregation with this name; `None` if no document had the field.
    pub fn percentile(&self, name: &str, percent: f64) -> Option<f64> {
        match self.get(name) {
            Some(AggregationResult::Percentiles(values)) => {
                values.iter().find(|(p, _)| (p - percent).abs() < 1e-9).and_then(|(_, v)| *v)
            }
            _ => None,
        }
    }

    /// Documents of the `TopHits` aggregation with this name.
    pub fn top_hits(&self, name: &str) -> &[Document] {
        match self.get(name) {
            Some(AggregationResult::TopHits(documents)) => documents,
            _ => &[],
        }
    }
}

/// Result of one aggregation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregationResult {
    /// Of a bucket aggregation; a `Filter` aggregation has exactly one bucket, with the key `""`.
    Buckets(Vec<Bucket>),
    /// Of a metric; `None` if no document had the field (sums and counts are then 0).
    Value(Option<f64>),
    /// Percentages with their values.
    Percentiles(Vec<(f64, Option<f64>)>),
    /// Documents.
    TopHits(Vec<Document>),
}

/// Key of a bucket.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum BucketKey {
    /// Of terms on keywords and bools, and of filters.
    Str(String),
    /// Of terms on integers, and of date histograms (microseconds since the epoch).
    Long(i64),
    /// Of terms on floating point numbers.
    Double(f64),
    /// Of multi-terms.
    Many(Vec<BucketKey>),
    /// Of ranges: from, to.
    Range(Option<f64>, Option<f64>),
}

impl BucketKey {
    /// The text, if the key is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            Self::Long(_) | Self::Double(_) | Self::Many(_) | Self::Range(..) => None,
        }
    }

    /// The integer, if the key is one.
    pub fn as_long(&self) -> Option<i64> {
        match self {
            Self::Long(n) => Some(*n),
            Self::Str(_) | Self::Double(_) | Self::Many(_) | Self::Range(..) => None,
        }
    }
}

/// One bucket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bucket {
    /// Key.
    pub key: BucketKey,
    /// Documents in it.
    pub doc_count: u64,
    /// Results of the aggregations inside.
    pub aggs: AggregationResults,
}
