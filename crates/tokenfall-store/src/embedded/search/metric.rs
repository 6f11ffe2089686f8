//! Numbers computed over the values of one field.

use sketches_ddsketch::DDSketch;
use tokenfall_query::intermediate::{Distinct, Key, Stats};

use super::Halt;
use super::aggregate::{Block, Budget, Context, Node, Partial};
use super::column::{Fetched, Values};
use super::slots::Slots;

/// Reads the numbers of a block.
struct Reader {
    values: Option<Values>,
    fetched: Fetched,
    numbers: Vec<f64>,
}

impl Reader {
    fn new(context: &Context<'_>, field: &str) -> Result<Self, Halt> {
        let values = Values::open(context.reader, context.schema, field)?;
        Ok(Self { values, fetched: Fetched::default(), numbers: Vec::new() })
    }

    /// Each value as a number, with the owner of its document.
    fn read<'a>(&'a mut self, block: Block<'a>) -> impl Iterator<Item = (usize, f64)> + 'a {
        self.fetched.positions.clear();
        self.numbers.clear();
        if let Some(values) = &self.values {
            self.fetched.fetch(&values.column, block.docs);
            values.numbers(&self.fetched.values, &mut self.numbers);
        }
        let positions = self.fetched.positions.iter();
        positions.zip(&self.numbers).map(move |(position, number)| (block.owners[*position as usize] as usize, *number))
    }
}

/// Count, sum, smallest and largest.
pub(super) struct Simple {
    reader: Reader,
    stats: Vec<Stats>,
}

impl Simple {
    /// Of one field.
    pub(super) fn new(context: &Context<'_>, field: &str) -> Result<Self, Halt> {
        Ok(Self { reader: Reader::new(context, field)?, stats: Vec::new() })
    }
}

impl Node for Simple {
    fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt> {
        let new = block.owners_end.saturating_sub(self.stats.len());
        budget.bytes(new * size_of::<Stats>())?;
        self.stats.resize(self.stats.len() + new, Stats::default());
        for (owner, number) in self.reader.read(block) {
            self.stats[owner].add(number);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, owners_end: usize) -> Result<Vec<Partial>, Halt> {
        self.stats.resize(owners_end, Stats::default());
        Ok(self.stats.into_iter().map(Partial::Stats).collect())
    }
}

/// Percentiles.
pub(super) struct Percentiles {
    reader: Reader,
    sketches: Vec<Option<Box<DDSketch>>>,
}

impl Percentiles {
    /// Rough size of a sketch.
    const SKETCH_BYTES: usize = 2_048;

    /// Of one field.
    pub(super) fn new(context: &Context<'_>, field: &str) -> Result<Self, Halt> {
        Ok(Self { reader: Reader::new(context, field)?, sketches: Vec::new() })
    }
}

impl Node for Percentiles {
    fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt> {
        self.sketches.resize(self.sketches.len().max(block.owners_end), None);
        let mut new = 0;
        for (owner, number) in self.reader.read(block) {
            let sketch = self.sketches[owner].get_or_insert_with(|| {
                new += 1;
                Box::default()
            });
            sketch.add(number);
        }
        budget.bytes(new * Self::SKETCH_BYTES)
    }

    fn finish(mut self: Box<Self>, owners_end: usize) -> Result<Vec<Partial>, Halt> {
        self.sketches.resize(owners_end, None);
        Ok(self.sketches.into_iter().map(Partial::Percentiles).collect())
    }
}

/// Number of distinct values.
pub(super) struct Cardinality {
    values: Option<Values>,
    base: u64,
    fetched: Fetched,
    slots: Slots,
}

impl Cardinality {
    /// Rough size of a value that was seen, with its hash in the result.
    const VALUE_BYTES: usize = 40;

    /// Of one field.
    pub(super) fn new(context: &Context<'_>, field: &str) -> Result<Self, Halt> {
        let values = Values::open(context.reader, context.schema, field)?;
        let (min, max) = values.as_ref().map_or((0, 0), |v| (v.column.min_value(), v.column.max_value()));
        let slots = Slots::new((max - min).saturating_add(1));
        Ok(Self { values, base: min, fetched: Fetched::default(), slots })
    }
}

impl Node for Cardinality {
    fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt> {
        let Some(values) = &self.values else { return Ok(()) };
        let known = self.slots.keys.len();
        self.fetched.fetch(&values.column, block.docs);
        for (position, value) in self.fetched.pairs() {
            self.slots.slot(block.owners[position as usize], value - self.base);
        }
        budget.bytes((self.slots.keys.len() - known) * Self::VALUE_BYTES)
    }

    fn finish(mut self: Box<Self>, owners_end: usize) -> Result<Vec<Partial>, Halt> {
        let mut distinct = vec![Distinct::default(); owners_end];
        if let Some(column) = &self.values {
            self.slots.keys.sort_unstable_by_key(|(_, value)| *value);
            let values: Vec<u64> = self.slots.keys.iter().map(|(_, value)| value + self.base).collect();
            let mut numbers = Vec::new();
            if column.is_text() {
                for ((owner, _), key) in self.slots.keys.iter().zip(column.keys(&values)?) {
                    if let Key::Str(text) = key {
                        distinct[*owner as usize].add_str(&text);
                    }
                }
            } else {
                column.numbers(&values, &mut numbers);
                for ((owner, _), number) in self.slots.keys.iter().zip(numbers) {
                    distinct[*owner as usize].add_number(number);
                }
            }
        }
        Ok(distinct.into_iter().map(Partial::Distinct).collect())
    }
}
