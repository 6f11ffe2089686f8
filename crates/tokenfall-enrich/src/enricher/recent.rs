//! What is remembered of a bounded number of spans and transactions.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// Trace and span. The hash is keyed by chance, so that nobody can make two spans meet.
pub(super) type SpanKey = u128;

/// Makes keys.
#[derive(Debug, Default)]
pub(super) struct Keys([RandomState; 2]);

impl Keys {
    pub(super) fn key(&self, trace: &str, span: &str) -> SpanKey {
        let [high, low] = &self.0;
        (u128::from(high.hash_one((trace, span))) << 64) | u128::from(low.hash_one((trace, span)))
    }
}

/// Values of the spans that were touched last: two generations of a map, of which the older one is let go when the younger
/// one is full.
#[derive(Debug)]
pub(super) struct Recent<V> {
    young: HashMap<SpanKey, V>,
    old: HashMap<SpanKey, V>,
    young_max: usize,
}

impl<V: Default> Recent<V> {
    pub(super) fn with_capacity_of(spans: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), young_max: (spans / 2).max(1) }
    }

    pub(super) fn contains(&self, key: SpanKey) -> bool {
        self.young.contains_key(&key) || self.old.contains_key(&key)
    }

    pub(super) fn take(&mut self, key: SpanKey) -> Option<V> {
        self.young.remove(&key).or_else(|| self.old.remove(&key))
    }

    pub(super) fn entry(&mut self, key: SpanKey) -> &mut V {
        if !self.young.contains_key(&key) && self.young.len() >= self.young_max {
            self.old = std::mem::take(&mut self.young);
        }
        let Self { young, old, .. } = self;
        young.entry(key).or_insert_with(|| old.remove(&key).unwrap_or_default())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
