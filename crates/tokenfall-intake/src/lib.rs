//! Elastic's intake protocol v2: what did the agent say?
//!
//! The decompressed body of one request goes in, in chunks of any size, and [`Document`]s come out. Nothing here does I/O or
//! reads a clock; memory is bounded by one line ([`tokenfall_model::limits::EVENT_BYTES_MAX`]) and the documents handed out.
//!
//! ```text
//! chunk ─lines→ line ─wire→ borrowed structs ─rules→ valid ─convert→ Document
//!                 └ too long          └ decode error   └ validation error      (each with its line)
//! ```
//!
//! A bad line is reported and the rest of the request still counts; only a wrong first line (the metadata) ends it. Where
//! Tokenfall decides otherwise than Elastic's server, `docs/intake-differences.md` says so and why.

mod convert;
mod lines;
mod location;
mod stream;
mod wire;

pub use stream::{IntakeError, IntakeStream, StreamOptions};

#[doc(no_inline)]
pub use tokenfall_model::Document;
