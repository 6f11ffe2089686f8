//! Logs, metricsets, labels and samples.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// `log.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// Level.
    pub level: Option<String>,
    /// Logger.
    pub logger: Option<String>,
    /// Where it was logged.
    pub origin: Option<LogOrigin>,
}

/// `log.origin.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOrigin {
    /// Function.
    pub function: Option<String>,
    /// File.
    pub file: Option<LogOriginFile>,
}

/// `log.origin.file.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOriginFile {
    /// Name.
    pub name: Option<String>,
    /// Line.
    pub line: Option<i64>,
}

/// `metricset.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metricset {
    /// Name: `app`, `span_breakdown`, `transaction` and so on.
    pub name: String,
    /// Aggregation interval of a metricset that the server made.
    pub interval: Option<String>,
}

/// A label's value: one text or, from OpenTelemetry, a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LabelValue {
    /// Text, `true` or `false`.
    One(String),
    /// Several texts.
    Many(Vec<String>),
}

/// One metric sample. Written as a number, or as `{"values":[…],"counts":[…]}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Sample {
    /// Gauge or counter.
    Value(f64),
    /// Histogram: `counts[i]` observations of `values[i]`.
    Histogram {
        /// Bucket values.
        values: Vec<f64>,
        /// Observations for each bucket.
        counts: Vec<u64>,
    },
}
