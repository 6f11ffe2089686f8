//! Makes durable events searchable: the thread between the log and the partitions.
//!
//! Events come from the queue in the order of the log. Each goes to its partition's writer; a commit follows soon after. If a
//! partition's index fails, its events are skipped from then on, since they are in the log; it is tried again from there. The log is
//! cut behind the first event that some partition still needs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tantivy::TantivyError;
use tokenfall_model::Document;
use tokenfall_wal::{Record, Wal};

use super::partition::PartitionKey;
use super::payload::{self, Event};
use super::queue::{Batch, End, Next};
use super::writer::Writer;
use super::{Shared, now};

/// Writers that are open at a time; each has threads and memory. Enough for four days of each kind of stream.
const WRITERS_MAX: usize = 12;
/// Payload bytes that are sorted by partition at a time.
const CHUNK_BYTES: usize = 16 * 1024 * 1024;
/// Payload bytes after which a commit does not wait for its time.
const UNCOMMITTED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A writer that had nothing to do for this long is closed.
const WRITER_IDLE: Duration = Duration::from_secs(300);
/// With more segments than this, commits become rarer so that merges catch up.
const SEGMENTS_MAX: usize = 30;
/// How long the segments of a past day may take to become one.
const SEALING_MAX: Duration = Duration::from_secs(3_600);
/// How soon a partition whose index failed is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// How often old partitions and idle writers are looked for.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// Time in which more events may join the first one of a commit.
const GATHER: Duration = Duration::from_millis(50);

pub(crate) struct Indexer {
    shared: Arc<Shared>,
    wal: Arc<Wal>,
    writers: BTreeMap<PartitionKey, Writer>,
    /// Partitions whose index failed, with the first event that they lack.
    behind: BTreeMap<PartitionKey, u64>,
    retry_at: Instant,
    /// Every event before this one has been given to its writer, or its partition is behind.
    position: u64,
    uncommitted_bytes: usize,
    /// When the next commit is due, if there is anything to commit.
    commit_at: Option<Instant>,
    last_commit: Option<Instant>,
    tidy_at: Instant,
    /// Partitions of earlier runs that may not be sealed yet.
    unsealed: Vec<PartitionKey>,
}

impl Indexer {
    pub(crate) fn new(shared: Arc<Shared>, wal: Arc<Wal>) -> Self {
        let now = Instant::now();
        let unsealed = shared.partitions.all().iter().map(|p| p.key).collect();
        Self {
            shared,
            wal,
            writers: BTreeMap::new(),
            behind: BTreeMap::new(),
            retry_at: now,
            position: 0,
            uncommitted_bytes: 0,
            commit_at: None,
            last_commit: None,
            tidy_at: now,
            unsealed,
        }
    }

    /// Indexes what the log holds and the partitions lack.
    pub(crate) fn replay(&mut self) -> Result<(), tokenfall_wal::ReadError> {
        self.index_log(0, &|_| true)?;
        self.position = self.position.max(self.wal.next_sequence());
        self.commit();
        self.tidy();
        Ok(())
    }

    /// Runs until the queue ends.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let _end = Ended(Arc::clone(&shared));
        loop {
            match shared.queue.next(self.deadline(), CHUNK_BYTES) {
                Next::Batches(batches) => {
                    self.index_batches(&batches, &|_| true);
                    if let Some(last) = batches.last() {
                        self.position = last.first_sequence + u64::from(last.count);
                    }
                    shared.queue.release(batches.iter().map(|batch| batch.payload.len()).sum());
                }
                Next::Timeout => {}
                Next::End(End::Closed) => {
                    self.commit();
                    self.empty_log();
                    self.finish();
                    return;
                }
                #[cfg(test)]
                Next::End(End::Crashed) => return self.finish(),
            }
            let now = Instant::now();
            if self.commit_at.is_some_and(|at| at <= now) {
                self.commit();
            }
            if !self.behind.is_empty() && self.retry_at <= now {
                self.catch_up();
            }
            if self.tidy_at <= now {
                self.tidy();
            }
        }
    }

    fn finish(&mut self) {
        for (key, writer) in std::mem::take(&mut self.writers) {
            if let Err(error) = writer.finish() {
                tracing::warn!(partition = %key, %error, "a merge failed");
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let retry_at = (!self.behind.is_empty()).then_some(self.retry_at);
        [self.commit_at, retry_at, Some(self.tidy_at)].into_iter().flatten().min()
    }

    /// Indexes the events of batches, one partition after the other: a writer that has to make room for another one is opened
    /// once for all of them, however they are mixed.
    fn index_batches(&mut self, batches: &[Batch], wanted: &dyn Fn(PartitionKey) -> bool) {
        let mut by_partition: BTreeMap<PartitionKey, Vec<(Event<'_>, Option<&Document>)>> = BTreeMap::new();
        for batch in batches {
            let record = Record { first_sequence: batch.first_sequence, count: batch.count, payload: &batch.payload };
            for (i, event) in payload::decode(record).enumerate() {
                match event {
                    Ok(event) if wanted(event.key()) => {
                        by_partition.entry(event.key()).or_default().push((event, batch.documents.get(i)));
                    }
                    Ok(_) => {}
                    // Opening the store has read the whole log, and the rest we have encoded ourselves.
                    Err(error) => tracing::error!(%error, "events are not indexed"),
                }
            }
        }
        // Those that are open come first, before others need their place.
        let (open, closed): (Vec<_>, Vec<_>) =
            by_partition.into_iter().partition(|(key, _)| self.writers.contains_key(key));
        for (key, events) in open.into_iter().chain(closed) {
            for (event, document) in events {
                if self.behind.contains_key(&key) {
                    break;
                }
                self.index(key, &event, document);
            }
        }
    }

    /// Indexes what the log holds from `from` on and the partitions that are wanted lack.
    fn index_log(&mut self, from: u64, wanted: &dyn Fn(PartitionKey) -> bool) -> Result<(), tokenfall_wal::ReadError> {
        let wal = Arc::clone(&self.wal);
        let (mut batches, mut bytes) = (Vec::new(), 0);
        wal.read(from, &mut |record| {
            batches.push(Batch {
                first_sequence: record.first_sequence,
                count: record.count,
                payload: record.payload.to_vec(),
                documents: Vec::new(),
            });
            bytes += record.payload.len();
            if bytes >= CHUNK_BYTES {
                self.index_batches(&batches, wanted);
                batches.clear();
                bytes = 0;
            }
            Ok(())
        })?;
        self.index_batches(&batches, wanted);
        Ok(())
    }

    fn index(&mut self, key: PartitionKey, event: &Event<'_>, document: Option<&Document>) {
        match self.writer(key).and_then(|writer| writer.add(event, document)) {
            Ok(true) => {
                self.uncommitted_bytes += event.source.len();
                if self.uncommitted_bytes >= UNCOMMITTED_BYTES_MAX {
                    self.commit();
                } else if self.commit_at.is_none() {
                    self.commit_at = Some(self.next_commit());
                }
            }
            Ok(false) => {}
            Err(error) => self.fail(key, event.sequence, &error),
        }
    }

    fn writer(&mut self, key: PartitionKey) -> tantivy::Result<&mut Writer> {
        if !self.writers.contains_key(&key) {
            if self.writers.len() >= WRITERS_MAX {
                self.evict();
            }
            let partition = self.shared.partitions.get_or_create(key)?;
            self.writers.insert(key, Writer::open(partition)?);
        }
        self.writers.get_mut(&key).ok_or_else(|| TantivyError::InternalError("the writer is gone".to_owned()))
    }

    /// Closes the writer that was not used for longest.
    fn evict(&mut self) {
        let Some(key) = self.writers.iter().min_by_key(|(_, w)| w.last_used()).map(|(key, _)| *key) else { return };
        self.commit_writer(key);
        self.writers.remove(&key);
    }

    /// Soon for events that come after a pause, and never more often than the commit interval.
    fn next_commit(&self) -> Instant {
        let mut interval = self.shared.options.commit_interval;
        if self.writers.values().any(|w| w.n_segments() > SEGMENTS_MAX) {
            interval *= 4;
        }
        let soon = Instant::now() + GATHER.min(interval);
        self.last_commit.map_or(soon, |last| soon.max(last + interval))
    }

    fn commit(&mut self) {
        let dirty: Vec<_> =
            self.writers.iter().filter(|(_, w)| w.dirty_from().is_some()).map(|(key, _)| *key).collect();
        for key in dirty {
            self.commit_writer(key);
        }
        self.uncommitted_bytes = 0;
        self.commit_at = None;
        self.last_commit = Some(Instant::now());
        let needed = self.behind.values().copied().min().unwrap_or(self.position).min(self.position);
        if let Err(error) = self.wal.truncate_before(needed) {
            // The log only stays longer than it must.
            tracing::warn!(%error, "cannot cut the log");
        }
    }

    fn commit_writer(&mut self, key: PartitionKey) {
        let Some(writer) = self.writers.get_mut(&key) else { return };
        if let Err(error) = writer.commit() {
            let from = writer.dirty_from().unwrap_or(self.position);
            self.fail(key, from, &error);
        }
    }

    /// Gives a partition up for now. Its events from `from` on stay in the log.
    fn fail(&mut self, key: PartitionKey, from: u64, error: &TantivyError) {
        tracing::error!(partition = %key, %error, "a partition cannot be written; its events stay in the log");
        let dirty_from = self.writers.remove(&key).and_then(|writer| writer.dirty_from());
        self.behind.insert(key, dirty_from.map_or(from, |dirty| dirty.min(from)));
        self.retry_at = Instant::now() + RETRY_AFTER;
        self.shared.set_degraded(Some(format!("the partition {key} cannot be written: {error}")));
    }

    /// Tries the partitions that are behind again.
    fn catch_up(&mut self) {
        let behind = std::mem::take(&mut self.behind);
        let Some(from) = behind.values().copied().min() else { return };
        if let Err(error) = self.index_log(from, &|key| behind.contains_key(&key)) {
            tracing::error!(%error, "the log cannot be read again");
            self.shared.set_degraded(Some(format!("the log cannot be read again: {error}")));
            for (key, from) in behind {
                self.writers.remove(&key);
                self.behind.insert(key, from);
            }
            self.retry_at = Instant::now() + RETRY_AFTER;
            return;
        }
        self.commit_caught_up(&behind);
    }

    fn commit_caught_up(&mut self, keys: &BTreeMap<PartitionKey, u64>) {
        for key in keys.keys() {
            self.commit_writer(*key);
        }
        if self.behind.is_empty() {
            tracing::info!("all partitions can be written again");
            self.shared.set_degraded(None);
        }
    }

    /// Removes what is too old, and closes what is idle.
    fn tidy(&mut self) {
        self.tidy_at = Instant::now() + TIDY_EVERY;
        let idle: Vec<_> =
            self.writers.iter().filter(|(_, w)| w.last_used().elapsed() > WRITER_IDLE).map(|(key, _)| *key).collect();
        for key in idle {
            self.rest(key);
        }
        self.seal_next();
        if let Some(retention) = self.shared.options.retention {
            self.remove_before(
                now().saturating_add(-i64::try_from(retention.as_micros()).unwrap_or(i64::MAX)).as_micros(),
            );
        }
    }

    /// Closes an idle writer; that of a past day when its segments are one.
    fn rest(&mut self, key: PartitionKey) {
        self.commit_writer(key);
        let Some(writer) = self.writers.get_mut(&key) else { return };
        let is_done = !key.slice.is_past(now())
            || writer.last_used().elapsed() > SEALING_MAX
            || writer.seal().unwrap_or_else(|error| {
                tracing::warn!(partition = %key, %error, "cannot merge a partition");
                true
            });
        if is_done {
            self.writers.remove(&key);
        }
    }

    /// Opens the writer of a past day that an earlier run left in several segments. It has nothing to do, so it is sealed soon.
    fn seal_next(&mut self) {
        if self.writers.len() > WRITERS_MAX / 2 {
            return;
        }
        while let Some(key) = self.unsealed.pop() {
            let needs_it =
                key.slice.is_past(now()) && self.shared.partitions.get(key).is_some_and(|p| p.n_segments() > 1);
            if needs_it && !self.behind.contains_key(&key) {
                if let Err(error) = self.writer(key) {
                    tracing::warn!(partition = %key, %error, "cannot open a partition to merge it");
                }
                return;
            }
        }
    }

    /// Cuts the log to nothing, if every partition has everything. The next start has nothing to read then.
    fn empty_log(&mut self) {
        if !self.behind.is_empty() || self.wal.next_sequence() > self.position {
            return;
        }
        if let Err(error) = self.wal.seal().and_then(|()| self.wal.truncate_before(self.position)) {
            tracing::warn!(%error, "cannot cut the log");
        }
    }

    /// Removes the partitions whose newest event is older than `oldest_us`.
    fn remove_before(&mut self, oldest_us: i64) {
        let mut is_removed = false;
        for partition in self.shared.partitions.all() {
            let (key, summary) = (partition.key, partition.summary());
            let is_clean = self.writers.get(&key).is_none_or(|w| w.dirty_from().is_none());
            let is_old = summary.events.total() > 0 && summary.last_us < oldest_us;
            if !is_old || !is_clean || self.behind.contains_key(&key) {
                continue;
            }
            self.writers.remove(&key);
            match self.shared.partitions.remove(key) {
                Ok(()) => {
                    tracing::info!(partition = %key, n_events = summary.events.total(), "removed an old partition");
                    self.shared.uncount(&summary.events);
                    is_removed = true;
                }
                Err(error) => tracing::warn!(partition = %key, %error, "cannot remove an old partition"),
            }
        }
        if is_removed && self.writers.values().all(|w| w.dirty_from().is_none()) {
            // Or the next start would find the removed events in the log again.
            self.empty_log();
        }
    }
}

/// However the thread ends, nobody believes that it still runs.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set_degraded(Some("the indexer has stopped; restart to index what the log holds".to_owned()));
        }
    }
}
