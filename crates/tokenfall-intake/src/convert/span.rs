//! `span` → document.

use std::net::IpAddr;

use tokenfall_model::document::{
    Children, Composite, Db, DestinationService, DurationUs, Endpoint, Event, Id, Name, Span, SpanDestination,
    Transaction,
};
use tokenfall_model::{Document, EventKind, Micros, SpanId, TraceId, TransactionId};

use super::context::{int, message, service, span_http};
use super::{add_labels, links, otel, outcome, owned, representative_count, set_time, some, stacktrace};
use crate::wire::{self, Int, SpanRoot};

pub(crate) fn span(root: SpanRoot<'_>, mut document: Document) -> Document {
    let Some(from) = root.span.map(|span| *span) else { return document };
    document.processor.event = EventKind::Span;
    let sent = from.timestamp.and_then(wire::Time::instant);
    // Without a timestamp, `start` counts milliseconds from the time of the request.
    let offset_us = from.start.map_or(0, |ms| (ms * 1000.0) as i64);
    let instant = sent.unwrap_or_else(|| document.at.saturating_add(offset_us));
    set_time(&mut document, instant);
    document.event = Some(Event { outcome: outcome(from.outcome.as_ref()), ..Event::default() });
    document.trace = from.trace_id.map(|id| Id { id: TraceId::new(id.0) });
    document.parent = from.parent_id.map(|id| Id { id: SpanId::new(id.0) });
    document.child = from.child_ids.map(|ids| Children { id: ids.0.into_iter().map(|id| SpanId::new(id.0)).collect() });
    document.transaction = from
        .transaction_id
        .filter(|id| !id.as_str().is_empty())
        .map(|id| Box::new(Transaction { id: Some(TransactionId::new(id.0)), ..Transaction::default() }));
    let (kind, subtype, action) = if from.subtype.is_none() && from.action.is_none() {
        split_kind(from.kind.as_ref().map_or("", wire::Keyword::as_str))
    } else {
        (owned(from.kind), owned(from.subtype), owned(from.action))
    };
    let mut span = Box::new(Span {
        id: from.id.map(|id| SpanId::new(id.0)),
        name: owned(from.name),
        kind,
        subtype,
        action,
        duration: from.duration.map(|ms| DurationUs { us: Micros::from_millis(ms) }),
        sync: from.sync,
        representative_count: representative_count(from.sample_rate),
        composite: from.composite.map(composite),
        links: links(from.links),
        stacktrace: stacktrace(from.stacktrace),
        ..Span::default()
    });
    if let Some(context) = from.context {
        apply(&mut document, &mut span, *context);
    }
    document.span = Some(span);
    if let Some(from) = from.otel {
        otel::span(&mut document, from);
    }
    if let Some(span) = &mut document.span
        && span.kind.is_none()
    {
        span.kind = Some("unknown".into());
    }
    document
}

fn apply(document: &mut Document, span: &mut Span, from: wire::SpanContext<'_>) {
    service(document, from.service);
    span_http(document, from.http);
    span.message = from.message.and_then(message);
    span.db = from.db.and_then(|db| {
        some(Db {
            instance: owned(db.instance),
            kind: owned(db.kind),
            statement: owned(db.statement),
            user: owned(db.user).map(|name| Name { name }),
            link: owned(db.link),
            rows_affected: int(db.rows_affected),
        })
        .map(Box::new)
    });
    if let Some(destination) = from.destination {
        let address = owned(destination.address);
        let ip = address.as_ref().and_then(|a| a.parse::<IpAddr>().ok()).map(|ip| ip.to_string());
        document.destination =
            some(Endpoint { address, ip, port: int(destination.port), ..Endpoint::default() }).map(Box::new);
        span.destination = destination
            .service
            .and_then(|s| {
                some(DestinationService { resource: owned(s.resource), name: owned(s.name), kind: owned(s.kind) })
            })
            .map(|service| SpanDestination { service: Some(service) });
    }
    add_labels(document, from.tags);
}

/// A type with neither subtype nor action may hold all three: `db.postgresql.query`.
fn split_kind(kind: &str) -> (Option<String>, Option<String>, Option<String>) {
    let mut parts = kind.splitn(3, '.');
    let mut part = || parts.next().filter(|part| !part.is_empty()).map(ToOwned::to_owned);
    (part(), part(), part())
}

fn composite(from: wire::Composite<'_>) -> Composite {
    let strategy = owned(from.compression_strategy);
    Composite {
        count: from.count.map(Int::count).unwrap_or_default(),
        sum: DurationUs { us: Micros::from_millis(from.sum.unwrap_or_default()) },
        compression_strategy: strategy.filter(|word| matches!(word.as_str(), "exact_match" | "same_kind")),
    }
}
