//! What goes along with slowness, failure, or a selection.
//!
//! ```text
//! field names → 1. frequent values and quantiles → candidates
//!             → 2. one table: candidates × ranges of durations, or × both sets → verdicts
//!             → 3. figures of the few that stand out → without shadows of others, merged where they mean the same transactions
//! ```
//!
//! The figures are Kibana's ([`latency`], [`failure`]); what stands out is decided by tests of our own ([`judge`]).

mod apart;
mod candidates;
mod details;
mod failure;
mod judge;
mod latency;
mod merge;
mod population;
mod ranges;

use std::collections::BTreeSet;

use tokenfall_api::correlations::{Correlation, CorrelationsAnswer, CorrelationsOf};
use tokenfall_model::EventKind;
use tokenfall_model::fields;
use tokenfall_query::{AggregationKind, CrosstabColumns, SearchRequest, Table};
use tokenfall_store::{Search, SearchError};

pub use self::apart::{CAUSES_MAX, shadows};
pub use self::candidates::Candidate;
pub use self::judge::{COUNT_MIN, FALSE_DISCOVERY_RATE, Membership, Verdict, latency, membership, strongest};
pub use self::latency::{LatencyRanges, percents};
pub use self::ranges::{PERCENTS, of as ranges_of};

use self::candidates::Fields;
use self::details::{Details, difference};
use self::population::Population;
use crate::scope::Scope;
use crate::selection::Selection;
use crate::summary::share;
use crate::transactions::bar_edges;

/// Fewest transactions of a set for anything to be said.
const SET_MIN: u64 = 20;
/// Most candidates whose figures are asked for.
const SHOWN_MAX: usize = 30;
/// Most bars of the distribution.
const BARS_MAX: u64 = 40;

const PERCENTILES: &str = "percentiles of the duration";
const SHORTEST: &str = "shortest";
const LONGEST: &str = "longest";
const SELECTED: &str = "selected";
const TABLE: &str = "table";

/// Values of fields that go along with what is asked for.
pub fn correlations(
    search: &dyn Search,
    scope: &Scope,
    selection: &Selection,
    of: CorrelationsOf,
) -> Result<CorrelationsAnswer, SearchError> {
    let population = Population::find(search, scope, selection, of)?;
    let fields = Fields::of(search.field_names(EventKind::Transaction, scope.time)?, of, selection);

    let first = search.search(&ask_overview(&population, &fields))?;
    let ranges = LatencyRanges::of(&percentiles(&first.aggs));
    let duration = |name| first.aggs.value(name).unwrap_or(0.0) as u64;
    let edges = bar_edges(duration(SHORTEST), duration(LONGEST), first.total.min(BARS_MAX));
    let selected = first.aggs.bucket(SELECTED, "").map_or(first.total, |bucket| bucket.doc_count);
    let rest = if of == CorrelationsOf::Latency { first.total } else { first.total - selected.min(first.total) };
    let not_enough = selected.min(rest) < SET_MIN;

    let (candidates, fields_sampled) = if not_enough { Default::default() } else { fields.candidates(&first.aggs) };
    let (table, table_complete) = if candidates.is_empty() {
        (Table::default(), true)
    } else {
        let response = search.search(&ask_table(&population, &candidates, &ranges))?;
        (response.aggs.table(TABLE).cloned().unwrap_or_default(), response.complete)
    };
    let all_candidates: Vec<&Candidate> = candidates.iter().collect();
    let verdicts = judge_table(of, &ranges, &all_candidates, &table);
    let shown = strongest(&all_candidates, &verdicts, SHOWN_MAX);
    let shown_candidates: Vec<&Candidate> = shown.iter().map(|i| &candidates[*i]).collect();
    let significant = shown.iter().filter(|i| verdicts[**i].is_some_and(|v| v.is_significant())).count();
    let causes = if significant > 1 { significant.min(CAUSES_MAX) } else { 0 };
    let third =
        search.search(&details::ask(&population, &shown_candidates, &edges, columns(&population, &ranges), causes))?;
    let details = details::read(&third.aggs, &shown_candidates, &edges);
    let apart: Vec<_> = details.apart.iter().map(|table| judge_table(of, &ranges, &shown_candidates, table)).collect();
    let is_shadow = shadows(&shown_candidates, &apart, |a, b| details.is_same(a, b));

    let mut found = Vec::with_capacity(shown.len());
    for (position, index) in shown.iter().enumerate().filter(|(position, _)| !is_shadow[*position]) {
        if let Some(verdict) = &verdicts[*index] {
            let both = [&table.rows[*index][..], &table.all[..]];
            found.push((position, correlation(of, &candidates[*index], verdict, both, &details, position)));
        }
    }
    let correlations = merge::same_sets(found, |a, b| details.is_same(a, b));
    let baseline = if of == CorrelationsOf::Latency { details.all } else { details.all.without(details.selected) };
    let tested_fields: BTreeSet<&String> =
        candidates.iter().zip(&verdicts).filter(|(_, v)| v.is_some()).map(|(c, _)| &c.field).collect();
    Ok(CorrelationsAnswer {
        range: scope.range(),
        of,
        selected: details.selected.set(),
        baseline: baseline.set(),
        is_significant: correlations.iter().any(|c| c.is_significant),
        correlations,
        tested: verdicts.iter().flatten().count() as u64,
        fields: tested_fields.into_iter().cloned().collect(),
        fields_sampled,
        false_discovery_rate: FALSE_DISCOVERY_RATE,
        not_enough,
        distribution: details.bars,
        complete: population.complete && first.complete && table_complete && third.complete,
    })
}

/// Asks for the candidates, the percentiles of the duration and the sizes of both sets.
fn ask_overview(population: &Population, fields: &Fields) -> SearchRequest {
    let duration = fields::TRANSACTION_DURATION_US;
    let mut request = fields.ask(population.all.clone());
    if let Some(selected) = &population.selected {
        request = request.agg(SELECTED, AggregationKind::Filter(selected.clone()).leaf());
    }
    request
        .agg(PERCENTILES, AggregationKind::percentiles(duration, &latency::percents()).leaf())
        .agg(SHORTEST, AggregationKind::min(duration).leaf())
        .agg(LONGEST, AggregationKind::max(duration).leaf())
}

fn percentiles(aggs: &tokenfall_query::AggregationResults) -> Vec<f64> {
    latency::percents().into_iter().filter_map(|percent| aggs.percentile(PERCENTILES, percent)).collect()
}

/// Asks how the candidates spread over the ranges of durations, or over both sets.
fn ask_table(population: &Population, candidates: &[Candidate], ranges: &LatencyRanges) -> SearchRequest {
    let rows = candidates.iter().map(Candidate::row).collect();
    let columns = columns(population, ranges);
    population.all.clone().agg(TABLE, AggregationKind::Crosstab { rows, columns }.leaf())
}

fn columns(population: &Population, ranges: &LatencyRanges) -> CrosstabColumns {
    match &population.selected {
        None => {
            let field = fields::TRANSACTION_DURATION_US.name.to_owned();
            CrosstabColumns::Ranges { field, ranges: ranges.bounds() }
        }
        Some(selected) => CrosstabColumns::Filters(vec![selected.clone(), selected.clone().negate()]),
    }
}

fn judge_table(
    of: CorrelationsOf,
    ranges: &LatencyRanges,
    candidates: &[&Candidate],
    table: &Table,
) -> Vec<Option<Verdict>> {
    match of {
        CorrelationsOf::Latency => judge::latency(ranges, candidates, table),
        CorrelationsOf::Failures => membership(Membership::Failures, candidates, table),
        CorrelationsOf::Selection => membership(Membership::Selection, candidates, table),
    }
}

/// One row of the answer; `both` are the counts of the candidate and of all.
fn correlation(
    of: CorrelationsOf,
    candidate: &Candidate,
    verdict: &Verdict,
    both: [&[u64]; 2],
    details: &Details,
    position: usize,
) -> Correlation {
    let [counts, all] = both;
    let (count, total): (u64, u64) = (counts.iter().sum(), all.iter().sum());
    let (selected_count, selected, rest_count, rest) = match of {
        CorrelationsOf::Latency => (count, total, count, total),
        CorrelationsOf::Failures | CorrelationsOf::Selection => (counts[0], all[0], count - counts[0], total - all[0]),
    };
    let with = details.with[position];
    let without = details.all.without(with);
    let (from, to) = candidate.bounds.unwrap_or_default();
    Correlation {
        field: candidate.field.clone(),
        value: candidate.text(),
        from,
        to,
        same_as: Vec::new(),
        count,
        selected_count,
        selected_share: share(selected_count as f64, selected as f64),
        baseline_share: share(rest_count as f64, rest as f64),
        score: verdict.score,
        kibana_p: verdict.kibana_p,
        impact: verdict.impact,
        p: verdict.p,
        q: verdict.q,
        is_significant: verdict.is_significant(),
        effect_us: difference(with.latency_us(), without.latency_us()),
        effect_usd: difference(with.usd(), without.usd()),
        effect_failure_points: difference(with.failure_rate(), without.failure_rate()).map(|d| d * 100.0),
        distribution: details.distributions[position].clone(),
    }
}
