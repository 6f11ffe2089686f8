//! Wire structs to documents: where each field of the protocol lands.
//!
//! What follows from several fields at once (outcome, grouping key, data stream …) is left to the enrichment.

mod context;
mod error;
mod log;
mod metadata;
mod metricset;
mod otel;
mod span;
mod transaction;
mod url;

pub(crate) use error::error;
pub(crate) use log::log;
pub(crate) use metadata::metadata;
pub(crate) use metricset::metricset;
pub(crate) use span::span;
pub(crate) use transaction::transaction;

use tokenfall_model::document::{Faas, FaasTrigger, Frame, FrameContext, FrameLine, Id, LabelValue, Link, TimestampUs};
use tokenfall_model::{Document, Outcome, SpanId, Timestamp, TraceId};

use crate::wire::{self, Label, Labels, List, OutcomeWord, sanitize_key};

/// Text that says something: what is empty is not stored.
fn owned<T: Into<String>>(text: Option<T>) -> Option<String> {
    text.map(Into::into).filter(|text| !text.is_empty())
}

/// Overrides a field with a value that was sent.
fn set<T: Into<String>>(field: &mut Option<String>, text: Option<T>) {
    if text.is_some() {
        *field = owned(text);
    }
}

/// The value, unless all of it is absent.
fn some<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}

/// An instant as `@timestamp` has it: whole milliseconds.
fn whole_millis(instant: Timestamp) -> Timestamp {
    Timestamp::from_micros(instant.as_micros().div_euclid(1000).saturating_mul(1000))
}

/// Sets the instant of an event that has microseconds of its own.
fn set_time(document: &mut Document, instant: Timestamp) {
    document.at = whole_millis(instant);
    document.timestamp = Some(TimestampUs { us: instant.as_micros() });
}

fn outcome(word: Option<&OutcomeWord<'_>>) -> Option<Outcome> {
    match word?.0.as_str() {
        "success" => Some(Outcome::Success),
        "failure" => Some(Outcome::Failure),
        "unknown" => Some(Outcome::Unknown),
        _ => None,
    }
}

/// 1 / sample rate; an unknown rate counts as 1, and at rate 0 the event stands for nothing.
fn representative_count(sample_rate: Option<f64>) -> Option<f64> {
    match sample_rate {
        None => Some(1.0),
        Some(rate) => Some(1.0 / rate).filter(|count| rate > 0.0 && count.is_finite()),
    }
}

/// Adds labels; one of the same name and kind that is there already is replaced.
fn add_labels(document: &mut Document, labels: Option<Labels<'_>>) {
    for (key, label) in labels.map(|labels| labels.0).unwrap_or_default() {
        let name = || sanitize_key(key.as_str()).into_owned();
        match label {
            Label::Text(text) => drop(document.labels.insert(name(), LabelValue::One(text.into()))),
            Label::Bool(value) => drop(document.labels.insert(name(), LabelValue::One(value.to_string()))),
            Label::Number(value) => drop(document.numeric_labels.insert(name(), value)),
            Label::Null | Label::Wrong => {}
        }
    }
}

fn links(links: Option<List<wire::SpanLink<'_>>>) -> Vec<Link> {
    let link = |link: wire::SpanLink<'_>| Link {
        trace: link.trace_id.map(|id| Id { id: TraceId::new(id.0) }),
        span: link.span_id.map(|id| Id { id: SpanId::new(id.0) }),
    };
    links.map(|list| list.0.into_iter().map(link).collect()).unwrap_or_default()
}

fn texts<T: Into<String>>(list: Option<List<T>>) -> Vec<String> {
    list.map(|list| list.0.into_iter().map(Into::into).collect()).unwrap_or_default()
}

fn stacktrace(frames: Option<List<wire::Frame<'_>>>) -> Vec<Frame> {
    frames.map(|list| list.0.into_iter().map(frame).collect()).unwrap_or_default()
}

fn frame(frame: wire::Frame<'_>) -> Frame {
    Frame {
        filename: owned(frame.filename),
        abs_path: owned(frame.abs_path),
        classname: owned(frame.classname),
        function: owned(frame.function),
        module: owned(frame.module),
        line: some(FrameLine {
            number: frame.lineno.map(|n| n.0),
            column: frame.colno.map(|n| n.0),
            context: owned(frame.context_line),
        }),
        context: some(FrameContext { pre: texts(frame.pre_context), post: texts(frame.post_context) }),
        library_frame: frame.library_frame.filter(|library| *library),
        exclude_from_grouping: false,
        vars: frame.vars.map(|vars| vars.0.into()),
    }
}

fn faas(from: Option<Box<wire::Faas<'_>>>, document: &mut Document) {
    let Some(from) = from else { return };
    let trigger = from.trigger.map(|t| FaasTrigger { kind: owned(t.kind), request_id: owned(t.request_id) });
    document.faas = some(Faas {
        id: owned(from.id),
        name: owned(from.name),
        version: owned(from.version),
        execution: owned(from.execution),
        coldstart: from.coldstart,
        trigger: trigger.and_then(some),
    })
    .map(Box::new);
}
