//! The embedded engine: a write-ahead log, and Tantivy indices partitioned by stream and day.
//!
//! ```text
//! append ─→ log ─(durable)─→ callback
//!                        └─→ queue ─→ indexer ─→ partition writers ─(commit ≤ 0.5 s)─→ searchable
//! ```
//!
//! Invariants:
//! - A document is in the log until the partition that it belongs to has committed it. The commit says up to which place of the log
//!   the partition is complete, so a replay adds what is missing and nothing twice.
//! - Payload bytes between [`Store::append`] and the index are bounded; what comes on top is refused with
//!   [`AppendError::QueueFull`].
//! - Queries see committed documents only, and block nobody.

mod data_dir;
mod field_names;
mod indexer;
mod partition;
mod partitions;
mod payload;
mod queue;
mod schema;
mod search;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use tokenfall_model::{Document, EventKind, Timestamp};
use tokenfall_query::TimeRange;
use tokenfall_wal::{Directory, Visit, Wal};

use crate::{AppendError, EventCounts, OnDurable, Store, StoreStats};
use data_dir::{DataDir, io_error};
pub use data_dir::{OpenError, free_bytes};
use indexer::Indexer;
use partition::Summary;
use partitions::{Partitions, Snapshot};
use queue::{Batch, End, Queue};
pub use search::SearchOptions;

/// How long the size of the data directory is remembered.
const DISK_BYTES_AGE_MAX: Duration = Duration::from_secs(5);

/// How the embedded engine behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Time between two commits of the index: documents are visible that much later, at most. With many small segments it
    /// becomes four times as long.
    pub commit_interval: Duration,
    /// Most payload bytes between the caller and the index.
    pub queue_bytes_max: usize,
    /// Size of a log segment.
    pub segment_bytes_max: u64,
    /// With fewer free bytes on the disk, documents are refused.
    pub min_free_bytes: u64,
    /// Partitions whose newest event is older are removed.
    pub retention: Option<Duration>,
    /// What one search may use.
    pub search: SearchOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            commit_interval: Duration::from_millis(500),
            queue_bytes_max: 64 * 1024 * 1024,
            segment_bytes_max: 64 * 1024 * 1024,
            min_free_bytes: 256 * 1024 * 1024,
            retention: None,
            search: SearchOptions::default(),
        }
    }
}

/// Keeps documents in a folder of this machine. Dropping it closes it.
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    wal: Arc<Wal>,
    indexer: Mutex<Option<JoinHandle<()>>>,
}

/// What the threads of one store share.
struct Shared {
    dir: DataDir,
    options: Options,
    partitions: Partitions,
    queue: Queue,
    /// Durable events.
    events: Mutex<EventCounts>,
    degraded: Mutex<Option<String>>,
    disk_bytes: Mutex<Option<(Instant, u64)>>,
    closing: AtomicBool,
}

impl EmbeddedStore {
    /// Opens a data directory, and makes it if it is not there. Indexes what a crash left in the log.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let dir = DataDir::open_or_create(path)?;
        let partitions = Partitions::open(&dir)?;
        partitions.sweep().map_err(io_error("sweep", &dir.removed()))?;

        let mut events = committed_events(&partitions);
        let disk = Directory::new(dir.wal()).map_err(io_error("create", &dir.wal()))?;
        let wal_options = tokenfall_wal::Options {
            segment_bytes_max: options.segment_bytes_max,
            waiting_bytes_max: options.queue_bytes_max,
            // Sequences never come again, even if somebody deleted the log.
            first_sequence: partitions.all().iter().map(|p| p.summary().next_sequence).max().unwrap_or(0),
        };
        let (wal, torn) = Wal::open(Arc::new(disk), wal_options, &mut count_missing(&partitions, &mut events))?;
        if let Some(torn) = torn {
            tracing::warn!(
                path = %torn.path.display(), offset = torn.offset, bytes = torn.bytes,
                "cut off the end of the log that was half-written; it was never acknowledged"
            );
        }
        let wal = Arc::new(wal);
        let shared = Arc::new(Shared {
            dir,
            options,
            partitions,
            queue: Queue::default(),
            events: Mutex::new(events),
            degraded: Mutex::new(None),
            disk_bytes: Mutex::new(None),
            closing: AtomicBool::new(false),
        });
        let mut indexer = Indexer::new(Arc::clone(&shared), Arc::clone(&wal));
        indexer.replay()?;
        let thread = thread::Builder::new().name("indexer".into()).spawn(move || indexer.run());
        let thread = thread.map_err(io_error("start the indexer of", path))?;
        Ok(Self { shared, wal, indexer: Mutex::new(Some(thread)) })
    }

    /// Why documents are not becoming visible, although they are accepted; `None` if all is well.
    pub fn degraded(&self) -> Option<String> {
        lock(&self.shared.degraded).clone()
    }

    /// The partitions that may hold events of these kinds (none means all) in this range, earliest slice first within each
    /// kind of stream. They see what was committed when this was called.
    pub(crate) fn snapshot(&self, time: Option<TimeRange>, kinds: &[EventKind]) -> Snapshot {
        self.shared.partitions.snapshot(time, kinds)
    }

    /// Ends like a killed process: what is not committed stays out of the index.
    #[cfg(test)]
    fn crash(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.queue.end(End::Crashed);
        self.join();
    }

    fn join(&self) {
        self.wal.close();
        self.shared.queue.end(End::Closed);
        let indexer = lock(&self.indexer).take();
        if indexer.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the indexer panicked; the next start indexes what it left");
        }
    }
}

impl Store for EmbeddedStore {
    fn append(&self, batch: Vec<Document>, on_durable: OnDurable) {
        let shared = &self.shared;
        if shared.closing.load(Ordering::Acquire) {
            return on_durable(Err(AppendError::Closing));
        }
        if batch.is_empty() {
            return on_durable(Ok(()));
        }
        // A disk that cannot be asked will say itself whether it is full.
        if shared.dir.free_bytes().is_ok_and(|free| free < shared.options.min_free_bytes) {
            return on_durable(Err(AppendError::DiskFull));
        }
        let Ok(count) = u32::try_from(batch.len()) else { return on_durable(Err(AppendError::QueueFull)) };
        let mut payload = Vec::with_capacity(batch.len() * 1024);
        let mut events = EventCounts::default();
        let now = now();
        for document in &batch {
            payload::encode(document, now, &mut payload);
            events.add(document.kind(), 1);
        }
        let bytes = payload.len();
        if !shared.queue.reserve(bytes, shared.options.queue_bytes_max) {
            return on_durable(Err(AppendError::QueueFull));
        }
        let shared = Arc::clone(shared);
        let on_durable = move |result: Result<tokenfall_wal::Appended, tokenfall_wal::AppendError>| match result {
            Ok(appended) => {
                shared.count(&events);
                shared.queue.push(Batch {
                    first_sequence: appended.first_sequence,
                    count,
                    payload: appended.payload,
                    documents: batch,
                });
                on_durable(Ok(()));
            }
            Err(error) => {
                shared.queue.release(bytes);
                on_durable(Err(error.into()));
            }
        };
        self.wal.append(count, payload, Box::new(on_durable));
    }

    fn stats(&self) -> StoreStats {
        StoreStats { events: *lock(&self.shared.events), disk_bytes: self.shared.disk_bytes() }
    }

    fn close(&self) {
        self.shared.closing.store(true, Ordering::Release);
        self.join();
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.close();
    }
}

impl From<tokenfall_wal::AppendError> for AppendError {
    fn from(error: tokenfall_wal::AppendError) -> Self {
        match error {
            tokenfall_wal::AppendError::QueueFull => Self::QueueFull,
            tokenfall_wal::AppendError::Closed => Self::Closing,
            tokenfall_wal::AppendError::Io(e) if e.kind() == std::io::ErrorKind::StorageFull => Self::DiskFull,
            tokenfall_wal::AppendError::Io(e) => Self::Log(e),
            tokenfall_wal::AppendError::Size => Self::Log(Arc::new(std::io::Error::other(error))),
        }
    }
}

/// What a data directory holds that no process has open, the end of its log included.
pub fn stats_of_closed(path: &Path) -> Result<StoreStats, OpenError> {
    let dir = DataDir::open(path)?;
    let partitions = Partitions::open(&dir)?;
    let mut events = committed_events(&partitions);
    if dir.wal().is_dir() {
        tokenfall_wal::scan(&Directory::existing(dir.wal()), &mut count_missing(&partitions, &mut events))?;
    }
    Ok(StoreStats { events, disk_bytes: dir.bytes() })
}

impl Shared {
    fn count(&self, more: &EventCounts) {
        let mut events = lock(&self.events);
        for kind in EventKind::ALL {
            events.add(kind, more.get(kind));
        }
    }

    fn uncount(&self, fewer: &EventCounts) {
        let mut events = lock(&self.events);
        let mut left = EventCounts::default();
        for kind in EventKind::ALL {
            left.add(kind, events.get(kind).saturating_sub(fewer.get(kind)));
        }
        *events = left;
    }

    fn set_degraded(&self, why: Option<String>) {
        *lock(&self.degraded) = why;
    }

    fn disk_bytes(&self) -> u64 {
        let mut cached = lock(&self.disk_bytes);
        match *cached {
            Some((at, bytes)) if at.elapsed() < DISK_BYTES_AGE_MAX => bytes,
            _ => {
                let bytes = self.dir.bytes();
                *cached = Some((Instant::now(), bytes));
                bytes
            }
        }
    }
}

fn committed_events(partitions: &Partitions) -> EventCounts {
    let mut events = EventCounts::default();
    for partition in partitions.all() {
        let Summary { events: more, .. } = partition.summary();
        for kind in EventKind::ALL {
            events.add(kind, more.get(kind));
        }
    }
    events
}

/// Counts the events of the log that their partition has not committed.
fn count_missing<'a>(partitions: &'a Partitions, events: &'a mut EventCounts) -> Box<Visit<'a>> {
    Box::new(|record| {
        for event in payload::decode(record) {
            let event = event?;
            let committed = partitions.get(event.key()).map_or(0, |p| p.summary().next_sequence);
            if event.sequence >= committed {
                events.add(event.kind, 1);
            }
        }
        Ok(())
    })
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Each change under these locks is complete in itself, so a panic elsewhere leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
