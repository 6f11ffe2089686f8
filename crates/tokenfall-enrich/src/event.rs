//! Outcome, success count and the root flag.

use tokenfall_model::document::Event;
use tokenfall_model::{Document, EventKind, Outcome};

/// Gives a transaction or span an outcome and its success count.
pub(crate) fn outcome(document: &mut Document) {
    let status = document.http.as_ref().and_then(|h| h.response.as_ref()).and_then(|r| r.status_code);
    let derive = match document.kind() {
        EventKind::Transaction => Outcome::of_server_status,
        EventKind::Span => Outcome::of_client_status,
        EventKind::Error | EventKind::Metricset | EventKind::Log => return,
    };
    let weight = document.representative_count();
    let event = document.event.get_or_insert_with(Event::default);
    let outcome = *event.outcome.get_or_insert_with(|| status.map_or(Outcome::Unknown, derive));
    event.success_count = match outcome {
        Outcome::Success => Some(weight).filter(|weight| *weight > 0.0),
        Outcome::Failure => Some(0.0),
        Outcome::Unknown => None,
    };
}

/// Marks transactions that nothing else caused.
pub(crate) fn root(document: &mut Document) {
    let root = document.parent.is_none();
    if document.kind() == EventKind::Transaction
        && let Some(transaction) = &mut document.transaction
    {
        transaction.root = Some(root);
    }
}

#[cfg(test)]
mod tests {
    use tokenfall_model::document::{Http, HttpResponse, Span, Transaction};
    use tokenfall_model::{ServiceName, Timestamp};

    use super::*;

    fn document(kind: EventKind, status_code: Option<i64>) -> Document {
        let mut document = Document::new(Timestamp::default(), kind, ServiceName::new("s"));
        document.transaction =
            Some(Box::new(Transaction { representative_count: Some(4.0), ..Transaction::default() }));
        document.span = Some(Box::new(Span { representative_count: Some(2.0), ..Span::default() }));
        document.http = Some(Box::new(Http {
            response: Some(Box::new(HttpResponse { status_code, ..HttpResponse::default() })),
            ..Http::default()
        }));
        document
    }

    #[test]
    fn status_decides_differently_for_servers_and_clients() {
        for (kind, status, expected, count) in [
            (EventKind::Transaction, Some(404), Outcome::Success, Some(4.0)),
            (EventKind::Transaction, Some(500), Outcome::Failure, Some(0.0)),
            (EventKind::Span, Some(399), Outcome::Success, Some(2.0)),
            (EventKind::Span, Some(404), Outcome::Failure, Some(0.0)),
            (EventKind::Span, None, Outcome::Unknown, None),
        ] {
            let mut document = document(kind, status);
            outcome(&mut document);
            let event = document.event.unwrap();
            assert_eq!((event.outcome, event.success_count), (Some(expected), count), "{kind:?} {status:?}");
        }
    }

    #[test]
    fn what_was_sent_is_kept() {
        let mut document = document(EventKind::Span, Some(500));
        document.event = Some(Event { outcome: Some(Outcome::Success), ..Event::default() });
        outcome(&mut document);
        assert_eq!(document.outcome(), Some(Outcome::Success));
    }
}
