//! Patterns of the configuration: `*` matches any characters, the rest is literal, the whole text must match, case does not
//! matter unless the pattern begins with `(?-i)` (agent specification, "wildcard matcher").

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WildcardMatcher {
    /// As it was written.
    text: Box<str>,
    pattern: Vec<char>,
    case_sensitive: bool,
}

impl WildcardMatcher {
    /// Reads a pattern. Every text is one.
    pub(crate) fn new(pattern: &str) -> Self {
        let text = pattern.into();
        let (pattern, case_sensitive) = match pattern.strip_prefix("(?-i)") {
            Some(rest) => (rest, true),
            None => (pattern, false),
        };
        let fold = |c: char| if case_sensitive { c } else { fold(c) };
        Self { text, pattern: pattern.chars().map(fold).collect(), case_sensitive }
    }

    /// Reads patterns separated by commas; blanks around them and empty ones do not count.
    pub(crate) fn list(patterns: &str) -> Vec<Self> {
        patterns.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()).map(Self::new).collect()
    }

    /// The pattern as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Does the whole text match? Linear in the text for one `*`, at worst the product of both lengths.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text = text.chars().map(|c| if self.case_sensitive { c } else { fold(c) });
        let text: Vec<char> = text.collect();
        let (mut at, mut in_pattern) = (0, 0);
        // Where to go on if what follows the last `*` does not fit: one more character for that `*`.
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.pattern.get(in_pattern) {
                Some('*') => {
                    retry = Some((in_pattern + 1, at));
                    in_pattern += 1;
                }
                Some(c) if *c == text[at] => {
                    at += 1;
                    in_pattern += 1;
                }
                _ => {
                    let Some((after, from)) = retry else { return false };
                    retry = Some((after, from + 1));
                    in_pattern = after;
                    at = from + 1;
                }
            }
        }
        self.pattern[in_pattern..].iter().all(|c| *c == '*')
    }
}

/// Does one of the patterns match?
pub(crate) fn any_match(matchers: &[WildcardMatcher], text: &str) -> bool {
    matchers.iter().any(|matcher| matcher.matches(text))
}

/// Simple case folding: one character stays one.
fn fold(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(folded), None) => folded,
        _ => c,
    }
}
