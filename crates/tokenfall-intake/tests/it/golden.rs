//! The same bodies as Elastic's library was given, compared with what it made of them.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tokenfall_testkit::{elastic_fixtures, repository_root};

use crate::differences::{Met, Seen};
use crate::shape::{PIPELINE_ADDS, after_pipeline, equal, ours};
use crate::{Outcome, intake};

/// Compares a body with its expectation; appends what differs and is not in the table.
fn compare(input: &Path, expected: &Path, met: &mut Met, found: &mut Vec<String>) {
    let name = input.file_name().unwrap().to_string_lossy().into_owned();
    let outcome = intake(&fs::read(input).unwrap());
    let expected: Value = serde_json::from_slice(&fs::read(expected).unwrap()).unwrap();
    let mut differ = |what: String| found.push(format!("{name}: {what}"));

    if Some(outcome.accepted) != expected["accepted"].as_u64() {
        differ(format!("accepted {}, expected {}; {:?}", outcome.accepted, expected["accepted"], outcome.messages()));
    }
    if Some(outcome.status()) != expected["status"].as_u64() {
        differ(format!("status {}, expected {}", outcome.status(), expected["status"]));
    }
    compare_errors(&outcome, &expected["errors"], &mut differ);

    let documents = expected["documents"].as_array().map(Vec::as_slice).unwrap_or_default();
    if outcome.documents.len() != documents.len() {
        differ(format!("{} documents, expected {}", outcome.documents.len(), documents.len()));
    }
    for (i, (document, expected)) in outcome.documents.iter().zip(documents).enumerate() {
        let (mut ours, theirs) = (ours(document), after_pipeline(expected));
        ours.retain(|field, _| !PIPELINE_ADDS.contains(&field.as_str()));
        for (field, theirs) in &theirs {
            if !ours.get(field).is_some_and(|ours| equal(ours, theirs)) && !met.allows(Seen::BeforeIndexing, field) {
                differ(format!("[{i}] {field}: ours {:?}, Elastic's {theirs}", ours.get(field)));
            }
        }
        for (field, value) in ours.iter().filter(|(field, _)| !theirs.contains_key(*field)) {
            if !met.allows(Seen::BeforeIndexing, field) {
                differ(format!("[{i}] {field}: ours {value}, Elastic's absent"));
            }
        }
    }
}

fn compare_errors(outcome: &Outcome, expected: &Value, differ: &mut impl FnMut(String)) {
    let expected = expected.as_array().map(Vec::as_slice).unwrap_or_default();
    if outcome.errors.len() != expected.len() {
        differ(format!("errors {:?}, expected {}", outcome.messages(), expected.len()));
    }
    for (error, expected) in outcome.errors.iter().zip(expected) {
        let message = expected["message"].as_str().unwrap();
        // What follows these words comes from a Go parser.
        let prefix = "decode error: data read error: ";
        let same =
            if message.starts_with(prefix) { error.message.starts_with(prefix) } else { error.message == message };
        if !same || error.document.as_deref() != expected["document"].as_str() {
            differ(format!("error {error:?}, expected {expected}"));
        }
    }
}

#[test]
fn documents_are_elastics() {
    let mut met = Met::default();
    let mut found = Vec::new();
    let mut n_files = 0;
    let mut folder = |folder: &Path, expected: &Path| {
        for input in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = input.file_name().unwrap().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".ndjson") else { continue };
            let expected = expected.join(format!("{stem}.expected.json"));
            if expected.exists() {
                n_files += 1;
                compare(&input, &expected, &mut met, &mut found);
            }
        }
    };
    let own = repository_root().join("tests/fixtures/intake");
    folder(&own.join("own"), &own.join("own"));
    folder(&own.join("captured"), &own.join("captured"));
    let elastics = elastic_fixtures("intake::documents_are_elastics");
    if let Some(fixtures) = &elastics {
        let fixtures = fixtures.join("intake-v2");
        folder(&fixtures.join("input"), &fixtures.join("expected"));
        assert!(n_files > 20, "{n_files} files");
    }
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    if elastics.is_some() {
        met.assert_all_met(Seen::BeforeIndexing);
    }
}

#[test]
fn heavy_request_is_accepted_whole() {
    let Some(fixtures) = elastic_fixtures("intake::heavy_request_is_accepted_whole") else { return };
    let outcome = intake(&fs::read(fixtures.join("intake-v2/input/heavy.ndjson")).unwrap());
    assert_eq!((outcome.accepted, outcome.n_errors), (1920, 0));
    for kind in ["transaction", "span", "error", "metric"] {
        let n = outcome.documents.iter().filter(|document| document.kind().as_str() == kind).count();
        assert_eq!(n, 480, "{kind}");
    }
}

/// Message and document of refused lines, as Elastic's server answers them.
#[test]
fn answers_are_elastics() {
    let Some(fixtures) = elastic_fixtures("intake::answers_are_elastics") else { return };
    let fixtures = fixtures.join("intake-v2");
    for (input, answer) in [
        ("errors.ndjson", "Success"),
        ("invalid-event.ndjson", "InvalidEvent"),
        ("invalid-json-event.ndjson", "InvalidJSONEvent"),
        ("invalid-json-metadata.apm-server.ndjson", "InvalidJSONMetadata"),
        ("invalid-metadata.ndjson", "InvalidMetadata"),
    ] {
        let body = fs::read(fixtures.join("input").join(input)).unwrap();
        let answer = fs::read(fixtures.join(format!("responses/{answer}.approved.json"))).unwrap();
        let expected: Value = serde_json::from_slice(&answer).unwrap();
        let outcome = intake(&body);
        assert_eq!(Some(outcome.accepted), expected["accepted"].as_u64(), "{input}");
        let mut found = Vec::new();
        compare_errors(&outcome, &expected["errors"], &mut |what| found.push(what));
        assert!(found.is_empty(), "{input}: {found:?}");
    }
}
