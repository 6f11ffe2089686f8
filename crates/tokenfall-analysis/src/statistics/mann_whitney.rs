//! Do the values of one group tend to be larger than those of another?

use super::special::normal_tail;

/// Result of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MannWhitney {
    /// Probability that a value of the group is larger than one of the others, ties counted half; 0.5 where they do not differ.
    pub(crate) superiority: f64,
    /// One-sided p-value: small if the group's values are larger.
    pub(crate) p: f64,
}

/// Mann and Whitney (1947), from counts in ascending classes: values of one class are ties. Normal approximation with
/// correction for ties (Lehmann, *Nonparametrics*, 1.4) and for continuity. `None` if one side is empty or all values are tied.
///
/// Classes lose what happens inside of them; with fifty of about the same size the power lost is below a thousandth.
pub(crate) fn mann_whitney(all: &[u64], group: &[u64]) -> Option<MannWhitney> {
    let total = all.iter().sum::<u64>() as f64;
    let inside = group.iter().sum::<u64>() as f64;
    let outside = total - inside;
    if inside <= 0.0 || outside <= 0.0 {
        return None;
    }
    let (mut below, mut wins, mut ties) = (0.0, 0.0, 0.0);
    for (class, group) in all.iter().zip(group) {
        let (class, group) = (*class as f64, *group as f64);
        let others = class - group;
        wins += group * (below + others / 2.0);
        below += others;
        ties += class * (class * class - 1.0);
    }
    let variance = inside * outside / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return None;
    }
    let z = (wins - inside * outside / 2.0 - 0.5) / variance.sqrt();
    Some(MannWhitney { superiority: wins / (inside * outside), p: normal_tail(z) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn worked_example() {
        // 1 2 3 4 (others) against 5 6 7 (group): U = 12, mean 6, variance 4·3·8/12 = 8.
        let result = mann_whitney(&[1; 7], &[0, 0, 0, 0, 1, 1, 1]).unwrap();
        assert!((result.superiority - 1.0).abs() < 1e-12);
        assert!((result.p - normal_tail(5.5 / 8.0_f64.sqrt())).abs() < 1e-12);
    }

    #[test]
    fn nothing_to_compare() {
        assert_eq!(mann_whitney(&[3, 4], &[0, 0]), None);
        assert_eq!(mann_whitney(&[3, 4], &[3, 4]), None);
        assert_eq!(mann_whitney(&[9, 0], &[4, 0]), None, "all tied");
    }

    proptest! {
        #[test]
        fn superiority_is_the_share_of_pairs(pairs in prop::collection::vec((0_u64..6, 0_u64..6), 2..12)) {
            let group: Vec<u64> = pairs.iter().map(|p| p.0).collect();
            let all: Vec<u64> = pairs.iter().map(|p| p.0 + p.1).collect();
            let (mut won, mut played) = (0.0, 0.0);
            for (i, a) in pairs.iter().enumerate() {
                for (j, b) in pairs.iter().enumerate() {
                    let games = (a.0 * b.1) as f64;
                    played += games;
                    won += games * match i.cmp(&j) {
                        std::cmp::Ordering::Greater => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Less => 0.0,
                    };
                }
            }
            if let Some(result) = mann_whitney(&all, &group) {
                prop_assert!((result.superiority - won / played).abs() < 1e-9);
                prop_assert!((0.0..=1.0).contains(&result.p));
            }
        }
    }
}
