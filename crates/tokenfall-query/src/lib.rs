//! The one query language inside Tokenfall: a [`Filter`] tree and Elasticsearch's aggregations.
//!
//! Analysis builds a [`SearchRequest`] and reads a [`SearchResponse`]; how it is answered is the store's affair. Between the two
//! an engine keeps *intermediate* results ([`intermediate`]) that can be merged across segments, partitions and nodes.
//!
//! ```text
//! SearchRequest → per segment: intermediate → merge → intermediate → finish → SearchResponse
//! ```

pub mod aggregation;
pub mod filter;
pub mod intermediate;
pub mod request;
pub mod response;

pub use aggregation::{Aggregation, AggregationKind, Aggregations, CrosstabColumns, CrosstabRow, TermsOrder};
pub use filter::{Filter, Value};
pub use request::{HitsRequest, SearchRequest, Sort, SortOrder, SourceFilter, TimeRange};
pub use response::{
    AggregationResult, AggregationResults, Bucket, BucketKey, PointColumn, Points, SearchResponse, Table,
};
