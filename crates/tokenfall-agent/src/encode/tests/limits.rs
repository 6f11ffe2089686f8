//! At a limit and one over it.

use serde_json::{Value, json};

use super::{decoded, fields, line, span, text, transaction};
use crate::event::{
    AttributeValue, Db, ErrorKind, ErrorRecord, Event, EventContext, Exception, LabelValue, LogRecord, OtelData,
    Request, SpanDetails, Text,
};
use crate::id::ErrorId;
use crate::limits::{KEYWORD_CHARS, LABELS, LINE_BYTES};
use crate::settings::{CaptureBody, Settings};
use crate::stacktrace::StackTrace;

fn chars(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

#[test]
fn keywords_and_labels_have_1024_characters() {
    for (n, expect) in [(KEYWORD_CHARS, 'ä'), (KEYWORD_CHARS + 1, '…')] {
        let long = || Text::Owned("ä".repeat(n));
        let mut record = span(Some(SpanDetails {
            action: Some(long()),
            labels: vec![(text("label"), LabelValue::Text(long()))],
            otel: OtelData { span_kind: None, attributes: vec![(text("attribute"), AttributeValue::Text(long()))] },
            ..SpanDetails::default()
        }));
        (record.name, record.kind, record.subtype) = (long(), long(), Some(long()));
        let event = Event::Span(record);
        let span = fields(&event, &Settings::default());
        let labels = &span["context"]["tags"]["label"];
        let attribute = &span["otel"]["attributes"]["attribute"];
        for text in [&span["name"], &span["type"], &span["subtype"], &span["action"], labels, attribute] {
            assert_eq!(chars(text), KEYWORD_CHARS);
            assert!(text.as_str().is_some_and(|text| text.ends_with(expect)));
        }
        decoded(&event, &Settings::default());
    }
}

#[test]
fn long_fields_have_the_length_of_the_settings() {
    let settings = Settings {
        long_field_max_length: 2000,
        capture_body: CaptureBody::All,
        capture_content: true,
        ..Settings::default()
    };
    let long = |n| Text::Owned("x".repeat(n));
    let check = |fields: &Value, path: &str| assert_eq!(chars(fields.pointer(path).expect(path)), 2000, "{path}");
    let otel = OtelData {
        span_kind: None,
        attributes: vec![(text("gen_ai.input.messages"), AttributeValue::Text(long(2001)))],
    };
    let db = Db { statement: Some(long(2001)), ..Db::default() };
    let record = span(Some(SpanDetails { db: Some(db), otel, ..SpanDetails::default() }));
    let span = fields(&Event::Span(record), &settings);
    check(&span, "/context/db/statement");
    check(&span, "/otel/attributes/gen_ai.input.messages");

    let request = Request { method: text("POST"), body: Some(long(2001)), ..Request::default() };
    let context = EventContext { request: Some(Box::new(request)), ..EventContext::default() };
    check(&fields(&Event::Transaction(Box::new(transaction(context))), &settings), "/context/request/body");

    let exception = Exception {
        message: long(2001),
        causes: vec![Exception { message: long(2001), ..Exception::default() }],
        ..Exception::default()
    };
    let error = fields(&error(ErrorKind::Exception(exception)), &settings);
    check(&error, "/exception/message");
    check(&error, "/exception/cause/0/message");
    let log = ErrorKind::Log { message: long(2001), level: text("error"), logger: None };
    check(&fields(&self::error(log), &settings), "/log/message");
}

fn error(what: ErrorKind) -> Event {
    Event::Error(Box::new(ErrorRecord {
        id: ErrorId::random(),
        timestamp_us: 1,
        place: None,
        culprit: None,
        what,
        context: EventContext::default(),
    }))
}

#[test]
fn labels_and_attributes_together_are_no_more_than_the_server_takes() {
    let label = |i: usize| (Text::Owned(format!("label{i}")), LabelValue::from(i));
    let attribute = |i: usize| (Text::Owned(format!("attribute{i}")), AttributeValue::from(i));
    let with = |n_labels: usize, n_attributes: usize| {
        let otel = OtelData { span_kind: None, attributes: (0..n_attributes).map(attribute).collect() };
        let details = SpanDetails { labels: (0..n_labels).map(label).collect(), otel, ..SpanDetails::default() };
        Event::Span(span(Some(details)))
    };
    let whole = decoded(&with(LABELS / 2, LABELS / 2), &Settings::default());
    assert_eq!(whole.numeric_labels.len(), LABELS);
    assert_eq!(whole.labels.len(), 0);
    for event in [with(LABELS / 2, LABELS / 2 + 1), with(1024, 1024)] {
        let cut = decoded(&event, &Settings::default());
        assert_eq!(cut.numeric_labels.len(), LABELS);
        assert!(cut.labels.contains_key("tokenfall_truncated"));
    }
}

#[test]
fn custom_values_are_as_deep_as_the_server_takes() {
    let nest = |inner, i: usize| {
        if i.is_multiple_of(2) {
            Value::Array(vec![inner])
        } else {
            Value::Object([("k".to_owned(), inner)].into_iter().collect())
        }
    };
    let nested = (0..5000).fold(json!("bottom"), nest);
    let context = EventContext { custom: vec![(text("deep"), nested)], ..EventContext::default() };
    let document = decoded(&Event::Transaction(Box::new(transaction(context))), &Settings::default());
    let stored = serde_json::to_string(&document.transaction.and_then(|t| t.custom)).expect("JSON");
    assert!(stored.contains('…') && !stored.contains("bottom"));
}

fn long_stack(frames: usize) -> StackTrace {
    let frame = |i| format!("{i:4}: shop::{}::f{i}\n             at ./demo/{i}.rs:1:1\n", "m".repeat(900));
    StackTrace::Printed((0..frames).map(frame).collect::<String>().into())
}

#[test]
fn a_line_that_would_be_too_long_loses_what_is_least_needed() {
    let settings = Settings {
        long_field_max_length: 400_000,
        stack_trace_limit: 500,
        capture_body: CaptureBody::All,
        capture_content: true,
        ..Settings::default()
    };
    let truncated =
        |fields: &Value, tags: &str| fields.pointer(tags)?["tokenfall_truncated"].as_str().map(str::to_owned);

    let db = || Db { statement: Some(Text::Owned("s".repeat(2000))), ..Db::default() };
    let details = SpanDetails { stack: Some(long_stack(500)), db: Some(db()), ..SpanDetails::default() };
    let fields_of_span = fields(&Event::Span(span(Some(details))), &settings);
    assert_eq!(fields_of_span["stacktrace"].as_array().map(Vec::len), Some(10));
    assert_eq!(chars(&fields_of_span["context"]["db"]["statement"]), 2000);
    assert_eq!(truncated(&fields_of_span, "/context/tags").as_deref(), Some("stack trace"));

    let attributes = vec![
        (text("gen_ai.output.messages"), AttributeValue::Text(Text::Owned("x".repeat(350_000)))),
        (text("gen_ai.usage.input_tokens"), AttributeValue::from(12)),
    ];
    let otel = OtelData { span_kind: None, attributes };
    let fields_of_span = fields(&Event::Span(span(Some(SpanDetails { otel, ..SpanDetails::default() }))), &settings);
    assert_eq!(fields_of_span["otel"]["attributes"], json!({"gen_ai.usage.input_tokens": 12}));
    assert_eq!(truncated(&fields_of_span, "/context/tags").as_deref(), Some("stack trace, content"));

    let request = |n| Request { method: text("POST"), body: Some(Text::Owned("b".repeat(n))), ..Request::default() };
    let context = |custom, body| EventContext {
        custom: vec![(text("big"), json!("c".repeat(custom)))],
        request: Some(Box::new(request(body))),
        ..EventContext::default()
    };
    let check = |custom, body, has_custom: bool, has_body: bool| {
        let event = Event::Transaction(Box::new(transaction(context(custom, body))));
        let context = &fields(&event, &settings)["context"];
        assert_eq!(context.get("custom").is_some(), has_custom, "{custom} {body}");
        assert_eq!(context["request"].get("body").is_some(), has_body, "{custom} {body}");
        assert_eq!(context["tags"].get("tokenfall_truncated").is_some(), !(has_custom && has_body));
        assert_eq!(context["request"]["method"], "POST");
        decoded(&event, &settings);
    };
    check(100_000, 100_000, true, true);
    check(350_000, 100_000, false, true);
    check(350_000, 350_000, false, false);
    check(10, 350_000, false, false);

    let log = LogRecord {
        timestamp_us: 1,
        message: Text::Owned("m".repeat(350_000)),
        level: text("info"),
        logger: None,
        file: None,
        line: None,
        place: None,
        labels: Vec::new(),
    };
    let log = fields(&Event::Log(Box::new(log)), &settings);
    assert_eq!(chars(&log["message"]), KEYWORD_CHARS);
    assert!(truncated(&log, "/labels").is_some());
}

#[test]
fn the_longest_line_that_fits_is_not_touched() {
    let settings = Settings { long_field_max_length: 400_000, ..Settings::default() };
    let of = |n: usize| {
        let db = Db { statement: Some(Text::Owned("s".repeat(n))), ..Db::default() };
        line(&Event::Span(span(Some(SpanDetails { db: Some(db), ..SpanDetails::default() }))), &settings)
    };
    let around = of(1).len();
    // The line feed counts.
    let longest = of(LINE_BYTES - around);
    assert_eq!(longest.len() + 1, LINE_BYTES);
    assert!(!longest.contains("tokenfall_truncated"));
    assert!(of(LINE_BYTES - around + 1).contains("tokenfall_truncated"));
}

#[test]
fn conversations_stay_in_the_program_whoever_tells_of_them() {
    let told = ["gen_ai.prompt", "gen_ai.prompt.0.content", "gen_ai.output.messages", "gen_ai.system_instructions"];
    let kept = ["gen_ai.prompts_seen", "gen_ai.request.model"];
    let attributes = told.iter().chain(&kept).map(|key| (text(key), AttributeValue::Text(text("what was said"))));
    let otel = OtelData { span_kind: None, attributes: attributes.collect() };
    let event = Event::Span(span(Some(SpanDetails { otel, ..SpanDetails::default() })));
    let written = |capture_content| {
        let fields = fields(&event, &Settings { capture_content, ..Settings::default() });
        let attributes = fields["otel"]["attributes"].as_object().expect("attributes").clone();
        attributes.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(written(false), kept);
    assert_eq!(written(true).len(), told.len() + kept.len());
}
