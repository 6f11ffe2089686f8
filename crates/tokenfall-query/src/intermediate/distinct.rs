//! How many different values there are, in bounded memory.

use std::hash::Hasher;

use xxhash_rust::xxh64::Xxh64;

/// Hashes kept: up to here the count is exact; beyond, its standard error is 1 / √[`KEPT`] ≈ 0.8 %.
const KEPT: usize = 16_384;

/// Distinct values, as the [`KEPT`] smallest of their 64-bit hashes ("k minimum values").
///
/// As long as fewer values were seen the hashes are all of them and the count is exact. Afterwards the largest one kept tells
/// how dense the hashes lie: the k-th smallest of n uniform numbers in 0..1 is expected at k / n. Merging is the union.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distinct {
    /// Up to `2 × KEPT` hashes; those beyond `sorted` may repeat.
    hashes: Vec<u64>,
    /// Hashes from here on are not among the smallest; `None` while nothing was dropped.
    limit: Option<u64>,
}

impl Distinct {
    /// Takes a text into account.
    pub fn add_str(&mut self, text: &str) {
        let mut hasher = Xxh64::new(0);
        hasher.write(text.as_bytes());
        self.add_hash(hasher.finish());
    }

    /// Takes a number into account; integers and floating point numbers of the same value are one.
    pub fn add_number(&mut self, value: f64) {
        let value = if value == 0.0 { 0.0 } else { value };
        let mut hasher = Xxh64::new(1);
        hasher.write(&value.to_bits().to_le_bytes());
        self.add_hash(hasher.finish());
    }

    /// Takes everything into account that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.limit = match (self.limit, other.limit) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        for &hash in &other.hashes {
            self.add_hash(hash);
        }
        self.shrink();
    }

    /// The count.
    pub fn count(&self) -> f64 {
        let mut distinct = self.clone();
        distinct.shrink();
        match distinct.limit {
            None => distinct.hashes.len() as f64,
            Some(limit) => distinct.hashes.len() as f64 / (limit as f64 / 2f64.powi(64)),
        }
    }

    fn add_hash(&mut self, hash: u64) {
        if self.limit.is_some_and(|limit| hash >= limit) {
            return;
        }
        self.hashes.push(hash);
        if self.hashes.len() >= 2 * KEPT {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        if let Some(limit) = self.limit {
            self.hashes.truncate(self.hashes.partition_point(|hash| *hash < limit));
        }
        if self.hashes.len() > KEPT {
            self.limit = Some(self.hashes[KEPT]);
            self.hashes.truncate(KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_counted_exactly() {
        let mut distinct = Distinct::default();
        for i in 0..40_000 {
            distinct.add_number(f64::from(i % 16_000));
        }
        distinct.add_str("0");
        assert!((distinct.count() - 16_001.0).abs() < f64::EPSILON);
    }

    #[test]
    fn many_values_are_counted_nearly_and_merge_like_one() {
        let (mut a, mut b, mut both) = (Distinct::default(), Distinct::default(), Distinct::default());
        for i in 0..300_000 {
            let text = format!("user-{i}");
            both.add_str(&text);
            if i < 200_000 {
                a.add_str(&text);
            }
            if i >= 100_000 {
                b.add_str(&text);
            }
        }
        a.merge(&b);
        assert!((a.count() / 300_000.0 - 1.0).abs() < 0.03, "{}", a.count());
        assert!((a.count() - both.count()).abs() < f64::EPSILON);
    }
}
