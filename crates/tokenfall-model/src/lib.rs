//! The vocabulary of Tokenfall: what an event is once it has been understood.
//!
//! Everything that is stored is a [`Document`] in the shape that Elastic's APM documents have (ECS field names), so the
//! same JSON works in the embedded engine, in an Elasticsearch or OpenSearch cluster, and in Kibana. This crate holds that
//! shape, the newtypes inside it, the table of searchable fields ([`fields`]) and every limit ([`limits`]). It does no I/O and
//! reads no clock.

pub mod document;
pub mod fields;
pub mod ids;
pub mod limits;
pub mod money;
pub mod time;
pub mod timeline;

mod codec;

pub use codec::{DocumentDecodeError, is_reserved_sample_name};
pub use document::{Document, EventKind, Outcome};
pub use ids::{ErrorId, ServiceName, SpanId, TraceId, TransactionId};
pub use money::{Usd, UsdError};
pub use time::{Micros, Timestamp};
pub use timeline::{Stall, TokenTimeline};
