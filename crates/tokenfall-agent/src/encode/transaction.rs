//! `transaction`

use crate::event::{Outcome, TransactionRecord};
use crate::limits::DROPPED_TARGET_CHARS;
use crate::settings::CaptureBody;

use super::rules::Rules;
use super::writer::Object;
use super::{context, count, labels, links, milliseconds, or};

pub(super) fn write(o: &mut Object<'_>, transaction: &TransactionRecord, rules: Rules<'_>) {
    o.value("id", transaction.id);
    o.value("trace_id", transaction.trace_id);
    o.value("parent_id", transaction.parent_id);
    o.keyword("name", or(&transaction.name, "unnamed"));
    o.keyword("type", or(&transaction.kind, "custom"));
    o.value("timestamp", count(transaction.timestamp_us));
    o.number("duration", milliseconds(transaction.duration_ns));
    o.keyword("result", transaction.result.as_deref());
    o.value("outcome", transaction.outcome.map(Outcome::as_str));
    o.value("sampled", true);
    o.number("sample_rate", transaction.sample_rate);
    o.object("span_count", |o| {
        o.value("started", transaction.spans_started);
        o.value("dropped", transaction.spans_dropped);
    });
    let dropped = transaction.dropped_spans.iter().filter(|group| group.count > 0).take(rules.n_dropped_groups());
    o.list("dropped_spans_stats", dropped, |o, group| {
        o.keyword("destination_service_resource", group.resource.as_ref());
        o.text("service_target_type", group.target.kind.as_deref(), DROPPED_TARGET_CHARS);
        o.text("service_target_name", group.target.name.as_deref(), DROPPED_TARGET_CHARS);
        o.value("outcome", group.outcome.as_str());
        o.object("duration", |o| {
            o.value("count", count(group.count));
            o.object("sum", |o| o.value("us", count(group.sum_ns / 1000)));
        });
    });
    links(o, &transaction.links, rules);
    labels::otel(o, &transaction.otel, transaction.context.labels.len(), rules);
    let captures_body = matches!(rules.settings.capture_body, CaptureBody::Transactions | CaptureBody::All);
    let n_attributes = transaction.otel.attributes.len();
    o.object("context", |o| context::write(o, &transaction.context, n_attributes, captures_body, rules));
}
