//! The columns that a document is in, as one number.

use tantivy::DocId;
use tokenfall_query::CrosstabColumns;

use super::cells::Cells;
use crate::embedded::search::Halt;
use crate::embedded::search::aggregate::{Block, Context};
use crate::embedded::search::column::{Fetched, Values};
use crate::embedded::search::fixed::Matcher;
use crate::embedded::search::slots::Slots;

/// Most filters that can be columns: a set of them is a number.
pub(in crate::embedded::search) const FILTERS_MAX: usize = 63;

/// Numbers pairs of an owner and a set of columns.
pub(super) struct Lanes {
    columns: Columns,
    slots: Slots,
}

/// Columns in one segment.
enum Columns {
    /// No document is in one.
    Nothing,
    /// A document is in at most one.
    Ranges(Box<Ranges>),
    /// A document's set of columns has a bit for each.
    Filters { matchers: Vec<Matcher>, sets: Vec<u64> },
}

/// Ranges of a number.
struct Ranges {
    values: Values,
    cells: Cells,
    /// Column of each cell.
    column_of: Vec<Option<usize>>,
    fetched: Fetched,
}

impl Lanes {
    /// Prepares the columns.
    pub(super) fn new(context: &Context<'_>, columns: &CrosstabColumns) -> Result<Self, Halt> {
        match columns {
            CrosstabColumns::Ranges { field, ranges } => {
                let Some(values) = Values::open(context.reader, context.schema, field)? else {
                    return Ok(Self { columns: Columns::Nothing, slots: Slots::new(0) });
                };
                let ranges: Vec<_> = ranges
                    .iter()
                    .enumerate()
                    .filter_map(|(column, (from, to))| Some((column, values.range(*from, *to)?)))
                    .collect();
                let cells = Cells::new(ranges.iter().map(|(_, range)| range));
                let mut column_of = vec![None; cells.len()];
                for (column, range) in &ranges {
                    column_of[cells.of(range)].fill(Some(*column));
                }
                let slots = Slots::new(cells.len() as u64);
                let ranges = Ranges { values, cells, column_of, fetched: Fetched::default() };
                Ok(Self { columns: Columns::Ranges(Box::new(ranges)), slots })
            }
            CrosstabColumns::Filters(filters) => {
                let matchers = filters.iter().map(|filter| Matcher::new(context, filter)).collect::<Result<_, _>>()?;
                let slots = Slots::new(1 << filters.len().min(FILTERS_MAX));
                Ok(Self { columns: Columns::Filters { matchers, sets: Vec::new() }, slots })
            }
        }
    }

    /// Lanes so far.
    pub(super) fn len(&self) -> usize {
        self.slots.keys.len()
    }

    /// Lists the documents of a block that are in a column, with their lanes.
    pub(super) fn assign(&mut self, block: Block<'_>, docs: &mut Vec<DocId>, lanes: &mut Vec<u32>) {
        docs.clear();
        lanes.clear();
        let slots = &mut self.slots;
        let mut put = |position: usize, set: u64| {
            docs.push(block.docs[position]);
            lanes.push(slots.slot(block.owners[position], set));
        };
        match &mut self.columns {
            Columns::Nothing => {}
            Columns::Ranges(ranges) => {
                let Ranges { values, cells, column_of, fetched } = ranges.as_mut();
                fetched.fetch(&values.column, block.docs);
                let mut next = 0;
                cells.each(fetched.pairs(), |position, cell| {
                    // Of several values the first one counts; no number has several.
                    if position >= next && column_of[cell].is_some() {
                        next = position + 1;
                        put(position as usize, cell as u64);
                    }
                });
            }
            Columns::Filters { matchers, sets } => {
                sets.clear();
                sets.resize(block.docs.len(), 0);
                for (index, matcher) in matchers.iter_mut().enumerate() {
                    for (doc, set) in block.docs.iter().zip(sets.iter_mut()) {
                        *set |= u64::from(matcher.matches(*doc)) << index;
                    }
                }
                for (position, set) in sets.iter().enumerate().filter(|(_, set)| **set != 0) {
                    put(position, *set);
                }
            }
        }
    }

    /// Owner and columns of a lane.
    pub(super) fn columns(&self, lane: usize) -> (usize, Vec<usize>) {
        let (owner, set) = self.slots.keys[lane];
        let columns = match &self.columns {
            Columns::Nothing => Vec::new(),
            Columns::Ranges(ranges) => ranges.column_of[set as usize].into_iter().collect(),
            Columns::Filters { matchers, .. } => (0..matchers.len()).filter(|index| set >> index & 1 == 1).collect(),
        };
        (owner as usize, columns)
    }
}
