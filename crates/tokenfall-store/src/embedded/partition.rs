//! One Tantivy index: the documents of one kind of stream and one slice of time.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tantivy::store::{Compressor, ZstdCompressor};
use tantivy::{Index, IndexReader, IndexSettings, ReloadPolicy, Searcher, TantivyError};
use tokenfall_model::{EventKind, Timestamp};
use tokenfall_query::TimeRange;

use super::field_names::FieldNames;
use super::schema::DocumentSchema;
use crate::EventCounts;

const DAY_US: i64 = 86_400_000_000;

/// Streams that share their partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum StreamKind {
    /// Transactions and spans.
    Traces,
    /// Errors and logs.
    Logs,
    /// Metricsets.
    Metrics,
}

impl StreamKind {
    const ALL: [Self; 3] = [Self::Traces, Self::Logs, Self::Metrics];

    /// Where events of a kind are kept.
    pub(crate) const fn of(kind: EventKind) -> Self {
        match kind {
            EventKind::Transaction | EventKind::Span => Self::Traces,
            EventKind::Error | EventKind::Log => Self::Logs,
            EventKind::Metricset => Self::Metrics,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }
}

/// A slice of time: a day (UTC) by the time of the events, or one of the two ends that take what lies absurdly far away, so that
/// wrong clocks cannot make partitions without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slice(i32);

impl Slice {
    /// Days before today that have their own slice.
    const DAYS_BACK: i64 = 400;
    /// Days after today that have their own slice.
    const DAYS_AHEAD: i64 = 2;
    const EARLIER: Self = Self(i32::MIN);
    const LATER: Self = Self(i32::MAX);

    /// The slice of an instant, seen from `now`.
    pub(crate) fn of(time: Timestamp, now: Timestamp) -> Self {
        let day = time.as_micros().div_euclid(DAY_US);
        let today = now.as_micros().div_euclid(DAY_US);
        if day < today - Self::DAYS_BACK {
            Self::EARLIER
        } else if day > today + Self::DAYS_AHEAD {
            Self::LATER
        } else {
            i32::try_from(day).map_or(Self::LATER, Self)
        }
    }

    /// True if no event of now belongs here any more; late ones still may.
    pub(crate) fn is_past(self, now: Timestamp) -> bool {
        i64::from(self.0) < now.as_micros().div_euclid(DAY_US)
    }

    /// The number that stands in the log.
    pub(crate) const fn as_i32(self) -> i32 {
        self.0
    }

    /// Reads [`Self::as_i32`].
    pub(crate) const fn from_i32(day: i32) -> Self {
        Self(day)
    }
}

/// Which partition a document belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PartitionKey {
    /// Kind of stream.
    pub(crate) stream: StreamKind,
    /// Slice of time.
    pub(crate) slice: Slice,
}

impl PartitionKey {
    /// Reads the name of a partition's folder.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (stream, slice) = name.split_once('-')?;
        let stream = StreamKind::ALL.into_iter().find(|kind| kind.as_str() == stream)?;
        let slice = match slice {
            "earlier" => Slice::EARLIER,
            "later" => Slice::LATER,
            date => {
                let midnight = Timestamp::parse_rfc3339(&format!("{date}T00:00:00Z"))?;
                Slice(i32::try_from(midnight.as_micros().div_euclid(DAY_US)).ok()?)
            }
        };
        Some(Self { stream, slice })
    }
}

/// The name of the partition's folder: `traces-2026-11-22`.
impl fmt::Display for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slice {
            Slice::EARLIER => write!(f, "{}-earlier", self.stream.as_str()),
            Slice::LATER => write!(f, "{}-later", self.stream.as_str()),
            Slice(day) => {
                let midnight = Timestamp::from_micros(i64::from(day) * DAY_US).to_string();
                let date = midnight.split_once('T').map_or(midnight.as_str(), |(date, _)| date);
                write!(f, "{}-{date}", self.stream.as_str())
            }
        }
    }
}

/// What a partition holds; travels in the commit of the index, so both change in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Every document of this partition with a smaller sequence is in the index.
    pub(crate) next_sequence: u64,
    /// Documents by kind.
    pub(crate) events: EventCounts,
    /// Time of the first event in microseconds; more than `last_us` if there is none.
    pub(crate) first_us: i64,
    /// Time of the last event.
    pub(crate) last_us: i64,
}

impl Default for Summary {
    fn default() -> Self {
        Self { next_sequence: 0, events: EventCounts::default(), first_us: i64::MAX, last_us: i64::MIN }
    }
}

impl Summary {
    /// Takes one more document into account.
    pub(crate) fn add(&mut self, kind: EventKind, time: Timestamp) {
        self.events.add(kind, 1);
        self.first_us = self.first_us.min(time.as_micros());
        self.last_us = self.last_us.max(time.as_micros());
    }
}

/// A partition as a query sees it: a consistent view that later commits do not change.
pub(crate) struct PartitionSearcher {
    /// Which partition this is.
    pub(crate) key: PartitionKey,
    /// View of the index.
    pub(crate) searcher: Searcher,
    /// Fields of the index.
    pub(crate) schema: Arc<DocumentSchema>,
    /// Fields that have values.
    pub(crate) field_names: Arc<FieldNames>,
    /// No event is earlier than this (microseconds).
    pub(crate) first_us: i64,
    /// No event is later than this.
    pub(crate) last_us: i64,
}

/// An open partition.
pub(crate) struct Partition {
    pub(crate) key: PartitionKey,
    path: PathBuf,
    index: Index,
    schema: Arc<DocumentSchema>,
    field_names: Arc<FieldNames>,
    visible: Mutex<Visible>,
    /// When a query last looked, in ticks of the caller.
    last_used: AtomicU64,
}

struct Visible {
    /// Open while queries use the partition: it maps every file of the index.
    reader: Option<IndexReader>,
    /// As of the last commit; its bounds of time are widened before a commit, so they are never too narrow.
    summary: Summary,
}

impl Partition {
    /// Opens the partition in `root`, or makes it.
    pub(crate) fn open_or_create(root: &Path, key: PartitionKey) -> tantivy::Result<Self> {
        let path = root.join(key.to_string());
        let index = if path.join("meta.json").exists() {
            Index::open_in_dir(&path)?
        } else {
            std::fs::create_dir_all(&path)?;
            // The folder must outlive the log that its documents are cut from.
            std::fs::File::open(root)?.sync_all()?;
            Index::builder().schema(DocumentSchema::build()).settings(settings()).create_in_dir(&path)?
        };
        let summary = committed_summary(&index)?;
        Ok(Self {
            key,
            path,
            schema: Arc::new(DocumentSchema::of(&index.schema())?),
            field_names: Arc::default(),
            index,
            visible: Mutex::new(Visible { reader: None, summary }),
            last_used: AtomicU64::new(0),
        })
    }

    /// Folder of the partition.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The index, for its one writer.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Segments that queries have to look into.
    pub(crate) fn n_segments(&self) -> usize {
        self.index.searchable_segment_ids().map_or(0, |ids| ids.len())
    }

    /// Fields of the index.
    pub(crate) fn schema(&self) -> &Arc<DocumentSchema> {
        &self.schema
    }

    /// What the last commit holds.
    pub(crate) fn summary(&self) -> Summary {
        self.visible().summary
    }

    /// True if the partition may have events of the range.
    pub(crate) fn overlaps(&self, time: Option<TimeRange>) -> bool {
        let summary = self.summary();
        summary.first_us <= summary.last_us
            && time.is_none_or(|t| summary.first_us < t.to.as_micros() && summary.last_us >= t.from.as_micros())
    }

    /// Says that the next commit may hold events in these bounds.
    pub(crate) fn widen(&self, coming: &Summary) {
        let mut visible = self.visible();
        visible.summary.first_us = visible.summary.first_us.min(coming.first_us);
        visible.summary.last_us = visible.summary.last_us.max(coming.last_us);
    }

    /// Reads what the disk says that the last commit holds: one that reported a failure may have happened all the same.
    pub(crate) fn reload_summary(&self) -> tantivy::Result<Summary> {
        let summary = committed_summary(&self.index)?;
        self.refresh(summary)?;
        Ok(summary)
    }

    /// Makes a commit visible to new searchers.
    pub(crate) fn refresh(&self, committed: Summary) -> tantivy::Result<()> {
        let mut visible = self.visible();
        visible.summary = committed;
        visible.reader.as_ref().map_or(Ok(()), IndexReader::reload)
    }

    /// A view of what is visible now. `tick` grows with each use.
    pub(crate) fn searcher(&self, tick: u64) -> tantivy::Result<PartitionSearcher> {
        self.last_used.store(tick, Ordering::Relaxed);
        let mut visible = self.visible();
        let reader = match visible.reader.take() {
            Some(reader) => reader,
            None => self.index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?,
        };
        let searcher = reader.searcher();
        visible.reader = Some(reader);
        Ok(PartitionSearcher {
            key: self.key,
            searcher,
            schema: Arc::clone(&self.schema),
            field_names: Arc::clone(&self.field_names),
            first_us: visible.summary.first_us,
            last_us: visible.summary.last_us,
        })
    }

    /// When a query last looked, if the reader is open.
    pub(crate) fn reader_used(&self) -> Option<u64> {
        self.visible().reader.is_some().then(|| self.last_used.load(Ordering::Relaxed))
    }

    /// Closes the files that queries opened. Searchers that are still out keep theirs.
    pub(crate) fn close_reader(&self) {
        self.visible().reader = None;
    }

    fn visible(&self) -> MutexGuard<'_, Visible> {
        // Each change is a single assignment, so a panic elsewhere leaves nothing half done.
        self.visible.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn committed_summary(index: &Index) -> tantivy::Result<Summary> {
    match index.load_metas()?.payload {
        Some(payload) => serde_json::from_str(&payload)
            .map_err(|e| TantivyError::SystemError(format!("the commit payload is not readable: {e}"))),
        None => Ok(Summary::default()),
    }
}

fn settings() -> IndexSettings {
    IndexSettings {
        docstore_compression: Compressor::Zstd(ZstdCompressor { compression_level: Some(3) }),
        docstore_blocksize: 64 * 1024,
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}
