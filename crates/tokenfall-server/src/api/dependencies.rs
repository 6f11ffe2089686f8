//! Routes: dependencies.

use axum::extract::State;
use serde::Deserialize;
use tokenfall_analysis::dependencies;
use tokenfall_api::dependencies::{DependencyDetail, DependencyList};
use utoipa::IntoParams;

use crate::api::Answer;
use crate::api::params::{Params, Window};
use crate::app::App;
use crate::problem::Problems;

/// Whose dependencies.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CallerParams {
    /// Service that calls. Default: all.
    service: Option<String>,
}

/// What the services wait for.
#[utoipa::path(get, path = "/dependencies", tag = "dependencies", params(CallerParams, Window),
    responses((status = 200, description = "Dependencies", body = DependencyList), Problems))]
pub(super) async fn dependencies(
    State(app): State<App>,
    Params(caller): Params<CallerParams>,
    Params(window): Params<Window>,
) -> Answer<DependencyList> {
    let scope = window.scope()?;
    app.answer(move |search| dependencies::dependencies(search, &scope, caller.service.as_deref())).await
}

/// Which dependency.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ResourceParams {
    /// Name of the callee.
    resource: String,
}

/// One dependency: who calls it, with which operations.
#[utoipa::path(get, path = "/dependency", tag = "dependencies", params(ResourceParams, CallerParams, Window),
    responses((status = 200, description = "The dependency", body = DependencyDetail), Problems))]
pub(super) async fn dependency(
    State(app): State<App>,
    Params(callee): Params<ResourceParams>,
    Params(caller): Params<CallerParams>,
    Params(window): Params<Window>,
) -> Answer<DependencyDetail> {
    let scope = window.scope()?;
    let (resource, service) = (callee.resource, caller.service);
    app.answer(move |search| dependencies::dependency(search, &scope, &resource, service.as_deref())).await
}
