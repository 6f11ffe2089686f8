//! Kibana's failed transaction correlation: is a value over-represented among the failures?
//!
//! Source: the heuristic `p_value` of Elasticsearch's significant terms, and Kibana's score and words for it.

use tokenfall_api::correlations::Impact;

use crate::statistics::special::{chi_squared_tail, ln_factorial};

/// Largest p-value that Kibana shows.
pub(super) const P_MAX: f64 = 0.02;

/// How a value spreads over the two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// Selected ones with the value.
    pub(super) selected_with: u64,
    /// Selected ones.
    pub(super) selected: u64,
    /// Others with the value.
    pub(super) rest_with: u64,
    /// Others.
    pub(super) rest: u64,
}

/// −ln of the p-value of the likelihood ratio test (χ² with one degree of freedom) that the value is as frequent in both sets,
/// smoothed so that differences below about 5 % do not count; 0 if the value is not over-represented.
pub(super) fn p_value_score(split: Split) -> f64 {
    let with = split.selected_with as f64;
    if with * split.rest as f64 <= split.selected as f64 * split.rest_with as f64 {
        return 0.0;
    }
    let smoothed = |n: u64| n as f64 + (0.05 * n as f64 + 0.5).max(1.0).floor();
    let (selected, rest) = (smoothed(split.selected), smoothed(split.rest));
    let rest_with = ((1.05 * split.rest_with as f64).min(with / selected * rest) + 0.5).floor();
    let pooled = (with + rest_with) / (selected + rest);
    let ratio = ln_binomial(with, selected, with / selected) + ln_binomial(rest_with, rest, rest_with / rest)
        - ln_binomial(with, selected, pooled)
        - ln_binomial(rest_with, rest, pooled);
    -chi_squared_tail(2.0 * ratio).max(f64::MIN_POSITIVE).ln()
}

/// Logarithm of the binomial probability of `k` of `n`, both whole.
fn ln_binomial(k: f64, n: f64, probability: f64) -> f64 {
    let times_ln = |count: f64, x: f64| if count > 0.0 { count * x.ln() } else { 0.0 };
    let choose = ln_factorial(n as u64) - ln_factorial(k as u64) - ln_factorial((n - k) as u64);
    choose + times_ln(k, probability) + times_ln(n - k, 1.0 - probability)
}

/// Kibana's column "score", from 0 to 1. The constants are −ln of 0.02, 10⁻³ and 10⁻⁶.
pub(super) fn normalised(score: f64) -> f64 {
    let part = |from: f64, width: f64| ((score - from) / width).clamp(0.0, 1.0);
    (0.5 * part(3.912, 2.995) + 0.25 * part(6.908, 6.908) + 0.25 * part(13.816, 101.314)).clamp(0.0, 1.0)
}

/// Kibana's word for a p-value.
pub(super) fn impact(p: f64) -> Impact {
    match p {
        p if p < 1e-6 => Impact::High,
        p if p < 1e-3 => Impact::Medium,
        p if p < P_MAX => Impact::Low,
        _ => Impact::VeryLow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(selected_with: u64, selected: u64, rest_with: u64, rest: u64) -> f64 {
        p_value_score(Split { selected_with, selected, rest_with, rest })
    }

    /// Selected with, selected, rest with, rest; score, normalised score, impact.
    const GOLDEN: [([u64; 4], f64, f64, Impact); 4] = [
        ([150, 200, 50, 800], 195.402_526_946_923_05, 1.0, Impact::High),
        ([12, 50, 20, 950], 18.477_236_504_789_126, 0.761_501_955_565_837_7, Impact::High),
        ([6, 50, 20, 950], 6.387_570_324_724_6, 0.413_283_860_555_025_1, Impact::Low),
        ([5, 50, 60, 950], 0.926_867_335_775_253_3, 0.0, Impact::VeryLow),
    ];

    #[test]
    fn worked_numbers() {
        // Computed from the definition with an independent program.
        for (split, expected, normal, word) in GOLDEN {
            let found = score(split[0], split[1], split[2], split[3]);
            assert!((found - expected).abs() <= 1e-8 * expected, "{split:?}: {found}");
            assert!((normalised(found) - normal).abs() < 1e-8, "{split:?}: {}", normalised(found));
            assert_eq!(impact((-found).exp()), word, "{split:?}");
        }
    }

    #[test]
    fn what_is_not_over_represented_has_no_score() {
        assert!(score(20, 200, 80, 800).abs() < 1e-12, "as frequent");
        assert!(score(2, 50, 60, 950).abs() < 1e-12, "rarer");
        assert!(score(103, 1_000, 1_000, 10_000) < 0.5, "differences below 5 % do not count");
        assert!(score(1_000_000, 1_000_000, 1, 1_000_000) > 700.0, "as small as numbers get");
    }

    #[test]
    fn impact_of_the_thresholds() {
        let words = [0.02, 0.019, 1e-3, 9e-4, 1e-6, 9e-7].map(impact);
        let [very_low, low, medium, high] = [Impact::VeryLow, Impact::Low, Impact::Medium, Impact::High];
        assert_eq!(words, [very_low, low, low, medium, medium, high]);
    }
}
