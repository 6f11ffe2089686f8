//! Words and signs of SQL, for all dialects at once.

use std::iter::Peekable;
use std::str::CharIndices;

/// Unclosed dollar quotes after which none is looked for any more: each costs a look at the whole rest.
const MAX_UNCLOSED_DOLLAR_QUOTES: u8 = 8;

/// A word or a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// As it was written; of quoted names what is between the quotes.
    pub(super) text: &'a str,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Comment,
    Ident,
    Number,
    String,
    Period,
    LeftParenthesis,
    RightParenthesis,
    As,
    Call,
    Delete,
    From,
    Insert,
    Into,
    Or,
    Replace,
    Select,
    Set,
    Update,
    Other,
}

const KEYWORDS: [(&str, Kind); 11] = [
    ("AS", Kind::As),
    ("CALL", Kind::Call),
    ("DELETE", Kind::Delete),
    ("FROM", Kind::From),
    ("INSERT", Kind::Insert),
    ("INTO", Kind::Into),
    ("OR", Kind::Or),
    ("REPLACE", Kind::Replace),
    ("SELECT", Kind::Select),
    ("SET", Kind::Set),
    ("UPDATE", Kind::Update),
];

impl Kind {
    /// The specification's name.
    #[cfg(test)]
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Comment => "COMMENT",
            Self::Ident => "IDENT",
            Self::Number => "NUMBER",
            Self::String => "STRING",
            Self::Period => "PERIOD",
            Self::LeftParenthesis => "LPAREN",
            Self::RightParenthesis => "RPAREN",
            Self::Other => "OTHER",
            keyword => KEYWORDS.iter().find(|(_, kind)| *kind == keyword).map_or("", |(word, _)| word),
        }
    }
}

/// The tokens of a statement.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    unclosed_dollar_quotes: u8,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(statement: &'a str) -> Self {
        Self { rest: statement, unclosed_dollar_quotes: 0 }
    }

    /// Takes `n_bytes`, all of them if there are not so many.
    fn take(&mut self, n_bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(n_bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn token(&mut self, kind: Kind, n_bytes: usize) -> Token<'a> {
        Token { kind, text: self.take(n_bytes) }
    }

    /// Bytes from the start for which `belongs` holds.
    fn span_of(&self, belongs: impl Fn(char) -> bool) -> usize {
        self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len())
    }

    fn word(&mut self) -> Token<'a> {
        let text = self.take(self.span_of(is_in_word));
        let keyword = KEYWORDS.iter().find(|(keyword, _)| text.eq_ignore_ascii_case(keyword));
        Token { kind: keyword.map_or(Kind::Ident, |(_, kind)| *kind), text }
    }

    /// A name in quotes, of which a doubled one is part of the name. Without an end the rest of the statement is nothing.
    fn quoted_name(&mut self, close: char) -> Token<'a> {
        let mut chars = self.rest.char_indices().peekable();
        chars.next();
        while let Some((at, c)) = chars.next() {
            if c == close && (close == ']' || chars.next_if(|(_, next)| *next == close).is_none()) {
                let quoted = self.take(at + c.len_utf8());
                return Token { kind: Kind::Ident, text: quoted.get(1..at).unwrap_or_default() };
            }
        }
        self.token(Kind::Other, usize::MAX)
    }

    /// `'text'`, in which `''` and what follows a backslash do not end it.
    fn text(&mut self) -> Token<'a> {
        let mut chars = self.rest.char_indices().peekable();
        chars.next();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => drop(chars.next()),
                '\'' if chars.next_if(|(_, next)| *next == '\'').is_none() => return self.token(Kind::String, at + 1),
                _ => {}
            }
        }
        self.token(Kind::Other, usize::MAX)
    }

    /// `$tag$text$tag$`, a parameter such as `$1`, or a lonely sign.
    fn dollar(&mut self) -> Token<'a> {
        if let Some(n_bytes) = self.dollar_quote() {
            return self.token(Kind::String, n_bytes);
        }
        let n_bytes = self.span_of(is_in_word);
        self.token(Kind::Other, n_bytes)
    }

    fn dollar_quote(&mut self) -> Option<usize> {
        if self.unclosed_dollar_quotes >= MAX_UNCLOSED_DOLLAR_QUOTES {
            return None;
        }
        let after = self.rest.strip_prefix('$')?;
        let n_tag = after.find(|c: char| c != '_' && !c.is_alphanumeric())?;
        let tag_is_name = !after.starts_with(|c: char| c.is_ascii_digit());
        if !tag_is_name || !after.get(n_tag..)?.starts_with('$') {
            return None;
        }
        let (tag, text) = self.rest.split_at_checked(n_tag + 2)?;
        let Some(n_text) = text.find(tag) else {
            self.unclosed_dollar_quotes += 1;
            return None;
        };
        Some(tag.len() + n_text + tag.len())
    }

    /// `/* … */`, which may contain others.
    fn block_comment(&mut self) -> Token<'a> {
        let mut depth = 0_usize;
        let mut chars = self.rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == '/' && next_is(&mut chars, '*') {
                depth += 1;
            } else if c == '*' && next_is(&mut chars, '/') {
                depth -= 1;
                if depth == 0 {
                    return self.token(Kind::Comment, at + 2);
                }
            }
        }
        self.token(Kind::Comment, usize::MAX)
    }

    fn line_comment(&mut self) -> Token<'a> {
        let n_bytes = self.rest.find('\n').unwrap_or(self.rest.len());
        self.token(Kind::Comment, n_bytes)
    }

    /// Digits, a fraction, an exponent.
    fn number(&mut self) -> Token<'a> {
        let bytes = self.rest.as_bytes();
        let digits_from = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let mut end = digits_from(0);
        if bytes.get(end) == Some(&b'.') {
            let n_digits = digits_from(end + 1);
            if n_digits > 0 {
                end += 1 + n_digits;
            }
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let n_signs = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let n_digits = digits_from(end + 1 + n_signs);
            if n_digits > 0 {
                end += 1 + n_signs + n_digits;
            }
        }
        self.token(Kind::Number, end)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.rest = self.rest.trim_start();
        let mut chars = self.rest.chars();
        let (first, second) = (chars.next()?, chars.next());
        Some(match (first, second) {
            ('/', Some('*')) => self.block_comment(),
            ('/', Some('/')) | ('-', Some('-')) => self.line_comment(),
            ('\'', _) => self.text(),
            ('"' | '`', _) => self.quoted_name(first),
            ('[', _) => self.quoted_name(']'),
            ('$', _) => self.dollar(),
            ('.', _) => self.token(Kind::Period, 1),
            ('(', _) => self.token(Kind::LeftParenthesis, 1),
            (')', _) => self.token(Kind::RightParenthesis, 1),
            _ if first.is_ascii_digit() => self.number(),
            _ if first == '_' || first.is_alphabetic() => self.word(),
            _ => self.token(Kind::Other, first.len_utf8()),
        })
    }
}

fn is_in_word(c: char) -> bool {
    matches!(c, '_' | '$') || c.is_alphanumeric()
}

fn next_is(chars: &mut Peekable<CharIndices<'_>>, expect: char) -> bool {
    chars.next_if(|(_, c)| *c == expect).is_some()
}
