//! Addresses as they are recorded.

use http::Uri;

use crate::wildcard::{WildcardMatcher, any_match};

/// What stands for a value that must not be recorded.
const REDACTED: &str = "[REDACTED]";

/// Whom a request goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Callee {
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Callee {
    /// Host and port of an address, the port filled in for `http` and `https`. `None` without a host.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let host = uri.host().filter(|host| !host.is_empty())?;
        let port = uri.port_u16().or_else(|| match uri.scheme_str() {
            Some("https") => Some(443),
            Some("http") => Some(80),
            _ => None,
        });
        Some(Self { host: host.trim_start_matches('[').trim_end_matches(']').to_owned(), port })
    }

    /// `host:port`, IPv6 in brackets.
    pub(super) fn host_and_port(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

/// The address with the values of those query parameters redacted whose name one of `sanitize_field_names` matches: keys of
/// model providers go over the wire in this way.
pub(super) fn sanitized(address: String, names: &[WildcardMatcher]) -> String {
    let Some((path, query)) = address.split_once('?') else { return address };
    let (query, fragment) = query.split_once('#').map_or((query, None), |(query, fragment)| (query, Some(fragment)));
    let secret =
        |pair: &str| pair.split_once('=').is_some_and(|(name, value)| !value.is_empty() && any_match(names, name));
    if !query.split('&').any(secret) {
        return address;
    }
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if secret(pair) => format!("{name}={REDACTED}"),
            _ => pair.to_owned(),
        })
        .collect();
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{path}?{}{fragment}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::DEFAULT_SANITIZE_FIELD_NAMES;

    #[test]
    fn hosts_and_ports() {
        let check = |uri: &'static str, expect: Option<&str>| {
            let callee = Callee::of(&Uri::from_static(uri));
            assert_eq!(callee.map(|callee| callee.host_and_port()).as_deref(), expect, "{uri}");
        };
        check("http://a.b/c", Some("a.b:80"));
        check("https://user:pw@a.b/c", Some("a.b:443"));
        check("https://[::1]:8/c", Some("[::1]:8"));
        check("ftp://a/", Some("a"));
        check("/path", None);
        assert_eq!(Callee::of(&Uri::from_static("http://[::1]/")).expect("a host").host, "::1");
    }

    #[test]
    fn secrets_in_queries_are_redacted() {
        let names = WildcardMatcher::list(DEFAULT_SANITIZE_FIELD_NAMES);
        let check = |address: &str, expect: &str| assert_eq!(sanitized(address.to_owned(), &names), expect);
        check("http://a/b", "http://a/b");
        check("/b?q=1&page=2#key=1", "/b?q=1&page=2#key=1");
        check("http://a/b?alt=sse&key=s3cret#top", "http://a/b?alt=sse&key=[REDACTED]#top");
        check("/?api_key=&access_token=x", "/?api_key=&access_token=[REDACTED]");
    }
}
