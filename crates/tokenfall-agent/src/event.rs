//! What the agent reports: plain records, filled by the handles and written by [`crate::encode`].
//!
//! Names are those of the intake protocol. Units: timestamps in microseconds since 1970-01-01 UTC, durations in
//! nanoseconds (milliseconds on the wire). Nothing here is truncated or sanitised: the encoder does that, on the agent's own
//! thread.

use std::borrow::Cow;
use std::time::Instant;

use serde_json::Value;

use crate::id::{ErrorId, SpanId, TraceId};
use crate::stacktrace::StackTrace;

/// Text that costs nothing when it is a literal.
pub type Text = Cow<'static, str>;

/// How a unit of work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It did what it should.
    Success,
    /// It did not.
    Failure,
    /// Nobody knows, for example because it was cancelled. Counts in no failure rate.
    Unknown,
}

impl Outcome {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }
}

/// Value of a label. Made by `into()` from text, booleans and numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelValue {
    /// Text; cut at 1024 characters when it is sent.
    Text(Text),
    /// True or false.
    Bool(bool),
    /// A number. Integers keep their value up to 2⁵³.
    Number(f64),
}

/// Value of an OpenTelemetry attribute. Made by `into()` from text, booleans, numbers and lists of text.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// Text.
    Text(Text),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// A list of texts.
    Texts(Vec<Text>),
}

/// Labels in the order in which they were set; a key occurs once.
pub(crate) type Labels = Vec<(Text, LabelValue)>;

/// One event for the server.
#[derive(Debug)]
pub(crate) enum Event {
    Span(SpanRecord),
    Transaction(Box<TransactionRecord>),
    Error(Box<ErrorRecord>),
    #[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "only the layer for `tracing` sends log messages"))]
    Log(Box<LogRecord>),
}

/// A span, or several that were merged into one.
#[derive(Debug)]
pub(crate) struct SpanRecord {
    pub(crate) trace_id: TraceId,
    pub(crate) transaction_id: SpanId,
    pub(crate) parent_id: SpanId,
    pub(crate) id: SpanId,
    pub(crate) name: Text,
    /// `span.type`
    pub(crate) kind: Text,
    pub(crate) subtype: Option<Text>,
    /// Worked out from `start` when the span has ended and was not merged.
    pub(crate) timestamp_us: u64,
    pub(crate) duration_ns: u64,
    /// Start, for the arithmetic of compression.
    pub(crate) start: Instant,
    pub(crate) outcome: Option<Outcome>,
    /// Absent if the transaction came from a caller that did not say at which rate it samples.
    pub(crate) sample_rate: Option<f64>,
    /// Is this a call to something outside of the process? Only such spans have a callee and are compressed.
    pub(crate) exit: bool,
    /// Was its id sent to the callee? Such a span is never merged or dropped.
    pub(crate) propagated: bool,
    pub(crate) composite: Option<Composite>,
    /// Time in which children were running, for the breakdown metrics. Not part of the event.
    pub(crate) covered_ns: u64,
    pub(crate) details: Option<Box<SpanDetails>>,
}

/// Spans merged into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Composite {
    pub(crate) strategy: CompressionStrategy,
    /// Merged spans, at least 2.
    pub(crate) count: u32,
    /// Sum of their durations in nanoseconds. The span's own duration runs from the first start to the last end.
    pub(crate) sum_ns: u64,
}

/// Why spans were merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompressionStrategy {
    /// Same kind and same name.
    ExactMatch,
    /// Same type, subtype and callee.
    SameKind,
}

/// What few spans have.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpanDetails {
    pub(crate) action: Option<Text>,
    pub(crate) labels: Labels,
    pub(crate) links: Vec<SpanLink>,
    pub(crate) otel: OtelData,
    pub(crate) db: Option<Db>,
    pub(crate) http: Option<HttpClient>,
    pub(crate) queue: Option<Text>,
    /// Host and port of the callee.
    pub(crate) address: Option<Text>,
    pub(crate) port: Option<u16>,
    pub(crate) target: Target,
    /// `context.destination.service.resource`, if the user set it.
    pub(crate) resource: Option<Text>,
    pub(crate) stack: Option<StackTrace>,
    /// Does the program wait for it?
    pub(crate) sync: Option<bool>,
}

/// `context.service.target` of an exit span.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Target {
    /// By the rule of the specification ([`crate::target`]).
    #[default]
    Inferred,
    /// As the user said. A missing part is inferred.
    Set(ServiceTarget),
    /// None: the span calls nobody who would deserve a row.
    None,
}

/// Whom a span calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServiceTarget {
    pub(crate) kind: Option<Text>,
    pub(crate) name: Option<Text>,
}

/// A database call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Db {
    pub(crate) instance: Option<Text>,
    /// Kind of database, such as `sql`.
    pub(crate) kind: Option<Text>,
    pub(crate) user: Option<Text>,
    pub(crate) statement: Option<Text>,
    pub(crate) rows_affected: Option<u64>,
}

/// An HTTP request that the program made.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpClient {
    pub(crate) method: Option<Text>,
    /// Without user and password.
    pub(crate) url: Option<Text>,
    pub(crate) status_code: Option<u16>,
}

/// A span of another trace that has to do with this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanLink {
    /// Trace of the other.
    pub trace_id: TraceId,
    /// Id of the other.
    pub span_id: SpanId,
}

/// `otel` of a transaction or a span.
#[derive(Clone, Debug, Default)]
pub(crate) struct OtelData {
    pub(crate) span_kind: Option<crate::otel::SpanKind>,
    pub(crate) attributes: Vec<(Text, AttributeValue)>,
}

/// A transaction.
#[derive(Debug)]
pub(crate) struct TransactionRecord {
    pub(crate) trace_id: TraceId,
    pub(crate) id: SpanId,
    pub(crate) parent_id: Option<SpanId>,
    pub(crate) name: Text,
    /// `transaction.type`
    pub(crate) kind: Text,
    pub(crate) timestamp_us: u64,
    pub(crate) duration_ns: u64,
    pub(crate) result: Option<Text>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) sample_rate: Option<f64>,
    /// Spans that were reported.
    pub(crate) spans_started: u32,
    /// Spans that were dropped.
    pub(crate) spans_dropped: u32,
    pub(crate) dropped_spans: Vec<DroppedSpans>,
    pub(crate) context: EventContext,
    pub(crate) links: Vec<SpanLink>,
    pub(crate) otel: OtelData,
    /// Time by span type, for the breakdown metrics. Not part of the event.
    pub(crate) self_times: Vec<SelfTime>,
}

/// Time spent in spans of one type, children taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SelfTime {
    /// `span.type`
    pub(crate) kind: Text,
    pub(crate) subtype: Option<Text>,
    pub(crate) count: u64,
    pub(crate) sum_ns: u64,
}

/// Dropped exit spans of one callee and outcome.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DroppedSpans {
    pub(crate) target: ServiceTarget,
    pub(crate) resource: Text,
    pub(crate) outcome: Outcome,
    pub(crate) count: u64,
    pub(crate) sum_ns: u64,
}

/// `context` of a transaction or an error.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventContext {
    pub(crate) labels: Labels,
    pub(crate) custom: Vec<(Text, Value)>,
    pub(crate) user: Option<User>,
    pub(crate) request: Option<Box<Request>>,
    pub(crate) response: Option<Response>,
    pub(crate) queue: Option<Text>,
    /// Name and version of the framework that served the request.
    pub(crate) framework: Option<(Text, Option<Text>)>,
}

/// Who is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// Id in the application.
    pub id: Option<Text>,
    /// Name of the account.
    pub username: Option<Text>,
    /// Address of electronic mail.
    pub email: Option<Text>,
}

/// The HTTP request that is served.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Such as `GET`.
    pub method: Text,
    /// `1.1`, `2`
    pub http_version: Option<Text>,
    /// Full address as far as it is known: `http://host:port/path?query`.
    pub url: Option<Text>,
    /// Headers in the order in which they came. Values whose name matches `sanitize_field_names` are redacted when sent; none
    /// is sent if `capture_headers` is off.
    pub headers: Vec<(Text, Text)>,
    /// Address of the client, without port.
    pub remote_address: Option<Text>,
    /// Body. Only sent if `capture_body` covers this kind of event.
    pub body: Option<Text>,
}

/// The answer to it.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// HTTP status code.
    pub status_code: Option<u16>,
    /// Headers, as in [`Request::headers`].
    pub headers: Vec<(Text, Text)>,
}

/// An error.
#[derive(Debug)]
pub(crate) struct ErrorRecord {
    pub(crate) id: ErrorId,
    pub(crate) timestamp_us: u64,
    /// Where it happened. Absent outside of transactions.
    pub(crate) place: Option<ErrorPlace>,
    pub(crate) culprit: Option<Text>,
    pub(crate) what: ErrorKind,
    pub(crate) context: EventContext,
}

/// Trace, transaction and span of an error.
#[derive(Clone, Debug)]
pub(crate) struct ErrorPlace {
    pub(crate) trace_id: TraceId,
    pub(crate) transaction_id: SpanId,
    /// Span or transaction.
    pub(crate) parent_id: SpanId,
    pub(crate) sampled: bool,
    pub(crate) transaction_name: Text,
    pub(crate) transaction_kind: Text,
}

/// What an error is.
#[derive(Debug)]
pub(crate) enum ErrorKind {
    /// An error value or a panic.
    Exception(Exception),
    /// A message of level error.
    Log { message: Text, level: Text, logger: Option<Text> },
}

/// An error value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exception {
    pub(crate) message: Text,
    /// Such as `RateLimitError`.
    pub(crate) kind: Option<Text>,
    /// Path of the module of the type.
    pub(crate) module: Option<Text>,
    pub(crate) code: Option<Text>,
    pub(crate) handled: bool,
    pub(crate) stack: Option<StackTrace>,
    /// What caused it, outermost first; each caused the one before.
    pub(crate) causes: Vec<Exception>,
}

/// A log message.
#[derive(Debug)]
pub(crate) struct LogRecord {
    pub(crate) timestamp_us: u64,
    pub(crate) message: Text,
    /// `info`, `warn` …
    pub(crate) level: Text,
    pub(crate) logger: Option<Text>,
    pub(crate) file: Option<Text>,
    pub(crate) line: Option<u32>,
    /// Trace, transaction, and span if it is not the transaction itself.
    pub(crate) place: Option<(TraceId, SpanId, Option<SpanId>)>,
    pub(crate) labels: Labels,
}

/// Sets `key`, replacing an earlier value.
pub(crate) fn set<V>(list: &mut Vec<(Text, V)>, key: Text, value: V) {
    match list.iter_mut().find(|(known, _)| *known == key) {
        Some((_, old)) => *old = value,
        None => list.push((key, value)),
    }
}

macro_rules! from_numbers {
    ($(|$value:ident: $number:ty| $convert:expr),+ $(,)?) => {$(
        impl From<$number> for LabelValue {
            fn from($value: $number) -> Self {
                Self::Number($convert)
            }
        }
    )+};
}

from_numbers! {
    |value: f64| value,
    |value: f32| f64::from(value),
    |value: i8| f64::from(value),
    |value: i16| f64::from(value),
    |value: i32| f64::from(value),
    |value: u8| f64::from(value),
    |value: u16| f64::from(value),
    |value: u32| f64::from(value),
    |value: i64| value as f64,
    |value: u64| value as f64,
    |value: isize| value as f64,
    |value: usize| value as f64,
}

impl From<bool> for LabelValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&'static str> for LabelValue {
    fn from(value: &'static str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for LabelValue {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl From<Text> for LabelValue {
    fn from(value: Text) -> Self {
        Self::Text(value)
    }
}

macro_rules! from_integers {
    ($(|$value:ident: $number:ty| $convert:expr),+ $(,)?) => {$(
        impl From<$number> for AttributeValue {
            fn from($value: $number) -> Self {
                $convert
            }
        }
    )+};
}

from_integers! {
    |value: i8| Self::Integer(value.into()),
    |value: i16| Self::Integer(value.into()),
    |value: i32| Self::Integer(value.into()),
    |value: i64| Self::Integer(value),
    |value: u8| Self::Integer(value.into()),
    |value: u16| Self::Integer(value.into()),
    |value: u32| Self::Integer(value.into()),
    |value: u64| i64::try_from(value).map_or(Self::Number(value as f64), Self::Integer),
    |value: isize| i64::try_from(value).map_or(Self::Number(value as f64), Self::Integer),
    |value: usize| i64::try_from(value).map_or(Self::Number(value as f64), Self::Integer),
}

impl From<f64> for AttributeValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&'static str> for AttributeValue {
    fn from(value: &'static str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for AttributeValue {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl From<Text> for AttributeValue {
    fn from(value: Text) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<Text>> for AttributeValue {
    fn from(value: Vec<Text>) -> Self {
        Self::Texts(value)
    }
}

impl Event {
    /// Bytes on the heap that belong to this event, roughly: what a bound on memory has to know.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Span(span) => span.details.as_deref().map_or(0, SpanDetails::heap_bytes),
            Self::Transaction(transaction) => {
                size_of::<TransactionRecord>()
                    + transaction.context.heap_bytes()
                    + attributes_bytes(&transaction.otel.attributes)
            }
            Self::Error(error) => size_of::<ErrorRecord>() + error.context.heap_bytes() + error.what.heap_bytes(),
            Self::Log(log) => size_of::<LogRecord>() + log.message.len() + labels_bytes(&log.labels),
        }
    }
}

impl SpanDetails {
    fn heap_bytes(&self) -> usize {
        let db = self.db.as_ref().and_then(|db| db.statement.as_ref()).map_or(0, |statement| statement.len());
        let url = self.http.as_ref().and_then(|http| http.url.as_ref()).map_or(0, |url| url.len());
        let stack = self.stack.as_ref().map_or(0, StackTrace::heap_bytes);
        size_of::<Self>() + labels_bytes(&self.labels) + attributes_bytes(&self.otel.attributes) + db + url + stack
    }
}

impl EventContext {
    fn heap_bytes(&self) -> usize {
        let request = self.request.as_deref().map_or(0, |request| {
            let body = request.body.as_ref().map_or(0, |body| body.len());
            body + request.headers.iter().map(|(name, value)| name.len() + value.len() + ENTRY).sum::<usize>()
        });
        // The size of a JSON value is not known without walking it; its number is what `custom` bounds.
        request + labels_bytes(&self.labels) + self.custom.len() * 256
    }
}

impl ErrorKind {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Exception(exception) => exception.heap_bytes(),
            Self::Log { message, .. } => message.len(),
        }
    }
}

impl Exception {
    fn heap_bytes(&self) -> usize {
        let stack = self.stack.as_ref().map_or(0, StackTrace::heap_bytes);
        self.message.len()
            + stack
            + self.causes.iter().map(|cause| size_of::<Self>() + cause.heap_bytes()).sum::<usize>()
    }
}

/// What an entry of a list costs beside its text.
const ENTRY: usize = 64;

fn labels_bytes(labels: &Labels) -> usize {
    let of = |value: &LabelValue| if let LabelValue::Text(text) = value { text.len() } else { 0 };
    labels.iter().map(|(key, value)| ENTRY + key.len() + of(value)).sum()
}

fn attributes_bytes(attributes: &[(Text, AttributeValue)]) -> usize {
    let of = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => text.len(),
        AttributeValue::Texts(texts) => texts.iter().map(|text| text.len() + ENTRY).sum(),
        AttributeValue::Bool(_) | AttributeValue::Integer(_) | AttributeValue::Number(_) => 0,
    };
    attributes.iter().map(|(key, value)| ENTRY + key.len() + of(value)).sum()
}
