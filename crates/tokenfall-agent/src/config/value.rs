//! Texts → values, as strictly as the agent specification says ("configuration": types and units).

use std::fmt;
use std::time::Duration;

/// Why a text is no value of an option.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid(pub(super) String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn invalid<T>(why: &str) -> Result<T, Invalid> {
    Err(Invalid(why.to_owned()))
}

pub(super) fn boolean(text: &str) -> Result<bool, Invalid> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => invalid("true or false is expected"),
    }
}

pub(super) fn integer(text: &str) -> Result<u64, Invalid> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits => Ok(number),
        _ => invalid("a whole number of 0 or more is expected"),
    }
}

/// A rate of 0 to 1, rounded half away from zero to 4 places; what is above 0 stays above 0 (agent specification, "sampling").
pub(super) fn rate(text: &str) -> Result<f64, Invalid> {
    let rate: f64 = text.trim().parse().map_err(|_| Invalid("a number from 0 to 1 is expected".to_owned()))?;
    if !(0.0..=1.0).contains(&rate) {
        return invalid("a number from 0 to 1 is expected");
    }
    let rounded = (rate * 10_000.0).round() / 10_000.0;
    Ok(if rate > 0.0 && rounded == 0.0 { 0.0001 } else { rounded })
}

/// Finest unit of a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    /// "Granular" durations may be given in microseconds.
    Microseconds,
}

/// A duration; `None` if it is negative.
pub(super) fn signed_duration(text: &str, finest: Unit) -> Result<Option<Duration>, Invalid> {
    let trimmed = text.trim();
    let (negative, unsigned) = trimmed.strip_prefix('-').map_or((false, trimmed), |rest| (true, rest));
    let split = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
    let (digits, unit) = unsigned.split_at(split);
    let per_unit = match (unit, finest) {
        ("us", Unit::Microseconds) => 1,
        ("ms", _) => 1_000,
        ("s", _) => 1_000_000,
        ("m", _) => 60_000_000,
        _ => return invalid("a number with one of the units ms, s and m is expected"),
    };
    let Ok(number) = digits.parse::<u64>() else { return invalid("a number with a unit is expected, such as 10s") };
    let Some(micros) = number.checked_mul(per_unit) else { return invalid("it is too long") };
    Ok((!negative || micros == 0).then_some(Duration::from_micros(micros)))
}

/// A duration that is not negative.
pub(super) fn duration(text: &str, finest: Unit) -> Result<Duration, Invalid> {
    signed_duration(text, finest)?.map_or_else(|| invalid("it must not be negative"), Ok)
}

/// Bytes: `b`, `kb`, `mb`, `gb`, steps of 1024.
pub(super) fn size(text: &str) -> Result<u64, Invalid> {
    let text = text.trim().to_ascii_lowercase();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let per_unit = match unit {
        "b" => 1,
        "kb" => 1 << 10,
        "mb" => 1 << 20,
        "gb" => 1 << 30,
        _ => return invalid("a number with one of the units b, kb, mb and gb is expected"),
    };
    let number: u64 = match digits.parse() {
        Ok(number) => number,
        Err(_) => return invalid("a number with a unit is expected, such as 768kb"),
    };
    number.checked_mul(per_unit).map_or_else(|| invalid("it is too large"), Ok)
}

/// `key=value,key=value`
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, Invalid> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
            _ => invalid("pairs such as key=value,key=value are expected"),
        })
        .collect()
}

/// One or more addresses, separated by commas.
pub(super) fn urls(text: &str) -> Result<Vec<String>, Invalid> {
    let urls: Vec<String> =
        text.split(',').map(|url| url.trim().trim_end_matches('/').to_owned()).filter(|url| !url.is_empty()).collect();
    if urls.is_empty() {
        return invalid("an address is expected");
    }
    for url in &urls {
        let parsed: Result<ureq::http::Uri, _> = url.parse();
        let usable = parsed.is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
        });
        if !usable {
            return invalid("addresses such as http://127.0.0.1:8200 are expected");
        }
        if url.starts_with("https:") && !cfg!(feature = "tls") {
            return invalid("https needs the feature `tls` of tokenfall-agent");
        }
    }
    Ok(urls)
}
