//! What a provider says in the headers of an answer about the limits of the account.

use std::time::Duration;

use crate::event::{AttributeValue, Text, set};
use crate::semconv::RATELIMIT_PREFIX;

/// What is limited.
const WHAT: &[&str] = &["requests", "tokens", "input-tokens", "output-tokens"];
/// What is said of it.
const FACTS: &[&str] = &["limit", "remaining", "reset"];

/// Notes what this header says, if it is one of the limits: `x-ratelimit-remaining-tokens`,
/// `anthropic-ratelimit-tokens-remaining`, `retry-after` and the like. `now_us` is the time of day.
pub(super) fn note(attributes: &mut Vec<(Text, AttributeValue)>, name: &str, value: &str, now_us: u64) {
    let (name, value) = (name.to_ascii_lowercase(), value.trim());
    let mut put = |what: &str, value: AttributeValue| {
        let key = format!("{RATELIMIT_PREFIX}{}", what.replace('-', "_"));
        set(attributes, key.into(), value);
    };
    if let Some(seconds) = retry_after(&name, value) {
        return put("retry_after", seconds.into());
    }
    let (fact, what) = if let Some(rest) = name.strip_prefix("x-ratelimit-") {
        let Some(parts) = rest.split_once('-') else { return };
        parts
    } else if let Some(rest) = name.strip_prefix("anthropic-ratelimit-") {
        let Some((what, fact)) = rest.rsplit_once('-') else { return };
        (fact, what)
    } else {
        return;
    };
    if !FACTS.contains(&fact) || !WHAT.contains(&what) {
        return;
    }
    let key = format!("{fact}.{what}");
    if fact == "reset" {
        if let Some(seconds) = duration(value).or_else(|| until(value, now_us)) {
            put(&key, seconds.into());
        }
    } else if let Ok(count) = value.parse::<i64>()
        // Azure says −1 where it does not know.
        && count >= 0
    {
        put(&key, count.into());
    }
}

/// Seconds of `retry-after` and `retry-after-ms`. A date is passed over.
fn retry_after(name: &str, value: &str) -> Option<f64> {
    let scale = match name {
        "retry-after" => 1.0,
        "retry-after-ms" => 0.001,
        _ => return None,
    };
    value.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0).map(|n| n * scale)
}

/// Seconds of a duration such as `1m3.57s`, `9ms`, `6m0s`.
fn duration(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| c != '.' && !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(end);
        let number: f64 = number.parse().ok()?;
        let length = unit.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(unit.len());
        let (unit, after) = unit.split_at(length);
        sum += number
            * match unit {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

/// Seconds until an instant of RFC 3339 in UTC, such as `2026-11-22T10:00:30Z`; 0 if it is past.
fn until(text: &str, now_us: u64) -> Option<f64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':');
    let (hour, minute) = (time.next()?.parse::<i64>().ok()?, time.next()?.parse::<i64>().ok()?);
    let second: f64 = time.next()?.parse().ok()?;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 1970-01-01, of a year that begins in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = (days * 86_400 + hour * 3600 + minute * 60) as f64 + second;
    let left = seconds - Duration::from_micros(now_us).as_secs_f64();
    Some(left.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(headers: &[(&str, &str)]) -> Vec<(String, AttributeValue)> {
        let mut attributes = Vec::new();
        // 2026-11-22T10:00:00Z
        for (name, value) in headers {
            note(&mut attributes, name, value, 1_795_341_600_000_000);
        }
        attributes.into_iter().map(|(key, value)| (key.into_owned(), value)).collect()
    }

    #[test]
    fn headers_of_openai() {
        let got = noted(&[
            ("X-RateLimit-Limit-Requests", "500"),
            ("x-ratelimit-remaining-tokens", "149984"),
            ("x-ratelimit-reset-requests", "120ms"),
            ("x-ratelimit-reset-tokens", "1m3.5s"),
            ("retry-after-ms", "1500"),
            ("x-ratelimit-remaining-requests", "-1"),
            ("x-ratelimit-limit-tokens_usage_based", "7"),
            ("x-ratelimit-limit", "7"),
            ("content-type", "text/event-stream"),
        ]);
        let expect = [
            ("tokenfall.ratelimit.limit.requests", AttributeValue::Integer(500)),
            ("tokenfall.ratelimit.remaining.tokens", AttributeValue::Integer(149_984)),
            ("tokenfall.ratelimit.reset.requests", AttributeValue::Number(0.12)),
            ("tokenfall.ratelimit.reset.tokens", AttributeValue::Number(63.5)),
            ("tokenfall.ratelimit.retry_after", AttributeValue::Number(1.5)),
        ];
        assert_eq!(got, expect.map(|(key, value)| (key.to_owned(), value)));
    }

    #[test]
    fn headers_of_anthropic() {
        let got = noted(&[
            ("anthropic-ratelimit-input-tokens-remaining", "38000"),
            ("anthropic-ratelimit-requests-reset", "2026-11-22T10:00:30Z"),
            ("anthropic-ratelimit-tokens-reset", "2026-11-22T09:00:00Z"),
            ("retry-after", "7"),
        ]);
        let expect = [
            ("tokenfall.ratelimit.remaining.input_tokens", AttributeValue::Integer(38_000)),
            ("tokenfall.ratelimit.reset.requests", AttributeValue::Number(30.0)),
            ("tokenfall.ratelimit.reset.tokens", AttributeValue::Number(0.0)),
            ("tokenfall.ratelimit.retry_after", AttributeValue::Number(7.0)),
        ];
        assert_eq!(got, expect.map(|(key, value)| (key.to_owned(), value)));
    }

    #[test]
    fn what_is_no_time_is_passed_over() {
        for text in ["", "x", "5", "5x", "s", "1..2s", "2026-11-22", "2026-13-22T10:00:30Z", "2026-11-22T10:00Z"] {
            assert_eq!((duration(text), until(text, 0)), (None, None), "{text}");
        }
    }
}
