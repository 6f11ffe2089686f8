//! The events of one request on their way to the log.

use std::collections::VecDeque;

use tokenfall_intake::IntakeStream;
use tokenfall_model::Document;
use tokenfall_store::AppendError;
use tokio::sync::oneshot;

use super::answer::{Answer, Refusal};
use crate::app::App;
use crate::events::{BatchRejected, BatchStored, EventsDecoded};

/// Most events of a batch, within one fed slice.
const BATCH_EVENTS_MAX: usize = 500;
/// Most bytes of the lines of a batch, within one fed slice.
const BATCH_BYTES_MAX: usize = 256 * 1024;
/// Bytes that are decoded between two looks at the batch.
const SLICE_BYTES: usize = 64 * 1024;
/// Batches of one request that wait for the disk; then the client has to wait.
pub(super) const BATCHES_IN_FLIGHT_MAX: usize = 8;

/// A batch of which is not yet known whether it is durable.
struct InFlight {
    events: u64,
    done: oneshot::Receiver<Result<(), AppendError>>,
}

/// Decodes one request and hands its events on. Everything but [`Session::settle_all`] may block.
///
/// Dropped in the middle (the client is gone), it hands on what it has: those events were valid, and nobody was told anything.
pub(super) struct Session {
    app: App,
    stream: IntakeStream,
    batch: Vec<Document>,
    batch_bytes: usize,
    in_flight: VecDeque<InFlight>,
    /// Durable events.
    accepted: u64,
    /// Why a batch was not stored.
    failure: Option<AppendError>,
    /// Lines that were counted in the metrics.
    counted: EventsSeen,
}

#[derive(Default)]
struct EventsSeen {
    valid: u64,
    invalid: u64,
}

impl Session {
    pub(super) fn new(app: App, stream: IntakeStream) -> Self {
        Self {
            app,
            stream,
            batch: Vec::new(),
            batch_bytes: 0,
            in_flight: VecDeque::new(),
            accepted: 0,
            failure: None,
            counted: EventsSeen::default(),
        }
    }

    /// True if the rest of the body means nothing: the metadata is wrong, or the store takes no more.
    pub(super) fn is_over(&self) -> bool {
        self.stream.is_fatal() || self.failure.is_some()
    }

    /// Takes unpacked bytes of the body.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        for slice in piece.chunks(SLICE_BYTES) {
            if self.is_over() {
                return;
            }
            self.stream.feed(slice, &mut self.batch);
            self.batch_bytes += slice.len();
            if self.batch.len() >= BATCH_EVENTS_MAX || self.batch_bytes >= BATCH_BYTES_MAX {
                self.flush();
            }
        }
    }

    /// Takes the end of the body.
    pub(super) fn finish(&mut self) {
        self.stream.finish(&mut self.batch);
    }

    /// Hands on what has been decoded.
    pub(super) fn flush(&mut self) {
        self.count();
        self.batch_bytes = 0;
        let mut batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return;
        }
        self.app.enrich(&mut batch);
        let events = batch.len() as u64;
        let (tell, done) = oneshot::channel();
        let app = self.app.clone();
        self.app.store.append(
            batch,
            Box::new(move |result| {
                match &result {
                    Ok(()) => BatchStored { events }.emit(&app.metrics),
                    Err(error) => BatchRejected { events, error }.emit(&app.metrics),
                }
                // Nobody listens when the client is gone.
                drop(tell.send(result));
            }),
        );
        self.in_flight.push_back(InFlight { events, done });
        while self.in_flight.len() > BATCHES_IN_FLIGHT_MAX {
            if let Some(InFlight { events, done }) = self.in_flight.pop_front() {
                self.settle(events, done.blocking_recv());
            }
        }
    }

    /// True if there is something to hand on.
    pub(super) fn has_batch(&self) -> bool {
        !self.batch.is_empty()
    }

    /// Waits until it is known of every batch whether it is durable.
    pub(super) async fn settle_all(&mut self) {
        while let Some(InFlight { events, done }) = self.in_flight.pop_front() {
            let result = done.await;
            self.settle(events, result);
        }
    }

    fn settle(&mut self, events: u64, result: Result<Result<(), AppendError>, oneshot::error::RecvError>) {
        match result {
            Ok(Ok(())) => self.accepted += events,
            Ok(Err(error)) => self.failure = Some(error),
            // The store has dropped the callback, which it does only when it is torn down.
            Err(_) => self.failure = Some(AppendError::Closing),
        }
    }

    /// What to tell the client; `refusal` is what was wrong with the request as a whole.
    pub(super) fn answer(&self, refusal: Option<Refusal>) -> Answer {
        let refusal = self.failure.as_ref().map(Refusal::from).or(refusal);
        Answer::new(self.accepted, self.stream.errors(), refusal)
    }

    /// Counts the lines that were decoded since the last time.
    fn count(&mut self) {
        let (valid, invalid) = (self.stream.accepted(), self.stream.error_count());
        let decoded = EventsDecoded { valid: valid - self.counted.valid, invalid: invalid - self.counted.invalid };
        decoded.emit(&self.app.metrics);
        self.counted = EventsSeen { valid, invalid };
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.flush();
    }
}
