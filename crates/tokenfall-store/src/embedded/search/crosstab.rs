//! A contingency table, all rows in one pass.
//!
//! Which columns a document is in is found once per block and becomes one number, its *lane*. Then each field is walked by itself: a
//! value becomes the number of its *cell*, and a flat array counts documents by lane and cell. The arrays of one field are small
//! enough to stay close to the processor, however many rows there are in all.
//!
//! ```text
//! docs    4  7  9             labels.model   3  0  3    ordinals
//! lanes   0 11  0     and     cells          1  0  1    →  counts[lane × cells + cell] += 1
//! ```

mod cells;
mod lanes;

use std::collections::BTreeMap;
use std::ops::Range;

use tantivy::DocId;
use tokenfall_query::{CrosstabColumns, CrosstabRow, Table};

use self::cells::Cells;
pub(super) use self::lanes::FILTERS_MAX;
use self::lanes::Lanes;
use super::Halt;
use super::aggregate::{Block, Budget, Context, Node, Partial};
use super::column::{Fetched, Values};

/// State of a table.
pub(super) struct Crosstab {
    rows: usize,
    columns: usize,
    lanes: Lanes,
    fields: Vec<FieldRows>,
    /// Documents of each lane.
    all: Vec<u64>,
    owners_end: usize,
    fetched: Fetched,
    docs: Vec<DocId>,
    doc_lanes: Vec<u32>,
}

/// The rows of one field.
struct FieldRows {
    values: Values,
    cells: Cells,
    /// Cells of each row.
    rows: Vec<(usize, Range<usize>)>,
    /// Documents by lane and cell.
    counts: Vec<u32>,
}

impl Crosstab {
    /// Finds the values of the rows in this segment.
    pub(super) fn new(context: &Context<'_>, rows: &[CrosstabRow], columns: &CrosstabColumns) -> Result<Self, Halt> {
        let mut by_field: BTreeMap<&str, Vec<(usize, &CrosstabRow)>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            let (CrosstabRow::Value { field, .. } | CrosstabRow::Range { field, .. }) = row;
            by_field.entry(field).or_default().push((index, row));
        }
        let mut fields = Vec::with_capacity(by_field.len());
        for (field, rows) in by_field {
            if let Some(values) = Values::open(context.reader, context.schema, field)? {
                fields.extend(FieldRows::new(values, &rows)?);
            }
        }
        Ok(Self {
            rows: rows.len(),
            columns: columns.len(),
            lanes: Lanes::new(context, columns)?,
            fields,
            all: Vec::new(),
            owners_end: 0,
            fetched: Fetched::default(),
            docs: Vec::new(),
            doc_lanes: Vec::new(),
        })
    }

    /// Makes room for new owners and lanes.
    fn grow(&mut self, owners_end: usize, budget: &mut Budget) -> Result<(), Halt> {
        if owners_end > self.owners_end {
            budget.buckets((owners_end - self.owners_end).saturating_mul((self.rows + 1) * self.columns))?;
            self.owners_end = owners_end;
        }
        let new = self.lanes.len() - self.all.len();
        if new > 0 {
            let cells: usize = self.fields.iter().map(|field| field.cells.len()).sum();
            budget.bytes(new.saturating_mul(size_of::<u64>() + cells * size_of::<u32>()))?;
            self.all.resize(self.lanes.len(), 0);
            for field in &mut self.fields {
                field.counts.resize(self.lanes.len() * field.cells.len(), 0);
            }
        }
        Ok(())
    }
}

impl Node for Crosstab {
    fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt> {
        self.lanes.assign(block, &mut self.docs, &mut self.doc_lanes);
        self.grow(block.owners_end, budget)?;
        for lane in &self.doc_lanes {
            self.all[*lane as usize] += 1;
        }
        if !self.docs.is_empty() {
            for field in &mut self.fields {
                field.collect(&self.docs, &self.doc_lanes, &mut self.fetched);
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>, owners_end: usize) -> Result<Vec<Partial>, Halt> {
        let mut tables = vec![Table::empty(self.rows, self.columns); owners_end];
        for (lane, count) in self.all.iter().enumerate() {
            let (owner, columns) = self.lanes.columns(lane);
            let table = &mut tables[owner];
            for column in &columns {
                table.all[*column] += count;
            }
            for field in &self.fields {
                for (row, count) in field.rows_of(lane) {
                    for column in &columns {
                        table.rows[row][*column] += count;
                    }
                }
            }
        }
        Ok(tables.into_iter().map(Partial::Table).collect())
    }
}

impl FieldRows {
    /// `None` if no row can have a document in this segment.
    fn new(values: Values, rows: &[(usize, &CrosstabRow)]) -> Result<Option<Self>, Halt> {
        let mut ranges = Vec::with_capacity(rows.len());
        for (index, row) in rows {
            let range = match row {
                CrosstabRow::Value { value, .. } => values.find(value)?,
                CrosstabRow::Range { gte, lt, .. } => values.range(*gte, *lt),
            };
            ranges.extend(range.map(|range| (*index, range)));
        }
        if ranges.is_empty() {
            return Ok(None);
        }
        let cells = Cells::new(ranges.iter().map(|(_, range)| range));
        let rows = ranges.iter().map(|(index, range)| (*index, cells.of(range))).collect();
        Ok(Some(Self { values, cells, rows, counts: Vec::new() }))
    }

    /// Counts documents, each once for each of its values.
    fn collect(&mut self, docs: &[DocId], lanes: &[u32], fetched: &mut Fetched) {
        fetched.fetch_distinct(&self.values.column, docs);
        let width = self.cells.len();
        let counts = &mut self.counts;
        let lane = |position: u32| lanes[position as usize] as usize;
        self.cells.each(fetched.pairs(), |position, cell| counts[lane(position) * width + cell] += 1);
    }

    /// Documents of a lane in each row.
    fn rows_of(&self, lane: usize) -> impl Iterator<Item = (usize, u64)> {
        let width = self.cells.len();
        let counts = &self.counts[lane * width..(lane + 1) * width];
        let mut sums = Vec::with_capacity(width + 1);
        sums.push(0);
        let mut sum = 0;
        sums.extend(counts.iter().map(|count| (sum += u64::from(*count), sum).1));
        self.rows.iter().map(move |(row, cells)| (*row, sums[cells.end] - sums[cells.start]))
    }
}
