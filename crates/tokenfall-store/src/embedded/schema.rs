//! How a [`Document`] becomes an entry of a Tantivy index.
//!
//! | kind of field | indexed | column |
//! | --- | --- | --- |
//! | keyword | whole value, no frequencies, no norms | text |
//! | id | whole value | none |
//! | text | words with positions, no norms | none |
//! | long, date | no | `i64` (dates in microseconds) |
//! | double | no | `f64` |
//! | bool | yes | `bool` |
//! | [`LABELS`] (JSON) | whole value | text |
//! | [`NUMERIC_LABELS`], [`SAMPLES`] (JSON) | no | number |
//! | [`SEQUENCE`] | no | `u64` |
//! | [`SOURCE`] | no | none; stored |
//!
//! Inside the JSON fields a dot belongs to the name: `labels: {"a.b": "x"}` is one key, whose column and terms are found under
//! [`column_name`]. Tantivy gives a JSON number column the narrowest type that holds all values of a segment, so the column of
//! one numeric label can be `i64` in one segment and `f64` in the next.

use std::borrow::Cow;

use tantivy::TantivyDocument;
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, JsonObjectOptions, NumericOptions, OwnedValue, Schema, TextFieldIndexing,
    TextOptions,
};
use tokenfall_model::Document;
use tokenfall_model::fields::{self, FieldKind, FieldValue};
use tokenfall_model::limits::{INDEXED_KEYWORD_BYTES_MAX, KEYWORD_CHARS_MAX};

/// JSON field of the string labels.
pub(crate) const LABELS: &str = "labels";
/// JSON field of the numeric labels.
pub(crate) const NUMERIC_LABELS: &str = "numeric_labels";
/// JSON field of the gauges and counters of metricsets.
pub(crate) const SAMPLES: &str = "samples";
/// The document's place in the log; no two documents share one.
pub(crate) const SEQUENCE: &str = "_seq";
/// The document itself, as [`Document::to_json`] writes it.
pub(crate) const SOURCE: &str = "_source";

/// The fields of one partition. A partition keeps the schema that it was created with, so fields that a later version added
/// are absent from old ones.
#[derive(Clone, Debug)]
pub(crate) struct DocumentSchema {
    /// String labels.
    pub(crate) labels: Field,
    /// Numeric labels.
    pub(crate) numeric_labels: Field,
    /// Metric samples.
    pub(crate) samples: Field,
    /// Place in the log.
    pub(crate) sequence: Field,
    /// Stored document.
    pub(crate) source: Field,
    fields: Vec<Option<Field>>,
}

impl DocumentSchema {
    /// The schema of new partitions.
    pub(crate) fn build() -> Schema {
        let mut builder = Schema::builder();
        let raw = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false);
        let words = TextFieldIndexing::default()
            .set_tokenizer("default")
            .set_index_option(IndexRecordOption::WithFreqsAndPositions)
            .set_fieldnorms(false);
        let number = NumericOptions::default().set_fast();
        for field in fields::ALL {
            match field.kind {
                FieldKind::Keyword => {
                    let options = TextOptions::default().set_indexing_options(raw.clone()).set_fast("raw");
                    builder.add_text_field(field.name, options);
                }
                FieldKind::Id => {
                    builder.add_text_field(field.name, TextOptions::default().set_indexing_options(raw.clone()));
                }
                FieldKind::Text => {
                    builder.add_text_field(field.name, TextOptions::default().set_indexing_options(words.clone()));
                }
                FieldKind::Long | FieldKind::Date => {
                    builder.add_i64_field(field.name, number.clone());
                }
                FieldKind::Double => {
                    builder.add_f64_field(field.name, number.clone());
                }
                FieldKind::Bool => {
                    builder.add_bool_field(field.name, number.clone().set_indexed());
                }
            }
        }
        builder.add_json_field(LABELS, JsonObjectOptions::default().set_indexing_options(raw).set_fast("raw"));
        builder.add_json_field(NUMERIC_LABELS, JsonObjectOptions::default().set_fast("raw"));
        builder.add_json_field(SAMPLES, JsonObjectOptions::default().set_fast("raw"));
        builder.add_u64_field(SEQUENCE, number);
        builder.add_bytes_field(SOURCE, BytesOptions::default().set_stored());
        builder.build()
    }

    /// Reads the schema of an existing partition.
    pub(crate) fn of(schema: &Schema) -> tantivy::Result<Self> {
        Ok(Self {
            labels: schema.get_field(LABELS)?,
            numeric_labels: schema.get_field(NUMERIC_LABELS)?,
            samples: schema.get_field(SAMPLES)?,
            sequence: schema.get_field(SEQUENCE)?,
            source: schema.get_field(SOURCE)?,
            fields: fields::ALL.iter().map(|field| schema.get_field(field.name).ok()).collect(),
        })
    }

    /// The field with this index in [`fields::ALL`]; `None` if this partition is older than the field.
    pub(crate) fn field(&self, index: usize) -> Option<Field> {
        self.fields.get(index).copied().flatten()
    }

    /// The index entry of a document whose JSON is `source`.
    pub(crate) fn entry(&self, document: &Document, source: &[u8], sequence: u64) -> TantivyDocument {
        let mut entry = TantivyDocument::with_capacity(source.len() * 2);
        document.visit_fields(&mut |index, value| {
            let Some(field) = self.field(index) else { return };
            match value {
                FieldValue::Str(text) if fields::ALL[index].kind == FieldKind::Text => entry.add_text(field, text),
                FieldValue::Str(text) => entry.add_text(field, indexed_keyword(text)),
                FieldValue::Long(n) => entry.add_i64(field, n),
                FieldValue::Double(n) => entry.add_f64(field, n),
                FieldValue::Bool(b) => entry.add_bool(field, b),
            }
        });
        let (mut labels, mut numeric_labels, mut samples) = (Vec::new(), Vec::new(), Vec::new());
        document.visit_labels(
            &mut |name, value| {
                if let Some(name) = indexed_name(name) {
                    labels.push((name.into_owned(), OwnedValue::Str(indexed_keyword(value).to_owned())));
                }
            },
            &mut |name, value| {
                if let Some(name) = indexed_name(name) {
                    numeric_labels.push((name.into_owned(), OwnedValue::F64(value)));
                }
            },
        );
        document.visit_samples(&mut |name, value| {
            if let Some(name) = indexed_name(name) {
                samples.push((name.into_owned(), OwnedValue::F64(value)));
            }
        });
        for (field, object) in [(self.labels, labels), (self.numeric_labels, numeric_labels), (self.samples, samples)] {
            if !object.is_empty() {
                entry.add_field_value(field, &OwnedValue::Object(object));
            }
        }
        entry.add_u64(self.sequence, sequence);
        entry.add_bytes(self.source, source);
        entry
    }
}

/// The part of a keyword that is indexed. Filters must compare with the same part.
pub(crate) fn indexed_keyword(text: &str) -> &str {
    &text[..text.floor_char_boundary(INDEXED_KEYWORD_BYTES_MAX)]
}

/// The name under which a label or sample is indexed: control characters, which Tantivy uses as separators, become `_`. `None`
/// for a name that is too long to be indexed at all; it is kept in the source.
pub(crate) fn indexed_name(name: &str) -> Option<Cow<'_, str>> {
    if name.is_empty() || name.chars().nth(KEYWORD_CHARS_MAX).is_some() {
        return None;
    }
    if name.contains(char::is_control) {
        return Some(Cow::Owned(name.replace(char::is_control, "_")));
    }
    Some(Cow::Borrowed(name))
}

/// Tantivy's name of the column of a label or sample, such as `labels.a\.b` for the label `a.b`. `None` if such a name is
/// never indexed.
pub(crate) fn column_name(json_field: &str, name: &str) -> Option<String> {
    let name = indexed_name(name)?;
    Some(format!("{json_field}.{}", name.replace('\\', "\\\\").replace('.', "\\.")))
}

#[cfg(test)]
mod tests;
