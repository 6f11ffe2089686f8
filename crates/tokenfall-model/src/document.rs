//! The stored event: one document in the shape that Elastic's APM indices have.
//!
//! Field names and nesting are those of the Elastic Common Schema and of Elastic's APM data streams, as a search there
//! returns them after the ingest pipelines have run. A field that is absent is not written. What Tokenfall adds stands under
//! `tokenfall.*` and is listed in [`TokenfallFields`].

mod error;
mod gen_ai;
mod log;
mod request;
mod service;
mod tokenfall;
mod transaction;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;

use crate::ids::{ServiceName, SpanId, TraceId};
use crate::time::{Micros, Timestamp};

pub use error::{Error, ErrorLog, Exception, Frame, FrameContext, FrameLine};
pub use gen_ai::{GenAi, GenAiMessages, GenAiRequest, GenAiResponse, GenAiUsage};
pub use log::{LabelValue, Log, LogOrigin, LogOriginFile, Metricset, Sample};
pub use request::{
    Endpoint, Http, HttpBody, HttpRequest, HttpResponse, Nat, Network, NetworkConnection, Session, Url, User, UserAgent,
};
pub use service::{
    Agent, Cloud, CloudOrigin, Faas, FaasTrigger, Host, IdName, Kubernetes, MachineType, NameVersion, Os,
    ParentProcess, Pod, Process, Service, ServiceOrigin, ServiceTarget,
};
pub use tokenfall::{
    CostSource, Dependency, DependencyRole, LlmRollup, PriceReference, TokenStream, TokenfallCost, TokenfallFields,
    TokenfallUsage, UsageSource,
};
pub use transaction::{
    Composite, Db, DestinationService, DroppedSpanStats, Experience, Link, LongTask, Message, MessageAge, SelfTime,
    Span, SpanCount, SpanDestination, Transaction,
};

/// Any JSON kept as it came and not indexed (`custom`, `vars`, `env`, `cookies`, bodies).
pub type Json = Value;

/// HTTP or message headers under their canonical names, each with the list of its values.
pub type Headers = BTreeMap<String, Vec<String>>;

/// What kind of event a document is (`processor.event`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// One served unit of work.
    Transaction,
    /// Work inside a transaction.
    Span,
    /// A captured exception or logged error.
    Error,
    /// A set of metric samples.
    #[serde(rename = "metric")]
    Metricset,
    /// A log record.
    Log,
}

impl EventKind {
    /// All kinds, in the order in which statistics list them.
    pub const ALL: [Self; 5] = [Self::Transaction, Self::Span, Self::Error, Self::Metricset, Self::Log];

    /// The value of `processor.event`: `metric` for a metricset, as in Elastic's documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Span => "span",
            Self::Error => "error",
            Self::Metricset => "metric",
            Self::Log => "log",
        }
    }
}

/// How a unit of work ended (`event.outcome`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It did what it was asked to do.
    Success,
    /// It failed.
    Failure,
    /// Nobody said; such work takes no part in failure rates.
    Unknown,
}

impl Outcome {
    /// The value of `event.outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }

    /// Outcome of a served request, by its HTTP status: what the server is to blame for is a failure.
    pub const fn of_server_status(status: i64) -> Self {
        if status >= 500 { Self::Failure } else { Self::Success }
    }

    /// Outcome of a call, by the HTTP status of the answer.
    pub const fn of_client_status(status: i64) -> Self {
        if status >= 400 { Self::Failure } else { Self::Success }
    }
}

/// One stored event.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// When the event began (transactions and spans) or happened, as text with milliseconds.
    #[serde(rename = "@timestamp")]
    pub at: Timestamp,
    /// The same instant with microseconds; absent on metricsets and logs.
    pub timestamp: Option<TimestampUs>,
    /// Kind of the event.
    pub processor: Processor,
    /// Stream that the event belongs to.
    pub data_stream: DataStream,
    /// Trace that the event is part of.
    pub trace: Option<Id<TraceId>>,
    /// Transaction, or the transaction that a span, error or log belongs to.
    pub transaction: Option<Box<Transaction>>,
    /// Span; on transactions and errors it holds only the id of the transaction.
    pub span: Option<Box<Span>>,
    /// What caused the event.
    pub parent: Option<Id<SpanId>>,
    /// Spans that this one adopts as children.
    pub child: Option<Children>,
    /// Error.
    pub error: Option<Box<Error>>,
    /// Log line, or the message of an error.
    pub message: Option<String>,
    /// Outcome and classification.
    pub event: Option<Event>,
    /// Service that sent the event.
    pub service: Service,
    /// Agent that recorded the event.
    pub agent: Option<Agent>,
    /// Machine.
    pub host: Option<Box<Host>>,
    /// Process.
    pub process: Option<Box<Process>>,
    /// Container.
    pub container: Option<Id<String>>,
    /// Kubernetes placement.
    pub kubernetes: Option<Box<Kubernetes>>,
    /// Cloud placement.
    pub cloud: Option<Box<Cloud>>,
    /// Function as a service.
    pub faas: Option<Box<Faas>>,
    /// User on whose behalf the work was done.
    pub user: Option<Box<User>>,
    /// Browser of that user.
    pub user_agent: Option<UserAgent>,
    /// Session of that user.
    pub session: Option<Session>,
    /// Client of a request.
    pub client: Option<Box<Endpoint>>,
    /// Source of a request's packets.
    pub source: Option<Box<Endpoint>>,
    /// Callee's address.
    pub destination: Option<Box<Endpoint>>,
    /// HTTP exchange.
    pub http: Option<Box<Http>>,
    /// URL of the exchange.
    pub url: Option<Box<Url>>,
    /// Network of the client.
    pub network: Option<Network>,
    /// Log record's level, logger and origin.
    pub log: Option<Box<Log>>,
    /// Which metricset this is.
    pub metricset: Option<Metricset>,
    /// String and boolean labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, LabelValue>,
    /// Numeric labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numeric_labels: BTreeMap<String, f64>,
    /// Model call, by the OpenTelemetry conventions for generative AI.
    pub gen_ai: Option<Box<GenAi>>,
    /// What Tokenfall derived.
    pub tokenfall: Option<Box<TokenfallFields>>,
    /// Metric samples. Each is written at the top level of the JSON under its own dotted name
    /// (`"system.memory.total": 25276514304`), as in Elastic's documents; see [`Document::to_json`].
    #[serde(skip)]
    pub samples: BTreeMap<String, Sample>,
}

impl Document {
    /// Makes an otherwise empty document.
    pub fn new(at: Timestamp, kind: EventKind, service: ServiceName) -> Self {
        Self {
            at,
            timestamp: None,
            processor: Processor { event: kind },
            data_stream: DataStream::default(),
            trace: None,
            transaction: None,
            span: None,
            parent: None,
            child: None,
            error: None,
            message: None,
            event: None,
            service: Service { name: service, ..Service::default() },
            agent: None,
            host: None,
            process: None,
            container: None,
            kubernetes: None,
            cloud: None,
            faas: None,
            user: None,
            user_agent: None,
            session: None,
            client: None,
            source: None,
            destination: None,
            http: None,
            url: None,
            network: None,
            log: None,
            metricset: None,
            labels: BTreeMap::new(),
            numeric_labels: BTreeMap::new(),
            gen_ai: None,
            tokenfall: None,
            samples: BTreeMap::new(),
        }
    }

    /// Kind of the event.
    pub fn kind(&self) -> EventKind {
        self.processor.event
    }

    /// The instant of the event with the best precision that was sent.
    pub fn time(&self) -> Timestamp {
        self.timestamp.map_or(self.at, |t| Timestamp::from_micros(t.us))
    }

    /// Duration of a transaction or span.
    pub fn duration(&self) -> Option<Micros> {
        match self.kind() {
            EventKind::Transaction => self.transaction.as_ref()?.duration.map(|d| d.us),
            EventKind::Span => self.span.as_ref()?.duration.map(|d| d.us),
            EventKind::Error | EventKind::Metricset | EventKind::Log => None,
        }
    }

    /// Outcome, if one was sent or derived.
    pub fn outcome(&self) -> Option<Outcome> {
        self.event.as_ref().and_then(|e| e.outcome)
    }

    /// How many events this one stands for: 1 / sample rate. Zero for an event that takes no part in metrics.
    pub fn representative_count(&self) -> f64 {
        match self.kind() {
            EventKind::Transaction => self.transaction.as_ref().and_then(|t| t.representative_count),
            EventKind::Span => self.span.as_ref().and_then(|s| s.representative_count),
            EventKind::Error | EventKind::Metricset | EventKind::Log => None,
        }
        .unwrap_or(0.0)
    }
}

/// An object that holds an id alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Id<T> {
    /// The id.
    pub id: T,
}

/// An object that holds a name alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// The name.
    pub name: String,
}

/// An object that holds a duration alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DurationUs {
    /// Microseconds.
    pub us: Micros,
}

/// `timestamp.us`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimestampUs {
    /// Microseconds since the epoch.
    pub us: i64,
}

/// `processor.*`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processor {
    /// Kind of the event.
    pub event: EventKind,
}

/// Type of a data stream (`data_stream.type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamType {
    /// Transactions and spans.
    #[default]
    Traces,
    /// Errors and logs.
    Logs,
    /// Metricsets.
    Metrics,
}

/// Stream that a document belongs to, written `type-dataset-namespace`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DataStream {
    /// Type.
    #[serde(rename = "type")]
    pub kind: StreamType,
    /// Dataset, such as `apm` or `apm.error`.
    pub dataset: String,
    /// Namespace; `default` unless configured.
    pub namespace: String,
}

impl Default for DataStream {
    fn default() -> Self {
        Self { kind: StreamType::Traces, dataset: "apm".into(), namespace: "default".into() }
    }
}

/// `child.*`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Children {
    /// Ids of the adopted spans.
    pub id: Vec<SpanId>,
}

/// `event.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// How the work ended.
    pub outcome: Option<Outcome>,
    /// Representative count if the work succeeded, 0 if it failed, absent if unknown.
    pub success_count: Option<f64>,
    /// ECS kind (`event` on logs).
    pub kind: Option<String>,
    /// Numeric severity of a log.
    pub severity: Option<i64>,
    /// Dataset that a log names.
    pub dataset: Option<String>,
}
