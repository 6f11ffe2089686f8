//! Settings that can change while the program runs.
//!
//! A transaction takes a snapshot when it begins, so that all its spans follow the same rules.

use std::time::Duration;

use crate::compression::Compression;
use crate::wildcard::WildcardMatcher;

/// Settings in force. Where each comes from (central configuration, environment, code, default) is decided in
/// [`crate::config`].
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `recording`: false switches everything off but the connection to the server.
    pub(crate) recording: bool,
    /// `transaction_sample_rate`, 0 to 1, at most 4 decimal places.
    pub(crate) sample_rate: f64,
    /// `transaction_max_spans`
    pub(crate) transaction_max_spans: u32,
    /// `span_compression_*`
    pub(crate) compression: Compression,
    /// `exit_span_min_duration`
    pub(crate) exit_span_min_duration: Duration,
    /// `span_stack_trace_min_duration`; `None` is never.
    pub(crate) span_stack_trace_min_duration: Option<Duration>,
    /// `stack_trace_limit`: frames of a stack trace; 0 is none.
    pub(crate) stack_trace_limit: usize,
    /// `capture_headers`
    pub(crate) capture_headers: bool,
    /// `capture_body`
    pub(crate) capture_body: CaptureBody,
    /// `capture_content`: prompts and answers of model calls.
    pub(crate) capture_content: bool,
    /// `sanitize_field_names`
    pub(crate) sanitize_field_names: Vec<WildcardMatcher>,
    /// `transaction_ignore_urls`
    pub(crate) transaction_ignore_urls: Vec<WildcardMatcher>,
    /// `transaction_ignore_user_agents`
    pub(crate) transaction_ignore_user_agents: Vec<WildcardMatcher>,
    /// `transaction_name_groups`
    pub(crate) transaction_name_groups: Vec<WildcardMatcher>,
    /// `trace_continuation_strategy`
    pub(crate) trace_continuation: TraceContinuation,
    /// `baggage_to_attach`
    pub(crate) baggage_to_attach: Vec<WildcardMatcher>,
    /// `context_propagation_only`: trace context goes on, nothing is recorded.
    pub(crate) context_propagation_only: bool,
    /// `long_field_max_length`, in characters.
    pub(crate) long_field_max_length: usize,
    /// `log_sending`
    pub(crate) log_sending: bool,
}

/// `capture_body`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CaptureBody {
    Off,
    Errors,
    Transactions,
    All,
}

/// `trace_continuation_strategy`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TraceContinuation {
    /// Go on with the trace of the caller.
    Continue,
    /// Begin a new trace, linked to the caller's.
    Restart,
    /// The same, if the caller is not monitored by an Elastic agent (`es` is absent from its tracestate).
    RestartExternal,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            recording: true,
            sample_rate: 1.0,
            transaction_max_spans: 500,
            compression: Compression::default(),
            exit_span_min_duration: Duration::ZERO,
            span_stack_trace_min_duration: None,
            stack_trace_limit: 50,
            capture_headers: true,
            capture_body: CaptureBody::Off,
            capture_content: false,
            sanitize_field_names: WildcardMatcher::list(DEFAULT_SANITIZE_FIELD_NAMES),
            transaction_ignore_urls: Vec::new(),
            transaction_ignore_user_agents: Vec::new(),
            transaction_name_groups: Vec::new(),
            trace_continuation: TraceContinuation::Continue,
            baggage_to_attach: WildcardMatcher::list("*"),
            context_propagation_only: false,
            long_field_max_length: 10_000,
            log_sending: false,
        }
    }
}

/// Default of `sanitize_field_names` (agent specification, "data sanitization").
pub(crate) const DEFAULT_SANITIZE_FIELD_NAMES: &str =
    "password,passwd,pwd,secret,*key,*token*,*session*,*credit*,*card*,*auth*,set-cookie,*principal*";
