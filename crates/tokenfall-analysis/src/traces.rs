//! Traces to look at: the newest ones, or those behind a figure.

use std::collections::BTreeSet;

use tokenfall_api::transactions::{TraceList, TraceSummary};
use tokenfall_model::fields;
use tokenfall_model::{Document, EventKind, Outcome};
use tokenfall_query::{Filter, SearchRequest, Sort};
use tokenfall_store::{Search, SearchError};

use crate::scope::{Scope, optional};
use crate::transactions::sample_of;

/// Spans that are looked at for a field that only spans have.
const SPANS_MAX: usize = 1_000;
/// Beginnings of the names of such fields.
const SPAN_FIELDS: [&str; 4] = ["gen_ai.", "span.", "tokenfall.dependency.", "tokenfall.model"];

/// Which traces; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TracesQuery {
    /// Service.
    pub service: Option<String>,
    /// Name of the transaction.
    pub name: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Durations in microseconds, `from ≤ d < to`.
    pub duration_us: (Option<u64>, Option<u64>),
    /// A field and its value, labels included. A transaction has it, or one of the newest 1,000 spans that do is in its trace.
    pub field: Option<(String, String)>,
    /// Most traces.
    pub size: usize,
}

/// The newest root transactions; with a field, all transactions that it selects.
pub fn traces(search: &dyn Search, scope: &Scope, query: &TracesQuery) -> Result<TraceList, SearchError> {
    let field = query.field.as_ref();
    let (by_field, complete) = match field {
        None => (Filter::term(fields::TRANSACTION_ROOT, true), true),
        Some((name, value)) => {
            let has_it = Filter::Term { field: name.clone(), value: value.as_str().into() };
            if SPAN_FIELDS.iter().any(|prefix| name.starts_with(prefix)) {
                of_spans(search, scope, has_it)?
            } else {
                (has_it, true)
            }
        }
    };
    let duration = match query.duration_us {
        (None, None) => Filter::All,
        (from, to) => Filter::range(fields::TRANSACTION_DURATION_US, from.map(|us| us as f64), to.map(|us| us as f64)),
    };
    let response = search.search(
        &scope
            .request(EventKind::Transaction)
            .filter(by_field)
            .filter(optional(fields::SERVICE_NAME, query.service.as_deref()))
            .filter(optional(fields::TRANSACTION_NAME, query.name.as_deref()))
            .filter(optional(fields::EVENT_OUTCOME, query.outcome.map(Outcome::as_str)))
            .filter(duration)
            .hits(query.size, vec![Sort::descending(fields::TIMESTAMP)])
            .without_stack_traces(),
    )?;
    Ok(TraceList {
        range: scope.range(),
        traces: response.hits.iter().filter_map(summary).collect(),
        total: response.total,
        complete: response.complete && complete,
    })
}

/// The transactions in whose traces the newest spans are.
fn of_spans(search: &dyn Search, scope: &Scope, has_it: Filter) -> Result<(Filter, bool), SearchError> {
    let request: SearchRequest = scope
        .request(EventKind::Span)
        .filter(has_it)
        .hits(SPANS_MAX, vec![Sort::descending(fields::TIMESTAMP)])
        .without_stack_traces();
    let spans = search.search(&request)?;
    let transactions: BTreeSet<&str> =
        spans.hits.iter().filter_map(|span| Some(span.transaction.as_ref()?.id.as_ref()?.as_str())).collect();
    Ok((Filter::terms(fields::TRANSACTION_ID, transactions), spans.complete))
}

fn summary(document: &Document) -> Option<TraceSummary> {
    Some(TraceSummary {
        sample: sample_of(document)?,
        service: document.service.name.as_str().to_owned(),
        name: document.transaction.as_ref()?.name.clone().unwrap_or_default(),
    })
}
