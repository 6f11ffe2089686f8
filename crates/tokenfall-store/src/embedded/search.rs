//! Answers questions from the partitions.
//!
//! ```text
//! request → partitions in its time → segments: query → blocks of documents → aggregation tree → partial result
//!                                                        merge ← … ← merge ← ┘
//!                                   response ← load documents ← finish
//! ```
//!
//! The hits of a request are one more aggregation: the first documents of the bucket that holds everything. A partition that
//! cannot be read is left out of the answer, which then says that it is not complete.

mod aggregate;
mod column;
mod counts;
mod crosstab;
mod cut;
mod field;
mod filter;
mod fixed;
mod group;
mod metric;
mod range;
mod sample;
mod slots;
mod terms;
mod tophits;
mod validate;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use tantivy::columnar::Column;
use tantivy::query::{EnableScoring, Weight};
use tantivy::schema::Value as _;
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, DocSet, TERMINATED, TantivyDocument, TantivyError};
use tokenfall_model::{Document, EventKind, fields};
use tokenfall_query::intermediate::{IntermediateAggregations, TooManyBuckets};
use tokenfall_query::{
    AggregationKind, AggregationResult, Aggregations, Filter, SearchRequest, SearchResponse, SourceFilter, TimeRange,
};

use self::aggregate::{Block, Budget, Context, Hit};
use self::filter::Compiler;
use super::EmbeddedStore;
use super::partition::{PartitionSearcher, StreamKind};
use crate::{FieldName, Search, SearchError};

/// Documents that are aggregated at a time.
const BLOCK_DOCS: usize = 32 * COLLECT_BLOCK_BUFFER_LEN;

/// What one question may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchOptions {
    /// Longest time.
    pub deadline: Duration,
    /// Most buckets, in the answer and on the way to it.
    pub buckets_max: usize,
    /// Rough limit on the bytes of all buckets.
    pub memory_max: usize,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(30), buckets_max: 1_000_000, memory_max: 512 << 20 }
    }
}

impl Search for EmbeddedStore {
    fn search(&self, request: &SearchRequest) -> Result<SearchResponse, SearchError> {
        validate::validate(request)?;
        let snapshot = self.snapshot(request.time, &request.kinds);
        let response = execute(&snapshot.partitions, request, self.shared.options.search)?;
        Ok(SearchResponse { complete: response.complete && snapshot.complete, ..response })
    }

    fn field_names(&self, kind: EventKind, time: TimeRange) -> Result<Vec<FieldName>, SearchError> {
        let mut names = BTreeMap::new();
        for partition in self.snapshot(Some(time), &[kind]).partitions {
            let found = partition.field_names.of(&partition.searcher);
            for segment in found.map_err(|error| SearchError::Engine(error.to_string()))? {
                names.extend(segment.iter().cloned());
            }
        }
        Ok(names.into_iter().map(|(name, kind)| FieldName { name, kind }).collect())
    }
}

/// Why a partition gave no answer.
enum Halt {
    /// A limit was reached: so it is for the whole question.
    Stopped(String),
    /// This partition cannot be read.
    Unreadable(String),
}

impl From<TantivyError> for Halt {
    fn from(error: TantivyError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<TooManyBuckets> for Halt {
    fn from(error: TooManyBuckets) -> Self {
        Self::Stopped(error.to_string())
    }
}

/// Answers a valid request from these partitions.
fn execute(
    partitions: &[PartitionSearcher],
    request: &SearchRequest,
    options: SearchOptions,
) -> Result<SearchResponse, SearchError> {
    let aggs = with_hits(request);
    let mut budget = Budget::new(options);
    let mut answer = Answer { total: 0, aggs: IntermediateAggregations::empty(&aggs) };
    let mut complete = true;
    for (index, partition) in partitions.iter().enumerate() {
        let kept = answer.aggs.buckets();
        let scan = Scan { index, partition, request, aggs: &aggs, kept };
        match scan.run(&mut budget) {
            Ok(partial) => answer.merge(partial),
            Err(Halt::Stopped(reason)) => return Err(SearchError::Stopped(reason)),
            Err(Halt::Unreadable(error)) => {
                tracing::warn!(partition = %partition.key, error, "a partition could not be read, the answer lacks it");
                complete = false;
            }
        }
    }
    let mut load = |hit: Hit| -> Result<Option<Document>, Halt> {
        budget.check_deadline()?;
        let document = load(&partitions[hit.partition], hit, request.source);
        if let Err(error) = &document {
            let partition = partitions[hit.partition].key;
            tracing::warn!(%partition, error, "a document could not be read, the answer lacks it");
            complete = false;
        }
        Ok(document.ok())
    };
    let results = answer.aggs.finish_with(&aggs, options.buckets_max, &mut load);
    let mut results = results.map_err(|halt| match halt {
        Halt::Stopped(reason) => SearchError::Stopped(reason),
        Halt::Unreadable(error) => SearchError::Engine(error),
    })?;
    let hits = match (&request.hits, results.0.len() > request.aggs.0.len()) {
        (Some(_), true) => match results.0.pop() {
            Some((_, AggregationResult::TopHits(hits))) => hits,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    Ok(SearchResponse { total: answer.total, hits, aggs: results, complete })
}

/// The aggregations of a request, its hits the last of them.
fn with_hits(request: &SearchRequest) -> Aggregations {
    let mut aggs = request.aggs.clone();
    if let Some(hits) = &request.hits {
        let top = AggregationKind::TopHits { size: hits.size, sort: hits.sort.clone() };
        aggs.0.push((String::new(), top.leaf()));
    }
    aggs
}

fn load(partition: &PartitionSearcher, hit: Hit, filter: SourceFilter) -> Result<Document, String> {
    let entry: TantivyDocument = partition.searcher.doc(hit.address).map_err(|e| e.to_string())?;
    let source = entry.get_first(partition.schema.source).and_then(|value| value.as_bytes());
    let source = source.ok_or("the entry has no source")?;
    match filter {
        SourceFilter::Whole => Document::from_json(source),
        SourceFilter::WithoutStackTraces => Document::from_json_without_stack_traces(source),
    }
    .map_err(|e| e.to_string())
}

struct Answer {
    total: u64,
    aggs: IntermediateAggregations<Hit>,
}

impl Answer {
    fn merge(&mut self, other: Self) {
        self.total += other.total;
        self.aggs.merge(other.aggs);
    }
}

/// One question to one partition.
struct Scan<'a> {
    index: usize,
    partition: &'a PartitionSearcher,
    request: &'a SearchRequest,
    aggs: &'a Aggregations,
    /// Buckets that were found elsewhere.
    kept: usize,
}

impl Scan<'_> {
    fn run(&self, budget: &mut Budget) -> Result<Answer, Halt> {
        let searcher = &self.partition.searcher;
        let compiler = Compiler::new(&self.partition.schema, searcher.index().tokenizers());
        let query = compiler.query(&self.filter());
        let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
        let mut answer = Answer { total: 0, aggs: IntermediateAggregations::empty(self.aggs) };
        for (segment, reader) in searcher.segment_readers().iter().enumerate() {
            budget.check_deadline()?;
            budget.begin_segment(self.kept + answer.aggs.buckets());
            let context = Context {
                partition: self.index,
                searcher,
                schema: &self.partition.schema,
                compiler: &compiler,
                segment: segment as u32,
                reader,
            };
            if let Some(partial) = self.segment(&context, weight.as_ref(), budget)? {
                answer.merge(partial);
            }
        }
        Ok(answer)
    }

    /// The condition, and the kinds of events unless the partition has no others.
    fn filter(&self) -> Filter {
        let kinds = &self.request.kinds;
        let of_stream = |kind: &EventKind| StreamKind::of(*kind) == self.partition.key.stream;
        if kinds.is_empty() || EventKind::ALL.iter().filter(|kind| of_stream(kind)).all(|kind| kinds.contains(kind)) {
            return self.request.filter.clone();
        }
        let kinds = kinds.iter().filter(|kind| of_stream(kind)).map(|kind| kind.as_str());
        Filter::terms(fields::PROCESSOR_EVENT, kinds).and(self.request.filter.clone())
    }

    fn segment(&self, context: &Context<'_>, weight: &dyn Weight, budget: &mut Budget) -> Result<Option<Answer>, Halt> {
        let mut docs = weight.scorer(context.reader, 1.0)?;
        if docs.doc() == TERMINATED {
            return Ok(None);
        }
        let time = match self.time(context)? {
            Time::Outside => return Ok(None),
            Time::Inside => None,
            Time::Partly(column, range) => Some((column, range)),
        };
        if self.aggs.is_empty() && time.is_none() {
            let total = u64::from(weight.count(context.reader)?);
            return Ok(Some(Answer { total, aggs: IntermediateAggregations(Vec::new()) }));
        }
        let mut nodes = context.nodes(self.aggs)?;
        let mut total = 0;
        let mut times = Vec::new();
        let mut block = Vec::with_capacity(BLOCK_DOCS);
        let owners = vec![0; BLOCK_DOCS];
        while fill(&mut block, docs.as_mut()) {
            budget.check_deadline()?;
            if let Some(alive) = context.reader.alive_bitset() {
                block.retain(|doc| alive.is_alive(*doc));
            }
            if let Some((column, range)) = &time {
                times.resize(block.len(), 0);
                column.values.get_vals(&block, &mut times);
                let mut times = times.iter();
                block.retain(|_| times.next().is_some_and(|us| contains(range, *us)));
            }
            total += block.len() as u64;
            if !block.is_empty() {
                nodes.collect(Block { docs: &block, owners: &owners[..block.len()], owners_end: 1 }, budget)?;
            }
        }
        let aggs = nodes.finish(1)?.next().unwrap_or_else(|| IntermediateAggregations::empty(self.aggs));
        Ok((total > 0).then_some(Answer { total, aggs }))
    }

    /// How a segment lies to the time of the request.
    fn time(&self, context: &Context<'_>) -> Result<Time, Halt> {
        let Some(range) = self.request.time else { return Ok(Time::Inside) };
        let inside = |first, last| contains(&range, first) && contains(&range, last);
        if inside(self.partition.first_us, self.partition.last_us) {
            return Ok(Time::Inside);
        }
        let column = context.reader.fast_fields().i64(fields::TIMESTAMP.name)?;
        let (first, last) = (column.min_value(), column.max_value());
        Ok(if inside(first, last) {
            Time::Inside
        } else if last < range.from.as_micros() || first >= range.to.as_micros() {
            Time::Outside
        } else {
            Time::Partly(column, range)
        })
    }
}

/// A segment and the time of the request.
enum Time {
    /// Every document is in it.
    Inside,
    /// No document is in it.
    Outside,
    /// Some are, by this column, which every document has.
    Partly(Column<i64>, TimeRange),
}

fn contains(range: &TimeRange, us: i64) -> bool {
    (range.from.as_micros()..range.to.as_micros()).contains(&us)
}

/// Reads the next documents. False at the end.
fn fill(block: &mut Vec<DocId>, docs: &mut dyn tantivy::query::Scorer) -> bool {
    block.clear();
    let mut buffer = [0; COLLECT_BLOCK_BUFFER_LEN];
    while block.len() < BLOCK_DOCS {
        let n = docs.fill_buffer(&mut buffer);
        block.extend_from_slice(&buffer[..n]);
        if n < COLLECT_BLOCK_BUFFER_LEN {
            break;
        }
    }
    !block.is_empty()
}
