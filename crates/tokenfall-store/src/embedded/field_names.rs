//! Which fields have values in a partition.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::index::SegmentId;
use tantivy::{Searcher, SegmentReader};
use tokenfall_model::fields::{self, FieldKind};

use super::schema::{LABELS, NUMERIC_LABELS, SAMPLES};

/// Names of fields that can be aggregated, with their kinds.
type Names = Arc<[(String, FieldKind)]>;

/// The fields of each segment. To list the columns of a segment takes long if there are many labels, and a segment never changes:
/// each is listed once.
#[derive(Default)]
pub(crate) struct FieldNames {
    by_segment: Mutex<HashMap<SegmentId, Names>>,
}

impl FieldNames {
    /// The fields of the segments that a searcher sees, a list for each.
    pub(crate) fn of(&self, searcher: &Searcher) -> tantivy::Result<Vec<Names>> {
        let mut known = self.known().clone();
        let mut current = HashMap::with_capacity(known.len());
        for reader in searcher.segment_readers() {
            let id = reader.segment_id();
            let names = match known.remove(&id) {
                Some(names) => names,
                None => list(reader)?,
            };
            current.insert(id, names);
        }
        let names = current.values().cloned().collect();
        // Segments that were merged away are forgotten.
        *self.known() = current;
        Ok(names)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<SegmentId, Names>> {
        // Each change is a single assignment, so a panic elsewhere leaves nothing half done.
        self.by_segment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A segment has a column for each label that one of its documents has, and for each field of the schema, some of them without
/// values. What the columns take on the disk is the list of them that Tantivy gives without a walk over the terms of all labels.
fn list(reader: &SegmentReader) -> tantivy::Result<Names> {
    let usage = reader.space_usage()?;
    let mut names = Vec::new();
    for column in usage.fast_fields().fields() {
        if let Some((name, kind)) = field(column.field_name())
            && (fields::find(&name).is_none() || has_values(reader, &name)?)
        {
            names.push((name, kind));
        }
    }
    Ok(names.into())
}

fn has_values(reader: &SegmentReader, name: &str) -> tantivy::Result<bool> {
    for handle in reader.fast_fields().dynamic_column_handles(name)? {
        if handle.open()?.num_values() > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The field that a column belongs to. Dates are left out: all documents have one, and no two the same.
fn field(column: &str) -> Option<(String, FieldKind)> {
    if let Some((_, field)) = fields::find(column) {
        let is_wanted = !matches!(field.kind, FieldKind::Id | FieldKind::Text | FieldKind::Date);
        return is_wanted.then(|| (field.name.to_owned(), field.kind));
    }
    // Keys of the JSON fields come as they are, their dots included.
    let (json, key) = column.split_once('.')?;
    match json {
        LABELS => Some((format!("{}{key}", fields::LABELS), FieldKind::Keyword)),
        NUMERIC_LABELS => Some((format!("{}{key}", fields::NUMERIC_LABELS), FieldKind::Double)),
        SAMPLES => Some((key.to_owned(), FieldKind::Double)),
        _ => None,
    }
}
