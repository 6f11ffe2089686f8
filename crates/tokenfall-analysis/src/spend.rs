//! What model calls cost, and by whom and for what.
//!
//! Money is summed in two ways that give the same amount (`docs/model-calls.md`): over *carriers*, the transactions with the sums
//! of their calls, which know user, session and question; and over *costs*, the calls themselves, which know model and provider.

mod figures;
mod forecast;
mod questions;
mod rows;
mod unpriced;

use tokenfall_api::spend::{SpendAnswer, SpendSeries};
use tokenfall_model::{Usd, fields};
use tokenfall_query::{AggregationKind, Aggregations, SearchRequest};
use tokenfall_store::{Search, SearchError};

use crate::scope::Scope;
use crate::selection::Selection;

pub use questions::questions;
pub use rows::SpendBy;

const DAY_US: i64 = 86_400_000_000;
const HOUR_US: i64 = 3_600_000_000;
/// Most buckets of the series.
const BUCKETS_MAX: i64 = 400;

/// Spend of a time range.
pub fn spend(
    search: &dyn Search,
    scope: &Scope,
    selection: &Selection,
    by: &SpendBy,
) -> Result<SpendAnswer, SearchError> {
    let width = bucket_width(scope);
    // Calls know neither name nor labels of their transactions.
    let from_costs = !selection.is_of_transactions();
    let over_costs = from_costs && by.is_of_calls();
    let usd = || AggregationKind::sum(fields::COST_PICO_USD).leaf();
    let carriers = figures::ask_carriers(Aggregations::new()).with("series", over_time(width, figures::carrier_usd()));
    let carriers = SearchRequest {
        aggs: if over_costs { carriers } else { by.ask_carriers(carriers) },
        ..selection.carriers(scope)
    };
    let carriers = search.search(&carriers)?;
    let costs = figures::ask_costs(Aggregations::new()).with("series", over_time(width, usd()));
    let costs = search.search(&SearchRequest {
        aggs: if over_costs { by.ask_costs(costs) } else { costs },
        ..selection.costs(scope)
    })?;
    let (forecast, forecast_complete) = forecast::forecast(search, scope, selection)?;

    let mut total = match selection.model {
        Some(_) if from_costs => figures::of_costs(&costs.aggs),
        _ => figures::of_carriers(&carriers.aggs),
    };
    // Calls whose transaction never came are in the costs alone.
    if from_costs {
        total.usd = figures::money(&costs.aggs, figures::USD);
    }
    let table =
        if over_costs { rows::of_costs(&costs.aggs, total.usd) } else { rows::of_carriers(&carriers.aggs, total.usd) };
    let (unpriced, unpriced_complete) = match total.unpriced_calls {
        0 => (Vec::new(), true),
        _ => unpriced::unpriced(search, scope, selection)?,
    };
    Ok(SpendAnswer {
        range: scope.range(),
        series: series(scope, width, &carriers, if from_costs { &costs } else { &carriers }),
        total,
        forecast,
        by: by.to_string(),
        rows: table.rows,
        rows_omitted: table.omitted,
        omitted_usd: table.omitted_usd,
        unattributed_usd: total.usd - table.attributed,
        unpriced,
        complete: carriers.complete && costs.complete && forecast_complete && unpriced_complete,
    })
}

/// Days for ranges of two days and more, else hours; weeks where there would be too many days.
fn bucket_width(scope: &Scope) -> i64 {
    let length = scope.time.to.as_micros().saturating_sub(scope.time.from.as_micros());
    [HOUR_US, DAY_US, 7 * DAY_US, 28 * DAY_US]
        .into_iter()
        .find(|width| (*width > HOUR_US || length < 2 * DAY_US) && length / width < BUCKETS_MAX)
        .unwrap_or(364 * DAY_US)
}

fn over_time(interval_us: i64, usd: tokenfall_query::Aggregation) -> tokenfall_query::Aggregation {
    let field = fields::TIMESTAMP.name.to_owned();
    let inside = figures::ask_transactions(Aggregations::new()).with(figures::USD, usd);
    AggregationKind::DateHistogram { field, interval_us, bounds_us: None }.with(inside)
}

fn series(
    scope: &Scope,
    bucket_us: i64,
    transactions: &tokenfall_query::SearchResponse,
    money: &tokenfall_query::SearchResponse,
) -> SpendSeries {
    let (from, to) = (scope.time.from.as_micros(), scope.time.to.as_micros());
    let start_us = from.div_euclid(bucket_us) * bucket_us;
    let length = to.saturating_sub(start_us).max(1);
    let buckets = usize::try_from((length + bucket_us - 1) / bucket_us).unwrap_or(1);
    let mut series = SpendSeries { start_us, bucket_us, usd: vec![Usd::ZERO; buckets], transactions: vec![0; buckets] };
    let place = |bucket: &tokenfall_query::Bucket| {
        usize::try_from((bucket.key.as_long()? - start_us) / bucket_us).ok().filter(|i| *i < buckets)
    };
    for bucket in money.aggs.buckets("series") {
        if let Some(i) = place(bucket) {
            series.usd[i] = figures::money(&bucket.aggs, figures::USD);
        }
    }
    for bucket in transactions.aggs.buckets("series") {
        if let Some(i) = place(bucket) {
            series.transactions[i] = figures::transactions(&bucket.aggs);
        }
    }
    series
}
