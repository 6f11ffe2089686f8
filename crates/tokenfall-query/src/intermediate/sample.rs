//! An even sample of documents, the same each time: those with the smallest hashes.
//!
//! A hash belongs to its document for good, so it does not matter in which segment a document lies and in which order parts are
//! merged: the sample of the whole is the sample of the samples of its parts.

use std::collections::HashMap;
use std::sync::Arc;

use tokenfall_model::fields::{self, FieldKind};

use crate::response::{PointColumn, Points};

/// Hash of a document by its place in the log (SplitMix64's finaliser, a bijection: no two documents of a store have the same).
pub fn sample_hash(sequence: u64) -> u64 {
    let mut z = sequence.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The entries with the `size` smallest hashes of those that were pushed.
#[derive(Clone, Debug, PartialEq)]
pub struct Smallest<T> {
    size: usize,
    /// Up to twice as many as wanted; the surplus is dropped now and then.
    entries: Vec<(u64, T)>,
    /// Hashes from here on are not wanted; `None` while nothing was dropped.
    limit: Option<u64>,
}

impl<T> Smallest<T> {
    /// Fewest entries before any is dropped.
    const SPARE: usize = 64;

    /// Keeps `size` entries.
    pub fn new(size: usize) -> Self {
        Self { size, entries: Vec::new(), limit: None }
    }

    /// True if an entry with this hash may be among the smallest.
    pub fn wants(&self, hash: u64) -> bool {
        self.size > 0 && self.limit.is_none_or(|limit| hash < limit)
    }

    /// Offers an entry.
    pub fn push(&mut self, hash: u64, entry: T) {
        if self.wants(hash) {
            self.entries.push((hash, entry));
            if self.entries.len() >= self.size.saturating_mul(2).max(Self::SPARE) {
                self.shrink();
            }
        }
    }

    /// Number of entries that are left in the end.
    pub fn len(&self) -> usize {
        self.entries.len().min(self.size)
    }

    /// True if there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The smallest entries with their hashes, in no particular order.
    pub fn into_entries(mut self) -> Vec<(u64, T)> {
        self.shrink();
        self.entries
    }

    fn shrink(&mut self) {
        if self.entries.len() > self.size {
            let (_, (limit, _), _) = self.entries.select_nth_unstable_by_key(self.size, |(hash, _)| *hash);
            self.limit = Some(*limit);
            self.entries.truncate(self.size);
        }
    }
}

/// A value of a point.
#[derive(Clone, Debug, PartialEq)]
pub enum PointValue {
    /// Of a number or date.
    Number(f64),
    /// Of a keyword, label or bool.
    Text(Arc<str>),
}

/// Documents of a `Points` aggregation.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    matching: u64,
    /// The values of each document, in the order of the fields.
    documents: Smallest<Box<[Option<PointValue>]>>,
}

impl Sample {
    /// The sample of no document.
    pub fn new(size: usize) -> Self {
        Self { matching: 0, documents: Smallest::new(size) }
    }

    /// Counts documents that match, whether or not they are offered.
    pub fn count(&mut self, matching: u64) {
        self.matching += matching;
    }

    /// Offers a document.
    pub fn push(&mut self, hash: u64, values: Box<[Option<PointValue>]>) {
        self.documents.push(hash, values);
    }

    /// Offers every document of `other`.
    pub fn merge(&mut self, other: Self) {
        self.matching += other.matching;
        for (hash, values) in other.documents.entries {
            self.documents.push(hash, values);
        }
    }

    /// Number of documents in it.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// The values by field, documents in the order of their hashes.
    pub(super) fn into_points(self, fields: &[String]) -> Points {
        let mut documents = self.documents.into_entries();
        documents.sort_unstable_by_key(|(hash, _)| *hash);
        let column = |(index, field): (usize, &String)| {
            let values = documents.iter().map(|(_, values)| values.get(index).and_then(Option::as_ref));
            match fields::kind_of(field) {
                FieldKind::Long | FieldKind::Double | FieldKind::Date => numbers(values),
                FieldKind::Keyword | FieldKind::Id | FieldKind::Text | FieldKind::Bool => texts(values),
            }
        };
        Points { matching: self.matching, columns: fields.iter().enumerate().map(column).collect() }
    }
}

fn numbers<'a>(values: impl Iterator<Item = Option<&'a PointValue>>) -> PointColumn {
    let number =
        |value: Option<&PointValue>| if let Some(PointValue::Number(number)) = value { Some(*number) } else { None };
    PointColumn::Numbers(values.map(number).collect())
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a PointValue>>) -> PointColumn {
    let mut ids: HashMap<&str, u32> = HashMap::new();
    let mut dictionary = Vec::new();
    let values = values
        .map(|value| {
            let Some(PointValue::Text(text)) = value else { return None };
            Some(*ids.entry(text).or_insert_with(|| {
                dictionary.push(text.as_ref().to_owned());
                (dictionary.len() - 1) as u32
            }))
        })
        .collect();
    PointColumn::Texts { dictionary, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_smallest_hashes_in_any_order() {
        let hashes: Vec<u64> = (0..1000).map(sample_hash).collect();
        let mut expect = hashes.clone();
        expect.sort_unstable();
        for size in [0, 1, 7, 400, 1000, 5000] {
            for hashes in [hashes.clone(), hashes.iter().rev().copied().collect()] {
                let mut smallest = Smallest::new(size);
                for hash in hashes {
                    smallest.push(hash, ());
                }
                assert_eq!(smallest.len(), size.min(1000));
                let mut kept: Vec<u64> = smallest.into_entries().into_iter().map(|(hash, ())| hash).collect();
                kept.sort_unstable();
                assert_eq!(kept, expect[..size.min(1000)]);
            }
        }
    }

    #[test]
    fn a_sample_is_spread_evenly_over_the_documents() {
        let mut smallest = Smallest::new(1_000);
        for sequence in 0..100_000_u64 {
            smallest.push(sample_hash(sequence), sequence);
        }
        let mut by_tenth = [0_u32; 10];
        for (_, sequence) in smallest.into_entries() {
            by_tenth[(sequence / 10_000) as usize] += 1;
        }
        assert!(by_tenth.iter().all(|n| (60..140).contains(n)), "{by_tenth:?}");
    }
}
