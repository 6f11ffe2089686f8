//! Writes JSON objects, without what is absent, empty or no number.

use serde::Serialize;

use crate::limits::{KEYWORD_CHARS, truncate};

/// An object that is being written.
#[derive(Debug)]
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

/// Appends an object. True if it has an entry.
pub(super) fn object(out: &mut Vec<u8>, write: impl FnOnce(&mut Object<'_>)) -> bool {
    out.push(b'{');
    let mut object = Object { out: &mut *out, is_empty: true };
    write(&mut object);
    let is_empty = object.is_empty;
    out.push(b'}');
    !is_empty
}

/// Appends a value. False if it cannot be written.
pub(super) fn json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> bool {
    serde_json::to_writer(out, value).is_ok()
}

impl Object<'_> {
    /// Writes an entry. If `write` says false, it was never there.
    fn entry(&mut self, key: &'static str, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        let before = self.out.len();
        if !self.is_empty {
            self.out.push(b',');
        }
        // Keys of the protocol need no escapes.
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.settle(before, write);
    }

    /// The same with a key that came from the program.
    pub(super) fn named(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        let before = self.out.len();
        if !self.is_empty {
            self.out.push(b',');
        }
        let key_is_written = json(self.out, key);
        self.out.push(b':');
        self.settle(before, |out| key_is_written && write(out));
    }

    fn settle(&mut self, before: usize, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        if write(self.out) {
            self.is_empty = false;
        } else {
            self.out.truncate(before);
        }
    }

    /// An id, a whole number, true or false, or nothing.
    pub(super) fn value(&mut self, key: &'static str, value: impl Serialize) {
        self.entry(key, |out| {
            let before = out.len();
            json(out, &value) && out.get(before..) != Some(b"null")
        });
    }

    /// A number, unless it is infinite or none.
    pub(super) fn number(&mut self, key: &'static str, value: impl Into<Option<f64>>) {
        if let Some(value) = value.into().filter(|value| value.is_finite()) {
            self.entry(key, |out| json(out, &value));
        }
    }

    /// Text of at most `max` characters.
    pub(super) fn text<'t>(&mut self, key: &'static str, text: impl Into<Option<&'t str>>, max: usize) {
        if let Some(text) = text.into() {
            self.entry(key, |out| json(out, truncate(text, max).as_ref()));
        }
    }

    /// Text of at most [`KEYWORD_CHARS`] characters.
    pub(super) fn keyword<'t>(&mut self, key: &'static str, text: impl Into<Option<&'t str>>) {
        self.text(key, text, KEYWORD_CHARS);
    }

    /// An object, unless it stays empty.
    pub(super) fn object(&mut self, key: &'static str, write: impl FnOnce(&mut Object<'_>)) {
        self.entry(key, |out| object(out, write));
    }

    /// A list of objects, unless it stays empty.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        items: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Object<'_>, T),
    ) {
        self.entry(key, |out| elements(out, items, |out, item| object(out, |o| write(o, item))));
    }
}

/// Appends a list of the elements that `write` does not say false of. True if there is one.
pub(super) fn elements<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut Vec<u8>, T) -> bool,
) -> bool {
    let mut is_empty = true;
    out.push(b'[');
    for item in items {
        let before = out.len();
        if !is_empty {
            out.push(b',');
        }
        if write(out, item) {
            is_empty = false;
        } else {
            out.truncate(before);
        }
    }
    out.push(b']');
    !is_empty
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Object<'_>)) -> String {
        let mut out = Vec::new();
        object(&mut out, write);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn what_is_absent_empty_or_no_number_is_left_out() {
        let text = written(|o| {
            o.object("empty", |o| o.object("too", |_| {}));
            o.value("id", None::<u8>);
            o.number("nan", f64::NAN);
            o.number("half", 0.5);
            o.list("none", [1, 2], |_, _| {});
            o.list("some", [1, 2, 3], |o, n| {
                if n != 2 {
                    o.value("n", n);
                }
            });
            o.object("outer", |o| o.value("inner", true));
            o.number("infinite", f64::INFINITY);
        });
        assert_eq!(text, r#"{"half":0.5,"some":[{"n":1},{"n":3}],"outer":{"inner":true}}"#);
    }

    #[test]
    fn texts_and_keys_are_escaped_and_cut() {
        let text = written(|o| {
            o.text("text", "a\"\n\u{1}bc", 5);
            o.named("k\"ey", |out| json(out, &1));
        });
        assert_eq!(text, r#"{"text":"a\"\n\u0001…","k\"ey":1}"#);
    }
}
