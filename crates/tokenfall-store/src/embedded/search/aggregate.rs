//! Runs a tree of aggregations over one segment, straight over its columns.
//!
//! Documents come in blocks, and each node sees a whole block at a time: the documents, and for each the number of the bucket
//! that it belongs to (its *owner*). A node that makes buckets numbers its own across all owners and hands the documents with
//! these numbers to its children, so the state of a node is a few flat vectors however many buckets there are.
//!
//! ```text
//! docs    4 7 7 9              docs    4 7 7 9
//! owners  0 0 0 0  → terms →   owners  0 1 2 0  → avg: sums[owner] += column[doc]
//! ```
//!
//! Within a block documents do not descend; a document with several values comes several times in a row.

use std::time::Instant;

use tantivy::query::EnableScoring;
use tantivy::{DocAddress, DocId, Searcher, SegmentReader};
use tokenfall_model::fields;
use tokenfall_query::intermediate::{IntermediateAggregation, IntermediateAggregations};
use tokenfall_query::{Aggregation, AggregationKind, Aggregations};

use super::column::Values;
use super::counts::Counts;
use super::crosstab::Crosstab;
use super::cut::Cut;
use super::filter::Compiler;
use super::fixed::{Filters, Ranges};
use super::group::Group;
use super::metric::{Cardinality, Percentiles, Simple};
use super::sample::Points;
use super::tophits::TopHits;
use super::{Halt, SearchOptions};
use crate::embedded::schema::DocumentSchema;

/// Where a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Hit {
    /// Index of the partition in the list of those that are searched.
    pub(super) partition: usize,
    /// Place in it.
    pub(super) address: DocAddress,
}

/// Result of a segment for one owner.
pub(super) type Partial = IntermediateAggregation<Hit>;

/// Documents with their owners.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    /// Documents; they do not descend.
    pub(super) docs: &'a [DocId],
    /// Owner of each.
    pub(super) owners: &'a [u32],
    /// Owners so far are less than this.
    pub(super) owners_end: usize,
}

/// State of one aggregation in one segment.
pub(super) trait Node {
    /// Takes a block into account.
    fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt>;

    /// The results of the owners `0..owners_end`, in this order.
    fn finish(self: Box<Self>, owners_end: usize) -> Result<Vec<Partial>, Halt>;
}

/// What a query may still use.
pub(super) struct Budget {
    options: SearchOptions,
    started: Instant,
    buckets: usize,
    bytes: usize,
}

impl Budget {
    /// Everything that the options allow, from now on.
    pub(super) fn new(options: SearchOptions) -> Self {
        Self { options, started: Instant::now(), buckets: 0, bytes: 0 }
    }

    /// Forgets what a segment used: its state is gone, and what is left of it counts as given.
    pub(super) fn begin_segment(&mut self, buckets_kept: usize) {
        self.buckets = buckets_kept;
        self.bytes = buckets_kept * Self::BUCKET_BYTES;
    }

    /// Rough size of a bucket with its key.
    const BUCKET_BYTES: usize = 256;

    /// Counts new buckets.
    pub(super) fn buckets(&mut self, new: usize) -> Result<(), Halt> {
        self.buckets += new;
        if self.buckets > self.options.buckets_max {
            return Err(Halt::Stopped(format!("more than {} buckets", self.options.buckets_max)));
        }
        self.bytes(new * Self::BUCKET_BYTES)
    }

    /// Counts memory.
    pub(super) fn bytes(&mut self, new: usize) -> Result<(), Halt> {
        self.bytes += new;
        if self.bytes > self.options.memory_max {
            return Err(Halt::Stopped(format!("more than {} MiB of memory", self.options.memory_max >> 20)));
        }
        Ok(())
    }

    /// Fails after the deadline.
    pub(super) fn check_deadline(&self) -> Result<(), Halt> {
        if self.started.elapsed() > self.options.deadline {
            return Err(Halt::Stopped(format!("more than {:?}", self.options.deadline)));
        }
        Ok(())
    }
}

/// Where a tree of aggregations runs.
pub(super) struct Context<'a> {
    pub(super) partition: usize,
    pub(super) searcher: &'a Searcher,
    pub(super) schema: &'a DocumentSchema,
    pub(super) compiler: &'a Compiler<'a>,
    pub(super) segment: u32,
    pub(super) reader: &'a SegmentReader,
}

impl Context<'_> {
    /// Sets up the nodes of a request in this segment.
    pub(super) fn nodes(&self, aggs: &Aggregations) -> Result<Nodes, Halt> {
        self.nodes_of(aggs, 1)
    }

    /// Sets up the nodes inside a node, which makes at most `owners_max` buckets.
    fn nodes_of(&self, aggs: &Aggregations, owners_max: usize) -> Result<Nodes, Halt> {
        aggs.0.iter().map(|(_, aggregation)| self.node(aggregation, owners_max)).collect::<Result<_, _>>().map(Nodes)
    }

    fn node(&self, aggregation: &Aggregation, owners_max: usize) -> Result<Box<dyn Node>, Halt> {
        let buckets_max = match &aggregation.kind {
            AggregationKind::Filter(_) => owners_max,
            AggregationKind::Filters(filters) => owners_max.saturating_mul(filters.len()),
            AggregationKind::Range { ranges, .. } => owners_max.saturating_mul(ranges.len()),
            _ => usize::MAX,
        };
        let children = self.nodes_of(&aggregation.aggs, buckets_max)?;
        Ok(match &aggregation.kind {
            AggregationKind::Terms { field, missing, segment_size, order, .. } => {
                let values = Values::open(self.reader, self.schema, field)?;
                let missing = missing.as_deref().map(|text| Values::missing_key(fields::kind_of(field), text));
                let cut = segment_size.map(|size| Cut::new(size, order, &aggregation.aggs));
                match values {
                    Some(values) if children.is_empty() && Counts::fits(&values, owners_max) => {
                        Box::new(Counts::new(values, missing, cut))
                    }
                    values => Box::new(Group::terms(values, missing, cut, children)),
                }
            }
            AggregationKind::MultiTerms { fields, .. } => Box::new(Group::multi_terms(self, fields, children)?),
            AggregationKind::DateHistogram { field, interval_us, .. } => {
                Box::new(Group::histogram(self, field, *interval_us, children)?)
            }
            AggregationKind::Range { field, ranges } => Box::new(Ranges::new(self, field, ranges, children)?),
            AggregationKind::Filter(filter) => Box::new(Filters::new(self, [filter], children)?),
            AggregationKind::Filters(filters) => {
                Box::new(Filters::new(self, filters.iter().map(|(_, filter)| filter), children)?)
            }
            AggregationKind::Avg(field)
            | AggregationKind::Sum(field)
            | AggregationKind::Min(field)
            | AggregationKind::Max(field)
            | AggregationKind::ValueCount(field) => Box::new(Simple::new(self, field)?),
            AggregationKind::Percentiles { field, .. } => Box::new(Percentiles::new(self, field)?),
            AggregationKind::Cardinality(field) => Box::new(Cardinality::new(self, field)?),
            AggregationKind::TopHits { size, sort } => Box::new(TopHits::new(self, *size, sort)?),
            AggregationKind::Crosstab { rows, columns } => Box::new(Crosstab::new(self, rows, columns)?),
            AggregationKind::Points { fields, size } => Box::new(Points::new(self, fields, *size)?),
        })
    }

    /// How queries are prepared: nothing is scored.
    pub(super) fn scoring(&self) -> EnableScoring<'_> {
        EnableScoring::disabled_from_searcher(self.searcher)
    }
}

/// The aggregations inside a bucket, or of the whole request.
pub(super) struct Nodes(Vec<Box<dyn Node>>);

impl Nodes {
    /// Takes a block into account.
    pub(super) fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt> {
        self.0.iter_mut().try_for_each(|node| node.collect(block, budget))
    }

    /// True if there is nothing to compute.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The results of each owner.
    pub(super) fn finish(self, owners_end: usize) -> Result<impl Iterator<Item = IntermediateAggregations<Hit>>, Halt> {
        let results: Result<Vec<_>, Halt> = self.0.into_iter().map(|node| node.finish(owners_end)).collect();
        let mut results: Vec<_> = results?.into_iter().map(Vec::into_iter).collect();
        Ok((0..owners_end)
            .map(move |_| IntermediateAggregations(results.iter_mut().filter_map(Iterator::next).collect())))
    }
}
