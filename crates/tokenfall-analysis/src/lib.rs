//! Questions of the screens, turned into searches, and what comes back turned into answers.
//!
//! Each function asks a [`Search`](tokenfall_store::Search) and computes one type of [`tokenfall_api`] from the responses. Nothing here
//! touches storage, the network or the clock, and the same code runs over the embedded engine and over a cluster.

pub mod correlations;
pub mod dependencies;
pub mod errors;
pub mod llm;
pub mod services;
pub mod sessions;
pub mod spend;
pub mod statistics;
pub mod status;
pub mod traces;
pub mod transactions;
pub mod waterfall;

mod axis;
mod scope;
mod selection;
mod summary;

pub use axis::axis_of;
pub use scope::{Environment, Scope};
pub use selection::Selection;

/// A document as the API returns it.
fn json(document: &tokenfall_model::Document) -> serde_json::Value {
    let mut bytes = Vec::new();
    document.to_json(&mut bytes);
    // What `to_json` writes is JSON.
    serde_json::from_slice(&bytes).unwrap_or_default()
}
