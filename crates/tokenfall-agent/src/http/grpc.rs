//! gRPC over HTTP: statuses and their outcomes (agent specification, "outcome", gRPC).

use http::HeaderMap;

use crate::event::Outcome;

/// Names of the status codes, by number (gRPC, "status codes and their use").
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

const UNKNOWN: Status = Status(2);

/// A gRPC status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status(u8);

impl Status {
    /// `grpc-status` of headers or trailers. A value that is no known code is `UNKNOWN`.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get("grpc-status")?.to_str().unwrap_or_default();
        let code: Option<u8> = text.parse().ok();
        Some(code.filter(|code| usize::from(*code) < NAMES.len()).map_or(UNKNOWN, Self))
    }

    /// What clients make of an answer without `grpc-status` (gRPC, "HTTP to gRPC status code mapping").
    pub(super) fn of_http(status: u16) -> Self {
        Self(match status {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502..=504 => 14,
            _ => return UNKNOWN,
        })
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("UNKNOWN")
    }

    /// Outcome of the transaction that answered so: what the caller did wrong is no failure of the server.
    pub(super) fn of_transaction(self) -> Outcome {
        match self.name() {
            "UNKNOWN"
            | "DEADLINE_EXCEEDED"
            | "RESOURCE_EXHAUSTED"
            | "FAILED_PRECONDITION"
            | "ABORTED"
            | "INTERNAL"
            | "UNAVAILABLE"
            | "DATA_LOSS" => Outcome::Failure,
            _ => Outcome::Success,
        }
    }

    /// Outcome of the span that was answered so.
    pub(super) fn of_span(self) -> Outcome {
        if self.0 == 0 { Outcome::Success } else { Outcome::Failure }
    }
}

/// Is it a gRPC message? (`content-type: application/grpc`, `application/grpc+proto`, `application/grpc;…`; gRPC-Web counts as
/// HTTP: its status comes in the body.)
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(http::header::CONTENT_TYPE) else { return false };
    let rest = kind.as_bytes().strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_follow_the_table_of_the_specification() {
        use Outcome::{Failure, Success};
        let table = [
            (Success, Success),
            (Success, Failure),
            (Failure, Failure),
            (Success, Failure),
            (Failure, Failure),
            (Success, Failure),
            (Success, Failure),
            (Success, Failure),
            (Failure, Failure),
            (Failure, Failure),
            (Failure, Failure),
            (Success, Failure),
            (Success, Failure),
            (Failure, Failure),
            (Failure, Failure),
            (Failure, Failure),
            (Success, Failure),
        ];
        for (code, expect) in table.into_iter().enumerate() {
            let headers = HeaderMap::from_iter([("grpc-status".parse().expect("a name"), code.into())]);
            let status = Status::read(&headers).expect("a status");
            assert_eq!((status.of_transaction(), status.of_span()), expect, "{}", status.name());
        }
    }

    #[test]
    fn odd_statuses_are_unknown() {
        let headers = |value: &'static str| {
            HeaderMap::from_iter([("grpc-status".parse().expect("a name"), http::HeaderValue::from_static(value))])
        };
        for odd in ["", "17", "-1", "OK", "999"] {
            assert_eq!(Status::read(&headers(odd)).map(Status::name), Some("UNKNOWN"), "{odd}");
        }
        assert_eq!(Status::read(&HeaderMap::new()), None);
        assert_eq!(Status::of_http(404).name(), "UNIMPLEMENTED");
        assert_eq!(Status::of_http(503).name(), "UNAVAILABLE");
        assert_eq!(Status::of_http(200).name(), "UNKNOWN");
    }

    #[test]
    fn content_types() {
        let check = |value: &'static str, expect: bool| {
            let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, http::HeaderValue::from_static(value))]);
            assert_eq!(is_grpc(&headers), expect, "{value}");
        };
        check("application/grpc", true);
        check("application/grpc+proto", true);
        check("application/grpc; charset=utf-8", true);
        check("application/grpc-web", false);
        check("application/json", false);
    }
}
