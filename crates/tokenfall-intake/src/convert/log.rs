//! `log` → document.

use tokenfall_model::document::{Error, Event, Id, Log, LogOrigin, LogOriginFile, Name, Span, Transaction};
use tokenfall_model::{Document, EventKind, ServiceName, SpanId, TraceId, TransactionId};

use super::{add_labels, faas, owned, set, some, whole_millis};
use crate::wire::{self, LogRoot};

/// A record with any field of `error` becomes an error.
pub(crate) fn log(root: LogRoot<'_>, mut document: Document) -> Document {
    let Some(from) = root.log.map(|log| *log) else { return document };
    document.at = whole_millis(from.timestamp.and_then(wire::Time::instant).unwrap_or(document.at));
    document.message = owned(from.message);
    document.trace = from.trace_id.map(|id| Id { id: TraceId::new(id.0) });
    let span = from.span_id.as_ref().or(from.transaction_id.as_ref());
    document.span = span.map(|id| Box::new(Span { id: Some(SpanId::new(id.as_str())), ..Span::default() }));
    document.transaction = from
        .transaction_id
        .map(|id| Box::new(Transaction { id: Some(TransactionId::new(id.0)), ..Transaction::default() }));

    // Of a field that stands there flat and nested, the nested one counts.
    let nested = from.log.unwrap_or_default();
    let origin = nested.origin.unwrap_or_default();
    let file = origin.file.unwrap_or_default();
    let file = LogOriginFile {
        name: owned(file.name.or(from.origin_file_name)),
        line: file.line.or(from.origin_file_line).map(|line| line.0),
    };
    let origin = LogOrigin { function: owned(origin.function.or(from.origin_function)), file: some(file) };
    document.log = some(Log {
        level: owned(nested.level.or(from.level)),
        logger: owned(nested.logger.or(from.logger)),
        origin: some(origin),
    })
    .map(Box::new);

    let nested = from.service.unwrap_or_default();
    if let Some(name) = nested.name.or(from.service_name).filter(|name| !name.as_str().is_empty()) {
        document.service.name = ServiceName::new(name.0);
    }
    set(&mut document.service.version, nested.version.or(from.service_version));
    set(&mut document.service.environment, nested.environment.or(from.service_environment));
    if let Some(name) = owned(nested.node.and_then(|node| node.name).or(from.service_node_name)) {
        document.service.node = Some(Name { name });
    }
    let thread = from.process.and_then(|p| p.thread).and_then(|t| t.name).or(from.process_thread_name);
    if let Some(name) = owned(thread) {
        document.process.get_or_insert_default().thread = Some(Name { name });
    }
    let dataset = owned(from.event.and_then(|event| event.dataset).or(from.event_dataset));

    let nested = from.error.unwrap_or_default();
    document.error = some(Error {
        kind: owned(nested.kind.or(from.error_type)),
        message: owned(nested.message.or(from.error_message)),
        stack_trace: owned(nested.stack_trace.or(from.error_stack_trace)),
        ..Error::default()
    })
    .map(Box::new);
    let is_error = document.error.is_some();
    document.processor.event = if is_error { EventKind::Error } else { EventKind::Log };
    let kind = (!is_error).then(|| "event".to_owned());
    document.event = some(Event { kind, dataset, ..Event::default() });
    faas(from.faas, &mut document);
    add_labels(&mut document, from.labels);
    document
}
