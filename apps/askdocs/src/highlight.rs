//! The words of a question in a passage that was found.

use std::collections::HashSet;

use serde::Serialize;

use crate::index::analyzer;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// The text.
    pub text: String,
    /// Is it a word of the question?
    pub marked: bool,
}

/// Cuts a text into parts that are words of the question, by their stems, and parts that are not.
pub fn highlight(question: &str, text: &str) -> Vec<Segment> {
    let mut analyzer = analyzer();
    let mut words = HashSet::new();
    analyzer.token_stream(question).process(&mut |token| {
        words.insert(token.text.clone());
    });
    let mut segments = Vec::new();
    let mut end = 0;
    let mut push = |text: &str, marked| {
        if !text.is_empty() {
            segments.push(Segment { text: text.to_owned(), marked });
        }
    };
    analyzer.token_stream(text).process(&mut |token| {
        if words.contains(&token.text) && token.offset_from >= end {
            push(&text[end..token.offset_from], false);
            push(&text[token.offset_from..token.offset_to], true);
            end = token.offset_to;
        }
    });
    push(&text[end..], false);
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_all_their_forms() {
        let segments = highlight("How do I create indexes?", "Creating an index: CREATE INDEX name");
        let marked: Vec<&str> = segments.iter().filter(|s| s.marked).map(|s| s.text.as_str()).collect();
        assert_eq!(marked, ["Creating", "index", "CREATE", "INDEX"]);
        let whole: String = segments.iter().map(|s| s.text.as_str()).collect();
        assert_eq!(whole, "Creating an index: CREATE INDEX name");
    }
}
