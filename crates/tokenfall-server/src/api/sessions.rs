//! Routes: sessions.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use tokenfall_analysis::sessions;
use tokenfall_api::sessions::{SessionDetail, SessionList};
use utoipa::IntoParams;

use crate::api::params::{Params, Window};
use crate::api::selection::SelectionParams;
use crate::api::{Answer, SAMPLES_DEFAULT, sample_size};
use crate::app::App;
use crate::problem::{ApiError, Problems};

/// How many sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// How many, at most 500. Default 50.
    size: Option<usize>,
}

/// The newest sessions.
#[utoipa::path(get, path = "/sessions", tag = "sessions", params(ListParams, SelectionParams, Window),
    responses((status = 200, description = "Sessions", body = SessionList), Problems))]
pub(super) async fn sessions(
    State(app): State<App>,
    Params(list): Params<ListParams>,
    Params(selection): Params<SelectionParams>,
    Params(window): Params<Window>,
) -> Answer<SessionList> {
    let size = sample_size(list.size, SAMPLES_DEFAULT)?;
    let (scope, selection) = (window.scope()?, selection.selection()?);
    app.answer(move |search| sessions::sessions(search, &scope, &selection, size)).await
}

/// One session: its turns.
#[utoipa::path(get, path = "/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "Id of the session"), Window),
    responses(
        (status = 200, description = "The session", body = SessionDetail),
        (status = 404, description = "No event of this session is in the time range", body = tokenfall_api::Problem),
        Problems))]
pub(super) async fn session(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(window): Params<Window>,
) -> Answer<SessionDetail> {
    let scope = window.scope()?;
    let found = app.answer(move |search| sessions::session(search, &scope, &id)).await?;
    found.0.map(Json).ok_or_else(|| ApiError::not_found("no event of this session is in the time range"))
}
