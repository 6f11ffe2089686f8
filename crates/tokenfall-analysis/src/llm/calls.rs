//! The longest calls (or transactions) of a selection, and a call as a row.

use tokenfall_api::llm::{CallList, CallRow, PointOf};
use tokenfall_model::{Document, EventKind, fields};
use tokenfall_query::Sort;
use tokenfall_store::{Search, SearchError};

use crate::scope::Scope;
use crate::selection::Selection;
use crate::transactions::sample_of;

/// The longest calls (or transactions) of a selection.
pub fn calls(search: &dyn Search, scope: &Scope, selection: &Selection, size: usize) -> Result<CallList, SearchError> {
    let duration = match selection.of {
        PointOf::Calls => fields::DEPENDENCY_DURATION_US,
        PointOf::Transactions => fields::TRANSACTION_DURATION_US,
    };
    let longest = vec![Sort::descending(duration)];
    let response = search.search(&selection.request(scope).hits(size, longest).without_stack_traces())?;
    Ok(CallList {
        range: scope.range(),
        total: response.total,
        calls: response.hits.iter().filter_map(row).collect(),
        complete: response.complete,
    })
}

/// A call or transaction as a row; `None` if it belongs to no trace.
pub(super) fn row(document: &Document) -> Option<CallRow> {
    let fields = document.tokenfall.as_deref();
    let rollup = fields.and_then(|f| f.llm.as_deref());
    let (span_id, name) = if document.kind() == EventKind::Span {
        let span = document.span.as_ref()?;
        (span.id.as_ref()?.to_string(), span.name.clone())
    } else {
        let transaction = document.transaction.as_ref()?;
        (transaction.id.as_ref()?.to_string(), transaction.name.clone())
    };
    let usage = document.gen_ai.as_ref().and_then(|gen_ai| gen_ai.usage);
    let of_call = fields.and_then(|f| f.cost.as_ref()).map(|cost| cost.usd);
    let of_all = rollup.and_then(|r| r.cost_pico_usd).map(|pico| tokenfall_model::Usd::from_pico(i128::from(pico)));
    let dependency = fields.and_then(|f| f.dependency.as_ref());
    Some(CallRow {
        trace_id: document.trace.as_ref()?.id.to_string(),
        span_id,
        service: document.service.name.as_str().to_owned(),
        name: name.unwrap_or_default(),
        model: fields.and_then(|f| f.model.clone()),
        timestamp_us: document.time().as_micros(),
        duration_us: dependency.map_or_else(|| document.duration().map_or(0, |d| d.get()), |d| d.duration_us),
        output_tokens: usage.and_then(|u| u.output_tokens).or_else(|| rollup?.output_tokens.or(rollup?.total_tokens)),
        usd: if document.kind() == EventKind::Span { of_call } else { of_all },
        outcome: sample_of(document).map_or(tokenfall_api::Outcome::Unknown, |sample| sample.outcome),
    })
}
