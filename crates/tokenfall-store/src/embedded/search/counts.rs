//! Terms with nothing inside, counted in one flat array.

use std::collections::HashMap;

use tokenfall_query::intermediate::{IntermediateAggregations, IntermediateBucket, Key};

use super::Halt;
use super::aggregate::{Block, Budget, Node, Partial};
use super::column::{Fetched, Values};
use super::cut::{Candidate, Cut};
use super::slots::MISSING;

/// Documents by owner and value.
pub(super) struct Counts {
    values: Values,
    /// The smallest value.
    base: u64,
    /// Values are less than `base + width`.
    width: usize,
    /// `owner × width + value - base`
    documents: Vec<u32>,
    /// Key of documents without a value, and how many there are of each owner.
    missing: Option<(Key, Vec<u64>)>,
    cut: Option<Cut>,
    fetched: Fetched,
}

impl Counts {
    /// Longest array.
    const LEN_MAX: u64 = 1 << 22;

    /// False if the array of so many owners would be too long.
    pub(super) fn fits(values: &Values, owners_max: usize) -> bool {
        Self::width(values).saturating_mul(owners_max as u64) <= Self::LEN_MAX
    }

    /// Terms of a column that [fits](Self::fits).
    pub(super) fn new(values: Values, missing: Option<Key>, cut: Option<Cut>) -> Self {
        Self {
            base: values.column.min_value(),
            width: Self::width(&values) as usize,
            values,
            documents: Vec::new(),
            missing: missing.map(|key| (key, Vec::new())),
            cut,
            fetched: Fetched::default(),
        }
    }

    fn width(values: &Values) -> u64 {
        (values.column.max_value() - values.column.min_value()).saturating_add(1)
    }

    fn candidates(&self, owners_end: usize) -> impl Iterator<Item = Candidate> {
        let missing = self.missing.iter().flat_map(|(_, counts)| counts.iter().enumerate());
        let missing = missing.map(|(owner, count)| (owner, MISSING, *count));
        let found = self.documents.iter().take(owners_end * self.width).enumerate();
        let found = found
            .map(|(index, count)| (index / self.width, (index % self.width) as u64 + self.base, u64::from(*count)));
        let nonzero = missing.chain(found).filter(|(_, _, count)| *count > 0);
        nonzero.map(|(owner, value, count)| (owner as u32, value, count, IntermediateAggregations(Vec::new())))
    }
}

impl Node for Counts {
    fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt> {
        let len = block.owners_end * self.width;
        if len > self.documents.len() {
            budget.bytes((len - self.documents.len()) * size_of::<u32>())?;
            self.documents.resize(len, 0);
        }
        self.fetched.fetch_distinct(&self.values.column, block.docs);
        let mut new = 0;
        let mut count = |index: usize| {
            let count = &mut self.documents[index];
            new += usize::from(*count == 0);
            *count += 1;
        };
        if block.owners_end == 1 {
            self.fetched.values.iter().for_each(|value| count((value - self.base) as usize));
        } else {
            for (position, value) in self.fetched.pairs() {
                let owner = block.owners[position as usize] as usize;
                count(owner * self.width + (value - self.base) as usize);
            }
        }
        if let Some((_, missing)) = &mut self.missing {
            missing.resize(missing.len().max(block.owners_end), 0);
            let mut with_value = self.fetched.positions.iter().copied().peekable();
            for (position, owner) in block.owners.iter().enumerate() {
                let mut has_value = false;
                while with_value.next_if_eq(&(position as u32)).is_some() {
                    has_value = true;
                }
                if !has_value {
                    let count = &mut missing[*owner as usize];
                    new += usize::from(*count == 0);
                    *count += 1;
                }
            }
        }
        if self.cut.is_some() { Ok(()) } else { budget.buckets(new) }
    }

    fn finish(self: Box<Self>, owners_end: usize) -> Result<Vec<Partial>, Halt> {
        let mut buckets = match &self.cut {
            None => self.candidates(owners_end).collect(),
            Some(cut) => cut.keep(owners_end, self.candidates(owners_end)),
        };
        buckets.sort_unstable_by_key(|(owner, value, ..)| (*value, *owner));
        let values: Vec<u64> = buckets.iter().map(|(_, value, ..)| *value).filter(|value| *value != MISSING).collect();
        // Several owners may have the same value.
        let mut keys = self.values.keys(&values)?.into_iter();
        let mut results: Vec<HashMap<Key, IntermediateBucket<_>>> = (0..owners_end).map(|_| HashMap::new()).collect();
        for (owner, value, doc_count, aggs) in buckets {
            let key = match &self.missing {
                Some((key, _)) if value == MISSING => Some(key.clone()),
                _ => keys.next(),
            };
            let Some(key) = key else { continue };
            insert(&mut results[owner as usize], key, IntermediateBucket { doc_count, aggs });
        }
        Ok(results.into_iter().map(Partial::Keyed).collect())
    }
}

/// Two buckets can have one key: the key for documents without a value may also be a value.
pub(super) fn insert<H>(buckets: &mut HashMap<Key, IntermediateBucket<H>>, key: Key, bucket: IntermediateBucket<H>) {
    match buckets.entry(key) {
        std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut().merge(bucket),
        std::collections::hash_map::Entry::Vacant(entry) => {
            entry.insert(bucket);
        }
    }
}
