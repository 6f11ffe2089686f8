//! All partitions of the data directory.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokenfall_model::EventKind;
use tokenfall_query::TimeRange;

use super::data_dir::{DataDir, OpenError, io_error, sync_dir};
use super::partition::{Partition, PartitionKey, PartitionSearcher, StreamKind};

/// Partitions whose files stay open for queries.
const OPEN_READERS_MAX: usize = 256;

/// The partitions, by key.
pub(crate) struct Partitions {
    root: PathBuf,
    removed: PathBuf,
    by_key: RwLock<BTreeMap<PartitionKey, Arc<Partition>>>,
    tick: AtomicU64,
}

/// A consistent view of some partitions.
pub(crate) struct Snapshot {
    /// The partitions, in the order of their keys.
    pub(crate) partitions: Vec<PartitionSearcher>,
    /// False if one of them could not be opened.
    pub(crate) complete: bool,
}

impl Partitions {
    /// Opens all partitions that are there.
    pub(crate) fn open(dir: &DataDir) -> Result<Self, OpenError> {
        let root = dir.partitions();
        let mut by_key = BTreeMap::new();
        for entry in fs::read_dir(&root).map_err(io_error("read", &root))? {
            let path = entry.map_err(io_error("read", &root))?.path();
            let key = path.file_name().and_then(|name| name.to_str()).and_then(PartitionKey::parse);
            // A folder without meta.json was begun just before a crash; its documents are in the log.
            if let Some(key) = key.filter(|_| path.join("meta.json").exists()) {
                let partition =
                    Partition::open_or_create(&root, key).map_err(|source| OpenError::Partition { path, source })?;
                by_key.insert(key, Arc::new(partition));
            }
        }
        Ok(Self { root, removed: dir.removed(), by_key: RwLock::new(by_key), tick: AtomicU64::new(0) })
    }

    /// All of them, in order.
    pub(crate) fn all(&self) -> Vec<Arc<Partition>> {
        self.by_key.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// One of them.
    pub(crate) fn get(&self, key: PartitionKey) -> Option<Arc<Partition>> {
        self.by_key.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    /// One of them; made if it is not there.
    pub(crate) fn get_or_create(&self, key: PartitionKey) -> tantivy::Result<Arc<Partition>> {
        if let Some(partition) = self.get(key) {
            return Ok(partition);
        }
        let partition = Arc::new(Partition::open_or_create(&self.root, key)?);
        self.by_key.write().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&partition));
        Ok(partition)
    }

    /// Removes a partition with its files. Searchers that are still out keep working.
    pub(crate) fn remove(&self, key: PartitionKey) -> io::Result<()> {
        let Some(partition) = self.get(key) else { return Ok(()) };
        self.sweep()?;
        // First out of the way in one step: a crash must not leave half an index.
        fs::rename(partition.path(), self.removed.join(key.to_string()))?;
        self.by_key.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
        sync_dir(&self.root)?;
        self.sweep()
    }

    /// Deletes what was removed.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.removed)? {
            fs::remove_dir_all(entry?.path())?;
        }
        Ok(())
    }

    /// Views of the partitions that may hold such events; no kind means all. A partition that cannot be opened is left out.
    pub(crate) fn snapshot(&self, time: Option<TimeRange>, kinds: &[EventKind]) -> Snapshot {
        let tick = self.tick.fetch_add(1, Ordering::Relaxed);
        let wanted =
            |key: PartitionKey| kinds.is_empty() || kinds.iter().any(|kind| StreamKind::of(*kind) == key.stream);
        let mut snapshot = Snapshot { partitions: Vec::new(), complete: true };
        for partition in self.all() {
            if wanted(partition.key) && partition.overlaps(time) {
                match partition.searcher(tick) {
                    Ok(searcher) => snapshot.partitions.push(searcher),
                    Err(error) => {
                        tracing::warn!(partition = %partition.key, %error, "a partition could not be opened, searches lack it");
                        snapshot.complete = false;
                    }
                }
            }
        }
        self.close_readers(OPEN_READERS_MAX);
        snapshot
    }

    /// Closes the readers that were not used for longest until `keep` are left.
    fn close_readers(&self, keep: usize) {
        let mut open: Vec<_> = self.all().into_iter().filter_map(|p| Some((p.reader_used()?, p))).collect();
        if open.len() > keep {
            open.sort_by_key(|(used, _)| *used);
            let n = open.len() - keep;
            for (_, partition) in open.into_iter().take(n) {
                partition.close_reader();
            }
        }
    }
}
