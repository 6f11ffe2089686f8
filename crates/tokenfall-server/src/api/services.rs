//! Routes: services and their transactions.

use axum::extract::{Path, State};
use serde::Deserialize;
use tokenfall_analysis::transactions::{GroupQuery, SamplesQuery};
use tokenfall_analysis::{services, transactions};
use tokenfall_api::services::{EnvironmentList, ServiceDetail, ServiceList};
use tokenfall_api::transactions::{TraceSampleList, TransactionDetail, TransactionGroupList};
use utoipa::IntoParams;

use crate::api::params::{Params, Window};
use crate::api::{Answer, SAMPLES_DEFAULT, sample_size};
use crate::app::App;
use crate::problem::Problems;

/// Environments in use.
#[utoipa::path(get, path = "/environments", tag = "services", params(Window),
    responses((status = 200, description = "Environments", body = EnvironmentList), Problems))]
pub(super) async fn environments(State(app): State<App>, Params(window): Params<Window>) -> Answer<EnvironmentList> {
    let time = window.scope()?.time;
    app.answer(move |search| services::environments(search, time)).await
}

/// All services with their figures.
#[utoipa::path(get, path = "/services", tag = "services", params(Window),
    responses((status = 200, description = "Services", body = ServiceList), Problems))]
pub(super) async fn services(State(app): State<App>, Params(window): Params<Window>) -> Answer<ServiceList> {
    let scope = window.scope()?;
    app.answer(move |search| services::services(search, &scope)).await
}

/// Which transactions of a service the figures are of.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TypeParams {
    /// Transaction type. Default: `request`, else the one with the most transactions.
    r#type: Option<String>,
}

/// One service: figures over time, where the time goes, and metadata.
#[utoipa::path(get, path = "/services/{service}", tag = "services",
    params(("service" = String, Path, description = "Name of the service"), TypeParams, Window),
    responses((status = 200, description = "The service", body = ServiceDetail), Problems))]
pub(super) async fn service(
    State(app): State<App>,
    Path(service): Path<String>,
    Params(TypeParams { r#type }): Params<TypeParams>,
    Params(window): Params<Window>,
) -> Answer<ServiceDetail> {
    let scope = window.scope()?;
    app.answer(move |search| services::service(search, &scope, &service, r#type.as_deref())).await
}

/// Transaction groups of a service.
#[utoipa::path(get, path = "/services/{service}/transactions", tag = "services",
    params(("service" = String, Path, description = "Name of the service"), TypeParams, Window),
    responses((status = 200, description = "Groups", body = TransactionGroupList), Problems))]
pub(super) async fn transactions(
    State(app): State<App>,
    Path(service): Path<String>,
    Params(TypeParams { r#type }): Params<TypeParams>,
    Params(window): Params<Window>,
) -> Answer<TransactionGroupList> {
    let scope = window.scope()?;
    app.answer(move |search| transactions::groups(search, &scope, &service, r#type.as_deref())).await
}

/// A transaction group.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GroupParams {
    /// Name of the transactions.
    name: String,
    /// Their type. Default: any.
    r#type: Option<String>,
}

impl GroupParams {
    fn of(self, service: String) -> GroupQuery {
        GroupQuery { service, name: self.name, transaction_type: self.r#type }
    }
}

/// One transaction group: figures over time and the distribution of the durations.
#[utoipa::path(get, path = "/services/{service}/transaction", tag = "services",
    params(("service" = String, Path, description = "Name of the service"), GroupParams, Window),
    responses((status = 200, description = "The group", body = TransactionDetail), Problems))]
pub(super) async fn transaction(
    State(app): State<App>,
    Path(service): Path<String>,
    Params(group): Params<GroupParams>,
    Params(window): Params<Window>,
) -> Answer<TransactionDetail> {
    let scope = window.scope()?;
    let group = group.of(service);
    app.answer(move |search| transactions::detail(search, &scope, &group)).await
}

/// Which transactions of a group to take samples of.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SampleParams {
    /// Shortest duration in microseconds.
    min_us: Option<u64>,
    /// First duration in microseconds that is too long.
    max_us: Option<u64>,
    /// How many samples, at most 500. Default 50.
    size: Option<usize>,
}

/// Transactions of a group whose traces can be opened, spread over the selection.
#[utoipa::path(get, path = "/services/{service}/transaction/samples", tag = "services",
    params(("service" = String, Path, description = "Name of the service"), GroupParams, SampleParams, Window),
    responses((status = 200, description = "Samples", body = TraceSampleList), Problems))]
pub(super) async fn samples(
    State(app): State<App>,
    Path(service): Path<String>,
    Params(group): Params<GroupParams>,
    Params(sample): Params<SampleParams>,
    Params(window): Params<Window>,
) -> Answer<TraceSampleList> {
    let size = sample_size(sample.size, SAMPLES_DEFAULT)?;
    let scope = window.scope()?;
    let SampleParams { min_us, max_us, .. } = sample;
    let query = SamplesQuery { group: group.of(service), min_us, max_us, size };
    app.answer(move |search| transactions::samples(search, &scope, &query)).await
}
