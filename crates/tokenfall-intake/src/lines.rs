//! Chunks to lines, with memory bounded by the longest line that is allowed.

/// A line without its line feed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Line<'a> {
    /// The whole line.
    Whole(&'a [u8]),
    /// The first bytes of a line that was longer than allowed; the rest is skipped.
    TooLong(&'a [u8]),
}

/// Splits a body into lines, whatever its chunks.
#[derive(Debug)]
pub(crate) struct LineSplitter {
    /// Start of a line whose end has not come yet; never longer than `bytes_max`.
    partial: Vec<u8>,
    /// True while the rest of an over-long line is being skipped.
    skipping: bool,
    bytes_max: usize,
    /// Lines that have been handed out.
    n_lines: u64,
}

impl LineSplitter {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { partial: Vec::new(), skipping: false, bytes_max, n_lines: 0 }
    }

    /// Hands each line that `chunk` completes to `take`, with its number from 1.
    pub(crate) fn feed(&mut self, mut chunk: &[u8], mut take: impl FnMut(u64, Line<'_>)) {
        while let Some(end) = memchr::memchr(b'\n', chunk) {
            let (head, tail) = chunk.split_at(end);
            chunk = tail.get(1..).unwrap_or_default();
            if self.skipping {
                self.skipping = false;
            } else if self.partial.is_empty() {
                self.n_lines += 1;
                take(self.n_lines, limited(head, self.bytes_max));
            } else if self.extend(head, &mut take) {
                self.skipping = false;
            } else {
                self.n_lines += 1;
                take(self.n_lines, Line::Whole(&self.partial));
                self.partial.clear();
            }
        }
        if !self.skipping {
            self.extend(chunk, &mut take);
        }
    }

    /// Hands out what is left once the body has ended.
    pub(crate) fn finish(&mut self, mut take: impl FnMut(u64, Line<'_>)) {
        if !self.partial.is_empty() {
            self.n_lines += 1;
            take(self.n_lines, Line::Whole(&self.partial));
        }
        self.partial = Vec::new();
        self.skipping = false;
    }

    /// Appends to the partial line; if it becomes too long, reports it, begins to skip and returns true.
    fn extend(&mut self, bytes: &[u8], take: &mut impl FnMut(u64, Line<'_>)) -> bool {
        let room = self.bytes_max - self.partial.len();
        self.partial.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        if bytes.len() <= room {
            return false;
        }
        self.n_lines += 1;
        take(self.n_lines, Line::TooLong(&self.partial));
        self.partial.clear();
        self.skipping = true;
        true
    }
}

fn limited(line: &[u8], bytes_max: usize) -> Line<'_> {
    match line.get(..bytes_max) {
        Some(head) if line.len() > bytes_max => Line::TooLong(head),
        _ => Line::Whole(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(body: &[u8], chunk: usize, bytes_max: usize) -> Vec<(u64, bool, String)> {
        let mut lines = Vec::new();
        let mut take = |number: u64, line: Line<'_>| {
            lines.push(match line {
                Line::Whole(l) => (number, true, String::from_utf8_lossy(l).into_owned()),
                Line::TooLong(l) => (number, false, String::from_utf8_lossy(l).into_owned()),
            });
        };
        let mut splitter = LineSplitter::new(bytes_max);
        for part in body.chunks(chunk) {
            splitter.feed(part, &mut take);
            assert!(splitter.partial.len() <= bytes_max);
        }
        splitter.finish(&mut take);
        lines
    }

    #[test]
    fn chunks_make_no_difference() {
        let body = b"one\n\ntoo long a line\n12345678\n123456789\nlast";
        let whole = split(body, body.len(), 8);
        assert_eq!(
            whole,
            [
                (1, true, "one".into()),
                (2, true, String::new()),
                (3, false, "too long".into()),
                (4, true, "12345678".into()),
                (5, false, "12345678".into()),
                (6, true, "last".into()),
            ]
        );
        for chunk in 1..body.len() {
            assert_eq!(split(body, chunk, 8), whole, "chunks of {chunk}");
        }
    }
}
