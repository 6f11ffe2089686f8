//! Every field, from the record through the line to the document.

use serde_json::json;
use tokenfall_model::document::LabelValue as Stored;
use tokenfall_model::{Document, EventKind, Outcome as StoredOutcome};

use super::{decoded, fields, line, span, span_id, text, trace_id, transaction};
use crate::event::{
    AttributeValue, Composite, CompressionStrategy, Db, DroppedSpans, ErrorKind, ErrorPlace, ErrorRecord, Event,
    EventContext, Exception, HttpClient, LabelValue, LogRecord, OtelData, Outcome, Request, Response, ServiceTarget,
    SpanDetails, SpanLink, Target, User,
};
use crate::id::ErrorId;
use crate::otel::SpanKind;
use crate::settings::{CaptureBody, Settings};
use crate::stacktrace::StackTrace;

const STACK: &str = "   0: serde_json::de::from_str\n             at /r/registry/src/i/serde_json-1/src/de.rs:9:5
   1: shop::cart::Cart::total\n             at /build/shop/src/cart.rs:17:9\n";

fn labelled(document: &Document, key: &str) -> Option<String> {
    document.labels.get(key).map(|value| match value {
        Stored::One(text) => text.clone(),
        Stored::Many(texts) => format!("{texts:?}"),
    })
}

#[test]
fn a_plain_span_is_short() {
    let mut record = span(None);
    record.exit = false;
    record.subtype = None;
    record.sample_rate = None;
    assert_eq!(
        line(&Event::Span(record), &Settings::default()),
        concat!(
            r#"{"span":{"id":"0000000000000003","trace_id":"0af7651916cd43dd8448eb211c80319c","#,
            r#""transaction_id":"0000000000000001","parent_id":"0000000000000002","name":"SELECT FROM cart","type":"db","#,
            r#""timestamp":1700000000000001,"duration":1.2345,"outcome":"success"}}"#
        )
    );
}

#[test]
fn a_span_with_everything() {
    let details = SpanDetails {
        action: Some(text("query")),
        labels: vec![
            (text("shop.size*\"x"), LabelValue::from("big")),
            (text("ok"), LabelValue::from(true)),
            (text("n"), LabelValue::from(1.5)),
            (text("nan"), LabelValue::from(f64::NAN)),
        ],
        links: vec![SpanLink { trace_id: trace_id(), span_id: span_id(77) }],
        otel: OtelData {
            span_kind: Some(SpanKind::Client),
            attributes: vec![
                (text("my.text"), AttributeValue::from("value")),
                (text("my.integer"), AttributeValue::from(-3_i64)),
                (text("my.number"), AttributeValue::from(0.25)),
                (text("my.infinity"), AttributeValue::from(f64::INFINITY)),
                (text("my.flag"), AttributeValue::from(false)),
                (text("my.list"), AttributeValue::Texts(vec![text("a"), text("b")])),
            ],
        },
        db: Some(Db {
            instance: Some(text("carts")),
            kind: Some(text("sql")),
            user: Some(text("reader")),
            statement: Some(text("SELECT * FROM cart")),
            rows_affected: Some(4),
        }),
        queue: Some(text("orders")),
        address: Some(text("db.local")),
        port: Some(5432),
        stack: Some(StackTrace::Printed(STACK.into())),
        sync: Some(false),
        ..SpanDetails::default()
    };
    let mut record = span(Some(details));
    record.composite = Some(Composite { strategy: CompressionStrategy::SameKind, count: 3, sum_ns: 900_000 });
    let document = decoded(&Event::Span(record), &Settings::default());
    assert_eq!(document.kind(), EventKind::Span);
    assert_eq!(document.timestamp.map(|t| t.us), Some(1_700_000_000_000_001));
    assert_eq!(document.trace.as_ref().map(|t| t.id.to_string()), Some(trace_id().to_string()));
    assert_eq!(document.parent.as_ref().map(|p| p.id.to_string()), Some(span_id(2).to_string()));
    let transaction = document.transaction.as_deref().and_then(|t| t.id.as_ref()).map(ToString::to_string);
    assert_eq!(transaction, Some(span_id(1).to_string()));
    assert_eq!(document.event.as_ref().and_then(|e| e.outcome), Some(StoredOutcome::Success));
    let stored = document.span.as_deref().expect("a span");
    assert_eq!(stored.id.as_ref().map(ToString::to_string), Some(span_id(3).to_string()));
    let words = [&stored.name, &stored.kind, &stored.subtype, &stored.action].map(|word| word.as_deref());
    assert_eq!(words, [Some("SELECT FROM cart"), Some("db"), Some("postgresql"), Some("query")]);
    assert_eq!(stored.sync, Some(false));
    assert_eq!(stored.representative_count, Some(2.0));
    assert_eq!(serde_json::to_value(stored.duration).expect("JSON"), json!({"us": 1234}));
    assert_eq!(
        serde_json::to_value(&stored.composite).expect("JSON"),
        json!({"count": 3, "sum": {"us": 900}, "compression_strategy": "same_kind"})
    );
    assert_eq!(
        serde_json::to_value(&stored.db).expect("JSON"),
        json!({"instance": "carts", "type": "sql", "statement": "SELECT * FROM cart", "user": {"name": "reader"}, "rows_affected": 4})
    );
    assert_eq!(stored.message.as_deref().and_then(|m| m.queue.as_ref()).map(|q| q.name.as_str()), Some("orders"));
    assert_eq!(
        serde_json::to_value(&stored.destination).expect("JSON"),
        json!({"service": {"resource": "postgresql/carts"}})
    );
    let destination = document.destination.as_deref().expect("a destination");
    assert_eq!((destination.address.as_deref(), destination.port), (Some("db.local"), Some(5432)));
    let target = document.service.target.as_ref().map(|t| (t.kind.as_deref(), t.name.as_deref()));
    assert_eq!(target, Some((Some("postgresql"), Some("carts"))));
    assert_eq!(stored.otel_kind.as_deref(), Some("CLIENT"));
    let link = stored
        .links
        .first()
        .and_then(|link| Some((link.trace.as_ref()?.id.to_string(), link.span.as_ref()?.id.to_string())));
    assert_eq!(link, Some((trace_id().to_string(), span_id(77).to_string())));
    let frame = serde_json::to_value(&stored.stacktrace[1]).expect("JSON");
    assert_eq!(frame["filename"], "shop/src/cart.rs");
    assert_eq!(frame["abs_path"], "/build/shop/src/cart.rs");
    assert_eq!((&frame["function"], &frame["module"]), (&json!("Cart::total"), &json!("shop::cart")));
    assert_eq!((&frame["line"]["number"], &frame["line"]["column"]), (&json!(17), &json!(9)));
    let library: Vec<_> = stored.stacktrace.iter().map(|frame| frame.library_frame == Some(true)).collect();
    assert_eq!(library, [true, false]);

    assert_eq!(labelled(&document, "shop_size__x").as_deref(), Some("big"));
    assert_eq!(labelled(&document, "ok").as_deref(), Some("true"));
    assert_eq!(labelled(&document, "my_text").as_deref(), Some("value"));
    assert_eq!(labelled(&document, "my_flag").as_deref(), Some("false"));
    let numbers: Vec<_> = document.numeric_labels.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    assert_eq!(numbers, [("my_integer", -3.0), ("my_number", 0.25), ("n", 1.5)]);
    assert!(labelled(&document, "my_list").is_some_and(|list| list.contains('a') && list.contains('b')));
}

#[test]
fn a_call_over_http_says_whom_it_calls() {
    let http = HttpClient {
        method: Some(text("POST")),
        url: Some(text("https://api.openai.com/v1/chat?x=1")),
        status_code: Some(429),
    };
    let details = SpanDetails { http: Some(http), ..SpanDetails::default() };
    let mut record = span(Some(details.clone()));
    (record.kind, record.subtype) = (text("external"), Some(text("http")));
    let document = decoded(&Event::Span(record), &Settings::default());
    let destination = document.destination.as_deref().expect("a destination");
    assert_eq!((destination.address.as_deref(), destination.port), (Some("api.openai.com"), Some(443)));
    let service = document.span.as_deref().and_then(|s| s.destination.as_ref()).and_then(|d| d.service.as_ref());
    assert_eq!(service.and_then(|s| s.resource.as_deref()), Some("api.openai.com:443"));
    let http = document.http.as_deref().expect("a request");
    assert_eq!(http.request.as_ref().and_then(|r| r.method.as_deref()), Some("POST"));
    assert_eq!(http.response.as_ref().and_then(|r| r.status_code), Some(429));
    let url = document.url.as_deref().and_then(|url| url.original.as_deref());
    assert_eq!(url, Some("https://api.openai.com/v1/chat?x=1"));

    // Not an exit span, or one that calls nobody: no dependency.
    let mut inside = span(Some(details.clone()));
    inside.exit = false;
    let fields_of_inside = fields(&Event::Span(inside), &Settings::default());
    assert_eq!(
        fields_of_inside["context"].as_object().map(|c| c.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["http".into()])
    );
    let nobody = span(Some(SpanDetails { target: Target::None, ..details }));
    let context = &fields(&Event::Span(nobody), &Settings::default())["context"];
    assert_eq!(context.get("service"), None);
    assert_eq!(context["destination"], json!({"address": "api.openai.com", "port": 443}));
}

#[test]
fn names_and_types_are_never_empty() {
    let mut record = span(None);
    (record.name, record.kind, record.subtype) = (text(""), text(""), None);
    let span = fields(&Event::Span(record), &Settings::default());
    assert_eq!((&span["name"], &span["type"]), (&json!("unnamed"), &json!("custom")));
    let mut record = transaction(EventContext::default());
    (record.name, record.kind) = (text(""), text(""));
    let transaction = fields(&Event::Transaction(Box::new(record)), &Settings::default());
    assert_eq!((&transaction["name"], &transaction["type"]), (&json!("unnamed"), &json!("custom")));
}

fn full_context() -> EventContext {
    EventContext {
        labels: vec![(text("tenant"), LabelValue::from("acme")), (text("items"), LabelValue::from(3))],
        custom: vec![(text("cart.state"), json!({"open": [1, null, {"deep": true}], "empty": {}}))],
        user: Some(User { id: Some(text("7")), username: Some(text("ann")), email: Some(text("ann@x.org")) }),
        request: Some(Box::new(Request {
            method: text("POST"),
            http_version: Some(text("1.1")),
            url: Some(text("https://shop.example/cart/pay?step=2#top")),
            headers: vec![
                (text("Accept"), text("a")),
                (text("User-Agent"), text("curl/8")),
                (text("accept"), text("b")),
                (text("Authorization"), text("hush")),
                (text("X-Api-Key"), text("hush")),
                (text("Cookie"), text("session=hush; lang = de")),
                (text("Content-Type"), text("application/x-www-form-urlencoded; charset=utf-8")),
            ],
            remote_address: Some(text("10.0.0.9")),
            body: Some(text("item=1&password=hush")),
        })),
        response: Some(Response {
            status_code: Some(200),
            headers: vec![(text("Set-Cookie"), text("hush")), (text("Server"), text("axum"))],
        }),
        queue: Some(text("orders")),
        framework: Some((text("axum"), Some(text("0.8")))),
    }
}

#[test]
fn a_transaction_with_everything() {
    let mut record = transaction(full_context());
    record.links = vec![SpanLink { trace_id: trace_id(), span_id: span_id(5) }];
    record.otel.span_kind = Some(SpanKind::Server);
    record.dropped_spans = vec![DroppedSpans {
        target: ServiceTarget { kind: Some(text("redis")), name: Some(text("cache")) },
        resource: text("redis/cache"),
        outcome: Outcome::Failure,
        count: 12,
        sum_ns: 3_456_789,
    }];
    let settings = Settings { capture_body: CaptureBody::Transactions, ..Settings::default() };
    let written = line(&Event::Transaction(Box::new(record)), &settings);
    assert!(!written.contains("hush"), "{written}");

    let mut record = transaction(full_context());
    record.dropped_spans = vec![DroppedSpans {
        target: ServiceTarget { kind: Some(text("redis")), name: Some(text("cache")) },
        resource: text("redis/cache"),
        outcome: Outcome::Failure,
        count: 12,
        sum_ns: 3_456_789,
    }];
    record.links = vec![SpanLink { trace_id: trace_id(), span_id: span_id(5) }];
    let document = decoded(&Event::Transaction(Box::new(record)), &settings);
    assert_eq!(document.kind(), EventKind::Transaction);
    assert_eq!(document.timestamp.map(|t| t.us), Some(1_700_000_000_000_000));
    assert_eq!(document.trace.as_ref().map(|t| t.id.to_string()), Some(trace_id().to_string()));
    assert_eq!(document.parent.as_ref().map(|p| p.id.to_string()), Some(span_id(9).to_string()));
    let stored = document.transaction.as_deref().expect("a transaction");
    assert_eq!(stored.id.as_ref().map(ToString::to_string), Some(span_id(1).to_string()));
    let words = [&stored.name, &stored.kind, &stored.result].map(|word| word.as_deref());
    assert_eq!(words, [Some("GET /cart"), Some("request"), Some("HTTP 2xx")]);
    assert_eq!((stored.sampled, stored.representative_count), (Some(true), Some(4.0)));
    assert_eq!(serde_json::to_value(stored.duration).expect("JSON"), json!({"us": 2000}));
    assert_eq!(serde_json::to_value(stored.span_count).expect("JSON"), json!({"started": 7, "dropped": 2}));
    let group = stored.dropped_spans_stats.first().expect("statistics of dropped spans");
    assert_eq!(group.destination_service_resource.as_deref(), Some("redis/cache"));
    assert_eq!(group.service_target_type.as_deref(), Some("redis"));
    assert_eq!(group.service_target_name.as_deref(), Some("cache"));
    assert_eq!((group.outcome, group.count), (Some(StoredOutcome::Failure), Some(12)));
    assert_eq!(serde_json::to_value(group.sum).expect("JSON"), json!({"us": 3456}));
    assert_eq!(
        serde_json::to_value(&stored.custom).expect("JSON"),
        json!({"cart_state": {"open": [1, null, {"deep": true}], "empty": {}}})
    );
    assert_eq!(stored.message.as_deref().and_then(|m| m.queue.as_ref()).map(|q| q.name.as_str()), Some("orders"));
    assert_eq!(document.span.as_deref().map(|span| span.links.len()), Some(1));
    assert_eq!(labelled(&document, "tenant").as_deref(), Some("acme"));
    assert_eq!(document.numeric_labels.get("items"), Some(&3.0));
    let framework = document.service.framework.as_ref().map(|f| (f.name.as_deref(), f.version.as_deref()));
    assert_eq!(framework, Some((Some("axum"), Some("0.8"))));
    context(&document);
}

/// What transactions and errors have in common.
fn context(document: &Document) {
    let user = document.user.as_deref().expect("a user");
    assert_eq!(
        [&user.id, &user.name, &user.email].map(|part| part.as_deref()),
        [Some("7"), Some("ann"), Some("ann@x.org")]
    );
    let url = document.url.as_deref().expect("a URL");
    let parts = [&url.original, &url.full, &url.scheme, &url.domain, &url.path, &url.query, &url.fragment];
    let whole = "https://shop.example/cart/pay?step=2#top";
    let expected = [whole, whole, "https", "shop.example", "/cart/pay", "step=2", "top"];
    assert_eq!(parts.map(|part| part.as_deref()), expected.map(Some));
    assert_eq!(url.port, Some(443));
    assert_eq!(document.user_agent.as_ref().map(|agent| agent.original.as_str()), Some("curl/8"));
    assert_eq!(document.source.as_deref().and_then(|source| source.ip.as_deref()), Some("10.0.0.9"));
    let http = document.http.as_deref().expect("HTTP");
    assert_eq!(http.version.as_deref(), Some("1.1"));
    let request = http.request.as_deref().expect("a request");
    assert_eq!(request.method.as_deref(), Some("POST"));
    assert_eq!(
        serde_json::to_value(&request.headers).expect("JSON"),
        json!({
            "Accept": ["a", "b"], "User-Agent": ["curl/8"], "Authorization": ["[REDACTED]"], "X-Api-Key": ["[REDACTED]"],
            "Cookie": ["[REDACTED]"], "Content-Type": ["application/x-www-form-urlencoded; charset=utf-8"],
        })
    );
    assert_eq!(serde_json::to_value(&request.cookies).expect("JSON"), json!({"session": "[REDACTED]", "lang": "de"}));
    assert_eq!(
        serde_json::to_value(request.body.as_ref().map(|body| &body.original)).expect("JSON"),
        json!("item=1&password=[REDACTED]")
    );
    let response = http.response.as_deref().expect("an answer");
    assert_eq!(response.status_code, Some(200));
    assert_eq!(
        serde_json::to_value(&response.headers).expect("JSON"),
        json!({"Set-Cookie": ["[REDACTED]"], "Server": ["axum"]})
    );
}

#[test]
fn headers_and_bodies_go_along_only_if_wanted() {
    let settings = Settings { capture_headers: false, capture_body: CaptureBody::Errors, ..Settings::default() };
    let context = &fields(&Event::Transaction(Box::new(transaction(full_context()))), &settings)["context"];
    for absent in ["headers", "cookies", "body"] {
        assert_eq!(context["request"].get(absent), None, "{absent}");
    }
    assert_eq!(context["response"], json!({"status_code": 200}));
    let error = Event::Error(Box::new(error(Exception::default())));
    assert_eq!(fields(&error, &settings)["context"]["request"]["body"], "item=1&password=[REDACTED]");
    // A form is one even if the headers are not told of; another body stays as it is.
    let mut json_body = full_context();
    let request = json_body.request.as_mut().expect("a request");
    request.headers.pop();
    request.body = Some(text("{\"password=\": 1}"));
    let settings = Settings { capture_body: CaptureBody::All, ..Settings::default() };
    let written = fields(&Event::Transaction(Box::new(transaction(json_body))), &settings);
    assert_eq!(written["context"]["request"]["body"], "{\"password=\": 1}");
}

fn error(exception: Exception) -> ErrorRecord {
    ErrorRecord {
        id: ErrorId::from_raw(0xe).expect("not zero"),
        timestamp_us: 1_700_000_000_000_002,
        place: Some(ErrorPlace {
            trace_id: trace_id(),
            transaction_id: span_id(1),
            parent_id: span_id(2),
            sampled: false,
            transaction_name: text("GET /cart"),
            transaction_kind: text("request"),
        }),
        culprit: None,
        what: ErrorKind::Exception(exception),
        context: full_context(),
    }
}

#[test]
fn an_error_with_everything() {
    let cause = |message: &'static str| Exception {
        message: text(message),
        kind: Some(text("Timeout")),
        handled: true,
        ..Exception::default()
    };
    let record = error(Exception {
        message: text("too many requests"),
        kind: Some(text("RateLimitError")),
        module: Some(text("openai::error")),
        code: Some(text("429")),
        handled: true,
        stack: Some(StackTrace::Printed(STACK.into())),
        causes: vec![cause("first"), cause("second")],
    });
    let settings = Settings { capture_body: CaptureBody::Errors, ..Settings::default() };
    let document = decoded(&Event::Error(Box::new(record)), &settings);
    assert_eq!(document.kind(), EventKind::Error);
    assert_eq!(document.timestamp.map(|t| t.us), Some(1_700_000_000_000_002));
    assert_eq!(document.trace.as_ref().map(|t| t.id.to_string()), Some(trace_id().to_string()));
    assert_eq!(document.parent.as_ref().map(|p| p.id.to_string()), Some(span_id(2).to_string()));
    let transaction = document.transaction.as_deref().expect("a transaction");
    assert_eq!(transaction.id.as_ref().map(ToString::to_string), Some(span_id(1).to_string()));
    assert_eq!((transaction.name.as_deref(), transaction.kind.as_deref()), (Some("GET /cart"), Some("request")));
    assert_eq!(transaction.sampled, Some(false));
    let stored = document.error.as_deref().expect("an error");
    assert_eq!(stored.id.as_ref().map(ToString::to_string).as_deref(), Some("0000000000000000000000000000000e"));
    assert_eq!(stored.culprit.as_deref(), Some("shop::cart::Cart::total"));
    let chain: Vec<_> = stored.exception.iter().map(|e| (e.message.as_deref(), e.kind.as_deref(), e.parent)).collect();
    assert_eq!(
        chain,
        [
            (Some("too many requests"), Some("RateLimitError"), None),
            (Some("first"), Some("Timeout"), None),
            (Some("second"), Some("Timeout"), None),
        ]
    );
    let outer = &stored.exception[0];
    assert_eq!((outer.module.as_deref(), outer.code.as_deref()), (Some("openai::error"), Some("429")));
    assert_eq!((outer.handled, outer.stacktrace.len()), (Some(true), 2));
    assert_eq!(
        serde_json::to_value(&stored.custom).expect("JSON"),
        json!({"cart_state": {"open": [1, null, {"deep": true}], "empty": {}}})
    );
    assert_eq!(labelled(&document, "tenant").as_deref(), Some("acme"));
    context(&document);
}

#[test]
fn a_logged_error_outside_of_transactions() {
    let mut record = error(Exception::default());
    record.place = None;
    record.culprit = Some(text("shop::cart"));
    record.what = ErrorKind::Log { message: text("no stock"), level: text("warning"), logger: Some(text("shop")) };
    let document = decoded(&Event::Error(Box::new(record)), &Settings::default());
    assert_eq!(document.kind(), EventKind::Error);
    assert!(document.trace.is_none() && document.parent.is_none());
    let stored = document.error.as_deref().expect("an error");
    assert_eq!(stored.culprit.as_deref(), Some("shop::cart"));
    let log = stored.log.as_deref().expect("a log");
    let words = [&log.message, &log.level, &log.logger_name].map(|word| word.as_deref());
    assert_eq!(words, [Some("no stock"), Some("warning"), Some("shop")]);
}

#[test]
fn a_log_message() {
    let record = LogRecord {
        timestamp_us: 1_700_000_000_003_000,
        message: text("cart opened"),
        level: text("info"),
        logger: Some(text("shop::cart")),
        file: Some(text("src/cart.rs")),
        line: Some(12),
        place: Some((trace_id(), span_id(1), Some(span_id(2)))),
        labels: vec![(text("a.b"), LabelValue::from("c")), (text("n"), LabelValue::from(2))],
    };
    let document = decoded(&Event::Log(Box::new(record)), &Settings::default());
    assert_eq!(document.kind(), EventKind::Log);
    assert_eq!(document.at.as_micros(), 1_700_000_000_003_000);
    assert_eq!(document.message.as_deref(), Some("cart opened"));
    assert_eq!(
        serde_json::to_value(&document.log).expect("JSON"),
        json!({"level": "info", "logger": "shop::cart", "origin": {"file": {"name": "src/cart.rs", "line": 12}}})
    );
    assert_eq!(document.trace.as_ref().map(|t| t.id.to_string()), Some(trace_id().to_string()));
    assert_eq!(
        document.span.as_deref().and_then(|s| s.id.as_ref()).map(ToString::to_string),
        Some(span_id(2).to_string())
    );
    let transaction = document.transaction.as_deref().and_then(|t| t.id.as_ref()).map(ToString::to_string);
    assert_eq!(transaction, Some(span_id(1).to_string()));
    assert_eq!(labelled(&document, "a_b").as_deref(), Some("c"));
    assert_eq!(document.numeric_labels.get("n"), Some(&2.0));
}
