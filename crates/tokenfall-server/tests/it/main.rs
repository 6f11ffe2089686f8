//! The server as clients see it: a real one, with a real store, on a free port.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod api;
mod approved;
mod bodies;
mod guards;
mod harness;
mod hostile;
mod stopping;
