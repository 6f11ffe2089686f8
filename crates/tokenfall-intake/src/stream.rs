//! One intake request: bytes in, documents and located errors out.

use std::net::IpAddr;

use serde::Deserialize;
use tokenfall_model::{Document, Timestamp, limits};

use crate::lines::{Line, LineSplitter};
use crate::wire::{ErrorRoot, LogRoot, MetadataRoot, MetricsetRoot, SpanRoot, TransactionRoot, Value, Violation};
use crate::{convert, location};

/// What a request brings along besides its body.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// Time of the request; the time of events that have none.
    pub received: Timestamp,
    /// Address of the sender, stored as `host.ip`.
    pub client_ip: Option<IpAddr>,
    /// Longest line in bytes; [`limits::EVENT_BYTES_MAX`] unless configured.
    pub event_bytes_max: usize,
    /// Namespace of the data streams.
    pub namespace: String,
    /// `service.environment` where the metadata names none.
    pub default_environment: Option<String>,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            received: Timestamp::default(),
            client_ip: None,
            event_bytes_max: limits::EVENT_BYTES_MAX,
            namespace: "default".into(),
            default_environment: None,
        }
    }
}

/// Why a line was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct IntakeError {
    /// What is wrong, in the words of Elastic's server.
    pub message: String,
    /// The line as it came; bytes that are not UTF-8 are replaced, and of an over-long line it is the beginning.
    pub document: Option<String>,
    /// Number of the line in the body, from 1.
    pub line: u64,
}

/// Decoder of the body of one request.
#[derive(Debug)]
pub struct IntakeStream {
    lines: LineSplitter,
    decoder: Decoder,
}

impl IntakeStream {
    /// Begins a request.
    pub fn new(options: StreamOptions) -> Self {
        Self {
            lines: LineSplitter::new(options.event_bytes_max),
            decoder: Decoder { options, base: None, fatal: false, accepted: 0, errors: Vec::new(), n_errors: 0 },
        }
    }

    /// Takes the next decompressed bytes and appends the documents that they complete to `out`. Ignored once
    /// [`IntakeStream::is_fatal`].
    pub fn feed(&mut self, chunk: &[u8], out: &mut Vec<Document>) {
        if !self.decoder.fatal {
            self.lines.feed(chunk, |number, line| self.decoder.line(number, line, out));
        }
    }

    /// Ends the body: a last line without line feed counts.
    pub fn finish(&mut self, out: &mut Vec<Document>) {
        self.lines.finish(|number, line| self.decoder.line(number, line, out));
    }

    /// Events accepted so far.
    pub fn accepted(&self) -> u64 {
        self.decoder.accepted
    }

    /// The first [`limits::LISTED_ERRORS_MAX`] errors.
    pub fn errors(&self) -> &[IntakeError] {
        &self.decoder.errors
    }

    /// All errors, the unlisted ones included.
    pub fn error_count(&self) -> u64 {
        self.decoder.n_errors
    }

    /// True if the metadata was wrong: the rest of the body means nothing and is not looked at.
    pub fn is_fatal(&self) -> bool {
        self.decoder.fatal
    }
}

#[derive(Debug)]
struct Decoder {
    options: StreamOptions,
    /// What the metadata says, as the start of every document; absent until the metadata came.
    base: Option<Box<Document>>,
    fatal: bool,
    accepted: u64,
    errors: Vec<IntakeError>,
    n_errors: u64,
}

impl Decoder {
    fn line(&mut self, number: u64, line: Line<'_>, out: &mut Vec<Document>) {
        if self.fatal {
            return;
        }
        let (bytes, decoded) = match line {
            Line::Whole(bytes) if bytes.trim_ascii().is_empty() => return,
            Line::Whole(bytes) => (bytes, self.decode(number, bytes)),
            Line::TooLong(bytes) => (bytes, Err("event exceeded the permitted size".into())),
        };
        match decoded {
            Ok(Decoded::Metadata(base)) => self.base = Some(base),
            Ok(Decoded::Nothing) => {}
            Ok(Decoded::Event(document)) => {
                self.accepted += 1;
                out.push(document);
            }
            Err(Refusal { message, .. }) => {
                self.fatal = self.base.is_none();
                self.n_errors += 1;
                if self.errors.len() < limits::LISTED_ERRORS_MAX {
                    let document = Some(String::from_utf8_lossy(bytes).into_owned());
                    self.errors.push(IntakeError { message, document, line: number });
                }
            }
        }
    }

    fn decode(&self, number: u64, bytes: &[u8]) -> Result<Decoded, Refusal> {
        let kind = kind_of(bytes);
        let Some(base) = &self.base else {
            if kind != b"metadata" {
                return Err("\"metadata\" or \"m\" required".into());
            }
            let root = read::<MetadataRoot<'_>>(number, bytes).map_err(|refusal| match refusal {
                Refusal { is_cut: true, .. } => "EOF while reading metadata".into(),
                refusal => refusal,
            })?;
            return Ok(Decoded::Metadata(Box::new(convert::metadata(root, &self.options))));
        };
        let base = || Document::clone(base);
        let event = match kind {
            b"span" => convert::span(read::<SpanRoot<'_>>(number, bytes)?, base()),
            b"transaction" => convert::transaction(read::<TransactionRoot<'_>>(number, bytes)?, base()),
            b"error" => convert::error(read::<ErrorRoot<'_>>(number, bytes)?, base()),
            b"log" => convert::log(read::<LogRoot<'_>>(number, bytes)?, base()),
            b"metricset" => match convert::metricset(read::<MetricsetRoot<'_>>(number, bytes)?, base()) {
                Some(document) => document,
                None => return Ok(Decoded::Nothing),
            },
            other => {
                return Err(format!("did not recognize object type: {:?}", String::from_utf8_lossy(other)).into());
            }
        };
        let n_labels = event.labels.len() + event.numeric_labels.len();
        if n_labels > limits::LABELS_MAX {
            return Err(format!("validation error: {n_labels} labels, {} are allowed", limits::LABELS_MAX).into());
        }
        Ok(Decoded::Event(event))
    }
}

#[expect(clippy::large_enum_variant, reason = "it moves on at once; a box would cost an allocation per event")]
enum Decoded {
    /// The start of every document.
    Metadata(Box<Document>),
    Event(Document),
    /// Valid, but with nothing to store.
    Nothing,
}

/// Why a line is refused.
struct Refusal {
    message: String,
    /// True if the line ends within its JSON.
    is_cut: bool,
}

impl<T: Into<String>> From<T> for Refusal {
    fn from(message: T) -> Self {
        Self { message: message.into(), is_cut: false }
    }
}

/// The text between the first quote and the next same one. As in Elastic's server this decides what a line is, so that the
/// line need not be parsed twice.
fn kind_of(line: &[u8]) -> &[u8] {
    let Some(start) = memchr::memchr2(b'"', b'\'', line) else { return b"" };
    let (quote, key) = line.get(start..).and_then(<[u8]>::split_first).map_or((b'"', &b""[..]), |(q, k)| (*q, k));
    memchr::memchr(quote, key).and_then(|end| key.get(..end)).unwrap_or_default()
}

/// Reads and checks a line. What follows the object on its line is ignored, as in Elastic's server.
fn read<'a, T: Deserialize<'a> + Value>(number: u64, bytes: &'a [u8]) -> Result<T, Refusal> {
    let line = std::str::from_utf8(bytes).map_err(|error| {
        format!("decode error: data read error: invalid UTF-8 on line {number}, column {}", error.valid_up_to() + 1)
    })?;
    let root = T::deserialize(&mut serde_json::Deserializer::from_str(line))
        .map_err(|error| Refusal { message: location::describe(line, number, &error), is_cut: error.is_eof() })?;
    root.check().map_err(Violation::message)?;
    Ok(root)
}
