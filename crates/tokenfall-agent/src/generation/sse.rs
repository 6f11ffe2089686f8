//! Bytes of a streamed answer → the data of its events, however the bytes are cut. No I/O.
//!
//! Reads server-sent events (HTML standard §9.2.6: `data:` lines, an empty line ends an event, `\n`, `\r\n` or `\r` end a line) and
//! newline-delimited JSON (a line that begins with `{` is an event).

/// Longest event that is read, in bytes; longer ones are passed over.
const MAX_EVENT_BYTES: usize = 1 << 20;

/// Splits a stream of bytes into events.
///
/// ```
/// use tokenfall_agent::generation::EventReader;
///
/// let mut events = Vec::new();
/// let mut reader = EventReader::new();
/// for bytes in ["data: {\"a\"", ":1}\n", "\ndata: [DONE]\n\n"] {
///     reader.read(bytes.as_bytes(), |data| events.push(String::from_utf8_lossy(data).into_owned()));
/// }
/// assert_eq!(events, ["{\"a\":1}", "[DONE]"]);
/// ```
#[derive(Debug, Default)]
pub struct EventReader {
    /// Beginning of a line of which the end has not come yet.
    line: Vec<u8>,
    /// Data of the event so far.
    data: Vec<u8>,
    has_data: bool,
    /// The line or the event is too long: its rest is passed over.
    is_too_long: bool,
    /// The last line ended with `\r`: a `\n` that follows belongs to it.
    after_return: bool,
}

impl EventReader {
    /// A reader at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads some bytes and calls `event` with the data of each event that they complete.
    pub fn read(&mut self, bytes: &[u8], mut event: impl FnMut(&[u8])) {
        let mut rest = bytes;
        if self.after_return && !rest.is_empty() {
            self.after_return = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            let (head, tail) = rest.split_at(end);
            if self.line.is_empty() {
                self.line_ended(head, &mut event);
            } else {
                self.keep(head);
                let mut line = std::mem::take(&mut self.line);
                self.line_ended(&line, &mut event);
                line.clear();
                self.line = line;
            }
            rest = match tail {
                [b'\r'] => {
                    self.after_return = true;
                    &[]
                }
                [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
                [] => &[],
            };
        }
        self.keep(rest);
    }

    /// Ends the stream: a last event without an empty line after it counts, too.
    pub fn finish(&mut self, mut event: impl FnMut(&[u8])) {
        let line = std::mem::take(&mut self.line);
        self.line_ended(&line, &mut event);
        self.line_ended(b"", &mut event);
    }

    fn keep(&mut self, part: &[u8]) {
        if part.is_empty() {
            return;
        }
        if self.is_too_long || self.line.len() + part.len() > MAX_EVENT_BYTES {
            self.is_too_long = true;
            self.line.clear();
            // A comment, not an empty line: that would end the event.
            self.line.push(b':');
        } else {
            self.line.extend_from_slice(part);
        }
    }

    fn line_ended(&mut self, line: &[u8], event: &mut impl FnMut(&[u8])) {
        if line.is_empty() {
            if self.has_data && !self.is_too_long {
                event(&self.data);
            }
            self.data.clear();
            (self.has_data, self.is_too_long) = (false, false);
        } else if let Some(data) = line.strip_prefix(b"data:") {
            let data = data.strip_prefix(b" ").unwrap_or(data);
            if self.data.len() + data.len() > MAX_EVENT_BYTES {
                self.is_too_long = true;
            }
            if self.is_too_long {
                return;
            }
            if self.has_data {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data);
            self.has_data = true;
        } else if line.first() == Some(&b'{') && !self.is_too_long {
            event(line);
        } else if !self.has_data {
            // A line that was too long and no data, such as JSON.
            self.is_too_long = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(parts: &[&[u8]]) -> Vec<String> {
        let mut events = Vec::new();
        let mut reader = EventReader::new();
        for part in parts {
            reader.read(part, |data| events.push(String::from_utf8_lossy(data).into_owned()));
        }
        reader.finish(|data| events.push(String::from_utf8_lossy(data).into_owned()));
        events
    }

    #[test]
    fn lines_end_in_three_ways() {
        for text in ["data: a\n\ndata:b\n\n", "data: a\r\n\r\ndata:b\r\n\r\n", "data: a\r\rdata:b\r\r"] {
            assert_eq!(events(&[text.as_bytes()]), ["a", "b"], "{text:?}");
        }
    }

    #[test]
    fn fields_other_than_data_are_passed_over() {
        let text = ": keep-alive\n\nevent: ping\ndata: {\"type\":\"ping\"}\nid: 7\nretry: 10\n\ndata\n\nid: 8\n\n";
        assert_eq!(events(&[text.as_bytes()]), ["{\"type\":\"ping\"}"]);
    }

    #[test]
    fn data_may_have_several_lines_and_no_end() {
        assert_eq!(events(&[b"data: a\ndata: b\n\ndata: c"]), ["a\nb", "c"]);
    }

    #[test]
    fn lines_of_json_are_events() {
        assert_eq!(events(&[b"{\"done\":false}\n{\"done\":true}\n"]), ["{\"done\":false}", "{\"done\":true}"]);
        assert_eq!(events(&[b"{\"done\":false}\n{\"done\":true}"]), ["{\"done\":false}", "{\"done\":true}"]);
    }

    #[test]
    fn what_is_too_long_is_passed_over_and_forgotten() {
        let mut reader = EventReader::new();
        let mut events = Vec::new();
        let mut read = |reader: &mut EventReader, bytes: &[u8]| {
            reader.read(bytes, |data| events.push(data.to_vec()));
        };
        read(&mut reader, b"data: ");
        for _ in 0..40 {
            read(&mut reader, &vec![b'x'; 1 << 16]);
            assert!(reader.line.len() <= MAX_EVENT_BYTES);
        }
        read(&mut reader, b"\n\ndata: next\n\n");
        for _ in 0..40 {
            read(&mut reader, b"data: ");
            read(&mut reader, &vec![b'x'; 1 << 16]);
            read(&mut reader, b"\n");
            assert!(reader.data.len() <= MAX_EVENT_BYTES + 40);
        }
        read(&mut reader, b"\ndata: last\n\n");
        assert_eq!(events, [b"next".to_vec(), b"last".to_vec()]);
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_events(
            lines in prop::collection::vec(
                prop_oneof![
                    Just(""), Just("data: {\"a\":1}"), Just("data:b"), Just("event: x"), Just(": ping"), Just("data: ä€"),
                    Just("{\"done\":true}"), Just("data: [DONE]"), Just("data")
                ],
                0..20,
            ),
            ends in prop::collection::vec(prop_oneof![Just("\n"), Just("\r\n"), Just("\r")], 20),
            cuts in prop::collection::vec(1_usize..9, 0..80),
        ) {
            let text: String = lines.iter().zip(&ends).flat_map(|(line, end)| [*line, *end]).collect();
            let whole = events(&[text.as_bytes()]);
            let mut parts = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts {
                let (part, after) = rest.split_at(cut.min(rest.len()));
                parts.push(part);
                rest = after;
            }
            parts.push(rest);
            prop_assert_eq!(events(&parts), whole);
        }
    }
}
