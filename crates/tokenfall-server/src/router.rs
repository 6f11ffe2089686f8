//! Which path is answered by what, and behind which guards.

use std::any::Any;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use tokenfall_api::ErrorCode;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::app::App;
use crate::events::Panicked;
use crate::problem::{self, ApiError};
use crate::{api, elastic, guard, intake, ui};

/// All routes of the server.
pub(crate) fn router(app: App) -> Router {
    let agents = Router::new()
        .route("/intake/v2/events", any(intake::events))
        .route("/config/v1/agents", any(elastic::agent_config))
        .layer(from_fn_with_state(app.clone(), guard::agents))
        .route("/intake/v2/rum/events", any(elastic::rum))
        .route("/intake/v3/rum/events", any(elastic::rum))
        .route("/intake/{*rest}", any(elastic::not_found))
        .route("/config/{*rest}", any(elastic::not_found));

    let (routes, document) = api::routes();
    let document = api::to_json(&document);
    let api = routes
        .route("/api/v1/openapi.json", get(async move || ([(header::CONTENT_TYPE, "application/json")], document)))
        .route("/api/{*rest}", any(async || ApiError::not_found("there is no such route; see /api/v1/openapi.json")))
        .method_not_allowed_fallback(async || {
            ApiError::new(ErrorCode::MethodNotAllowed, "this route does not support that method")
        })
        .layer(from_fn_with_state(app.clone(), guard::api))
        .layer(from_fn(problem::finish))
        .layer(CompressionLayer::new());

    let metrics = Router::new()
        .route("/metrics", get(metrics))
        .layer(from_fn_with_state(app.clone(), guard::api))
        .layer(from_fn(problem::finish));

    Router::new()
        .route("/", any(elastic::root))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .merge(agents)
        .merge(api)
        .merge(metrics)
        .fallback(ui::serve)
        .layer(from_fn_with_state(app.clone(), guard::host))
        .layer(CatchPanicLayer::custom({
            let app = app.clone();
            move |cause: Box<dyn Any + Send + 'static>| panicked(&app, cause)
        }))
        .layer(SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .with_state(app)
}

/// `/readyz`: 200 while events are taken.
async fn ready(State(app): State<App>) -> Response {
    if app.stopping.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response()
    } else {
        "ready\n".into_response()
    }
}

/// `/metrics`: the server's own figures for Prometheus.
async fn metrics(State(app): State<App>) -> Response {
    let reader = app.clone();
    match tokio::task::spawn_blocking(move || reader.metrics.encode(reader.store.stats())).await {
        Ok(text) => {
            let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, content_type)], text).into_response()
        }
        Err(_) => ApiError::new(ErrorCode::Internal, "the figures could not be read").into_response(),
    }
}

/// A panic in one request ends that request.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands the cause over")]
fn panicked(app: &App, cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause.downcast_ref::<&str>().copied();
    let text = text.or_else(|| cause.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
    Panicked { during: text }.emit(&app.metrics);
    elastic::error(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
}
