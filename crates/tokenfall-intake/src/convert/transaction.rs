//! `transaction` → document.

use tokenfall_model::document::{
    DroppedSpanStats, DurationUs, Event, Experience, Id, LongTask, Session, Span, SpanCount, Transaction,
};
use tokenfall_model::{Document, EventKind, Micros, SpanId, TraceId, TransactionId};

use super::{context, faas, links, otel, outcome, owned, representative_count, set_time, some};
use crate::wire::{self, Int, List, TransactionRoot, sanitize_key};

pub(crate) fn transaction(root: TransactionRoot<'_>, mut document: Document) -> Document {
    let Some(from) = root.transaction.map(|t| *t) else { return document };
    document.processor.event = EventKind::Transaction;
    let instant = from.timestamp.and_then(wire::Time::instant).unwrap_or(document.at);
    set_time(&mut document, instant);
    let own = context::context(&mut document, from.context);
    faas(from.faas, &mut document);
    document.event = Some(Event { outcome: outcome(from.outcome.as_ref()), ..Event::default() });
    document.trace = from.trace_id.map(|id| Id { id: TraceId::new(id.0) });
    document.parent = from.parent_id.filter(|id| !id.as_str().is_empty()).map(|id| Id { id: SpanId::new(id.0) });
    document.session = from.session.map(|s| Session { id: owned(s.id), sequence: s.sequence.map(Int::count) });
    let id = from.id.unwrap_or_default();
    document.span =
        Some(Box::new(Span { id: Some(SpanId::new(id.as_str())), links: links(from.links), ..Span::default() }));
    document.transaction = Some(Box::new(Transaction {
        id: Some(TransactionId::new(id.0)),
        name: owned(from.name),
        kind: owned(from.kind),
        duration: from.duration.map(|ms| DurationUs { us: Micros::from_millis(ms) }),
        result: owned(from.result),
        sampled: Some(from.sampled.unwrap_or(true)),
        representative_count: representative_count(from.sample_rate),
        span_count: from
            .span_count
            .map(|count| SpanCount { started: count.started.map(Int::count), dropped: count.dropped.map(Int::count) }),
        root: None,
        marks: from.marks.map(marks).unwrap_or_default(),
        custom: own.custom,
        message: own.message,
        experience: from.experience.and_then(|e| some(experience(e))).map(Box::new),
        dropped_spans_stats: dropped_spans_stats(from.dropped_spans_stats),
    }));
    if let Some(from) = from.otel {
        otel::transaction(&mut document, from);
    }
    if let Some(transaction) = &mut document.transaction
        && transaction.kind.is_none()
    {
        transaction.kind = Some("unknown".into());
    }
    document
}

fn marks(from: wire::Marks) -> std::collections::BTreeMap<String, std::collections::BTreeMap<String, f64>> {
    let names = |marks: std::collections::BTreeMap<String, f64>| {
        marks.into_iter().map(|(name, ms)| (sanitize_key(&name).into_owned(), ms)).collect()
    };
    from.0.into_iter().map(|(group, marks)| (sanitize_key(&group).into_owned(), names(marks))).collect()
}

fn experience(from: wire::Experience) -> Experience {
    Experience {
        cls: from.cls,
        fid: from.fid,
        tbt: from.tbt,
        longtask: from.longtask.map(|task| LongTask {
            count: task.count.map(Int::count),
            sum: task.sum,
            max: task.max,
        }),
    }
}

fn dropped_spans_stats(from: Option<List<wire::DroppedSpanStats<'_>>>) -> Vec<DroppedSpanStats> {
    let row = |row: wire::DroppedSpanStats<'_>| {
        let (count, sum) = row.duration.map(|d| (d.count, d.sum.and_then(|sum| sum.us))).unwrap_or_default();
        DroppedSpanStats {
            destination_service_resource: owned(row.destination_service_resource),
            service_target_type: owned(row.service_target_type),
            service_target_name: owned(row.service_target_name),
            outcome: outcome(row.outcome.as_ref()),
            count: count.map(Int::count),
            sum: sum.map(|us| DurationUs { us: Micros::new(us.count()) }),
        }
    };
    from.map(|list| list.0.into_iter().map(row).collect()).unwrap_or_default()
}
