//! The public API's answers: what the web UI shows and what scripts can ask for.
//!
//! Instants are microseconds since the Unix epoch (`…_us` beside a name that says so), durations are microseconds, rates are
//! per minute, shares and failure rates lie between 0 and 1. What is not known is `null`, never zero.

pub mod common;
pub mod correlations;
pub mod dependencies;
pub mod errors;
pub mod llm;
pub mod problem;
pub mod services;
pub mod sessions;
pub mod spend;
pub mod status;
pub mod traces;
pub mod transactions;

pub use common::{Outcome, Range, SeriesAxis};
pub use problem::{ErrorCode, Problem};
