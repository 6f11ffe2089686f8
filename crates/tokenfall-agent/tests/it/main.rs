//! The agent as programs see it, against a server that records requests.

mod encode;
mod error;
#[allow(dead_code, reason = "every topic uses another part")]
mod allocations;
mod server;
mod transport;
