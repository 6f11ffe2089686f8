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

    /// The contingency table with this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        match self.get(name) {
            Some(AggregationResult::Table(table)) => Some(table),
            _ => None,
        }
    }

    /// The points with this name.
    pub fn points(&self, name: &str) -> Option<&Points> {
        match self.get(name) {
            Some(AggregationResult::Points(points)) => Some(points),
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
    /// Counts of a `Crosstab`.
    Table(Table),
    /// Values of a `Points` aggregation.
    Points(Points),
}

/// A contingency table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Documents of each column, whatever their row: all that were looked at.
    pub all: Vec<u64>,
    /// Documents of each row, in the order of the request, by column.
    pub rows: Vec<Vec<u64>>,
}

impl Table {
    /// The table of no document.
    pub fn empty(rows: usize, columns: usize) -> Self {
        Self { all: vec![0; columns], rows: vec![vec![0; columns]; rows] }
    }

    /// Adds the same table over other documents.
    ///
    /// # Panics
    /// If the two come from different requests.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(
            (self.all.len(), self.rows.len()),
            (other.all.len(), other.rows.len()),
            "tables of different requests"
        );
        let mine = std::iter::once(&mut self.all).chain(&mut self.rows);
        for (mine, theirs) in mine.zip(std::iter::once(&other.all).chain(&other.rows)) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine += theirs;
            }
        }
    }

    /// Rows times columns, the row of all documents included.
    pub fn cells(&self) -> usize {
        (self.rows.len() + 1) * self.all.len()
    }
}

/// Values of a sample of documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Points {
    /// Documents that match; the sample is all of them if it is as large.
    pub matching: u64,
    /// One for each field of the request, all of the same length; the documents stand in no particular order.
    pub columns: Vec<PointColumn>,
}

/// Values of one field.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PointColumn {
    /// Of a number or date (microseconds since the epoch).
    Numbers(Vec<Option<f64>>),
    /// Of a keyword, label or bool: index into a dictionary.
    Texts {
        /// The values that occur.
        dictionary: Vec<String>,
        /// Which of them each document has.
        values: Vec<Option<u32>>,
    },
}

impl Points {
    /// Number of documents in the sample.
    pub fn len(&self) -> usize {
        match self.columns.first() {
            Some(PointColumn::Numbers(values)) => values.len(),
            Some(PointColumn::Texts { values, .. }) => values.len(),
            None => 0,
        }
    }

    /// True if no document matched.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of a field by its position in the request; none if it is not a number.
    pub fn numbers(&self, field: usize) -> &[Option<f64>] {
        match self.columns.get(field) {
            Some(PointColumn::Numbers(values)) => values,
            _ => &[],
        }
    }

    /// The texts of a field by its position in the request: the dictionary, and the index into it of each document.
    pub fn texts(&self, field: usize) -> (&[String], &[Option<u32>]) {
        match self.columns.get(field) {
            Some(PointColumn::Texts { dictionary, values }) => (dictionary, values),
            _ => (&[], &[]),
        }
    }

    /// The text of a field of one document.
    pub fn text(&self, field: usize, document: usize) -> Option<&str> {
        match self.columns.get(field) {
            Some(PointColumn::Texts { dictionary, values }) => {
                dictionary.get((*values.get(document)?)? as usize).map(String::as_str)
            }
            _ => None,
        }
    }
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
