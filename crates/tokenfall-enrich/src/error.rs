//! Which errors are the same error, and what it is called.

use tokenfall_model::Document;
use tokenfall_model::document::{Error, Frame};
use xxhash_rust::xxh64::Xxh64;

/// Sets grouping key, group name and message of an error.
pub(crate) fn group(document: &mut Document) {
    let Some(error) = &mut document.error else { return };
    error.grouping_key = Some(grouping_key(error));
    let logged = error.log.as_ref().and_then(|log| log.message.as_ref());
    let message = logged.or_else(|| error.exception.first()?.message.as_ref()).cloned();
    error.grouping_name = message.clone().or_else(|| error.message.clone()).or_else(|| document.message.clone());
    if message.is_some() {
        document.message = message;
    }
}

/// xxHash64 of what stays the same between occurrences: the types, the parametrised message, and the frames; only where there
/// is nothing of these, the messages. Line numbers and the service take no part.
///
/// An error that came as a log record has a type and a stack trace of text instead; Elastic's server puts all of those into one
/// group.
fn grouping_key(error: &Error) -> String {
    let mut hash = Hash { state: Xxh64::new(0), written: false };
    for exception in &error.exception {
        hash.text(exception.kind.as_deref());
    }
    let log = error.log.as_deref();
    hash.text(log.and_then(|log| log.param_message.as_deref()));
    let mut has_frames = false;
    for exception in &error.exception {
        has_frames |= hash.frames(&exception.stacktrace);
    }
    if !has_frames && let Some(log) = log {
        hash.frames(&log.stacktrace);
    }
    hash.text(error.kind.as_deref());
    hash.stack_trace(error.stack_trace.as_deref().unwrap_or_default());
    if !hash.written {
        for exception in &error.exception {
            hash.text(exception.message.as_deref());
        }
        if !hash.written {
            hash.text(log.and_then(|log| log.message.as_deref()));
            hash.text(error.message.as_deref().or(error.stack_trace.as_deref()));
        }
    }
    format!("{:016x}", hash.state.digest())
}

struct Hash {
    state: Xxh64,
    written: bool,
}

impl Hash {
    fn text(&mut self, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.state.update(text.as_bytes());
            self.written = true;
        }
    }

    /// Frames of a stack trace of text. In the traces of all common languages they are the indented lines; what is not indented
    /// is the message, and numbers are positions.
    fn stack_trace(&mut self, text: &str) {
        for line in text.lines().filter(|line| line.starts_with([' ', '\t'])) {
            line.trim().split(|c: char| c.is_ascii_digit()).for_each(|part| self.text(Some(part)));
        }
    }

    /// True if a frame contributed.
    fn frames(&mut self, frames: &[Frame]) -> bool {
        let before = std::mem::take(&mut self.written);
        for frame in frames.iter().filter(|frame| !frame.exclude_from_grouping) {
            let place = [&frame.module, &frame.filename, &frame.classname];
            self.text(place.into_iter().find_map(|name| name.as_deref().filter(|name| !name.is_empty())));
            self.text(frame.function.as_deref());
        }
        let contributed = self.written;
        self.written |= before;
        contributed
    }
}

#[cfg(test)]
mod tests {
    use tokenfall_model::document::{ErrorLog, Exception};

    use super::*;

    fn exception(kind: &str) -> Exception {
        Exception { kind: Some(kind.into()), ..Exception::default() }
    }

    #[test]
    fn keys_are_elastics() {
        // Keys that Elastic's server gave to the same errors.
        let mut error = Error { exception: vec![exception("T")], ..Error::default() };
        assert_eq!(grouping_key(&error), "5b4d6af247a3cf7b");
        error.exception = ["A", "B", "C", "D"].map(exception).to_vec();
        assert_eq!(grouping_key(&error), "0aa126ef3f719c6e");
        let log = ErrorLog { message: Some("only".into()), ..ErrorLog::default() };
        let logged = Error { log: Some(Box::new(log)), ..Error::default() };
        assert_eq!(grouping_key(&logged), "620dcc673c7c4a0c");
        assert_eq!(grouping_key(&Error::default()), "ef46db3751d8e999");
    }

    #[test]
    fn errors_from_logs_are_told_apart() {
        let error = |kind: &str| Error { kind: Some(kind.into()), ..Error::default() };
        assert_ne!(grouping_key(&error("A")), grouping_key(&error("B")));
        let trace = |message: &str, frame: &str| {
            let stack_trace = Some(format!("java.lang.X: {message}\n\tat shop.{frame}(Shop.java:12)"));
            grouping_key(&Error { stack_trace, ..error("java.lang.X") })
        };
        assert_eq!(trace("user 1", "find"), trace("user 2", "find"));
        assert_ne!(trace("user 1", "find"), trace("user 1", "save"));
        let logged = |message: &str| Error { message: Some(message.into()), ..Error::default() };
        assert_ne!(grouping_key(&logged("A")), grouping_key(&logged("B")));
    }
}
