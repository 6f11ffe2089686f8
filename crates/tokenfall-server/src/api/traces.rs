//! Routes: traces and what is inside one.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use tokenfall_analysis::traces::{self as analysis, TracesQuery};
use tokenfall_analysis::waterfall;
use tokenfall_api::Outcome;
use tokenfall_api::traces::{TraceItem, TraceSkeleton};
use tokenfall_api::transactions::TraceList;
use utoipa::IntoParams;

use crate::api::params::{Params, Window};
use crate::api::selection::field_and_value;
use crate::api::{Answer, SAMPLES_DEFAULT, sample_size};
use crate::app::App;
use crate::problem::{ApiError, Problems};

/// Which traces to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Service of the root transaction. Default: all.
    service: Option<String>,
    /// Name of the transaction. Default: all.
    name: Option<String>,
    /// `success`, `failure` or `unknown`. Default: all.
    outcome: Option<Outcome>,
    /// Shortest duration, in microseconds.
    min_us: Option<u64>,
    /// First duration that is too long, in microseconds.
    max_us: Option<u64>,
    /// A field that must have the value `value`, such as `labels.team` or `user.id`. Transactions that are not the root of their trace are
    /// listed too. Of a field of spans, such as `tokenfall.model`, the newest 1,000 spans are looked at.
    field: Option<String>,
    /// Value of `field`.
    value: Option<String>,
    /// How many, at most 500. Default 50.
    size: Option<usize>,
}

/// The newest traces.
#[utoipa::path(get, path = "/traces", tag = "traces", params(ListParams, Window),
    responses((status = 200, description = "Traces", body = TraceList), Problems))]
pub(super) async fn traces(
    State(app): State<App>,
    Params(list): Params<ListParams>,
    Params(window): Params<Window>,
) -> Answer<TraceList> {
    let query = TracesQuery {
        size: sample_size(list.size, SAMPLES_DEFAULT)?,
        service: list.service,
        name: list.name,
        outcome: list.outcome.map(outcome),
        duration_us: (list.min_us, list.max_us),
        field: field_and_value(list.field, list.value)?,
    };
    let scope = window.scope()?;
    app.answer(move |search| analysis::traces(search, &scope, &query)).await
}

/// One trace, ready to be drawn.
#[utoipa::path(get, path = "/traces/{trace_id}/skeleton", tag = "traces",
    params(("trace_id" = String, Path, description = "Id of the trace")),
    responses(
        (status = 200, description = "The trace", body = TraceSkeleton),
        (status = 404, description = "No event of this trace is stored", body = tokenfall_api::Problem),
        Problems))]
pub(super) async fn skeleton(State(app): State<App>, Path(trace_id): Path<String>) -> Answer<TraceSkeleton> {
    let found = app.answer(move |search| waterfall::skeleton(search, &trace_id)).await?;
    found.0.map(Json).ok_or_else(|| ApiError::not_found("no event of this trace is stored"))
}

/// One span or transaction of a trace, whole, with its errors.
#[utoipa::path(get, path = "/traces/{trace_id}/items/{id}", tag = "traces",
    params(
        ("trace_id" = String, Path, description = "Id of the trace"),
        ("id" = String, Path, description = "Id of the span or transaction")),
    responses(
        (status = 200, description = "The item", body = TraceItem),
        (status = 404, description = "No such item is stored", body = tokenfall_api::Problem),
        Problems))]
pub(super) async fn item(State(app): State<App>, Path((trace_id, id)): Path<(String, String)>) -> Answer<TraceItem> {
    let found = app.answer(move |search| waterfall::item(search, &trace_id, &id)).await?;
    found.0.map(Json).ok_or_else(|| ApiError::not_found("this trace has no such span or transaction"))
}

fn outcome(outcome: Outcome) -> tokenfall_model::Outcome {
    match outcome {
        Outcome::Success => tokenfall_model::Outcome::Success,
        Outcome::Failure => tokenfall_model::Outcome::Failure,
        Outcome::Unknown => tokenfall_model::Outcome::Unknown,
    }
}
