//! Limits of the intake protocol and of the agent.

use std::borrow::Cow;

/// Most bytes of a line, line feed included (Elastic's `max_event_size`). The server refuses a longer one.
pub(crate) const LINE_BYTES: usize = 307_200;

/// Most characters of keyword fields and label values (agent specification, "field limits").
pub(crate) const KEYWORD_CHARS: usize = 1024;

/// Most characters of the callee in the statistics of dropped spans (Elastic's intake schema).
pub(crate) const DROPPED_TARGET_CHARS: usize = 512;

/// Most labels and attributes of an event together. Attributes that the server does not know become labels; with 1024 labels
/// it refuses the event, and those of the metadata count as well.
pub(crate) const LABELS: usize = 960;

/// Most headers of a request or an answer.
pub(crate) const HEADERS: usize = 256;

/// Most links of an event.
pub(crate) const LINKS: usize = 1000;

/// Most causes of an error.
pub(crate) const CAUSES: usize = 16;

/// Deepest nesting of `custom` values. The server takes 100 levels.
pub(crate) const CUSTOM_DEPTH: usize = 64;

/// The text with at most `max` characters; what is cut ends in `…`.
pub(crate) fn truncate(text: &str, max: usize) -> Cow<'_, str> {
    // There are at least as many bytes as characters.
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    if max == 0 {
        return Cow::Borrowed("");
    }
    let mut starts = text.char_indices().map(|(start, _)| start);
    match (starts.nth(max - 1), starts.next()) {
        (Some(last), Some(_)) => Cow::Owned(text.get(..last).unwrap_or_default().to_owned() + "…"),
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_characters_not_bytes() {
        let check = |text: &str, max: usize, expect: &str| assert_eq!(truncate(text, max), expect, "{text} {max}");
        check("", 0, "");
        check("a", 0, "");
        check("a", 1, "a");
        check("ab", 1, "…");
        check("abc", 3, "abc");
        check("abcd", 3, "ab…");
        check("äöü", 3, "äöü");
        check("äöüß", 3, "äö…");
        check("🦀🦀", 2, "🦀🦀");
    }

    #[test]
    fn a_keyword_of_1024_characters_stays_and_of_1025_is_cut() {
        let whole = "ä".repeat(KEYWORD_CHARS);
        assert_eq!(truncate(&whole, KEYWORD_CHARS), whole);
        let long = "ä".repeat(KEYWORD_CHARS + 1);
        let cut = truncate(&long, KEYWORD_CHARS);
        assert_eq!(cut.chars().count(), KEYWORD_CHARS);
        assert_eq!(cut.chars().filter(|c| *c == 'ä').count(), KEYWORD_CHARS - 1);
        assert!(cut.ends_with('…'));
    }
}
