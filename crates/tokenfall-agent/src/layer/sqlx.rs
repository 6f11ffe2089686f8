//! Statements that `sqlx` tells of after they ran.

use std::time::{Duration, Instant};

use crate::context::Context;
use crate::event::Text;
use crate::layer::fields::{Collector, Value};

/// Target of the events.
pub(super) const TARGET: &str = "sqlx::query";

/// Makes a finished span of the event, if it is in a transaction.
pub(super) fn record(event: &tracing::Event<'_>, position: &Context, system: &Text) {
    // Only what is recorded is worth the look.
    let builder = position.capture_span("SQL");
    if !builder.is_recorded() {
        return;
    }
    let mut said = Collector::default();
    event.record(&mut said);
    let mut query = Query::default();
    for (name, value) in said.fields {
        query.set(name, value);
    }
    let statement = query.statement.unwrap_or_default();
    let now = Instant::now();
    let start = now.checked_sub(query.elapsed).unwrap_or(now);
    let mut span = builder.subtype(system.clone()).sql(statement).started_at(start).start();
    if let Some(rows) = query.rows_affected {
        span.set_rows_affected(rows);
    }
    span.end();
}

#[derive(Default)]
struct Query {
    statement: Option<String>,
    rows_affected: Option<u64>,
    elapsed: Duration,
}

impl Query {
    fn set(&mut self, name: &str, value: Value) {
        match (name, value) {
            // The full statement is only there if the summary is not all of it.
            ("db.statement", Value::Text(text)) if !text.trim().is_empty() => {
                self.statement = Some(text.trim().to_owned());
            }
            ("summary", Value::Text(text)) => {
                self.statement.get_or_insert(text);
            }
            ("rows_affected", Value::Integer(rows)) => self.rows_affected = u64::try_from(rows).ok(),
            ("elapsed_secs", value) => {
                let seconds = value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                self.elapsed = seconds.unwrap_or_default();
            }
            // Older versions have no number.
            ("elapsed", Value::Text(text)) if self.elapsed.is_zero() => {
                self.elapsed = parse_duration(&text).unwrap_or_default();
            }
            _ => {}
        }
    }
}

/// Reads what `Duration`'s `Debug` writes, such as `1.5ms`.
fn parse_duration(text: &str) -> Option<Duration> {
    let n_digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(n_digits);
    let seconds = match unit {
        "ns" => 1e-9,
        "µs" | "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_written() {
        for nanos in [0, 1, 999, 1_000, 12_345, 1_500_000, 2_000_000_000, 61_000_000_001] {
            let duration = Duration::from_nanos(nanos);
            let parsed = parse_duration(&format!("{duration:?}")).expect("it is one");
            assert!(parsed.abs_diff(duration) <= Duration::from_nanos(1), "{duration:?} {parsed:?}");
        }
        assert_eq!(parse_duration("soon"), None);
        assert_eq!(parse_duration(""), None);
    }
}
