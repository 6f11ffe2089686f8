//! A URL in parts, as far as `url.*` needs them.

use tokenfall_model::document::Url;
use tokenfall_model::limits::KEYWORD_CHARS_MAX;

/// Splits a URL, absolute or not; what it does not say comes from `host` (with a port or not) and `scheme`, else `http`.
pub(super) fn parse(text: &str, host: Option<&str>, scheme: Option<&str>) -> Url {
    let original = cut(text);
    let (rest, fragment) = split(original, '#');
    let (rest, query) = split(rest, '?');
    let (own_scheme, rest) = match rest.split_once("://") {
        Some((own, rest)) if is_scheme(own) => (Some(own), rest),
        _ => (None, rest),
    };
    let relative = own_scheme.is_none() && !rest.starts_with("//");
    let (authority, path) = if relative {
        ("", rest)
    } else {
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        rest.split_at(rest.find('/').unwrap_or(rest.len()))
    };
    let scheme = own_scheme.or(scheme).unwrap_or("http").to_ascii_lowercase();
    let authority = if authority.is_empty() { host.unwrap_or_default() } else { authority };
    let (domain, port) = host_and_port(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
    let mut full =
        if authority.is_empty() { format!("{scheme}:{path}") } else { format!("{scheme}://{authority}{path}") };
    for (mark, part) in [('?', query), ('#', fragment)] {
        if !part.is_empty() {
            full.push(mark);
            full.push_str(part);
        }
    }
    let text = |part: &str| (!part.is_empty()).then(|| cut(part).to_owned());
    Url {
        original: text(original),
        full: text(&full),
        scheme: text(&scheme),
        domain: text(domain),
        port,
        path: text(path),
        query: text(query),
        fragment: text(fragment),
    }
}

/// Host without brackets, and port.
pub(super) fn host_and_port(authority: &str) -> (&str, Option<i64>) {
    if let Some((host, rest)) = authority.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse::<u16>().ok()).map(i64::from));
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok().map(i64::from)),
        None => (authority, None),
    }
}

fn split(text: &str, mark: char) -> (&str, &str) {
    text.split_once(mark).unwrap_or((text, ""))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// The first [`KEYWORD_CHARS_MAX`] characters.
pub(super) fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(KEYWORD_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits() {
        let url = parse("https://u:p@example.com:8443/a/b?q=1#f", None, None);
        assert_eq!(url.domain.as_deref(), Some("example.com"));
        assert_eq!((url.port, url.scheme.as_deref(), url.path.as_deref()), (Some(8443), Some("https"), Some("/a/b")));
        assert_eq!((url.query.as_deref(), url.fragment.as_deref()), (Some("q=1"), Some("f")));
        let url = parse("/search?q=1", Some("shop:80"), Some("https"));
        assert_eq!(url.full.as_deref(), Some("https://shop:80/search?q=1"));
        assert_eq!((url.domain.as_deref(), url.port), (Some("shop"), Some(80)));
        assert_eq!(parse("http://[::1]:9/x", None, None).domain.as_deref(), Some("::1"));
        assert_eq!(parse("", None, None).original, None);
    }
}
