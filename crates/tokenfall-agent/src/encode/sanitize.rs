//! Headers, cookies and forms without their secrets (agent specification, "data sanitization").
//!
//! What matches `sanitize_field_names` keeps its name and loses its value. Labels are the program's own words and stay.

use std::borrow::Cow;

use crate::event::Text;
use crate::limits::{KEYWORD_CHARS, truncate};
use crate::settings::Settings;
use crate::wildcard::any_match;

use super::rules::Rules;
use super::writer::{Object, elements, json};

/// What stands in place of a secret.
const REDACTED: &str = "[REDACTED]";

/// Writes headers, those of one name together. Nothing if `capture_headers` is off.
pub(super) fn headers(o: &mut Object<'_>, headers: &[(Text, Text)], rules: Rules<'_>) {
    let headers = headers.get(..rules.n_headers()).unwrap_or(if rules.n_headers() == 0 { &[] } else { headers });
    for (i, (name, value)) in headers.iter().enumerate() {
        let alike = |(other, _): &&(Text, Text)| other.eq_ignore_ascii_case(name);
        if name.is_empty() || headers.iter().take(i).any(|header| alike(&header)) {
            continue;
        }
        // Cookies are told of one by one.
        let is_secret =
            name.eq_ignore_ascii_case("cookie") || any_match(&rules.settings.sanitize_field_names, name.as_ref());
        o.named(&truncate(name, KEYWORD_CHARS), |out| {
            let same = headers.iter().skip(i + 1).filter(alike);
            match same.clone().count() {
                _ if is_secret => json(out, REDACTED),
                0 => json(out, truncate(value, KEYWORD_CHARS).as_ref()),
                _ => elements(out, [value].into_iter().chain(same.map(|(_, value)| value)), |out, value| {
                    json(out, truncate(value, KEYWORD_CHARS).as_ref())
                }),
            }
        });
    }
}

/// Writes the cookies of a request. Nothing if `capture_headers` is off.
pub(super) fn cookies(o: &mut Object<'_>, headers: &[(Text, Text)], rules: Rules<'_>) {
    let values = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie")).map(|(_, value)| value);
    let cookies = values.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.split_once('='));
    for (name, value) in cookies.take(rules.n_headers()) {
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            continue;
        }
        let value = if any_match(&rules.settings.sanitize_field_names, name) { REDACTED } else { value };
        o.named(&truncate(name, KEYWORD_CHARS), |out| json(out, truncate(value, KEYWORD_CHARS).as_ref()));
    }
}

/// A form (`application/x-www-form-urlencoded`) without its secrets.
pub(super) fn form<'a>(body: &'a str, settings: &Settings) -> Cow<'a, str> {
    let is_secret = |field: &&str| {
        let name = field.split_once('=').map_or(*field, |(name, _)| name);
        any_match(&settings.sanitize_field_names, &decoded(name))
    };
    if !body.split('&').any(|field| is_secret(&field)) {
        return Cow::Borrowed(body);
    }
    let fields = body.split('&').map(|field| match field.split_once('=') {
        Some((name, _)) if is_secret(&field) => Cow::Owned(format!("{name}={REDACTED}")),
        _ => Cow::Borrowed(field),
    });
    Cow::Owned(fields.collect::<Vec<_>>().join("&"))
}

/// A name in a form with `+` and `%41` put back.
fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains(['%', '+']) {
        return Cow::Borrowed(name);
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
        bytes.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_lose_their_secrets_only() {
        let check = |body: &str, expect: &str| assert_eq!(form(body, &Settings::default()), expect);
        check("", "");
        check("a=b&c", "a=b&c");
        check("user=me&password=hush&x=1", "user=me&password=[REDACTED]&x=1");
        check("p%61ssword=hush", "p%61ssword=[REDACTED]");
        check("API+KEY=hush&%zz=1&%", "API+KEY=[REDACTED]&%zz=1&%");
    }
}
