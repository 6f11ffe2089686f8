//! Transaction groups, how their durations are distributed, and traces to look at.

use std::collections::HashSet;

use tokenfall_api::Outcome as ApiOutcome;
use tokenfall_api::transactions::{
    LatencyBucket, LatencyDistribution, TraceSample, TraceSampleList, TransactionDetail, TransactionGroup,
    TransactionGroupList,
};
use tokenfall_model::{Document, EventKind, Outcome, fields};
use tokenfall_query::{AggregationKind, Aggregations, BucketKey, Filter, SearchRequest, Sort, TermsOrder};
use tokenfall_store::{Search, SearchError};

use crate::axis::axis_of;
use crate::scope::{Scope, optional};
use crate::services::default_transaction_type;
use crate::summary::{Measure, TRANSACTIONS, share};

/// Most groups of a list.
const GROUPS_MAX: usize = 500;
/// Bars of a distribution, at most and at least (a few transactions need no hundred bars).
const BARS: (u64, u64) = (100, 20);

const TIME_SPENT: &str = "time_spent";
const FAILED: &str = "failed";

/// Which transactions of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupQuery {
    /// Service.
    pub service: String,
    /// Name of the transactions; empty means those without a name.
    pub name: String,
    /// Their type; none means any.
    pub transaction_type: Option<String>,
}

impl GroupQuery {
    fn request(&self, scope: &Scope) -> SearchRequest {
        let name = match self.name.as_str() {
            "" => Filter::exists(fields::TRANSACTION_NAME).negate(),
            name => Filter::term(fields::TRANSACTION_NAME, name),
        };
        scope
            .request(EventKind::Transaction)
            .filter(Filter::term(fields::SERVICE_NAME, self.service.as_str()))
            .filter(name)
            .filter(optional(fields::TRANSACTION_TYPE, self.transaction_type.as_deref()))
    }
}

/// Transaction groups of a service, the one with the most time spent first.
pub fn groups(
    search: &dyn Search,
    scope: &Scope,
    service: &str,
    transaction_type: Option<&str>,
) -> Result<TransactionGroupList, SearchError> {
    let transaction_type = match transaction_type {
        Some(asked) => Some(asked.to_owned()),
        None => default_transaction_type(search, scope, service)?,
    };
    let time_spent = || AggregationKind::sum(fields::TRANSACTION_DURATION_US).leaf();
    let by_name = AggregationKind::Terms {
        field: fields::TRANSACTION_NAME.name.to_owned(),
        size: GROUPS_MAX,
        order: TermsOrder::MetricDescending(TIME_SPENT.to_owned()),
        // Frameworks give no name where no route matched: those requests are a group too.
        missing: Some(String::new()),
        segment_size: None,
    };
    let response = search.search(
        &scope
            .request(EventKind::Transaction)
            .filter(Filter::term(fields::SERVICE_NAME, service))
            .filter(optional(fields::TRANSACTION_TYPE, transaction_type.as_deref()))
            .agg("groups", by_name.with(TRANSACTIONS.ask(Aggregations::new()).with(TIME_SPENT, time_spent())))
            .agg("names", AggregationKind::cardinality(fields::TRANSACTION_NAME).leaf())
            .agg(TIME_SPENT, time_spent()),
    )?;
    let whole = response.aggs.value(TIME_SPENT).unwrap_or(0.0);
    let groups: Vec<TransactionGroup> = response
        .aggs
        .buckets("groups")
        .iter()
        .filter_map(|bucket| {
            Some(TransactionGroup {
                name: bucket.key.as_str()?.to_owned(),
                summary: Measure::summary(&bucket.aggs, scope.minutes()),
                impact: share(bucket.aggs.value(TIME_SPENT).unwrap_or(0.0), whole),
            })
        })
        .collect();
    let names = response.aggs.value("names").unwrap_or(0.0) as u64;
    let groups_omitted = if groups.len() < GROUPS_MAX { 0 } else { names.saturating_sub(groups.len() as u64) };
    Ok(TransactionGroupList {
        range: scope.range(),
        transaction_type,
        groups,
        groups_omitted,
        complete: response.complete,
    })
}

/// One group: figures over time and the distribution of the durations.
pub fn detail(search: &dyn Search, scope: &Scope, group: &GroupQuery) -> Result<TransactionDetail, SearchError> {
    let axis = axis_of(scope.time);
    let aggs = TRANSACTIONS.ask_series(TRANSACTIONS.ask(Aggregations::new()), axis);
    let aggs = aggs
        .with("shortest", AggregationKind::min(fields::TRANSACTION_DURATION_US).leaf())
        .with("longest", AggregationKind::max(fields::TRANSACTION_DURATION_US).leaf())
        .with("types", AggregationKind::terms(fields::TRANSACTION_TYPE, 1).leaf());
    let response = search.search(&SearchRequest { aggs, ..group.request(scope) })?;
    let (buckets, distribution_complete) = match (response.aggs.value("shortest"), response.aggs.value("longest")) {
        (Some(shortest), Some(longest)) => {
            distribution(search, scope, group, &bar_edges(shortest as u64, longest as u64, response.total))?
        }
        _ => (Vec::new(), true),
    };
    let sent_type = response.aggs.buckets("types").first().and_then(|b| b.key.as_str()).map(ToOwned::to_owned);
    Ok(TransactionDetail {
        range: scope.range(),
        axis,
        name: group.name.clone(),
        transaction_type: group.transaction_type.clone().or(sent_type),
        summary: Measure::summary(&response.aggs, scope.minutes()),
        series: Measure::series(&response.aggs, axis, scope.time),
        distribution: LatencyDistribution { buckets },
        complete: response.complete && distribution_complete,
    })
}

/// Edges of the bars: whole microseconds in steps of equal ratio from the shortest to just over the longest duration, as in
/// Kibana's latency distribution.
pub(crate) fn bar_edges(shortest: u64, longest: u64, transactions: u64) -> Vec<u64> {
    let first = shortest.max(1);
    let last = longest.max(first).saturating_add(1);
    let steps = transactions.clamp(BARS.1, BARS.0);
    let ratio = last as f64 / first as f64;
    let inner = (1..steps).map(|i| (first as f64 * ratio.powf(i as f64 / steps as f64)).round() as u64);
    let mut edges = vec![if shortest == 0 { 0 } else { first }];
    edges.extend(inner.filter(|edge| *edge > first && *edge < last));
    edges.push(last);
    edges.dedup();
    edges
}

fn distribution(
    search: &dyn Search,
    scope: &Scope,
    group: &GroupQuery,
    edges: &[u64],
) -> Result<(Vec<LatencyBucket>, bool), SearchError> {
    let ranges = edges.windows(2).map(|edge| (Some(edge[0] as f64), Some(edge[1] as f64))).collect();
    let failed = Filter::term(fields::EVENT_OUTCOME, Outcome::Failure.as_str());
    let bars = AggregationKind::Range { field: fields::TRANSACTION_DURATION_US.name.to_owned(), ranges };
    let bars = bars.with(Aggregations::new().with(FAILED, AggregationKind::Filter(failed).leaf()));
    let response = search.search(&group.request(scope).agg("bars", bars))?;
    let bar = |bucket: &tokenfall_query::Bucket| match bucket.key {
        BucketKey::Range(Some(from), Some(to)) => Some(LatencyBucket {
            from_us: from as u64,
            to_us: to as u64,
            count: bucket.doc_count,
            failed: bucket.aggs.bucket(FAILED, "").map_or(0, |b| b.doc_count),
        }),
        _ => None,
    };
    Ok((response.aggs.buckets("bars").iter().filter_map(bar).collect(), response.complete))
}

/// Which transactions to pick samples of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamplesQuery {
    /// Group.
    pub group: GroupQuery,
    /// Shortest duration.
    pub min_us: Option<u64>,
    /// First duration that is too long.
    pub max_us: Option<u64>,
    /// Most samples.
    pub size: usize,
}

/// Transactions of a group whose traces were recorded, spread over the time of the selection, newest first.
pub fn samples(search: &dyn Search, scope: &Scope, query: &SamplesQuery) -> Result<TraceSampleList, SearchError> {
    let as_number = |us: Option<u64>| us.map(|us| us as f64);
    let mut selection = query.group.request(scope).filter(Filter::term(fields::TRANSACTION_SAMPLED, false).negate());
    if query.min_us.is_some() || query.max_us.is_some() {
        let (gte, lt) = (as_number(query.min_us), as_number(query.max_us));
        selection = selection.filter(Filter::range(fields::TRANSACTION_DURATION_US, gte, lt));
    }
    let newest_first = || vec![Sort::descending(fields::TIMESTAMP)];
    let newest = search.search(
        &selection
            .clone()
            .hits(query.size, newest_first())
            .agg("first", AggregationKind::min(fields::TIMESTAMP).leaf())
            .agg("last", AggregationKind::max(fields::TIMESTAMP).leaf()),
    )?;
    let mut samples: Vec<TraceSample> = Vec::new();
    if newest.total > query.size as u64
        && let (Some(first), Some(last)) = (newest.aggs.value("first"), newest.aggs.value("last"))
    {
        // One more bucket than samples can come out, because buckets are aligned with the epoch.
        let interval_us = (((last - first) / query.size.max(1) as f64).ceil() as i64).max(1);
        let buckets =
            AggregationKind::DateHistogram { field: fields::TIMESTAMP.name.to_owned(), interval_us, bounds_us: None };
        let pick = AggregationKind::TopHits { size: 1, sort: newest_first() }.leaf();
        let spread = search.search(&selection.agg("spread", buckets.with(Aggregations::new().with("pick", pick))))?;
        let picks = spread.aggs.buckets("spread").iter().flat_map(|b| b.aggs.top_hits("pick"));
        samples.extend(picks.filter_map(sample_of));
        samples.reverse();
        samples.truncate(query.size);
    }
    let taken: HashSet<String> = samples.iter().map(|s| s.transaction_id.clone()).collect();
    let more = newest.hits.iter().filter_map(sample_of).filter(|s| !taken.contains(&s.transaction_id));
    samples.extend(more.take(query.size - samples.len().min(query.size)));
    samples.sort_by_key(|s| std::cmp::Reverse(s.timestamp_us));
    Ok(TraceSampleList { samples, selected: newest.total })
}

/// A transaction, or a span with its transaction, as a sample; `None` if it belongs to no trace.
pub(crate) fn sample_of(document: &Document) -> Option<TraceSample> {
    Some(TraceSample {
        trace_id: document.trace.as_ref()?.id.as_str().to_owned(),
        transaction_id: document.transaction.as_ref()?.id.as_ref()?.as_str().to_owned(),
        timestamp_us: document.time().as_micros(),
        duration_us: document.duration().map_or(0, |d| d.get()),
        outcome: match document.outcome() {
            Some(Outcome::Success) => ApiOutcome::Success,
            Some(Outcome::Failure) => ApiOutcome::Failure,
            Some(Outcome::Unknown) | None => ApiOutcome::Unknown,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::bar_edges;

    #[test]
    fn bars_cover_all_durations() {
        for (shortest, longest, n) in [
            (0, 0, 1),
            (1, 1, 1),
            (0, 5, 10),
            (7, 7, 100_000),
            (1_000, 60_000_000, 5_000),
            (0, u64::MAX, 500),
            (u64::MAX, u64::MAX, 2),
        ] {
            let edges = bar_edges(shortest, longest, n);
            assert!(edges[0] <= shortest, "{edges:?}");
            assert!(edges.last().is_some_and(|e| *e > longest || longest == u64::MAX), "{edges:?}");
            assert!(edges.windows(2).all(|w| w[0] < w[1]) && edges.len() <= 101, "{edges:?}");
            assert!(edges.len() >= 2 || longest == u64::MAX);
        }
    }
}
