//! What an error value says of itself.

use std::error::Error;
use std::fmt::{self, Write as _};

use crate::event::{Exception, Text};
use crate::limits::{CAUSES, KEYWORD_CHARS};

/// Describes an error and its causes. Messages are kept up to `max_chars` characters, and no more of them is ever made.
pub(crate) fn exception<E: Error + ?Sized>(error: &E, max_chars: usize) -> Exception {
    let (module, kind) = named(std::any::type_name::<E>()).unwrap_or_else(|| debugged(format_args!("{error:?}")));
    let mut causes: Vec<Exception> = Vec::new();
    let mut addresses = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source
        && causes.len() < CAUSES
    {
        let address = std::ptr::from_ref(cause).cast::<()>();
        let described = describe(cause, max_chars);
        // The first field of an error can have its address: only the same words as well are the same error.
        let is_known = |(before, known): (&Exception, &*const ())| {
            *known == address && before.message == described.message && before.kind == described.kind
        };
        if causes.iter().zip(&addresses).any(is_known) {
            break;
        }
        causes.push(described);
        addresses.push(address);
        source = cause.source();
    }
    let message = text(format_args!("{error}"), max_chars);
    Exception { message, kind: Some(kind), module, causes, handled: true, ..Exception::default() }
}

/// Describes a cause.
fn describe(cause: &(dyn Error + 'static), max_chars: usize) -> Exception {
    let (mut module, mut kind) = debugged(format_args!("{cause:?}"));
    let mut code = None;
    // Its `Debug` begins with what it holds.
    if let Some(error) = cause.downcast_ref::<std::io::Error>() {
        (module, kind) = (Some(Text::Borrowed("std::io::error")), Text::Borrowed("Error"));
        code = error.raw_os_error().map(|code| code.to_string().into());
    }
    let message = text(format_args!("{cause}"), max_chars);
    Exception { message, kind: Some(kind), module, code, handled: true, ..Exception::default() }
}

/// Module and type of a type's name; `None` if that is a `dyn Error`.
fn named(name: &'static str) -> Option<(Option<Text>, Text)> {
    let mut name = name;
    let wrappers = ["alloc::boxed::Box<", "alloc::sync::Arc<", "alloc::rc::Rc<"];
    loop {
        if let Some(inner) = name.strip_prefix('&') {
            name = inner.strip_prefix("mut ").unwrap_or(inner);
        } else if let Some(inner) = wrappers.iter().find_map(|wrapper| name.strip_prefix(wrapper)?.strip_suffix('>')) {
            name = inner;
        } else {
            break;
        }
    }
    if name.starts_with("dyn ") {
        return None;
    }
    let path = name.split('<').next().unwrap_or(name);
    let module = path.rsplit_once("::").map(|(module, _)| Text::Borrowed(module));
    Some((module, without_paths(name).into()))
}

/// `a::Outer<b::Inner>` → `Outer<Inner>`
fn without_paths(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut word = 0;
    for c in name.chars() {
        match c {
            ':' => short.truncate(word),
            _ => short.push(c),
        }
        if !(c.is_alphanumeric() || matches!(c, '_' | ':')) {
            word = short.len();
        }
    }
    short
}

/// Module and type that the `Debug` output of an error begins with: `Timeout`, `Os { … }`, `reqwest::Error { … }`. `Error` if
/// that looks like no type.
fn debugged(debug: fmt::Arguments<'_>) -> (Option<Text>, Text) {
    let mut start = Start::default();
    // An error says that enough was seen.
    let is_whole = start.write_fmt(debug).is_ok();
    let Start { text, after } = start;
    let ends_like_a_type = match after.as_str() {
        "" => is_whole,
        " {" => true,
        after => after.starts_with(['(', '{', '<', '[']),
    };
    let (module, kind) = text.rsplit_once("::").map_or((None, text.as_str()), |(module, kind)| (Some(module), kind));
    if !ends_like_a_type || !kind.starts_with(char::is_uppercase) || kind.contains(':') {
        return (None, Text::Borrowed("Error"));
    }
    (module.map(|module| module.to_owned().into()), kind.to_owned().into())
}

/// Takes the name at the beginning of a text and at most two characters after it, then stops whoever writes.
#[derive(Default)]
struct Start {
    text: String,
    after: String,
}

impl fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            let is_name = c.is_alphanumeric() || matches!(c, '_' | ':');
            if is_name && self.after.is_empty() && self.text.len() < KEYWORD_CHARS {
                self.text.push(c);
            } else {
                self.after.push(c);
                if self.after != " " {
                    return Err(fmt::Error);
                }
            }
        }
        Ok(())
    }
}

/// The first `max_chars` characters of a text, and one more if there are more: the encoder sees then that something was cut.
pub(super) fn text(display: fmt::Arguments<'_>, max_chars: usize) -> Text {
    if let Some(literal) = display.as_str() {
        return Text::Borrowed(literal);
    }
    let mut message = Bounded { text: String::new(), left: max_chars.saturating_add(1) };
    // A `Display` that fails has still said something.
    message.write_fmt(display).ok();
    message.text.into()
}

/// Keeps the first characters of a text.
struct Bounded {
    text: String,
    left: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars().take(self.left) {
            self.text.push(c);
            self.left -= 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_come_apart() {
        let check = |name, expect: Option<(Option<&str>, &str)>| {
            let found = named(name);
            assert_eq!(found.as_ref().map(|(module, kind)| (module.as_deref(), kind.as_ref())), expect, "{name}");
        };
        check("Plain", Some((None, "Plain")));
        check("core::num::error::ParseIntError", Some((Some("core::num::error"), "ParseIntError")));
        check("a::Outer<b::Inner<c::D>, &e::F>", Some((Some("a"), "Outer<Inner<D>, &F>")));
        check("&alloc::boxed::Box<a::B>", Some((Some("a"), "B")));
        check("alloc::sync::Arc<dyn core::error::Error>", None);
        check("dyn core::error::Error + core::marker::Send", None);
    }

    #[test]
    fn debug_output_begins_with_a_type_or_not() {
        let check = |debug: &str, module: Option<&str>, kind: &str| {
            let found = debugged(format_args!("{debug}"));
            assert_eq!((found.0.as_deref(), found.1.as_ref()), (module, kind), "{debug}");
        };
        check("Timeout", None, "Timeout");
        check("Kind(NotFound)", None, "Kind");
        check("reqwest::Error { kind: Request }", Some("reqwest"), "Error");
        check("Connection refused", None, "Error");
        check("\"text\"", None, "Error");
        check("timeout", None, "Error");
        check("Timeout ", None, "Error");
        check("", None, "Error");
        check("Failed: no", None, "Error");
    }

    #[test]
    fn long_debug_output_is_not_written_in_full() {
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("Endless {")?;
                loop {
                    f.write_str("and so on")?;
                }
            }
        }
        assert_eq!(debugged(format_args!("{Endless:?}")).1, "Endless");
    }
}
