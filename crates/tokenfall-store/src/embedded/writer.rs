//! The one writer of a partition.

use std::sync::Arc;
use std::time::Instant;

use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, NoMergePolicy};
use tantivy::{IndexWriter, SegmentMeta, TantivyError};
use tokenfall_model::Document;

use super::partition::{Partition, Summary};
use super::payload::Event;

/// Memory in which Tantivy gathers documents before it writes a segment.
const MEMORY_BYTES: usize = 48 * 1024 * 1024;

/// A partition with more documents is not merged into one segment.
const SEALED_DOCUMENTS_MAX: u64 = 20_000_000;

/// An open writer.
pub(crate) struct Writer {
    partition: Arc<Partition>,
    index: IndexWriter,
    /// What the next commit will hold.
    summary: Summary,
    /// The first event that is not committed.
    dirty_from: Option<u64>,
    last_used: Instant,
    /// All segments are being merged into one.
    is_sealing: bool,
}

impl Writer {
    pub(crate) fn open(partition: Arc<Partition>) -> tantivy::Result<Self> {
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(MEMORY_BYTES)
            .build();
        let index = partition.index().writer_with_options(options)?;
        let mut merges = LogMergePolicy::default();
        merges.set_min_num_segments(8);
        merges.set_min_layer_size(10_000);
        merges.set_max_docs_before_merge(2_000_000);
        index.set_merge_policy(Box::new(merges));
        let summary = partition.reload_summary()?;
        Ok(Self { partition, index, summary, dirty_from: None, last_used: Instant::now(), is_sealing: false })
    }

    /// Adds an event, unless the partition has it already. True if it was added.
    pub(crate) fn add(&mut self, event: &Event<'_>, document: Option<&Document>) -> tantivy::Result<bool> {
        self.last_used = Instant::now();
        self.is_sealing = false;
        if event.sequence < self.summary.next_sequence {
            return Ok(false);
        }
        let read;
        let document = if let Some(document) = document {
            document
        } else {
            read = event.read();
            &read
        };
        self.index.add_document(self.partition.schema().entry(document, event.source, event.sequence))?;
        self.dirty_from.get_or_insert(event.sequence);
        event.count_in(&mut self.summary);
        Ok(true)
    }

    /// Commits what was added, together with the place in the log up to which the partition is now complete, and makes it
    /// visible.
    pub(crate) fn commit(&mut self) -> tantivy::Result<()> {
        if self.dirty_from.is_none() {
            return Ok(());
        }
        let payload = serde_json::to_string(&self.summary)
            .map_err(|e| TantivyError::SystemError(format!("the commit payload cannot be written: {e}")))?;
        self.partition.widen(&self.summary);
        let mut commit = self.index.prepare_commit()?;
        commit.set_payload(&payload);
        commit.commit()?;
        self.dirty_from = None;
        if let Err(error) = self.partition.refresh(self.summary) {
            // It is committed; the next query opens the files anew.
            tracing::warn!(partition = %self.partition.key, %error, "cannot reload a partition");
            self.partition.close_reader();
        }
        Ok(())
    }

    /// Closes the writer after the merge that is running, if one is: its last step must not fall into a time when the folder belongs
    /// to somebody else.
    pub(crate) fn finish(self) -> tantivy::Result<()> {
        self.index.set_merge_policy(Box::new(NoMergePolicy));
        self.index.wait_merging_threads()
    }

    pub(crate) fn dirty_from(&self) -> Option<u64> {
        self.dirty_from
    }

    pub(crate) fn last_used(&self) -> Instant {
        self.last_used
    }

    /// Segments that queries have to look into.
    pub(crate) fn n_segments(&self) -> usize {
        self.partition.n_segments()
    }

    /// Merges all segments into one, in the background: queries over a past day are up to three times as fast then. True when that
    /// is done.
    pub(crate) fn seal(&mut self) -> tantivy::Result<bool> {
        let segments = self.partition.index().searchable_segment_metas()?;
        let n_documents: u64 = segments.iter().map(|s| u64::from(s.max_doc())).sum();
        if segments.len() < 2 || n_documents > SEALED_DOCUMENTS_MAX {
            self.partition.reload_summary()?;
            return Ok(true);
        }
        if !self.is_sealing {
            self.is_sealing = true;
            let ids: Vec<_> = segments.iter().map(SegmentMeta::id).collect();
            // Nobody waits for it: the number of segments tells.
            drop(self.index.merge(&ids));
        }
        Ok(false)
    }
}
