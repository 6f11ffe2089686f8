//! Which findings are only the shadow of another: a host on which mostly the slow version runs is slow too.

use super::candidates::Candidate;
use super::judge::Verdict;

/// Most findings, the strongest, of which it is asked whether they are the cause of others.
pub const CAUSES_MAX: usize = 6;
/// Largest p-value with which an effect still holds when the transactions of another finding are left out.
const HOLDS_P_MAX: f64 = 0.01;

/// For each finding, strongest first, whether it is the shadow of another: among the transactions without the other it has no
/// effect, while the other keeps its effect among those without it. If neither does, the weaker one is the shadow.
///
/// `apart[s]` judges all findings among the transactions without finding `s`. Findings that `is_same` says to be the same
/// transactions are no shadows of each other. Nor is a value the shadow of a number: long answers take long, and still one wants
/// to know which question has them.
pub fn shadows(
    found: &[&Candidate],
    apart: &[Vec<Option<Verdict>>],
    is_same: impl Fn(usize, usize) -> bool,
) -> Vec<bool> {
    let holds = |without: usize, finding: usize| match apart.get(without) {
        Some(verdicts) => verdicts[finding].is_some_and(|v| v.is_large && v.p <= HOLDS_P_MAX),
        None => true,
    };
    let is_shadow = |finding: usize, cause: usize| {
        finding != cause
            && found[finding].bounds.is_some() == found[cause].bounds.is_some()
            && !holds(cause, finding)
            && (cause < finding || holds(finding, cause))
            && !is_same(finding, cause)
    };
    (0..found.len()).map(|finding| (0..apart.len()).any(|cause| is_shadow(finding, cause))).collect()
}

#[cfg(test)]
mod tests {
    use tokenfall_query::Table;

    use super::super::judge::{Membership, membership};
    use super::*;

    /// Selected ones and others of the transactions with only the first finding, only the second, and neither.
    fn is_shadow(first: [u64; 2], second: [u64; 2], neither: [u64; 2], is_same: bool) -> Vec<bool> {
        let candidates = ["a", "b"].map(|value| Candidate::value("labels.x", value.into()));
        let candidates = candidates.each_ref();
        let sum = |a: [u64; 2], b: [u64; 2]| vec![a[0] + b[0], a[1] + b[1]];
        let without_first = Table { all: sum(second, neither), rows: vec![vec![0, 0], second.to_vec()] };
        let without_second = Table { all: sum(first, neither), rows: vec![first.to_vec(), vec![0, 0]] };
        let apart: Vec<_> =
            [without_first, without_second].iter().map(|t| membership(Membership::Failures, &candidates, t)).collect();
        shadows(&candidates, &apart, |_, _| is_same)
    }

    #[test]
    fn a_cause_and_what_mostly_comes_with_it() {
        let (often, rarely) = ([50, 50], [30, 970]);
        assert_eq!(is_shadow(often, [2, 60], rarely, false), [false, true]);
        assert_eq!(is_shadow([2, 60], often, rarely, false), [true, false], "also if it is the stronger one");
        assert_eq!(is_shadow(often, often, rarely, false), [false, false], "two causes");
        assert_eq!(is_shadow([1, 2], [2, 1], rarely, false), [false, true], "nearly the same");
        assert_eq!(is_shadow([0, 0], [0, 0], rarely, true), [false, false], "the same under two names");
    }
}
