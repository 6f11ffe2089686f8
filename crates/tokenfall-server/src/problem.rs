//! Errors of the API on their way to the client.
//!
//! A handler returns [`ApiError`]; [`finish`] gives it the id of the request, writes the [`Problem`] and logs what is our fault.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokenfall_api::{ErrorCode, Problem};
use tokenfall_store::SearchError;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::{Response as ResponseDoc, ResponseBuilder};
use utoipa::openapi::{Ref, RefOr};

use crate::clock;

/// Names a request in the answer and in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a handler of the API could not do.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    code: ErrorCode,
    message: String,
}

impl ApiError {
    /// Makes an error with a text for people.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A parameter that cannot be understood.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidParameter, message)
    }

    /// Nothing of that name.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> Self {
        let code = match &error {
            SearchError::Invalid(_) => ErrorCode::InvalidParameter,
            SearchError::Stopped(_) => ErrorCode::SearchStopped,
            SearchError::Engine(_) => ErrorCode::Internal,
        };
        Self::new(code, error.to_string())
    }
}

impl IntoResponse for ApiError {
    /// Only carries the error; [`finish`] writes the body.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Middleware: gives each request of the API an id and writes the bodies of its errors.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let request_id = next_request_id();
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    if let Some(ApiError { code, message }) = response.extensions_mut().remove::<ApiError>() {
        let status = response.status();
        if code == ErrorCode::Internal {
            tracing::error!(request.id = request_id, url.path = path, "request failed: {message}");
        } else {
            tracing::debug!(request.id = request_id, url.path = path, "request refused: {message}");
        }
        let retry = code.is_retryable() && status != StatusCode::INTERNAL_SERVER_ERROR;
        response = (status, Json(Problem { code, message, request_id: request_id.clone() })).into_response();
        if retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Ids begin with the time of the first request, so that those of two runs differ.
fn next_request_id() -> String {
    static START: std::sync::OnceLock<i64> = std::sync::OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let start = *START.get_or_init(|| clock::now().as_micros());
    format!("{start:x}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The errors that every route of the API can answer with, for the OpenAPI document.
pub(crate) struct Problems;

impl utoipa::IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<ResponseDoc>> {
        [
            (ErrorCode::InvalidParameter, "A parameter is missing or cannot be understood."),
            (ErrorCode::Unauthorized, "No secret was sent, or a wrong one."),
            (ErrorCode::SearchStopped, "The question took too long or needed too much memory."),
            (ErrorCode::TooManyRequests, "Too many requests at once; come again."),
            (ErrorCode::Internal, "Something broke; the request id is in the log."),
            (ErrorCode::Unavailable, "The server is starting or shutting down."),
        ]
        .into_iter()
        .map(|(code, text)| (code.http_status().to_string(), RefOr::T(problem_response(text))))
        .collect()
    }
}

/// An answer whose body is a [`Problem`].
fn problem_response(text: &str) -> ResponseDoc {
    let schema = Ref::from_schema_name("Problem");
    ResponseBuilder::new()
        .description(text)
        .content("application/json", ContentBuilder::new().schema(Some(schema)).build())
        .build()
}
