//! Trace context that crosses processes: W3C `traceparent` and `tracestate`.

use std::sync::Arc;

use crate::id::{SpanId, TraceId};

/// Where a trace comes from, or goes on: what `traceparent` and `tracestate` say.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceContext {
    pub(crate) trace_id: TraceId,
    /// Span or transaction that calls.
    pub(crate) span_id: SpanId,
    /// Is the trace recorded?
    pub(crate) sampled: bool,
    pub(crate) state: TraceState,
}

/// `tracestate`
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TraceState {
    /// `s` of the member `es`: rate at which the trace was sampled.
    pub(crate) sample_rate: Option<f64>,
    /// Is there a member `es`?
    pub(crate) is_elastic: bool,
    /// Members of others, in their order.
    pub(crate) others: Option<Arc<str>>,
}

impl TraceContext {
    /// Id of the trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Id of the span or transaction that calls.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Is the trace recorded?
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// Value of the header `traceparent`.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}
