//! How the server behaves.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokenfall_model::limits;

use crate::secret::Secrets;

/// How the server behaves; validated by [`Config::check`].
#[derive(Clone, Debug)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Secrets that open the server.
    pub secrets: Secrets,
    /// Host names by which browsers may call the server, besides those of the loopback interface. Looked at only where no
    /// secret is configured.
    pub hosts: Vec<String>,
    /// Namespace of the data streams.
    pub namespace: String,
    /// Environment of services that name none.
    pub default_environment: Option<String>,
    /// What labels mean and models cost.
    pub enrich: tokenfall_enrich::Settings,
    /// What is too much.
    pub limits: Limits,
    /// How long running requests may take when the server stops.
    pub shutdown_timeout: Duration,
}

/// What is too much.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest event of an intake request in bytes.
    pub event_bytes_max: usize,
    /// Most bytes of one intake request after decompression.
    pub request_bytes_max: u64,
    /// Most decompressed bytes for each compressed one, once there are more than [`RATIO_FROM_BYTES`].
    pub compression_ratio_max: u64,
    /// Intake requests that are open at once; further ones wait.
    pub intake_requests_max: usize,
    /// How long they wait.
    pub intake_wait: Duration,
    /// Longest silence of a client in the middle of a body.
    pub body_silence: Duration,
    /// Searches that run at once; further ones wait.
    pub searches_max: usize,
    /// How long they wait.
    pub search_wait: Duration,
    /// Connections that are open at once; further ones wait to be accepted.
    pub connections_max: usize,
    /// How long a client may take to send the head of a request; also how long a connection may be idle.
    pub header_timeout: Duration,
}

/// Bodies smaller than this may be compressed as well as they like.
pub(crate) const RATIO_FROM_BYTES: u64 = 4 * 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes_max: limits::EVENT_BYTES_MAX,
            request_bytes_max: limits::REQUEST_BYTES_MAX,
            compression_ratio_max: 200,
            intake_requests_max: 512,
            intake_wait: Duration::from_secs(10),
            body_silence: Duration::from_secs(30),
            searches_max: 8,
            search_wait: Duration::from_secs(5),
            connections_max: 4096,
            header_timeout: Duration::from_secs(45),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8200)),
            secrets: Secrets::default(),
            hosts: Vec::new(),
            namespace: "default".into(),
            default_environment: None,
            enrich: tokenfall_enrich::Settings::default(),
            limits: Limits::default(),
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// A configuration that the server refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Others than this machine could reach the server, and it would let anybody in.
    #[error(
        "will not listen on {0} without a secret, because everybody who reaches it could read and write all data; set one \
         with the environment variable TOKENFALL_SECRET_TOKEN (or secret_token in tokenfall.toml), or listen on \
         127.0.0.1"
    )]
    OpenToAll(IpAddr),
    /// A limit that would let nothing through.
    #[error("{0} must not be 0")]
    Zero(&'static str),
}

impl Config {
    /// Refuses what is not safe or makes no sense.
    pub fn check(&self) -> Result<(), ConfigError> {
        let ip = self.listen.ip();
        if !ip.to_canonical().is_loopback() && !self.secrets.required() {
            return Err(ConfigError::OpenToAll(ip));
        }
        let limits = &self.limits;
        let zero = [
            ("event_bytes_max", limits.event_bytes_max == 0),
            ("request_bytes_max", limits.request_bytes_max == 0),
            ("compression_ratio_max", limits.compression_ratio_max == 0),
            ("intake_requests_max", limits.intake_requests_max == 0),
            ("searches_max", limits.searches_max == 0),
            ("connections_max", limits.connections_max == 0),
        ];
        zero.into_iter().find(|(_, zero)| *zero).map_or(Ok(()), |(name, _)| Err(ConfigError::Zero(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn without_a_secret_only_loopback() {
        let check = |listen: &str, secret: bool| {
            let secrets = Secrets { token: secret.then(|| Secret::new("s")), ..Secrets::default() };
            Config { listen: listen.parse().unwrap(), secrets, ..Config::default() }.check()
        };
        for loopback in ["127.0.0.1:8200", "127.8.8.8:1", "[::1]:8200", "[::ffff:127.0.0.1]:8200"] {
            assert_eq!(check(loopback, false), Ok(()), "{loopback}");
        }
        for open in ["0.0.0.0:8200", "[::]:8200", "192.168.1.1:8200", "[::ffff:10.0.0.1]:8200"] {
            let error = check(open, false).unwrap_err();
            assert!(error.to_string().contains("TOKENFALL_SECRET_TOKEN"), "{error}");
            assert_eq!(check(open, true), Ok(()), "{open}");
        }
    }
}
