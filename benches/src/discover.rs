//! How well causes are found, and how long it takes.
//!
//! Scenarios with known causes of slowness and failure, and some without any, are judged by the code that answers
//! `/api/v1/correlations`. *Precision* is the share of findings that are causes, *recall* the share of causes that are found. A
//! field that was made to go along with a cause most of the time is no cause, and counted in the column "beside". Then the whole
//! question is asked of a store.

mod scenario;

use std::collections::HashSet;

use anyhow::Result;
use tokenfall_analysis::correlations::{
    self, CAUSES_MAX, Candidate, LatencyRanges, Membership, Verdict, shadows, strongest,
};
use tokenfall_analysis::{Scope, Selection};
use tokenfall_api::correlations::CorrelationsOf;
use tokenfall_api::llm::PointOf;
use tokenfall_query::Table;

use self::scenario::{Explained, Random, Scenario, Truth};
use crate::correlate::{Filled, filled, measure};

/// Scenarios of each kind with causes, and as many without.
const SCENARIOS: u64 = 100;
/// Most findings of an answer.
const FOUND_MAX: usize = 30;

/// What came out over several scenarios.
#[derive(Default)]
struct Score {
    right: usize,
    wrong: usize,
    beside: usize,
    planted: usize,
    found: usize,
    /// Scenarios with a wrong finding.
    alarms: usize,
    /// Planted and found, of the smaller half of the sizes.
    small: (usize, usize),
}

impl Score {
    fn add(&mut self, other: &Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.beside += other.beside;
        self.planted += other.planted;
        self.found += other.found;
        self.alarms += other.alarms;
        self.small.0 += other.small.0;
        self.small.1 += other.small.1;
    }
}

/// Prints precision, recall and false alarms, then times; none of the latter for no transactions.
pub(crate) fn run(transactions: u64, seed: u64) -> Result<()> {
    println!("discover: seed {seed}, {SCENARIOS} scenarios of each kind");
    println!("  kind                  precision  recall  recall of small  wrong  beside  scenarios with a false alarm");
    let mut total = Score::default();
    for (number, explained) in [Explained::Latency, Explained::Failures, Explained::Slowest].into_iter().enumerate() {
        for causes in [true, false] {
            let mut score = Score::default();
            for scenario in 0..SCENARIOS {
                let own = seed * 1_000_003 + (number as u64 * 2 + u64::from(causes)) * SCENARIOS + scenario;
                let causes = if causes { 1 + scenario as usize % 3 } else { 0 };
                score.add(&judge(&Scenario::new(&mut Random::of(own), explained, causes)));
            }
            let kind = format!("{explained:?}, {}", if causes { "causes" } else { "none" });
            print(&kind, &score);
            total.add(&score);
        }
    }
    print("all", &total);
    if transactions > 0 { time(transactions) } else { Ok(()) }
}

fn print(kind: &str, score: &Score) {
    let percent = |part: usize, whole: usize| match whole {
        0 => "—".to_owned(),
        _ => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    };
    println!(
        "  {kind:<21} {:>9} {:>7} {:>16} {:>6} {:>7} {:>6}",
        percent(score.right, score.right + score.wrong + score.beside),
        percent(score.found, score.planted),
        percent(score.small.1, score.small.0),
        score.wrong,
        score.beside,
        score.alarms
    );
}

fn judge(scenario: &Scenario) -> Score {
    let ranges = scenario.ranges();
    let (candidates, table) = scenario.table(&ranges);
    let all: Vec<&Candidate> = candidates.iter().collect();
    let verdicts = verdicts(scenario, &ranges, &all, &table);
    let mut shown = strongest(&all, &verdicts, FOUND_MAX);
    shown.retain(|i| verdicts[*i].is_some_and(|v| v.is_significant()));
    let found: Vec<&Candidate> = shown.iter().map(|i| all[*i]).collect();
    let causes = found.len().min(CAUSES_MAX);
    let apart: Vec<_> = found[..causes]
        .iter()
        .map(|cause| self::verdicts(scenario, &ranges, &found, &scenario.table_without(&ranges, &found, cause)))
        .collect();
    let is_same = |a: usize, b: usize| table.rows[shown[a]] == table.rows[shown[b]];
    let is_shadow = shadows(&found, &apart, is_same);
    let kept = shown.iter().zip(is_shadow).filter(|(_, is_shadow)| !is_shadow).map(|(i, _)| *i);
    score(scenario, &candidates, &table, kept)
}

fn verdicts(
    scenario: &Scenario,
    ranges: &LatencyRanges,
    candidates: &[&Candidate],
    table: &Table,
) -> Vec<Option<Verdict>> {
    match scenario.explained {
        Explained::Latency => correlations::latency(ranges, candidates, table),
        Explained::Failures => correlations::membership(Membership::Failures, candidates, table),
        Explained::Slowest => correlations::membership(Membership::Selection, candidates, table),
    }
}

fn score(scenario: &Scenario, candidates: &[Candidate], table: &Table, shown: impl Iterator<Item = usize>) -> Score {
    let mut score = Score { planted: scenario.causes.len(), ..Score::default() };
    let mut found = HashSet::new();
    let mut seen = HashSet::new();
    // What counts the same is one finding.
    for index in shown.filter(|index| seen.insert(&table.rows[*index])) {
        match scenario.truth(&candidates[index]) {
            Truth::Cause(cause) => {
                score.right += 1;
                found.insert(cause);
            }
            Truth::Beside => score.beside += 1,
            Truth::Nothing => score.wrong += 1,
        }
    }
    score.found = found.len();
    score.alarms = usize::from(score.wrong + score.beside > 0);
    let middle = if scenario.explained == Explained::Failures { 0.3 } else { 2.75 };
    let small = |cause: &usize| scenario.causes[*cause] < middle;
    score.small = ((0..score.planted).filter(small).count(), found.iter().filter(|cause| small(cause)).count());
    score
}

/// Asks the whole question of a store.
fn time(transactions: u64) -> Result<()> {
    let Filled { store, time, .. } = filled(transactions)?;
    let scope = Scope::of(time);
    let all = Selection { of: PointOf::Transactions, ..Selection::default() };
    let slow = Selection { duration_us: (Some(1_000_000), None), ..all.clone() };
    println!("  question                                            median ms     max ms   CPU ms a run");
    let ask = |selection: &Selection, of| Ok(correlations::correlations(&store, &scope, selection, of).map(drop)?);
    measure("correlations with long durations", || ask(&all, CorrelationsOf::Latency))?;
    measure("correlations with a box", || ask(&slow, CorrelationsOf::Selection))?;
    let answer = correlations::correlations(&store, &scope, &all, CorrelationsOf::Latency)?;
    println!("  {} values of {} fields were tested; what stands out:", answer.tested, answer.fields.len());
    for found in &answer.correlations {
        println!("    {} = {}: {:.2}, q {:.1e}", found.field, found.value, found.score, found.q);
    }
    Ok(())
}
