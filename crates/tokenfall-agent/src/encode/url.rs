//! Addresses in parts.

use super::writer::Object;

/// Parts of an address, absolute or not. Never fails: what is not there is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) scheme: Option<&'a str>,
    /// Without the brackets of IPv6.
    pub(super) host: Option<&'a str>,
    /// The one that is said, else that of `http` or `https`.
    pub(super) port: Option<u16>,
    pub(super) path: &'a str,
    /// Without `?`.
    pub(super) query: Option<&'a str>,
    /// Without `#`.
    pub(super) fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Takes an address apart.
    pub(super) fn of(url: &'a str) -> Self {
        let (rest, fragment) = split(url, '#');
        let (rest, query) = split(rest, '?');
        let Some((scheme, rest)) = rest.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
            return Self { path: rest, query, fragment, ..Self::default() };
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = host_and_port(authority);
        let port = port.or_else(|| default_port(scheme));
        Self { scheme: Some(scheme), host: (!host.is_empty()).then_some(host), port, path, query, fragment }
    }
}

/// `request.url`
pub(super) fn request_url(o: &mut Object<'_>, url: &str) {
    let parts = Parts::of(url);
    o.keyword("raw", url);
    if let Some(scheme) = parts.scheme {
        o.keyword("full", url);
        o.keyword("protocol", format!("{scheme}:").as_str());
    }
    o.keyword("hostname", parts.host);
    o.value("port", parts.port.filter(|_| parts.host.is_some()));
    o.keyword("pathname", parts.path);
    o.keyword("search", parts.query);
    o.keyword("hash", parts.fragment);
}

fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn host_and_port(authority: &str) -> (&str, Option<u16>) {
    if let Some((host, rest)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (authority, None),
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        _ if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("ws") => Some(80),
        _ if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("wss") => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_apart() {
        let check = |url, scheme, host, port, path, query, fragment| {
            assert_eq!(Parts::of(url), Parts { scheme, host, port, path, query, fragment }, "{url}");
        };
        check("", None, None, None, "", None, None);
        check("/a?b=c#d", None, None, None, "/a", Some("b=c"), Some("d"));
        check("http://h", Some("http"), Some("h"), Some(80), "", None, None);
        check("https://h:8/p?q", Some("https"), Some("h"), Some(8), "/p", Some("q"), None);
        check("https://u:p@h/", Some("https"), Some("h"), Some(443), "/", None, None);
        check("http://[::1]:81/", Some("http"), Some("::1"), Some(81), "/", None, None);
        check("unix://:x/p", Some("unix"), None, None, "/p", None, None);
        check("http://h?to=ftp://x/", Some("http"), Some("h"), Some(80), "", Some("to=ftp://x/"), None);
        check("/p?to=http://x/", None, None, None, "/p", Some("to=http://x/"), None);
        check("http://h:99999/", Some("http"), Some("h"), Some(80), "/", None, None);
    }
}
