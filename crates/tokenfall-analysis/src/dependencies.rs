//! Dependencies: whom the services wait for. What counts as a call is written down in `docs/dependencies.md`.

use std::collections::HashSet;

use tokenfall_api::SeriesAxis;
use tokenfall_api::common::{Summary, SummarySeries};
use tokenfall_api::dependencies::{DependencyDetail, DependencyGroup, DependencyList, DependencySummary};
use tokenfall_api::transactions::TraceSample;
use tokenfall_model::document::DependencyRole;
use tokenfall_model::fields::Field;
use tokenfall_model::{EventKind, fields};
use tokenfall_query::{
    Aggregation, AggregationKind, AggregationResults, Aggregations, Bucket, Filter, SearchRequest, Sort, TermsOrder,
};
use tokenfall_store::{Search, SearchError};

use crate::axis::{axis_of, minutes, over_time, position};
use crate::scope::{Scope, optional};
use crate::summary::{Measure, OVER_TIME, empty_series, set, share};
use crate::transactions::sample_of;

/// Most dependencies of a list.
const DEPENDENCIES_MAX: usize = 500;
/// Most models of a dependency.
const MODELS_MAX: usize = 50;
/// Most callers of a dependency.
const CALLERS_MAX: usize = 100;
/// Most operations of a dependency.
const OPERATIONS_MAX: usize = 100;
/// Traces of a dependency, and the spans that are looked at to find so many.
const SAMPLES: (usize, usize) = (20, 200);

const CALLS: &str = "calls";
const TIME: &str = "time";
const TYPES: &str = "types";
const MODELS: &str = "models";
const CALLERS: &str = "callers";
const OPERATIONS: &str = "operations";
const PARTS: &str = "parts";
/// Spans that are a model call from the question to the last token.
const GENERATIONS: &str = "generations";
/// All other spans that are a call.
const OTHERS: &str = "others";

/// Spans that are calls, each by itself.
const SPANS: Measure = Measure { duration: fields::DEPENDENCY_DURATION_US, weight: fields::SPAN_REPRESENTATIVE_COUNT };

/// All dependencies, the one with the most time spent first.
pub fn dependencies(search: &dyn Search, scope: &Scope, service: Option<&str>) -> Result<DependencyList, SearchError> {
    let axis = axis_of(scope.time);
    let rows = by_time_spent(fields::DEPENDENCY_RESOURCE, DEPENDENCIES_MAX).with(ask_row(axis));
    let response = search.search(
        &calls(scope, service)
            .agg("resources", rows)
            .agg(TIME, AggregationKind::sum(fields::DEPENDENCY_DURATION_SUM_US).leaf()),
    )?;
    let whole = response.aggs.value(TIME).unwrap_or(0.0);
    let row = |bucket: &Bucket| Some(row(bucket.key.as_str()?, &bucket.aggs, scope, axis, whole));
    Ok(DependencyList {
        range: scope.range(),
        axis,
        dependencies: response.aggs.buckets("resources").iter().filter_map(row).collect(),
        complete: response.complete,
    })
}

/// One dependency: its figures, who calls it, with what, and traces of it.
pub fn dependency(
    search: &dyn Search,
    scope: &Scope,
    resource: &str,
    service: Option<&str>,
) -> Result<DependencyDetail, SearchError> {
    let axis = axis_of(scope.time);
    let of_resource = calls(scope, service).filter(Filter::term(fields::DEPENDENCY_RESOURCE, resource));
    let by_operation = by_time_spent(fields::SPAN_NAME, OPERATIONS_MAX).with(ask(Aggregations::new()));
    let figures = search.search(
        &SearchRequest { aggs: ask_row(axis), ..of_resource.clone() }
            .agg("by_caller", by_time_spent(fields::SERVICE_NAME, CALLERS_MAX).with(ask(Aggregations::new())))
            .agg(OPERATIONS, split(Aggregations::new().with(OPERATIONS, by_operation))),
    )?;
    let every = search
        .search(&calls(scope, service).agg(TIME, AggregationKind::sum(fields::DEPENDENCY_DURATION_SUM_US).leaf()))?;
    let main = main_part(&figures.aggs, PARTS).map(|(name, _)| name);
    let time = figures.aggs.value(TIME).unwrap_or(0.0);
    let callers = figures.aggs.buckets("by_caller").iter().filter_map(|bucket| {
        Some(DependencyGroup {
            name: bucket.key.as_str()?.to_owned(),
            summary: summary(&bucket.aggs, scope.minutes()),
            impact: share(bucket.aggs.value(TIME).unwrap_or(0.0), time),
        })
    });
    let whole = every.aggs.value(TIME).unwrap_or(0.0);
    Ok(DependencyDetail {
        range: scope.range(),
        axis,
        callers: callers.collect(),
        operations: operations(&figures.aggs, scope.minutes()),
        samples: samples(search, of_resource, main)?,
        dependency: (figures.total > 0).then(|| row(resource, &figures.aggs, scope, axis, whole)),
        complete: figures.complete && every.complete,
    })
}

/// Spans that are calls.
fn calls(scope: &Scope, service: Option<&str>) -> SearchRequest {
    scope
        .request(EventKind::Span)
        .filter(Filter::exists(fields::DEPENDENCY_RESOURCE))
        .filter(optional(fields::SERVICE_NAME, service))
}

fn by_time_spent(field: Field, size: usize) -> AggregationKind {
    let order = TermsOrder::MetricDescending(TIME.to_owned());
    AggregationKind::Terms { field: field.name.to_owned(), size, order, missing: None, segment_size: None }
}

/// Model calls and all other calls apart.
fn split(aggs: Aggregations) -> Aggregation {
    let generation = || Filter::term(fields::DEPENDENCY_ROLE, DependencyRole::Generation.as_str());
    let parts = vec![(GENERATIONS.to_owned(), generation()), (OTHERS.to_owned(), generation().negate())];
    AggregationKind::Filters(parts).with(aggs)
}

/// What [`summary`] reads.
fn ask(aggs: Aggregations) -> Aggregations {
    aggs.with(CALLS, AggregationKind::sum(fields::DEPENDENCY_COUNT).leaf())
        .with(TIME, AggregationKind::sum(fields::DEPENDENCY_DURATION_SUM_US).leaf())
        .with(PARTS, split(SPANS.ask(Aggregations::new())))
}

/// What [`row`] reads.
fn ask_row(axis: SeriesAxis) -> Aggregations {
    ask(Aggregations::new())
        .with(TYPES, AggregationKind::terms(fields::DEPENDENCY_TYPE, 1).leaf())
        .with(MODELS, AggregationKind::terms(fields::GEN_AI_REQUEST_MODEL, MODELS_MAX).leaf())
        .with(CALLERS, AggregationKind::terms(fields::SERVICE_NAME, CALLERS_MAX).leaf())
        .with(OVER_TIME, over_time(axis).with(ask(Aggregations::new())))
}

/// The spans that durations and outcomes are read from: model calls where there are any, because their requests end with the
/// headers; else all.
fn main_part<'a>(aggs: &'a AggregationResults, name: &str) -> Option<(&'static str, &'a AggregationResults)> {
    let part = |key| aggs.bucket(name, key).filter(|b| b.doc_count > 0).map(|b| (key, &b.aggs));
    part(GENERATIONS).or_else(|| part(OTHERS))
}

fn summary(aggs: &AggregationResults, minutes: f64) -> Summary {
    let Some((part, figures)) = main_part(aggs, PARTS) else { return Summary::default() };
    // A request and its call may lie on two sides of the range's edge.
    let count = aggs.value(CALLS).unwrap_or(0.0).max(0.0);
    let of_spans = Measure::summary(figures, minutes);
    let latency_avg_us = if part == GENERATIONS || count <= 0.0 {
        of_spans.latency_avg_us
    } else {
        // The merged calls of a composite weigh as many.
        aggs.value(TIME).map(|time| time / count)
    };
    Summary { count, latency_avg_us, throughput_per_minute: count / minutes, ..of_spans }
}

fn row(resource: &str, aggs: &AggregationResults, scope: &Scope, axis: SeriesAxis, whole: f64) -> DependencySummary {
    let keys = |name| -> Vec<String> {
        aggs.buckets(name).iter().filter_map(|b| b.key.as_str()).map(ToOwned::to_owned).collect()
    };
    DependencySummary {
        resource: resource.to_owned(),
        kind: keys(TYPES).pop().unwrap_or_default(),
        models: keys(MODELS),
        callers: keys(CALLERS),
        summary: summary(aggs, scope.minutes()),
        series: series(aggs, axis, scope),
        impact: share(aggs.value(TIME).unwrap_or(0.0), whole),
    }
}

fn series(aggs: &AggregationResults, axis: SeriesAxis, scope: &Scope) -> SummarySeries {
    let mut series = empty_series(axis);
    let minutes: Vec<f64> = minutes(axis, scope.time).collect();
    for bucket in aggs.buckets(OVER_TIME) {
        if let Some(i) = position(axis, bucket) {
            set(&mut series, i, &summary(&bucket.aggs, minutes[i]));
        }
    }
    series
}

/// Figures by span name. In a row with model calls, their HTTP requests are no operations of their own.
fn operations(aggs: &AggregationResults, minutes: f64) -> Vec<DependencyGroup> {
    let Some((part, of_part)) = main_part(aggs, OPERATIONS) else { return Vec::new() };
    let mut operations: Vec<(f64, DependencyGroup)> = Vec::new();
    for bucket in of_part.buckets(OPERATIONS) {
        let Some(name) = bucket.key.as_str() else { continue };
        let mut figures = summary(&bucket.aggs, minutes);
        if part == GENERATIONS
            && let Some((_, own)) = main_part(&bucket.aggs, PARTS)
        {
            // The count of a call has its requests taken off; here it stands alone.
            figures = Measure::summary(own, minutes);
        }
        let time = figures.count * figures.latency_avg_us.unwrap_or(0.0);
        operations.push((time, DependencyGroup { name: name.to_owned(), summary: figures, impact: 0.0 }));
    }
    let whole: f64 = operations.iter().map(|(time, _)| time).sum();
    operations.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let with_impact = |(time, group)| DependencyGroup { impact: share(time, whole), ..group };
    operations.into_iter().map(with_impact).collect()
}

/// The newest calls, one of each trace.
fn samples(
    search: &dyn Search,
    of_resource: SearchRequest,
    main_part: Option<&str>,
) -> Result<Vec<TraceSample>, SearchError> {
    let request = match main_part {
        Some(GENERATIONS) => {
            of_resource.filter(Filter::term(fields::DEPENDENCY_ROLE, DependencyRole::Generation.as_str()))
        }
        _ => of_resource,
    };
    let (samples_max, spans_max) = SAMPLES;
    let response = search.search(&request.hits(spans_max, vec![Sort::descending(fields::TIMESTAMP)]))?;
    let mut seen = HashSet::new();
    let mut samples: Vec<TraceSample> = response.hits.iter().filter_map(sample_of).collect();
    samples.retain(|sample| seen.insert(sample.trace_id.clone()));
    samples.truncate(samples_max);
    Ok(samples)
}
