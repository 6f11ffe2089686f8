//! `tracestate`: one member for each vendor, ours is `es`.

use std::sync::Arc;

use super::TraceState;

/// Most bytes of other vendors' members that go on. Members that do not fit any more are dropped whole, from the end.
const MAX_BYTES: usize = 8 << 10;
/// Member of Elastic's agents.
const ELASTIC_KEY: &str = "es";

impl TraceState {
    /// Reads the header, which may come in several lines. Members of others are dropped together if one breaks a rule or
    /// comes twice: nobody could tell what was meant.
    pub(super) fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut state = Self::default();
        let mut keys: Vec<&str> = Vec::new();
        let mut others = String::new();
        let mut valid = true;
        let members = lines.into_iter().flat_map(|line| line.split(',')).map(|member| member.trim_matches([' ', '\t']));
        for member in members.filter(|member| !member.is_empty()) {
            let Some((key, value)) = member.split_once('=') else {
                valid = false;
                continue;
            };
            if key == ELASTIC_KEY && !state.is_elastic {
                state.is_elastic = true;
                state.sample_rate = sample_rate(value);
                // With a rate the member is written anew; without one it goes on as it is.
                if state.sample_rate.is_some() || !is_value(value) {
                    keys.push(key);
                    continue;
                }
            }
            if !valid || others.len() + member.len() + 1 > MAX_BYTES {
                continue;
            }
            valid = is_key(key) && is_value(value) && !keys.contains(&key);
            keys.push(key);
            if !others.is_empty() {
                others.push(',');
            }
            others.push_str(member);
        }
        state.others = (valid && !others.is_empty()).then(|| Arc::from(others));
        state
    }

    /// The header, if there is something to say.
    pub(super) fn print(&self) -> Option<String> {
        match (self.sample_rate, &self.others) {
            (Some(rate), Some(others)) => Some(format!("{ELASTIC_KEY}=s:{rate},{others}")),
            (Some(rate), None) => Some(format!("{ELASTIC_KEY}=s:{rate}")),
            (None, Some(others)) => Some(others.to_string()),
            (None, None) => None,
        }
    }
}

/// `s` of the member `es` (`s:0.5;x:y`): 0 to 1, rounded to four decimal places.
fn sample_rate(value: &str) -> Option<f64> {
    let text = value.split(';').find_map(|item| item.strip_prefix("s:"))?;
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let rate: f64 = text.parse().ok()?;
    (0.0..=1.0).contains(&rate).then(|| (rate * 10_000.0).round() / 10_000.0)
}

/// `key` or `tenant@system` (W3C Trace Context §3.3.1.3.1).
fn is_key(key: &str) -> bool {
    let part = |part: &str, max: usize| {
        part.len() <= max
            && part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'))
    };
    match key.split_once('@') {
        Some((tenant, system)) => part(tenant, 241) && part(system, 14),
        None => part(key, 256),
    }
}

/// Up to 256 printable characters without `,` and `=` (W3C Trace Context §3.3.1.3.2).
fn is_value(value: &str) -> bool {
    (1..=256).contains(&value.len()) && value.bytes().all(|b| matches!(b, 0x20..=0x7e) && b != b'=' && b != b',')
}
