//! The same bodies as a real Elasticsearch was given, compared with the documents that a search there returns.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use tokenfall_intake::StreamOptions;
use tokenfall_testkit::elastic_fixtures;

use crate::differences::{Met, Seen};
use crate::shape::Flat;
use crate::{intake_with, options};

/// Our fields that a search does not return, because they are kept but not indexed.
const NOT_INDEXED: &[&str] = &[
    "error.custom",
    "error.exception.attributes",
    "error.exception.stacktrace",
    "error.log.stacktrace",
    "http.request.body",
    "http.request.cookies",
    "span.stacktrace",
    "transaction.custom",
    "transaction.message.body",
];

type Fields = BTreeMap<String, Vec<Value>>;

/// Values by dotted name, lists dissolved.
fn fields(flat: Flat) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in flat {
        let name: Vec<&str> = name.split('.').filter(|part| part.parse::<u64>().is_err()).collect();
        fields.entry(name.join(".")).or_default().push(value);
    }
    fields
}

/// Searches return headers as one object, in which a list of one is its element.
fn theirs(document: &Value) -> Fields {
    let mut fields = Fields::new();
    for (name, values) in document.as_object().unwrap() {
        for value in values.as_array().unwrap() {
            let inner = crate::shape::flatten(value);
            for (key, values) in self::fields(inner) {
                let name = if key.is_empty() { name.clone() } else { format!("{name}.{key}") };
                fields.entry(name).or_default().extend(values);
            }
        }
    }
    // Second index of the same text; who received it; what Elasticsearch adds.
    fields.retain(|name, _| {
        name.rsplit_once('.').is_none_or(|(_, last)| last != "text") && !name.starts_with("observer.")
    });
    fields
}

/// What identifies an event in these files.
fn key(fields: &Fields) -> Vec<String> {
    let names = ["processor.event", "error.id", "transaction.id", "span.id", "trace.id", "@timestamp"];
    names.iter().map(|name| format!("{:?}", fields.get(*name))).collect()
}

/// Comparable texts. Numbers have six decimals, as in Elastic's mapping of marks and numeric labels (`scaled_float`).
fn sorted(values: &[Value]) -> Vec<String> {
    let mut texts: Vec<_> =
        values.iter().map(|v| v.as_f64().map_or_else(|| v.to_string(), |number| format!("{number:.6}"))).collect();
    texts.sort();
    texts
}

#[test]
fn stored_documents_are_elastics() {
    let Some(fixtures) = elastic_fixtures("intake::stored_documents_are_elastics") else { return };
    let mut met = Met::default();
    let mut found = Vec::new();
    for file in ["errors", "metricsets", "minimal", "spans", "transactions", "unknown-span-type"] {
        let folder = fixtures.join("intake-v2/es-docs");
        let body = fs::read(folder.join(format!("{file}.apm-server.ndjson"))).unwrap();
        let approved = fs::read(folder.join(format!("{file}.approved.json"))).unwrap();
        let approved: Vec<Value> = serde_json::from_slice(&approved).unwrap();
        let client_ip = Some([127, 0, 0, 1].into());
        let outcome = intake_with(StreamOptions { client_ip, ..options() }, &[&body]);
        let mut ours: Vec<Fields> = outcome.documents.iter().map(|d| fields(crate::shape::ours(d))).collect();
        let mut approved: Vec<Fields> = approved.iter().map(theirs).collect();
        if ours.len() != approved.len() {
            found.push(format!(
                "{file}: {} documents, Elastic has {}; {:?}",
                ours.len(),
                approved.len(),
                outcome.errors
            ));
        }
        // Events without a time of their own got that of their request.
        for fields in ours.iter_mut().chain(&mut approved) {
            let received = |us: i64| us == crate::RECEIVED.as_micros() || us > 1_700_000_000_000_000;
            if fields.get("timestamp.us").and_then(|v| v[0].as_i64()).is_some_and(received) {
                fields.insert("@timestamp".into(), vec!["received".into()]);
                fields.insert("timestamp.us".into(), vec!["received".into()]);
            }
        }
        ours.sort_by_key(key);
        approved.sort_by_key(key);
        for (ours, theirs) in ours.iter().zip(&approved) {
            let id = key(theirs).join(" ");
            for (name, theirs) in theirs {
                let same = match ours.get(name) {
                    Some(_) if *theirs == ["dynamic"] => true,
                    Some(ours) => sorted(ours) == sorted(theirs),
                    None => false,
                };
                if !same && !met.allows(Seen::Stored, name) {
                    found.push(format!("{file} {id} {name}: ours {:?}, Elastic's {theirs:?}", ours.get(name)));
                }
            }
            for (name, value) in ours.iter().filter(|(name, _)| !theirs.contains_key(*name)) {
                let hidden = NOT_INDEXED.iter().any(|prefix| name.starts_with(prefix));
                if !hidden && !met.allows(Seen::Stored, name) {
                    found.push(format!("{file} {id} {name}: ours {value:?}, Elastic's absent"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    met.assert_all_met(Seen::Stored);
}
