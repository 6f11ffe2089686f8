//! Errors of the API.

use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A parameter is missing or cannot be understood.
    InvalidParameter,
    /// No secret was sent, or a wrong one.
    Unauthorized,
    /// There is no such thing.
    NotFound,
    /// The method is not supported here.
    MethodNotAllowed,
    /// The question took too long or needed too much memory.
    SearchStopped,
    /// Too many requests at once; come again.
    TooManyRequests,
    /// The server is starting or shutting down.
    Unavailable,
    /// Something broke; the request id is in the log.
    Internal,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 8] = [
        Self::InvalidParameter,
        Self::Unauthorized,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::SearchStopped,
        Self::TooManyRequests,
        Self::Unavailable,
        Self::Internal,
    ];

    /// Status code of an answer with this error.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InvalidParameter => 400,
            Self::Unauthorized => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::SearchStopped => 422,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// True if the same request may succeed later.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::TooManyRequests | Self::Unavailable | Self::Internal)
    }
}

/// Body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// What went wrong, for programs.
    pub code: ErrorCode,
    /// What went wrong and what to do, for people.
    pub message: String,
    /// Names this request in the server's log.
    pub request_id: String,
}
