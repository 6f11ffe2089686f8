//! What programs ask a `tracing` span about its trace.

use tracing::Span;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::context::Context;
use crate::layer::span::{SpanData, position};
use crate::propagation::TraceContext;

/// Trace context of `tracing` spans. Works with subscribers that are built on `tracing_subscriber`'s registry.
pub trait AgentSpanExt {
    /// Goes on with the trace of a caller: for the span that serves its request. Must be called before the span is entered, has a
    /// child or is ended; returns whether it had an effect. A span inside of another has no caller.
    ///
    /// ```
    /// use tokenfall_agent::{TraceContext, layer::AgentSpanExt};
    ///
    /// fn serve(caller: Option<TraceContext>) {
    ///     let span = tracing::info_span!("serve", otel.kind = "server");
    ///     if let Some(caller) = caller {
    ///         span.set_parent(caller);
    ///     }
    ///     let _entered = span.enter();
    /// }
    /// # serve(None);
    /// ```
    fn set_parent(&self, parent: TraceContext) -> bool;

    /// The span as a position in a trace: to make it current elsewhere, or to describe children by this crate's functions. A
    /// transaction begins by this, if it has not.
    fn agent_context(&self) -> Context;
}

impl AgentSpanExt for Span {
    fn set_parent(&self, parent: TraceContext) -> bool {
        let set = |span: SpanRef<'_, Registry>| {
            let mut extensions = span.extensions_mut();
            extensions.get_mut::<SpanData>().is_some_and(|data| data.set_parent(parent))
        };
        in_registry(self, set).unwrap_or(false)
    }

    fn agent_context(&self) -> Context {
        in_registry(self, |span| position(&span)).unwrap_or_default()
    }
}

fn in_registry<T>(span: &Span, look: impl FnOnce(SpanRef<'_, Registry>) -> T) -> Option<T> {
    span.with_subscriber(|(id, dispatch)| {
        let registry = dispatch.downcast_ref::<Registry>()?;
        Some(look(registry.span(id)?))
    })
    .flatten()
}
