//! Which candidates stand out: Kibana's figures, our own tests over all of them together, and whether the effect is worth
//! mentioning. Pure: counts in, verdicts out.

use std::collections::HashMap;

use tokenfall_api::correlations::Impact;
use tokenfall_query::Table;

use super::candidates::Candidate;
use super::failure::{self, Split};
use super::latency::{CORRELATION_MIN, KS_P_MAX, LatencyRanges, count_correlation, ks_test_less};
use crate::statistics::false_discovery::q_values;
use crate::statistics::fisher;
use crate::statistics::mann_whitney::mann_whitney;

/// Share of false discoveries that is accepted among what stands out.
pub const FALSE_DISCOVERY_RATE: f64 = 0.02;
/// Fewest transactions that must have a value, and that must not, for it to be tested.
pub const COUNT_MIN: u64 = 8;
/// Least probability that a transaction with the value takes longer than one without. 0.5 is no difference.
const SUPERIORITY_MIN: f64 = 0.56;
/// Least excess of the mean duration with the value over the mean without it.
const LATENCY_RATIO_MIN: f64 = 1.1;
/// Least ratio of the probabilities to be selected with the value and without it.
const RISK_RATIO_MIN: f64 = 1.5;
/// Least difference of these probabilities for failures, and of the shares of both sets for other selections.
const POINTS_MIN: f64 = 0.02;

/// What was found about one candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Kibana's figure.
    pub score: f64,
    /// Kibana's p-value.
    pub kibana_p: Option<f64>,
    /// Kibana's word.
    pub impact: Impact,
    /// Our p-value.
    pub p: f64,
    /// The same over everything that was tested.
    pub q: f64,
    /// True if the effect is worth mentioning.
    pub is_large: bool,
}

impl Verdict {
    /// True if it is neither chance nor negligible.
    pub fn is_significant(&self) -> bool {
        self.is_large && self.q <= FALSE_DISCOVERY_RATE
    }
}

/// Judges candidates by how they go along with long durations: the table counts transactions in the ranges. What has too few
/// transactions is not tested: `None`.
pub fn latency(ranges: &LatencyRanges, candidates: &[&Candidate], table: &Table) -> Vec<Option<Verdict>> {
    let total: u64 = table.all.iter().sum();
    let fractions: Vec<f64> = table.all.iter().map(|n| *n as f64 / total.max(1) as f64).collect();
    let judge = |row: &Vec<u64>| {
        is_testable(row.iter().sum(), total).then_some(())?;
        let test = mann_whitney(&table.all, row)?;
        let without: Vec<u64> = table.all.iter().zip(row).map(|(all, with)| all - with).collect();
        let ratio = ranges.mean(row) / ranges.mean(&without);
        let score = count_correlation(&ranges.expectations, &fractions, total, row).unwrap_or(0.0);
        // Kibana's test takes a thousand times as long as ours, and nobody asks about what is not slower.
        let kibana_p = (score > 0.0 && test.p < 0.5).then(|| ks_test_less(&fractions, row)).flatten();
        Some(Verdict {
            score,
            kibana_p,
            impact: latency_impact(score, kibana_p),
            p: test.p,
            q: 1.0,
            is_large: test.superiority >= SUPERIORITY_MIN && ratio >= LATENCY_RATIO_MIN,
        })
    };
    let verdicts = table.rows.iter().map(judge).collect();
    with_q(candidates, table, verdicts)
}

/// Which set stands against the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// Failures: the effect is how much more often there is failure with the value.
    Failures,
    /// Anything else: the effect is how much more of the selection has the value.
    Selection,
}

/// Judges candidates by how they go along with being selected: the columns of the table are the selected ones and the others.
/// What has too few transactions is not tested: `None`.
pub fn membership(of: Membership, candidates: &[&Candidate], table: &Table) -> Vec<Option<Verdict>> {
    let pair = |counts: &[u64]| if let [selected, rest] = counts { [*selected, *rest] } else { [0, 0] };
    let all = pair(&table.all);
    let total = all[0] + all[1];
    let judge = |row: &Vec<u64>| {
        let row = pair(row);
        let with = row[0] + row[1];
        is_testable(with, total).then_some(())?;
        let split = Split { selected_with: row[0], selected: all[0], rest_with: row[1], rest: all[1] };
        let score = failure::p_value_score(split);
        let kibana_p = (-score).exp();
        Some(Verdict {
            score: failure::normalised(score),
            kibana_p: Some(kibana_p),
            impact: failure::impact(kibana_p),
            p: fisher::over_represented(row[0], with, all[0], total),
            q: 1.0,
            is_large: is_large_difference(of, all, row),
        })
    };
    let verdicts = table.rows.iter().map(judge).collect();
    with_q(candidates, table, verdicts)
}

fn is_testable(with: u64, total: u64) -> bool {
    with >= COUNT_MIN && with + COUNT_MIN <= total
}

fn is_large_difference(of: Membership, all: [u64; 2], row: [u64; 2]) -> bool {
    let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    let risk_with = share(row[0], row[0] + row[1]);
    let risk_without = share(all[0] - row[0], all[0] + all[1] - row[0] - row[1]);
    let points = match of {
        Membership::Failures => risk_with - risk_without,
        Membership::Selection => share(row[0], all[0]) - share(row[1], all[1]),
    };
    risk_with >= RISK_RATIO_MIN * risk_without && points >= POINTS_MIN
}

/// Kibana's word for a coefficient.
fn latency_impact(score: f64, ks_p: Option<f64>) -> Impact {
    if score <= CORRELATION_MIN || ks_p.is_none_or(|p| p >= KS_P_MAX) {
        return Impact::VeryLow;
    }
    match score {
        r if r < 0.4 => Impact::Low,
        r if r < 0.6 => Impact::Medium,
        _ => Impact::High,
    }
}

/// What is tested once, however many candidates ask it.
#[derive(PartialEq, Eq, Hash)]
enum Hypothesis<'a> {
    /// A number: its ranges overlap, and are one question with several attempts.
    Number(&'a str),
    /// Values that count the same are the same transactions under different names.
    Counts(&'a [u64]),
}

/// Controls the false discovery rate over everything that was tested. Without grouping, one cause that shows in many candidates
/// would let chance findings pass along with it.
fn with_q(candidates: &[&Candidate], table: &Table, mut verdicts: Vec<Option<Verdict>>) -> Vec<Option<Verdict>> {
    let mut groups: HashMap<Hypothesis<'_>, Vec<usize>> = HashMap::new();
    for (index, candidate) in candidates.iter().enumerate().filter(|(index, _)| verdicts[*index].is_some()) {
        let hypothesis = match candidate.bounds {
            Some(_) => Hypothesis::Number(&candidate.field),
            None => Hypothesis::Counts(&table.rows[index]),
        };
        groups.entry(hypothesis).or_default().push(index);
    }
    let groups: Vec<_> = groups.into_iter().collect();
    let p_of = |index: usize| verdicts[index].as_ref().map_or(1.0, |v| v.p);
    let p: Vec<f64> = groups
        .iter()
        .map(|(hypothesis, members)| {
            let best = members.iter().map(|index| p_of(*index)).fold(1.0, f64::min);
            let attempts = if matches!(hypothesis, Hypothesis::Number(_)) { members.len() } else { 1 };
            (best * attempts as f64).min(1.0)
        })
        .collect();
    for ((_, members), q) in groups.iter().zip(q_values(&p)) {
        for index in members {
            if let Some(verdict) = &mut verdicts[*index] {
                verdict.q = q.max(verdict.p);
            }
        }
    }
    verdicts
}

/// The candidates to speak of, strongest first: those that stand out, and of each number only its clearest range. If nothing
/// does, the one that comes closest.
pub fn strongest(candidates: &[&Candidate], verdicts: &[Option<Verdict>], most: usize) -> Vec<usize> {
    let tested = || verdicts.iter().enumerate().filter_map(|(i, v)| v.as_ref().map(|v| (i, v)));
    let mut found: Vec<(usize, &Verdict)> = tested().filter(|(_, v)| v.is_significant()).collect();
    found.sort_by(|(_, a), (_, b)| a.p.total_cmp(&b.p).then(b.score.total_cmp(&a.score)));
    let mut ranges: Vec<&str> = Vec::new();
    found.retain(|(i, _)| match &candidates[*i] {
        Candidate { field, bounds: Some(_), .. } if ranges.contains(&field.as_str()) => false,
        Candidate { field, bounds: Some(_), .. } => {
            ranges.push(field);
            true
        }
        _ => true,
    });
    if found.is_empty() {
        let closest = tested().min_by(|(_, a), (_, b)| a.p.total_cmp(&b.p).then(b.score.total_cmp(&a.score)));
        found.extend(closest);
    }
    found.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score).then(a.p.total_cmp(&b.p)));
    found.into_iter().map(|(i, _)| i).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges() -> LatencyRanges {
        LatencyRanges::of(&[100.0, 200.0, 400.0])
    }

    fn values(number: usize) -> Vec<Candidate> {
        (0..number).map(|i| Candidate::value("labels.a", i.to_string().into())).collect()
    }

    fn table(all: &[u64], rows: &[&[u64]]) -> Table {
        Table { all: all.to_vec(), rows: rows.iter().map(|row| row.to_vec()).collect() }
    }

    #[test]
    fn slow_values_stand_out_and_rare_ones_are_not_tested() {
        let all = [300, 300, 300, 300];
        let rows: [&[u64]; 5] = [&[5, 5, 10, 80], &[75, 75, 75, 75], &[80, 10, 5, 5], &[0, 0, 0, 7], &all];
        let verdicts = latency(&ranges(), &values(5).iter().collect::<Vec<_>>(), &table(&all, &rows));
        let significant: Vec<_> = verdicts.iter().map(|v| v.map(|v| v.is_significant())).collect();
        assert_eq!(significant, [Some(true), Some(false), Some(false), None, None]);
        assert!(verdicts[0].unwrap().score > 0.2 && verdicts[2].unwrap().score < -0.2);
    }

    #[test]
    fn certain_but_tiny_effects_do_not_stand_out() {
        let slow = table(&[100_000; 4], &[&[24_000, 25_000, 25_000, 26_000]]);
        let verdict = latency(&ranges(), &values(1).iter().collect::<Vec<_>>(), &slow)[0].unwrap();
        assert!(verdict.q < 1e-6 && !verdict.is_significant());
        let failing = table(&[10_000, 990_000], &[&[1_300, 98_700]]);
        let verdict = membership(Membership::Failures, &values(1).iter().collect::<Vec<_>>(), &failing)[0].unwrap();
        assert!(verdict.q < 1e-6 && !verdict.is_significant(), "1.3 % of failures instead of 1 %");
    }

    #[test]
    fn failures_are_found_among_chance() {
        let mut table = table(&[60, 940], &[&[12, 8]]);
        table.rows.extend((0..60).map(|i| vec![1 + i % 2, 19]));
        let verdicts = membership(Membership::Failures, &values(61).iter().collect::<Vec<_>>(), &table);
        let found: Vec<_> = (0..61).filter(|i| verdicts[*i].is_some_and(|v| v.is_significant())).collect();
        assert_eq!(found, [0]);
        assert_eq!(verdicts[0].unwrap().impact, Impact::High);
    }

    #[test]
    fn many_names_of_one_cause_do_not_help_chance() {
        let chance = [7, 43];
        let cause: [u64; 2] = [40, 60];
        let q_beside = |copies: usize| {
            let mut table = table(&[100, 1_900], &[&chance]);
            table.rows.resize(1 + copies, cause.to_vec());
            membership(Membership::Failures, &values(1 + copies).iter().collect::<Vec<_>>(), &table)[0].unwrap().q
        };
        assert!((q_beside(1) - q_beside(30)).abs() < 1e-12);
        let ranges: Vec<_> =
            (0..10).map(|cut| Candidate::range("numeric_labels.a", Some(f64::from(cut)), None)).collect();
        let mut table = table(&[100, 1_900], &[&chance]);
        let alone = membership(Membership::Failures, &ranges.iter().take(1).collect::<Vec<_>>(), &table)[0].unwrap().q;
        table.rows.resize(10, vec![5, 95]);
        let often = membership(Membership::Failures, &ranges.iter().collect::<Vec<_>>(), &table)[0].unwrap().q;
        assert!((often - 10.0 * alone).abs() < 1e-12, "ten attempts");
    }

    #[test]
    fn one_range_of_each_number_and_always_an_answer() {
        let range = |from| Candidate::range("numeric_labels.size", Some(from), None);
        let value = |value: &str| Candidate::value("labels.a", value.into());
        let candidates = [range(1.0), range(2.0), value("x"), value("y")];
        let candidates = candidates.each_ref();
        let verdict = |p, score| {
            let impact = Impact::Low;
            Some(Verdict { score, kibana_p: None, impact, p, q: p, is_large: true })
        };
        let verdicts = [verdict(1e-9, 0.3), verdict(1e-12, 0.2), verdict(1e-3, 0.5), None];
        assert_eq!(strongest(&candidates, &verdicts, 9), [2, 1]);
        assert_eq!(strongest(&candidates, &verdicts, 1), [2]);
        let verdicts = [verdict(0.9, 0.1), verdict(0.3, 0.1), verdict(0.4, 0.5), None];
        assert_eq!(strongest(&candidates, &verdicts, 9), [1]);
        assert_eq!(strongest(&candidates, &[None; 4], 9), [0; 0]);
    }
}
