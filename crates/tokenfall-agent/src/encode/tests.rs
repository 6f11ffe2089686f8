//! What is written is what Tokenfall's server reads, whatever is in the event.

mod golden;
mod limits;
mod properties;

use std::time::Instant;

use serde_json::Value;
use tokenfall_intake::{Document, IntakeStream, StreamOptions};

use crate::event::{Event, EventContext, OtelData, Outcome, SpanDetails, SpanRecord, Text, TransactionRecord};
use crate::id::{SpanId, TraceId};
use crate::settings::Settings;

const METADATA: &[u8] =
    b"{\"metadata\":{\"service\":{\"name\":\"shop\",\"agent\":{\"name\":\"rust\",\"version\":\"0.1.0\"}}}}\n";

/// The line of an event, without its line feed.
fn line(event: &Event, settings: &Settings) -> String {
    let mut out = b"before".to_vec();
    super::event(event, settings, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    let line = text.strip_prefix("before").and_then(|text| text.strip_suffix('\n')).expect("a line is appended");
    assert!(!line.contains('\n'), "one line");
    assert!(line.len() < crate::limits::LINE_BYTES);
    line.to_owned()
}

/// The line as JSON, below the kind of event.
fn fields(event: &Event, settings: &Settings) -> Value {
    let line: Value = serde_json::from_str(&line(event, settings)).expect("JSON");
    line.as_object().and_then(|line| line.values().next()).cloned().expect("an event")
}

/// What the server makes of an event. It must have nothing to say against it.
fn decoded(event: &Event, settings: &Settings) -> Document {
    let mut stream = IntakeStream::new(StreamOptions::default());
    let mut documents = Vec::new();
    stream.feed(METADATA, &mut documents);
    stream.feed(line(event, settings).as_bytes(), &mut documents);
    stream.finish(&mut documents);
    assert_eq!(stream.errors().iter().map(|error| error.message.as_str()).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn trace_id() -> TraceId {
    TraceId::from_raw(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c).expect("not zero")
}

fn span_id(n: u64) -> SpanId {
    SpanId::from_raw(n).expect("not zero")
}

fn text(text: &'static str) -> Text {
    Text::Borrowed(text)
}

fn span(details: Option<SpanDetails>) -> SpanRecord {
    SpanRecord {
        trace_id: trace_id(),
        transaction_id: span_id(1),
        parent_id: span_id(2),
        id: span_id(3),
        name: text("SELECT FROM cart"),
        kind: text("db"),
        subtype: Some(text("postgresql")),
        timestamp_us: 1_700_000_000_000_001,
        duration_ns: 1_234_500,
        start: Instant::now(),
        outcome: Some(Outcome::Success),
        sample_rate: Some(0.5),
        exit: true,
        propagated: false,
        composite: None,
        covered_ns: 0,
        details: details.map(Box::new),
    }
}

fn transaction(context: EventContext) -> TransactionRecord {
    TransactionRecord {
        trace_id: trace_id(),
        id: span_id(1),
        parent_id: Some(span_id(9)),
        name: text("GET /cart"),
        kind: text("request"),
        timestamp_us: 1_700_000_000_000_000,
        duration_ns: 2_000_000,
        result: Some(text("HTTP 2xx")),
        outcome: Some(Outcome::Success),
        sample_rate: Some(0.25),
        spans_started: 7,
        spans_dropped: 2,
        dropped_spans: Vec::new(),
        context,
        links: Vec::new(),
        otel: OtelData::default(),
        self_times: Vec::new(),
    }
}
