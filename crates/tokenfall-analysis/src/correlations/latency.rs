//! Kibana's latency correlation: how far does having a value go along with long durations?
//!
//! Durations are cut at their percentiles 2, 4 … 98; everything else works on counts in these ranges. Source: Kibana's APM
//! correlations and the Elasticsearch aggregations `bucket_correlation` (`count_correlation`) and `bucket_count_ks_test`.

use crate::statistics::sample::Sequence;

/// Smallest coefficient that Kibana shows.
pub(super) const CORRELATION_MIN: f64 = 0.3;
/// Largest p-value of the Kolmogorov–Smirnov test that Kibana shows.
pub(super) const KS_P_MAX: f64 = 0.1;
/// Fewest documents for which the Kolmogorov–Smirnov test is defined.
const KS_COUNT_MIN: u64 = 23;
/// Passes over random points where there are fewer documents than points.
const KS_PASSES: u32 = 20;

/// The percentages at which durations are cut: 2, 4 … 98.
pub fn percents() -> Vec<f64> {
    (1..50).map(|step| f64::from(2 * step)).collect()
}

/// Ranges of durations with about the same number of transactions each.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyRanges {
    /// Where one range ends and the next begins, in microseconds; distinct and ascending.
    pub cuts: Vec<f64>,
    /// A duration that stands for each range.
    pub expectations: Vec<f64>,
}

impl LatencyRanges {
    /// From the percentiles 2, 4 … 98, ascending. Rounded; equal neighbours become one with the sum of their shares.
    pub fn of(percentiles: &[f64]) -> Self {
        let step = 0.02;
        let mut cuts: Vec<f64> = Vec::new();
        let mut fractions: Vec<f64> = Vec::new();
        for percentile in percentiles.iter().map(|p| p.round()) {
            match fractions.last_mut() {
                Some(fraction) if cuts.last() == Some(&percentile) => *fraction += step,
                _ => {
                    cuts.push(percentile);
                    fractions.push(step);
                }
            }
        }
        let mut expectations = Vec::with_capacity(cuts.len() + 1);
        expectations.extend(cuts.first());
        for (cut, fraction) in cuts.windows(2).zip(fractions.windows(2)) {
            expectations.push((fraction[0] * cut[0] + fraction[1] * cut[1]) / (fraction[0] + fraction[1]));
        }
        expectations.extend(cuts.last());
        Self { cuts, expectations }
    }

    /// The ranges `from ≤ duration < to`: one more than there are cuts.
    pub fn bounds(&self) -> Vec<(Option<f64>, Option<f64>)> {
        let from = std::iter::once(None).chain(self.cuts.iter().copied().map(Some));
        let to = self.cuts.iter().copied().map(Some).chain(std::iter::once(None));
        from.zip(to).collect()
    }

    /// Mean of what the counts in the ranges stand for.
    pub(super) fn mean(&self, counts: &[u64]) -> f64 {
        let sum: f64 = self.expectations.iter().zip(counts).map(|(x, n)| x * *n as f64).sum();
        sum / counts.iter().sum::<u64>() as f64
    }
}

/// Pearson's correlation of the duration and having the value, from counts in ranges: `count_correlation` of Elasticsearch.
/// `None` where it is not defined: no spread of durations, or all or none have the value.
pub(super) fn count_correlation(expectations: &[f64], fractions: &[f64], total: u64, counts: &[u64]) -> Option<f64> {
    let total = total as f64;
    let share = counts.iter().sum::<u64>() as f64 / total;
    let mean: f64 = expectations.iter().zip(fractions).map(|(e, f)| e * f).sum();
    let x_variance: f64 = expectations.iter().zip(fractions).map(|(e, f)| (e - mean).powi(2) * f).sum();
    let y_variance = (1.0 - share) * share * share + share * (1.0 - share) * (1.0 - share);
    let mut covariance = 0.0;
    for ((e, f), n) in expectations.iter().zip(fractions).zip(counts) {
        let (with, without) = (*n as f64, total * f - *n as f64);
        covariance += (e - mean) * (with * (1.0 - share) - without * share) / total;
    }
    Some(covariance / (x_variance * y_variance).sqrt()).filter(|r| r.is_finite())
}

/// p-value of the one-sided Kolmogorov–Smirnov test (`less`, `upper_tail`) that the counts come from the distribution with
/// these fractions, against longer durations: `bucket_count_ks_test` of Elasticsearch. `None` for fewer than 23 documents.
pub(super) fn ks_test_less(fractions: &[f64], counts: &[u64]) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    if total < KS_COUNT_MIN {
        return None;
    }
    let expected = cumulative(fractions.iter().copied());
    let found = cumulative(counts.iter().map(|n| *n as f64 / total as f64));
    let mut points = upper_tail_points();
    let wanted = usize::try_from(total).unwrap_or(usize::MAX);
    if wanted >= points.len() {
        return Some(ks_pass(&expected, &found, &points));
    }
    // Elasticsearch draws at random; here the same points each time, so that an answer is the same each time.
    let mut sequence = Sequence::of(total);
    let mut logarithms = 0.0;
    for _ in 0..KS_PASSES {
        for i in 0..wanted {
            let other = i + sequence.below(points.len() - i);
            points.swap(i, other);
        }
        logarithms += ks_pass(&expected, &found, &points[..wanted]).max(f64::MIN_POSITIVE).ln();
    }
    Some((logarithms / f64::from(KS_PASSES)).exp())
}

/// 55 probabilities, denser towards 1.
fn upper_tail_points() -> Vec<f64> {
    let points = |i: u32| (0..i).map(move |j| 0.1 * (f64::from(i - 1) + (0.5 + f64::from(j)) / f64::from(i)));
    (1..=10).flat_map(points).collect()
}

fn cumulative(shares: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = 0.0;
    std::iter::once(0.0).chain(shares.map(|share| (sum += share, sum).1)).collect()
}

/// Where a cumulative distribution over the numbers of the ranges reaches a probability, interpolated.
fn quantile(cumulative: &[f64], probability: f64) -> f64 {
    let end = cumulative.partition_point(|c| *c < probability).clamp(1, cumulative.len() - 1);
    let (low, high) = (cumulative[end - 1], cumulative[end]);
    let within = if high > low { ((probability - low) / (high - low)).min(1.0) } else { 0.0 };
    (end - 1) as f64 + within
}

/// The two-sample test between the quantiles of both distributions; p-value by Hodges (1957), equation 5.3.
fn ks_pass(expected: &[f64], found: &[f64], points: &[f64]) -> f64 {
    let sorted = |distribution: &[f64]| {
        let mut values: Vec<f64> = points.iter().map(|p| quantile(distribution, *p)).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (expected, found) = (sorted(expected), sorted(found));
    let below = |values: &[f64], limit: f64| values.partition_point(|v| *v <= limit) as f64 / values.len() as f64;
    let difference = |limit: &f64| below(&expected, *limit) - below(&found, *limit);
    let statistic = expected.iter().chain(&found).map(difference).fold(0.0, f64::max);
    // Both samples have the same size n: nm / (n + m) = n / 2, and (n + 2m) / √(nm(n + m)) = 3 / √(2n).
    let size = points.len() as f64;
    let z = (size / 2.0).sqrt() * statistic;
    (-2.0 * z * z - 2.0 * z / (2.0 * size).sqrt()).exp().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of Elasticsearch's reference for both aggregations, with the results printed there.
    const EXPECTATIONS: [f64; 11] = [0.0, 52.5, 165.0, 335.0, 555.0, 775.0, 1000.0, 1225.0, 1445.0, 1665.0, 1775.0];
    const SLOW: [u64; 11] = [0, 1, 9, 0, 0, 0, 10, 20, 20, 20, 20];
    const FAST: [u64; 11] = [0, 19, 11, 20, 20, 20, 10, 0, 0, 0, 0];
    const UNIFORM: [f64; 11] = [1.0 / 11.0; 11];

    fn close(a: Option<f64>, b: f64) {
        assert!(a.is_some_and(|a| (a - b).abs() <= 1e-9 * b.abs()), "{a:?} is not {b}");
    }

    #[test]
    fn correlation_of_the_reference() {
        close(count_correlation(&EXPECTATIONS, &UNIFORM, 200, &SLOW), 0.840_239_898_136_093_7);
        close(count_correlation(&EXPECTATIONS, &UNIFORM, 200, &FAST), -0.575_985_561_333_494_3);
        assert_eq!(count_correlation(&EXPECTATIONS, &UNIFORM, 100, &[0; 11]), None);
        assert_eq!(count_correlation(&[5.0], &[1.0], 100, &[30]), None, "all durations are the same");
    }

    #[test]
    fn kolmogorov_smirnov_of_the_reference() {
        close(ks_test_less(&UNIFORM, &SLOW), 2.248_673_241_788_478e-4);
        close(ks_test_less(&UNIFORM, &FAST), 0.964_289_578_964_724_4);
    }

    #[test]
    fn few_documents() {
        assert_eq!(ks_test_less(&[0.5, 0.5], &[10, 12]), None);
        let few = ks_test_less(&UNIFORM, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30]).unwrap();
        assert!(few < 0.01, "{few}");
        assert!(ks_test_less(&UNIFORM, &[3; 11]).unwrap() > 0.3);
    }

    #[test]
    fn fifty_five_points_towards_the_end() {
        let points = upper_tail_points();
        assert_eq!(points.len(), 55);
        assert!((points[0] - 0.05).abs() < 1e-12 && (points[54] - 0.995).abs() < 1e-12);
        assert!(points.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn equal_percentiles_are_one_range() {
        let ranges = LatencyRanges::of(&[100.2, 99.9, 200.0, 400.0]);
        assert_eq!(ranges.cuts, [100.0, 200.0, 400.0]);
        let middle = (0.04 * 100.0 + 0.02 * 200.0) / 0.06;
        assert_eq!(ranges.expectations.len(), 4);
        for (found, expected) in ranges.expectations.iter().zip([100.0, middle, 300.0, 400.0]) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
        assert_eq!(ranges.bounds()[0], (None, Some(100.0)));
        assert_eq!(ranges.bounds()[3], (Some(400.0), None));
        assert_eq!(LatencyRanges::of(&[]).bounds(), [(None, None)]);
    }
}
