//! HTTP requests to the server.
//!
//! Blocking, in the agent's own thread. Every wait is bounded by `server_timeout`.

mod client;

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use serde::Deserialize;
use ureq::SendBody;
use ureq::http::Response;

use crate::config::{Config, Environment, Secret};

/// Most bytes of an answer that are read.
const MAX_ANSWER_BYTES: u64 = 256 << 10;

/// The servers that were configured, one of which is spoken to.
#[derive(Debug)]
pub(crate) struct Transport {
    servers: Vec<Server>,
    current: usize,
    user_agent: String,
    authorization: Option<Secret>,
}

#[derive(Debug)]
struct Server {
    url: String,
    /// Is it this machine? Then nothing is compressed (agent specification, "transport").
    is_local: bool,
    client: ureq::Agent,
}

/// Why a request came to nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No answer: no connection, or it broke, or it took too long.
    Broken(String),
    /// An answer other than 2xx.
    Refused(Refusal),
}

/// An answer other than 2xx.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Events of the request that the server took nevertheless.
    pub(crate) accepted: u64,
    /// What the server says.
    pub(crate) messages: Vec<String>,
}

/// What the server says about the central configuration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CentralConfig {
    pub(crate) change: Change,
    /// How long the answer is good for.
    pub(crate) max_age: Option<Duration>,
}

/// Whether there is something new.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// As before.
    Same,
    /// From now on; empty if nothing is configured.
    New { options: BTreeMap<String, String>, etag: Option<String> },
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawAnswer {
    accepted: u64,
    errors: Vec<RawError>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct RawError {
    #[serde(default)]
    message: String,
}

impl Transport {
    pub(crate) fn new(config: &Config, environment: &Environment) -> Self {
        let servers = config.server_urls.iter().map(|url| Server {
            url: url.clone(),
            is_local: client::is_local(url),
            client: client::new(url, config, environment),
        });
        let key = config.api_key.as_ref().map(|key| format!("ApiKey {}", key.reveal()));
        let token = || config.secret_token.as_ref().map(|token| format!("Bearer {}", token.reveal()));
        Self {
            servers: servers.collect(),
            current: 0,
            user_agent: user_agent(&config.service_name, config.service_version.as_deref()),
            authorization: key.or_else(token).map(Secret::new),
        }
    }

    fn server(&self) -> &Server {
        &self.servers[self.current]
    }

    /// Address of the server that is spoken to, without user and password.
    pub(crate) fn address(&self) -> String {
        let url = &self.server().url;
        match url.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
            None => url.clone(),
        }
    }

    /// Should requests be compressed?
    pub(crate) fn compresses(&self) -> bool {
        !self.server().is_local
    }

    /// Speaks to the next server from now on.
    pub(crate) fn switch(&mut self) {
        self.current = (self.current + 1) % self.servers.len().max(1);
    }

    /// Handles on the connections, to break them from another thread.
    pub(crate) fn connections(&self) -> Vec<ureq::Agent> {
        self.servers.iter().map(|server| server.client.clone()).collect()
    }

    /// Sends a request with events. What `body` gives is sent at once, piece by piece.
    pub(crate) fn send_events(&self, body: &mut dyn Read) -> Result<(), Failure> {
        let server = self.server();
        let mut request = server
            .client
            .post(format!("{}/intake/v2/events", server.url))
            .header("content-type", "application/x-ndjson")
            .header("accept", "application/json")
            .header("user-agent", &self.user_agent);
        if !server.is_local {
            request = request.header("content-encoding", "gzip");
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization.reveal());
        }
        answered(request.send(SendBody::from_reader(body))).map(drop)
    }

    /// Asks for the central configuration of the service.
    pub(crate) fn central_config(&self, config: &Config, etag: Option<&str>) -> Result<CentralConfig, Failure> {
        let server = self.server();
        let mut request =
            self.get(&format!("{}/config/v1/agents", server.url)).query("service.name", &config.service_name);
        if let Some(environment) = &config.environment {
            request = request.query("service.environment", environment);
        }
        if let Some(etag) = etag {
            request = request.header("if-none-match", etag);
        }
        let response = request.call();
        if let Ok(response) = &response
            && response.status() == 304
        {
            return Ok(CentralConfig { change: Change::Same, max_age: max_age(response) });
        }
        let (response, body) = answered(response)?;
        let parsed: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(&body).map_err(|why| Failure::Broken(format!("central configuration: {why}")))?;
        let text = |value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        let options = parsed.into_iter().map(|(name, value)| (name, text(value))).collect();
        Ok(CentralConfig {
            change: Change::New { options, etag: header(&response, "etag") },
            max_age: max_age(&response),
        })
    }

    /// Asks for the version of the server. `None` if it does not say.
    pub(crate) fn server_version(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Info {
            version: String,
        }
        let (_, body) = answered(self.get(&format!("{}/", self.server().url)).call()).ok()?;
        serde_json::from_slice::<Info>(&body).ok().map(|info| info.version)
    }

    fn get(&self, url: &str) -> ureq::RequestBuilder<ureq::typestate::WithoutBody> {
        let request =
            self.server().client.get(url).header("accept", "application/json").header("user-agent", &self.user_agent);
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization.reveal()),
            None => request,
        }
    }
}

/// Reads the answer to its end, so that the connection can be used again.
fn answered(response: Result<Response<ureq::Body>, ureq::Error>) -> Result<(Response<()>, Vec<u8>), Failure> {
    let broken = |why: ureq::Error| Failure::Broken(why.to_string());
    let (head, mut body) = response.map_err(broken)?.into_parts();
    let body = body.with_config().limit(MAX_ANSWER_BYTES).read_to_vec();
    if head.status.is_success() {
        return Ok((Response::from_parts(head, ()), body.map_err(broken)?));
    }
    // The status says enough if the rest is lost.
    let raw: RawAnswer = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let messages = raw.errors.into_iter().map(|error| error.message).chain(raw.error);
    Err(Failure::Refused(Refusal {
        status: head.status.as_u16(),
        accepted: raw.accepted,
        messages: messages.filter(|message| !message.is_empty()).collect(),
    }))
}

fn header<T>(response: &Response<T>, name: &str) -> Option<String> {
    Some(response.headers().get(name)?.to_str().ok()?.to_owned())
}

fn max_age<T>(response: &Response<T>) -> Option<Duration> {
    let header = header(response, "cache-control")?;
    let seconds = header.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.trim().parse().ok());
    seconds.map(Duration::from_secs)
}

/// `User-Agent`: what a comment of a header may not hold becomes `_` (agent specification, "transport"; RFC 9110 §5.6.5).
fn user_agent(service_name: &str, service_version: Option<&str>) -> String {
    let allowed = |c: char| matches!(c, ' '..='\'' | '*'..='[' | ']'..='~');
    let comment = |text: &str| -> String { text.chars().map(|c| if allowed(c) { c } else { '_' }).collect() };
    let version = service_version.map(|version| format!(" {}", comment(version))).unwrap_or_default();
    format!("apm-agent-rust/{} ({}{version})", env!("CARGO_PKG_VERSION"), comment(service_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_agent_names_the_service() {
        let agent = format!("apm-agent-rust/{} ", env!("CARGO_PKG_VERSION"));
        for (name, version, comment) in [
            ("myService", None, "(myService)"),
            ("myService", Some("v42"), "(myService v42)"),
            ("my Service", Some("123(:\\;)456"), "(my Service 123_:_;_456)"),
            ("s", Some("ü\n1"), "(s __1)"),
        ] {
            assert_eq!(user_agent(name, version), format!("{agent}{comment}"));
        }
    }

    #[test]
    fn the_age_of_an_answer_is_found_among_other_words() {
        let age =
            |text: &str| max_age(&Response::builder().header("cache-control", text).body(()).expect("a response"));
        assert_eq!(age("max-age=30, must-revalidate"), Some(Duration::from_secs(30)));
        assert_eq!(age("private, max-age=7"), Some(Duration::from_secs(7)));
        assert_eq!(age("no-store"), None);
        assert_eq!(age("max-age=soon"), None);
    }
}
