//! Buckets that the request lists: ranges of numbers, and filters.

use tantivy::query::Scorer;
use tantivy::{DocId, TERMINATED};
use tokenfall_query::Filter;
use tokenfall_query::intermediate::IntermediateBucket;

use super::Halt;
use super::aggregate::{Block, Budget, Context, Node, Nodes, Partial};
use super::column::{Fetched, Values};

/// Buckets numbered `owner × n + i` and what is inside them.
struct Buckets {
    n: usize,
    counts: Vec<u64>,
    children: Nodes,
    docs: Vec<DocId>,
    owners: Vec<u32>,
}

impl Buckets {
    fn new(n: usize, children: Nodes) -> Self {
        Self { n, counts: Vec::new(), children, docs: Vec::new(), owners: Vec::new() }
    }

    fn begin(&mut self, owners_end: usize, budget: &mut Budget) -> Result<(), Halt> {
        let buckets = owners_end * self.n;
        if buckets > self.counts.len() {
            budget.buckets(buckets - self.counts.len())?;
            self.counts.resize(buckets, 0);
        }
        self.docs.clear();
        self.owners.clear();
        Ok(())
    }

    fn put(&mut self, doc: DocId, owner: u32, index: usize) {
        let bucket = owner as usize * self.n + index;
        self.counts[bucket] += 1;
        self.docs.push(doc);
        self.owners.push(bucket as u32);
    }

    fn end(&mut self, budget: &mut Budget) -> Result<(), Halt> {
        if self.children.is_empty() || self.docs.is_empty() {
            return Ok(());
        }
        let block = Block { docs: &self.docs, owners: &self.owners, owners_end: self.counts.len() };
        self.children.collect(block, budget)
    }

    fn finish(mut self, owners_end: usize) -> Result<Vec<Partial>, Halt> {
        self.counts.resize(owners_end * self.n, 0);
        let aggs = self.children.finish(self.counts.len())?;
        let mut buckets =
            self.counts.into_iter().zip(aggs).map(|(doc_count, aggs)| IntermediateBucket { doc_count, aggs });
        Ok((0..owners_end).map(|_| Partial::Fixed(buckets.by_ref().take(self.n).collect())).collect())
    }
}

/// A bucket for each range; ranges may overlap.
pub(super) struct Ranges {
    values: Option<Values>,
    bounds: Vec<(Option<f64>, Option<f64>)>,
    buckets: Buckets,
    fetched: Fetched,
    numbers: Vec<f64>,
}

impl Ranges {
    /// Ranges of one field.
    pub(super) fn new(
        context: &Context<'_>,
        field: &str,
        ranges: &[(Option<f64>, Option<f64>)],
        children: Nodes,
    ) -> Result<Self, Halt> {
        Ok(Self {
            values: Values::open(context.reader, context.schema, field)?,
            bounds: ranges.to_vec(),
            buckets: Buckets::new(ranges.len(), children),
            fetched: Fetched::default(),
            numbers: Vec::new(),
        })
    }
}

impl Node for Ranges {
    fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt> {
        let Some(values) = &self.values else { return Ok(()) };
        self.fetched.fetch(&values.column, block.docs);
        values.numbers(&self.fetched.values, &mut self.numbers);
        self.buckets.begin(block.owners_end, budget)?;
        for (position, number) in self.fetched.positions.iter().zip(&self.numbers) {
            let position = *position as usize;
            for (index, (from, to)) in self.bounds.iter().enumerate() {
                if from.is_none_or(|from| from <= *number) && to.is_none_or(|to| *number < to) {
                    self.buckets.put(block.docs[position], block.owners[position], index);
                }
            }
        }
        self.buckets.end(budget)
    }

    fn finish(self: Box<Self>, owners_end: usize) -> Result<Vec<Partial>, Halt> {
        self.buckets.finish(owners_end)
    }
}

/// A filter in one segment.
pub(super) struct Matcher(Box<dyn Scorer>);

impl Matcher {
    /// Prepares a filter.
    pub(super) fn new(context: &Context<'_>, filter: &Filter) -> Result<Self, Halt> {
        let weight = context.compiler.query(filter).weight(context.scoring())?;
        Ok(Self(weight.scorer(context.reader, 1.0)?))
    }

    /// Whether a document matches. Documents that are asked for must not descend.
    pub(super) fn matches(&mut self, doc: DocId) -> bool {
        let mut at = self.0.doc();
        if at < doc && at != TERMINATED {
            at = self.0.seek(doc);
        }
        at == doc
    }
}

/// A bucket for each filter.
pub(super) struct Filters {
    matchers: Vec<Matcher>,
    buckets: Buckets,
}

impl Filters {
    /// Prepares the filters.
    pub(super) fn new<'f>(
        context: &Context<'_>,
        filters: impl IntoIterator<Item = &'f Filter>,
        children: Nodes,
    ) -> Result<Self, Halt> {
        let matchers =
            filters.into_iter().map(|filter| Matcher::new(context, filter)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { buckets: Buckets::new(matchers.len(), children), matchers })
    }
}

impl Node for Filters {
    fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt> {
        self.buckets.begin(block.owners_end, budget)?;
        for (doc, owner) in block.docs.iter().zip(block.owners) {
            for (index, matcher) in self.matchers.iter_mut().enumerate() {
                if matcher.matches(*doc) {
                    self.buckets.put(*doc, *owner, index);
                }
            }
        }
        self.buckets.end(budget)
    }

    fn finish(self: Box<Self>, owners_end: usize) -> Result<Vec<Partial>, Halt> {
        self.buckets.finish(owners_end)
    }
}
