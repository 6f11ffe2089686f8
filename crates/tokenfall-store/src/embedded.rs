//! The embedded engine: a write-ahead log, and Tantivy indices partitioned by time.

mod partition;
mod schema;
mod search;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use partition::{Partition, PartitionKey, PartitionSearcher, StreamKind};
use tokenfall_model::EventKind;
use tokenfall_query::TimeRange;

use crate::SearchError;

/// Partitions whose files stay open for queries.
const OPEN_READERS_MAX: usize = 256;

/// Keeps documents in a folder of this machine.
pub struct EmbeddedStore {
    partitions: Partitions,
}

impl EmbeddedStore {
    /// The partitions that may hold events of these kinds (none means all) in this range, earliest slice first within each kind of
    /// stream. What is visible is what was committed when this was called.
    pub(crate) fn snapshot(
        &self,
        time: Option<TimeRange>,
        kinds: &[EventKind],
    ) -> Result<Vec<PartitionSearcher>, SearchError> {
        self.partitions.snapshot(time, kinds).map_err(|e| SearchError::Engine(e.to_string()))
    }
}

/// The open partitions.
#[derive(Default)]
struct Partitions {
    by_key: RwLock<BTreeMap<PartitionKey, Arc<Partition>>>,
    tick: AtomicU64,
}

impl Partitions {
    fn all(&self) -> Vec<Arc<Partition>> {
        self.by_key.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn snapshot(&self, time: Option<TimeRange>, kinds: &[EventKind]) -> tantivy::Result<Vec<PartitionSearcher>> {
        let tick = self.tick.fetch_add(1, Ordering::Relaxed);
        let wanted =
            |key: PartitionKey| kinds.is_empty() || kinds.iter().any(|kind| StreamKind::of(*kind) == key.stream);
        let mut searchers = Vec::new();
        for partition in self.all() {
            if wanted(partition.key) && partition.overlaps(time) {
                searchers.push(partition.searcher(tick)?);
            }
        }
        self.close_readers(OPEN_READERS_MAX);
        Ok(searchers)
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
