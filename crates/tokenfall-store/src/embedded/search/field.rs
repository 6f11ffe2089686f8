//! From a dotted name to what holds its values in one partition.

use tantivy::schema::{Field, Term};
use tokenfall_model::fields::{self, FieldKind};

use crate::embedded::schema::{DocumentSchema, LABELS, NUMERIC_LABELS, SAMPLES, column_name};

/// What a name of a request means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    /// A field of the schema.
    Schema {
        /// Name, which is also the name of the column.
        name: &'static str,
        /// Tantivy's field.
        field: Field,
        /// How it is indexed.
        kind: FieldKind,
    },
    /// A string label.
    Label {
        /// The JSON field of all labels.
        field: Field,
        /// Name of the column.
        column: String,
    },
    /// A numeric label or a metric sample.
    Number {
        /// Name of the column.
        column: String,
    },
    /// Nothing has this name here.
    Nothing,
}

impl Target {
    /// Finds a name. Names that are neither in the schema nor labels can only be metric samples.
    pub(super) fn find(schema: &DocumentSchema, name: &str) -> Self {
        if let Some((index, field)) = fields::find(name) {
            return schema.field(index).map_or(Self::Nothing, |tantivy| Self::Schema {
                name: field.name,
                field: tantivy,
                kind: field.kind,
            });
        }
        let number = |json, name| column_name(json, name).map_or(Self::Nothing, |column| Self::Number { column });
        if let Some(label) = name.strip_prefix(fields::LABELS) {
            column_name(LABELS, label).map_or(Self::Nothing, |column| Self::Label { field: schema.labels, column })
        } else if let Some(label) = name.strip_prefix(fields::NUMERIC_LABELS) {
            number(NUMERIC_LABELS, label)
        } else {
            number(SAMPLES, name)
        }
    }
}

/// The beginning of the terms of a label: its path in the JSON field.
pub(super) fn label_term(field: Field, column: &str) -> Term {
    let path = column.strip_prefix(LABELS).and_then(|path| path.strip_prefix('.')).unwrap_or_default();
    Term::from_field_json_path(field, path, false)
}
