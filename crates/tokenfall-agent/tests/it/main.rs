//! The agent as programs see it, against a server that records requests.

mod allocations;
mod config;
mod encode;
mod error;
mod generation;
mod http;
#[cfg(feature = "tracing")]
mod layer;
mod logged;
mod metadata;
mod metrics;
#[allow(dead_code, reason = "every topic uses another part")]
mod server;
mod span_types;
#[cfg(feature = "tls")]
mod tls;
mod transport;
