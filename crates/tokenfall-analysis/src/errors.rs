//! Error groups: what breaks, since when, and in which transactions.

use std::collections::HashMap;

use tokenfall_api::SeriesAxis;
use tokenfall_api::errors::{AffectedTransaction, ErrorGroup, ErrorGroupDetail, ErrorGroupList, ErrorOccurrence};
use tokenfall_model::{Document, EventKind, fields};
use tokenfall_query::{
    AggregationKind, AggregationResults, Aggregations, BucketKey, Filter, SearchRequest, Sort, TermsOrder,
};
use tokenfall_store::{Search, SearchError};

use crate::axis::{axis_of, counts, over_time};
use crate::scope::{Scope, optional};
use crate::summary::OVER_TIME;

/// Most groups of a list.
const GROUPS_MAX: usize = 500;
/// Most occurrences of a group that are listed.
const OCCURRENCES_MAX: usize = 100;
/// Most kinds of transactions in which a group happened.
const TRANSACTIONS_MAX: usize = 50;
/// Most occurrences of which the name of the transaction is looked up.
const NAMES_LOOKED_UP_MAX: usize = 500;

const FIRST: &str = "first";
const LAST: &str = "last";
const NEWEST: &str = "newest";

/// Which errors to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorsQuery {
    /// Service; none means all.
    pub service: Option<String>,
    /// Type of an exception; none means all.
    pub exception_type: Option<String>,
}

/// Error groups, the most frequent first.
pub fn groups(search: &dyn Search, scope: &Scope, query: &ErrorsQuery) -> Result<ErrorGroupList, SearchError> {
    let axis = axis_of(scope.time);
    let by_group = AggregationKind::MultiTerms {
        fields: vec![(fields::SERVICE_NAME.name.to_owned(), None), (fields::ERROR_GROUPING_KEY.name.to_owned(), None)],
        size: GROUPS_MAX,
        order: TermsOrder::CountDescending,
    };
    let response = search.search(
        &scope
            .request(EventKind::Error)
            .filter(optional(fields::SERVICE_NAME, query.service.as_deref()))
            .filter(optional(fields::ERROR_EXCEPTION_TYPE, query.exception_type.as_deref()))
            .agg("groups", by_group.with(ask(axis)))
            .agg("keys", AggregationKind::cardinality(fields::ERROR_GROUPING_KEY).leaf())
            .agg(OVER_TIME, over_time(axis).leaf()),
    )?;
    let groups: Vec<ErrorGroup> = response
        .aggs
        .buckets("groups")
        .iter()
        .filter_map(|bucket| {
            let BucketKey::Many(keys) = &bucket.key else { return None };
            let (service, key) = (keys.first()?.as_str()?, keys.get(1)?.as_str()?);
            group(service, key, bucket.doc_count, &bucket.aggs, axis)
        })
        .collect();
    let keys = response.aggs.value("keys").unwrap_or(0.0) as u64;
    Ok(ErrorGroupList {
        range: scope.range(),
        axis,
        // The same key in two services is two groups, so at least this many are left out.
        groups_omitted: if groups.len() < GROUPS_MAX { 0 } else { keys.saturating_sub(groups.len() as u64) },
        groups,
        series: counts(axis, response.aggs.buckets(OVER_TIME)),
        complete: response.complete,
    })
}

/// One group, with the occurrence that was asked for, else with the newest.
pub fn detail(
    search: &dyn Search,
    scope: &Scope,
    grouping_key: &str,
    service: Option<&str>,
    occurrence: Option<&str>,
) -> Result<ErrorGroupDetail, SearchError> {
    let axis = axis_of(scope.time);
    let selection = scope
        .request(EventKind::Error)
        .filter(Filter::term(fields::ERROR_GROUPING_KEY, grouping_key))
        .filter(optional(fields::SERVICE_NAME, service));
    let by_transaction = AggregationKind::MultiTerms {
        fields: [fields::TRANSACTION_NAME, fields::TRANSACTION_TYPE]
            .map(|field| (field.name.to_owned(), Some(String::new())))
            .to_vec(),
        size: TRANSACTIONS_MAX,
        order: TermsOrder::CountDescending,
    };
    let response = search.search(
        &SearchRequest { aggs: ask(axis), ..selection.clone() }
            .agg("transactions", by_transaction.leaf())
            .hits(OCCURRENCES_MAX, newest_first()),
    )?;
    let newest = response.hits.first();
    let sample = match occurrence {
        Some(id) => {
            let asked = selection.clone().filter(Filter::term(fields::ERROR_ID, id)).hits(1, Vec::new());
            search.search(&asked)?.hits.first().map(crate::json)
        }
        None => newest.map(crate::json),
    };
    let service_name = newest.map_or("", |d| d.service.name.as_str());
    Ok(ErrorGroupDetail {
        range: scope.range(),
        axis,
        group: group(service_name, grouping_key, response.total, &response.aggs, axis),
        transactions: affected(search, selection, &response.aggs)?,
        occurrences: response.hits.iter().map(occurrence_of).collect(),
        sample,
        complete: response.complete,
    })
}

/// What an error says: the message of its exception, else the one that was logged, else the title of its group.
pub(crate) fn message_of(document: &Document) -> String {
    let error = document.error.as_deref();
    let exception = error.and_then(|e| e.exception.first()).and_then(|x| x.message.as_deref());
    let log = error.and_then(|e| e.log.as_ref()).and_then(|l| l.message.as_deref());
    let others = [error.and_then(|e| e.message.as_deref()), error.and_then(|e| e.grouping_name.as_deref())];
    let texts = [exception, log].into_iter().chain(others).chain([document.message.as_deref()]);
    texts.flatten().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

fn newest_first() -> Vec<Sort> {
    vec![Sort::descending(fields::TIMESTAMP)]
}

/// What [`group`] reads.
fn ask(axis: SeriesAxis) -> Aggregations {
    Aggregations::new()
        .with(FIRST, AggregationKind::min(fields::TIMESTAMP).leaf())
        .with(LAST, AggregationKind::max(fields::TIMESTAMP).leaf())
        .with(NEWEST, AggregationKind::TopHits { size: 1, sort: newest_first() }.leaf())
        .with(OVER_TIME, over_time(axis).leaf())
}

fn group(
    service: &str,
    key: &str,
    occurrences: u64,
    aggs: &AggregationResults,
    axis: SeriesAxis,
) -> Option<ErrorGroup> {
    let newest = aggs.top_hits(NEWEST).first()?;
    let exception = newest.error.as_ref().and_then(|e| e.exception.first());
    Some(ErrorGroup {
        grouping_key: key.to_owned(),
        service: service.to_owned(),
        exception_type: exception.and_then(|x| x.kind.clone()),
        message: message_of(newest),
        culprit: newest.error.as_ref().and_then(|e| e.culprit.clone()),
        handled: exception.and_then(|x| x.handled),
        occurrences,
        first_seen_us: aggs.value(FIRST)? as i64,
        last_seen_us: aggs.value(LAST)? as i64,
        series: counts(axis, aggs.buckets(OVER_TIME)),
    })
}

fn occurrence_of(document: &Document) -> ErrorOccurrence {
    let transaction = document.transaction.as_ref().and_then(|t| t.id.as_ref());
    ErrorOccurrence {
        error_id: document.error.as_ref().and_then(|e| e.id.as_ref()).map(ToString::to_string).unwrap_or_default(),
        timestamp_us: document.time().as_micros(),
        trace_id: document.trace.as_ref().map(|t| t.id.to_string()),
        transaction_id: transaction.map(ToString::to_string),
        parent_id: document.parent.as_ref().map(|p| p.id.to_string()),
    }
}

/// Transactions in which a group happened. Errors carry the type of their transaction but often not its name, because it
/// was not known yet; for the newest ones the name is read from the transaction itself.
fn affected(
    search: &dyn Search,
    selection: SearchRequest,
    aggs: &AggregationResults,
) -> Result<Vec<AffectedTransaction>, SearchError> {
    let mut counts: HashMap<(Option<String>, Option<String>), u64> = HashMap::new();
    let given = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(ToOwned::to_owned);
    for bucket in aggs.buckets("transactions") {
        let BucketKey::Many(keys) = &bucket.key else { continue };
        let key = |i: usize| given(keys.get(i).and_then(BucketKey::as_str));
        *counts.entry((key(0), key(1))).or_default() += bucket.doc_count;
    }
    if counts.keys().any(|(name, _)| name.is_none()) {
        for (nameless_type, transaction) in look_up(search, selection)? {
            // Moves one occurrence from the nameless to the named.
            if let Some(count) = counts.get_mut(&(None, nameless_type)).filter(|count| **count > 0) {
                *count -= 1;
                *counts.entry(transaction).or_default() += 1;
            }
        }
    }
    let row = |((name, kind), occurrences)| AffectedTransaction { name, kind, occurrences };
    let mut rows: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).map(row).collect();
    rows.sort_by(|a, b| {
        b.occurrences.cmp(&a.occurrences).then_with(|| a.name.cmp(&b.name)).then_with(|| a.kind.cmp(&b.kind))
    });
    Ok(rows)
}

/// Type that a nameless occurrence gives, with name and type of its transaction.
type Named = (Option<String>, (Option<String>, Option<String>));

fn look_up(search: &dyn Search, selection: SearchRequest) -> Result<Vec<Named>, SearchError> {
    let nameless =
        selection.filter(Filter::exists(fields::TRANSACTION_NAME).negate()).hits(NAMES_LOOKED_UP_MAX, newest_first());
    let errors = search.search(&nameless)?.hits;
    let id_of = |d: &Document| d.transaction.as_ref().and_then(|t| t.id.as_ref()).map(ToString::to_string);
    let mut ids: Vec<String> = errors.iter().filter_map(id_of).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let size = ids.len();
    let request = SearchRequest { kinds: vec![EventKind::Transaction], ..SearchRequest::default() }
        .filter(Filter::terms(fields::TRANSACTION_ID, ids))
        .hits(size, Vec::new());
    let transactions: HashMap<String, (Option<String>, Option<String>)> = search
        .search(&request)?
        .hits
        .iter()
        .filter_map(|d| Some((id_of(d)?, d.transaction.as_ref().map(|t| (t.name.clone(), t.kind.clone()))?)))
        .collect();
    let named = |error: &Document| {
        let transaction = transactions.get(&id_of(error)?)?;
        let kind = error.transaction.as_ref().and_then(|t| t.kind.clone()).filter(|kind| !kind.is_empty());
        Some((kind, transaction.clone()))
    };
    Ok(errors.iter().filter_map(named).collect())
}
