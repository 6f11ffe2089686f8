//! Routes: state of the server and of its store.

use axum::Json;
use axum::extract::State;
use tokenfall_api::status::{Status, StoreStats};

use crate::api::Answer;
use crate::app::App;
use crate::problem::{ApiError, Problems};

/// State of the server, and what has arrived.
#[utoipa::path(get, path = "/status", tag = "server",
    responses((status = 200, description = "State", body = Status), Problems))]
pub(super) async fn status(State(app): State<App>) -> Answer<Status> {
    pending(app, ())
}

/// Events that are durably stored, and the bytes that they take.
#[utoipa::path(get, path = "/store/stats", tag = "server",
    responses((status = 200, description = "Figures", body = StoreStats), Problems))]
pub(super) async fn store_stats(State(app): State<App>) -> Answer<StoreStats> {
    pending(app, ())
}

fn pending<A, B, T>(_: A, _: B) -> Result<Json<T>, ApiError> {
    Err(ApiError::not_found(""))
}
