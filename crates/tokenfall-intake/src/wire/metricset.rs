//! `metricset`

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use tokenfall_model::is_reserved_sample_name;

use super::{Checked, Faas, Keyword, Labels, List, Text, Time, Value, Violation, wire};

wire! {
    /// A line with a metricset.
    MetricsetRoot<'a> {
        "metricset" metricset: Box<Metricset<'a>> [required],
    }
}

wire! {
    /// A set of metric samples.
    Metricset<'a> {
        "timestamp" timestamp: Time,
        "samples" samples: Samples<'a> [required],
        "span" span: SpanRef<'a>,
        "tags" tags: Labels<'a>,
        "transaction" transaction: TransactionRef<'a>,
        "service" service: ServiceRef<'a>,
        "faas" faas: Box<Faas<'a>>,
    }
}

wire! {
    /// `metricset.span`
    SpanRef<'a> {
        "subtype" subtype: Keyword<'a>,
        "type" kind: Keyword<'a>,
    }
}

wire! {
    /// `metricset.transaction`
    TransactionRef<'a> {
        "name" name: Keyword<'a>,
        "type" kind: Keyword<'a>,
    }
}

wire! {
    /// `metricset.service`
    ServiceRef<'a> {
        "name" name: Keyword<'a>,
        "version" version: Keyword<'a>,
    }
}

wire! {
    /// One sample.
    Sample {
        "values" values: List<f64>,
        "counts" counts: List<Count>,
        "value" value: f64,
    } where check_sample
}

fn check_sample(sample: &Sample) -> Checked {
    match (&sample.values, &sample.counts) {
        (Some(_), None) => Err(Violation::Located("'counts' required when 'values' is set".into())),
        (None, Some(_)) => Err(Violation::Located("'values' required when 'counts' is set".into())),
        (Some(values), Some(counts)) if values.0.len() != counts.0.len() => Err(Violation::Located(format!(
            "'counts' has {} elements and 'values' has {}",
            counts.0.len(),
            values.0.len()
        ))),
        _ => Ok(()),
    }
}

/// Observations in one bucket of a histogram.
#[derive(Debug)]
pub(crate) struct Count(pub(crate) u64);

impl Value for Count {}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self)
    }
}

/// Samples by name. A sample that is `null` or says nothing is left out.
#[derive(Debug, Default)]
pub(crate) struct Samples<'a>(pub(crate) BTreeMap<Text<'a>, Sample>);

impl Value for Samples<'_> {
    fn is_set(&self) -> bool {
        !self.0.is_empty()
    }

    fn check(&self) -> Checked {
        for (name, sample) in &self.0 {
            let name = name.as_str();
            if name.contains(['*', '"']) {
                return Err(Violation::rule("patternKeys(patternNoAsteriskQuote)"));
            }
            if name.is_empty() || is_reserved_sample_name(name) {
                return Err(Violation::Located(format!("'{name}' cannot be the name of a metric")));
            }
            sample.check()?;
        }
        Ok(())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Samples<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Samples<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of samples")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut samples = BTreeMap::new();
                while let Some(name) = map.next_key()? {
                    match map.next_value::<Option<Sample>>()?.filter(Value::is_set) {
                        Some(sample) => drop(samples.insert(name, sample)),
                        None => drop(samples.remove(&name)),
                    }
                }
                Ok(Samples(samples))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
