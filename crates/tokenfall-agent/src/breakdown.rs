//! Time by span type, summed up for the breakdown metrics (agent specification, "breakdown metrics").

use std::collections::HashMap;

use serde_json::json;

use crate::clock::wall_us;
use crate::event::{Text, TransactionRecord};
use crate::limits::{KEYWORD_CHARS, truncate};

/// Most groups between two reports.
const MAX_GROUPS: usize = 1000;

/// Name and type of the transactions, type and subtype of the spans.
type Group = (Text, Text, Text, Option<Text>);

/// Sums since the last report.
#[derive(Debug, Default)]
pub(crate) struct Breakdown {
    groups: HashMap<Group, SelfTimes>,
    is_overflow_told: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct SelfTimes {
    count: u64,
    sum_ns: u64,
}

impl Breakdown {
    /// Takes the times of a transaction that has ended.
    pub(crate) fn add(&mut self, transaction: &TransactionRecord) {
        for time in &transaction.self_times {
            let group = (transaction.name.clone(), transaction.kind.clone(), time.kind.clone(), time.subtype.clone());
            if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&group) {
                if !self.is_overflow_told {
                    self.is_overflow_told = true;
                    log::warn!(
                        "there are more than {MAX_GROUPS} pairs of transaction and span type; the time of the others is \
                         not broken down. Do names of transactions hold ids?"
                    );
                }
                continue;
            }
            let sums = self.groups.entry(group).or_default();
            sums.count = sums.count.saturating_add(time.count);
            sums.sum_ns = sums.sum_ns.saturating_add(time.sum_ns);
        }
    }

    /// Appends a metric set, newline included, for every group, and begins anew.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>) {
        let timestamp = wall_us();
        for ((name, kind, span_kind, span_subtype), sums) in self.groups.drain() {
            let cut = |text: &Text| truncate(text, KEYWORD_CHARS).into_owned();
            let mut span = json!({ "type": cut(&span_kind) });
            if let Some(subtype) = &span_subtype {
                span["subtype"] = cut(subtype).into();
            }
            let line = json!({"metricset": {
                "timestamp": timestamp,
                "transaction": { "name": cut(&name), "type": cut(&kind) },
                "span": span,
                "samples": {
                    "span.self_time.count": { "value": sums.count },
                    "span.self_time.sum.us": { "value": sums.sum_ns / 1000 },
                },
            }});
            out.extend_from_slice(line.to_string().as_bytes());
            out.push(b'\n');
        }
    }
}
