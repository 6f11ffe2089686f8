//! Routes: model calls, their tokens, streams, costs and questions.

use axum::extract::State;
use serde::Deserialize;
use tokenfall_analysis::spend::SpendBy;
use tokenfall_analysis::{llm, spend};
use tokenfall_api::llm::{CallList, StreamingAnswer, TokensAnswer};
use tokenfall_api::spend::{QuestionList, SpendAnswer};
use utoipa::IntoParams;

use crate::api::params::{Params, Window};
use crate::api::selection::SelectionParams;
use crate::api::{Answer, SAMPLES_DEFAULT, sample_size};
use crate::app::App;
use crate::problem::{ApiError, Problems};

/// Points of a scatter when the request does not say.
const POINTS_DEFAULT: usize = 5_000;
/// Most points of a scatter.
const POINTS_MAX: usize = 50_000;
/// Questions when the request does not say.
const QUESTIONS_DEFAULT: usize = 100;

/// How many points.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PointsParams {
    /// Most points, at most 50,000. Default 5,000.
    size: Option<usize>,
}

/// Tokens of answers against duration: points, fitted lines, calls that are slow for their size.
#[utoipa::path(get, path = "/llm/tokens", tag = "llm", params(PointsParams, SelectionParams, Window),
    responses((status = 200, description = "Tokens against duration", body = TokensAnswer), Problems))]
pub(super) async fn tokens(
    State(app): State<App>,
    Params(points): Params<PointsParams>,
    Params(selection): Params<SelectionParams>,
    Params(window): Params<Window>,
) -> Answer<TokensAnswer> {
    let size = match points.size {
        None => POINTS_DEFAULT,
        Some(size @ 1..=POINTS_MAX) => size,
        Some(size) => return Err(ApiError::invalid(format!("size must be from 1 to {POINTS_MAX}, not {size}"))),
    };
    let (scope, selection) = (window.scope()?, selection.selection()?);
    app.answer(move |search| llm::tokens(search, &scope, &selection, size)).await
}

/// How many rows.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SizeParams {
    /// How many, at most 500.
    size: Option<usize>,
}

/// The longest model calls (or transactions) of a selection.
#[utoipa::path(get, path = "/llm/calls", tag = "llm", params(SizeParams, SelectionParams, Window),
    responses((status = 200, description = "Calls", body = CallList), Problems))]
pub(super) async fn calls(
    State(app): State<App>,
    Params(list): Params<SizeParams>,
    Params(selection): Params<SelectionParams>,
    Params(window): Params<Window>,
) -> Answer<CallList> {
    let size = sample_size(list.size, SAMPLES_DEFAULT)?;
    let (scope, selection) = (window.scope()?, selection.selection()?);
    app.answer(move |search| llm::calls(search, &scope, &selection, size)).await
}

/// How answers stream: time to the first token, time from token to token, tokens a second, stalls.
#[utoipa::path(get, path = "/llm/streaming", tag = "llm", params(SelectionParams, Window),
    responses((status = 200, description = "Streaming", body = StreamingAnswer), Problems))]
pub(super) async fn streaming(
    State(app): State<App>,
    Params(selection): Params<SelectionParams>,
    Params(window): Params<Window>,
) -> Answer<StreamingAnswer> {
    let (scope, selection) = (window.scope()?, selection.selection()?);
    app.answer(move |search| llm::streaming(search, &scope, &selection)).await
}

/// What spend is broken down by.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SpendParams {
    /// `model` (default), `provider`, `service`, `transaction`, `user`, `session`, `question`, or `label:NAME`.
    by: Option<String>,
}

/// What model calls cost: in all, over time, forecast, and by model, user, question or any label.
#[utoipa::path(get, path = "/llm/spend", tag = "llm", params(SpendParams, SelectionParams, Window),
    responses((status = 200, description = "Spend", body = SpendAnswer), Problems))]
pub(super) async fn spend(
    State(app): State<App>,
    Params(params): Params<SpendParams>,
    Params(selection): Params<SelectionParams>,
    Params(window): Params<Window>,
) -> Answer<SpendAnswer> {
    let by = params.by.as_deref().unwrap_or("model");
    let by = SpendBy::from_param(by).ok_or_else(|| {
        ApiError::invalid(format!(
            "by: `{by}` is none of model, provider, service, transaction, user, session, question, label:NAME"
        ))
    })?;
    let (scope, selection) = (window.scope()?, selection.selection()?);
    app.answer(move |search| spend::spend(search, &scope, &selection, &by)).await
}

/// The most popular questions with what their answers took and cost.
#[utoipa::path(get, path = "/llm/questions", tag = "llm", params(SizeParams, SelectionParams, Window),
    responses((status = 200, description = "Questions", body = QuestionList), Problems))]
pub(super) async fn questions(
    State(app): State<App>,
    Params(list): Params<SizeParams>,
    Params(selection): Params<SelectionParams>,
    Params(window): Params<Window>,
) -> Answer<QuestionList> {
    let size = sample_size(list.size, QUESTIONS_DEFAULT)?;
    let (scope, selection) = (window.scope()?, selection.selection()?);
    app.answer(move |search| spend::questions(search, &scope, &selection, size)).await
}
