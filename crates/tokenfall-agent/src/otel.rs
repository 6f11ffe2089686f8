//! OpenTelemetry's words: span kinds, statuses, attributes, and what type, callee and outcome follow from them.
//!
//! A transaction or span with a [`SpanKind`] and without a type gets its type, subtype and callee from kind and attributes when
//! it ends (agent specification, "OpenTelemetry bridge"). Attributes are sent as they are; both the current names of the
//! semantic conventions and the older ones are understood:
//!
//! | attributes | type of a span | subtype | callee |
//! |---|---|---|---|
//! | `gen_ai.provider.name`, `gen_ai.system` | `genai` | provider | provider |
//! | `db.system.name`, `db.system` | `db` | system | system, `db.namespace` or `db.name` |
//! | `messaging.system` | `messaging` | system | system, `messaging.destination.name` or `messaging.destination` |
//! | `rpc.system.name`, `rpc.system` | `external` | system | server, else `rpc.service` |
//! | `http.request.method`, `http.url`, `http.scheme`, `url.full` … | `external` | `http` | host and port |
//! | none of these | `app`, `internal` if the kind is internal, else `unknown` | | |
//!
//! Transactions are of type `request` if an HTTP or RPC request is served, `messaging` if a message is consumed, else `unknown`.
//!
//! The outcome follows from the [`Status`] alone; without one it is `unknown`.

mod infer;

pub(crate) use infer::{infer_span, infer_transaction};
#[cfg(feature = "tracing")]
pub(crate) use infer::{is_call, status_code};

use crate::event::{AttributeValue, Outcome, Text, set};
use crate::span::Span;
use crate::transaction::{Transaction, TransactionBuilder};

/// Most attributes that a transaction or a span keeps.
pub(crate) const MAX_ATTRIBUTES: usize = 1024;

/// OpenTelemetry's span kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanKind {
    /// Work inside of the process.
    Internal,
    /// A request is served.
    Server,
    /// A request is made.
    Client,
    /// A message is sent.
    Producer,
    /// A message is received.
    Consumer,
}

impl SpanKind {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "INTERNAL",
            Self::Server => "SERVER",
            Self::Client => "CLIENT",
            Self::Producer => "PRODUCER",
            Self::Consumer => "CONSUMER",
        }
    }

    /// The kind of this name, in capitals or not.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Internal, Self::Server, Self::Client, Self::Producer, Self::Consumer]
            .into_iter()
            .find(|kind| name.eq_ignore_ascii_case(kind.as_str()))
    }
}

/// OpenTelemetry's status of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// Nobody said. Changes nothing.
    #[default]
    Unset,
    /// It did what it should.
    Ok,
    /// It did not.
    Error,
}

impl Status {
    /// The status of this name, in capitals or not.
    pub fn parse(name: &str) -> Option<Self> {
        [("UNSET", Self::Unset), ("OK", Self::Ok), ("ERROR", Self::Error)]
            .into_iter()
            .find_map(|(word, status)| name.eq_ignore_ascii_case(word).then_some(status))
    }

    /// The outcome that it stands for.
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Unset => None,
            Self::Ok => Some(Outcome::Success),
            Self::Error => Some(Outcome::Failure),
        }
    }
}

impl TransactionBuilder {
    /// Sets an OpenTelemetry attribute. At most 1024 are kept.
    pub fn attribute(mut self, key: impl Into<Text>, value: impl Into<AttributeValue>) -> Self {
        if self.core.is_some() {
            add_attribute(&mut self.otel.attributes, key.into(), value.into());
        }
        self
    }
}

impl Transaction {
    /// Sets an OpenTelemetry attribute. At most 1024 are kept.
    pub fn attribute(&self, key: impl Into<Text>, value: impl Into<AttributeValue>) {
        self.with_otel(|otel| add_attribute(&mut otel.attributes, key.into(), value.into()));
    }

    /// Sets OpenTelemetry's status, which decides the outcome.
    pub fn set_status(&self, status: Status) {
        if let Some(outcome) = status.outcome() {
            self.set_outcome(outcome);
        }
    }
}

impl Span {
    /// Sets OpenTelemetry's status, which decides the outcome.
    pub fn set_status(&mut self, status: Status) {
        if let Some(outcome) = status.outcome() {
            self.set_outcome(outcome);
        }
    }
}

fn add_attribute(attributes: &mut Vec<(Text, AttributeValue)>, key: Text, value: AttributeValue) {
    if attributes.len() < MAX_ATTRIBUTES {
        set(attributes, key, value);
    }
}
