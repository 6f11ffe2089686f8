//! Limits of the intake protocol and of the agent.

use std::borrow::Cow;

/// Most characters of keyword fields and label values (agent specification, "field limits").
pub(crate) const KEYWORD_CHARS: usize = 1024;

/// The text with at most `max` characters; what is cut ends in `…`.
pub(crate) fn truncate(text: &str, max: usize) -> Cow<'_, str> {
    // There are at least as many bytes as characters.
    if text.len() <= max || text.chars().nth(max).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().take(max.saturating_sub(1)).chain(['…']).collect())
}
