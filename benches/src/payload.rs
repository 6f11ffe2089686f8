//! Intake bodies made from a captured one: the same bytes but for ids and timestamps, so that dictionaries and trace lookups
//! see what a real program would send.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// A captured body, cut at every id and timestamp.
pub(crate) struct Template {
    metadata: String,
    parts: Vec<Part>,
    ids: usize,
    /// Events in one copy, the metadata line left out.
    pub(crate) events: u64,
    /// Transactions in one copy.
    pub(crate) transactions: u64,
}

enum Part {
    Text(String),
    Id { index: usize, digits: usize },
    Timestamp { offset_us: i64 },
}

impl Template {
    /// Reads the body of the listing's client: three streamed completions, their tokens as composite spans.
    pub(crate) fn captured() -> Result<Self> {
        let path = tokenfall_testkit::repository_root()
            .join("tests/fixtures/captured/elastic-apm-python-openai027-ok/004.ndjson");
        Self::parse(&std::fs::read_to_string(&path).with_context(|| path.display().to_string())?)
    }

    fn parse(body: &str) -> Result<Self> {
        let mut lines = body.lines().filter(|line| !line.trim().is_empty());
        let metadata = lines.next().context("the captured body is empty")?.to_owned();
        let lines: Vec<&str> = lines.collect();
        let mut ids = HashMap::new();
        let mut first_us = i64::MAX;
        let mut transactions = 0;
        for line in &lines {
            let value: Value = serde_json::from_str(line).context("captured line")?;
            transactions += u64::from(value.get("transaction").is_some());
            for event in value.as_object().into_iter().flat_map(|object| object.values()) {
                for key in ["id", "trace_id", "transaction_id", "parent_id"] {
                    if let Some(id) = event[key].as_str() {
                        let next = ids.len();
                        ids.entry(id.to_owned()).or_insert(next);
                    }
                }
                first_us = event["timestamp"].as_i64().map_or(first_us, |us| us.min(first_us));
            }
        }
        let mut parts = Vec::new();
        for line in &lines {
            cut(line, &ids, first_us, &mut parts);
            parts.push(Part::Text("\n".into()));
        }
        Ok(Self { metadata, parts, ids: ids.len(), events: lines.len() as u64, transactions })
    }

    /// Writes a request body with `copies` traces that begin at `start_us`, a millisecond apart. Ids come from `seed`, so no two
    /// seeds share one.
    pub(crate) fn write(&self, seed: u64, copies: u64, start_us: i64, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(self.metadata.as_bytes());
        out.push(b'\n');
        for copy in 0..copies {
            let begin_us = start_us + copy as i64 * 1000;
            let base = (seed * copies + copy) * self.ids as u64;
            for part in &self.parts {
                match part {
                    Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                    Part::Id { index, digits } => {
                        let number = scramble(base + *index as u64);
                        let text = format!("{number:016x}{:016x}", scramble(number));
                        out.extend_from_slice(&text.as_bytes()[..(*digits).min(32)]);
                    }
                    Part::Timestamp { offset_us } => {
                        out.extend_from_slice((begin_us + offset_us).to_string().as_bytes());
                    }
                }
            }
        }
    }
}

/// Cuts a line at ids (16 or 32 digits in quotes) and at `"timestamp": N`.
fn cut(line: &str, ids: &HashMap<String, usize>, first_us: i64, parts: &mut Vec<Part>) {
    let mut text = String::new();
    let mut rest = line;
    while let Some(quote) = rest.find('"') {
        let (before, after) = rest.split_at(quote + 1);
        text.push_str(before);
        let end = after.find('"').unwrap_or(after.len());
        let (word, tail) = after.split_at(end);
        if let Some(index) = ids.get(word) {
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(Part::Id { index: *index, digits: word.len() });
            rest = tail;
        } else if word == "timestamp" {
            text.push_str(word);
            let digits = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            text.push_str(&tail[..digits]);
            let number: String = tail[digits..].chars().take_while(char::is_ascii_digit).collect();
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(Part::Timestamp { offset_us: number.parse::<i64>().unwrap_or(first_us) - first_us });
            rest = &tail[digits + number.len()..];
            continue;
        } else {
            text.push_str(word);
            rest = tail;
        }
        // The closing quote.
        if let Some(stripped) = rest.strip_prefix('"') {
            text.push('"');
            rest = stripped;
        }
    }
    text.push_str(rest);
    parts.push(Part::Text(text));
}

/// A bijection that spreads consecutive numbers (SplitMix64's finaliser).
pub(crate) fn scramble(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_differ_in_ids_and_times_only() {
        let template = Template::captured().unwrap();
        let mut body = Vec::new();
        template.write(7, 2, 1_000_000, &mut body);
        let text = String::from_utf8(body).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len() as u64, 1 + 2 * template.events);
        let trace = |n: u64| lines[(1 + n * template.events) as usize]["span"]["trace_id"].clone();
        assert!(trace(0).is_string());
        assert_ne!(trace(0), trace(1));
        assert_eq!(trace(0), lines[2]["span"]["trace_id"], "one copy is one trace");
    }
}
