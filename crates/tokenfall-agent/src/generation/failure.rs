//! What can go wrong with a model call, in the words of the providers' libraries.

use std::error::Error;
use std::fmt;

use serde::Deserialize;

use super::provider::{Str, TextOr};
use crate::context::Context;
use crate::event::{Exception, Text};

/// Kinds of errors, named as in OpenAI's and Anthropic's libraries, so that one error group holds them whatever the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GenerationErrorKind {
    /// The request is wrong (400).
    BadRequest,
    /// The key is missing or wrong (401).
    Authentication,
    /// The key may not do this (403).
    PermissionDenied,
    /// There is no such model or resource (404).
    NotFound,
    /// Somebody else changed the same resource (409).
    Conflict,
    /// The request cannot be done (422).
    UnprocessableEntity,
    /// Too many requests or tokens, or no credit is left (429).
    RateLimit,
    /// The provider failed (500 and above), or is overloaded.
    InternalServer,
    /// The provider was not reached, or the connection broke.
    ApiConnection,
    /// No answer in time (also 408).
    ApiTimeout,
    /// Anything else.
    Api,
}

impl GenerationErrorKind {
    /// The name: type of the exception and `error.type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequestError",
            Self::Authentication => "AuthenticationError",
            Self::PermissionDenied => "PermissionDeniedError",
            Self::NotFound => "NotFoundError",
            Self::Conflict => "ConflictError",
            Self::UnprocessableEntity => "UnprocessableEntityError",
            Self::RateLimit => "RateLimitError",
            Self::InternalServer => "InternalServerError",
            Self::ApiConnection => "APIConnectionError",
            Self::ApiTimeout => "APITimeoutError",
            Self::Api => "APIError",
        }
    }

    fn of_status(status: u16) -> Self {
        match status {
            400 => Self::BadRequest,
            401 => Self::Authentication,
            403 => Self::PermissionDenied,
            404 => Self::NotFound,
            408 => Self::ApiTimeout,
            409 => Self::Conflict,
            422 => Self::UnprocessableEntity,
            429 => Self::RateLimit,
            500.. => Self::InternalServer,
            _ => Self::Api,
        }
    }

    /// By the words that providers use where there is no status: in a stream.
    fn of_words(words: [Option<&str>; 2]) -> Self {
        let kind = |word: &str| {
            Some(match word {
                "rate_limit_exceeded" | "rate_limit_error" | "insufficient_quota" | "RESOURCE_EXHAUSTED" => {
                    Self::RateLimit
                }
                "server_error"
                | "internal_server_error"
                | "api_error"
                | "overloaded_error"
                | "INTERNAL"
                | "UNAVAILABLE" => Self::InternalServer,
                "invalid_request_error" | "context_length_exceeded" | "invalid_prompt" | "INVALID_ARGUMENT" => {
                    Self::BadRequest
                }
                "invalid_api_key" | "authentication_error" | "UNAUTHENTICATED" => Self::Authentication,
                "permission_error" | "PERMISSION_DENIED" => Self::PermissionDenied,
                "not_found_error" | "model_not_found" | "NOT_FOUND" => Self::NotFound,
                "timeout_error" | "DEADLINE_EXCEEDED" => Self::ApiTimeout,
                _ => return None,
            })
        };
        words.into_iter().flatten().find_map(kind).unwrap_or(Self::Api)
    }
}

/// An error of a model call. Made of what the provider answered, or of why nothing was answered.
///
/// ```
/// use tokenfall_agent::generation::{GenerationError, GenerationErrorKind};
///
/// let body = br#"{"error":{"message":"Rate limit reached for gpt-4o","type":"tokens","code":"rate_limit_exceeded"}}"#;
/// let error = GenerationError::from_response(429, body);
/// assert_eq!(error.kind(), GenerationErrorKind::RateLimit);
/// assert_eq!(error.code(), Some("rate_limit_exceeded"));
/// assert!(error.is_retryable());
/// assert_eq!(error.to_string(), "Rate limit reached for gpt-4o");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationError {
    kind: GenerationErrorKind,
    status: Option<u16>,
    code: Option<String>,
    message: String,
}

impl GenerationError {
    /// An error of this kind.
    pub fn new(kind: GenerationErrorKind, message: impl Into<String>) -> Self {
        Self { kind, status: None, code: None, message: message.into() }
    }

    /// What an HTTP response with an error status says. The body may be of any provider, or empty.
    pub fn from_response(status: u16, body: &[u8]) -> Self {
        let told = serde_json::from_slice::<ErrorBody<'_>>(body).ok().and_then(|body| body.parts());
        let kind = GenerationErrorKind::of_status(status);
        let (message, code) = told.map_or((None, None), |(_, message, code)| (message, code));
        let message = message.unwrap_or_else(|| format!("HTTP status {status}"));
        Self { kind, status: Some(status), code, message }
    }

    /// What an event of a stream says, if it reports an error. There is no status; the provider's words decide.
    ///
    /// ```
    /// use tokenfall_agent::generation::{GenerationError, GenerationErrorKind};
    ///
    /// let event = br#"{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}"#;
    /// let error = GenerationError::from_event(event);
    /// assert_eq!(error.map(|error| error.kind()), Some(GenerationErrorKind::RateLimit));
    /// assert_eq!(GenerationError::from_event(br#"{"choices":[]}"#), None);
    /// ```
    pub fn from_event(event: &[u8]) -> Option<Self> {
        serde_json::from_slice::<ErrorBody<'_>>(event).ok()?.parts().map(Self::in_stream)
    }

    /// An error that a provider reports in the middle of a stream.
    pub(super) fn in_stream((word, message, code): Parts) -> Self {
        let kind = GenerationErrorKind::of_words([code.as_deref(), word.as_deref()]);
        let message = message.or_else(|| code.clone()).or_else(|| word.clone());
        Self { kind, status: None, code, message: message.unwrap_or_else(|| "error in the stream".to_owned()) }
    }

    /// Kind.
    pub const fn kind(&self) -> GenerationErrorKind {
        self.kind
    }

    /// HTTP status.
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// The provider's code, such as `rate_limit_exceeded` or `insufficient_quota`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Is it worth asking again? As OpenAI's libraries decide: connection, timeout, 408, 409, 429, 500 and above, but not if
    /// no credit is left.
    pub fn is_retryable(&self) -> bool {
        use GenerationErrorKind::{ApiConnection, ApiTimeout, Conflict, InternalServer, RateLimit};
        matches!(self.kind, ApiConnection | ApiTimeout | Conflict | InternalServer | RateLimit)
            && self.code.as_deref() != Some("insufficient_quota")
    }
}

impl fmt::Display for GenerationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for GenerationError {}

/// Word for the kind, message, code.
type Parts = (Option<String>, Option<String>, Option<String>);

/// `{"error":{"message","type","code"}}`, `{"type":"error","error":{"type","message"}}`, `{"error":"text"}`
#[derive(Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct ErrorBody<'a> {
    error: TextOr<'a, ErrorParts<'a>>,
}

impl ErrorBody<'_> {
    fn parts(&self) -> Option<Parts> {
        match &self.error {
            TextOr::Text(message) => Some((None, Some(message.to_string()), None)),
            TextOr::Object(parts) => Some(parts.parts()),
            TextOr::Other => None,
        }
    }
}

/// What an error object holds.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
pub(super) struct ErrorParts<'a> {
    #[serde(rename = "type")]
    kind: Str<'a>,
    message: Str<'a>,
    code: Str<'a>,
    /// Google's word; its `code` is a number.
    status: Str<'a>,
}

impl ErrorParts<'_> {
    pub(super) fn parts(&self) -> Parts {
        let word = self.kind.owned().or_else(|| self.status.owned());
        (word.clone(), self.message.owned(), self.code.owned().or(word))
    }
}

/// An error on its way to the server.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) exception: Exception,
}

/// Most characters of messages; what may be sent is less.
const MAX_MESSAGE_CHARS: usize = 10_000;

impl Failure {
    pub(super) fn of<E: Error + 'static>(error: &E) -> Self {
        let mut exception = crate::error::exception(error, MAX_MESSAGE_CHARS);
        if let Some(known) = (error as &(dyn Error + 'static)).downcast_ref::<GenerationError>() {
            exception.kind = Some(Text::Borrowed(known.kind.as_str()));
            exception.module = None;
            exception.code = known.code.clone().or_else(|| Some(known.status?.to_string())).map(Text::from);
        }
        Self { exception }
    }

    /// Sends it as an error that happened here. That does not say that the call has failed.
    pub(super) fn send(&self, context: &Context) {
        context.place_of_errors().send_exception(self.exception.clone());
    }

    /// `error.type`
    pub(super) fn kind(&self) -> Text {
        self.exception.kind.clone().unwrap_or(Text::Borrowed("_OTHER"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_the_names_of_the_libraries() {
        for (status, body, kind, code, message, is_retryable) in [
            (
                429,
                r#"{"error":{"message":"slow down","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
                "RateLimitError",
                Some("rate_limit_exceeded"),
                "slow down",
                true,
            ),
            (
                429,
                r#"{"error":{"message":"no credit","type":"insufficient_quota","code":"insufficient_quota"}}"#,
                "RateLimitError",
                Some("insufficient_quota"),
                "no credit",
                false,
            ),
            (
                401,
                r#"{"error":{"message":"bad key","code":"invalid_api_key"}}"#,
                "AuthenticationError",
                Some("invalid_api_key"),
                "bad key",
                false,
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#,
                "BadRequestError",
                Some("invalid_request_error"),
                "no",
                false,
            ),
            (404, r#"{"error":"model 'x' not found"}"#, "NotFoundError", None, "model 'x' not found", false),
            (
                429,
                r#"{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}"#,
                "RateLimitError",
                Some("RESOURCE_EXHAUSTED"),
                "quota",
                true,
            ),
            (529, "overloaded", "InternalServerError", None, "HTTP status 529", true),
            (503, "", "InternalServerError", None, "HTTP status 503", true),
            (408, "{}", "APITimeoutError", None, "HTTP status 408", true),
            (409, "[]", "ConflictError", None, "HTTP status 409", true),
            (403, "{\"error\":7}", "PermissionDeniedError", None, "HTTP status 403", false),
            (422, "", "UnprocessableEntityError", None, "HTTP status 422", false),
            (418, "", "APIError", None, "HTTP status 418", false),
        ] {
            let error = GenerationError::from_response(status, body.as_bytes());
            let got = (error.kind().as_str(), error.code(), error.to_string(), error.is_retryable(), error.status());
            assert_eq!(got, (kind, code, message.to_owned(), is_retryable, Some(status)), "{status} {body}");
        }
    }

    #[test]
    fn errors_have_type_module_and_causes() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("cannot read the answer")
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let failure = Failure::of(&Outer("x".parse::<u8>().expect_err("no number")));
        assert_eq!(failure.kind(), "Outer");
        assert!(failure.exception.module.as_deref().is_some_and(|module| module.starts_with("tokenfall_agent::")));
        assert_eq!(failure.exception.message, "cannot read the answer");
        let causes: Vec<&str> = failure.exception.causes.iter().map(|cause| cause.message.as_ref()).collect();
        assert_eq!(causes, ["invalid digit found in string"]);
    }
}
