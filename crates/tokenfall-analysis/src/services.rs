//! Services: who is there, and how each of them does.

use tokenfall_api::common::Summary;
use tokenfall_api::services::{EnvironmentList, ServiceDetail, ServiceList, ServiceSummary, SpanTypeTime};
use tokenfall_model::{EventKind, Timestamp, fields};
use tokenfall_query::{
    AggregationKind, AggregationResults, Aggregations, Bucket, BucketKey, Filter, SearchRequest, TermsOrder, TimeRange,
};
use tokenfall_store::{Search, SearchError};

use crate::axis::axis_of;
use crate::scope::{Scope, optional};
use crate::summary::{Measure, TRANSACTIONS, empty_series, share};

/// Most services of a list.
const SERVICES_MAX: usize = 1_000;
/// Most transaction types of a service.
const TYPES_MAX: usize = 50;
/// Most values of one kind of metadata.
const METADATA_MAX: usize = 50;
/// Most environments.
const ENVIRONMENTS_MAX: usize = 500;
/// Most span types of a breakdown.
const SPAN_TYPES_MAX: usize = 100;
/// Transaction type that a service is judged by if it has it.
const TYPE_REQUEST: &str = "request";

/// All services with the figures of their main transaction type.
pub fn services(search: &dyn Search, scope: &Scope) -> Result<ServiceList, SearchError> {
    let axis = axis_of(scope.time);
    let types = TRANSACTIONS.ask_series(TRANSACTIONS.ask(Aggregations::new()), axis);
    let types = AggregationKind::terms(fields::TRANSACTION_TYPE, TYPES_MAX).with(types);
    let by_service = AggregationKind::terms(fields::SERVICE_NAME, SERVICES_MAX);
    let transactions = search.search(
        &scope
            .request(EventKind::Transaction)
            .agg("services", by_service.clone().with(Aggregations::new().with("types", types))),
    )?;
    // Services that sent no transaction are services too.
    let is_error = Filter::term(fields::PROCESSOR_EVENT, EventKind::Error.as_str());
    let facts = Aggregations::new()
        .with("environments", AggregationKind::terms(fields::SERVICE_ENVIRONMENT, METADATA_MAX).leaf())
        .with("agents", AggregationKind::terms(fields::AGENT_NAME, 1).leaf())
        .with("errors", AggregationKind::Filter(is_error).leaf());
    let all = search.search(&scope.request_any().agg("services", by_service.with(facts)))?;

    let mut services: Vec<ServiceSummary> = all
        .aggs
        .buckets("services")
        .iter()
        .filter_map(|bucket| {
            let name = bucket.key.as_str()?;
            let of_type = transactions.aggs.bucket("services", name).and_then(|b| main_type(&b.aggs, None));
            Some(ServiceSummary {
                name: name.to_owned(),
                environments: sorted(keys(&bucket.aggs, "environments")),
                agent_name: keys(&bucket.aggs, "agents").next(),
                transaction_type: of_type.and_then(|b| b.key.as_str()).map(ToOwned::to_owned),
                summary: of_type.map_or_else(Summary::default, |b| Measure::summary(&b.aggs, scope.minutes())),
                series: of_type.map_or_else(|| empty_series(axis), |b| Measure::series(&b.aggs, axis, scope.time)),
                errors: bucket.aggs.bucket("errors", "").map_or(0, |b| b.doc_count),
            })
        })
        .collect();
    let time_spent = |s: &ServiceSummary| s.summary.count * s.summary.latency_avg_us.unwrap_or(0.0);
    services.sort_by(|a, b| time_spent(b).total_cmp(&time_spent(a)).then_with(|| a.name.cmp(&b.name)));
    Ok(ServiceList {
        range: scope.range(),
        axis,
        services,
        newest_event_us: newest_event_us(search, scope.time.from)?,
        complete: transactions.complete && all.complete,
    })
}

/// One service; all lists are empty if it sent nothing in the range.
pub fn service(
    search: &dyn Search,
    scope: &Scope,
    service: &str,
    transaction_type: Option<&str>,
) -> Result<ServiceDetail, SearchError> {
    let axis = axis_of(scope.time);
    let of_service = Filter::term(fields::SERVICE_NAME, service);
    let types = TRANSACTIONS.ask_series(TRANSACTIONS.ask(Aggregations::new()), axis);
    let transactions = search.search(
        &scope
            .request(EventKind::Transaction)
            .filter(of_service.clone())
            .agg("types", AggregationKind::terms(fields::TRANSACTION_TYPE, TYPES_MAX).with(types)),
    )?;
    let metadata = search.search(
        &scope
            .request_any()
            .filter(of_service)
            .agg("environments", AggregationKind::terms(fields::SERVICE_ENVIRONMENT, METADATA_MAX).leaf())
            .agg("agents", with_version(fields::AGENT_NAME, fields::AGENT_VERSION).leaf())
            .agg("languages", with_version(fields::SERVICE_LANGUAGE_NAME, fields::SERVICE_LANGUAGE_VERSION).leaf())
            .agg("runtimes", with_version(fields::SERVICE_RUNTIME_NAME, fields::SERVICE_RUNTIME_VERSION).leaf())
            .agg("versions", AggregationKind::terms(fields::SERVICE_VERSION, METADATA_MAX).leaf())
            .agg("instances", AggregationKind::terms(fields::SERVICE_NODE_NAME, METADATA_MAX).leaf()),
    )?;
    let of_type = main_type(&transactions.aggs, transaction_type);
    let chosen = of_type.and_then(|b| b.key.as_str()).or(transaction_type);
    let (time_by_span_type, breakdown_complete) = time_by_span_type(search, scope, service, chosen)?;
    let list = |name: &str| sorted(keys(&metadata.aggs, name));
    let mut runtimes = list("languages");
    // Java's language and runtime have the same name and version.
    let more: Vec<String> = list("runtimes").into_iter().filter(|runtime| !runtimes.contains(runtime)).collect();
    runtimes.extend(more);
    Ok(ServiceDetail {
        range: scope.range(),
        axis,
        name: service.to_owned(),
        environments: list("environments"),
        agents: list("agents"),
        runtimes,
        versions: list("versions"),
        instances: list("instances"),
        transaction_types: keys(&transactions.aggs, "types").collect(),
        transaction_type: chosen.map(ToOwned::to_owned),
        summary: of_type.map_or_else(Summary::default, |b| Measure::summary(&b.aggs, scope.minutes())),
        series: of_type.map_or_else(|| empty_series(axis), |b| Measure::series(&b.aggs, axis, scope.time)),
        time_by_span_type,
        complete: transactions.complete && metadata.complete && breakdown_complete,
    })
}

/// Environments in use.
pub fn environments(search: &dyn Search, time: TimeRange) -> Result<EnvironmentList, SearchError> {
    let undefined = Filter::exists(fields::SERVICE_ENVIRONMENT).negate();
    let response = search.search(
        &SearchRequest { time: Some(time), ..SearchRequest::default() }
            .agg("environments", AggregationKind::terms(fields::SERVICE_ENVIRONMENT, ENVIRONMENTS_MAX).leaf())
            .agg("undefined", AggregationKind::Filter(undefined).leaf()),
    )?;
    Ok(EnvironmentList {
        environments: sorted(keys(&response.aggs, "environments")),
        has_undefined: response.aggs.bucket("undefined", "").is_some_and(|b| b.doc_count > 0),
    })
}

/// The transaction type that a service is judged by when nobody says: `request`, else the most frequent one.
pub(crate) fn default_transaction_type(
    search: &dyn Search,
    scope: &Scope,
    service: &str,
) -> Result<Option<String>, SearchError> {
    let response = search.search(
        &scope
            .request(EventKind::Transaction)
            .filter(Filter::term(fields::SERVICE_NAME, service))
            .agg("types", AggregationKind::terms(fields::TRANSACTION_TYPE, TYPES_MAX).leaf()),
    )?;
    Ok(main_type(&response.aggs, None).and_then(|b| b.key.as_str()).map(ToOwned::to_owned))
}

fn main_type<'a>(aggs: &'a AggregationResults, asked: Option<&str>) -> Option<&'a Bucket> {
    match asked {
        Some(name) => aggs.bucket("types", name),
        None => aggs.bucket("types", TYPE_REQUEST).or_else(|| aggs.buckets("types").first()),
    }
}

fn time_by_span_type(
    search: &dyn Search,
    scope: &Scope,
    service: &str,
    transaction_type: Option<&str>,
) -> Result<(Vec<SpanTypeTime>, bool), SearchError> {
    let sums = Aggregations::new()
        .with("time", AggregationKind::sum(fields::SPAN_SELF_TIME_SUM_US).leaf())
        .with("count", AggregationKind::sum(fields::SPAN_SELF_TIME_COUNT).leaf());
    let by_type = AggregationKind::MultiTerms {
        fields: vec![
            (fields::SPAN_TYPE.name.to_owned(), None),
            (fields::SPAN_SUBTYPE.name.to_owned(), Some(String::new())),
        ],
        size: SPAN_TYPES_MAX,
        order: TermsOrder::MetricDescending("time".to_owned()),
    };
    let response = search.search(
        &scope
            .request(EventKind::Metricset)
            .filter(Filter::term(fields::SERVICE_NAME, service))
            .filter(optional(fields::TRANSACTION_TYPE, transaction_type))
            .filter(Filter::exists(fields::SPAN_SELF_TIME_SUM_US))
            .agg("types", by_type.with(sums))
            .agg("time", AggregationKind::sum(fields::SPAN_SELF_TIME_SUM_US).leaf()),
    )?;
    let whole = response.aggs.value("time").unwrap_or(0.0);
    let times = response.aggs.buckets("types").iter().filter_map(|bucket| {
        let BucketKey::Many(keys) = &bucket.key else { return None };
        let sum_us = bucket.aggs.value("time").unwrap_or(0.0);
        Some(SpanTypeTime {
            span_type: keys.first()?.as_str()?.to_owned(),
            span_subtype: keys.get(1)?.as_str().filter(|s| !s.is_empty()).map(ToOwned::to_owned),
            count: bucket.aggs.value("count").unwrap_or(0.0),
            sum_us,
            share: share(sum_us, whole),
        })
    });
    Ok((times.collect(), response.complete))
}

/// Instant of the newest event of all.
fn newest_event_us(search: &dyn Search, since: Timestamp) -> Result<Option<i64>, SearchError> {
    let newest = |time| -> Result<Option<i64>, SearchError> {
        let request = SearchRequest { time, ..SearchRequest::default() };
        let response = search.search(&request.agg("newest", AggregationKind::max(fields::TIMESTAMP).leaf()))?;
        Ok(response.aggs.value("newest").map(|us| us as i64))
    };
    // Usually it is in the range or after, so that old partitions stay closed.
    match newest(Some(TimeRange { from: since, to: Timestamp::from_micros(i64::MAX) }))? {
        Some(us) => Ok(Some(us)),
        None => newest(None),
    }
}

fn with_version(name: fields::Field, version: fields::Field) -> AggregationKind {
    AggregationKind::MultiTerms {
        fields: vec![(name.name.to_owned(), None), (version.name.to_owned(), Some(String::new()))],
        size: METADATA_MAX,
        order: TermsOrder::default(),
    }
}

/// Keys as text; those of multi-terms are joined by a space.
fn keys<'a>(aggs: &'a AggregationResults, name: &str) -> impl Iterator<Item = String> + use<'a> {
    aggs.buckets(name).iter().filter_map(|bucket| match &bucket.key {
        BucketKey::Str(text) => Some(text.clone()),
        BucketKey::Many(parts) => {
            let parts: Vec<&str> = parts.iter().filter_map(BucketKey::as_str).filter(|p| !p.is_empty()).collect();
            Some(parts.join(" "))
        }
        BucketKey::Long(_) | BucketKey::Double(_) | BucketKey::Range(..) => None,
    })
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}
