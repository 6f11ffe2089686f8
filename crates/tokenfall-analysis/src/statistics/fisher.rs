//! Is a value over-represented in one of two sets?

use super::special::ln_factorial;

/// Fisher's exact test, one-sided: probability of at least `both` marked ones among `drawn` that are taken from `total`, of
/// which `marked` are (upper tail of the hypergeometric distribution). Exact for any size: terms are added until they vanish.
pub(crate) fn over_represented(both: u64, drawn: u64, marked: u64, total: u64) -> f64 {
    let lowest = (drawn + marked).saturating_sub(total);
    let highest = drawn.min(marked);
    if both <= lowest {
        return 1.0;
    }
    if both > highest {
        return 0.0;
    }
    let expected = drawn as f64 * marked as f64 / total.max(1) as f64;
    if (both as f64) <= expected {
        1.0 - below(both - 1, drawn, marked, total, lowest)
    } else {
        above(both, drawn, marked, total, highest)
    }
}

fn probability(k: u64, drawn: u64, marked: u64, total: u64) -> f64 {
    let ln_choose = |n: u64, k: u64| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    (ln_choose(marked, k) + ln_choose(total - marked, drawn - k) - ln_choose(total, drawn)).exp()
}

/// Probability of `k` or more, where probabilities fall.
fn above(k: u64, drawn: u64, marked: u64, total: u64, highest: u64) -> f64 {
    let first = probability(k, drawn, marked, total);
    let (mut ratio, mut sum) = (1.0, 1.0);
    for k in k..highest {
        ratio *= (marked - k) as f64 * (drawn - k) as f64;
        ratio /= (k + 1) as f64 * (total + k + 1 - marked - drawn) as f64;
        sum += ratio;
        if ratio < sum * f64::EPSILON {
            break;
        }
    }
    (first * sum).min(1.0)
}

/// Probability of `k` or fewer, where probabilities fall downwards.
fn below(k: u64, drawn: u64, marked: u64, total: u64, lowest: u64) -> f64 {
    let first = probability(k, drawn, marked, total);
    let (mut ratio, mut sum) = (1.0, 1.0);
    for k in (lowest + 1..=k).rev() {
        ratio *= k as f64 * (total + k - marked - drawn) as f64;
        ratio /= (marked + 1 - k) as f64 * (drawn + 1 - k) as f64;
        sum += ratio;
        if ratio < sum * f64::EPSILON {
            break;
        }
    }
    (first * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_lady_tasting_tea() {
        // Fisher (1935): all four right 1/70, at least three 17/70.
        assert!((over_represented(4, 4, 4, 8) - 1.0 / 70.0).abs() < 1e-12);
        assert!((over_represented(3, 4, 4, 8) - 17.0 / 70.0).abs() < 1e-12);
        assert!((over_represented(0, 4, 4, 8) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_million_is_no_problem() {
        let p = over_represented(10_400, 100_000, 100_000, 1_000_000);
        assert!(p > 1e-6 && p < 1e-4, "{p}");
    }

    proptest! {
        #[test]
        fn tails_are_sums(total in 1_u64..60, a in 0_u64..60, b in 0_u64..60, k in 0_u64..60) {
            let (drawn, marked) = (a.min(total), b.min(total));
            let lowest = (drawn + marked).saturating_sub(total);
            let sum: f64 = (lowest.max(k)..=drawn.min(marked)).map(|k| probability(k, drawn, marked, total)).sum();
            prop_assert!((over_represented(k, drawn, marked, total) - sum).abs() < 1e-9);
        }
    }
}
