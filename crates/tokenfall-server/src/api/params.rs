//! Query parameters that several routes share.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokenfall_analysis::{Environment, Scope};
use tokenfall_model::Timestamp;
use tokenfall_query::TimeRange;
use utoipa::IntoParams;

use crate::clock;
use crate::problem::ApiError;

/// Query parameters of a request; a bad one is a [`tokenfall_api::Problem`].
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Query::<T>::try_from_uri(&parts.uri).map(|Query(params)| Self(params)).map_err(|rejection| {
            let cause =
                std::error::Error::source(&rejection).map_or_else(|| rejection.to_string(), ToString::to_string);
            ApiError::invalid(format!("bad query parameters: {cause}"))
        })
    }
}

/// Time range and environment.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Window {
    /// Begin of the time range: `now-15m` (units s, m, h, d, w), ISO 8601, or milliseconds since the epoch. Default `now-15m`.
    from: Option<String>,
    /// End of the time range, in the same forms. Default `now`.
    to: Option<String>,
    /// Environment of the services, or `ENVIRONMENT_NOT_DEFINED` for events without one. Default: all.
    env: Option<String>,
}

impl Window {
    /// Time range in instants, and environment.
    pub(crate) fn scope(&self) -> Result<Scope, ApiError> {
        let now = clock::now();
        let from = instant("from", self.from.as_deref().unwrap_or("now-15m"), now)?;
        let to = instant("to", self.to.as_deref().unwrap_or("now"), now)?;
        if from >= to {
            return Err(ApiError::invalid(format!("from ({from}) must be before to ({to})")));
        }
        Ok(Scope { time: TimeRange { from, to }, environment: Environment::from_param(self.env.as_deref()) })
    }
}

/// Reads one end of a time range.
fn instant(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, ApiError> {
    parse_instant(text, now).ok_or_else(|| {
        ApiError::invalid(format!(
            "{name}: `{text}` is not a time; use now, now-15m (units s, m, h, d, w), ISO 8601 such as \
             2026-01-31T12:00:00Z, or milliseconds since the epoch"
        ))
    })
}

fn parse_instant(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(offset) = text.strip_prefix("now") {
        return Some(now.saturating_add(parse_offset(offset)?));
    }
    if let Ok(ms) = text.parse::<i64>() {
        return Some(Timestamp::from_micros(ms.checked_mul(1000)?));
    }
    Timestamp::parse_rfc3339(text)
}

/// Reads `-15m` as microseconds; nothing is zero. A space stands for the plus sign, which a query string decodes to one.
fn parse_offset(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let (sign, rest) = if let Some(rest) = text.strip_prefix('-') {
        (-1, rest)
    } else {
        (1, text.strip_prefix('+').or_else(|| text.strip_prefix(' '))?)
    };
    let unit = rest.chars().next_back()?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let digits = rest.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<i64>().ok()?.checked_mul(seconds * 1_000_000)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants() {
        let now = Timestamp::from_micros(1_000_000_000_000_000);
        let check = |text: &str, us: Option<i64>| {
            assert_eq!(parse_instant(text, now).map(Timestamp::as_micros), us, "{text}");
        };
        check("now", Some(1_000_000_000_000_000));
        check("now-15m", Some(1_000_000_000_000_000 - 900_000_000));
        check("now+1d", Some(1_000_000_000_000_000 + 86_400_000_000));
        check("now-2w", Some(1_000_000_000_000_000 - 1_209_600_000_000));
        check("1700000000123", Some(1_700_000_000_123_000));
        check("2023-11-14T22:13:20.123Z", Some(1_700_000_000_123_000));
        check("2023-11-14T23:13:20.123+01:00", Some(1_700_000_000_123_000));
        for bad in ["", "now-", "now-m", "now-1y", "now-1.5h", "now--1h", "yesterday", "now-99999999999999999999d"] {
            check(bad, None);
        }
        check("9223372036854775807", None);
        check("now-9223372036854775807w", None);
    }

    #[test]
    fn a_range_must_not_be_empty() {
        let window = |from: &str, to: &str| Window { from: Some(from.into()), to: Some(to.into()), env: None };
        assert!(window("now-1h", "now").scope().is_ok());
        assert!(window("now", "now").scope().is_err());
        assert!(window("now", "now-1h").scope().is_err());
    }
}
