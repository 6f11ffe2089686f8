//! Documents with a term that begins with or contains a text: a walk over the dictionary.

use std::sync::Arc;

use tantivy::query::{AutomatonWeight, EnableScoring, Query, Weight};
use tantivy::schema::Field;
use tantivy_fst::Automaton;

/// Matches documents that have a term which begins with `start` and contains `part` somewhere behind it.
#[derive(Clone, Debug)]
pub(super) struct TermPartQuery {
    field: Field,
    pattern: Arc<Pattern>,
}

impl TermPartQuery {
    /// Makes the query from the bytes of terms.
    pub(super) fn new(field: Field, start: &[u8], part: &[u8]) -> Self {
        Self { field, pattern: Arc::new(Pattern::new(start, part)) }
    }
}

impl Query for TermPartQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let pattern = Arc::clone(&self.pattern);
        // The last argument limits the walk to the terms that begin with these bytes.
        Ok(Box::new(if self.pattern.start.is_empty() {
            AutomatonWeight::<Pattern>::new(self.field, pattern)
        } else {
            AutomatonWeight::<Pattern>::new_for_json_path(self.field, pattern, &self.pattern.start)
        }))
    }
}

#[derive(Debug)]
struct Pattern {
    start: Box<[u8]>,
    part: Box<[u8]>,
    /// Knuth, Morris and Pratt: length of the longest end of `part[..=i]` that is also a beginning of `part`.
    border: Box<[usize]>,
}

impl Pattern {
    fn new(start: &[u8], part: &[u8]) -> Self {
        let mut border = vec![0; part.len()];
        let mut length = 0;
        for i in 1..part.len() {
            while length > 0 && part[i] != part[length] {
                length = border[length - 1];
            }
            if part[i] == part[length] {
                length += 1;
            }
            border[i] = length;
        }
        Self { start: start.into(), part: part.into(), border: border.into() }
    }
}

/// Bytes of `start` and then of `part` that are matched; `None` if the term cannot match any more.
impl Automaton for Pattern {
    type State = Option<usize>;

    fn start(&self) -> Self::State {
        Some(0)
    }

    fn is_match(&self, state: &Self::State) -> bool {
        *state == Some(self.start.len() + self.part.len())
    }

    fn can_match(&self, state: &Self::State) -> bool {
        state.is_some()
    }

    fn will_always_match(&self, state: &Self::State) -> bool {
        self.is_match(state)
    }

    fn accept(&self, state: &Self::State, byte: u8) -> Self::State {
        let matched = (*state)?;
        if let Some(expected) = self.start.get(matched) {
            return (*expected == byte).then_some(matched + 1);
        }
        let mut length = matched - self.start.len();
        if length == self.part.len() {
            return Some(matched);
        }
        while length > 0 && self.part[length] != byte {
            length = self.border[length - 1];
        }
        if self.part[length] == byte {
            length += 1;
        }
        Some(self.start.len() + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(start: &str, part: &str, term: &str) -> bool {
        let pattern = Pattern::new(start.as_bytes(), part.as_bytes());
        let end = term.bytes().fold(pattern.start(), |state, byte| pattern.accept(&state, byte));
        pattern.is_match(&end)
    }

    #[test]
    fn finds_what_contains_finds() {
        for term in ["", "a", "aab", "abab", "aabaab", "xaabaabaax", "bbbb", "ba"] {
            for part in ["", "a", "aa", "ab", "aabaa", "abb", "aabaabaa"] {
                assert_eq!(matches("", part, term), term.contains(part), "{part:?} in {term:?}");
                assert_eq!(
                    matches("a", part, term),
                    term.strip_prefix('a').is_some_and(|rest| rest.contains(part)),
                    "a then {part:?} in {term:?}"
                );
            }
        }
    }
}
