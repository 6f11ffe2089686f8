//! Requests of unmodified Python agents that watched programs calling a language model: nothing refused, nothing lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tokenfall_model::{Document, EventKind};
use tokenfall_testkit::repository_root;

use crate::intake;

/// Every intake body, by the name of its run.
fn bodies() -> Vec<(String, Vec<u8>)> {
    let folder = repository_root().join("tests/fixtures/captured");
    let mut runs: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    runs.sort();
    let mut bodies = Vec::new();
    for run in runs {
        let name = run.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("elastic-apm-") {
            continue;
        }
        for file in fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "ndjson") {
                bodies.push((name.clone(), fs::read(file).unwrap()));
            }
        }
    }
    assert_eq!(bodies.len(), 6, "captured runs");
    bodies
}

/// Kind and content of each line after the metadata.
fn lines(body: &[u8]) -> Vec<(String, Value)> {
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).skip(1);
    let parse = |line: &[u8]| {
        let line: serde_json::Map<String, Value> = serde_json::from_slice(line).unwrap();
        line.into_iter().next().unwrap()
    };
    lines.map(parse).collect()
}

#[test]
fn every_line_becomes_the_document_it_says() {
    for (run, body) in bodies() {
        let outcome = intake(&body);
        assert_eq!(outcome.errors, [], "{run}");
        let lines = lines(&body);
        assert_eq!(outcome.documents.len(), lines.len(), "{run}");
        for ((kind, line), document) in lines.iter().zip(&outcome.documents) {
            let expected = if kind == "metricset" { "metric" } else { kind };
            assert_eq!(document.kind().as_str(), expected);
            match document.kind() {
                EventKind::Span => span(line, document),
                EventKind::Transaction => transaction(line, document),
                EventKind::Error => error(line, document),
                EventKind::Metricset | EventKind::Log => {}
            }
            assert_eq!(document.timestamp.map(|t| t.us), line["timestamp"].as_i64().filter(|_| kind != "metricset"));
            labels(&line["context"]["tags"], document);
            let mut json = Vec::new();
            document.to_json(&mut json);
            assert_eq!(&Document::from_json(&json).unwrap(), document, "{run}");
        }
    }
}

fn span(line: &Value, document: &Document) {
    let span = document.span.as_ref().unwrap();
    assert_eq!(span.id.as_ref().unwrap().as_str(), line["id"]);
    assert_eq!(document.parent.as_ref().unwrap().id.as_str(), line["parent_id"]);
    assert_eq!(span.name.as_deref(), text(&line["name"]));
    let us = line["duration"].as_f64().unwrap() * 1000.0;
    assert!((document.duration().unwrap().get() as f64 - us).abs() <= 1.0);
    let composite = span.composite.as_ref().map(|composite| composite.count);
    assert_eq!(composite, line["composite"]["count"].as_u64());
    let resource = span.destination.as_ref().and_then(|d| d.service.as_ref()).and_then(|s| s.resource.as_deref());
    assert_eq!(resource, line["context"]["destination"]["service"]["resource"].as_str());
    assert_eq!(span.stacktrace.len(), line["stacktrace"].as_array().map_or(0, Vec::len));
}

fn transaction(line: &Value, document: &Document) {
    let transaction = document.transaction.as_ref().unwrap();
    assert_eq!(transaction.id.as_ref().unwrap().as_str(), line["id"]);
    assert_eq!(transaction.result.as_deref(), text(&line["result"]));
    assert_eq!(transaction.span_count.unwrap().started, line["span_count"]["started"].as_u64());
    assert_eq!(transaction.custom.as_ref().unwrap_or(&Value::Null), &line["context"]["custom"]);
    assert_eq!(document.outcome().unwrap().as_str(), line["outcome"].as_str().unwrap_or("unknown"));
}

fn error(line: &Value, document: &Document) {
    let error = document.error.as_ref().unwrap();
    assert_eq!(error.id.as_ref().unwrap().as_str(), line["id"]);
    assert_eq!(error.culprit.as_deref(), text(&line["culprit"]));
    assert_eq!(document.message.as_deref(), line["exception"]["message"].as_str().or(line["log"]["message"].as_str()));
    assert_eq!(error.grouping_key.as_ref().unwrap().len(), 16);
}

/// Each label of the line is a label of the document, with its value.
fn labels(tags: &Value, document: &Document) {
    let labels = crate::shape::flatten(&serde_json::to_value(&document.labels).unwrap());
    for (key, value) in tags.as_object().into_iter().flatten() {
        let key = key.replace('.', "_");
        match value {
            Value::Number(number) => assert_eq!(document.numeric_labels.get(&key).copied(), number.as_f64(), "{key}"),
            Value::Null => assert!(!labels.contains_key(&key), "{key}"),
            Value::String(text) => assert_eq!(labels[&key], text.as_str(), "{key}"),
            other => assert_eq!(labels[&key], other.to_string(), "{key}"),
        }
    }
}

#[test]
fn figures_of_the_article_are_there() {
    let mut totals: BTreeMap<String, f64> = BTreeMap::new();
    for (run, body) in bodies().into_iter().filter(|(run, _)| run.ends_with("openai027-ok")) {
        for document in intake(&body).documents.iter().filter(|d| d.kind() == EventKind::Transaction) {
            for (name, value) in &document.numeric_labels {
                *totals.entry(format!("{run} {name}")).or_default() += value;
            }
        }
    }
    let named = |part: &str| totals.iter().any(|(name, total)| name.contains(part) && *total > 0.0);
    assert!(named("token"), "{totals:?}");
}

/// Text that says something; the empty text is not stored.
fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}
