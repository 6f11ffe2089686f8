//! Figures of a part of the spend, over carriers and over costs.

use tokenfall_api::llm::TokenSources;
use tokenfall_api::spend::SpendFigures;
use tokenfall_model::document::UsageSource;
use tokenfall_model::fields::{self, Field};
use tokenfall_model::{EventKind, Outcome, Usd};
use tokenfall_query::{Aggregation, AggregationKind, AggregationResults, Aggregations, Filter};

use crate::selection::is_call;

/// Sum of the money, in 10⁻¹² USD.
pub(super) const USD: &str = "usd";
const TRANSACTIONS: &str = "transactions";
const FAILED: &str = "failed";
const PRICED: &str = "priced";
const LATENCY: &str = "latency";
const CALLS: &str = "calls";
const UNPRICED: &str = "unpriced";
const SOURCES: &str = "sources";

const SUMS: [(&str, Field); 11] = [
    (CALLS, fields::LLM_GENERATIONS),
    ("failed_calls", fields::LLM_FAILED_GENERATIONS),
    (UNPRICED, fields::LLM_UNPRICED_GENERATIONS),
    ("failed_usd", fields::LLM_FAILED_COST_PICO_USD),
    ("input", fields::LLM_INPUT_TOKENS),
    ("output", fields::LLM_OUTPUT_TOKENS),
    ("total", fields::LLM_TOTAL_TOKENS),
    ("reported", fields::LLM_REPORTED_TOKENS),
    ("counted", fields::LLM_COUNTED_TOKENS),
    ("derived", fields::LLM_DERIVED_TOKENS),
    ("estimated", fields::LLM_ESTIMATED_TOKENS),
];

fn failure() -> Filter {
    Filter::term(fields::EVENT_OUTCOME, Outcome::Failure.as_str())
}

fn success() -> Filter {
    Filter::term(fields::EVENT_OUTCOME, Outcome::Success.as_str())
}

/// Money of carriers.
pub(super) fn carrier_usd() -> Aggregation {
    AggregationKind::sum(fields::LLM_COST_PICO_USD).leaf()
}

/// Asks how many transactions there are, and how they ended.
pub(super) fn ask_transactions(aggs: Aggregations) -> Aggregations {
    let is_transaction = Filter::term(fields::PROCESSOR_EVENT, EventKind::Transaction.as_str());
    let failed = Aggregations::new().with(USD, carrier_usd());
    let inside = Aggregations::new()
        .with(FAILED, AggregationKind::Filter(failure()).with(failed))
        .with("succeeded", AggregationKind::Filter(success()).leaf())
        .with(PRICED, AggregationKind::value_count(fields::LLM_COST_PICO_USD).leaf())
        .with(LATENCY, AggregationKind::avg(fields::TRANSACTION_DURATION_US).leaf());
    aggs.with(TRANSACTIONS, AggregationKind::Filter(is_transaction).with(inside))
}

/// Number of transactions.
pub(super) fn transactions(aggs: &AggregationResults) -> u64 {
    aggs.bucket(TRANSACTIONS, "").map_or(0, |bucket| bucket.doc_count)
}

/// Asks for the figures of carriers.
pub(super) fn ask_carriers(aggs: Aggregations) -> Aggregations {
    let sums = |aggs: Aggregations, (name, field): &(&str, Field)| aggs.with(name, AggregationKind::sum(*field).leaf());
    let aggs = ask_transactions(aggs).with(USD, carrier_usd());
    SUMS.iter()
        .fold(aggs, sums)
        .with("input_known", AggregationKind::value_count(fields::LLM_INPUT_TOKENS).leaf())
        .with("output_known", AggregationKind::value_count(fields::LLM_OUTPUT_TOKENS).leaf())
        .with("total_known", AggregationKind::value_count(fields::LLM_TOTAL_TOKENS).leaf())
}

/// Figures of carriers.
pub(super) fn of_carriers(aggs: &AggregationResults) -> SpendFigures {
    let whole = |name: &str| aggs.value(name).unwrap_or(0.0) as u64;
    let known = |count: &str, sum: &str| (whole(count) > 0).then(|| whole(sum));
    let empty = AggregationResults::default();
    let of_transactions = aggs.bucket(TRANSACTIONS, "").map_or(&empty, |bucket| &bucket.aggs);
    let failed = of_transactions.bucket(FAILED, "");
    let usd = money(aggs, USD);
    let (calls, unpriced) = (whole(CALLS), whole(UNPRICED));
    SpendFigures {
        transactions: Some(transactions(aggs)),
        calls,
        unpriced_calls: unpriced,
        usd,
        usd_per_transaction: usd.divided_by(of_transactions.value(PRICED).unwrap_or(0.0) as u64),
        usd_per_call: usd.divided_by(calls.saturating_sub(unpriced).saturating_sub(whole("failed_calls"))),
        failed_transactions_usd: Some(failed.map_or(Usd::ZERO, |bucket| money(&bucket.aggs, USD))),
        failed_calls_usd: money(aggs, "failed_usd"),
        input_tokens: known("input_known", "input"),
        output_tokens: known("output_known", "output"),
        total_tokens: known("total_known", "total"),
        sources: TokenSources {
            reported: whole("reported"),
            counted: whole("counted"),
            derived: whole("derived"),
            estimated: whole("estimated"),
        },
        failed_transactions: Some(failed.map_or(0, |bucket| bucket.doc_count)),
    }
}

/// Mean duration and failure rate of the transactions.
pub(super) fn how_carriers_went(aggs: &AggregationResults) -> (Option<f64>, Option<f64>) {
    aggs.bucket(TRANSACTIONS, "").map_or((None, None), |bucket| went(&bucket.aggs))
}

/// Mean duration and failure rate of the calls.
pub(super) fn how_costs_went(aggs: &AggregationResults) -> (Option<f64>, Option<f64>) {
    aggs.bucket(CALLS, "").map_or((None, None), |bucket| went(&bucket.aggs))
}

fn went(aggs: &AggregationResults) -> (Option<f64>, Option<f64>) {
    let count = |name: &str| aggs.bucket(name, "").map_or(0, |bucket| bucket.doc_count) as f64;
    let (failed, succeeded) = (count(FAILED), count("succeeded"));
    (aggs.value(LATENCY), (failed + succeeded > 0.0).then(|| failed / (failed + succeeded)))
}

/// Asks for the figures of costs.
pub(super) fn ask_costs(aggs: Aggregations) -> Aggregations {
    let sum = |field: Field| AggregationKind::sum(field).leaf();
    let usd = || Aggregations::new().with(USD, sum(fields::COST_PICO_USD));
    let has_no_cost = Filter::exists(fields::COST_PICO_USD).negate().and(failure().negate());
    let inside = Aggregations::new()
        .with(FAILED, AggregationKind::Filter(failure()).with(usd()))
        .with("succeeded", AggregationKind::Filter(success()).with(usd()))
        .with(UNPRICED, AggregationKind::Filter(has_no_cost).leaf())
        .with(PRICED, AggregationKind::value_count(fields::COST_PICO_USD).leaf())
        .with(LATENCY, AggregationKind::avg(fields::DEPENDENCY_DURATION_US).leaf())
        .with("input", sum(fields::GEN_AI_USAGE_INPUT_TOKENS))
        .with("output", sum(fields::GEN_AI_USAGE_OUTPUT_TOKENS))
        .with("input_known", AggregationKind::value_count(fields::GEN_AI_USAGE_INPUT_TOKENS).leaf())
        .with("output_known", AggregationKind::value_count(fields::GEN_AI_USAGE_OUTPUT_TOKENS).leaf())
        .with("total_known", AggregationKind::value_count(fields::USAGE_TOTAL_TOKENS).leaf())
        .with("total", sum(fields::USAGE_TOTAL_TOKENS))
        .with(
            SOURCES,
            AggregationKind::terms(fields::USAGE_SOURCE, UsageSource::ALL.len())
                .with(Aggregations::new().with("total", sum(fields::USAGE_TOTAL_TOKENS))),
        );
    aggs.with(USD, sum(fields::COST_PICO_USD)).with(CALLS, AggregationKind::Filter(is_call()).with(inside))
}

/// Figures of costs. Which transactions the calls are part of is not known here.
pub(super) fn of_costs(aggs: &AggregationResults) -> SpendFigures {
    let usd = money(aggs, USD);
    let Some(bucket) = aggs.bucket(CALLS, "") else {
        return SpendFigures { usd, ..SpendFigures::default() };
    };
    let calls = &bucket.aggs;
    let whole = |name: &str| calls.value(name).unwrap_or(0.0) as u64;
    let known = |count: &str, sum: &str| (whole(count) > 0).then(|| whole(sum));
    let of_calls = |name: &str| calls.bucket(name, "").map_or(Usd::ZERO, |bucket| money(&bucket.aggs, USD));
    let source = |source: UsageSource| {
        let bucket = calls.bucket(SOURCES, source.as_str());
        bucket.and_then(|bucket| bucket.aggs.value("total")).unwrap_or(0.0) as u64
    };
    let failed_calls = calls.bucket(FAILED, "").map_or(0, |bucket| bucket.doc_count);
    let unpriced_calls = calls.bucket(UNPRICED, "").map_or(0, |bucket| bucket.doc_count);
    let is_priced = bucket.doc_count.saturating_sub(failed_calls).saturating_sub(unpriced_calls);
    SpendFigures {
        transactions: None,
        calls: bucket.doc_count,
        unpriced_calls,
        usd,
        usd_per_transaction: None,
        usd_per_call: if whole(PRICED) > 0 { usd.divided_by(is_priced) } else { None },
        failed_transactions_usd: None,
        failed_calls_usd: of_calls(FAILED),
        input_tokens: known("input_known", "input"),
        output_tokens: known("output_known", "output"),
        total_tokens: known("total_known", "total"),
        sources: TokenSources {
            reported: source(UsageSource::Reported),
            counted: source(UsageSource::Counted),
            derived: source(UsageSource::Derived),
            estimated: source(UsageSource::Estimated),
        },
        failed_transactions: None,
    }
}

/// A sum of money.
pub(super) fn money(aggs: &AggregationResults, name: &str) -> Usd {
    Usd::from_pico_sum(aggs.value(name).unwrap_or(0.0))
}
