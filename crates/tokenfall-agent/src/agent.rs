//! The agent: where programs begin.

mod builder;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::context::Context;
use crate::core::Core;
use crate::event::Text;
use crate::span::SpanBuilder;
use crate::transaction::{Transaction, TransactionBuilder, TransactionRef};
use crate::worker::Worker;

pub use builder::AgentBuilder;

/// How long the last handle waits for unsent events when it is dropped.
const DROP_DEADLINE: Duration = Duration::from_secs(3);

/// The agent. Clones are handles to the same agent; when the last one is dropped, what waits is sent, for 3 seconds at most,
/// and the agent's thread ends.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    handle: Option<Arc<Handle>>,
    /// Stops the thread with the last clone. The global agent has none.
    _owner: Option<Arc<Owner>>,
}

/// What all handles share. Transactions and spans hold the core only.
#[derive(Debug)]
struct Handle {
    core: Arc<Core>,
    /// Absent in tests of what comes before it.
    worker: Option<Worker>,
}

#[derive(Debug)]
struct Owner(Arc<Handle>);

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(worker) = &self.0.worker {
            worker.stop(DROP_DEADLINE);
        }
    }
}

/// An agent that somebody else may still hold.
#[derive(Clone, Debug)]
pub(crate) struct WeakAgent(Weak<Handle>);

impl WeakAgent {
    /// The agent, if it still runs. Does not keep it running.
    pub(crate) fn upgrade(&self) -> Option<Agent> {
        Some(Agent { handle: Some(self.0.upgrade()?), _owner: None })
    }
}

static GLOBAL: ArcSwapOption<Handle> = ArcSwapOption::const_empty();

/// What became of events since the agent started. `total` = `sent` + `dropped` + what waits or is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Transactions, spans, errors and log messages that were to be sent.
    pub total: u64,
    /// Events that the server took.
    pub sent: u64,
    /// Events that were lost: because too many waited, or with a request that failed.
    pub dropped: u64,
    /// Events that wait now.
    pub waiting: u64,
    /// Requests with events.
    pub requests: u64,
    /// Requests that failed, those without a connection included.
    pub failed_requests: u64,
    /// Bytes of the bodies of requests, compressed.
    pub bytes: u64,
}

impl Agent {
    /// Settings of a new agent.
    pub fn builder() -> AgentBuilder {
        AgentBuilder::default()
    }

    /// An agent that does nothing.
    pub const fn disabled() -> Self {
        Self { handle: None, _owner: None }
    }

    fn running(core: Arc<Core>, worker: Worker) -> Self {
        let handle = Arc::new(Handle { core, worker: Some(worker) });
        Self { _owner: Some(Arc::new(Owner(Arc::clone(&handle)))), handle: Some(handle) }
    }

    #[cfg(test)]
    pub(crate) fn for_test(core: Arc<Core>) -> Self {
        Self { handle: Some(Arc::new(Handle { core, worker: None })), _owner: None }
    }

    /// Makes this what [`global`](Self::global) gives, from now on and everywhere. That does not keep the agent running: keep
    /// a handle of your own until the program ends.
    pub fn set_global(agent: &Self) {
        GLOBAL.store(agent.handle.clone());
    }

    /// The agent that was made global; a disabled one before.
    pub fn global() -> Self {
        Self { handle: GLOBAL.load_full(), _owner: None }
    }

    /// Does it do anything? False for [`disabled`](Self::disabled) agents and after [`shutdown`](Self::shutdown).
    pub fn is_recording(&self) -> bool {
        self.core().is_some_and(|core| core.settings.load().recording)
    }

    pub(crate) fn downgrade(&self) -> Option<WeakAgent> {
        self.handle.as_ref().map(|handle| WeakAgent(Arc::downgrade(handle)))
    }

    #[inline]
    pub(crate) fn core(&self) -> Option<&Arc<Core>> {
        self.handle.as_ref().map(|handle| &handle.core)
    }

    fn worker(&self) -> Option<&Worker> {
        self.handle.as_ref()?.worker.as_ref()
    }

    /// Describes a transaction before it begins.
    #[inline]
    pub fn transaction(&self, name: impl Into<Text>) -> TransactionBuilder {
        TransactionBuilder::new(self.core().cloned(), name.into())
    }

    /// Begins a transaction of this name and type, without a caller.
    #[inline]
    pub fn begin_transaction(&self, name: impl Into<Text>, kind: impl Into<Text>) -> Transaction {
        self.transaction(name).transaction_type(kind).begin()
    }

    /// The current transaction of this thread or task.
    pub fn current_transaction(&self) -> Option<TransactionRef> {
        Context::current().transaction()
    }

    /// Describes a span under what is current on this thread or task.
    pub fn capture_span(&self, name: impl Into<Text>) -> SpanBuilder {
        Context::current().capture_span(name)
    }

    /// Waits until all that was reported before has been sent. True if the server took it; false if it did not, or `timeout`
    /// was over first. Does not wait for the next try if the server was away, but tries at once.
    ///
    /// Blocks the thread: in asynchronous code call it in `spawn_blocking`.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.worker().is_none_or(|worker| worker.flush(timeout))
    }

    /// Sends what waits and stops. True if the server took all; false if it did not, or `timeout` was over first. Nothing is
    /// recorded afterwards. The same happens, with 3 seconds, when the last handle is dropped.
    ///
    /// Blocks the thread: in asynchronous code call it in `spawn_blocking`.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        self.worker().is_none_or(|worker| worker.stop(timeout))
    }

    /// What became of events so far. All zero for a disabled agent.
    pub fn stats(&self) -> Stats {
        let Some(handle) = &self.handle else { return Stats::default() };
        let queue = &handle.core.queue;
        let mut stats =
            Stats { total: queue.total(), dropped: queue.dropped(), waiting: queue.len() as u64, ..Stats::default() };
        if let Some(worker) = &handle.worker {
            let counters = worker.counters();
            stats.sent = counters.sent.load(Ordering::Relaxed);
            stats.requests = counters.requests.load(Ordering::Relaxed);
            stats.failed_requests = counters.failed_requests.load(Ordering::Relaxed);
            stats.bytes = counters.bytes.load(Ordering::Relaxed);
        }
        stats
    }
}
