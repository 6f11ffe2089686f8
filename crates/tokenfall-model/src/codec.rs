//! A document as JSON and back. Metric samples stand at the top level under their own names, which serde's derive cannot
//! do cheaply (`flatten` buffers every document), so they are joined and split here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::document::{Document, EventKind, Sample};

/// A stored document that cannot be read back.
#[derive(Debug, thiserror::Error)]
#[error("stored document is not readable: {0}")]
pub struct DocumentDecodeError(#[from] serde_json::Error);

impl Document {
    /// Appends this document as one JSON object to `out`.
    pub fn to_json(&self, out: &mut Vec<u8>) {
        let start = out.len();
        if serde_json::to_writer(&mut *out, self).is_err() {
            // Nothing in a document can fail to serialise: keys are strings and the writer is memory.
            out.truncate(start);
            out.extend_from_slice(b"{}");
            return;
        }
        if self.samples.is_empty() {
            return;
        }
        out.pop();
        for (name, sample) in &self.samples {
            out.push(b',');
            let part = out.len();
            let written = serde_json::to_writer(&mut *out, name).and_then(|()| {
                out.push(b':');
                serde_json::to_writer(&mut *out, sample)
            });
            if written.is_err() {
                out.truncate(part - 1);
            }
        }
        out.push(b'}');
    }

    /// Reads a document that [`Document::to_json`] wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentDecodeError> {
        let mut document: Self = serde_json::from_slice(json)?;
        if document.kind() == EventKind::Metricset {
            document.samples = serde_json::Deserializer::from_slice(json).deserialize_map(Samples)?;
        }
        Ok(document)
    }
}

impl Document {
    /// Reads a document that [`Document::to_json`] wrote, all but its stack traces, which are left empty. Reading a span with
    /// some frames so takes about half the time.
    pub fn from_json_without_stack_traces(json: &[u8]) -> Result<Self, DocumentDecodeError> {
        Self::from_json(&without_stack_traces(json))
    }
}

/// Leaves out the elements of every array under the key `stacktrace`. The JSON must be as this module writes it, without
/// spaces between tokens; other JSON is returned as it is or with fewer of its stack traces left out.
fn without_stack_traces(json: &[u8]) -> Cow<'_, [u8]> {
    // Within a string both quotes would be escaped, so this stands for a key and nothing else.
    const KEY: &[u8] = b"\"stacktrace\":[";
    let mut kept: Vec<u8> = Vec::new();
    let mut rest = json;
    while let Some(at) = memchr::memmem::find(rest, KEY) {
        let (before, array) = rest.split_at(at + KEY.len());
        let Some(end) = end_of_array(array) else { break };
        kept.extend_from_slice(before);
        rest = array.get(end..).unwrap_or_default();
    }
    if kept.is_empty() {
        return Cow::Borrowed(json);
    }
    kept.extend_from_slice(rest);
    Cow::Owned(kept)
}

/// Position of the `]` that closes the array whose `[` stands just before; `None` if it is not closed.
fn end_of_array(json: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        at += memchr::memchr3(b'"', b'[', b']', json.get(at..)?)?;
        match json.get(at)? {
            b'"' => at += end_of_string(json.get(at + 1..)?)?,
            b'[' => depth += 1,
            _ if depth == 0 => return Some(at),
            _ => depth -= 1,
        }
        at += 1;
    }
}

/// Length of a string's contents with its closing quote; `None` if it is not closed.
fn end_of_string(json: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', json.get(at..)?)?;
        if json.get(at)? == &b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Collects the top-level keys that are not fields of [`Document`].
struct Samples;

impl<'de> Visitor<'de> for Samples {
    type Value = BTreeMap<String, Sample>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut samples = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if is_document_field(&name) {
                map.next_value::<IgnoredAny>()?;
            } else if let Some(sample) = map.next_value::<Lenient>()?.0 {
                samples.insert(name, sample);
            }
        }
        Ok(samples)
    }
}

/// A sample, or nothing where a document that others wrote has something else.
struct Lenient(Option<Sample>);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(serde_json::from_value(value).ok()))
    }
}

/// Top-level names of [`Document`]; everything else in a metricset is a sample. A sample with one of these very names (no
/// dot) is refused by the enrichment, so nothing can be lost here.
fn is_document_field(name: &str) -> bool {
    RESERVED_TOP_LEVEL.contains(&name)
}

/// Top-level field names that no metric may take.
pub(crate) const RESERVED_TOP_LEVEL: &[&str] = &[
    "@timestamp",
    "timestamp",
    "processor",
    "data_stream",
    "trace",
    "transaction",
    "span",
    "parent",
    "child",
    "error",
    "message",
    "event",
    "service",
    "agent",
    "host",
    "process",
    "container",
    "kubernetes",
    "cloud",
    "faas",
    "user",
    "user_agent",
    "session",
    "client",
    "source",
    "destination",
    "http",
    "url",
    "network",
    "log",
    "metricset",
    "labels",
    "numeric_labels",
    "gen_ai",
    "tokenfall",
];

/// True if a metric of this name would collide with a field of the document.
pub fn is_reserved_sample_name(name: &str) -> bool {
    is_document_field(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Metricset;
    use crate::ids::ServiceName;
    use crate::time::Timestamp;

    #[test]
    fn samples_survive_the_round_trip() {
        let mut document =
            Document::new(Timestamp::from_micros(1_000_000), EventKind::Metricset, ServiceName::new("s"));
        document.metricset = Some(Metricset { name: "app".into(), interval: None });
        document.samples.insert("system.memory.total".into(), Sample::Value(25_276_514_304.0));
        document.samples.insert("latency".into(), Sample::Histogram { values: vec![1.5, 2.5], counts: vec![1, 2] });
        let mut json = Vec::new();
        document.to_json(&mut json);
        assert_eq!(Document::from_json(&json).unwrap(), document);
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(value["latency"]["counts"], serde_json::json!([1, 2]));
    }

    #[test]
    fn stack_traces_are_left_out_whatever_stands_in_them() {
        let check = |json: &str, expected: &str| {
            assert_eq!(String::from_utf8_lossy(&without_stack_traces(json.as_bytes())), expected);
        };
        check(
            r#"{"span":{"stacktrace":[{"vars":{"a":["]\"]",[1]]}}],"name":"x"}}"#,
            r#"{"span":{"stacktrace":[],"name":"x"}}"#,
        );
        check(
            r#"{"a":{"stacktrace":[1]},"b":{"stacktrace":[[2],[3]]}}"#,
            r#"{"a":{"stacktrace":[]},"b":{"stacktrace":[]}}"#,
        );
        check(r#"{"message":"\"stacktrace\":[1]"}"#, r#"{"message":"\"stacktrace\":[1]"}"#);
        check(r#"{"message":"\\","stacktrace":["\\"]}"#, r#"{"message":"\\","stacktrace":[]}"#);
        check(r#"{"stacktrace":[1"#, r#"{"stacktrace":[1"#);
        check("", "");
    }
}
