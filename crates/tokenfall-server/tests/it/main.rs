//! The server as clients see it: a real one, with a real store, on a free port.

mod api;
mod approved;
mod bodies;
mod guards;
mod harness;
mod hostile;
mod stopping;
