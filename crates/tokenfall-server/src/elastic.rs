//! The small endpoints that Elastic's agents ask besides the intake.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::ui;

/// Version that agents are told. They switch features on by it: from 8.7.1 on every one that Tokenfall understands, and
/// `log` events from 8.6 on.
const COMPATIBLE_VERSION: &str = "8.15.0";

/// Longest body of a request for configuration.
const CONFIG_BODY_BYTES_MAX: usize = 64 * 1024;

/// Error in the form of Elastic's server.
pub(crate) fn error(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

/// `/`: who is there? Agents get the version, browsers the web UI.
pub(crate) async fn root(State(app): State<App>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return error(StatusCode::METHOD_NOT_ALLOWED, &format!("method not supported: {}", request.method()));
    }
    if ui::is_wanted(request.headers()) {
        return ui::index(request.headers());
    }
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if app.config.secrets.check(authorization).is_err() {
        // Whoever does not know the secret learns only that a server is there.
        return StatusCode::OK.into_response();
    }
    Json(json!({
        "publish_ready": !app.stopping.is_cancelled(),
        "tokenfall": env!("CARGO_PKG_VERSION"),
        "version": COMPATIBLE_VERSION,
    }))
    .into_response()
}

/// Body of a request for configuration; all that matters is whose it is.
#[derive(Default, Deserialize)]
struct ConfigQuestion {
    #[serde(default)]
    service: ServiceQuestion,
    etag: Option<String>,
}

#[derive(Default, Deserialize)]
struct ServiceQuestion {
    name: Option<String>,
}

/// The same as a query.
#[derive(Deserialize)]
struct ConfigQuery {
    #[serde(rename = "service.name")]
    service_name: Option<String>,
    ifnonematch: Option<String>,
}

/// Etag of the configuration that has nothing in it.
const NOTHING: &str = "-";

/// `/config/v1/agents`: central configuration. Nothing is configured for anybody.
pub(crate) async fn agent_config(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let question = match parts.method {
        Method::GET => match axum::extract::Query::<ConfigQuery>::try_from_uri(&parts.uri) {
            Ok(query) => {
                ConfigQuestion { service: ServiceQuestion { name: query.0.service_name }, etag: query.0.ifnonematch }
            }
            Err(_) => ConfigQuestion::default(),
        },
        Method::POST => {
            let body = Limited::new(body, CONFIG_BODY_BYTES_MAX).collect().await;
            let question = body.ok().and_then(|body| serde_json::from_slice(&body.to_bytes()).ok());
            match question {
                Some(question) => question,
                None => return config_error(StatusCode::BAD_REQUEST, "invalid query: not a JSON object"),
            }
        }
        method => {
            return config_error(StatusCode::METHOD_NOT_ALLOWED, &format!("method not supported: {method}"));
        }
    };
    if question.service.name.is_none_or(|name| name.is_empty()) {
        return config_error(StatusCode::BAD_REQUEST, "service.name is required");
    }
    let known = parts.headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let known = known.map(|etag| etag.trim_matches('"').to_owned()).or(question.etag);
    let mut response = if known.as_deref() == Some(NOTHING) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Json(json!({})).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_static("\"-\""));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=30, must-revalidate"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Etag"));
    response
}

fn config_error(status: StatusCode, message: &str) -> Response {
    let mut response = error(status, message);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=300, must-revalidate"));
    response
}

/// Browser agents: not taken yet.
pub(crate) async fn rum() -> Response {
    error(
        StatusCode::FORBIDDEN,
        "forbidden request: RUM endpoint is disabled. Tokenfall does not take events of browsers. If you are not using the \
         RUM agent, you can safely ignore this error.",
    )
}

/// Nothing there.
pub(crate) async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "404 page not found")
}
