//! Options: from code, environment and the server's central configuration.
//!
//! Central configuration wins over the environment (`ELASTIC_APM_*`), that over code, that over the default. A value that is
//! none is warned about, and the next source counts. Every option is declared once, in [`table`].

mod table;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::event::LabelValue;
use crate::settings::Settings;
use crate::wildcard::WildcardMatcher;

pub(crate) use table::OPTIONS;

/// Everything that was configured.
#[expect(clippy::struct_field_names, reason = "`central_config` is the name of an option")]
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// What transactions and spans follow.
    pub(crate) settings: Settings,
    pub(crate) enabled: bool,
    /// Letters, digits, blanks, `_` and `-`; never empty.
    pub(crate) service_name: String,
    pub(crate) service_version: Option<String>,
    pub(crate) service_node_name: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) hostname: Option<String>,
    pub(crate) global_labels: Vec<(String, LabelValue)>,
    /// At least one, without `/` at the end.
    pub(crate) server_urls: Vec<String>,
    pub(crate) secret_token: Option<Secret>,
    pub(crate) api_key: Option<Secret>,
    pub(crate) server_timeout: Duration,
    pub(crate) verify_server_cert: bool,
    pub(crate) server_ca_cert_file: Option<PathBuf>,
    pub(crate) api_request_time: Duration,
    /// Bytes of a request, compressed.
    pub(crate) api_request_size: u64,
    /// Events that wait.
    pub(crate) max_queue_size: usize,
    /// Zero: no metrics.
    pub(crate) metrics_interval: Duration,
    pub(crate) disable_metrics: Vec<WildcardMatcher>,
    pub(crate) breakdown_metrics: bool,
    pub(crate) disable_send: bool,
    pub(crate) central_config: bool,
    pub(crate) cloud_provider: CloudProvider,
    /// What counts as a second for back-off and polling. Only tests are in a hurry.
    pub(crate) second: Duration,
}

/// `cloud_provider`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloudProvider {
    /// Ask the one that the machine says it belongs to.
    Auto,
    None,
    Aws,
    Gcp,
    Azure,
}

/// A password. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The password itself, for the header only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Environment variables: of the process, or given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(Option<BTreeMap<String, String>>);

impl Environment {
    pub(crate) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(Some(variables.into_iter().collect()))
    }

    /// Value of a variable. Empty is absent.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = match &self.0 {
            Some(variables) => variables.get(name).cloned(),
            None => std::env::var(name).ok(),
        };
        value.filter(|value| !value.is_empty())
    }
}

impl Default for Config {
    fn default() -> Self {
        let mut config = Self {
            settings: Settings::default(),
            enabled: true,
            service_name: default_service_name(),
            service_version: None,
            service_node_name: None,
            environment: None,
            hostname: None,
            global_labels: Vec::new(),
            server_urls: Vec::new(),
            secret_token: None,
            api_key: None,
            server_timeout: Duration::ZERO,
            verify_server_cert: true,
            server_ca_cert_file: None,
            api_request_time: Duration::ZERO,
            api_request_size: 0,
            max_queue_size: 1,
            metrics_interval: Duration::ZERO,
            disable_metrics: Vec::new(),
            breakdown_metrics: true,
            disable_send: false,
            central_config: true,
            cloud_provider: CloudProvider::Auto,
            second: Duration::from_secs(1),
        };
        for option in OPTIONS.iter().filter(|option| !option.default.is_empty()) {
            if let Err(why) = (option.set)(&mut config, option.default) {
                log::error!("default of {}: {why}", option.name);
            }
        }
        config
    }
}

impl Config {
    /// What code and environment say.
    pub(crate) fn resolve(code: &BTreeMap<String, String>, environment: &Environment) -> Self {
        let mut config = Self::default();
        for name in code.keys().filter(|name| !OPTIONS.iter().any(|option| option.name == name.as_str())) {
            log::warn!("there is no option `{name}`");
        }
        for option in OPTIONS {
            let variable = option.variable();
            let from_environment = environment.get(&variable);
            let from_code = code.get(option.name);
            let sources = [(variable.as_str(), from_environment.as_ref()), ("the program", from_code)];
            for (source, value) in sources {
                let Some(value) = value else { continue };
                match (option.set)(&mut config, value) {
                    Ok(()) => break,
                    Err(why) => warn(option, value, source, &why),
                }
            }
        }
        config
    }

    /// This configuration with what the server says on top. Values that are none are warned about and left out, options
    /// that cannot change while the program runs and unknown ones too, in silence.
    pub(crate) fn with_central(&self, central: &BTreeMap<String, String>) -> Self {
        let mut config = self.clone();
        for (name, value) in central {
            let dynamic = OPTIONS.iter().find(|option| option.dynamic && option.name == name.as_str());
            if let Some(option) = dynamic
                && let Err(why) = (option.set)(&mut config, value)
            {
                warn(option, value, "the central configuration", &why);
            }
        }
        config
    }
}

fn warn(option: &table::Option, value: &str, source: &str, why: &value::Invalid) {
    let value = if option.kind == table::Kind::Secret { "***" } else { value };
    log::warn!("`{value}` from {source} is no value of `{}`: {why}", option.name);
}

/// The name with every character that the protocol does not allow replaced by `_` (intake protocol: `^[a-zA-Z0-9 _-]+$`).
fn clean_service_name(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-');
    let cleaned: String = name.trim().chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    crate::limits::truncate(&cleaned, crate::limits::KEYWORD_CHARS).replace('…', "_")
}

/// Name of the program's file.
fn default_service_name() -> String {
    let file = std::env::current_exe().ok();
    let name = file.as_deref().and_then(|file| file.file_stem()?.to_str()).map(clean_service_name);
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown-rust-service".to_owned())
}

#[cfg(test)]
mod tests;
