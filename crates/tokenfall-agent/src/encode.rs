//! Events → lines of the intake protocol v2.
//!
//! One event is one line. What the protocol refuses does not leave: texts are cut, numbers that are none are left out, and
//! a line that would be longer than the server takes is written again with less in it ([`rules`]). Headers, cookies and
//! forms lose their secrets here ([`sanitize`]). Runs on the agent's thread only.

mod context;
mod error;
mod labels;
mod log;
mod rules;
mod sanitize;
mod span;
mod transaction;
mod url;
mod writer;

#[cfg(test)]
mod tests;

use crate::event::{Event, SpanLink};
use crate::limits::LINE_BYTES;
use crate::settings::Settings;

use rules::{Rules, Size};
use writer::{Object, object};

/// Appends one event as a line, newline included. Texts are cut, headers and bodies redacted here.
///
/// The line has at most [`LINE_BYTES`] bytes. If parts had to go for that, its label `tokenfall_truncated` names them.
pub(crate) fn event(event: &Event, settings: &Settings, out: &mut Vec<u8>) {
    let start = out.len();
    for size in Size::ALL {
        let rules = Rules { settings, size };
        object(out, |line| match event {
            Event::Span(record) => line.object("span", |o| span::write(o, record, rules)),
            Event::Transaction(record) => line.object("transaction", |o| transaction::write(o, record, rules)),
            Event::Error(record) => line.object("error", |o| error::write(o, record, rules)),
            Event::Log(record) => line.object("log", |o| log::write(o, record, rules)),
        });
        out.push(b'\n');
        if out.len() - start <= LINE_BYTES {
            return;
        }
        out.truncate(start);
    }
    ::log::error!("an event is too large in its smallest form; it is dropped");
}

/// `links` of a transaction or a span.
fn links(o: &mut Object<'_>, links: &[SpanLink], rules: Rules<'_>) {
    o.list("links", links.iter().take(rules.n_links()), |o, link| {
        o.value("trace_id", link.trace_id);
        o.value("span_id", link.span_id);
    });
}

/// The text, or another one if it is empty.
fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

/// Nanoseconds as milliseconds, the unit of durations on the wire.
fn milliseconds(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// A count as the protocol's signed 64 bits.
fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
