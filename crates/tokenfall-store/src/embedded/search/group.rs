//! Buckets by value: terms, combinations of terms, and intervals of time.

use std::collections::HashMap;

use tantivy::DocId;
use tantivy::columnar::MonotonicallyMappableToU64;
use tokenfall_model::fields;
use tokenfall_query::intermediate::{IntermediateBucket, Key};

use super::Halt;
use super::aggregate::{Block, Budget, Context, Node, Nodes, Partial};
use super::column::{Fetched, Values};
use super::counts::insert;
use super::cut::{Candidate, Cut};
use super::slots::{MISSING, Slots};

/// Terms, multi-terms or a histogram. Several fields are steps one after the other: each splits the buckets of the one before.
pub(super) struct Group {
    steps: Vec<Step>,
    /// Key of a bucket is the list of its steps' keys, even of one.
    many: bool,
    /// Only of a group with one step.
    cut: Option<Cut>,
    counts: Vec<u64>,
    children: Nodes,
    docs: Vec<DocId>,
    owners: Vec<u32>,
}

impl Group {
    /// Rough size of a bucket that may be cut, without what is inside.
    const UNCUT_BYTES: usize = 48;

    /// Terms of one field.
    pub(super) fn terms(values: Option<Values>, missing: Option<Key>, cut: Option<Cut>, children: Nodes) -> Self {
        Self { cut, ..Self::new(vec![Step::new(values, None, missing)], false, children) }
    }

    /// Combinations of terms.
    pub(super) fn multi_terms(
        context: &Context<'_>,
        fields: &[(String, Option<String>)],
        children: Nodes,
    ) -> Result<Self, Halt> {
        let step = |(field, missing): &(String, Option<String>)| -> Result<_, Halt> {
            let values = Values::open(context.reader, context.schema, field)?;
            let missing = missing.as_deref().map(|text| Values::missing_key(fields::kind_of(field), text));
            Ok(Step::new(values, None, missing))
        };
        Ok(Self::new(fields.iter().map(step).collect::<Result<_, _>>()?, true, children))
    }

    /// Intervals of time.
    pub(super) fn histogram(
        context: &Context<'_>,
        field: &str,
        interval_us: i64,
        children: Nodes,
    ) -> Result<Self, Halt> {
        let values = Values::open(context.reader, context.schema, field)?;
        Ok(Self::new(vec![Step::new(values, Some(interval_us), None)], false, children))
    }

    fn new(steps: Vec<Step>, many: bool, children: Nodes) -> Self {
        Self { steps, many, cut: None, counts: Vec::new(), children, docs: Vec::new(), owners: Vec::new() }
    }
}

impl Node for Group {
    fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt> {
        self.docs.clear();
        self.docs.extend_from_slice(block.docs);
        self.owners.clear();
        self.owners.extend_from_slice(block.owners);
        for step in &mut self.steps {
            let new = step.split(&mut self.docs, &mut self.owners);
            match self.cut {
                None => budget.buckets(new)?,
                Some(_) => budget.bytes(new * Self::UNCUT_BYTES)?,
            }
        }
        let buckets = self.steps.last().map_or(0, |step| step.slots.keys.len());
        self.counts.resize(buckets, 0);
        for owner in &self.owners {
            self.counts[*owner as usize] += 1;
        }
        if self.children.is_empty() || self.docs.is_empty() {
            return Ok(());
        }
        self.children.collect(Block { docs: &self.docs, owners: &self.owners, owners_end: buckets }, budget)
    }

    fn finish(mut self: Box<Self>, owners_end: usize) -> Result<Vec<Partial>, Halt> {
        let aggs = self.children.finish(self.counts.len())?;
        let mut buckets: Vec<_> = Vec::new();
        match (&self.cut, self.steps.as_mut_slice()) {
            (Some(cut), [step]) => {
                let slots = std::mem::take(&mut step.slots.keys).into_iter().zip(&self.counts).zip(aggs);
                let value = |key| if key == MISSING { key } else { key + step.base };
                let candidates =
                    slots.map(|(((owner, key), count), aggs)| -> Candidate { (owner, value(key), *count, aggs) });
                for (owner, value, count, aggs) in cut.keep(owners_end, candidates) {
                    step.slots.keys.push((owner, if value == MISSING { value } else { value - step.base }));
                    buckets.push((count, aggs));
                }
            }
            _ => buckets.extend(self.counts.iter().copied().zip(aggs)),
        }
        let keys: Vec<Vec<Key>> = self.steps.iter().map(Step::bucket_keys).collect::<Result<_, Halt>>()?;
        let mut results: Vec<HashMap<Key, IntermediateBucket<_>>> = (0..owners_end).map(|_| HashMap::new()).collect();
        for (bucket, (doc_count, aggs)) in buckets.into_iter().enumerate() {
            let mut owner = bucket;
            let mut key = Vec::with_capacity(keys.len());
            for (step, keys) in self.steps.iter().zip(&keys).rev() {
                key.push(keys[owner].clone());
                owner = step.slots.keys[owner].0 as usize;
            }
            key.reverse();
            let key = if self.many { Some(Key::Many(key)) } else { key.pop() };
            let Some(key) = key else { continue };
            insert(&mut results[owner], key, IntermediateBucket { doc_count, aggs });
        }
        Ok(results.into_iter().map(Partial::Keyed).collect())
    }
}

/// One field.
struct Step {
    values: Option<Values>,
    /// What is subtracted from a value before it is a slot's key.
    base: u64,
    /// Of a histogram.
    interval: Option<Interval>,
    missing: Option<Key>,
    slots: Slots,
    fetched: Fetched,
    out_docs: Vec<DocId>,
    out_owners: Vec<u32>,
}

struct Interval {
    us: i64,
    /// Number of the first interval.
    first: i64,
}

impl Step {
    fn new(values: Option<Values>, interval_us: Option<i64>, missing: Option<Key>) -> Self {
        let (min, max) = values.as_ref().map_or((0, 0), |v| (v.column.min_value(), v.column.max_value()));
        let mut width = (max - min).saturating_add(1);
        let interval = interval_us.map(|us| {
            let index = |value| i64::from_u64(value).div_euclid(us);
            width = index(max).abs_diff(index(min)).saturating_add(1);
            Interval { us, first: index(min) }
        });
        Self {
            values,
            base: min,
            interval,
            missing,
            slots: Slots::new(width),
            fetched: Fetched::default(),
            out_docs: Vec::new(),
            out_owners: Vec::new(),
        }
    }

    /// Replaces each document's owner by the slot of its value; documents without one are dropped unless they have a key.
    /// Returns the number of new slots.
    fn split(&mut self, docs: &mut Vec<DocId>, owners: &mut Vec<u32>) -> usize {
        self.fetched.positions.clear();
        self.fetched.values.clear();
        if let Some(values) = &self.values {
            self.fetched.fetch_distinct(&values.column, docs);
        }
        let known = self.slots.keys.len();
        match &self.interval {
            None => {
                for value in &mut self.fetched.values {
                    *value -= self.base;
                }
            }
            Some(interval) => {
                for value in &mut self.fetched.values {
                    *value = i64::from_u64(*value).div_euclid(interval.us).abs_diff(interval.first);
                }
            }
        }
        self.out_docs.clear();
        self.out_owners.clear();
        let mut next = 0;
        let slots = &mut self.slots;
        for (position, value) in self.fetched.positions.iter().zip(&self.fetched.values) {
            let position = *position as usize;
            if self.missing.is_some() {
                for missing in next..position {
                    self.out_docs.push(docs[missing]);
                    self.out_owners.push(slots.slot(owners[missing], MISSING));
                }
                next = position + 1;
            }
            self.out_docs.push(docs[position]);
            self.out_owners.push(slots.slot(owners[position], *value));
        }
        if self.missing.is_some() {
            for missing in next..docs.len() {
                self.out_docs.push(docs[missing]);
                self.out_owners.push(slots.slot(owners[missing], MISSING));
            }
        }
        std::mem::swap(docs, &mut self.out_docs);
        std::mem::swap(owners, &mut self.out_owners);
        self.slots.keys.len() - known
    }

    /// The key of each slot.
    fn bucket_keys(&self) -> Result<Vec<Key>, Halt> {
        let slots = self.slots.keys.iter().map(|(_, key)| *key);
        let missing = |key: u64| self.missing.clone().filter(|_| key == MISSING);
        if let Some(Interval { us, first }) = &self.interval {
            // The first interval may begin before the first instant that can be written.
            let start = |key: u64| first.saturating_add_unsigned(key).saturating_mul(*us);
            return Ok(slots.map(|key| Key::Long(start(key))).collect());
        }
        let mut values: Vec<u64> = slots.clone().filter(|key| *key != MISSING).map(|key| key + self.base).collect();
        values.sort_unstable();
        values.dedup();
        let keys = match &self.values {
            Some(column) => column.keys(&values)?,
            None => Vec::new(),
        };
        let found =
            |key: u64| values.binary_search(&(key.wrapping_add(self.base))).ok().and_then(|i| keys.get(i).cloned());
        slots
            .map(|key| {
                missing(key).or_else(|| found(key)).ok_or_else(|| Halt::Unreadable("a bucket has no key".to_owned()))
            })
            .collect()
    }
}
