//! The first few of many, by sort keys.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::request::SortOrder;

/// Most keys that a sort may have.
pub const SORT_KEYS_MAX: usize = 4;

/// Place of a document in a sort, smallest first; made of [`sort_part`]s, unused ones zero.
pub type SortKey = [u64; SORT_KEYS_MAX];

/// Maps a number to bits that compare like it; both zeros give the same.
pub fn ordered_bits(value: f64) -> u64 {
    let value = if value == 0.0 { 0.0 } else { value };
    let bits = value.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

pub(super) fn from_ordered_bits(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

/// One part of a [`SortKey`] from bits that compare like the values; documents without a value come last either way.
pub fn sort_part(ordered: Option<u64>, order: SortOrder) -> u64 {
    match (ordered, order) {
        (None, _) => u64::MAX,
        (Some(bits), SortOrder::Ascending) => bits,
        (Some(bits), SortOrder::Descending) => !bits,
    }
}

/// The `size` smallest entries of those that were pushed; of equal ones the first to come.
#[derive(Clone, Debug)]
pub struct Top<H> {
    size: usize,
    pushed: u64,
    /// The worst of those kept is on top.
    heap: BinaryHeap<Entry<H>>,
}

#[derive(Clone, Debug)]
struct Entry<H> {
    key: SortKey,
    seq: u64,
    hit: H,
}

impl<H> Top<H> {
    /// Keeps `size` entries.
    pub fn new(size: usize) -> Self {
        Self { size, pushed: 0, heap: BinaryHeap::new() }
    }

    /// True if an entry with this key would be kept.
    pub fn wants(&self, key: &SortKey) -> bool {
        self.heap.len() < self.size || self.heap.peek().is_some_and(|worst| *key < worst.key)
    }

    /// True if no further entry would be kept, however small.
    pub fn is_full(&self) -> bool {
        self.heap.len() >= self.size
    }

    /// Offers an entry. True if it was kept.
    pub fn push(&mut self, key: SortKey, hit: H) -> bool {
        if !self.wants(&key) {
            return false;
        }
        self.pushed += 1;
        if self.is_full() {
            self.heap.pop();
        }
        self.heap.push(Entry { key, seq: self.pushed, hit });
        true
    }

    /// Offers every entry of `other`.
    pub fn merge(&mut self, other: Self) {
        for (key, hit) in other.into_entries() {
            self.push(key, hit);
        }
    }

    /// The entries in order.
    pub fn into_entries(self) -> impl Iterator<Item = (SortKey, H)> {
        self.heap.into_sorted_vec().into_iter().map(|entry| (entry.key, entry.hit))
    }
}

impl<H> Ord for Entry<H> {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.key, self.seq).cmp(&(&other.key, other.seq))
    }
}

impl<H> PartialOrd for Entry<H> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<H> PartialEq for Entry<H> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<H> Eq for Entry<H> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_compare_like_numbers() {
        let numbers = [f64::NEG_INFINITY, -7.5, -1e-300, 0.0, 1e-300, 3.0, f64::INFINITY];
        for pair in numbers.windows(2) {
            assert!(ordered_bits(pair[0]) < ordered_bits(pair[1]), "{pair:?}");
        }
        for number in numbers {
            assert!((from_ordered_bits(ordered_bits(number)) - number).abs() < f64::EPSILON || number.is_infinite());
        }
        assert_eq!(ordered_bits(-0.0), ordered_bits(0.0));
    }

    #[test]
    fn keeps_the_smallest_in_order() {
        let mut top = Top::new(3);
        for n in [5, 1, 4, 1, 3, 9] {
            top.push([n, 0, 0, 0], n);
        }
        assert_eq!(top.into_entries().map(|(_, n)| n).collect::<Vec<_>>(), [1, 1, 3]);
        let mut none = Top::new(0);
        assert!(!none.push([0; SORT_KEYS_MAX], ()));
    }
}
