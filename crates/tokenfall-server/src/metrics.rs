//! The server's own figures, as `/metrics` shows them. Only [`crate::events`] changes the counters.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tokenfall_model::EventKind;
use tokenfall_store::StoreStats;

/// How an intake request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum IntakeResult {
    /// Everything was stored.
    Accepted,
    /// At least one line was bad, or the request as a whole.
    Invalid,
    /// The secret is missing or wrong, or a browser page of another site asked.
    Unauthorized,
    /// The server could not take it; the client may come again.
    Unavailable,
}

impl IntakeResult {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Invalid => "invalid",
            Self::Unauthorized => "unauthorized",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Why an event was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RejectReason {
    /// The line is not a valid event.
    Invalid,
    /// Too many bytes waited for the log.
    QueueFull,
    /// The disk is full.
    DiskFull,
    /// The log could not be written.
    Log,
    /// The server was shutting down.
    Closing,
}

impl RejectReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::QueueFull => "queue_full",
            Self::DiskFull => "disk_full",
            Self::Log => "log",
            Self::Closing => "closing",
        }
    }
}

/// A limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    /// Length of one event.
    EventBytes,
    /// Length of a request after decompression.
    RequestBytes,
    /// Decompressed bytes for each compressed one.
    CompressionRatio,
    /// Open intake requests.
    IntakeRequests,
    /// Silence in the middle of a body.
    BodySilence,
    /// Running searches.
    Searches,
    /// Open connections.
    Connections,
    /// Bytes waiting for the log.
    QueueBytes,
    /// Free bytes of the disk.
    DiskBytes,
}

impl Limit {
    const fn as_str(self) -> &'static str {
        match self {
            Self::EventBytes => "event_bytes",
            Self::RequestBytes => "request_bytes",
            Self::CompressionRatio => "compression_ratio",
            Self::IntakeRequests => "intake_requests",
            Self::BodySilence => "body_silence",
            Self::Searches => "searches",
            Self::Connections => "connections",
            Self::QueueBytes => "queue_bytes",
            Self::DiskBytes => "disk_bytes",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

/// Counters and gauges of one server.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<ResultLabels, Counter>,
    events_received: Counter,
    events_accepted: Counter,
    events_rejected: Family<ReasonLabels, Counter>,
    limits: Family<LimitLabels, Counter>,
    /// Connections that are open.
    pub(crate) connections: Gauge,
    /// Seconds that searches took.
    pub(crate) search_seconds: Histogram,
    panics: Counter,
    stored: Family<KindLabels, Gauge>,
    disk_bytes: Gauge,
}

impl Metrics {
    /// Figures at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("tokenfall");
        let requests = Family::default();
        registry.register("intake_requests", "Intake requests by how they ended", requests.clone());
        let events_received = Counter::default();
        registry.register("intake_events_received", "Lines with an event that arrived", events_received.clone());
        let events_accepted = Counter::default();
        registry.register("intake_events_accepted", "Events that are durably stored", events_accepted.clone());
        let events_rejected = Family::default();
        registry.register("intake_events_rejected", "Events that were refused, by reason", events_rejected.clone());
        let limits = Family::default();
        registry.register("limit_reached", "How often a limit was reached", limits.clone());
        let connections = Gauge::default();
        registry.register("http_connections", "Connections that are open", connections.clone());
        let search_seconds = Histogram::new(exponential_buckets(0.001, 2.0, 15));
        registry.register_with_unit("search", "Time that questions took", Unit::Seconds, search_seconds.clone());
        let panics = Counter::default();
        registry.register("panics", "Requests that ended in a panic: each is a bug", panics.clone());
        let stored = Family::default();
        registry.register("store_events", "Events that are durably stored, by kind", stored.clone());
        let disk_bytes = Gauge::default();
        registry.register_with_unit("store_disk", "Size of the data directory", Unit::Bytes, disk_bytes.clone());
        Self {
            registry,
            requests,
            events_received,
            events_accepted,
            events_rejected,
            limits,
            connections,
            search_seconds,
            panics,
            stored,
            disk_bytes,
        }
    }

    pub(crate) fn count_request(&self, result: IntakeResult) {
        self.requests.get_or_create(&ResultLabels { result: result.as_str() }).inc();
    }

    pub(crate) fn requests(&self, result: IntakeResult) -> u64 {
        self.requests.get_or_create(&ResultLabels { result: result.as_str() }).get()
    }

    pub(crate) fn count_received(&self, n: u64) {
        self.events_received.inc_by(n);
    }

    pub(crate) fn count_accepted(&self, n: u64) {
        self.events_accepted.inc_by(n);
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.events_accepted.get()
    }

    pub(crate) fn count_rejected(&self, reason: RejectReason, n: u64) {
        self.events_rejected.get_or_create(&ReasonLabels { reason: reason.as_str() }).inc_by(n);
    }

    pub(crate) fn rejected(&self) -> u64 {
        use RejectReason::{Closing, DiskFull, Invalid, Log, QueueFull};
        [Invalid, QueueFull, DiskFull, Log, Closing]
            .into_iter()
            .map(|reason| self.events_rejected.get_or_create(&ReasonLabels { reason: reason.as_str() }).get())
            .sum()
    }

    pub(crate) fn count_limit(&self, limit: Limit) {
        self.limits.get_or_create(&LimitLabels { limit: limit.as_str() }).inc();
    }

    pub(crate) fn count_panic(&self) {
        self.panics.inc();
    }

    /// All figures in the text format of Prometheus (OpenMetrics).
    pub(crate) fn encode(&self, store: StoreStats) -> String {
        for kind in EventKind::ALL {
            let n = i64::try_from(store.events.get(kind)).unwrap_or(i64::MAX);
            self.stored
                .get_or_create(&KindLabels {
                    kind: if kind == EventKind::Metricset { "metricset" } else { kind.as_str() },
                })
                .set(n);
        }
        self.disk_bytes.set(i64::try_from(store.disk_bytes).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing to a string cannot fail.
        if prometheus_client::encoding::text::encode(&mut text, &self.registry).is_err() {
            text.clear();
        }
        text
    }
}
