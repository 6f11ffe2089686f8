//! Values of an even sample of documents.

use std::sync::Arc;

use tantivy::DocId;
use tantivy::columnar::Column;
use tokenfall_query::intermediate::{Key, PointValue, Sample, Smallest, sample_hash};

use super::Halt;
use super::aggregate::{Block, Budget, Context, Node, Partial};
use super::column::{Fetched, Values};
use crate::embedded::schema::SEQUENCE;

/// Keeps the documents with the smallest hashes; only their values are read.
pub(super) struct Points {
    sequence: Column<u64>,
    fields: Vec<Option<Values>>,
    size: usize,
    owners: Vec<(u64, Smallest<DocId>)>,
    sequences: Vec<u64>,
}

impl Points {
    /// Rough size of a document.
    const DOC_BYTES: usize = 64;
    /// Rough size of a value.
    const VALUE_BYTES: usize = 48;

    /// The values of `fields` of at most `size` documents.
    pub(super) fn new(context: &Context<'_>, fields: &[String], size: usize) -> Result<Self, Halt> {
        let open = |field: &String| Values::open(context.reader, context.schema, field);
        Ok(Self {
            sequence: context.reader.fast_fields().u64(SEQUENCE)?,
            fields: fields.iter().map(open).collect::<tantivy::Result<_>>()?,
            size,
            owners: Vec::new(),
            sequences: Vec::new(),
        })
    }

    /// The values of some documents, which ascend.
    fn rows(&self, docs: &[DocId]) -> Result<Vec<Box<[Option<PointValue>]>>, Halt> {
        let mut rows = vec![vec![None; self.fields.len()].into_boxed_slice(); docs.len()];
        let mut fetched = Fetched::default();
        for (index, values) in self.fields.iter().enumerate() {
            let Some(values) = values else { continue };
            fetched.fetch(&values.column, docs);
            let points = points(values, &fetched.values)?;
            for (position, point) in fetched.positions.iter().zip(points) {
                rows[*position as usize][index].get_or_insert(point);
            }
        }
        Ok(rows)
    }
}

impl Node for Points {
    fn collect(&mut self, block: Block<'_>, budget: &mut Budget) -> Result<(), Halt> {
        while self.owners.len() < block.owners_end {
            self.owners.push((0, Smallest::new(self.size)));
        }
        self.sequences.resize(block.docs.len(), 0);
        // Every document has one.
        self.sequence.values.get_vals(block.docs, &mut self.sequences);
        let mut new = 0;
        for ((doc, owner), sequence) in block.docs.iter().zip(block.owners).zip(&self.sequences) {
            let (matching, smallest) = &mut self.owners[*owner as usize];
            *matching += 1;
            let hash = sample_hash(*sequence);
            if smallest.wants(hash) {
                let kept = smallest.len();
                smallest.push(hash, *doc);
                new += smallest.len() - kept;
            }
        }
        budget.bytes(new * (Self::DOC_BYTES + self.fields.len() * Self::VALUE_BYTES))
    }

    fn finish(mut self: Box<Self>, owners_end: usize) -> Result<Vec<Partial>, Halt> {
        let mut owners = std::mem::take(&mut self.owners);
        owners.resize_with(owners_end, || (0, Smallest::new(self.size)));
        let sample = |(matching, smallest): (u64, Smallest<DocId>)| {
            let mut entries = smallest.into_entries();
            entries.sort_unstable_by_key(|(_, doc)| *doc);
            let docs: Vec<DocId> = entries.iter().map(|(_, doc)| *doc).collect();
            let mut sample = Sample::new(self.size);
            sample.count(matching);
            for ((hash, _), values) in entries.iter().zip(self.rows(&docs)?) {
                sample.push(*hash, values);
            }
            Ok(Partial::Points(sample))
        };
        owners.into_iter().map(sample).collect()
    }
}

/// Values of a column as they are given back.
fn points(column: &Values, values: &[u64]) -> Result<Vec<PointValue>, Halt> {
    if !column.is_text() {
        let mut numbers = Vec::new();
        column.numbers(values, &mut numbers);
        return Ok(numbers.into_iter().map(PointValue::Number).collect());
    }
    let mut distinct = values.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let text = |key| if let Key::Str(text) = key { Arc::from(text) } else { Arc::from("") };
    let texts: Vec<Arc<str>> = column.keys(&distinct)?.into_iter().map(text).collect();
    let index = |value: &u64| distinct.partition_point(|known| known < value);
    Ok(values.iter().map(|value| PointValue::Text(Arc::clone(&texts[index(value)]))).collect())
}
