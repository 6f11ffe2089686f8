//! Every bound on what Tokenfall takes in, by name, with its source.

/// Longest line of an intake request in bytes (Elastic's `max_event_size`).
pub const EVENT_BYTES_MAX: usize = 307_200;

/// Longest keyword string in Unicode characters; a longer one rejects the event (Elastic's intake schema).
pub const KEYWORD_CHARS_MAX: usize = 1024;

/// Longest `service_target_*` string of dropped span statistics in characters (Elastic's intake schema).
pub const DROPPED_SPAN_TARGET_CHARS_MAX: usize = 512;

/// Errors listed in the answer to one intake request; further ones are only counted (Elastic's server does the same).
pub const LISTED_ERRORS_MAX: usize = 5;

/// Events decoded before they are handed on (Elastic's intake batch).
pub const INTAKE_BATCH_EVENTS: usize = 10;

/// Longest keyword value that is indexed, in bytes; the source keeps the whole value (Tantivy drops terms over 65,530 bytes).
pub const INDEXED_KEYWORD_BYTES_MAX: usize = 8_192;

/// Labels of one event (string and numeric together); an event with more is rejected.
///
/// Elastic has no such limit and falls over in the mapping instead (`index.mapping.total_fields.limit`, 1,000 by default).
pub const LABELS_MAX: usize = 1_024;

/// Default bound on the decompressed bytes of one intake request that is still open.
pub const REQUEST_BYTES_MAX: u64 = 512 * 1024 * 1024;
