//! Elastic's own approved answers of the intake endpoint, one test for each file.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tokenfall_model::{Document, EventKind};
use tokenfall_query::{SearchRequest, SearchResponse, TimeRange};
use tokenfall_server::{Config, Limits, Secret, Secrets};
use tokenfall_store::{AppendError, FieldName, OnDurable, Search, SearchError, Store, StoreStats};
use tokenfall_testkit::http::{Answer, request};

use crate::bodies::{gzipped, zlibbed};
use crate::harness::{EVENTS, NDJSON, Running};

/// A store that takes nothing.
struct Refusing(AppendError);

impl Search for Refusing {
    fn search(&self, _: &SearchRequest) -> Result<SearchResponse, SearchError> {
        Ok(SearchResponse { complete: true, ..SearchResponse::default() })
    }

    fn field_names(&self, _: EventKind, _: TimeRange) -> Result<Vec<FieldName>, SearchError> {
        Ok(Vec::new())
    }
}

impl Store for Refusing {
    fn append(&self, _: Vec<Document>, on_durable: OnDurable) {
        on_durable(Err(self.0.clone()));
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }

    fn close(&self) {}
}

/// Compares with an approved answer. Of texts that come from the JSON parser only the kind of error must be the same.
fn check(folder: &Path, name: &str, status: u16, answer: &Answer) {
    let approved = std::fs::read(folder.join(format!("responses/{name}.approved.json"))).unwrap();
    let mut approved: Value = serde_json::from_slice(&approved).unwrap();
    let mut ours = answer.json();
    for body in [&mut approved, &mut ours] {
        for error in body["errors"].as_array_mut().into_iter().flatten() {
            if error["message"].as_str().is_some_and(|text| text.starts_with("decode error: ")) {
                error["message"] = "decode error: …".into();
            }
        }
        if body["errors"].is_null() {
            body.as_object_mut().unwrap().remove("errors");
        }
    }
    assert_eq!(answer.status, status, "{name}: {}", answer.text());
    assert_eq!(ours, approved, "{name}");
    assert_eq!(answer.header("content-type"), "application/json", "{name}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{name}");
    // Every request of these tests asks for the end of the connection, so only the capital tells whose answer it is.
    assert_eq!(answer.header("connection").contains("Close"), status >= 400 && status != 403, "{name}");
}

#[test]
fn answers_are_those_of_elastic() {
    let Some(fixtures) = tokenfall_testkit::elastic_fixtures("answers_are_those_of_elastic") else { return };
    let folder = fixtures.join("intake-v2");
    let input = |name: &str| std::fs::read(folder.join("input").join(name)).unwrap();
    let errors = input("errors.ndjson");
    let usual = Running::start();

    check(&folder, "Success", 202, &usual.post(&[], &errors));
    check(&folder, "EmptyBody", 202, &usual.post(&[], b""));
    let valid = [("GzipValid", "gzip", gzipped(&errors)), ("DeflateValid", "deflate", zlibbed(&errors))];
    for (name, encoding, body) in valid {
        let answer = usual.post(&[("Content-Encoding", encoding)], &body);
        check(&folder, &format!("CompressedBodyReader{name}"), 202, &answer);
    }
    for (name, encoding) in [("GzipInvalid", "gzip"), ("DeflateInvalid", "deflate")] {
        let answer = usual.post(&[("Content-Encoding", encoding)], &errors);
        check(&folder, &format!("CompressedBodyReader{name}"), 400, &answer);
    }
    for (name, file) in [
        ("InvalidEvent", "invalid-event.ndjson"),
        ("InvalidJSONEvent", "invalid-json-event.ndjson"),
        ("InvalidJSONMetadata", "invalid-json-metadata.apm-server.ndjson"),
        ("InvalidMetadata", "invalid-metadata.ndjson"),
    ] {
        check(&folder, name, 400, &usual.post(&[], &input(file)));
    }
    let json = [("Content-Type", "application/json"), ("Accept", "application/json")];
    check(&folder, "ContentType", 400, &request(usual.address, "POST", EVENTS, &json, &errors).unwrap());
    check(&folder, "Method", 400, &usual.ask("GET", EVENTS, &NDJSON));

    let limits = Limits { event_bytes_max: 10, ..Limits::default() };
    let narrow = Running::with(Config { limits, ..Config::default() });
    check(&folder, "TooLarge", 400, &narrow.post(&[], &errors));

    for (name, error) in [
        ("FullQueue", AppendError::QueueFull),
        ("FullQueueLegacy", AppendError::QueueFull),
        ("Closing", AppendError::Closing),
    ] {
        let refusing = Running::over(Config::default(), Arc::new(Refusing(error)));
        let answer = refusing.post(&[], &errors);
        check(&folder, name, 503, &answer);
        assert!(!answer.header("retry-after").is_empty());
        assert_eq!(refusing.metric("tokenfall_intake_events_received_total"), 5);
        assert_eq!(refusing.metric("tokenfall_intake_events_accepted_total"), 0);
    }

    let token = Some(Secret::new("0123456789abcdef"));
    let locked = Running::with(Config { secrets: Secrets { token, ..Secrets::default() }, ..Config::default() });
    check(&folder, "Unauthorized", 401, &locked.post(&[], &errors));

    // The advice differs: it is about our server. What the agent recognises is the same.
    let rum = usual.ask("POST", "/intake/v2/rum/events", &NDJSON);
    let approved = std::fs::read(folder.join("responses/OffRum.approved.json")).unwrap();
    let approved: Value = serde_json::from_slice(&approved).unwrap();
    let begin = "forbidden request: RUM endpoint is disabled. ";
    assert_eq!(rum.status, 403);
    assert!(
        approved["error"].as_str().unwrap().starts_with(begin)
            && rum.json()["error"].as_str().unwrap().starts_with(begin)
    );
}

#[test]
fn the_body_is_what_the_client_asks_for() {
    let server = Running::start();
    let body = crate::harness::metadata() + &crate::harness::transaction("1", "t");
    let post = |path: &str, accept: Option<&str>, body: &str| {
        let headers: Vec<_> = accept.map(|accept| ("Accept", accept)).into_iter().collect();
        let answer = request(server.address, "POST", path, &headers, body.as_bytes()).unwrap();
        (answer.status, answer.header("content-type").to_owned(), answer.text())
    };
    let (plain, json) = ("text/plain; charset=utf-8".to_owned(), "application/json".to_owned());
    assert_eq!(post("/intake/v2/events", None, &body), (202, String::new(), String::new()));
    assert_eq!(post("/intake/v2/events?flushed=true", Some("*/*"), &body), (202, String::new(), String::new()));
    assert_eq!(post("/intake/v2/events?verbose", None, &body), (202, plain.clone(), "{\"accepted\":1}".into()));
    assert_eq!(post("/intake/v2/events?verbose=0", Some("*/*"), &body), (202, json.clone(), "{\"accepted\":1}".into()));
    let (status, content_type, text) = post("/intake/v2/events", None, "nonsense\n");
    assert_eq!((status, content_type), (400, plain));
    assert!(text.starts_with("{\"accepted\":0,\"errors\":[{"), "{text}");
}
