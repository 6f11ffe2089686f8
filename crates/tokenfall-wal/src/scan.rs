//! Reading segments: which records are good, and where the good part of the log ends.

use std::io;
use std::path::PathBuf;

use crate::disk::{Disk, LogFile};
use crate::format::{HEADER_BYTES, RECORD_HEADER_BYTES, RecordHeader, SegmentHeader, parse_segment_name, segment_name};

/// A record of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Sequence of its first event.
    pub first_sequence: u64,
    /// How many events it holds.
    pub count: u32,
    /// What was appended.
    pub payload: &'a [u8],
}

/// A log that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk failed.
    #[error("cannot {step} {path}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Something in the middle of the log is not what was written.
    #[error("the log is damaged: {path} at byte {offset}: {what}")]
    Damaged {
        /// File.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// Whoever took the records failed.
    #[error("cannot replay the log")]
    Visit(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Takes records in order.
pub type Visit<'a> = dyn FnMut(Record<'_>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + 'a;

/// The end of the log that a crash left half-written. It was never acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// File.
    pub path: PathBuf,
    /// Where the good part ends.
    pub offset: u64,
    /// Bytes after it.
    pub bytes: u64,
}

/// What a scan found.
pub(crate) struct Scan {
    /// First sequences of the segments, in order.
    pub(crate) segments: Vec<u64>,
    /// The sequence after the last good record.
    pub(crate) next_sequence: u64,
    /// Where the good part of the last segment ends. 0: not even its header is good.
    pub(crate) last_len: u64,
    /// What comes after that.
    pub(crate) torn: Option<TornTail>,
}

/// Finds the segments of a disk, in order.
pub(crate) fn segments(disk: &dyn Disk) -> Result<Vec<u64>, ReadError> {
    let names = disk.list().map_err(|e| failed("list", disk, "", e))?;
    let mut segments: Vec<u64> = names.iter().filter_map(|name| parse_segment_name(name)).collect();
    segments.sort_unstable();
    Ok(segments)
}

/// Reads all records that hold a sequence of `from..until`, and checks everything before `until`.
pub(crate) fn scan(
    disk: &dyn Disk,
    segments: Vec<u64>,
    from: u64,
    until: u64,
    visit: &mut Visit<'_>,
) -> Result<Scan, ReadError> {
    let mut next_sequence = segments.first().copied().unwrap_or(0);
    let (mut last_len, mut torn) = (0, None);
    let mut payload = Vec::new();
    for (i, &first_sequence) in segments.iter().enumerate() {
        if next_sequence >= until {
            break;
        }
        let mut segment = Segment::open(disk, first_sequence)?;
        let is_last = i + 1 == segments.len();
        let begin = if i == 0 { None } else { Some(next_sequence) };
        let mut bad = segment.check_header(begin)?;
        if bad.is_none() {
            next_sequence = first_sequence;
            while next_sequence < until {
                match segment.next(next_sequence, &mut payload)? {
                    Next::End => break,
                    Next::Bad(what) => {
                        bad = Some(what);
                        break;
                    }
                    Next::Record(header, end) => {
                        next_sequence = end;
                        if end > from {
                            let record = Record {
                                first_sequence: header.first_sequence,
                                count: header.count,
                                payload: &payload,
                            };
                            visit(record).map_err(ReadError::Visit)?;
                        }
                    }
                }
            }
        }
        if let Some(what) = bad {
            let path = disk.path().join(&segment.name);
            // Records are written only below a header that is durable, so a bad header with something below it is no torn write.
            if !is_last || (segment.offset == 0 && segment.len > HEADER_BYTES as u64) {
                return Err(ReadError::Damaged { path, offset: segment.offset, what });
            }
            torn = Some(TornTail { path, offset: segment.offset, bytes: segment.len - segment.offset });
            next_sequence = next_sequence.max(first_sequence);
        }
        last_len = segment.offset;
    }
    Ok(Scan { segments, next_sequence, last_len, torn })
}

enum Next {
    Record(RecordHeader, u64),
    End,
    Bad(&'static str),
}

struct Segment<'a> {
    disk: &'a dyn Disk,
    name: String,
    first_sequence: u64,
    file: Box<dyn LogFile>,
    len: u64,
    /// End of the good part so far.
    offset: u64,
}

impl<'a> Segment<'a> {
    fn open(disk: &'a dyn Disk, first_sequence: u64) -> Result<Self, ReadError> {
        let name = segment_name(first_sequence);
        let file = disk.open(&name).map_err(|e| failed("open", disk, &name, e))?;
        let len = file.len().map_err(|e| failed("read", disk, &name, e))?;
        Ok(Self { disk, name, first_sequence, file, len, offset: 0 })
    }

    /// Says what is wrong with the header, if anything is.
    fn check_header(&mut self, previous_end: Option<u64>) -> Result<Option<&'static str>, ReadError> {
        let mut bytes = [0; HEADER_BYTES];
        if self.read(0, &mut bytes)? < HEADER_BYTES {
            return Ok(Some("the header is cut off"));
        }
        let Some(header) = SegmentHeader::decode(bytes) else { return Ok(Some("the header is not readable")) };
        let problem = if header.first_sequence != self.first_sequence {
            "the header belongs to another segment"
        } else if previous_end.is_some_and(|end| end != header.previous_end) {
            "the segment before this one is missing or cut off"
        } else {
            self.offset = HEADER_BYTES as u64;
            return Ok(None);
        };
        Err(ReadError::Damaged { path: self.disk.path().join(&self.name), offset: 0, what: problem })
    }

    fn next(&mut self, sequence: u64, payload: &mut Vec<u8>) -> Result<Next, ReadError> {
        let mut bytes = [0; RECORD_HEADER_BYTES];
        match self.read(self.offset, &mut bytes)? {
            0 => return Ok(Next::End),
            RECORD_HEADER_BYTES => {}
            _ => return Ok(Next::Bad("a record is cut off")),
        }
        let Some(header) = RecordHeader::decode(bytes) else { return Ok(Next::Bad("a record has no valid header")) };
        let begin = self.offset + RECORD_HEADER_BYTES as u64;
        if header.len as u64 > self.len.saturating_sub(begin) {
            return Ok(Next::Bad("a record is cut off"));
        }
        payload.resize(header.len, 0);
        if self.read(begin, payload)? < header.len {
            return Ok(Next::Bad("a record is cut off"));
        }
        if !header.fits(payload) {
            return Ok(Next::Bad("the checksum of a record is wrong"));
        }
        match header.end() {
            Some(end) if header.first_sequence == sequence => {
                self.offset = begin + header.len as u64;
                Ok(Next::Record(header, end))
            }
            _ => Ok(Next::Bad("a record is out of order")),
        }
    }

    /// Reads until the buffer is full or the file ends.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let mut n = 0;
        while n < buffer.len() {
            match self.file.read_at(offset + n as u64, &mut buffer[n..]) {
                Ok(0) => break,
                Ok(read) => n += read,
                Err(e) => return Err(failed("read", self.disk, &self.name, e)),
            }
        }
        Ok(n)
    }
}

pub(crate) fn failed(step: &'static str, disk: &dyn Disk, name: &str, source: io::Error) -> ReadError {
    ReadError::Io { step, path: disk.path().join(name), source }
}
