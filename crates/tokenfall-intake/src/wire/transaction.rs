//! `transaction`

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use tokenfall_model::limits::DROPPED_SPAN_TARGET_CHARS_MAX;

use super::{Context, Int, JsonObject, Keyword, List, OutcomeWord, Text, Time, Value, wire};

wire! {
    /// A line with a transaction.
    TransactionRoot<'a> {
        "transaction" transaction: Box<Transaction<'a>> [required],
    }
}

wire! {
    /// One served unit of work.
    Transaction<'a> {
        "marks" marks: Marks,
        "timestamp" timestamp: Time,
        "otel" otel: Otel<'a>,
        "links" links: List<SpanLink<'a>>,
        "trace_id" trace_id: Keyword<'a> [required],
        "id" id: Keyword<'a> [required],
        "parent_id" parent_id: Keyword<'a>,
        "name" name: Keyword<'a>,
        "type" kind: Keyword<'a> [required],
        "result" result: Keyword<'a>,
        "dropped_spans_stats" dropped_spans_stats: List<DroppedSpanStats<'a>>,
        "outcome" outcome: OutcomeWord<'a>,
        "faas" faas: Box<Faas<'a>>,
        "session" session: Session<'a>,
        "context" context: Box<Context<'a>>,
        "experience" experience: Experience,
        "span_count" span_count: SpanCount [required],
        "sample_rate" sample_rate: f64,
        "duration" duration: f64 [required, at_least(0)],
        "sampled" sampled: bool,
    }
}

wire! {
    /// `otel`, from an agent's OpenTelemetry bridge; of spans too.
    Otel<'a> {
        "attributes" attributes: JsonObject,
        "span_kind" span_kind: Text<'a>,
    }
}

wire! {
    /// An element of `links`; of spans too.
    SpanLink<'a> {
        "span_id" span_id: Keyword<'a> [required],
        "trace_id" trace_id: Keyword<'a> [required],
    }
}

wire! {
    /// An element of `dropped_spans_stats`.
    DroppedSpanStats<'a> {
        "destination_service_resource" destination_service_resource: Keyword<'a>,
        "service_target_type" service_target_type: Text<'a> [chars_at_most(DROPPED_SPAN_TARGET_CHARS_MAX)],
        "service_target_name" service_target_name: Text<'a> [chars_at_most(DROPPED_SPAN_TARGET_CHARS_MAX)],
        "outcome" outcome: OutcomeWord<'a>,
        "duration" duration: DroppedDuration,
    }
}

wire! {
    /// `dropped_spans_stats[].duration`
    DroppedDuration {
        "count" count: Int [at_least(1)],
        "sum" sum: DroppedSum,
    }
}

wire! {
    /// `dropped_spans_stats[].duration.sum`
    DroppedSum {
        "us" us: Int [at_least(0)],
    }
}

wire! {
    /// `faas`; of metricsets and logs too.
    Faas<'a> {
        "id" id: Text<'a>,
        "execution" execution: Text<'a>,
        "trigger" trigger: Trigger<'a>,
        "name" name: Text<'a>,
        "version" version: Text<'a>,
        "coldstart" coldstart: bool,
    }
}

wire! {
    /// `faas.trigger`
    Trigger<'a> {
        "type" kind: Text<'a>,
        "request_id" request_id: Text<'a>,
    }
}

wire! {
    /// `session`
    Session<'a> {
        "id" id: Keyword<'a> [required],
        "sequence" sequence: Int [at_least(1)],
    }
}

wire! {
    /// `span_count`
    SpanCount {
        "dropped" dropped: Int [at_least(0)],
        "started" started: Int [required, at_least(0)],
    }
}

wire! {
    /// `experience`
    Experience {
        "cls" cls: f64 [at_least(0)],
        "fid" fid: f64 [at_least(0)],
        "longtask" longtask: LongTask,
        "tbt" tbt: f64 [at_least(0)],
    }
}

wire! {
    /// `experience.longtask`
    LongTask {
        "count" count: Int [required, at_least(0)],
        "max" max: f64 [required, at_least(0)],
        "sum" sum: f64 [required, at_least(0)],
    }
}

/// `marks`: numbers by group and name. Keys as sent, so that equal ones replace each other.
#[derive(Debug, Default)]
pub(crate) struct Marks(pub(crate) BTreeMap<String, BTreeMap<String, f64>>);

impl Value for Marks {
    fn is_set(&self) -> bool {
        !self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Groups;

        impl<'de> Visitor<'de> for Groups {
            type Value = Marks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of mark groups")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut groups = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    let marks = map.next_value::<Option<BTreeMap<String, Option<f64>>>>()?.unwrap_or_default();
                    groups.insert(name, marks.into_iter().filter_map(|(k, v)| Some((k, v?))).collect());
                }
                groups.retain(|_, marks: &mut BTreeMap<_, _>| !marks.is_empty());
                Ok(Marks(groups))
            }
        }

        deserializer.deserialize_map(Groups)
    }
}
