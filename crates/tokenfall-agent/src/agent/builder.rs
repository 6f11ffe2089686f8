//! Settings of an agent before it starts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::Agent;
use crate::config::{Config, Environment};
use crate::core::Core;
use crate::event::{LabelValue, set};
use crate::worker::Worker;

/// Settings of an agent before it starts. Made by [`Agent::builder`].
///
/// Environment variables (`ELASTIC_APM_SERVER_URL` …) win over what is set here, and the server's central configuration over
/// both. All options are in `docs/agent-configuration.md`.
#[derive(Clone, Default)]
#[must_use = "nothing happens before `start`"]
pub struct AgentBuilder {
    options: BTreeMap<String, String>,
    labels: Vec<(crate::Text, LabelValue)>,
    environment: Environment,
    second: Option<Duration>,
}

impl std::fmt::Debug for AgentBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values can be secrets.
        f.debug_struct("AgentBuilder").field("options", &self.options.keys()).finish_non_exhaustive()
    }
}

impl AgentBuilder {
    /// Sets any option by its name, such as `transaction_sample_rate`, in the notation of the environment variables. An unknown name or
    /// a value that is none is warned about by [`start`](Self::start).
    pub fn option(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(name.into(), value.into());
        self
    }

    /// Names the service. Default: the name of the program's file.
    pub fn service_name(self, name: impl Into<String>) -> Self {
        self.option("service_name", name)
    }

    /// Sets the version of the service, such as `env!("CARGO_PKG_VERSION")`.
    pub fn service_version(self, version: impl Into<String>) -> Self {
        self.option("service_version", version)
    }

    /// Names this instance of the service. Default: the container or the host.
    pub fn service_node_name(self, name: impl Into<String>) -> Self {
        self.option("service_node_name", name)
    }

    /// Sets the environment, such as `production`.
    pub fn environment(self, environment: impl Into<String>) -> Self {
        self.option("environment", environment)
    }

    /// Sets the address of the server. Default: `http://127.0.0.1:8200`.
    pub fn server_url(self, url: impl Into<String>) -> Self {
        self.option("server_url", url)
    }

    /// Sets the secret token of the server.
    pub fn secret_token(self, token: impl Into<String>) -> Self {
        self.option("secret_token", token)
    }

    /// Sets the API key of the server, as it was given out (base64). Wins over a secret token.
    pub fn api_key(self, key: impl Into<String>) -> Self {
        self.option("api_key", key)
    }

    /// Sets a label of every event.
    pub fn label(mut self, key: impl Into<crate::Text>, value: impl Into<LabelValue>) -> Self {
        set(&mut self.labels, key.into(), value.into());
        self
    }

    /// Reads these instead of the process's environment variables.
    pub fn environment_variables<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        self.environment = Environment::of(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// For tests: what counts as a second when the agent waits after a failure and between polls.
    #[doc(hidden)]
    pub fn second(mut self, second: Duration) -> Self {
        self.second = Some(second);
        self
    }

    /// Starts the agent's thread. Never fails: a value that is none is warned about (crate `log`) and the next source counts;
    /// with `enabled=false`, or if no thread can be started, the agent does nothing.
    ///
    /// Keep the [`Agent`] until the program ends: when the last clone is dropped, what waits is sent, for 3 seconds at most.
    pub fn start(self) -> Agent {
        let config = self.config();
        if !config.enabled {
            return Agent::disabled();
        }
        let core = Core::new(config.settings.clone(), config.max_queue_size);
        match Worker::start(config, self.environment, Arc::clone(&core)) {
            Some(worker) => Agent::running(core, worker),
            None => Agent::disabled(),
        }
    }

    fn config(&self) -> Config {
        let mut config = Config::resolve(&self.options, &self.environment);
        for (key, value) in &self.labels {
            // The environment wins.
            if config.global_labels.iter().all(|(known, _)| known != key) {
                config.global_labels.push((key.to_string(), value.clone()));
            }
        }
        if let Some(second) = self.second {
            config.second = second;
        }
        config
    }
}
