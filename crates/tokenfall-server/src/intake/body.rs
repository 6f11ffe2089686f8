//! The body of an intake request: compressed bytes in, small pieces of plain bytes out.
//!
//! Never holds more than one piece, however well the body is compressed.

use std::io::{self, Write as _};

use flate2::write::{MultiGzDecoder, ZlibDecoder};

use crate::config::{Limits, RATIO_FROM_BYTES};

/// Compressed bytes that are unpacked at once. Deflate makes at most 1,032 bytes of one, so a piece has at most about 0.5 MB.
const STEP_BYTES: usize = 512;

/// Plain bytes that are handed out at once.
const PLAIN_STEP_BYTES: usize = 64 * 1024;

/// Length of a gzip header without options.
const GZIP_HEADER_BYTES: u64 = 10;

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// Does not begin as it should.
    #[error("data decoding error: {0}: invalid header")]
    Header(Format),
    /// Broken in the middle.
    #[error("data decoding error: {0}: {1}")]
    Corrupt(Format, String),
    /// Ends too early.
    #[error("data decoding error: {0}: unexpected end of the body")]
    Truncated(Format),
    /// An encoding that is not known.
    #[error("data decoding error: unsupported content encoding '{0}'")]
    Unsupported(String),
    /// Too long.
    #[error("request body has more than {0} bytes after decompression")]
    TooLong(u64),
    /// Compressed better than events can be.
    #[error("request body is compressed more than {0} to 1")]
    TooDense(u64),
}

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 1952.
    Gzip,
    /// RFC 1950; HTTP calls it `deflate`.
    Zlib,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
        })
    }
}

/// What the header `Content-Encoding` says.
#[derive(Clone, Copy, Debug)]
enum Encoding {
    /// Nothing: the first two bytes tell.
    Sniff,
    Plain,
    Compressed(Format),
}

/// Unpacks one body.
pub(crate) struct BodyDecoder {
    encoding: Encoding,
    /// The first bytes, until there are enough to know what they are.
    head: Vec<u8>,
    unpacker: Option<Unpacker>,
    bytes_in: u64,
    bytes_out: u64,
    bytes_max: u64,
    ratio_max: u64,
}

enum Unpacker {
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zlib(Box<ZlibDecoder<Vec<u8>>>),
}

impl BodyDecoder {
    /// Begins a body with this `Content-Encoding`.
    pub(crate) fn new(content_encoding: Option<&str>, limits: &Limits) -> Result<Self, BodyError> {
        let encoding = match content_encoding.map(str::trim) {
            None | Some("") => Encoding::Sniff,
            Some("gzip" | "x-gzip") => Encoding::Compressed(Format::Gzip),
            Some("deflate") => Encoding::Compressed(Format::Zlib),
            Some("identity") => Encoding::Plain,
            Some(other) => return Err(BodyError::Unsupported(other.to_owned())),
        };
        Ok(Self {
            encoding,
            head: Vec::new(),
            unpacker: None,
            bytes_in: 0,
            bytes_out: 0,
            bytes_max: limits.request_bytes_max,
            ratio_max: limits.compression_ratio_max,
        })
    }

    /// Takes the next bytes of the body and hands what they unpack to to `sink`, piece by piece. What was unpacked before an
    /// error has been handed out.
    pub(crate) fn push(&mut self, chunk: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), BodyError> {
        if self.unpacker.is_some() {
            return self.unpack(chunk, sink);
        }
        self.head.extend_from_slice(chunk);
        if self.head.len() < 2 {
            return Ok(());
        }
        self.begin(sink)
    }

    /// Ends the body.
    pub(crate) fn finish(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), BodyError> {
        if self.unpacker.is_none() && !self.head.is_empty() {
            self.begin(sink)?;
        }
        let (format, result, rest) = match self.unpacker.take() {
            None | Some(Unpacker::Plain) => return Ok(()),
            Some(Unpacker::Gzip(mut gzip)) => {
                let result = gzip.try_finish();
                (Format::Gzip, result, std::mem::take(gzip.get_mut()))
            }
            Some(Unpacker::Zlib(mut zlib)) => {
                let result = zlib.try_finish();
                (Format::Zlib, result, std::mem::take(zlib.get_mut()))
            }
        };
        self.hand_out(&rest, sink)?;
        match result {
            Ok(()) => Ok(()),
            // An agent that opened a request and had nothing to say sends the header alone.
            Err(_) if format == Format::Gzip && self.bytes_in == GZIP_HEADER_BYTES => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(BodyError::Truncated(format)),
            Err(error) => Err(broken(format, &error)),
        }
    }

    /// Recognises the first bytes.
    fn begin(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), BodyError> {
        let head = std::mem::take(&mut self.head);
        let is_gzip = head.starts_with(&[0x1f, 0x8b]);
        let is_zlib = head.first().is_some_and(|byte| byte & 0x0f == 8);
        let unpacker = match self.encoding {
            Encoding::Sniff | Encoding::Compressed(Format::Gzip) if is_gzip => gzip(),
            Encoding::Sniff if is_zlib => zlib(),
            Encoding::Compressed(Format::Zlib) if is_zlib && has_zlib_checksum(&head) => zlib(),
            Encoding::Plain | Encoding::Sniff => Unpacker::Plain,
            Encoding::Compressed(format) => return Err(BodyError::Header(format)),
        };
        self.unpacker = Some(unpacker);
        self.unpack(&head, sink)
    }

    fn unpack(&mut self, bytes: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), BodyError> {
        if matches!(self.unpacker, Some(Unpacker::Plain)) {
            return bytes.chunks(PLAIN_STEP_BYTES).try_for_each(|step| {
                self.bytes_in += step.len() as u64;
                self.hand_out(step, sink)
            });
        }
        for step in bytes.chunks(STEP_BYTES) {
            self.bytes_in += step.len() as u64;
            let (format, result, piece) = match &mut self.unpacker {
                None | Some(Unpacker::Plain) => return Ok(()),
                Some(Unpacker::Gzip(gzip)) => {
                    // Without a flush the unpacker keeps some bytes back until the next write.
                    let result = gzip.write_all(step).and_then(|()| gzip.flush());
                    (Format::Gzip, result, std::mem::take(gzip.get_mut()))
                }
                Some(Unpacker::Zlib(zlib)) => {
                    let result = zlib.write_all(step).and_then(|()| zlib.flush());
                    (Format::Zlib, result, std::mem::take(zlib.get_mut()))
                }
            };
            self.hand_out(&piece, sink)?;
            result.map_err(|error| broken(format, &error))?;
        }
        Ok(())
    }

    fn hand_out(&mut self, piece: &[u8], sink: &mut dyn FnMut(&[u8])) -> Result<(), BodyError> {
        if piece.is_empty() {
            return Ok(());
        }
        self.bytes_out += piece.len() as u64;
        if self.bytes_out > self.bytes_max {
            return Err(BodyError::TooLong(self.bytes_max));
        }
        if self.bytes_out > RATIO_FROM_BYTES && self.bytes_out / self.bytes_in.max(1) > self.ratio_max {
            return Err(BodyError::TooDense(self.ratio_max));
        }
        sink(piece);
        Ok(())
    }
}

fn gzip() -> Unpacker {
    Unpacker::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))
}

fn zlib() -> Unpacker {
    Unpacker::Zlib(Box::new(ZlibDecoder::new(Vec::new())))
}

/// The first two bytes of a zlib body are a multiple of 31 (RFC 1950).
fn has_zlib_checksum(head: &[u8]) -> bool {
    matches!(head, [a, b, ..] if (u16::from(*a) * 256 + u16::from(*b)).is_multiple_of(31))
}

fn broken(format: Format, error: &io::Error) -> BodyError {
    BodyError::Corrupt(format, error.to_string())
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"{\"metadata\":{}}\n{\"span\":{}}\n";

    fn gzipped(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlibbed(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// Unpacks a body that arrives in chunks of this length.
    fn unpack(encoding: Option<&str>, body: &[u8], chunk: usize) -> (Vec<u8>, Result<(), BodyError>) {
        let mut out = Vec::new();
        let mut sink = |piece: &[u8]| {
            assert!(piece.len() <= 2 * 1024 * 1024, "a piece of {} bytes", piece.len());
            out.extend_from_slice(piece);
        };
        let result = BodyDecoder::new(encoding, &Limits::default()).and_then(|mut decoder| {
            body.chunks(chunk).try_for_each(|chunk| decoder.push(chunk, &mut sink))?;
            decoder.finish(&mut sink)
        });
        (out, result)
    }

    #[test]
    fn every_encoding_in_chunks_of_every_length() {
        for (encoding, body) in [
            (None, TEXT.to_vec()),
            (Some("identity"), TEXT.to_vec()),
            (None, gzipped(TEXT)),
            (Some("gzip"), gzipped(TEXT)),
            (None, zlibbed(TEXT)),
            (Some("deflate"), zlibbed(TEXT)),
        ] {
            for chunk in 1..body.len() {
                assert_eq!(unpack(encoding, &body, chunk), (TEXT.to_vec(), Ok(())), "{encoding:?} by {chunk}");
            }
        }
    }

    #[test]
    fn gzip_members_follow_each_other() {
        let mut body = gzipped(b"{\"metadata\":{}}\n");
        body.extend(gzipped(b"{\"span\":{}}\n"));
        assert_eq!(unpack(Some("gzip"), &body, 7), (TEXT.to_vec(), Ok(())));
    }

    #[test]
    fn empty_bodies_are_fine() {
        for encoding in [None, Some("gzip"), Some("deflate")] {
            assert_eq!(unpack(encoding, b"", 1), (Vec::new(), Ok(())), "{encoding:?}");
        }
        let header = &gzipped(TEXT)[..10];
        assert_eq!(unpack(Some("gzip"), header, 3), (Vec::new(), Ok(())));
        assert_eq!(unpack(None, header, 10), (Vec::new(), Ok(())));
    }

    #[test]
    fn what_is_not_compressed_is_refused() {
        assert_eq!(unpack(Some("gzip"), TEXT, 64).1, Err(BodyError::Header(Format::Gzip)));
        assert_eq!(unpack(Some("deflate"), TEXT, 64).1, Err(BodyError::Header(Format::Zlib)));
        assert_eq!(unpack(Some("br"), TEXT, 64).1, Err(BodyError::Unsupported("br".into())));
    }

    #[test]
    fn truncated_bodies_are_refused_at_every_length() {
        let long: Vec<u8> = TEXT.repeat(50);
        for body in [gzipped(&long), zlibbed(&long)] {
            for len in (1..body.len()).filter(|len| *len != 10) {
                let encoding = if body[0] == 0x1f { "gzip" } else { "deflate" };
                let (_, result) = unpack(Some(encoding), &body[..len], 16);
                assert!(result.is_err(), "{encoding} cut at {len} of {}", body.len());
            }
        }
    }

    #[test]
    fn bombs_are_stopped() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b' '; 64 * 1024 * 1024]).unwrap();
        let bomb = encoder.finish().unwrap();
        let (out, result) = unpack(Some("gzip"), &bomb, bomb.len());
        assert!(matches!(result, Err(BodyError::TooDense(_))), "{result:?}");
        assert!(out.len() < 8 * 1024 * 1024);

        let limits = Limits { request_bytes_max: 100, ..Limits::default() };
        let mut decoder = BodyDecoder::new(None, &limits).unwrap();
        let mut n = 0;
        let result = decoder.push(&[b'{'; 5000], &mut |piece| n += piece.len());
        assert_eq!((result, n), (Err(BodyError::TooLong(100)), 0));
    }
}
