//! HTTP clients: timeouts, TLS, proxies.

use std::net::IpAddr;

use ureq::Proxy;
use ureq::http::Uri;

use crate::config::{Config, Environment};

/// A client for requests to `url`.
pub(super) fn new(url: &str, config: &Config, environment: &Environment) -> ureq::Agent {
    let timeout = Some(config.server_timeout);
    let client = ureq::Agent::config_builder()
        .http_status_as_error(false)
        // A body that was streamed is gone when the server points elsewhere.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_resolve(timeout)
        .timeout_connect(timeout)
        .timeout_send_request(timeout)
        .timeout_per_write(timeout)
        .timeout_recv_response(timeout)
        .timeout_recv_body(timeout)
        .proxy(proxy(url, environment));
    #[cfg(feature = "tls")]
    let client = client.tls_config(tls(config));
    client.build().new_agent()
}

#[cfg(feature = "tls")]
fn tls(config: &Config) -> ureq::tls::TlsConfig {
    let tls = ureq::tls::TlsConfig::builder().disable_verification(!config.verify_server_cert);
    let Some(file) = &config.server_ca_cert_file else { return tls.build() };
    match certificates(file) {
        Ok(certificates) => tls.root_certs(ureq::tls::RootCerts::new_with_certs(&certificates)).build(),
        Err(why) => {
            log::warn!("`server_ca_cert_file` {}: {why}; Mozilla's authorities are trusted instead", file.display());
            tls.build()
        }
    }
}

#[cfg(feature = "tls")]
fn certificates(file: &std::path::Path) -> Result<Vec<ureq::tls::Certificate<'static>>, String> {
    let pem = std::fs::read(file).map_err(|why| why.to_string())?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        if let ureq::tls::PemItem::Certificate(certificate) = item.map_err(|why| why.to_string())? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() { Err("no certificate is in it".to_owned()) } else { Ok(certificates) }
}

/// The proxy that the environment names for this address: `HTTPS_PROXY` or `HTTP_PROXY` by scheme, else `ALL_PROXY`, in
/// capitals or not; none for this machine and for what `NO_PROXY` names.
fn proxy(url: &str, environment: &Environment) -> Option<Proxy> {
    let uri: Uri = url.parse().ok()?;
    if is_local(url) || is_excepted(uri.host()?, &either(environment, "NO_PROXY").unwrap_or_default()) {
        return None;
    }
    let by_scheme = if uri.scheme_str() == Some("https") { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    let address = either(environment, by_scheme).or_else(|| either(environment, "ALL_PROXY"))?;
    Proxy::new(&address).inspect_err(|why| log::warn!("the proxy of {by_scheme} is of no use: {why}")).ok()
}

fn either(environment: &Environment, name: &str) -> Option<String> {
    environment.get(&name.to_ascii_lowercase()).or_else(|| environment.get(name))
}

/// Is the host, or a domain that it is in, in the list of `NO_PROXY`?
fn is_excepted(host: &str, no_proxy: &str) -> bool {
    let host = host.to_ascii_lowercase();
    no_proxy.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        let domain = entry.trim_start_matches('*').trim_start_matches('.');
        entry == "*" || host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    })
}

/// Does the address name this machine?
pub(super) fn is_local(url: &str) -> bool {
    let Some(host) = url.parse().ok().and_then(|uri: Uri| uri.host().map(str::to_owned)) else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_are_local() {
        for url in ["http://localhost:8200", "http://127.0.0.1", "https://[::1]:8200/apm", "http://127.3.2.1:1"] {
            assert!(is_local(url), "{url}");
        }
        for url in ["http://apm.example", "http://10.0.0.1:8200", "http://localhost.example", "http://[2001:db8::1]"] {
            assert!(!is_local(url), "{url}");
        }
    }

    #[test]
    fn the_environment_names_proxies() {
        let chosen = |url: &str, variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            proxy(url, &Environment::of(variables)).map(|proxy| proxy.uri().to_string())
        };
        let both = [("HTTPS_PROXY", "http://s:1"), ("HTTP_PROXY", "http://p:2"), ("NO_PROXY", "inside.example, .corp")];
        assert_eq!(chosen("https://apm.example", &both), Some("http://s:1/".to_owned()));
        assert_eq!(chosen("http://apm.example", &both), Some("http://p:2/".to_owned()));
        for url in ["http://inside.example", "http://a.inside.example:8200", "http://x.corp", "http://127.0.0.1:8200"] {
            assert_eq!(chosen(url, &both), None, "{url}");
        }
        assert_eq!(chosen("http://ainside.example", &both), Some("http://p:2/".to_owned()));
        assert_eq!(chosen("http://apm.example", &[("all_proxy", "http://a:3")]), Some("http://a:3/".to_owned()));
        assert_eq!(chosen("http://apm.example", &[("HTTP_PROXY", "http://p:2"), ("NO_PROXY", "*")]), None);
        assert_eq!(chosen("http://apm.example", &[]), None);
    }
}
