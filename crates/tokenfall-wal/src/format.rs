//! The bytes of a segment. Specified in `docs/formats/wal.md`.
//!
//! ```text
//! segment = header record*
//! header  = "TFWAL\0\0\1" first_sequence:u64 previous_end:u64 crc:u32 zero:u32   32 bytes
//! record  = crc:u32 len:u32 first_sequence:u64 count:u32 payload                 20 + len bytes
//! ```
//!
//! All numbers are little-endian. `crc` is CRC-32 (IEEE) of the header's first 24 bytes, and of everything in a record after
//! `crc` itself.

/// Longest payload of a record in bytes. A longer length on disk is damage.
pub const PAYLOAD_BYTES_MAX: usize = 256 * 1024 * 1024;

pub(crate) const HEADER_BYTES: usize = 32;
pub(crate) const RECORD_HEADER_BYTES: usize = 20;

const MAGIC: [u8; 8] = *b"TFWAL\0\0\x01";
const SUFFIX: &str = ".wal";

/// Name of the segment that begins with a sequence.
pub(crate) fn segment_name(first_sequence: u64) -> String {
    format!("{first_sequence:020}{SUFFIX}")
}

/// First sequence of a segment by its name; `None` if the file is no segment.
pub(crate) fn parse_segment_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    if digits.len() != 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// What stands at the beginning of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Sequence of the first record.
    pub(crate) first_sequence: u64,
    /// Where the segment before this one ended. A missing segment is noticed by it.
    pub(crate) previous_end: u64,
}

impl SegmentHeader {
    pub(crate) fn encode(self) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(&MAGIC);
        header[8..16].copy_from_slice(&self.first_sequence.to_le_bytes());
        header[16..24].copy_from_slice(&self.previous_end.to_le_bytes());
        let crc = crc32fast::hash(&header[..24]);
        header[24..28].copy_from_slice(&crc.to_le_bytes());
        header
    }

    /// `None` if the header is damaged.
    pub(crate) fn decode(bytes: [u8; HEADER_BYTES]) -> Option<Self> {
        let header = Self { first_sequence: u64_at(&bytes, 8), previous_end: u64_at(&bytes, 16) };
        (bytes == header.encode()).then_some(header)
    }
}

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    crc: u32,
    pub(crate) len: usize,
    pub(crate) first_sequence: u64,
    pub(crate) count: u32,
}

impl RecordHeader {
    pub(crate) fn decode(bytes: [u8; RECORD_HEADER_BYTES]) -> Option<Self> {
        let len = u32_at(&bytes, 4) as usize;
        let header = Self { crc: u32_at(&bytes, 0), len, first_sequence: u64_at(&bytes, 8), count: u32_at(&bytes, 16) };
        // Sequences that run over the end of their type cannot have been written.
        (len <= PAYLOAD_BYTES_MAX && header.count > 0 && header.end().is_some()).then_some(header)
    }

    /// The sequence after the last one of this record.
    pub(crate) fn end(&self) -> Option<u64> {
        self.first_sequence.checked_add(u64::from(self.count))
    }

    pub(crate) fn fits(&self, payload: &[u8]) -> bool {
        self.crc == record_crc(&self.tail(), payload)
    }

    /// The header after its checksum.
    fn tail(&self) -> [u8; 16] {
        record_tail(self.len, self.first_sequence, self.count)
    }
}

/// Appends a record to `out`.
pub(crate) fn encode_record(first_sequence: u64, count: u32, payload: &[u8], out: &mut Vec<u8>) {
    let tail = record_tail(payload.len(), first_sequence, count);
    out.extend_from_slice(&record_crc(&tail, payload).to_le_bytes());
    out.extend_from_slice(&tail);
    out.extend_from_slice(payload);
}

fn record_tail(len: usize, first_sequence: u64, count: u32) -> [u8; 16] {
    let mut tail = [0; 16];
    tail[..4].copy_from_slice(&(len as u32).to_le_bytes());
    tail[4..12].copy_from_slice(&first_sequence.to_le_bytes());
    tail[12..].copy_from_slice(&count.to_le_bytes());
    tail
}

fn record_crc(tail: &[u8; 16], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(tail);
    hasher.update(payload);
    hasher.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_like_sequences() {
        assert_eq!(segment_name(42), "00000000000000000042.wal");
        assert_eq!(parse_segment_name(&segment_name(u64::MAX)), Some(u64::MAX));
        for other in ["42.wal", "0000000000000000004x.wal", "00000000000000000042", "+0000000000000000042.wal"] {
            assert_eq!(parse_segment_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_changed_bit_is_noticed() {
        let mut bytes = Vec::new();
        encode_record(7, 2, b"payload", &mut bytes);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let (header, payload) = damaged.split_at(RECORD_HEADER_BYTES);
            let header = RecordHeader::decode(header.try_into().unwrap());
            assert!(!header.is_some_and(|h| h.len == payload.len() && h.fits(payload)), "bit {bit}");
        }
        let header = SegmentHeader { first_sequence: 9, previous_end: 7 };
        assert_eq!(SegmentHeader::decode(header.encode()), Some(header));
        for bit in 0..HEADER_BYTES * 8 {
            let mut damaged = header.encode();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(damaged), None, "bit {bit}");
        }
    }
}
