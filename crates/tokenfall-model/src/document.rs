//! The stored event: one document in the shape that Elastic's APM indices have.
//!
//! Field names and nesting are those of the Elastic Common Schema and of Elastic's APM data streams, as a search there
//! returns them after the ingest pipelines have run. A field that is absent is not written. What Tokenfall adds stands under
//! `tokenfall.*` and is listed in [`TokenfallFields`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;

use crate::ids::{ErrorId, ServiceName, SpanId, TraceId, TransactionId};
use crate::money::Usd;
use crate::time::{Micros, Timestamp};

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

/// `transaction.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// Id.
    pub id: Option<TransactionId>,
    /// Name of the group, such as `GET /search`.
    pub name: Option<String>,
    /// Type, such as `request`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// How long it took.
    pub duration: Option<DurationUs>,
    /// Result in the words of the protocol, such as `HTTP 2xx`.
    pub result: Option<String>,
    /// False if only the fact of the transaction was recorded.
    pub sampled: Option<bool>,
    /// 1 / sample rate.
    pub representative_count: Option<f64>,
    /// Spans made and dropped.
    pub span_count: Option<SpanCount>,
    /// True if the transaction has no parent (set by the enrichment).
    pub root: Option<bool>,
    /// Named points in time, in milliseconds after the start, by group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<String, BTreeMap<String, f64>>,
    /// Anything that the program attached.
    pub custom: Option<Json>,
    /// Message that was processed.
    pub message: Option<Box<Message>>,
    /// What a browser measured.
    pub experience: Option<Box<Experience>>,
    /// Statistics of exit spans that the agent dropped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped_spans_stats: Vec<DroppedSpanStats>,
}

/// `transaction.span_count.*`
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanCount {
    /// Spans reported; a composite counts once.
    pub started: Option<u64>,
    /// Spans not reported.
    pub dropped: Option<u64>,
}

/// One row of `transaction.dropped_spans_stats`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DroppedSpanStats {
    /// Callee.
    pub destination_service_resource: Option<String>,
    /// Type of the callee.
    pub service_target_type: Option<String>,
    /// Name of the callee.
    pub service_target_name: Option<String>,
    /// How the calls ended.
    pub outcome: Option<Outcome>,
    /// Number of calls.
    pub count: Option<u64>,
    /// Time in the calls.
    pub sum: Option<DurationUs>,
}

/// `transaction.experience.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Experience {
    /// Cumulative layout shift.
    pub cls: Option<f64>,
    /// First input delay in milliseconds.
    pub fid: Option<f64>,
    /// Total blocking time in milliseconds.
    pub tbt: Option<f64>,
    /// Long tasks.
    pub longtask: Option<LongTask>,
}

/// `transaction.experience.longtask.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LongTask {
    /// Number of tasks.
    pub count: Option<u64>,
    /// Milliseconds in all.
    pub sum: Option<f64>,
    /// Milliseconds of the longest.
    pub max: Option<f64>,
}

/// `span.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Id; on transactions and errors the id of the transaction.
    pub id: Option<SpanId>,
    /// Name, such as `SELECT FROM documents`.
    pub name: Option<String>,
    /// Type, such as `db`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Subtype, such as `postgresql`.
    pub subtype: Option<String>,
    /// Action, such as `query`.
    pub action: Option<String>,
    /// How long it took; for a composite from the first start to the last end, gaps included.
    pub duration: Option<DurationUs>,
    /// False if the caller did not wait.
    pub sync: Option<bool>,
    /// 1 / sample rate.
    pub representative_count: Option<f64>,
    /// Set if several like spans were merged into this one.
    pub composite: Option<Composite>,
    /// Callee.
    pub destination: Option<SpanDestination>,
    /// Database call.
    pub db: Option<Box<Db>>,
    /// Message that was sent or received.
    pub message: Option<Box<Message>>,
    /// OpenTelemetry span kind.
    #[serde(rename = "kind")]
    pub otel_kind: Option<String>,
    /// Causes in other traces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Where the span was started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacktrace: Vec<Frame>,
    /// Breakdown metric: time in spans of this type less time in their children.
    pub self_time: Option<SelfTime>,
}

/// `span.composite.*`
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Composite {
    /// Number of merged spans.
    pub count: u64,
    /// Sum of their durations, gaps left out.
    pub sum: DurationUs,
    /// `exact_match` or `same_kind`; absent if the agent sent another word.
    pub compression_strategy: Option<String>,
}

/// `span.self_time.*` of a breakdown metricset.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTime {
    /// Number of spans.
    pub count: Option<u64>,
    /// Their self time.
    pub sum: Option<DurationUs>,
}

/// `span.destination.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpanDestination {
    /// `span.destination.service.*`
    pub service: Option<DestinationService>,
}

/// `span.destination.service.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DestinationService {
    /// Callee as the agent names it.
    pub resource: Option<String>,
    /// Deprecated.
    pub name: Option<String>,
    /// Deprecated.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// `span.db.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Db {
    /// Database.
    pub instance: Option<String>,
    /// Kind of database.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Statement.
    pub statement: Option<String>,
    /// User of the database.
    pub user: Option<Name>,
    /// Database link.
    pub link: Option<String>,
    /// Rows touched.
    pub rows_affected: Option<i64>,
}

/// `transaction.message.*`, `span.message.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Queue.
    pub queue: Option<Name>,
    /// Age when it was received.
    pub age: Option<MessageAge>,
    /// Body.
    pub body: Option<String>,
    /// Routing key.
    pub routing_key: Option<String>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: Headers,
}

/// `message.age.*`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAge {
    /// Milliseconds.
    pub ms: i64,
}

/// A link to a span of another trace.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Trace.
    pub trace: Option<Id<TraceId>>,
    /// Span.
    pub span: Option<Id<SpanId>>,
}

/// One stack frame.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// File, relative to the program.
    pub filename: Option<String>,
    /// File, absolute.
    pub abs_path: Option<String>,
    /// Class.
    pub classname: Option<String>,
    /// Function.
    pub function: Option<String>,
    /// Module.
    pub module: Option<String>,
    /// Line.
    pub line: Option<FrameLine>,
    /// Lines around.
    pub context: Option<FrameContext>,
    /// True for code that is not the program's own.
    pub library_frame: Option<bool>,
    /// True if the frame takes no part in the grouping key.
    #[serde(default)]
    pub exclude_from_grouping: bool,
    /// Local variables.
    pub vars: Option<Json>,
}

/// Line of a stack frame.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameLine {
    /// Line number.
    pub number: Option<i64>,
    /// Column number.
    pub column: Option<i64>,
    /// Text of the line.
    pub context: Option<String>,
}

/// Lines around a stack frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameContext {
    /// Lines before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pre: Vec<String>,
    /// Lines after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post: Vec<String>,
}

/// `error.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// Id of the occurrence.
    pub id: Option<ErrorId>,
    /// Group: hexadecimal xxHash64 of the parts that stay the same between occurrences.
    pub grouping_key: Option<String>,
    /// Title of the group: the log message, else the message of the first exception.
    pub grouping_name: Option<String>,
    /// Function that is to blame.
    pub culprit: Option<String>,
    /// Exceptions, outermost first; the tree of causes flattened depth first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exception: Vec<Exception>,
    /// Logged error.
    pub log: Option<Box<ErrorLog>>,
    /// Anything that the program attached.
    pub custom: Option<Json>,
    /// Type of an error that came as a log event.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Message of an error that came as a log event.
    pub message: Option<String>,
    /// Stack trace as text.
    pub stack_trace: Option<String>,
}

/// One element of `error.exception`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exception {
    /// Message.
    pub message: Option<String>,
    /// Type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Module that defines the type.
    pub module: Option<String>,
    /// Code.
    pub code: Option<String>,
    /// True if the program caught it.
    pub handled: Option<bool>,
    /// Index of the exception that this one caused, if that is not the element just before.
    pub parent: Option<u64>,
    /// Anything that the agent attached.
    pub attributes: Option<Json>,
    /// Where it was raised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacktrace: Vec<Frame>,
}

/// `error.log.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorLog {
    /// Message.
    pub message: Option<String>,
    /// Message before its parameters were filled in.
    pub param_message: Option<String>,
    /// Level.
    pub level: Option<String>,
    /// Logger.
    pub logger_name: Option<String>,
    /// Where it was logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacktrace: Vec<Frame>,
}

/// `service.*`
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Name.
    pub name: ServiceName,
    /// Version.
    pub version: Option<String>,
    /// Environment.
    pub environment: Option<String>,
    /// Instance.
    pub node: Option<Name>,
    /// Language.
    pub language: Option<NameVersion>,
    /// Runtime.
    pub runtime: Option<NameVersion>,
    /// Framework.
    pub framework: Option<NameVersion>,
    /// Caller.
    pub origin: Option<Box<ServiceOrigin>>,
    /// Callee.
    pub target: Option<ServiceTarget>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            name: ServiceName::new(""),
            version: None,
            environment: None,
            node: None,
            language: None,
            runtime: None,
            framework: None,
            origin: None,
            target: None,
        }
    }
}

/// A name with a version.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameVersion {
    /// Name.
    pub name: Option<String>,
    /// Version.
    pub version: Option<String>,
}

/// `service.origin.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceOrigin {
    /// Id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Version.
    pub version: Option<String>,
}

/// `service.target.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceTarget {
    /// Type, such as `postgresql`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Name, such as the database.
    pub name: Option<String>,
}

/// `agent.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Name.
    pub name: Option<String>,
    /// Version.
    pub version: Option<String>,
    /// Id of this run of the agent.
    pub ephemeral_id: Option<String>,
    /// How the agent got into the program.
    pub activation_method: Option<String>,
}

/// `host.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Name that was configured, else the hostname.
    pub name: Option<String>,
    /// Name that the machine gives itself.
    pub hostname: Option<String>,
    /// Processor architecture.
    pub architecture: Option<String>,
    /// Id.
    pub id: Option<String>,
    /// Addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip: Vec<String>,
    /// Operating system.
    pub os: Option<Os>,
}

/// `host.os.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// Platform.
    pub platform: Option<String>,
    /// Kind.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// `process.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Process id.
    pub pid: Option<i64>,
    /// Parent process.
    pub parent: Option<ParentProcess>,
    /// Title.
    pub title: Option<String>,
    /// Arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Thread.
    pub thread: Option<Name>,
}

/// `process.parent.*`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentProcess {
    /// Process id.
    pub pid: i64,
}

/// `kubernetes.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kubernetes {
    /// Namespace.
    pub namespace: Option<String>,
    /// Node.
    pub node: Option<Name>,
    /// Pod.
    pub pod: Option<Pod>,
}

/// `kubernetes.pod.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    /// Name.
    pub name: Option<String>,
    /// Unique id.
    pub uid: Option<String>,
}

/// An id with a name.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdName {
    /// Id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
}

/// `cloud.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cloud {
    /// Provider.
    pub provider: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Availability zone.
    pub availability_zone: Option<String>,
    /// Account.
    pub account: Option<IdName>,
    /// Instance.
    pub instance: Option<IdName>,
    /// Project.
    pub project: Option<IdName>,
    /// Machine type.
    pub machine: Option<MachineType>,
    /// Service of the cloud.
    pub service: Option<Name>,
    /// Caller's place.
    pub origin: Option<Box<CloudOrigin>>,
}

/// `cloud.machine.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineType {
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
}

/// `cloud.origin.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudOrigin {
    /// Account.
    pub account: Option<IdName>,
    /// Provider.
    pub provider: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Service of the cloud.
    pub service: Option<Name>,
}

/// `faas.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faas {
    /// Id of the function.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Version.
    pub version: Option<String>,
    /// Id of the execution.
    pub execution: Option<String>,
    /// True for a cold start.
    pub coldstart: Option<bool>,
    /// Trigger.
    pub trigger: Option<FaasTrigger>,
}

/// `faas.trigger.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaasTrigger {
    /// Type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Id of the request.
    pub request_id: Option<String>,
}

/// `user.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Id.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Domain.
    pub domain: Option<String>,
}

/// `user_agent.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserAgent {
    /// As sent.
    pub original: String,
}

/// `session.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Id.
    pub id: Option<String>,
    /// Position in the session, from 1.
    pub sequence: Option<u64>,
}

/// `client.*`, `source.*`, `destination.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Address as given.
    pub address: Option<String>,
    /// Domain name.
    pub domain: Option<String>,
    /// IP address.
    pub ip: Option<String>,
    /// Port.
    pub port: Option<i64>,
    /// Address before translation.
    pub nat: Option<Nat>,
}

/// `source.nat.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nat {
    /// IP address.
    pub ip: String,
}

/// `http.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Http {
    /// Version of the protocol.
    pub version: Option<String>,
    /// Request.
    pub request: Option<Box<HttpRequest>>,
    /// Response.
    pub response: Option<Box<HttpResponse>>,
}

/// `http.request.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// Id.
    pub id: Option<String>,
    /// Method.
    pub method: Option<String>,
    /// Referrer.
    pub referrer: Option<String>,
    /// Body.
    pub body: Option<HttpBody>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: Headers,
    /// Cookies.
    pub cookies: Option<Json>,
    /// Environment of the request.
    pub env: Option<Json>,
}

/// `http.request.body.*`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HttpBody {
    /// As sent: text or any JSON.
    pub original: Json,
}

/// `http.response.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// Status code.
    pub status_code: Option<i64>,
    /// True once the response was complete.
    pub finished: Option<bool>,
    /// True once the headers were out.
    pub headers_sent: Option<bool>,
    /// Bytes on the wire.
    pub transfer_size: Option<i64>,
    /// Bytes of the body as encoded.
    pub encoded_body_size: Option<i64>,
    /// Bytes of the body once decoded.
    pub decoded_body_size: Option<i64>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: Headers,
}

/// `url.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Url {
    /// As sent.
    pub original: Option<String>,
    /// In full.
    pub full: Option<String>,
    /// Scheme.
    pub scheme: Option<String>,
    /// Host.
    pub domain: Option<String>,
    /// Port.
    pub port: Option<i64>,
    /// Path.
    pub path: Option<String>,
    /// Query.
    pub query: Option<String>,
    /// Fragment.
    pub fragment: Option<String>,
}

/// `network.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// `network.connection.*`
    pub connection: NetworkConnection,
}

/// `network.connection.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkConnection {
    /// Type.
    #[serde(rename = "type")]
    pub kind: String,
}

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

/// `gen_ai.*` (OpenTelemetry semantic conventions for generative AI).
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GenAi {
    /// Provider, such as `openai`.
    pub provider: Option<Name>,
    /// Operation, such as `chat`.
    pub operation: Option<Name>,
    /// What was asked for.
    pub request: Option<GenAiRequest>,
    /// What answered.
    pub response: Option<GenAiResponse>,
    /// Tokens.
    pub usage: Option<GenAiUsage>,
    /// The question, if the sender captured it.
    pub input: Option<GenAiMessages>,
    /// The answer, if the sender captured it.
    pub output: Option<GenAiMessages>,
    /// Conversation that the call is part of.
    pub conversation: Option<Id<String>>,
}

/// `gen_ai.request.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GenAiRequest {
    /// Model.
    pub model: Option<String>,
    /// Most tokens that may be answered.
    pub max_tokens: Option<i64>,
    /// Temperature.
    pub temperature: Option<f64>,
    /// Probability mass from which tokens are taken.
    pub top_p: Option<f64>,
    /// Is the answer streamed?
    pub stream: Option<bool>,
}

/// `gen_ai.response.*`
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GenAiResponse {
    /// Model.
    pub model: Option<String>,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// Why each choice ended, in the provider's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finish_reasons: Vec<String>,
    /// From the request to the first chunk with content, in seconds (as the convention has it).
    pub time_to_first_chunk: Option<f64>,
}

/// `gen_ai.usage.*`: tokens; the details are parts of the totals.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenAiUsage {
    /// Tokens of the question, cached ones included.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer, reasoning included.
    pub output_tokens: Option<u64>,
    /// Tokens of the question that the provider had in its cache.
    #[serde(rename = "cache_read.input_tokens")]
    pub cache_read_input_tokens: Option<u64>,
    /// Tokens of the question that the provider put into its cache.
    #[serde(rename = "cache_creation.input_tokens")]
    pub cache_creation_input_tokens: Option<u64>,
    /// Tokens of the answer that the model thought and did not say.
    #[serde(rename = "reasoning.output_tokens")]
    pub reasoning_output_tokens: Option<u64>,
}

/// `gen_ai.input.*`, `gen_ai.output.*`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenAiMessages {
    /// Messages as JSON text, as sent.
    pub messages: String,
}

/// `tokenfall.*`: what Tokenfall derived from the event and its neighbours. Elastic's documents have no such fields.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenfallFields {
    /// The call that this span stands for in dependency tables. Absent if the span calls nobody.
    pub dependency: Option<Dependency>,
    /// Stream of the answer, on the span of a model call.
    pub stream: Option<TokenStream>,
    /// Model that tables and prices go by: the one that answered, else the one that was asked.
    pub model: Option<String>,
    /// What the user asked, by the label that the configuration names.
    pub question: Option<String>,
    /// Where the numbers of tokens come from, and their sum.
    pub usage: Option<TokenfallUsage>,
    /// Cost of the call.
    pub cost: Option<TokenfallCost>,
    /// Model calls that are counted with this event: all of a transaction, or one that came after its transaction.
    pub llm: Option<Box<LlmRollup>>,
    /// Attempts of the call, if there was more than one.
    pub attempts: Option<u64>,
    /// Time waited between attempts, in microseconds.
    #[serde(rename = "backoff.us")]
    pub backoff_us: Option<u64>,
    /// What the provider said of the limits of the account: `remaining.tokens`, `reset.requests` (in seconds) and the like.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ratelimit: BTreeMap<String, f64>,
}

/// How numbers of tokens were got, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UsageSource {
    /// The provider, or the program, said so.
    Reported,
    /// Counted by the tokenizer of the model.
    Counted,
    /// From the number of chunks, less those of the protocol.
    Derived,
    /// From the number of characters.
    Estimated,
}

impl UsageSource {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::Reported, Self::Counted, Self::Derived, Self::Estimated];

    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Counted => "counted",
            Self::Derived => "derived",
            Self::Estimated => "estimated",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }
}

/// `tokenfall.usage.*`
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenfallUsage {
    /// How the numbers were got.
    pub source: UsageSource,
    /// Tokens of question and answer together; absent if one of them is not known and nobody said the sum.
    pub total_tokens: Option<u64>,
}

/// Who said what a call cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CostSource {
    /// The sender.
    Reported,
    /// Tokenfall, from tokens and the price list.
    Computed,
}

impl CostSource {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Computed => "computed",
        }
    }
}

/// `tokenfall.cost.*`
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenfallCost {
    /// The cost that figures are made of: what the sender reported, else what was computed.
    pub usd: Usd,
    /// The same in 10⁻¹² USD, which can be summed up.
    pub pico_usd: i64,
    /// Whose amount `usd` is.
    pub source: CostSource,
    /// What was computed, where the sender reported a cost too.
    pub computed_usd: Option<Usd>,
    /// Price that the computed cost was made with.
    pub price: Option<PriceReference>,
}

impl TokenfallCost {
    /// A cost that the sender reported.
    pub fn reported(usd: Usd) -> Self {
        Self { usd, pico_usd: usd.pico_i64(), source: CostSource::Reported, computed_usd: None, price: None }
    }

    /// A cost that was computed with a price.
    pub fn computed(usd: Usd, price: PriceReference) -> Self {
        Self { usd, pico_usd: usd.pico_i64(), source: CostSource::Computed, computed_usd: None, price: Some(price) }
    }

    /// Keeps what was computed beside what was reported.
    #[must_use]
    pub fn beside(mut self, computed: Usd, price: PriceReference) -> Self {
        self.computed_usd = Some(computed);
        self.price = Some(price);
        self
    }
}

/// `tokenfall.cost.price.*`: which row of the price list.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceReference {
    /// Name of the row: `provider/model`.
    pub id: String,
    /// First day on which it is valid (ISO 8601); absent if it always was.
    pub valid_from: Option<String>,
    /// List that the row is from: `embedded`, or the name of a file.
    pub list: String,
}

/// `tokenfall.llm.*`: model calls, summed up where they are counted. Each call is in exactly one of these sums.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmRollup {
    /// Model calls, attempts that failed included.
    pub generations: u64,
    /// Of them failed.
    pub failed_generations: u64,
    /// Tokens of the questions; absent if one of the calls that succeeded does not say.
    pub input_tokens: Option<u64>,
    /// Tokens of the answers; absent if one of the calls that succeeded does not say.
    pub output_tokens: Option<u64>,
    /// Tokens of questions and answers, of the calls that say.
    pub total_tokens: Option<u64>,
    /// Of `total_tokens` reported.
    pub reported_tokens: Option<u64>,
    /// Of `total_tokens` counted.
    pub counted_tokens: Option<u64>,
    /// Of `total_tokens` derived.
    pub derived_tokens: Option<u64>,
    /// Of `total_tokens` estimated.
    pub estimated_tokens: Option<u64>,
    /// Cost of the calls whose cost is known, in 10⁻¹² USD; absent if none is.
    pub cost_pico_usd: Option<i64>,
    /// Of it for calls that failed.
    pub failed_cost_pico_usd: Option<i64>,
    /// Model calls that succeeded and whose cost is not known.
    pub unpriced_generations: u64,
}

/// `tokenfall.dependency.*`. The rule is written down in `docs/dependencies.md`.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dependency {
    /// Callee: the provider of a model call, else what the agent names.
    pub resource: String,
    /// Kind of callee for display: `genai`, `db`, `messaging`, `storage`, `external`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the span is to the call.
    pub role: DependencyRole,
    /// Calls that this span adds to the table: the representative count times the composite count, less the calls
    /// of the transport spans that it takes the place of (so that the sum over all spans counts each call once).
    pub count: f64,
    /// Time of those calls in microseconds, corrected in the same way.
    #[serde(rename = "duration.sum.us")]
    pub sum_us: f64,
    /// Time of one call in microseconds: until the last token for a streamed answer, the mean for a composite.
    #[serde(rename = "duration.us")]
    pub duration_us: u64,
}

/// What a span is to the call that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DependencyRole {
    /// The call itself.
    Call,
    /// A model call, from the question to the last token.
    Generation,
    /// The HTTP request of a model call; it ends with the headers when the answer is streamed.
    Transport,
}

impl DependencyRole {
    /// The value of `tokenfall.dependency.role`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Generation => "generation",
            Self::Transport => "transport",
        }
    }
}

/// `tokenfall.stream.*`: how an answer came in.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenStream {
    /// Chunks seen. By token spans: tokens and the protocol's role, finish and usage chunks. By an agent that measures the
    /// stream: chunks with content.
    pub chunks: u64,
    /// From the start of the call to its first chunk, in microseconds.
    #[serde(rename = "time_to_first_chunk.us")]
    pub time_to_first_chunk_us: u64,
    /// From the start of the call to the end of its last chunk, in microseconds.
    #[serde(rename = "time_to_last_chunk.us")]
    pub time_to_last_chunk_us: u64,
    /// Median of the gaps between chunks in microseconds.
    #[serde(rename = "inter_token.p50.us")]
    pub inter_token_p50_us: Option<u64>,
    /// 95th percentile of the gaps between chunks in microseconds.
    #[serde(rename = "inter_token.p95.us")]
    pub inter_token_p95_us: Option<u64>,
    /// Longest gap between chunks in microseconds.
    #[serde(rename = "inter_token.max.us")]
    pub inter_token_max_us: Option<u64>,
    /// Mean time from one token of the answer to the next in microseconds; absent for fewer than two tokens.
    #[serde(rename = "time_per_output_token.us")]
    pub time_per_output_token_us: Option<u64>,
    /// Gaps that are stalls: longer than 250 ms and than five median gaps. Absent if no gaps are known.
    #[serde(rename = "stalls.count")]
    pub stall_count: Option<u64>,
    /// Time in stalls, in microseconds.
    #[serde(rename = "stalls.sum.us")]
    pub stall_sum_us: Option<u64>,
    /// When the chunks came, as the agent wrote it: read it with [`TokenTimeline`](crate::TokenTimeline).
    pub timeline: Option<String>,
}
