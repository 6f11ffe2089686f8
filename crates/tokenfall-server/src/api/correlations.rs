//! Routes: correlations.

use axum::extract::State;
use serde::Deserialize;
use tokenfall_analysis::correlations;
use tokenfall_api::correlations::{CorrelationsAnswer, CorrelationsOf};
use utoipa::IntoParams;

use crate::api::Answer;
use crate::api::params::{Params, Window};
use crate::api::selection::SelectionParams;
use crate::app::App;
use crate::problem::Problems;

/// What is explained.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CorrelationsParams {
    /// `latency` (default), `failures`, or `selection`: what is in the box that `min_us`, `max_us`, `min_tokens` and
    /// `max_tokens` draw, against what is not.
    of: Option<CorrelationsOf>,
}

/// What goes along with slowness, failure or a selection, over every field and label of the transactions.
#[utoipa::path(get, path = "/correlations", tag = "correlations", params(CorrelationsParams, SelectionParams, Window),
    responses((status = 200, description = "Correlations", body = CorrelationsAnswer), Problems))]
pub(super) async fn correlations(
    State(app): State<App>,
    Params(params): Params<CorrelationsParams>,
    Params(selection): Params<SelectionParams>,
    Params(window): Params<Window>,
) -> Answer<CorrelationsAnswer> {
    let (scope, selection) = (window.scope()?, selection.selection()?);
    let of = params.of.unwrap_or_default();
    app.answer(move |search| correlations::correlations(search, &scope, &selection, of)).await
}
