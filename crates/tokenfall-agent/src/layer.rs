//! Layer for [`tracing`]: its spans become transactions and spans, its events errors and logs.
//!
//! ```
//! use tokenfall_agent::Agent;
//! use tracing_subscriber::prelude::*;
//!
//! let agent = Agent::disabled();
//! let subscriber = tracing_subscriber::registry().with(agent.layer());
//! tracing::subscriber::with_default(subscriber, || {
//!     let span = tracing::info_span!("index", documents = 3);
//!     let _entered = span.enter();
//!     tracing::error!("the index is read-only");
//! });
//! ```
//!
//! A span without a parent is a transaction; what is below is a span. The current [`Context`] follows when a
//! `tracing` span is entered and left: spans of this crate's own functions and of `tracing` can contain each other in any
//! order, and requests that are made in a `tracing` span carry its trace.
//!
//! # Fields
//!
//! They may be given with the span or recorded later.
//!
//! | field | becomes |
//! |---|---|
//! | `otel.name`, `transaction.name`, `span.name` | the name |
//! | `transaction.type`; `span.type`, `span.subtype`, `span.action` | type, subtype, action |
//! | `span.exit` = true | a call to something outside of the process: see [`SpanBuilder::exit`](crate::SpanBuilder::exit) |
//! | `transaction.result`, `result` (of transactions) | the result |
//! | `outcome` = `success`, `failure`, `unknown` | the outcome |
//! | `otel.kind` = `server`, `client`, `producer`, `consumer`, `internal` | OpenTelemetry's kind; type and callee follow from it and from the attributes ([`crate::otel`]) |
//! | `otel.status_code` = `ok`, `error` | the outcome |
//! | `user.id`, `user.name`, `user.email`, `enduser.id` (of transactions) | the user |
//! | `error`, `err`, `exception` | a captured error, with its causes if the value is a `&dyn std::error::Error`; the span fails |
//! | `db.*`, `http.*`, `url.*`, `server.*`, `client.*`, `net.*`, `network.*`, `rpc.*`, `messaging.*`, `gen_ai.*`, `faas.*`, `user_agent.*`, `error.type`, `otel.*` | OpenTelemetry attributes; the known ones also fill the database, request and response of the event |
//! | everything else | a label: numbers stay numbers, booleans booleans |
//!
//! A span with `db.system` or `gen_ai.*` attributes and without `otel.kind` is taken for a client's. A transaction without type
//! is `custom`, a span without type is `app`, `internal`.
//!
//! # Outcome
//!
//! `outcome` or `otel.status_code` decide; else a span fails if an error was captured in it (an event of level `ERROR` counts), else
//! by its HTTP status, else it is a success. `tracing` does not tell whether a future was dropped before it was done: such a span
//! ends like any other. Where that matters use [`SpanBuilder::run_async`](crate::SpanBuilder::run_async).
//!
//! A `tracing` span is closed when its last handle is gone *and* all its children are closed; so long it runs here too. Give work
//! that outlives a request a span of its own (`parent: None`), linked by `follows_from`.
//!
//! # Events
//!
//! Level `ERROR` makes an error, with the value of a field `error`, `err` or `exception` if that is a `&dyn std::error::Error`, else
//! with the message. Other levels become logs if `log_sending` is on. The event `sqlx::query` of `sqlx` becomes a finished database
//! span, named after its statement.
//!
//! # What is recorded
//!
//! Spans of level `INFO` and above, events of level `INFO` and above, and `sqlx`'s statements at `DEBUG`: see [`LayerOptions`]. The
//! choice concerns this layer only; other layers see what they want. With a disabled agent nothing is asked for, and `tracing`
//! switches off what no other layer wants.

mod convention;
mod correlation;
mod enter;
mod event;
mod fields;
mod select;
mod span;
mod span_ext;
mod sqlx;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::Context as LayerContext;
use tracing_subscriber::registry::LookupSpan;

pub use correlation::EcsFormat;
pub use select::{LayerOptions, Selection};
pub use span_ext::AgentSpanExt;

use crate::agent::Agent;
use crate::context::Context;
use crate::core::Core;
use crate::event::{SpanLink, Text};
use crate::transaction::TransactionBuilder;
use span::{SpanData, position};

/// What [`Agent::layer`] gives: a layer with a filter of its own.
pub type AgentLayer<S> = Filtered<Recorder<S>, Selection, S>;

impl Agent {
    /// A layer for `tracing_subscriber`'s registry, with the usual options. See [`crate::layer`].
    ///
    /// It does not keep the agent alive: keep a handle until the program ends.
    pub fn layer<S: Subscriber + for<'span> LookupSpan<'span>>(&self) -> AgentLayer<S> {
        self.layer_with(LayerOptions::default())
    }

    /// The same with other options.
    ///
    /// ```
    /// use tokenfall_agent::{Agent, layer::LayerOptions};
    /// use tracing::level_filters::LevelFilter;
    /// use tracing_subscriber::prelude::*;
    ///
    /// let options = LayerOptions::default()
    ///     .with_max_level(LevelFilter::DEBUG)
    ///     .with_filter(|metadata| !metadata.target().starts_with("hyper"));
    /// let subscriber = tracing_subscriber::registry().with(Agent::disabled().layer_with(options));
    /// # drop(subscriber);
    /// ```
    pub fn layer_with<S: Subscriber + for<'span> LookupSpan<'span>>(&self, options: LayerOptions) -> AgentLayer<S> {
        let core = self.core().cloned();
        let (sqlx_system, max_log_level) = (options.sqlx_system(), options.max_log_level());
        let selection = Selection::new(core.is_some(), options);
        Filtered::new(Recorder { core, sqlx_system, max_log_level, subscriber: PhantomData }, selection)
    }
}

/// The part of the layer that records. Made by [`Agent::layer`].
#[derive(Debug)]
pub struct Recorder<S> {
    core: Option<Arc<Core>>,
    /// Kind of database behind `sqlx`.
    sqlx_system: Text,
    max_log_level: LevelFilter,
    subscriber: PhantomData<fn(S)>,
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Recorder<S> {
    /// Where a new span belongs. `None`: it is a transaction.
    fn parent(attributes: &Attributes<'_>, id: &Id, context: &LayerContext<'_, S>) -> Option<Context> {
        if attributes.is_root() {
            return None;
        }
        let parent = if attributes.is_contextual() {
            Context::current()
        } else {
            context.span(id)?.parent().map(|parent| position(&parent)).unwrap_or_default()
        };
        (!parent.is_none()).then_some(parent)
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Recorder<S> {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: LayerContext<'_, S>) {
        let Some(core) = &self.core else { return };
        if !core.settings.load().recording {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let name = attributes.metadata().name();
        let data = match Self::parent(attributes, id, &context) {
            None if select::is_own_thread() => None,
            None => {
                let builder = TransactionBuilder::new(Some(Arc::clone(core)), name.into());
                Some(SpanData::waiting(builder.started_at(Instant::now()), attributes))
            }
            Some(parent) => SpanData::span(parent.capture_span(name), attributes),
        };
        if let Some(data) = data {
            span.extensions_mut().insert(data);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: LayerContext<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(data) = span.extensions_mut().get_mut::<SpanData>() {
            data.record(values);
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: LayerContext<'_, S>) {
        let (Some(span), Some(follows)) = (context.span(id), context.span(follows)) else { return };
        let followed = position(&follows);
        let Some(trace_id) = followed.trace_id() else { return };
        let Some(span_id) = followed.span_id().or_else(|| followed.transaction_id()) else { return };
        if let Some(data) = span.extensions_mut().get_mut::<SpanData>() {
            data.link(SpanLink { trace_id, span_id });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: LayerContext<'_, S>) {
        let Some(core) = &self.core else { return };
        let position = if event.is_contextual() {
            Context::current()
        } else {
            context.event_span(event).map(|span| position(&span)).unwrap_or_default()
        };
        if event.metadata().target() == sqlx::TARGET {
            sqlx::record(event, &position, &self.sqlx_system);
        }
        if event::record(event, &position, core, self.max_log_level)
            && let Some(span) = context.event_span(event)
            && span::own_position(&span).is_some_and(|own| own.is_same(&position))
            && let Some(data) = span.extensions_mut().get_mut::<SpanData>()
        {
            data.mark_errored();
        }
    }

    fn on_enter(&self, id: &Id, context: LayerContext<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(position) = span::own_position(&span) {
            enter::entered(id, position);
        }
    }

    fn on_exit(&self, id: &Id, _context: LayerContext<'_, S>) {
        enter::exited(id);
    }

    fn on_close(&self, id: Id, context: LayerContext<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let data = span.extensions_mut().remove::<SpanData>();
        if let Some(data) = data {
            data.end();
        }
    }
}
