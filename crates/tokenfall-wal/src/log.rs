//! The log itself, without threads: segments on a disk, written at the end only.

use std::io;
use std::sync::Arc;

use crate::disk::{Disk, LogFile};
use crate::format::{HEADER_BYTES, SegmentHeader, encode_record, segment_name};
use crate::scan::{ReadError, Scan, TornTail, Visit, failed, scan, segments};

/// Bytes that are gathered before they are handed to the disk.
const WRITE_BYTES: usize = 1024 * 1024;

pub(crate) struct Log {
    disk: Arc<dyn Disk>,
    /// First sequences of the segments, in order; the last one is written.
    segments: Vec<u64>,
    active: Box<dyn LogFile>,
    active_len: u64,
    next_sequence: u64,
    segment_bytes_max: u64,
    /// A sync failed: what the disk holds is unknown from then on, and nothing may be promised any more.
    poisoned: bool,
    buffer: Vec<u8>,
}

impl Log {
    /// Opens the log, or begins one. Its next sequence is at least `first_sequence`.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        first_sequence: u64,
        segment_bytes_max: u64,
        visit: &mut Visit<'_>,
    ) -> Result<(Self, Option<TornTail>), ReadError> {
        let Scan { mut segments, next_sequence, last_len, torn } = scan(&*disk, segments(&*disk)?, 0, u64::MAX, visit)?;
        let (active, active_len) = match segments.last() {
            None => {
                segments.push(first_sequence);
                let header = SegmentHeader { first_sequence, previous_end: first_sequence };
                (create_segment(&*disk, header)?, HEADER_BYTES as u64)
            }
            // The last thing that the log did was to begin this segment.
            Some(&first_sequence) if last_len == 0 => {
                let header = SegmentHeader { first_sequence, previous_end: previous_end(&*disk, &segments)? };
                (create_segment(&*disk, header)?, HEADER_BYTES as u64)
            }
            Some(&first_sequence) => (reopen_segment(&*disk, first_sequence, last_len)?, last_len),
        };
        let next_sequence = next_sequence.max(segments[0]);
        let mut log = Self {
            disk,
            segments,
            active,
            active_len,
            next_sequence,
            segment_bytes_max,
            poisoned: false,
            buffer: Vec::new(),
        };
        if log.next_sequence < first_sequence {
            log.begin_segment(first_sequence)?;
        }
        Ok((log, torn))
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    pub(crate) fn segments(&self) -> &[u64] {
        &self.segments
    }

    pub(crate) fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Writes records and makes them durable with one sync. Gives the first sequence of the first one; the others follow
    /// without a gap. After an error none of them counts, though some may be found by a later recovery.
    pub(crate) fn append(&mut self, records: &[(u32, &[u8])]) -> io::Result<u64> {
        if self.poisoned {
            return Err(io::Error::other("an earlier write to the log failed; restart to recover"));
        }
        // Once a segment is full nothing is written to it any more, so a rotation that fails can be tried again.
        if self.active_len >= self.segment_bytes_max && self.active_len > HEADER_BYTES as u64 {
            self.rotate()?;
        }
        let (len, next_sequence) = match self.write(records) {
            Ok(end) => end,
            Err(e) => {
                // A full disk is no reason to give up, if what was half-written can be taken back.
                self.poisoned = self.active.set_len(self.active_len).is_err();
                return Err(e);
            }
        };
        if let Err(e) = self.active.sync() {
            self.poisoned = true;
            return Err(e);
        }
        let first_sequence = std::mem::replace(&mut self.next_sequence, next_sequence);
        self.active_len = len;
        Ok(first_sequence)
    }

    /// Begins a new segment, so that the one written so far can be removed.
    pub(crate) fn seal(&mut self) -> io::Result<()> {
        if self.poisoned || self.active_len == HEADER_BYTES as u64 { Ok(()) } else { self.rotate() }
    }

    /// Removes the segments that hold only sequences before `sequence`. The last segment always stays.
    pub(crate) fn truncate_before(&mut self, sequence: u64) -> io::Result<()> {
        let n = self.segments.windows(2).take_while(|pair| pair[1] <= sequence).count();
        for _ in 0..n {
            // Oldest first, so that a crash leaves no hole.
            self.disk.remove(&segment_name(self.segments[0]))?;
            self.segments.remove(0);
        }
        if n > 0 { self.disk.sync_names() } else { Ok(()) }
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.begin_segment(self.next_sequence).map_err(|e| {
            let error = match e {
                ReadError::Io { source, .. } => source,
                other => io::Error::other(other),
            };
            self.poisoned = error.kind() != io::ErrorKind::StorageFull;
            error
        })
    }

    fn write(&mut self, records: &[(u32, &[u8])]) -> io::Result<(u64, u64)> {
        let (mut len, mut sequence) = (self.active_len, self.next_sequence);
        self.buffer.clear();
        self.buffer.shrink_to(2 * WRITE_BYTES);
        for (count, payload) in records {
            encode_record(sequence, *count, payload, &mut self.buffer);
            sequence = sequence
                .checked_add(u64::from(*count))
                .ok_or_else(|| io::Error::other("the log has run out of sequence numbers"))?;
            if self.buffer.len() >= WRITE_BYTES {
                self.active.write_at(len, &self.buffer)?;
                len += self.buffer.len() as u64;
                self.buffer.clear();
            }
        }
        self.active.write_at(len, &self.buffer)?;
        len += self.buffer.len() as u64;
        Ok((len, sequence))
    }

    fn begin_segment(&mut self, first_sequence: u64) -> Result<(), ReadError> {
        let header = SegmentHeader { first_sequence, previous_end: self.next_sequence };
        self.active = create_segment(&*self.disk, header)?;
        self.active_len = HEADER_BYTES as u64;
        self.next_sequence = first_sequence;
        // An empty segment can be followed by one of the same sequence only if it is the same file.
        if self.segments.last() != Some(&first_sequence) {
            self.segments.push(first_sequence);
        }
        Ok(())
    }
}

/// Makes a segment and its name durable, before anything is written to it.
fn create_segment(disk: &dyn Disk, header: SegmentHeader) -> Result<Box<dyn LogFile>, ReadError> {
    let name = segment_name(header.first_sequence);
    let create = || {
        let mut file = disk.create(&name)?;
        file.write_at(0, &header.encode())?;
        file.sync()?;
        disk.sync_names()?;
        Ok(file)
    };
    create().map_err(|e| failed("begin the segment", disk, &name, e))
}

/// Cuts the torn tail off, and makes durable what was read from the rest: it may have been written just before a crash.
fn reopen_segment(disk: &dyn Disk, first_sequence: u64, len: u64) -> Result<Box<dyn LogFile>, ReadError> {
    let name = segment_name(first_sequence);
    let reopen = || {
        let mut file = disk.open(&name)?;
        if file.len()? > len {
            file.set_len(len)?;
        }
        file.sync()?;
        disk.sync_names()?;
        Ok(file)
    };
    reopen().map_err(|e| failed("recover", disk, &name, e))
}

/// Where the last segment but one ends.
fn previous_end(disk: &dyn Disk, segments: &[u64]) -> Result<u64, ReadError> {
    let Some((&last, before)) = segments.split_last() else { return Ok(0) };
    if before.is_empty() {
        return Ok(last);
    }
    Ok(scan(disk, before.to_vec(), u64::MAX, u64::MAX, &mut |_| Ok(()))?.next_sequence)
}
