//! What happens in the server: each occurrence is a struct whose `emit` writes the log and moves the counters, so that the two
//! cannot disagree.
//!
//! Of the events that arrive, every one is counted as received once, and then once more: as accepted when it is durable, or as
//! rejected with a reason.

use std::time::Duration;

use tokenfall_store::AppendError;

use crate::metrics::{IntakeResult, Limit, Metrics, RejectReason};

/// Lines of a request were decoded.
pub(crate) struct EventsDecoded {
    /// Valid ones.
    pub(crate) valid: u64,
    /// Refused ones.
    pub(crate) invalid: u64,
}

impl EventsDecoded {
    pub(crate) fn emit(self, metrics: &Metrics) {
        metrics.count_received(self.valid + self.invalid);
        metrics.count_rejected(RejectReason::Invalid, self.invalid);
    }
}

/// A batch is durable.
pub(crate) struct BatchStored {
    /// Its events.
    pub(crate) events: u64,
}

impl BatchStored {
    pub(crate) fn emit(self, metrics: &Metrics) {
        metrics.count_accepted(self.events);
    }
}

/// A batch was not stored.
pub(crate) struct BatchRejected<'a> {
    /// Its events.
    pub(crate) events: u64,
    /// Why.
    pub(crate) error: &'a AppendError,
}

impl BatchRejected<'_> {
    pub(crate) fn emit(self, metrics: &Metrics) {
        let reason = match self.error {
            AppendError::QueueFull => {
                metrics.count_limit(Limit::QueueBytes);
                RejectReason::QueueFull
            }
            AppendError::DiskFull => {
                metrics.count_limit(Limit::DiskBytes);
                RejectReason::DiskFull
            }
            AppendError::Closing => RejectReason::Closing,
            AppendError::Log(_) => RejectReason::Log,
        };
        metrics.count_rejected(reason, self.events);
        if reason == RejectReason::Log {
            tracing::error!(events = self.events, "events rejected: {}", self.error);
        } else {
            tracing::warn!(events = self.events, "events rejected: {}", self.error);
        }
    }
}

/// An intake request was answered.
pub(crate) struct IntakeAnswered<'a> {
    /// How.
    pub(crate) result: IntakeResult,
    /// Status code.
    pub(crate) status: u16,
    /// Events stored.
    pub(crate) accepted: u64,
    /// The first error.
    pub(crate) error: Option<&'a str>,
}

impl IntakeAnswered<'_> {
    pub(crate) fn emit(self, metrics: &Metrics) {
        metrics.count_request(self.result);
        let Self { status, accepted, .. } = self;
        match self.error {
            None => tracing::debug!(http.status_code = status, accepted, "intake request accepted"),
            // The text may quote the client's data, so it goes to the log only on request.
            Some(error) => tracing::debug!(http.status_code = status, accepted, error, "intake request refused"),
        }
        // Whoever looks for data that do not arrive looks here first. The 1st, 2nd, 4th, 8th … are enough to see it.
        let so_far = metrics.requests(self.result);
        if self.error.is_some() && so_far.is_power_of_two() {
            tracing::warn!(
                http.status_code = status,
                result = self.result.as_str(),
                so_far,
                "intake requests are refused, or have refused events; log_level debug shows why"
            );
        }
    }
}

/// A limit was reached.
pub(crate) struct LimitReached {
    /// Which.
    pub(crate) limit: Limit,
}

impl LimitReached {
    pub(crate) fn emit(self, metrics: &Metrics) {
        metrics.count_limit(self.limit);
        tracing::debug!(limit = ?self.limit, "limit reached");
    }
}

/// A question was answered, well or badly.
pub(crate) struct SearchEnded {
    /// How long it took.
    pub(crate) took: Duration,
}

impl SearchEnded {
    pub(crate) fn emit(self, metrics: &Metrics) {
        metrics.search_seconds.observe(self.took.as_secs_f64());
        tracing::trace!(took_us = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX), "search ended");
    }
}

/// A request panicked.
pub(crate) struct Panicked<'a> {
    /// What was being done, or what the panic said.
    pub(crate) during: &'a str,
}

impl Panicked<'_> {
    pub(crate) fn emit(self, metrics: &Metrics) {
        metrics.count_panic();
        tracing::error!("a request panicked: {}; this is a bug", self.during);
    }
}
