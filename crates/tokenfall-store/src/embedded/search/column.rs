//! Values of a block of documents from one column of one segment.

use std::ops::RangeInclusive;
use std::sync::Arc;

use tantivy::columnar::{Cardinality, Column, ColumnIndex, ColumnType, MonotonicallyMappableToU64, StrColumn};
use tantivy::{DocId, SegmentReader};
use tokenfall_model::fields::FieldKind;
use tokenfall_query::Value;
use tokenfall_query::intermediate::{Key, ordered_bits};

use super::field::Target;
use super::filter::{bool_of, number_of, text_of};
use super::range::Numbers;
use crate::embedded::schema::{DocumentSchema, indexed_keyword};

/// A column whose values are all `u64`: ordinals of texts, or numbers mapped so that they compare alike.
#[derive(Clone)]
pub(super) struct Values {
    pub(super) column: Column<u64>,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// Ordinals of the dictionary.
    Str(Arc<StrColumn>),
    Bool,
    /// Integers of the schema.
    Long,
    /// Floating point numbers, and JSON numbers, whose type changes from segment to segment.
    Double(ColumnType),
}

impl Values {
    /// Opens the column of a field; `None` if no document of the segment has it.
    pub(super) fn open(reader: &SegmentReader, schema: &DocumentSchema, name: &str) -> tantivy::Result<Option<Self>> {
        let columns = reader.fast_fields();
        let numbers = [ColumnType::I64, ColumnType::U64, ColumnType::F64];
        let text = |name: &str| -> tantivy::Result<Option<Self>> {
            let Some(texts) = columns.str(name)? else { return Ok(None) };
            Ok(Some(Self { column: texts.ords().clone(), kind: Kind::Str(Arc::new(texts)) }))
        };
        match Target::find(schema, name) {
            Target::Schema { kind: FieldKind::Keyword, name, .. } => text(name),
            Target::Label { column, .. } => text(&column),
            Target::Schema { kind: FieldKind::Bool, name, .. } => Ok(columns
                .u64_lenient_for_type(Some(&[ColumnType::Bool]), name)?
                .map(|(column, _)| Self { column, kind: Kind::Bool })),
            Target::Schema { kind: FieldKind::Long | FieldKind::Date, name, .. } => Ok(columns
                .u64_lenient_for_type(Some(&[ColumnType::I64]), name)?
                .map(|(column, _)| Self { column, kind: Kind::Long })),
            Target::Schema { kind: FieldKind::Double, name, .. } => Ok(columns
                .u64_lenient_for_type(Some(&numbers), name)?
                .map(|(column, column_type)| Self { column, kind: Kind::Double(column_type) })),
            Target::Number { column } => Ok(columns
                .u64_lenient_for_type(Some(&numbers), &column)?
                .map(|(column, column_type)| Self { column, kind: Kind::Double(column_type) })),
            Target::Schema { kind: FieldKind::Id | FieldKind::Text, .. } | Target::Nothing => Ok(None),
        }
    }

    /// True if the values are texts or bools.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Str(_) | Kind::Bool)
    }

    /// Turns values into numbers in place of `out`. Ordinals stay what they are.
    pub(super) fn numbers(&self, values: &[u64], out: &mut Vec<f64>) {
        out.clear();
        match self.kind {
            Kind::Long | Kind::Double(ColumnType::I64) => {
                out.extend(values.iter().map(|value| i64::from_u64(*value) as f64));
            }
            Kind::Double(ColumnType::F64) => out.extend(values.iter().map(|value| f64::from_u64(*value))),
            Kind::Str(_) | Kind::Bool | Kind::Double(_) => out.extend(values.iter().map(|value| *value as f64)),
        }
    }

    fn number(&self, value: u64) -> f64 {
        match self.kind {
            Kind::Long | Kind::Double(ColumnType::I64) => i64::from_u64(value) as f64,
            Kind::Double(ColumnType::F64) => f64::from_u64(value),
            Kind::Str(_) | Kind::Bool | Kind::Double(_) => value as f64,
        }
    }

    /// What is equal to a value, as a filter would find it; `None` if nothing in this segment is.
    pub(super) fn find(&self, value: &Value) -> tantivy::Result<Option<RangeInclusive<u64>>> {
        let one = |value| value..=value;
        Ok(match &self.kind {
            Kind::Str(texts) => texts.dictionary().term_ord(indexed_keyword(&text_of(value)))?.map(one),
            Kind::Bool => bool_of(value).map(u64::from).map(one),
            Kind::Long => number_of(value).and_then(|number| number.mapped(ColumnType::I64)),
            Kind::Double(column_type) => number_of(value).and_then(|number| number.mapped(*column_type)),
        })
    }

    /// Numbers `gte ≤ x < lt`; `None` if there can be none.
    pub(super) fn range(&self, gte: Option<f64>, lt: Option<f64>) -> Option<RangeInclusive<u64>> {
        let numbers = Numbers::Range { gte, lt };
        match self.kind {
            Kind::Str(_) | Kind::Bool => None,
            Kind::Long => numbers.mapped(ColumnType::I64),
            Kind::Double(column_type) => numbers.mapped(column_type),
        }
    }

    /// Bits that compare like the values, the same in every segment. Not for texts.
    pub(super) fn sort_bits(&self, value: u64) -> u64 {
        if matches!(self.kind, Kind::Double(_)) { ordered_bits(self.number(value)) } else { value }
    }

    /// Keys of values, which must be in ascending order.
    pub(super) fn keys(&self, values: &[u64]) -> tantivy::Result<Vec<Key>> {
        Ok(match &self.kind {
            Kind::Str(texts) => {
                let mut keys = Vec::with_capacity(values.len());
                let found = texts.dictionary().sorted_ords_to_term_cb(values, |term| {
                    keys.push(Key::Str(String::from_utf8_lossy(term).into()));
                })?;
                if !found || keys.len() != values.len() {
                    return Err(tantivy::TantivyError::InternalError("a column has an unknown ordinal".to_owned()));
                }
                keys
            }
            Kind::Bool => values.iter().map(|v| Key::Str(if *v == 0 { "false" } else { "true" }.into())).collect(),
            Kind::Long => values.iter().map(|value| Key::Long(i64::from_u64(*value))).collect(),
            Kind::Double(_) => values.iter().map(|value| Key::double(self.number(*value))).collect(),
        })
    }

    /// Key for documents without a value: `text` as a value of this column's kind if it can be one.
    pub(super) fn missing_key(kind: FieldKind, text: &str) -> Key {
        let text_key = || Key::Str(text.into());
        match kind {
            FieldKind::Long | FieldKind::Date => text.parse().map_or_else(|_| text_key(), Key::Long),
            FieldKind::Double => text.parse().map_or_else(|_| text_key(), Key::double),
            FieldKind::Keyword | FieldKind::Id | FieldKind::Text | FieldKind::Bool => text_key(),
        }
    }
}

/// Values of a block, with the position in the block of the document that each belongs to; positions ascend.
#[derive(Default)]
pub(super) struct Fetched {
    /// Positions.
    pub(super) positions: Vec<u32>,
    /// Values.
    pub(super) values: Vec<u64>,
    rows: Vec<u32>,
    docs: Vec<DocId>,
}

impl Fetched {
    /// Reads all values of `docs`, which do not descend and may repeat.
    pub(super) fn fetch(&mut self, column: &Column<u64>, docs: &[DocId]) {
        self.positions.clear();
        self.rows.clear();
        match &column.index {
            ColumnIndex::Empty { .. } => {}
            ColumnIndex::Full => {
                self.positions.extend(0..docs.len() as u32);
                self.values.resize(docs.len(), 0);
                column.values.get_vals(docs, &mut self.values);
                return;
            }
            ColumnIndex::Optional(_) if docs.is_sorted_by(|a, b| a < b) => {
                self.docs.clear();
                column.row_ids_for_docs(docs, &mut self.docs, &mut self.rows);
                let mut position = 0;
                self.positions.extend(self.docs.iter().map(|doc| {
                    while docs[position] != *doc {
                        position += 1;
                    }
                    position as u32
                }));
            }
            ColumnIndex::Optional(_) | ColumnIndex::Multivalued(_) => {
                for (position, doc) in docs.iter().enumerate() {
                    for row in column.index.value_row_ids(*doc) {
                        self.positions.push(position as u32);
                        self.rows.push(row);
                    }
                }
            }
        }
        self.values.resize(self.rows.len(), 0);
        column.values.get_vals(&self.rows, &mut self.values);
    }

    /// As [`Self::fetch`], each document's equal values once.
    pub(super) fn fetch_distinct(&mut self, column: &Column<u64>, docs: &[DocId]) {
        self.fetch(column, docs);
        if column.get_cardinality() == Cardinality::Multivalued {
            self.sort_and_dedup();
        }
    }

    /// Puts the values of each document in order and drops those that are there twice. Most documents have one or two.
    fn sort_and_dedup(&mut self) {
        let (mut read, mut write) = (0, 0);
        while read < self.positions.len() {
            let position = self.positions[read];
            let end = read + self.positions[read..].iter().take_while(|other| **other == position).count();
            self.values[read..end].sort_unstable();
            for index in read..end {
                if index == read || self.values[index] != self.values[index - 1] {
                    (self.positions[write], self.values[write]) = (position, self.values[index]);
                    write += 1;
                }
            }
            read = end;
        }
        self.positions.truncate(write);
        self.values.truncate(write);
    }

    /// Positions with values.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.positions.iter().copied().zip(self.values.iter().copied())
    }
}
