//! OpenTelemetry's words: span kinds, attributes, and what type, callee and outcome follow from them.

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
}
