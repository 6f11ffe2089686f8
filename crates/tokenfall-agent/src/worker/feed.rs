//! What goes into requests: metadata, events, metrics.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::breakdown::Breakdown;
use crate::config::{Config, Environment};
use crate::core::Core;
use crate::encode;
use crate::event::Event;
use crate::metadata;
use crate::metrics::Metrics;
use crate::trace::lock;

use super::Control;

/// Most bytes of metrics that wait while the server is away. What does not fit is not sent.
const MAX_METRICS_BYTES: usize = 256 << 10;

/// The source of requests.
pub(super) struct Feed {
    pub(super) core: Arc<Core>,
    pub(super) control: Arc<Control>,
    /// First line of every request, newline included.
    pub(super) metadata: Vec<u8>,
    pub(super) request_time: Duration,
    pub(super) request_size: u64,
    pub(super) next_poll: Option<Instant>,
    metrics_interval: Duration,
    next_metrics: Option<Instant>,
    metrics: Metrics,
    breakdown: Option<Breakdown>,
    /// Lines of metrics that wait for a request.
    lines: Vec<u8>,
    /// How many events still belong to the flush that is going on.
    flush: Option<usize>,
    flush_seen: u64,
}

impl Feed {
    pub(super) fn new(config: &Config, environment: &Environment, core: Arc<Core>, control: Arc<Control>) -> Self {
        let interval = config.metrics_interval;
        Self {
            core,
            control,
            metadata: metadata::line(config, environment),
            request_time: config.api_request_time,
            request_size: config.api_request_size,
            next_poll: None,
            metrics_interval: interval,
            next_metrics: (!interval.is_zero()).then(|| Instant::now() + interval),
            metrics: Metrics::new(config),
            breakdown: config.breakdown_metrics.then(Breakdown::default),
            lines: Vec::new(),
            flush: None,
            flush_seen: 0,
        }
    }

    /// Follows a configuration that has changed.
    pub(super) fn apply(&mut self, config: Config) {
        if self.is_stopping() {
            return;
        }
        self.request_time = config.api_request_time;
        self.request_size = config.api_request_size;
        self.core.settings.store(Arc::new(config.settings));
    }

    /// Looks whether the program wants a flush.
    pub(super) fn notice(&mut self) {
        let wanted = self.control.flush_wanted.load(Ordering::Acquire);
        if wanted > self.flush_seen {
            self.flush_seen = wanted;
            self.flush = Some(self.core.queue.len());
        }
        // Time by span type is only known here; it must not be lost with the process.
        if self.is_flushed() && self.is_stopping() {
            self.write_breakdown();
        }
    }

    pub(super) fn is_flushing(&self) -> bool {
        self.flush.is_some()
    }

    /// Have all events of the flush left the queue and nothing else waits?
    pub(super) fn is_flushed(&self) -> bool {
        self.flush == Some(0) && self.lines.is_empty()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.control.stopping.load(Ordering::Acquire)
    }

    /// Tells whoever waits for the flush how it went.
    pub(super) fn end_flush(&mut self, well: bool) {
        self.flush = None;
        let mut progress = lock(&self.control.progress);
        progress.flushed = self.flush_seen;
        if !well {
            progress.failed = self.flush_seen;
        }
        drop(progress);
        self.control.progressed.notify_all();
    }

    /// Is there nothing to send?
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.core.queue.is_empty()
    }

    /// When something is due even if no event comes.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.next_poll.into_iter().chain(self.next_metrics).min()
    }

    /// Takes metrics if it is time.
    pub(super) fn collect_metrics(&mut self, now: Instant) {
        let Some(due) = self.next_metrics.filter(|due| *due <= now) else { return };
        self.next_metrics = Some((due + self.metrics_interval).max(now));
        if self.lines.len() > MAX_METRICS_BYTES {
            return;
        }
        self.metrics.write(&self.core.queue, &self.control.counters, &mut self.lines);
        self.write_breakdown();
    }

    fn write_breakdown(&mut self) {
        if let Some(breakdown) = &mut self.breakdown {
            breakdown.write(&mut self.lines);
        }
    }

    /// Lines of metrics that wait.
    pub(super) fn take_lines(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.lines)
    }

    /// Appends the next event as a line. False if none waits.
    pub(super) fn write_event(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(event) = self.pop() else { return false };
        encode::event(&event, &self.core.settings.load(), out);
        true
    }

    fn pop(&mut self) -> Option<Event> {
        let event = self.core.queue.pop()?;
        self.flush = self.flush.map(|n_left| n_left.saturating_sub(1));
        if let (Some(breakdown), Event::Transaction(transaction)) = (&mut self.breakdown, &event) {
            breakdown.add(transaction);
        }
        Some(event)
    }

    /// Drops all that waits (`disable_send`).
    pub(super) fn discard(&mut self) {
        while self.pop().is_some() {
            self.core.queue.count_dropped(1);
        }
        self.lines.clear();
        self.breakdown = None;
    }
}
