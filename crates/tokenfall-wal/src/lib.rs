//! What was acknowledged and must not be lost: a segmented append log with group commit.
//!
//! ```text
//! append ─→ waiting records ─(one thread)→ write all ─→ one fdatasync ─→ callbacks, in order
//!
//! 00000000000000000000.wal   00000000000000071204.wal   00000000000000143377.wal
//! full, synced               full, synced               written at its end
//! ```
//!
//! Invariants:
//! - A record whose callback got `Ok` is found by every later [`Wal::open`], once, in order, whatever crashed.
//! - Sequences of events grow without gaps inside a segment; each segment says where the one before it ended.
//! - Only the end of the last segment may be torn; it is cut off. Damage elsewhere is an error with its place.
//! - After a failed sync nothing is acknowledged any more: the state of the disk is unknown then (fsyncgate).
//! - [`Wal::append`] never touches the disk, and the bytes that wait for it are bounded.
//!
//! The bytes are specified in `docs/formats/wal.md`.

mod disk;
mod format;
mod log;
mod scan;

use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

pub use disk::{Directory, Disk, LogFile};
pub use format::PAYLOAD_BYTES_MAX;
use log::Log;
pub use scan::{ReadError, Record, TornTail, Visit};

/// How a log behaves.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A segment that has reached this size is followed by a new one.
    pub segment_bytes_max: u64,
    /// Most bytes that wait for the disk. A single record may be longer if nothing else waits.
    pub waiting_bytes_max: usize,
    /// The sequence of the next event is at least this.
    pub first_sequence: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes_max: 64 * 1024 * 1024, waiting_bytes_max: 64 * 1024 * 1024, first_sequence: 0 }
    }
}

/// A record that was not made durable.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// Too many bytes wait for the disk.
    #[error("too many bytes wait for the log")]
    QueueFull,
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// A record holds no event, or more than [`PAYLOAD_BYTES_MAX`] bytes.
    #[error("a log record must hold an event and at most {PAYLOAD_BYTES_MAX} bytes")]
    Size,
    /// The disk failed.
    #[error("cannot write the log: {0}")]
    Io(Arc<io::Error>),
}

/// A record that is durable.
#[derive(Debug, PartialEq, Eq)]
pub struct Appended {
    /// Sequence of its first event.
    pub first_sequence: u64,
    /// What was appended, handed back.
    pub payload: Vec<u8>,
}

/// Told once what became of a record, on the log's thread (on the caller's if it is refused at once). Must not block.
/// Dropped without a call only if the callback of another record panicked.
pub type OnDurable = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;

/// An open log. Dropping it closes it.
pub struct Wal {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    log: Mutex<Log>,
    waiting_bytes_max: usize,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Entry>,
    /// Payload bytes that wait or are being written.
    bytes: usize,
    closed: bool,
}

struct Entry {
    count: u32,
    payload: Vec<u8>,
    on_durable: OnDurable,
}

impl Wal {
    /// Opens the log of a folder, or begins one. Gives every record to `visit` first, in order; says what was cut off.
    pub fn open(
        disk: Arc<dyn Disk>,
        options: Options,
        visit: &mut Visit<'_>,
    ) -> Result<(Self, Option<TornTail>), ReadError> {
        let (log, torn) = Log::open(disk, options.first_sequence, options.segment_bytes_max, visit)?;
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            work: Condvar::new(),
            log: Mutex::new(log),
            waiting_bytes_max: options.waiting_bytes_max,
        });
        let worker = Arc::clone(&shared);
        let thread = thread::Builder::new().name("log".into()).spawn(move || worker.run());
        let thread = thread.map_err(|e| scan::failed("start the thread of", &**lock(&shared.log).disk(), "", e))?;
        Ok((Self { shared, thread: Mutex::new(Some(thread)) }, torn))
    }

    /// Appends one record of `count` events.
    pub fn append(&self, count: u32, payload: Vec<u8>, on_durable: OnDurable) {
        if count == 0 || payload.len() > PAYLOAD_BYTES_MAX {
            return on_durable(Err(AppendError::Size));
        }
        let mut queue = lock(&self.shared.queue);
        let refusal = if queue.closed {
            AppendError::Closed
        } else if queue.bytes > 0 && queue.bytes + payload.len() > self.shared.waiting_bytes_max {
            AppendError::QueueFull
        } else {
            queue.bytes += payload.len();
            queue.waiting.push(Entry { count, payload, on_durable });
            drop(queue);
            self.shared.work.notify_one();
            return;
        };
        drop(queue);
        on_durable(Err(refusal));
    }

    /// The sequence after the last durable event.
    pub fn next_sequence(&self) -> u64 {
        lock(&self.shared.log).next_sequence()
    }

    /// Gives the durable records that hold a sequence from `from` on to `visit`, while the log is being written. Fails if
    /// they were truncated meanwhile.
    pub fn read(&self, from: u64, visit: &mut Visit<'_>) -> Result<(), ReadError> {
        let (disk, segments, until) = {
            let log = lock(&self.shared.log);
            (Arc::clone(log.disk()), log.segments().to_vec(), log.next_sequence())
        };
        let skip = segments.windows(2).take_while(|pair| pair[1] <= from).count();
        scan::scan(&*disk, segments[skip..].to_vec(), from, until, visit)?;
        Ok(())
    }

    /// Begins a new segment, so that everything before it can be removed.
    pub fn seal(&self) -> io::Result<()> {
        lock(&self.shared.log).seal()
    }

    /// Removes what lies wholly before `sequence`, by whole segments. The last segment always stays.
    pub fn truncate_before(&self, sequence: u64) -> io::Result<()> {
        lock(&self.shared.log).truncate_before(sequence)
    }

    /// Writes what waits, and ends. Later appends are refused.
    pub fn close(&self) {
        lock(&self.shared.queue).closed = true;
        self.shared.work.notify_one();
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // The thread ends early only if a callback panicked; `End` has refused what waited.
            drop(thread.join());
        }
    }
}

impl Drop for Wal {
    fn drop(&mut self) {
        self.close();
    }
}

/// Reads all good records of a folder that no process has open, and changes nothing. Says what a recovery would cut off.
pub fn scan(disk: &dyn Disk, visit: &mut Visit<'_>) -> Result<Option<TornTail>, ReadError> {
    Ok(scan::scan(disk, scan::segments(disk)?, 0, u64::MAX, visit)?.torn)
}

impl Shared {
    fn run(&self) {
        let _end = End(self);
        while let Some(entries) = self.wait() {
            let bytes: usize = entries.iter().map(|entry| entry.payload.len()).sum();
            let records: Vec<_> = entries.iter().map(|entry| (entry.count, entry.payload.as_slice())).collect();
            let written = lock(&self.log).append(&records).map_err(Arc::new);
            drop(records);
            match written {
                Ok(mut first_sequence) => {
                    for Entry { count, payload, on_durable } in entries {
                        on_durable(Ok(Appended { first_sequence, payload }));
                        first_sequence += u64::from(count);
                    }
                }
                Err(error) => {
                    for entry in entries {
                        (entry.on_durable)(Err(AppendError::Io(Arc::clone(&error))));
                    }
                }
            }
            lock(&self.queue).bytes -= bytes;
        }
    }

    /// Takes everything that waits; `None` once the log is closed and nothing is left.
    fn wait(&self) -> Option<Vec<Entry>> {
        let mut queue = lock(&self.queue);
        loop {
            if !queue.waiting.is_empty() {
                return Some(mem::take(&mut queue.waiting));
            }
            if queue.closed {
                return None;
            }
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// However the thread ends, nobody waits for it in vain.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        queue.closed = true;
        let waiting = mem::take(&mut queue.waiting);
        drop(queue);
        for entry in waiting {
            (entry.on_durable)(Err(AppendError::Closed));
        }
    }
}

/// A panic while a lock was held ended the log's thread; what the others read is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
