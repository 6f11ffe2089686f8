//! What one segment answers, before it is put together with the others: results that can be merged in any order.
//!
//! A finished percentile or a list cut to twenty buckets cannot be merged; what stands here can. Invariants:
//!
//! * `merge` is associative and commutative up to the rounding of floating point sums,
//! * nothing is cut before [`IntermediateAggregations::finish_with`], but for terms with a `segment_size` (before the first
//!   merge) and points, whose cut is the same in any order,
//! * results that are merged come from the same request; anything else is a bug and panics.
//!
//! A hit of a `TopHits` aggregation is an `H`: an engine keeps an address there and loads only the documents that are left.

mod distinct;
mod finish;
mod key;
mod sample;
mod top;

use std::collections::HashMap;

use sketches_ddsketch::DDSketch;
use tokenfall_model::Document;

pub use distinct::Distinct;
pub use finish::{TooManyBuckets, interval_start, order_metric};
pub use key::Key;
pub use sample::{PointValue, Sample, Smallest, sample_hash};
pub use top::{SORT_KEYS_MAX, SortKey, Top, ordered_bits, sort_part};

use crate::aggregation::{AggregationKind, Aggregations};
use crate::response::Table;

/// Results of aggregations, in the order of the request.
#[derive(Clone)]
pub struct IntermediateAggregations<H = Document>(pub Vec<IntermediateAggregation<H>>);

/// Result of one aggregation.
#[derive(Clone)]
pub enum IntermediateAggregation<H = Document> {
    /// Of `Terms`, `MultiTerms` and `DateHistogram` (key: beginning of the interval).
    Keyed(HashMap<Key, IntermediateBucket<H>>),
    /// Of `Range`, `Filter` and `Filters`: a bucket for each range or filter of the request.
    Fixed(Vec<IntermediateBucket<H>>),
    /// Of `Avg`, `Sum`, `Min`, `Max` and `ValueCount`.
    Stats(Stats),
    /// Of `Percentiles`; `None` is the sketch of no value.
    Percentiles(Option<Box<DDSketch>>),
    /// Of `Cardinality`.
    Distinct(Distinct),
    /// Of `TopHits`.
    Top(Top<H>),
    /// Of `Crosstab`.
    Table(Table),
    /// Of `Points`.
    Points(Sample),
}

/// One bucket.
#[derive(Clone)]
pub struct IntermediateBucket<H = Document> {
    /// Documents in it.
    pub doc_count: u64,
    /// Results of the aggregations inside.
    pub aggs: IntermediateAggregations<H>,
}

/// Enough for every simple metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// Number of values.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest; positive infinity if there is none.
    pub min: f64,
    /// The largest; negative infinity if there is none.
    pub max: f64,
}

impl Default for Stats {
    fn default() -> Self {
        Self { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Stats {
    /// Takes one value into account.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

impl<H> IntermediateBucket<H> {
    /// The bucket of no document.
    pub fn empty(aggs: &Aggregations) -> Self {
        Self { doc_count: 0, aggs: IntermediateAggregations::empty(aggs) }
    }

    /// Adds the same bucket over other documents.
    pub fn merge(&mut self, other: Self) {
        self.doc_count += other.doc_count;
        self.aggs.merge(other.aggs);
    }
}

impl<H> IntermediateAggregations<H> {
    /// The result over no document.
    pub fn empty(request: &Aggregations) -> Self {
        Self(
            request
                .0
                .iter()
                .map(|(_, aggregation)| IntermediateAggregation::empty(&aggregation.kind, &aggregation.aggs))
                .collect(),
        )
    }

    /// Adds the result over other documents.
    ///
    /// # Panics
    /// If the two come from different requests.
    pub fn merge(&mut self, other: Self) {
        assert_eq!(self.0.len(), other.0.len(), "results of different requests");
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            mine.merge(theirs);
        }
    }

    /// Buckets in all of it, to compare with a limit; a cell of a table and a point count like one.
    pub fn buckets(&self) -> usize {
        self.0.iter().map(IntermediateAggregation::buckets).sum()
    }
}

impl<H> IntermediateAggregation<H> {
    /// The result over no document of an aggregation with `aggs` inside each bucket.
    pub fn empty(kind: &AggregationKind, aggs: &Aggregations) -> Self {
        let fixed = |n| Self::Fixed((0..n).map(|_| IntermediateBucket::empty(aggs)).collect());
        match kind {
            AggregationKind::Terms { .. }
            | AggregationKind::MultiTerms { .. }
            | AggregationKind::DateHistogram { .. } => Self::Keyed(HashMap::new()),
            AggregationKind::Range { ranges, .. } => fixed(ranges.len()),
            AggregationKind::Filter(_) => fixed(1),
            AggregationKind::Filters(filters) => fixed(filters.len()),
            AggregationKind::Avg(_)
            | AggregationKind::Sum(_)
            | AggregationKind::Min(_)
            | AggregationKind::Max(_)
            | AggregationKind::ValueCount(_) => Self::Stats(Stats::default()),
            AggregationKind::Percentiles { .. } => Self::Percentiles(None),
            AggregationKind::Cardinality(_) => Self::Distinct(Distinct::default()),
            AggregationKind::TopHits { size, .. } => Self::Top(Top::new(*size)),
            AggregationKind::Crosstab { rows, columns } => Self::Table(Table::empty(rows.len(), columns.len())),
            AggregationKind::Points { size, .. } => Self::Points(Sample::new(*size)),
        }
    }

    fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Keyed(mine), Self::Keyed(theirs)) => {
                if mine.is_empty() {
                    *mine = theirs;
                    return;
                }
                for (key, bucket) in theirs {
                    match mine.entry(key) {
                        std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut().merge(bucket),
                        std::collections::hash_map::Entry::Vacant(entry) => {
                            entry.insert(bucket);
                        }
                    }
                }
            }
            (Self::Fixed(mine), Self::Fixed(theirs)) => {
                assert_eq!(mine.len(), theirs.len(), "results of different requests");
                for (mine, theirs) in mine.iter_mut().zip(theirs) {
                    mine.merge(theirs);
                }
            }
            (Self::Stats(mine), Self::Stats(theirs)) => mine.merge(&theirs),
            (Self::Percentiles(mine), Self::Percentiles(theirs)) => match (mine.as_mut(), theirs) {
                (Some(mine), Some(theirs)) => {
                    mine.merge(&theirs).expect("every sketch has the default configuration");
                }
                (None, theirs) => *mine = theirs,
                (Some(_), None) => {}
            },
            (Self::Distinct(mine), Self::Distinct(theirs)) => mine.merge(&theirs),
            (Self::Top(mine), Self::Top(theirs)) => mine.merge(theirs),
            (Self::Table(mine), Self::Table(theirs)) => mine.merge(&theirs),
            (Self::Points(mine), Self::Points(theirs)) => mine.merge(theirs),
            _ => panic!("results of different requests"),
        }
    }

    fn buckets(&self) -> usize {
        match self {
            Self::Keyed(buckets) => buckets.values().map(|bucket| 1 + bucket.aggs.buckets()).sum(),
            Self::Fixed(buckets) => buckets.iter().map(|bucket| 1 + bucket.aggs.buckets()).sum(),
            Self::Table(table) => table.cells(),
            Self::Points(sample) => sample.len(),
            Self::Stats(_) | Self::Percentiles(_) | Self::Distinct(_) | Self::Top(_) => 0,
        }
    }
}
