//! Numbers for pairs of an owner and a value.

use rustc_hash::FxHashMap;

/// Key of documents without a value.
pub(super) const MISSING: u64 = u64::MAX;

/// Numbers pairs of an owner and a key in the order in which they come.
pub(super) struct Slots {
    /// Keys are less than this, but for [`MISSING`].
    width: u64,
    /// Slot + 1 of `owner × width + key`, for the pairs that fit.
    dense: Vec<u32>,
    sparse: FxHashMap<(u32, u64), u32>,
    /// Owner and key of each slot.
    pub(super) keys: Vec<(u32, u64)>,
}

impl Slots {
    /// Longest `dense`.
    const DENSE_MAX: u64 = 1 << 20;

    /// Keys will be less than `width`, or [`MISSING`].
    pub(super) fn new(width: u64) -> Self {
        Self { width, dense: Vec::new(), sparse: FxHashMap::default(), keys: Vec::new() }
    }

    /// The number of a pair.
    pub(super) fn slot(&mut self, owner: u32, key: u64) -> u32 {
        let index = u64::from(owner).saturating_mul(self.width).saturating_add(key);
        let new = self.keys.len() as u32;
        let slot = if index < Self::DENSE_MAX {
            let index = index as usize;
            if index >= self.dense.len() {
                self.dense.resize(index + 1, 0);
            }
            let slot = &mut self.dense[index];
            if *slot != 0 {
                return *slot - 1;
            }
            *slot = new + 1;
            new
        } else {
            *self.sparse.entry((owner, key)).or_insert(new)
        };
        if slot == new {
            self.keys.push((owner, key));
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_numbered_in_order_and_kept() {
        let mut slots = Slots::new(10);
        let pairs = [(0, 3), (0, MISSING), (1, 3), (7, 0), (2_000_000, 9), (1, MISSING)];
        for (slot, (owner, key)) in pairs.iter().enumerate() {
            assert_eq!(slots.slot(*owner, *key), slot as u32);
        }
        for (slot, (owner, key)) in pairs.iter().enumerate() {
            assert_eq!(slots.slot(*owner, *key), slot as u32);
        }
        assert_eq!(slots.keys, pairs);
    }
}
