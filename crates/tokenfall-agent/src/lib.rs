#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod agent;
mod breakdown;
mod clock;
mod compression;
mod config;
mod context;
mod core;
mod encode;
mod error;
mod event;
pub mod generation;
#[cfg(feature = "http")]
pub mod http;
mod id;
#[cfg(feature = "tracing")]
pub mod layer;
mod limits;
mod metadata;
mod metrics;
pub mod otel;
mod propagation;
mod queue;
mod semconv;
mod settings;
mod span;
pub mod sql;
mod stacktrace;
mod target;
mod trace;
mod transaction;
mod transport;
mod wildcard;
mod worker;

pub use agent::{Agent, AgentBuilder, Stats};
pub use context::{
    Context, ContextGuard, InContext, InContextExt, capture_span, current_transaction, label, set_outcome,
};
pub use error::{ErrorBuilder, capture_error, capture_message};
pub use event::{AttributeValue, LabelValue, Outcome, Request, Response, SpanLink, Text, User};
pub use id::{ErrorId, SpanId, TraceId};
pub use propagation::TraceContext;
pub use span::{InSpan, Span, SpanBuilder};
pub use transaction::{Transaction, TransactionBuilder, TransactionRef};
