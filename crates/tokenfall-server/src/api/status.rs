//! Routes: state of the server and of its store.

use axum::Json;
use axum::extract::State;
use tokenfall_analysis::status;
use tokenfall_api::status::{EventTotals, IntakeTotals, Status, StoreStats};
use tokenfall_store::EventCounts;

use crate::api::Answer;
use crate::app::App;
use crate::clock;
use crate::metrics::IntakeResult;
use crate::problem::Problems;

/// State of the server, and what has arrived.
#[utoipa::path(get, path = "/status", tag = "server",
    responses((status = 200, description = "State", body = Status), Problems))]
pub(super) async fn status(State(app): State<App>) -> Answer<Status> {
    let newest_service = app.answer(|search| status::newest_service(search, clock::now())).await?.0;
    let metrics = &app.metrics;
    let invalid = metrics.requests(IntakeResult::Invalid);
    let unauthorized = metrics.requests(IntakeResult::Unauthorized);
    let unavailable = metrics.requests(IntakeResult::Unavailable);
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        auth_required: app.config.secrets.required(),
        events: totals(&app.stats().await?),
        newest_service,
        intake: IntakeTotals {
            requests: metrics.requests(IntakeResult::Accepted) + invalid + unauthorized + unavailable,
            unauthorized,
            invalid,
            unavailable,
            events_accepted: metrics.accepted(),
            events_rejected: metrics.rejected(),
        },
    }))
}

/// Events that are durably stored, and the bytes that they take.
#[utoipa::path(get, path = "/store/stats", tag = "server",
    responses((status = 200, description = "Figures", body = StoreStats), Problems))]
pub(super) async fn store_stats(State(app): State<App>) -> Answer<StoreStats> {
    let stats = app.stats().await?;
    Ok(Json(StoreStats { events: totals(&stats), disk_bytes: stats.disk_bytes }))
}

fn totals(stats: &tokenfall_store::StoreStats) -> EventTotals {
    let EventCounts { transaction, span, error, metricset, log } = stats.events;
    EventTotals { transaction, span, error, metricset, log }
}
