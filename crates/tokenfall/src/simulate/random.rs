//! Random numbers of the kinds that traffic is made of. The same seed gives the same numbers.

use std::f64::consts::TAU;

/// A stream of random numbers.
pub(super) struct Random(fastrand::Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// From 0 to 1.
    pub(super) fn share(&mut self) -> f64 {
        self.0.f64()
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0.usize(0..bound.max(1))
    }

    /// Normally distributed around 0 with standard deviation 1 (Box and Muller).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (TAU * self.share()).cos()
    }

    /// Log-normally distributed: `median · e^(sigma · normal)`.
    pub(super) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// An index below `n`; the first is the most frequent, the k-th comes 1/k as often (Zipf).
    pub(super) fn popular(&mut self, n: usize) -> usize {
        let whole: f64 = (1..=n).map(|k| 1.0 / k as f64).sum();
        let mut rest = self.share() * whole;
        for k in 1..n {
            rest -= 1.0 / k as f64;
            if rest < 0.0 {
                return k - 1;
            }
        }
        n.saturating_sub(1)
    }

    /// An id of this many bytes, at most 16, in hexadecimal digits.
    pub(super) fn id(&mut self, bytes: usize) -> String {
        let mut id = format!("{:032x}", self.0.u128(..));
        id.truncate(2 * bytes);
        id
    }
}
