//! `span`

use std::borrow::Cow;

use crate::event::{CompressionStrategy, Outcome, SpanDetails, SpanRecord, Text};
use crate::target;

use super::rules::Rules;
use super::writer::Object;
use super::{count, error, labels, links, milliseconds, or, url};

pub(super) fn write(o: &mut Object<'_>, span: &SpanRecord, rules: Rules<'_>) {
    o.value("id", span.id);
    o.value("trace_id", span.trace_id);
    o.value("transaction_id", span.transaction_id);
    o.value("parent_id", span.parent_id);
    o.keyword("name", or(&span.name, "unnamed"));
    o.keyword("type", or(&span.kind, "custom"));
    o.keyword("subtype", span.subtype.as_deref());
    o.value("timestamp", count(span.timestamp_us));
    o.number("duration", milliseconds(span.duration_ns));
    o.value("outcome", span.outcome.map(Outcome::as_str));
    o.number("sample_rate", span.sample_rate);
    if let Some(composite) = span.composite.filter(|composite| composite.count > 1) {
        o.object("composite", |o| {
            let strategy = match composite.strategy {
                CompressionStrategy::ExactMatch => "exact_match",
                CompressionStrategy::SameKind => "same_kind",
            };
            o.value("compression_strategy", strategy);
            o.value("count", composite.count);
            o.number("sum", milliseconds(composite.sum_ns));
        });
    }
    let none = SpanDetails::default();
    let details = span.details.as_deref().unwrap_or(&none);
    o.keyword("action", details.action.as_deref());
    o.value("sync", details.sync);
    links(o, &details.links, rules);
    labels::otel(o, &details.otel, details.labels.len(), rules);
    if let Some(stack) = &details.stack {
        error::stack_trace(o, &stack.frames(rules.n_frames()));
    }
    o.object("context", |o| context(o, span, details, rules));
}

fn context(o: &mut Object<'_>, span: &SpanRecord, details: &SpanDetails, rules: Rules<'_>) {
    labels::labels(o, "tags", &details.labels, details.otel.attributes.len(), rules);
    if span.exit {
        callee(o, span, details);
    }
    if let Some(db) = &details.db {
        o.object("db", |o| {
            o.keyword("instance", db.instance.as_deref());
            o.keyword("type", db.kind.as_deref());
            o.keyword("user", db.user.as_deref());
            o.text("statement", db.statement.as_deref(), rules.long_chars());
            o.value("rows_affected", db.rows_affected.map(count));
        });
    }
    if let Some(http) = &details.http {
        o.object("http", |o| {
            o.keyword("method", http.method.as_deref());
            o.text("url", http.url.as_deref(), rules.long_chars());
            o.value("status_code", http.status_code);
        });
    }
    o.object("message", |o| o.object("queue", |o| o.keyword("name", details.queue.as_deref())));
}

/// `service.target` and `destination`
fn callee(o: &mut Object<'_>, span: &SpanRecord, details: &SpanDetails) {
    let target = target::service_target(span);
    let mut resource = None;
    if let Some(target) = &target {
        o.object("service", |o| {
            o.object("target", |o| {
                o.keyword("type", target.kind.as_deref());
                o.keyword("name", target.name.as_deref());
            });
        });
        resource = target::resource(span, target);
    }
    let address = url::Parts::of(details.http.as_ref().and_then(|http| http.url.as_deref()).unwrap_or_default());
    let given = details.address.as_ref().map(|host| (Cow::Borrowed(host.as_ref()), details.port));
    let found = || address.host.map(|host| (Cow::Borrowed(host), details.port.or(address.port)));
    o.object("destination", |o| {
        if let Some((host, port)) = given.or_else(found) {
            o.keyword("address", host.as_ref());
            o.value("port", port);
        }
        o.object("service", |o| o.keyword("resource", resource.as_ref().map(Text::as_ref)));
    });
}
