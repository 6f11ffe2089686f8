//! Language and embedding models that run on this machine, served the way OpenAI serves its own.
//!
//! ```text
//! HTTP request ─server→ prompt ─scheduler→ batch of a model ─→ pieces of text ─server→ server-sent events
//!                         ↑ faults on purpose
//! ```
//!
//! - [`chat`] says what a model must be able to do ([`ChatModel`](chat::ChatModel)). Implementations lie in crates of their own
//!   (`askdocs-llama`, `askdocs-candle`), because they take minutes to compile; [`scripted`] is one for tests.
//! - [`scheduler`] lets requests share one model: those that are there are decoded together, one token each a step.
//! - [`server`] is the HTTP interface: an axum router that is served on a socket, or called in process.
//! - [`faults`] makes some requests fail, stall or break off, for whoever wants to see what that looks like.
//! - [`gguf`] and [`weights`] turn the files of package registries into what the models load.

pub mod chat;
pub mod embedding;
pub mod faults;
pub mod gguf;
pub mod scheduler;
pub mod scripted;
pub mod server;
pub mod weights;
