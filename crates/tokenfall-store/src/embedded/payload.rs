//! What one append writes to the log.
//!
//! ```text
//! payload = event*
//! event   = kind:u8 slice:i32 time_us:i64 len:u32 json        17 + len bytes, little-endian
//! ```
//!
//! `kind` is the position in [`EventKind::ALL`]. The slice is decided when the event is accepted and stays what it was, so a
//! replay on another day puts the event into the same partition. `json` is the stored document. What stands before it is enough to
//! skip an event that a partition already has.

use tokenfall_model::{Document, EventKind, ServiceName, Timestamp};
use tokenfall_wal::Record;

use super::partition::{PartitionKey, Slice, StreamKind, Summary};

const HEADER_BYTES: usize = 17;

/// An event of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event<'a> {
    pub(crate) sequence: u64,
    pub(crate) kind: EventKind,
    pub(crate) time: Timestamp,
    slice: Slice,
    /// The document as JSON.
    pub(crate) source: &'a [u8],
}

impl Event<'_> {
    /// Where the event belongs.
    pub(crate) fn key(&self) -> PartitionKey {
        PartitionKey { stream: StreamKind::of(self.kind), slice: self.slice }
    }

    /// The document.
    pub(crate) fn read(&self) -> Document {
        Document::from_json(self.source).unwrap_or_else(|error| {
            // Its source is kept whole, and it is counted and found by kind and time. Refusing to go on would help nobody.
            tracing::error!(sequence = self.sequence, %error, "an event of the log is not readable");
            Document::new(self.time, self.kind, ServiceName::new(""))
        })
    }

    /// Takes the event into account.
    pub(crate) fn count_in(&self, summary: &mut Summary) {
        summary.add(self.kind, self.time);
        summary.next_sequence = self.sequence + 1;
    }
}

/// A log record whose checksum is right and whose content is not: another version wrote it.
#[derive(Debug, thiserror::Error)]
#[error("the log record at sequence {sequence} does not hold events of this version")]
pub(crate) struct PayloadError {
    sequence: u64,
}

/// Appends a document to a payload.
pub(crate) fn encode(document: &Document, now: Timestamp, payload: &mut Vec<u8>) {
    let kind = document.kind();
    let position = EventKind::ALL.iter().position(|k| *k == kind).unwrap_or_default();
    payload.push(position as u8);
    payload.extend_from_slice(&Slice::of(document.time(), now).as_i32().to_le_bytes());
    payload.extend_from_slice(&document.time().as_micros().to_le_bytes());
    let len_at = payload.len();
    payload.extend_from_slice(&[0; 4]);
    document.to_json(payload);
    let len = (payload.len() - len_at - 4) as u32;
    payload[len_at..len_at + 4].copy_from_slice(&len.to_le_bytes());
}

/// Reads the events of a record. Nothing comes after an error.
pub(crate) fn decode(record: Record<'_>) -> impl Iterator<Item = Result<Event<'_>, PayloadError>> {
    let mut rest = record.payload;
    let mut sequence = record.first_sequence;
    let end = record.first_sequence + u64::from(record.count);
    std::iter::from_fn(move || {
        if sequence == end {
            return None;
        }
        let event = split_event(&mut rest, sequence).ok_or(PayloadError { sequence });
        sequence = if event.is_ok() { sequence + 1 } else { end };
        Some(event)
    })
}

fn split_event<'a>(rest: &mut &'a [u8], sequence: u64) -> Option<Event<'a>> {
    let (header, tail) = rest.split_first_chunk::<HEADER_BYTES>()?;
    let len = u32::from_le_bytes(*header[13..].first_chunk()?) as usize;
    let (source, tail) = tail.split_at_checked(len)?;
    *rest = tail;
    Some(Event {
        sequence,
        kind: *EventKind::ALL.get(usize::from(header[0]))?,
        slice: Slice::from_i32(i32::from_le_bytes(*header[1..].first_chunk()?)),
        time: Timestamp::from_micros(i64::from_le_bytes(*header[5..].first_chunk()?)),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_back() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let mut payload = Vec::new();
        for kind in EventKind::ALL {
            encode(&Document::new(now, kind, ServiceName::new("shop")), now, &mut payload);
        }
        let record = Record { first_sequence: 40, count: 5, payload: &payload };
        let events: Vec<_> = decode(record).map(Result::unwrap).collect();
        assert_eq!(events.iter().map(|e| e.sequence).collect::<Vec<_>>(), [40, 41, 42, 43, 44]);
        assert_eq!(events.iter().map(|e| e.kind).collect::<Vec<_>>(), EventKind::ALL);
        assert!(events.iter().all(|e| Document::from_json(e.source).unwrap().kind() == e.kind && e.time == now));
        assert_eq!(events[0].key().to_string(), "traces-2023-11-14");
    }

    #[test]
    fn foreign_payloads_are_refused() {
        for payload in [&b""[..], &[0; 16], &[0xff; 40]] {
            let mut events = decode(Record { first_sequence: 3, count: 2, payload });
            assert!(events.next().unwrap().is_err());
            assert!(events.next().is_none());
        }
    }
}
