//! What the names of fields mean. The table is in the documentation of [`crate::layer`].

use crate::event::{LabelValue, Outcome, SpanRecord, Text, User, set};
use crate::layer::fields::{Fields, Value, is_error};
use crate::otel::{self, MAX_ATTRIBUTES, SpanKind, Status};
use crate::trace::Facts;
use crate::transaction::{MAX_LABELS, add_label};

/// Namespaces of OpenTelemetry's semantic conventions.
const ATTRIBUTE_NAMESPACES: [&str; 13] = [
    "client.",
    "db.",
    "faas.",
    "gen_ai.",
    "http.",
    "messaging.",
    "net.",
    "network.",
    "otel.",
    "rpc.",
    "server.",
    "url.",
    "user_agent.",
];

/// Is this an OpenTelemetry attribute?
fn is_attribute(name: &str) -> bool {
    name == "error.type" || ATTRIBUTE_NAMESPACES.iter().any(|namespace| name.starts_with(namespace))
}

fn outcome(word: &str) -> Option<Outcome> {
    [Outcome::Success, Outcome::Failure, Outcome::Unknown]
        .into_iter()
        .find(|outcome| word.eq_ignore_ascii_case(outcome.as_str()))
}

/// What a field means wherever it is; everything else comes back.
fn common(name: &'static str, value: Value, said: &mut Common) -> Option<Value> {
    let Value::Text(text) = value else { return Some(value) };
    match name {
        "otel.name" => said.name = Some(text.into()),
        "otel.kind" if SpanKind::parse(&text).is_some() => said.kind = SpanKind::parse(&text),
        "otel.status_code" if Status::parse(&text).is_some() => {
            said.outcome = Status::parse(&text).and_then(Status::outcome).or(said.outcome);
        }
        "outcome" if outcome(&text).is_some() => said.outcome = outcome(&text),
        _ if is_error(name) => said.errors.push(text.into()),
        _ => return Some(Value::Text(text)),
    }
    None
}

#[derive(Default)]
struct Common {
    name: Option<Text>,
    kind: Option<SpanKind>,
    outcome: Option<Outcome>,
    errors: Vec<Text>,
}

/// Adds fields to a transaction. The messages of errors come back.
pub(super) fn say_of_transaction(facts: &mut Facts, fields: Fields) -> Vec<Text> {
    let mut said = Common::default();
    for (name, value) in fields {
        let Some(value) = common(name, value, &mut said) else { continue };
        let user = |facts: &mut Facts, say: fn(&mut User, Text), value: Value| {
            say(facts.context.user.get_or_insert_default(), value.into_text());
        };
        match name {
            "transaction.name" => said.name = Some(value.into_text()),
            "transaction.type" => facts.kind = value.into_text(),
            "transaction.result" | "result" => facts.result = Some(value.into_text()),
            "user.id" | "enduser.id" => user(facts, |user, id| user.id = Some(id), value),
            "user.name" => user(facts, |user, name| user.username = Some(name), value),
            "user.email" => user(facts, |user, email| user.email = Some(email), value),
            _ if is_attribute(name) => {
                if facts.otel.attributes.len() < MAX_ATTRIBUTES {
                    set(&mut facts.otel.attributes, name.into(), value.into());
                }
            }
            _ => add_label(facts, name.into(), value.into()),
        }
    }
    if let Some(name) = said.name {
        facts.name = name;
    }
    facts.otel.span_kind = said.kind.or(facts.otel.span_kind);
    facts.outcome = said.outcome.or(facts.outcome);
    said.errors
}

/// Adds fields to a span. The messages of errors come back.
pub(super) fn say_of_span(record: &mut SpanRecord, fields: Fields) -> Vec<Text> {
    let mut said = Common::default();
    for (name, value) in fields {
        let Some(value) = common(name, value, &mut said) else { continue };
        match (name, value) {
            ("span.name", value) => said.name = Some(value.into_text()),
            ("span.type", value) => record.kind = value.into_text(),
            ("span.subtype", value) => record.subtype = Some(value.into_text()),
            ("span.action", value) => record.details.get_or_insert_default().action = Some(value.into_text()),
            ("span.exit", Value::Bool(exit)) => record.exit = exit,
            (name, value) => {
                let details = record.details.get_or_insert_default();
                if is_attribute(name) && details.otel.attributes.len() < MAX_ATTRIBUTES {
                    set(&mut details.otel.attributes, name.into(), value.into());
                } else if details.labels.len() < MAX_LABELS {
                    set(&mut details.labels, name.into(), LabelValue::from(value));
                }
            }
        }
    }
    if let Some(name) = said.name {
        record.name = name;
    }
    if said.kind.is_some() {
        record.details.get_or_insert_default().otel.span_kind = said.kind;
    }
    record.outcome = said.outcome.or(record.outcome);
    said.errors
}

/// The last words of a transaction: what follows from its attributes.
pub(super) fn conclude_transaction(facts: &mut Facts, outcome: &mut Outcome) {
    if facts.errored {
        *outcome = Outcome::Failure;
    }
    let Some(status) = otel::status_code(&facts.otel) else { return };
    facts.result.get_or_insert_with(|| format!("HTTP {}xx", status / 100).into());
    if status >= 500 {
        *outcome = Outcome::Failure;
    }
}

/// The last words of a span: kind, or type if it has neither.
pub(super) fn conclude_span(record: &mut SpanRecord, outcome: &mut Outcome) {
    if let Some(details) = record.details.as_deref_mut() {
        if details.otel.span_kind.is_none() && otel::is_call(&details.otel) {
            details.otel.span_kind = Some(SpanKind::Client);
        }
        if otel::status_code(&details.otel).is_some_and(|status| status >= 400) {
            *outcome = Outcome::Failure;
        }
    }
    let has_kind = record.details.as_deref().is_some_and(|details| details.otel.span_kind.is_some());
    if !has_kind && record.kind == "custom" {
        record.kind = Text::Borrowed("app");
        record.subtype.get_or_insert(Text::Borrowed("internal"));
    }
}
