//! `error` → document.

use tokenfall_model::document::{Error, ErrorLog, Exception, Id, Span, Transaction};
use tokenfall_model::{Document, ErrorId, EventKind, SpanId, TraceId, TransactionId};

use super::{context, owned, set_time, stacktrace};
use crate::wire::{self, ErrorRoot, StrOrInt};

pub(crate) fn error(root: ErrorRoot<'_>, mut document: Document) -> Document {
    let Some(from) = root.error.map(|error| *error) else { return document };
    document.processor.event = EventKind::Error;
    let instant = from.timestamp.and_then(wire::Time::instant).unwrap_or(document.at);
    set_time(&mut document, instant);
    let own = context::context(&mut document, from.context);
    document.trace = from.trace_id.map(|id| Id { id: TraceId::new(id.0) });
    document.parent = from.parent_id.map(|id| Id { id: SpanId::new(id.0) });
    if from.transaction_id.is_some() || from.transaction.is_some() {
        let about = from.transaction.unwrap_or_default();
        document.span = from
            .transaction_id
            .as_ref()
            .map(|id| Box::new(Span { id: Some(SpanId::new(id.as_str())), ..Span::default() }));
        document.transaction = Some(Box::new(Transaction {
            id: from.transaction_id.map(|id| TransactionId::new(id.0)),
            name: owned(about.name),
            kind: owned(about.kind),
            sampled: about.sampled,
            ..Transaction::default()
        }));
    }
    let mut exceptions = Vec::new();
    if let Some(exception) = from.exception {
        flatten(*exception, None, &mut exceptions);
    }
    document.error = Some(Box::new(Error {
        id: from.id.map(|id| ErrorId::new(id.0)),
        culprit: owned(from.culprit),
        exception: exceptions,
        log: from.log.map(|log| Box::new(error_log(*log))),
        custom: own.custom,
        ..Error::default()
    }));
    document
}

/// Appends an exception and its causes, depth first. `parent` is the index of the exception that it caused, unless
/// that is the element just before.
fn flatten(from: wire::Exception<'_>, parent: Option<u64>, into: &mut Vec<Exception>) {
    let index = into.len() as u64;
    into.push(Exception {
        message: owned(from.message),
        kind: owned(from.kind),
        module: owned(from.module),
        code: from.code.map(StrOrInt::into_text).filter(|code| !code.is_empty()),
        handled: from.handled,
        parent,
        attributes: from.attributes.map(|attributes| attributes.0.into()),
        stacktrace: stacktrace(from.stacktrace),
    });
    for (i, cause) in from.cause.map(|list| list.0).unwrap_or_default().into_iter().enumerate() {
        flatten(cause, (i > 0).then_some(index), into);
    }
}

fn error_log(from: wire::ErrorLog<'_>) -> ErrorLog {
    ErrorLog {
        message: owned(from.message),
        param_message: owned(from.param_message),
        level: owned(from.level).or_else(|| Some("error".into())),
        logger_name: owned(from.logger_name),
        stacktrace: stacktrace(from.stacktrace),
    }
}
