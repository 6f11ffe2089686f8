//! What is durable and not yet indexed, and how many bytes that may be.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokenfall_model::Document;

/// A durable batch.
pub(crate) struct Batch {
    pub(crate) first_sequence: u64,
    pub(crate) count: u32,
    pub(crate) payload: Vec<u8>,
    /// The documents of the payload; none if they have to be read from it.
    pub(crate) documents: Vec<Document>,
}

/// Hands batches from the log's thread to the indexer. Bytes are counted from before the log until the indexer has taken them,
/// so one bound holds for the whole way: whoever comes on top of it is refused.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    /// Payload bytes on the way.
    bytes: usize,
    ended: Option<End>,
}

/// How the queue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything is in; index it and commit.
    Closed,
    /// Stop where you stand, as a crash would.
    #[cfg(test)]
    Crashed,
}

/// What the indexer finds.
pub(crate) enum Next {
    /// Batches in the order of the log.
    Batches(Vec<Batch>),
    /// Nothing came in time.
    Timeout,
    /// Nothing comes any more.
    End(End),
}

impl Queue {
    /// Makes room for a payload; false if there is none. A single payload may be larger than all room.
    pub(crate) fn reserve(&self, bytes: usize, bytes_max: usize) -> bool {
        let mut state = self.state();
        if state.bytes > 0 && state.bytes + bytes > bytes_max {
            return false;
        }
        state.bytes += bytes;
        true
    }

    /// Gives room back.
    pub(crate) fn release(&self, bytes: usize) {
        let mut state = self.state();
        state.bytes = state.bytes.saturating_sub(bytes);
    }

    /// Adds a batch for which room was made.
    pub(crate) fn push(&self, batch: Batch) {
        self.state().batches.push_back(batch);
        self.changed.notify_one();
    }

    /// Says that nothing comes any more.
    pub(crate) fn end(&self, end: End) {
        self.state().ended.get_or_insert(end);
        self.changed.notify_one();
    }

    /// Waits for batches, at most until `deadline`. Gives about as many bytes as asked for if there are more.
    pub(crate) fn next(&self, deadline: Option<Instant>, bytes: usize) -> Next {
        let mut state = self.state();
        loop {
            #[cfg(test)]
            if state.ended == Some(End::Crashed) {
                return Next::End(End::Crashed);
            }
            if !state.batches.is_empty() {
                let mut sum = 0;
                let n = state.batches.iter().take_while(|b| (sum < bytes, sum += b.payload.len()).0).count();
                return Next::Batches(state.batches.drain(..n).collect());
            }
            if let Some(end) = state.ended {
                return Next::End(end);
            }
            state = match deadline.map(|d| d.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return Next::Timeout,
                Some(left) => self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is complete in itself, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
