//! Figures of the sets and of the few candidates that are shown.

use std::collections::BTreeMap;

use tokenfall_api::correlations::{CorrelationBar, CorrelationSet};
use tokenfall_model::{Outcome, Usd, fields};
use tokenfall_query::{
    AggregationKind, AggregationResults, Aggregations, CrosstabColumns, CrosstabRow, Filter, SearchRequest, Table,
};

use super::candidates::Candidate;
use super::population::Population;

const BARS: &str = "bars";
const SETS: &str = "sets";
const ALL: &str = "all";
const SELECTED: &str = "selected";
const WITH: &str = "with";
const SHARED: &str = "shared";
const APART: &str = "apart";
const TABLE: &str = "table";

/// Least share of the transactions with one of two ranges that must be in both for the two to say the same. Not all of them,
/// because the ends of ranges are estimates.
const RANGES_SHARED_MIN: f64 = 0.95;

/// Sums over a set of transactions, so that the sums over the rest are differences.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) count: u64,
    pub(super) duration_us: f64,
    priced: f64,
    pico_usd: f64,
    failed: f64,
    succeeded: f64,
}

impl Sums {
    fn ask() -> Aggregations {
        let priced = AggregationKind::value_count(fields::LLM_COST_PICO_USD);
        Aggregations::new()
            .with("duration", AggregationKind::sum(fields::TRANSACTION_DURATION_US).leaf())
            .with("priced", priced.leaf())
            .with("usd", AggregationKind::sum(fields::LLM_COST_PICO_USD).leaf())
            .with("outcomes", AggregationKind::terms(fields::EVENT_OUTCOME, 3).leaf())
    }

    fn read(count: u64, aggs: &AggregationResults) -> Self {
        let value = |name| aggs.value(name).unwrap_or(0.0);
        let outcome =
            |outcome: Outcome| aggs.bucket("outcomes", outcome.as_str()).map_or(0.0, |bucket| bucket.doc_count as f64);
        Self {
            count,
            duration_us: value("duration"),
            priced: value("priced"),
            pico_usd: value("usd"),
            failed: outcome(Outcome::Failure),
            succeeded: outcome(Outcome::Success),
        }
    }

    /// The others.
    pub(super) fn without(self, part: Self) -> Self {
        Self {
            count: self.count.saturating_sub(part.count),
            duration_us: self.duration_us - part.duration_us,
            priced: self.priced - part.priced,
            pico_usd: self.pico_usd - part.pico_usd,
            failed: self.failed - part.failed,
            succeeded: self.succeeded - part.succeeded,
        }
    }

    /// Mean duration in microseconds.
    pub(super) fn latency_us(self) -> Option<f64> {
        ratio(self.duration_us, self.count as f64)
    }

    /// Mean cost in 10⁻¹² USD of those whose cost is known.
    fn pico_usd(self) -> Option<f64> {
        ratio(self.pico_usd, self.priced)
    }

    /// Mean cost in USD of those whose cost is known.
    pub(super) fn usd(self) -> Option<f64> {
        self.pico_usd().map(|pico| pico / Usd::from_pico(1_000_000_000_000).pico() as f64)
    }

    /// failure / (success + failure).
    pub(super) fn failure_rate(self) -> Option<f64> {
        ratio(self.failed, self.failed + self.succeeded)
    }

    /// As the API states it.
    pub(super) fn set(self) -> CorrelationSet {
        CorrelationSet {
            count: self.count,
            latency_avg_us: self.latency_us(),
            failure_rate: self.failure_rate(),
            usd_avg: self.pico_usd().map(Usd::from_pico_sum),
        }
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Difference of two figures that are both known.
pub(super) fn difference(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a? - b?)
}

/// What the third search tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Details {
    pub(super) all: Sums,
    pub(super) selected: Sums,
    /// Of each candidate that is shown.
    pub(super) with: Vec<Sums>,
    pub(super) bars: Vec<CorrelationBar>,
    /// Transactions of each candidate by bar.
    pub(super) distributions: Vec<Vec<u64>>,
    /// Transactions that two ranges have in common, by their positions.
    shared: BTreeMap<(usize, usize), u64>,
    /// The candidates that are shown among the transactions without each of the first of them.
    pub(super) apart: Vec<Table>,
}

impl Details {
    /// True if the same transactions have both: the same number of them with the same sum of durations, spread over the bars in
    /// the same way. Of two ranges of numbers, nearly the same transactions.
    pub(super) fn is_same(&self, a: usize, b: usize) -> bool {
        let is_equal = self.distributions[a] == self.distributions[b]
            && self.with[a].count == self.with[b].count
            && self.with[a].duration_us.to_bits() == self.with[b].duration_us.to_bits();
        let is_close = self.shared.get(&(a.min(b), a.max(b))).is_some_and(|shared| {
            let either = self.with[a].count + self.with[b].count - shared;
            *shared as f64 >= RANGES_SHARED_MIN * either as f64
        });
        is_equal || is_close
    }
}

/// A candidate that is shown, with its position.
type Shown<'a> = (usize, &'a Candidate);

/// Each two ranges of numbers.
fn pairs_of_ranges<'a>(shown: &[&'a Candidate]) -> Vec<(Shown<'a>, Shown<'a>)> {
    let ranges: Vec<Shown<'a>> =
        shown.iter().copied().enumerate().filter(|(_, candidate)| candidate.bounds.is_some()).collect();
    let later = |n: usize| ranges.iter().copied().skip(n + 1);
    ranges.iter().enumerate().flat_map(|(n, a)| later(n).map(move |b| (*a, b))).collect()
}

/// Asks for the figures of both sets and of the candidates that are shown, and for the table of these without each of the first
/// `apart` of them.
pub(super) fn ask(
    population: &Population,
    shown: &[&Candidate],
    edges: &[u64],
    columns: CrosstabColumns,
    apart: usize,
) -> SearchRequest {
    let without = |(i, candidate): (usize, &&Candidate)| (i.to_string(), candidate.filter().negate());
    let without = shown.iter().take(apart).enumerate().map(without).collect();
    let rows: Vec<CrosstabRow> = shown.iter().map(|candidate| candidate.row()).collect();
    let table = AggregationKind::Crosstab { rows: rows.clone(), columns }.leaf();
    let selected = population.selected.clone().unwrap_or(Filter::All);
    let sets = vec![(ALL.to_owned(), Filter::All), (SELECTED.to_owned(), selected.clone())];
    let with = shown.iter().enumerate().map(|(i, candidate)| (i.to_string(), candidate.filter())).collect();
    let shared = pairs_of_ranges(shown)
        .into_iter()
        .map(|((i, a), (j, b))| (format!("{i} {j}"), a.filter().and(b.filter())))
        .collect();
    let bars = |rows: Vec<CrosstabRow>| {
        let ranges = edges.windows(2).map(|edge| (Some(edge[0] as f64), Some(edge[1] as f64))).collect();
        let columns = CrosstabColumns::Ranges { field: fields::TRANSACTION_DURATION_US.name.to_owned(), ranges };
        Aggregations::new().with(BARS, AggregationKind::Crosstab { rows, columns }.leaf())
    };
    let mut request = population.all.clone();
    request.aggs = bars(rows);
    request
        .agg(SELECTED, AggregationKind::Filter(selected).with(bars(Vec::new())))
        .agg(SETS, AggregationKind::Filters(sets).with(Sums::ask()))
        .agg(WITH, AggregationKind::Filters(with).with(Sums::ask()))
        .agg(SHARED, AggregationKind::Filters(shared).leaf())
        .agg(APART, AggregationKind::Filters(without).with(Aggregations::new().with(TABLE, table)))
}

/// Reads what [`ask`] asked for.
pub(super) fn read(aggs: &AggregationResults, shown: &[&Candidate], edges: &[u64]) -> Details {
    let sums = |name: &str, key: &str| {
        aggs.bucket(name, key).map(|bucket| Sums::read(bucket.doc_count, &bucket.aggs)).unwrap_or_default()
    };
    let columns = edges.len().saturating_sub(1);
    let empty = Table::empty(shown.len(), columns);
    let all = aggs.table(BARS).unwrap_or(&empty);
    let selected = aggs.bucket(SELECTED, "").and_then(|bucket| bucket.aggs.table(BARS)).unwrap_or(&empty);
    let bar = |i: usize| CorrelationBar {
        from_us: edges[i],
        to_us: edges[i + 1],
        all: all.all[i],
        selected: selected.all[i],
    };
    Details {
        all: sums(SETS, ALL),
        selected: sums(SETS, SELECTED),
        with: (0..shown.len()).map(|i| sums(WITH, &i.to_string())).collect(),
        bars: (0..columns).map(bar).collect(),
        distributions: all.rows.clone(),
        apart: (0..shown.len()).map_while(|i| aggs.bucket(APART, &i.to_string())?.aggs.table(TABLE).cloned()).collect(),
        shared: pairs_of_ranges(shown)
            .into_iter()
            .map(|((i, _), (j, _))| {
                let count = aggs.bucket(SHARED, &format!("{i} {j}")).map_or(0, |bucket| bucket.doc_count);
                ((i, j), count)
            })
            .collect(),
    }
}
