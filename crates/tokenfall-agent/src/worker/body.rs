//! The body of a request, made while it is sent.

use std::io::{self, Read, Write as _};
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::WINDOW;
use super::feed::Feed;

/// Bytes of a piece that is handed to the network.
const PIECE_BYTES: usize = 64 << 10;
/// How much larger events are uncompressed, roughly. `api_request_size` is about compressed bytes.
const EXPANSION: u64 = 8;

/// Lines, compressed or not. Reading waits for events until the request is old or large enough, or a flush wants an answer.
pub(super) struct Body<'a> {
    feed: &'a mut Feed,
    encoder: Encoder,
    piece: Vec<u8>,
    n_read: usize,
    line: Vec<u8>,
    /// Does it wait for events, or end when none is left?
    waits: bool,
    deadline: Instant,
    n_events: u64,
    n_bytes: u64,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Metadata,
    Events,
    Ended,
}

impl<'a> Body<'a> {
    /// A new body. `waits`: the request stays open until `api_request_time`. One that only sends what is there is answered at
    /// once, which is what counts as long as nobody knows whether the server takes events at all.
    pub(super) fn new(feed: &'a mut Feed, compressed: bool, waits: bool) -> Self {
        let deadline = Instant::now() + feed.request_time.mul_f64(0.9 + 0.2 * fastrand::f64());
        let encoder = if compressed { Encoder::gzip() } else { Encoder::Plain(Vec::new()) };
        let (piece, line) = (Vec::new(), Vec::new());
        Self { feed, encoder, piece, n_read: 0, line, waits, deadline, n_events: 0, n_bytes: 0, stage: Stage::Metadata }
    }

    /// Events and bytes so far.
    pub(super) fn written(&self) -> (u64, u64) {
        (self.n_events, self.n_bytes)
    }

    /// Makes the next piece; it is empty at the end.
    fn produce(&mut self) -> io::Result<()> {
        loop {
            if self.stage == Stage::Metadata {
                self.encoder.write(&self.feed.metadata)?;
                self.stage = Stage::Events;
            }
            let now = Instant::now();
            self.feed.notice();
            self.feed.collect_metrics(now);
            let lines = self.feed.take_lines();
            self.encoder.write(&lines)?;
            let emptied = self.write_events()?;
            self.feed.notice();
            if self.feed.is_flushed() || self.is_full() || now >= self.deadline || (emptied && self.is_wanted_back(now))
            {
                self.encoder.finish()?;
                self.stage = Stage::Ended;
            } else if emptied {
                self.encoder.flush()?;
            }
            self.take_piece();
            if !self.piece.is_empty() || self.stage == Stage::Ended {
                return Ok(());
            }
            if self.feed.is_empty() {
                self.wait(now);
            }
        }
    }

    /// Writes what waits, a piece of it at most. True if nothing is left.
    fn write_events(&mut self) -> io::Result<bool> {
        while self.encoder.len() < PIECE_BYTES && !self.is_full() {
            self.line.clear();
            if !self.feed.write_event(&mut self.line) {
                return Ok(true);
            }
            self.n_events += 1;
            self.encoder.write(&self.line)?;
        }
        Ok(false)
    }

    fn is_full(&self) -> bool {
        let expansion = if self.encoder.is_plain() { EXPANSION } else { 1 };
        self.n_bytes + self.encoder.len() as u64 >= self.feed.request_size.saturating_mul(expansion)
    }

    /// Has the thread something else to do than to wait for events?
    fn is_wanted_back(&self, now: Instant) -> bool {
        !self.waits || self.feed.next_poll.is_some_and(|at| at <= now)
    }

    fn take_piece(&mut self) {
        self.piece = self.encoder.take();
        self.n_read = 0;
        self.n_bytes += self.piece.len() as u64;
    }

    fn wait(&self, now: Instant) {
        let until = self.feed.next_timer().map_or(self.deadline, |timer| timer.min(self.deadline));
        let queue = &self.feed.core.queue;
        queue.sleep(until.saturating_duration_since(now));
        if !queue.is_empty() {
            std::thread::park_timeout(WINDOW.min(self.deadline.saturating_duration_since(Instant::now())));
        }
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.n_read == self.piece.len() && self.stage != Stage::Ended {
            self.produce()?;
        }
        let n = (&self.piece[self.n_read..]).read(buffer)?;
        self.n_read += n;
        Ok(n)
    }
}

enum Encoder {
    Plain(Vec<u8>),
    /// Boxed: its state is some hundred bytes.
    Gzip {
        stream: Box<GzEncoder<Vec<u8>>>,
        is_flushed: bool,
    },
}

impl Encoder {
    fn gzip() -> Self {
        Self::Gzip { stream: Box::new(GzEncoder::new(Vec::new(), Compression::fast())), is_flushed: true }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.extend_from_slice(bytes),
            Self::Gzip { .. } if bytes.is_empty() => {}
            Self::Gzip { stream, is_flushed } => {
                stream.write_all(bytes)?;
                *is_flushed = false;
            }
        }
        Ok(())
    }

    /// Brings out all that was written, so that the server can read it.
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip { stream, is_flushed } if !*is_flushed => {
                *is_flushed = true;
                stream.flush()
            }
            Self::Gzip { .. } | Self::Plain(_) => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip { stream, .. } => stream.try_finish(),
            Self::Plain(_) => Ok(()),
        }
    }

    fn out(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Plain(out) => out,
            Self::Gzip { stream, .. } => stream.get_mut(),
        }
    }

    fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Bytes that are ready.
    fn len(&self) -> usize {
        match self {
            Self::Plain(out) => out.len(),
            Self::Gzip { stream, .. } => stream.get_ref().len(),
        }
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.out())
    }
}
