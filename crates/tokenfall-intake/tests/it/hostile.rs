//! Hostile and broken input: a clear error with its line, the good lines kept, memory bounded, no panic.

use std::fmt::Write as _;

use tokenfall_intake::{IntakeStream, StreamOptions};
use tokenfall_model::document::{LabelValue, Sample};
use tokenfall_model::{Document, limits};

use crate::{Outcome, RECEIVED, intake, intake_with, options};

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"shop","agent":{"name":"rust","version":"1"}},"labels":{"team":"a"}}}"#;
const GOOD: &str =
    r#"{"span":{"id":"s","trace_id":"t","parent_id":"p","name":"good","type":"custom","duration":1.5,"timestamp":7}}"#;

/// A span with more fields.
fn span(more: &str) -> String {
    format!(
        r#"{{"span":{{"id":"s","trace_id":"t","parent_id":"p","name":"n","type":"custom","duration":1.5,"timestamp":7,{more}}}}}"#
    )
}

/// Sends a line between two good ones.
fn between(line: &[u8]) -> Outcome {
    intake(&[METADATA.as_bytes(), GOOD.as_bytes(), line, GOOD.as_bytes()].join(&b'\n'))
}

/// The message about a line that is refused while its neighbours are kept.
fn refusal(line: impl AsRef<[u8]>) -> String {
    let outcome = between(line.as_ref());
    assert_eq!((outcome.accepted, outcome.n_errors, outcome.documents.len()), (2, 1, 2), "{:?}", outcome.messages());
    let error = &outcome.errors[0];
    assert_eq!(error.line, 3);
    let start: String = String::from_utf8_lossy(line.as_ref()).chars().take(1000).collect();
    assert!(error.document.as_ref().unwrap().starts_with(&start));
    error.message.clone()
}

/// The document of a line that is accepted.
fn accepted(line: &str) -> Document {
    let outcome = between(line.as_bytes());
    assert_eq!(outcome.messages(), [""; 0], "{}", &line[..line.len().min(300)]);
    assert_eq!(outcome.accepted, 3);
    outcome.documents.into_iter().nth(1).unwrap()
}

#[test]
fn lines_that_are_not_json() {
    for line in ["not json", "{", "[]", "\u{feff}{}", "null", "\"span\"", "{\"span\":", "{\"span\":{\"id\":\"a"] {
        let message = refusal(line);
        let known = ["did not recognize object type: ", "decode error: data read error: "];
        assert!(known.iter().any(|start| message.starts_with(start)), "{line}: {message}");
    }
    assert_eq!(
        refusal(r#"{"span":{"id":"s""#),
        "decode error: data read error: span.id: EOF while parsing an object on line 3, column 17"
    );
    assert_eq!(
        refusal(span(r#""context":{"http":{"status_code":"200"}}"#)),
        "decode error: data read error: span.context.http.status_code: invalid type: string \"200\", expected i64 on \
         line 3, column 143"
    );
}

#[test]
fn unknown_kinds() {
    for kind in ["metadata", "x", "spans", "", "Span"] {
        assert_eq!(refusal(format!(r#"{{"{kind}":{{}}}}"#)), format!("did not recognize object type: {kind:?}"));
    }
}

#[test]
fn the_first_line_must_be_the_metadata() {
    for (first, message) in [
        (GOOD, "\"metadata\" or \"m\" required"),
        ("not json", "\"metadata\" or \"m\" required"),
        (r#"{"metadata":{}}"#, "validation error: 'metadata' required"),
        (r#"{"metadata":{"service":{}}}"#, "validation error: 'metadata' required"),
        (r#"{"metadata":{"process":{"pid":1}}}"#, "validation error: metadata: 'service' required"),
        (
            r#"{"metadata":{"service":{"name":"a/b","agent":{"name":"r","version":"1"}}}}"#,
            "validation error: metadata: service: 'name': validation rule 'pattern(patternAlphaNumericExt)' violated",
        ),
        (
            r#"{"metadata":{"service":{"name":"","agent":{"name":"r","version":"1"}}}}"#,
            "validation error: metadata: service: 'name': validation rule 'minLength(1)' violated",
        ),
    ] {
        let mut stream = IntakeStream::new(options());
        let mut documents = Vec::new();
        stream.feed(format!("\n  \n{first}\n{GOOD}\n").as_bytes(), &mut documents);
        assert!(stream.is_fatal(), "{first}");
        stream.feed(format!("{METADATA}\n{GOOD}\n").as_bytes(), &mut documents);
        stream.finish(&mut documents);
        assert_eq!((documents.len(), stream.accepted(), stream.error_count()), (0, 0, 1), "{first}");
        assert_eq!((stream.errors()[0].message.as_str(), stream.errors()[0].line), (message, 3));
    }
    assert_eq!(intake(br#"{"metadata":{"service""#).messages(), ["EOF while reading metadata"]);
    for body in ["", "\n", "\n \r\n\n", METADATA] {
        let outcome = intake(body.as_bytes());
        assert_eq!((outcome.accepted, outcome.n_errors), (0, 0), "{body}");
    }
}

#[test]
fn lines_over_the_limit() {
    let long = span(&format!(r#""ignored":"{}""#, "x".repeat(400_000)));
    let outcome = between(long.as_bytes());
    assert_eq!((outcome.accepted, outcome.messages()), (2, vec!["event exceeded the permitted size"]));
    assert_eq!(outcome.errors[0].document.as_ref().unwrap().len(), limits::EVENT_BYTES_MAX);
    assert_eq!(outcome.errors[0].line, 3);

    let padding = limits::EVENT_BYTES_MAX - span(r#""ignored":"""#).len();
    accepted(&span(&format!(r#""ignored":"{}""#, "x".repeat(padding))));
    assert_eq!(
        refusal(span(&format!(r#""ignored":"{}""#, "x".repeat(padding + 1)))),
        "event exceeded the permitted size"
    );

    // Also without an end of the line, and as the first line.
    let endless = vec![b'x'; 10_000_000];
    let outcome = intake(&[METADATA.as_bytes(), &endless].join(&b'\n'));
    assert_eq!(outcome.messages(), ["event exceeded the permitted size"]);
    let small = StreamOptions { event_bytes_max: 10, ..options() };
    let outcome = intake_with(small, &[METADATA.as_bytes()]);
    assert_eq!((outcome.accepted, outcome.messages()), (0, vec!["event exceeded the permitted size"]));
    assert_eq!(outcome.errors[0].document.as_deref(), Some("{\"metadata"));
}

#[test]
fn bytes_that_are_not_utf8() {
    let mut line = GOOD.replace("good", "XX").into_bytes();
    let at = line.iter().position(|b| *b == b'X').unwrap();
    line[at] = 0xff;
    let outcome = between(&line);
    assert_eq!(outcome.accepted, 2);
    assert_eq!(
        outcome.messages(),
        [format!("decode error: data read error: invalid UTF-8 on line 3, column {}", at + 1)]
    );
    assert!(outcome.errors[0].document.as_ref().unwrap().contains('\u{fffd}'));
    // A lone surrogate is valid JSON to look at, but no text.
    assert!(refusal(span(r#""action":"\ud800""#)).starts_with("decode error: data read error: span.action: "));
}

#[test]
fn durations_and_times_out_of_range() {
    let duration = |value: &str| GOOD.replace("1.5", value);
    for value in ["-1", "-0.001", "-1e300"] {
        let message = "validation error: span: 'duration': validation rule 'min(0)' violated";
        assert_eq!(refusal(duration(value)), message, "{value}");
    }
    for value in ["1e999", "NaN", "Infinity"] {
        assert!(refusal(duration(value)).starts_with("decode error: data read error: "), "{value}");
    }
    accepted(&duration("1e300"));

    let time = |value: &str| GOOD.replace("\"timestamp\":7", &format!("\"timestamp\":{value}"));
    for value in ["-9223372036854775808", "9223372036854775807", "-1", "253402300800000000"] {
        let document = accepted(&time(value));
        assert_eq!(document.timestamp.unwrap().us.to_string(), value);
        let mut json = Vec::new();
        document.to_json(&mut json);
        assert!(Document::from_json(&json).is_ok(), "{value}");
    }
    for value in ["18446744073709551615", "1e30", "1.5", "\"yesterday\"", "\"99999-01-01T00:00:00Z\"", "{}"] {
        assert!(refusal(time(value)).starts_with("decode error: data read error: span.timestamp: "), "{value}");
    }
    assert_eq!(accepted(&time("0")).at, RECEIVED);
    assert_eq!(accepted(&time("null,\"start\":1e300")).time().as_micros(), i64::MAX);
    assert_eq!(accepted(&time("null,\"start\":-1e300")).timestamp.unwrap().us, i64::MIN + RECEIVED.as_micros());
}

fn tags(n: usize) -> String {
    let mut tags = String::new();
    for i in 0..n {
        write!(tags, "{}\"k{i}\":{i}", if i == 0 { "" } else { "," }).unwrap();
    }
    span(&format!(r#""context":{{"tags":{{{tags}}}}}"#))
}

#[test]
fn labels_without_end() {
    // The metadata has one of them.
    assert_eq!(refusal(tags(10_000)), "validation error: 10001 labels, 1024 are allowed");
    assert_eq!(refusal(tags(limits::LABELS_MAX)), "validation error: 1025 labels, 1024 are allowed");
    assert_eq!(accepted(&tags(limits::LABELS_MAX - 1)).numeric_labels.len(), limits::LABELS_MAX - 1);
}

#[test]
fn label_keys_that_become_one() {
    let check = |tags: &str, expected: &str| {
        let document = accepted(&span(&format!(r#""context":{{"tags":{{{tags}}}}}"#)));
        assert_eq!(document.labels["a_b"], LabelValue::One(expected.into()), "{tags}");
    };
    check(r#""a.b":"dot","a_b":"underscore""#, "underscore");
    check(r#""a_b":"underscore","a.b":"dot""#, "underscore");
    check(r#""a.b":"first","a.b":"last""#, "last");
    check(r#""a_b":1,"a_b":"last""#, "last");
    let document = accepted(&span(r#""context":{"tags":{"a_b":1,"a_b":"last","team":null}}"#));
    assert!(document.numeric_labels.is_empty());
    assert_eq!(document.labels["team"], LabelValue::One("a".into()));
}

#[test]
fn nesting_without_end() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let objects = |n: usize| format!("{}1{}", r#"{"a":"#.repeat(n), "}".repeat(n));
    // Ignored fields may be as deep as a line is long.
    accepted(&span(&format!(r#""ignored":{}"#, deep(140_000))));
    let transaction = |custom: &str| {
        format!(
            r#"{{"transaction":{{"id":"x","trace_id":"t","type":"t","duration":1,"span_count":{{"started":0}},"context":{{"custom":{custom}}}}}}}"#
        )
    };
    let message = refusal(transaction(&format!(r#"{{"a":{}}}"#, deep(140_000))));
    assert!(message.contains("transaction.context.custom.a: nested deeper than 100 levels on line 3"), "{message}");
    assert!(refusal(transaction(&objects(50_000))).contains("nested deeper than 100 levels"));
    // What is accepted can be stored and read again.
    for json in [objects(100), format!(r#"{{"a":{}}}"#, deep(99))] {
        let document = accepted(&transaction(&json));
        let mut stored = Vec::new();
        document.to_json(&mut stored);
        assert_eq!(Document::from_json(&stored).unwrap(), document);
    }
    // Causes of causes.
    let causes = |n: usize| {
        let inner = (0..n).fold(String::from("[]"), |inner, _| format!(r#"[{{"type":"T","cause":{inner}}}]"#));
        format!(r#"{{"error":{{"id":"e","exception":{{"type":"T","cause":{inner}}}}}}}"#)
    };
    assert_eq!(accepted(&causes(50)).error.unwrap().exception.len(), 51);
    assert!(refusal(causes(10_000)).contains("recursion limit exceeded"));
    let wrong_label = format!(r#""context":{{"tags":{{"k":{}}}}}"#, deep(100_000));
    assert!(refusal(span(&wrong_label)).ends_with("'inputTypesVals(string;bool;number)' violated for key k"));
}

#[test]
fn repeated_keys_and_wrong_types() {
    let document = accepted(&span(
        r#""name":"first","name":"last","duration":2,"context":{"http":{"method":"GET"}},"context":null"#,
    ));
    assert_eq!(document.span.as_ref().unwrap().name.as_deref(), Some("last"));
    assert_eq!((document.duration().unwrap().get(), document.http.is_some()), (2000, false));
    for more in [
        r#""id":1"#,
        r#""sync":"yes""#,
        r#""context":[]"#,
        r#""links":{}"#,
        r#""child_ids":[1]"#,
        r#""stacktrace":[1]"#,
    ] {
        let key = more.split('"').nth(1).unwrap();
        assert!(refusal(span(more)).starts_with(&format!("decode error: data read error: span.{key}")), "{more}");
    }
}

#[test]
fn rules_of_the_protocol() {
    let error = |more: &str| format!(r#"{{"error":{{"id":"e",{more}}}}}"#);
    let metricset = |samples: &str| format!(r#"{{"metricset":{{"samples":{{{samples}}}}}}}"#);
    let transaction = |more: &str| {
        format!(
            r#"{{"transaction":{{"id":"x","trace_id":"t","type":"t","duration":1,"span_count":{{"started":0}},{more}}}}}"#
        )
    };
    for (line, message) in [
        (r#"{"span":{}}"#.to_owned(), "'span' required"),
        (r#"{"log":{}}"#.to_owned(), "'log' required"),
        (metricset(""), "'metricset' required"),
        (GOOD.replace(",\"timestamp\":7", ""), "span: requires at least one of the fields 'start;timestamp'"),
        (span(r#""links":[{"trace_id":"t"}]"#), "span: links: 'span_id' required"),
        (span(r#""composite":{"count":2,"sum":1}"#), "span: composite: 'compression_strategy' required"),
        (
            span(r#""context":{"destination":{"service":{"name":"n"}}}"#),
            "span: context: destination: service: 'resource' required",
        ),
        (
            error(r#""exception":{"type":"T"},"transaction_id":"x""#),
            "error: 'parent_id' required when 'transaction_id' is set",
        ),
        (
            error(r#""exception":{"type":"T"},"transaction_id":"x","parent_id":"p""#),
            "error: 'trace_id' required when 'transaction_id' is set",
        ),
        (
            error(r#""exception":{"type":"T","code":1.5}"#),
            "error: exception: 'code': validation rule 'inputTypes(string;int)' violated",
        ),
        (
            metricset(r#""a*":{"value":1}"#),
            "metricset: 'samples': validation rule 'patternKeys(patternNoAsteriskQuote)' violated",
        ),
        (metricset(r#""a":{"values":[1]}"#), "metricset: samples: 'counts' required when 'values' is set"),
        (
            metricset(r#""a":{"values":[1],"counts":[1,2]}"#),
            "metricset: samples: 'counts' has 2 elements and 'values' has 1",
        ),
        (metricset(r#""service":{"value":1}"#), "metricset: samples: 'service' cannot be the name of a metric"),
        (
            transaction(r#""context":{"request":{"method":"GET","url":{"port":"eighty"}}}"#),
            "transaction: context: request: url: 'port': validation rule 'targetType(int)' violated",
        ),
        (transaction(r#""context":{"request":{"body":"b"}}"#), "transaction: context: request: 'method' required"),
        (
            transaction(r#""session":{"id":"s","sequence":0}"#),
            "transaction: session: 'sequence': validation rule 'min(1)' violated",
        ),
        (
            transaction(r#""context":{"service":{"name":"a/b"}}"#),
            "transaction: context: service: 'name': validation rule 'pattern(patternAlphaNumericExt)' violated",
        ),
    ] {
        assert_eq!(refusal(&line), format!("validation error: {message}"), "{line}");
    }
}

#[test]
fn breakdown_without_samples_is_nothing() {
    let outcome = between(br#"{"metricset":{"samples":{"a":{"value":1}},"transaction":{"type":"request"}}}"#);
    assert_eq!((outcome.accepted, outcome.n_errors), (2, 0));
    let document = accepted(r#"{"metricset":{"samples":{"a":{"value":1},"a":{"value":2}}}}"#);
    assert_eq!(document.samples["a"], Sample::Value(2.0));
}

#[test]
fn only_the_first_errors_are_listed() {
    let body = format!("{METADATA}\n{}{GOOD}\n", "bad\n".repeat(1000));
    let outcome = intake(body.as_bytes());
    assert_eq!((outcome.accepted, outcome.n_errors, outcome.errors.len()), (1, 1000, limits::LISTED_ERRORS_MAX));
    assert_eq!(outcome.errors.iter().map(|error| error.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
}
