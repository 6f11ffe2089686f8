//! The first documents of a bucket.

use tantivy::DocAddress;
use tokenfall_query::intermediate::{SORT_KEYS_MAX, SortKey, Top, sort_part};
use tokenfall_query::{Sort, SortOrder};

use super::Halt;
use super::aggregate::{Block, Budget, Context, Hit, Node, Partial};
use super::column::{Fetched, Values};

/// Keeps addresses; documents are loaded at the very end.
pub(super) struct TopHits {
    partition: usize,
    segment: u32,
    size: usize,
    sort: Vec<(Option<Values>, SortOrder)>,
    tops: Vec<Top<Hit>>,
    fetched: Fetched,
    keys: Vec<SortKey>,
}

impl TopHits {
    /// Rough size of a hit.
    const HIT_BYTES: usize = 64;

    /// The first `size` documents in the order of `sort`.
    pub(super) fn new(context: &Context<'_>, size: usize, sort: &[Sort]) -> Result<Self, Halt> {
        let column = |sort: &Sort| -> Result<_, Halt> {
            Ok((Values::open(context.reader, context.schema, &sort.field)?, sort.order))
        };
        Ok(Self {
            partition: context.partition,
            segment: context.segment,
            size,
            sort: sort.iter().take(SORT_KEYS_MAX).map(column).collect::<Result<_, _>>()?,
            tops: Vec::new(),
            fetched: Fetched::default(),
            keys: Vec::new(),
        })
    }
}

impl Node for TopHits {
    fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt> {
        while self.tops.len() < block.owners_end {
            self.tops.push(Top::new(self.size));
        }
        if self.sort.is_empty() && block.owners_end == 1 && self.tops[0].is_full() {
            return Ok(());
        }
        let mut unsorted: SortKey = [0; SORT_KEYS_MAX];
        for (part, (_, order)) in unsorted.iter_mut().zip(&self.sort) {
            *part = sort_part(None, *order);
        }
        self.keys.clear();
        self.keys.resize(block.docs.len(), unsorted);
        for (index, (values, order)) in self.sort.iter().enumerate() {
            let Some(values) = values else { continue };
            self.fetched.fetch(&values.column, block.docs);
            // Of several values the last one counts; no field that can be sorted by has several.
            for (position, value) in self.fetched.pairs() {
                self.keys[position as usize][index] = sort_part(Some(values.sort_bits(value)), *order);
            }
        }
        let mut new = 0;
        for ((doc, owner), key) in block.docs.iter().zip(block.owners).zip(&self.keys) {
            let top = &mut self.tops[*owner as usize];
            let full = top.is_full();
            if top.wants(key) {
                let hit = Hit { partition: self.partition, address: DocAddress::new(self.segment, *doc) };
                top.push(*key, hit);
                new += usize::from(!full);
            }
        }
        budget.bytes(new * Self::HIT_BYTES)
    }

    fn finish(mut self: Box<Self>, owners_end: usize) -> Result<Vec<Partial>, Halt> {
        while self.tops.len() < owners_end {
            self.tops.push(Top::new(self.size));
        }
        Ok(self.tops.into_iter().map(Partial::Top).collect())
    }
}
