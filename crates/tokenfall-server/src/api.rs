//! The JSON API under `/api/v1`: what the web UI shows, and what scripts can ask for.
//!
//! Each route reads its parameters, asks [`tokenfall_analysis`] on the pool of blocking threads, and returns the answer as it
//! is. Routes and OpenAPI document come from the same registration.

mod correlations;
mod dependencies;
mod errors;
mod llm;
mod params;
mod selection;
mod services;
mod sessions;
mod status;
mod traces;

use axum::{Json, Router};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::problem::ApiError;

/// What a handler of the API returns.
type Answer<T> = Result<Json<T>, ApiError>;

/// Rows of a list when the request does not say.
const SAMPLES_DEFAULT: usize = 50;
/// Most rows of a list.
const SAMPLES_MAX: usize = 500;

/// Checks how many rows of a list were asked for.
fn sample_size(asked: Option<usize>, default: usize) -> Result<usize, ApiError> {
    match asked {
        None => Ok(default),
        Some(size @ 1..=SAMPLES_MAX) => Ok(size),
        Some(size) => Err(ApiError::invalid(format!("size must be from 1 to {SAMPLES_MAX}, not {size}"))),
    }
}

/// The routes under `/api/v1` and their description.
pub(crate) fn routes() -> (Router<App>, OpenApi) {
    let mut document = utoipa::openapi::OpenApiBuilder::new()
        .info(
            utoipa::openapi::InfoBuilder::new()
                .title("Tokenfall API")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "What the web UI shows, for scripts. Instants are microseconds since the Unix epoch, durations are \
                     microseconds, rates are per minute, shares and failure rates lie between 0 and 1. What is not known is \
                     null, never zero.",
                ))
                .build(),
        )
        .components(Some(
            utoipa::openapi::ComponentsBuilder::new()
                .schema_from::<tokenfall_api::Problem>()
                .schema_from::<tokenfall_api::ErrorCode>()
                .security_scheme("secret", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
                .build(),
        ))
        .build();
    // The empty requirement says that the secret is optional: none is needed where none is configured.
    document.security = Some(vec![
        utoipa::openapi::SecurityRequirement::default(),
        utoipa::openapi::SecurityRequirement::new::<_, [&str; 0], &str>("secret", []),
    ]);
    let (router, mut document) = OpenApiRouter::with_openapi(document)
        .nest(
            "/api/v1",
            OpenApiRouter::new()
                .routes(routes!(status::status))
                .routes(routes!(status::store_stats))
                .routes(routes!(services::environments))
                .routes(routes!(services::services))
                .routes(routes!(services::service))
                .routes(routes!(services::transactions))
                .routes(routes!(services::transaction))
                .routes(routes!(services::samples))
                .routes(routes!(traces::traces))
                .routes(routes!(traces::skeleton))
                .routes(routes!(traces::item))
                .routes(routes!(dependencies::dependencies))
                .routes(routes!(dependencies::dependency))
                .routes(routes!(errors::errors))
                .routes(routes!(errors::error))
                .routes(routes!(llm::tokens))
                .routes(routes!(llm::calls))
                .routes(routes!(llm::streaming))
                .routes(routes!(llm::spend))
                .routes(routes!(llm::questions))
                .routes(routes!(sessions::sessions))
                .routes(routes!(sessions::session))
                .routes(routes!(correlations::correlations)),
        )
        .split_for_parts();
    for schema in document.components.iter_mut().flat_map(|components| components.schemas.values_mut()) {
        require_all(schema);
    }
    (router, document)
}

/// The document as JSON text, with a newline at its end.
pub(crate) fn to_json(document: &OpenApi) -> String {
    // Strings, numbers and maps always serialise.
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// Says that every property is present: answers write null for what is not known, and leave nothing out.
fn require_all(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => object.required = object.properties.keys().cloned().collect(),
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(require_all),
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}
