//! `baggage`: what the application says to all that take part in a trace.

use crate::wildcard::{WildcardMatcher, any_match};

/// Most bytes of baggage that are read and passed on (W3C Baggage §3.3.2 asks for 8192). Members that do not fit any more are
/// dropped whole.
const MAX_BYTES: usize = 8192;
/// Most members (W3C Baggage §3.3.2 asks for 64).
const MAX_MEMBERS: usize = 64;

/// The header in one line, members as they came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Baggage(String);

impl Baggage {
    /// Reads the header, which may come in several lines. Members without a name or with characters that no header carries
    /// are passed over. `None` if nothing is left.
    pub(super) fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut kept = String::new();
        let members = lines.into_iter().flat_map(|line| line.split(',')).map(str::trim);
        for member in members.filter(|member| split(member).is_some()).take(MAX_MEMBERS) {
            if kept.len() + member.len() + 1 > MAX_BYTES {
                break;
            }
            if !kept.is_empty() {
                kept.push(',');
            }
            kept.push_str(member);
        }
        (!kept.is_empty()).then_some(Self(kept))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Names and decoded values of the members whose name one of `baggage_to_attach` matches. Properties are left out.
    pub(crate) fn attached<'a>(
        &'a self,
        matchers: &'a [WildcardMatcher],
    ) -> impl Iterator<Item = (&'a str, String)> + 'a {
        self.0
            .split(',')
            .filter_map(split)
            .filter(|(name, _)| any_match(matchers, name))
            .map(|(name, value)| (name, percent_decoded(value)))
    }
}

/// Name and value of a member, `None` if it is none.
fn split(member: &str) -> Option<(&str, &str)> {
    if !member.bytes().all(|b| matches!(b, 0x20..=0x7e | b'\t')) {
        return None;
    }
    let (name, value) = member.split(';').next()?.split_once('=')?;
    let name = name.trim();
    (!name.is_empty() && !name.contains([' ', '\t'])).then(|| (name, value.trim()))
}

/// Replaces `%41` by `A`. What is no UTF-8 then becomes U+FFFD; a `%` without digits stays.
fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digit = |index: usize| after.get(index).and_then(|b| char::from(*b).to_digit(16));
        if first == b'%'
            && let (Some(high), Some(low)) = (digit(0), digit(1))
        {
            decoded.push((high << 4 | low) as u8);
            rest = after.get(2..).unwrap_or_default();
        } else {
            decoded.push(first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
