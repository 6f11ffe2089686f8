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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns() {
        for (pattern, matching, others) in [
            ("", &[""][..], &["a", " "][..]),
            ("*", &["", "a", "any thing", "*"][..], &[][..]),
            ("foo", &["foo", "FOO", "Foo"], &["", "fo", "foob", "xfoo", "f*o"]),
            ("foo*", &["foo", "foobar", "FOO/1"], &["xfoo", "fo"]),
            ("*foo", &["foo", "barfoo", "foofoo"], &["foox", "fo"]),
            ("*foo*", &["foo", "xfoox", "foofoo"], &["fo", "f-o-o"]),
            ("*foo*oo*", &["foooo", "fooXoo", "xfoo oox"], &["foo", "foo-o"]),
            ("a*b*c", &["abc", "aXbYc", "abbcc"], &["acb", "ab", "abcd"]),
            ("*:*", &[":", "a:b", "::"], &["ab"]),
            ("**", &["", "a"], &[]),
            ("a**b", &["ab", "axb"], &["a", "b"]),
            ("/api/*/resource*", &["/api/v1/resource", "/api/a/b/resources"], &["/api/resource", "/api/v1/res"]),
            ("(?-i)foo", &["foo"], &["Foo", "FOO"]),
            ("(?-i)*Foo*", &["xFoox"], &["xfoox", "xFOOx"]),
            ("(?-i)", &[""], &["a"]),
            ("a.c", &["a.c"], &["abc"]),
            ("a?c", &["a?c"], &["abc"]),
            ("[ab]", &["[ab]"], &["a"]),
            ("straße*", &["Straße 1", "STRAßE"], &["strasse"]),
            ("ä*", &["Ähre"], &["a"]),
            ("*😀", &["x😀"], &["😀x"]),
        ] {
            let matcher = WildcardMatcher::new(pattern);
            for text in matching {
                assert!(matcher.matches(text), "`{pattern}` should match `{text}`");
            }
            for text in others {
                assert!(!matcher.matches(text), "`{pattern}` should not match `{text}`");
            }
        }
    }

    #[test]
    fn lists_leave_out_what_is_empty() {
        let matchers = WildcardMatcher::list(" pass* ,, *token*,");
        assert_eq!(matchers.len(), 2);
        assert!(any_match(&matchers, "PASSWORD") && any_match(&matchers, "my_token_1"));
        assert!(!any_match(&matchers, "user") && !any_match(&[], ""));
    }

    /// The definition, without cleverness.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|n| naive(rest, &text[n..])),
            Some((c, rest)) => text.first() == Some(c) && naive(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn matches_what_the_definition_matches(pattern in "[ab*]{0,8}", text in "[ab]{0,12}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(WildcardMatcher::new(&pattern).matches(&text), naive(&chars(&pattern), &chars(&text)));
        }
    }
}
