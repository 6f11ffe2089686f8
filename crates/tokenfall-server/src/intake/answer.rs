//! The answer to an intake request, in the words of Elastic's server.

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokenfall_intake::IntakeError;
use tokenfall_store::AppendError;

use crate::events::{IntakeAnswered, LimitReached};
use crate::metrics::{IntakeResult, Limit, Metrics};

/// When a client that was turned away should come again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// What was wrong with a request as a whole.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    pub(super) fn stopping() -> Self {
        Self::unavailable("server is shutting down")
    }
}

impl From<&AppendError> for Refusal {
    fn from(error: &AppendError) -> Self {
        match error {
            AppendError::Closing => Self::stopping(),
            AppendError::QueueFull | AppendError::DiskFull | AppendError::Log(_) => {
                Self::unavailable(format!("cannot handle stream: cannot process batch: {error}"))
            }
        }
    }
}

/// The answer to one request.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    accepted: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Listed>,
    #[serde(skip)]
    status: StatusCode,
    /// The client asked for a body, or needs one because of the errors.
    #[serde(skip)]
    verbose: bool,
    #[serde(skip)]
    json: bool,
}

/// One error of the list.
#[derive(Debug, Serialize)]
struct Listed {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<String>,
}

impl Answer {
    /// Events accepted, bad lines, and what was wrong with the request as a whole (listed last).
    pub(super) fn new(accepted: u64, lines: &[IntakeError], refusal: Option<Refusal>) -> Self {
        let mut status = if lines.is_empty() { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST };
        let mut errors: Vec<_> = lines
            .iter()
            .map(|error| Listed { message: error.message.clone(), document: error.document.clone() })
            .collect();
        if let Some(Refusal { status: refused, message }) = refusal {
            status = status.max(refused);
            errors.push(Listed { message, document: None });
        }
        Self { accepted, errors, status, verbose: status != StatusCode::ACCEPTED, json: false }
    }

    /// The answer to a request of which nothing was read.
    pub(super) fn refused(refusal: Refusal) -> Self {
        Self::new(0, &[], Some(refusal))
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// Logs and counts.
    pub(super) fn emit(&self, metrics: &Metrics) {
        let result = match self.status {
            StatusCode::ACCEPTED => IntakeResult::Accepted,
            status if status.is_server_error() => IntakeResult::Unavailable,
            _ => IntakeResult::Invalid,
        };
        for _ in self.errors.iter().filter(|error| error.message == "event exceeded the permitted size") {
            LimitReached { limit: Limit::EventBytes }.emit(metrics);
        }
        let error = self.errors.first().map(|error| error.message.as_str());
        IntakeAnswered { result, status: self.status.as_u16(), accepted: self.accepted, error }.emit(metrics);
    }

    /// Takes over what the client wants: `?verbose`, and the type of the body.
    pub(super) fn for_request(mut self, parts: &Parts) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        self.verbose |= query.split('&').any(|pair| pair.split('=').next() == Some("verbose"));
        self.json = parts.headers.get_all(header::ACCEPT).iter().any(|accept| {
            accept.to_str().is_ok_and(|accept| accept.contains("application/json") || accept.contains("*/*"))
        });
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        if self.status >= StatusCode::BAD_REQUEST {
            headers.insert(header::CONNECTION, HeaderValue::from_static("Close"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if self.verbose {
            let content_type = if self.json { "application/json" } else { "text/plain; charset=utf-8" };
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            // Strings and numbers always serialise.
            *response.body_mut() = serde_json::to_vec(&self).unwrap_or_default().into();
        }
        response
    }
}
