//! Whatever a program puts into an event, the line is JSON and the server takes it.

use std::time::Instant;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::Value;

use super::{decoded, fields};
use crate::event::{
    AttributeValue, Composite, CompressionStrategy, Db, DroppedSpans, ErrorKind, ErrorPlace, ErrorRecord, Event,
    EventContext, Exception, HttpClient, LabelValue, Labels, LogRecord, OtelData, Outcome, Request, Response,
    ServiceTarget, SpanDetails, SpanLink, SpanRecord, Target, Text, TransactionRecord, User,
};
use crate::id::{ErrorId, SpanId, TraceId};
use crate::otel::SpanKind;
use crate::settings::{CaptureBody, Settings};
use crate::stacktrace::StackTrace;

/// Texts: ordinary, hostile, and long ones of characters that need six bytes in JSON.
fn any_text() -> BoxedStrategy<Text> {
    prop_oneof![
        4 => ".{0,20}".prop_map(Text::Owned),
        2 => "[\\x00-\\x1f\"\\\\.*\u{7f}\u{2028}ä🦀]{0,30}".prop_map(Text::Owned),
        2 => "(https?|unix)://[a-z@:\\[\\]/?#%]{0,30}".prop_map(Text::Owned),
        1 => (1000..2100_usize).prop_map(|n| Text::Owned("\u{1}".repeat(n))),
        1 => (0..60_000_usize).prop_map(|n| Text::Owned("ä".repeat(n))),
    ]
    .boxed()
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0)]
}

fn any_rate() -> impl Strategy<Value = Option<f64>> {
    of(prop_oneof![0.0..=1.0, Just(f64::NAN)])
}

fn labels() -> BoxedStrategy<Labels> {
    let value = prop_oneof![
        any_text().prop_map(LabelValue::Text),
        any::<bool>().prop_map(LabelValue::Bool),
        any_number().prop_map(LabelValue::Number)
    ];
    vec((any_text(), value), 0..6).boxed()
}

fn otel() -> BoxedStrategy<OtelData> {
    let value = prop_oneof![
        any_text().prop_map(AttributeValue::Text),
        any::<bool>().prop_map(AttributeValue::Bool),
        any::<i64>().prop_map(AttributeValue::Integer),
        any_number().prop_map(AttributeValue::Number),
        vec(any_text(), 0..4).prop_map(AttributeValue::Texts),
    ];
    let key = prop_oneof![
        any_text(),
        prop::sample::select(
            &["gen_ai.input.messages", "http.url", "db.statement", "http.status_code", "net.peer.port"][..]
        )
        .prop_map(Text::Borrowed)
    ];
    let kind = prop::sample::select(&[SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Consumer][..]);
    (of(kind), vec((key, value), 0..6)).prop_map(|(span_kind, attributes)| OtelData { span_kind, attributes }).boxed()
}

fn json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any_number().prop_map(Value::from),
        any_text().prop_map(|text| Value::from(text.into_owned())),
    ];
    leaf.prop_recursive(6, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((any_text(), inner), 0..4)
                .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.into_owned(), value)).collect()))
        ]
    })
    .boxed()
}

fn stack() -> BoxedStrategy<StackTrace> {
    let frame = (0..99_u32, "[a-zA-Z:<> {}&'._-]{0,60}", "[./a-z:0-9\\\\]{0,60}");
    vec(frame, 0..80)
        .prop_map(|frames| {
            let print = |(n, symbol, file)| format!("{n:4}: {symbol}\n             at {file}\n");
            StackTrace::Printed(frames.into_iter().map(print).collect::<String>().into())
        })
        .boxed()
}

fn outcome() -> impl Strategy<Value = Option<Outcome>> {
    of(prop::sample::select(&[Outcome::Success, Outcome::Failure, Outcome::Unknown][..]))
}

fn span_id() -> impl Strategy<Value = SpanId> {
    (1..u64::MAX).prop_filter_map("not zero", SpanId::from_raw)
}

fn trace_id() -> impl Strategy<Value = TraceId> {
    (1..u128::MAX).prop_filter_map("not zero", TraceId::from_raw)
}

fn links() -> impl Strategy<Value = Vec<SpanLink>> {
    vec((trace_id(), span_id()).prop_map(|(trace_id, span_id)| SpanLink { trace_id, span_id }), 0..3)
}

fn target() -> impl Strategy<Value = ServiceTarget> {
    (of(any_text()), of(any_text())).prop_map(|(kind, name)| ServiceTarget { kind, name })
}

fn details() -> BoxedStrategy<SpanDetails> {
    let db = (of(any_text()), of(any_text()), of(any_text()), of(any_text()), of(any::<u64>())).prop_map(
        |(instance, kind, user, statement, rows_affected)| Db { instance, kind, user, statement, rows_affected },
    );
    let http = (of(any_text()), of(any_text()), of(any::<u16>())).prop_map(|(method, url, status_code)| HttpClient {
        method,
        url,
        status_code,
    });
    let target = prop_oneof![Just(Target::Inferred), Just(Target::None), target().prop_map(Target::Set)];
    let callee = (of(any_text()), of(any_text()), of(any::<u16>()), target, of(any_text()));
    let said = (of(any_text()), labels(), links(), otel(), of(stack()), of(any::<bool>()));
    (said, of(db), of(http), callee)
        .prop_map(|(said, db, http, (queue, address, port, target, resource))| {
            let (action, labels, links, otel, stack, sync) = said;
            SpanDetails { action, labels, links, otel, db, http, queue, address, port, target, resource, stack, sync }
        })
        .boxed()
}

fn span() -> BoxedStrategy<Event> {
    let ids = (trace_id(), span_id(), span_id(), span_id());
    let words = (any_text(), any_text(), of(any_text()));
    let composite = (any::<bool>(), 0..9_u32, any::<u64>()).prop_map(|(exact, count, sum_ns)| Composite {
        strategy: if exact { CompressionStrategy::ExactMatch } else { CompressionStrategy::SameKind },
        count,
        sum_ns,
    });
    let rest = (any::<u64>(), any::<u64>(), outcome(), any_rate(), any::<bool>(), of(composite), of(details()));
    (ids, words, rest)
        .prop_map(|(ids, (name, kind, subtype), rest)| {
            let (timestamp_us, duration_ns, outcome, sample_rate, exit, composite, details) = rest;
            Event::Span(SpanRecord {
                trace_id: ids.0,
                transaction_id: ids.1,
                parent_id: ids.2,
                id: ids.3,
                name,
                kind,
                subtype,
                timestamp_us,
                duration_ns,
                start: Instant::now(),
                outcome,
                sample_rate,
                exit,
                propagated: false,
                composite,
                covered_ns: 0,
                details: details.map(Box::new),
            })
        })
        .boxed()
}

fn headers() -> BoxedStrategy<Vec<(Text, Text)>> {
    let name = prop_oneof![
        any_text(),
        prop::sample::select(&["cookie", "Cookie", "content-type", "accept"][..]).prop_map(Text::Borrowed)
    ];
    let value = prop_oneof![any_text(), "([a-z]{0,3}=?[a-z]{0,3};?){0,4}".prop_map(Text::Owned)];
    vec((name, value), 0..8).boxed()
}

fn context() -> BoxedStrategy<EventContext> {
    let user =
        (of(any_text()), of(any_text()), of(any_text())).prop_map(|(id, username, email)| User { id, username, email });
    let request = (any_text(), of(any_text()), of(any_text()), headers(), of(any_text()), of(any_text())).prop_map(
        |(method, http_version, url, headers, remote_address, body)| {
            Box::new(Request { method, http_version, url, headers, remote_address, body })
        },
    );
    let response = (of(any::<u16>()), headers()).prop_map(|(status_code, headers)| Response { status_code, headers });
    let framework = of((any_text(), of(any_text())));
    let custom = vec((any_text(), json()), 0..4);
    (labels(), custom, of(user), of(request), of(response), of(any_text()), framework)
        .prop_map(|(labels, custom, user, request, response, queue, framework)| EventContext {
            labels,
            custom,
            user,
            request,
            response,
            queue,
            framework,
        })
        .boxed()
}

fn transaction() -> BoxedStrategy<Event> {
    let ids = (trace_id(), span_id(), of(span_id()));
    let group = (target(), any_text(), any::<u64>(), any::<u64>()).prop_map(|(target, resource, count, sum_ns)| {
        DroppedSpans { target, resource, outcome: Outcome::Success, count, sum_ns }
    });
    let words = (any_text(), any_text(), of(any_text()), outcome(), any_rate());
    let counts = (any::<u64>(), any::<u64>(), any::<u32>(), any::<u32>());
    (ids, words, counts, vec(group, 0..129), context(), links(), otel())
        .prop_map(|(ids, (name, kind, result, outcome, sample_rate), counts, dropped_spans, context, links, otel)| {
            Event::Transaction(Box::new(TransactionRecord {
                trace_id: ids.0,
                id: ids.1,
                parent_id: ids.2,
                name,
                kind,
                timestamp_us: counts.0,
                duration_ns: counts.1,
                result,
                outcome,
                sample_rate,
                spans_started: counts.2,
                spans_dropped: counts.3,
                dropped_spans,
                context,
                links,
                otel,
                self_times: Vec::new(),
            }))
        })
        .boxed()
}

fn exception() -> BoxedStrategy<Exception> {
    (any_text(), of(any_text()), of(any_text()), of(any_text()), any::<bool>(), of(stack()))
        .prop_map(|(message, kind, module, code, handled, stack)| Exception {
            message,
            kind,
            module,
            code,
            handled,
            stack,
            causes: Vec::new(),
        })
        .boxed()
}

fn error() -> BoxedStrategy<Event> {
    let place =
        (trace_id(), span_id(), span_id(), any::<bool>(), any_text(), any_text()).prop_map(|place| ErrorPlace {
            trace_id: place.0,
            transaction_id: place.1,
            parent_id: place.2,
            sampled: place.3,
            transaction_name: place.4,
            transaction_kind: place.5,
        });
    let what = prop_oneof![
        3 => (exception(), vec(exception(), 0..20))
            .prop_map(|(exception, causes)| ErrorKind::Exception(Exception { causes, ..exception })),
        1 => (any_text(), any_text(), of(any_text()))
            .prop_map(|(message, level, logger)| ErrorKind::Log { message, level, logger }),
    ];
    (any::<u64>(), of(place), of(any_text()), what, context())
        .prop_map(|(timestamp_us, place, culprit, what, context)| {
            Event::Error(Box::new(ErrorRecord { id: ErrorId::random(), timestamp_us, place, culprit, what, context }))
        })
        .boxed()
}

fn log() -> BoxedStrategy<Event> {
    let place = of((trace_id(), span_id(), of(span_id())));
    let words = (any_text(), any_text(), of(any_text()), of(any_text()));
    (any::<u64>(), words, of(any::<u32>()), place, labels())
        .prop_map(|(timestamp_us, (message, level, logger, file), line, place, labels)| {
            Event::Log(Box::new(LogRecord { timestamp_us, message, level, logger, file, line, place, labels }))
        })
        .boxed()
}

fn settings() -> impl Strategy<Value = Settings> {
    let bodies = [CaptureBody::Off, CaptureBody::Errors, CaptureBody::Transactions, CaptureBody::All];
    (0..100_000_usize, 0..60_usize, any::<bool>(), prop::sample::select(bodies.to_vec())).prop_map(
        |(long_field_max_length, stack_trace_limit, capture_headers, capture_body)| Settings {
            stack_trace_limit,
            capture_headers,
            capture_body,
            long_field_max_length,
            ..Settings::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_event_is_a_line_that_the_server_takes(
        event in prop_oneof![span(), transaction(), error(), log()],
        settings in settings(),
    ) {
        prop_assert!(fields(&event, &settings).is_object());
        decoded(&event, &settings);
    }
}
