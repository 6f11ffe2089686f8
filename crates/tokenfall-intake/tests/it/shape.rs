//! Documents as flat maps from dotted names to values, so that two shapes of the same thing can be compared.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;
use tokenfall_model::Document;

pub(crate) type Flat = BTreeMap<String, Value>;

/// What the ingest pipelines and the mapping add, so that documents from before them do not have it.
pub(crate) const PIPELINE_ADDS: &[&str] = &["error.grouping_name", "event.success_count", "processor.event"];

/// Our document.
pub(crate) fn ours(document: &Document) -> Flat {
    let mut json = Vec::new();
    document.to_json(&mut json);
    flatten(&serde_json::from_slice(&json).unwrap())
}

/// A document from before the ingest pipelines, with the changes made that pipelines and mapping make: nanoseconds of
/// `event.duration` become microseconds of the event, samples stand under their own names, addresses are canonical.
pub(crate) fn after_pipeline(expected: &Value) -> Flat {
    let mut expected = expected.clone();
    let samples = expected.get_mut("metricset").and_then(|m| m.as_object_mut()).and_then(|m| m.remove("samples"));
    let mut flat = flatten(&expected);
    if let Some(ns) = flat.remove("event.duration") {
        let kind = if flat.contains_key("transaction.duration.us") || flat.contains_key("transaction.sampled") {
            "transaction.duration.us"
        } else {
            "span.duration.us"
        };
        flat.insert(kind.into(), Value::from(ns.as_u64().unwrap() / 1000));
    }
    if let Some(ip) = flat.get_mut("destination.ip") {
        *ip = Value::from(ip.as_str().unwrap().parse::<IpAddr>().unwrap().to_string());
    }
    for sample in samples.as_ref().and_then(Value::as_array).into_iter().flatten() {
        let name = sample["name"].as_str().unwrap();
        if let Some(value) = sample.get("value") {
            flat.insert(name.into(), value.clone());
        }
        let rest = sample.as_object().unwrap().iter().filter(|(key, _)| !matches!(key.as_str(), "name" | "value"));
        for (key, value) in rest {
            flat.extend(flatten(value).into_iter().map(|(inner, leaf)| (join(&join(name, key), &inner), leaf)));
        }
    }
    flat
}

/// Leaves by dotted name; elements of lists by their index. Empty objects and lists vanish, and so do nulls, which mean the
/// same.
pub(crate) fn flatten(value: &Value) -> Flat {
    let mut flat = Flat::new();
    descend("", value, &mut flat);
    flat
}

fn descend(path: &str, value: &Value, flat: &mut Flat) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, inner)| descend(&join(path, key), inner, flat)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, inner)| descend(&join(path, &i.to_string()), inner, flat));
        }
        Value::Null => {}
        leaf => drop(flat.insert(path.to_owned(), leaf.clone())),
    }
}

fn join(path: &str, key: &str) -> String {
    match (path, key) {
        ("", key) => key.to_owned(),
        (path, "") => path.to_owned(),
        (path, key) => format!("{path}.{key}"),
    }
}

/// Equal as JSON, where `1` and `1.0` are the same number.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= f64::EPSILON * a.abs(),
        _ => a == b,
    }
}
