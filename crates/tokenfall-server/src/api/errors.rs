//! Routes: errors.

use axum::extract::{Path, State};
use serde::Deserialize;
use tokenfall_analysis::errors::{self, ErrorsQuery};
use tokenfall_api::errors::{ErrorGroupDetail, ErrorGroupList};
use utoipa::IntoParams;

use crate::api::Answer;
use crate::api::params::{Params, Window};
use crate::app::App;
use crate::problem::Problems;

/// Whose errors.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ServiceParams {
    /// Service. Default: all.
    service: Option<String>,
}

/// Error groups.
#[utoipa::path(get, path = "/errors", tag = "errors", params(ServiceParams, Window),
    responses((status = 200, description = "Groups", body = ErrorGroupList), Problems))]
pub(super) async fn errors(
    State(app): State<App>,
    Params(of): Params<ServiceParams>,
    Params(window): Params<Window>,
) -> Answer<ErrorGroupList> {
    let scope = window.scope()?;
    let query = ErrorsQuery { service: of.service, ..ErrorsQuery::default() };
    app.answer(move |search| errors::groups(search, &scope, &query)).await
}

/// Which occurrence to show.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OccurrenceParams {
    /// Id of the occurrence to return whole. Default: the newest.
    occurrence: Option<String>,
}

/// One error group: occurrences over time, where it happened, and one occurrence whole.
#[utoipa::path(get, path = "/errors/{grouping_key}", tag = "errors",
    params(("grouping_key" = String, Path, description = "Key of the group"), ServiceParams, OccurrenceParams, Window),
    responses((status = 200, description = "The group", body = ErrorGroupDetail), Problems))]
pub(super) async fn error(
    State(app): State<App>,
    Path(grouping_key): Path<String>,
    Params(of): Params<ServiceParams>,
    Params(shown): Params<OccurrenceParams>,
    Params(window): Params<Window>,
) -> Answer<ErrorGroupDetail> {
    let scope = window.scope()?;
    let (service, occurrence) = (of.service, shown.occurrence);
    app.answer(move |search| errors::detail(search, &scope, &grouping_key, service.as_deref(), occurrence.as_deref()))
        .await
}
