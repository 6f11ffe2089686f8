//! Documents to better documents: what follows from what the agent sent.
//!
//! [`enrich`] looks at one document alone and does what Elastic's server does before it indexes. [`Enricher`] does that too, and
//! relates spans to each other: generations, token streams and dependencies (`docs/dependencies.md`).

mod cost;
mod data_stream;
mod dependency;
mod enricher;
mod error;
mod event;
mod generation;
mod host;
mod labels;
mod settings;
mod stream;
mod target;
mod tokenizer;
mod usage;

pub use enricher::Enricher;
pub use labels::{LabelMap, LabelMapError, Meaning};
pub use settings::Settings;

use tokenfall_model::Document;

/// Completes a document from its own fields: host and instance names, outcome and success count, service target, error group,
/// root flag and data stream. The order matters: each step uses what the ones before it have set.
pub fn enrich(document: &mut Document) {
    host::names(document);
    host::service_node(document);
    event::outcome(document);
    event::root(document);
    target::infer(document);
    error::group(document);
    data_stream::assign(document);
}
