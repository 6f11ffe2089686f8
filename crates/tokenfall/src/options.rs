//! Every option of the server, declared once: flags, environment, file, `config print` and `docs/configuration.md` come from
//! this table.

use std::fmt;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokenfall_enrich::LabelMap;
use tokenfall_server::{Config, Secret};
use tokenfall_store::embedded;

/// What the options say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Data directory.
    pub(crate) data: PathBuf,
    /// Price file that comes before the list of the program.
    pub(crate) prices: Option<PathBuf>,
    /// The server.
    pub(crate) server: Config,
    /// The store.
    pub(crate) store: embedded::Options,
    /// Form of the log.
    pub(crate) log_format: LogFormat,
    /// What is logged.
    pub(crate) log_level: String,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// A line of text for each event.
    #[default]
    Text,
    /// A JSON object for each event.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("expected text or json"),
        }
    }
}

/// One option.
pub(crate) struct Opt {
    /// Name in the file. The flag has hyphens for underscores, the environment variable is `TOKENFALL_` and capitals.
    pub(crate) name: &'static str,
    /// What a value looks like.
    pub(crate) unit: &'static str,
    /// Value where nobody says anything; empty means none.
    pub(crate) default: &'static str,
    /// What it does.
    pub(crate) doc: &'static str,
    /// Never shown, and no flag: other users of the machine can read the command lines of processes.
    pub(crate) secret: bool,
    /// Reads the value.
    apply: fn(&mut Settings, &str) -> Result<(), String>,
}

impl Opt {
    /// Name of the flag, without hyphens before it.
    pub(crate) fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Name of the environment variable.
    pub(crate) fn env(&self) -> String {
        format!("TOKENFALL_{}", self.name.to_uppercase())
    }

    /// Reads a value into the settings.
    pub(crate) fn apply(&self, settings: &mut Settings, value: &str) -> Result<(), String> {
        (self.apply)(settings, value)
    }
}

/// Every option, the common ones first.
pub(crate) const OPTIONS: &[Opt] = &[
    Opt {
        name: "listen",
        unit: "address:port",
        default: "127.0.0.1:8200",
        doc: "Where the server listens. Other addresses than loopback need a secret.",
        secret: false,
        apply: |s, v| set(&mut s.server.listen, v),
    },
    Opt {
        name: "data",
        unit: "path",
        default: "./tokenfall-data",
        doc: "Directory of the data. Made if it is not there.",
        secret: false,
        apply: |s, v| set(&mut s.data, v),
    },
    Opt {
        name: "secret_token",
        unit: "text",
        default: "",
        doc: "Secret that agents and people must show (`Authorization: Bearer …`).",
        secret: true,
        apply: |s, v| {
            s.server.secrets.token = (!v.is_empty()).then(|| Secret::new(v));
            Ok(())
        },
    },
    Opt {
        name: "api_keys",
        unit: "id:key, …",
        default: "",
        doc: "Further secrets (`Authorization: ApiKey base64(id:key)`), each of the form `id:key`.",
        secret: true,
        apply: |s, v| {
            let keys = list(v);
            if keys.iter().any(|key| key.split_once(':').is_none_or(|(id, key)| id.is_empty() || key.is_empty())) {
                return Err("each key must have the form id:key".into());
            }
            s.server.secrets.api_keys = keys.into_iter().map(Secret::new).collect();
            Ok(())
        },
    },
    Opt {
        name: "retention",
        unit: "duration",
        default: "",
        doc: "Events that are older are removed. Empty keeps everything.",
        secret: false,
        apply: |s, v| {
            s.store.retention = if v.is_empty() { None } else { Some(duration(v)?) };
            Ok(())
        },
    },
    Opt {
        name: "prices",
        unit: "path",
        default: "",
        doc: "File with prices of models that come before those of the program (docs/formats/prices.md). Empty takes \
              `prices.jsonl` of the data directory, if it is there.",
        secret: false,
        apply: |s, v| {
            s.prices = (!v.is_empty()).then(|| v.into());
            Ok(())
        },
    },
    Opt {
        name: "labels",
        unit: "label=meaning, …",
        default: LabelMap::DEFAULT,
        doc: "Which labels of transactions and spans mean what: total_tokens, input_tokens, output_tokens, cost_usd, \
              question, model, user, session.",
        secret: false,
        apply: |s, v| set(&mut s.server.enrich.labels, v),
    },
    Opt {
        name: "hosts",
        unit: "name, …",
        default: "",
        doc: "Names by which the server may be called besides localhost, 127.0.0.1 and [::1]. Only without a secret; it \
              protects against web pages that point their own name at this machine.",
        secret: false,
        apply: |s, v| {
            s.server.hosts = list(v).into_iter().map(str::to_owned).collect();
            Ok(())
        },
    },
    Opt {
        name: "default_environment",
        unit: "text",
        default: "",
        doc: "Environment of services that name none.",
        secret: false,
        apply: |s, v| {
            s.server.default_environment = (!v.is_empty()).then(|| v.to_owned());
            Ok(())
        },
    },
    Opt {
        name: "namespace",
        unit: "text",
        default: "default",
        doc: "Namespace of the data streams (`data_stream.namespace`).",
        secret: false,
        apply: |s, v| set(&mut s.server.namespace, v),
    },
    Opt {
        name: "log_format",
        unit: "text or json",
        default: "text",
        doc: "Form of the server's own log, which goes to standard error.",
        secret: false,
        apply: |s, v| set(&mut s.log_format, v),
    },
    Opt {
        name: "log_level",
        unit: "filter",
        default: "info",
        doc: "What is logged: error, warn, info, debug, trace, or a filter such as `info,tokenfall_server=debug`.",
        secret: false,
        apply: |s, v| {
            v.parse::<tracing_subscriber::EnvFilter>().map_err(|error| error.to_string())?;
            set(&mut s.log_level, v)
        },
    },
    Opt {
        name: "event_bytes_max",
        unit: "bytes",
        default: "300KiB",
        doc: "Longest event; a longer one is refused, the rest of its request is taken.",
        secret: false,
        apply: |s, v| bytes(v).map(|n| s.server.limits.event_bytes_max = n as usize),
    },
    Opt {
        name: "request_bytes_max",
        unit: "bytes",
        default: "512MiB",
        doc: "Most bytes of one intake request after decompression. Over it: 413.",
        secret: false,
        apply: |s, v| bytes(v).map(|n| s.server.limits.request_bytes_max = n),
    },
    Opt {
        name: "compression_ratio_max",
        unit: "number",
        default: "200",
        doc: "Most decompressed bytes for each compressed one, in requests of more than 4 MiB. Over it: 413.",
        secret: false,
        apply: |s, v| set(&mut s.server.limits.compression_ratio_max, v),
    },
    Opt {
        name: "intake_requests_max",
        unit: "number",
        default: "512",
        doc: "Intake requests that are open at once. Further ones wait, see intake_wait.",
        secret: false,
        apply: |s, v| set(&mut s.server.limits.intake_requests_max, v),
    },
    Opt {
        name: "intake_wait",
        unit: "duration",
        default: "10s",
        doc: "How long an intake request waits for others to end. Then: 503.",
        secret: false,
        apply: |s, v| duration(v).map(|d| s.server.limits.intake_wait = d),
    },
    Opt {
        name: "body_silence",
        unit: "duration",
        default: "30s",
        doc: "Longest pause of a client in the middle of a request. Then: 408; what came before is stored.",
        secret: false,
        apply: |s, v| duration(v).map(|d| s.server.limits.body_silence = d),
    },
    Opt {
        name: "queue_bytes_max",
        unit: "bytes",
        default: "64MiB",
        doc: "Most bytes of events that wait for the log or the index. Over it: 503.",
        secret: false,
        apply: |s, v| bytes(v).map(|n| s.store.queue_bytes_max = n as usize),
    },
    Opt {
        name: "free_bytes_min",
        unit: "bytes",
        default: "256MiB",
        doc: "Free space of the disk below which events are refused (503). Questions are still answered.",
        secret: false,
        apply: |s, v| bytes(v).map(|n| s.store.min_free_bytes = n),
    },
    Opt {
        name: "commit_interval",
        unit: "duration",
        default: "500ms",
        doc: "How soon events become visible, at most. Shorter costs processor time.",
        secret: false,
        apply: |s, v| duration(v).map(|d| s.store.commit_interval = d),
    },
    Opt {
        name: "log_segment_bytes",
        unit: "bytes",
        default: "64MiB",
        doc: "Size of the files of the write-ahead log.",
        secret: false,
        apply: |s, v| bytes(v).map(|n| s.store.segment_bytes_max = n),
    },
    Opt {
        name: "searches_max",
        unit: "number",
        default: "8",
        doc: "Questions that are answered at once. Further ones wait, see search_wait.",
        secret: false,
        apply: |s, v| set(&mut s.server.limits.searches_max, v),
    },
    Opt {
        name: "search_wait",
        unit: "duration",
        default: "5s",
        doc: "How long a question waits for others to end. Then: 429.",
        secret: false,
        apply: |s, v| duration(v).map(|d| s.server.limits.search_wait = d),
    },
    Opt {
        name: "connections_max",
        unit: "number",
        default: "4096",
        doc: "Connections that are open at once. Further ones wait to be accepted.",
        secret: false,
        apply: |s, v| set(&mut s.server.limits.connections_max, v),
    },
    Opt {
        name: "header_timeout",
        unit: "duration",
        default: "45s",
        doc: "How long a client may take for the head of a request, and how long a connection may be idle.",
        secret: false,
        apply: |s, v| duration(v).map(|d| s.server.limits.header_timeout = d),
    },
    Opt {
        name: "shutdown_timeout",
        unit: "duration",
        default: "30s",
        doc: "How long running requests may take when the server stops.",
        secret: false,
        apply: |s, v| duration(v).map(|d| s.server.shutdown_timeout = d),
    },
];

/// Parses a value into its place.
fn set<T: FromStr<Err: fmt::Display>>(place: &mut T, value: &str) -> Result<(), String> {
    *place = value.parse().map_err(|error: T::Err| error.to_string())?;
    Ok(())
}

/// Entries of a list, without empty ones.
fn list(value: &str) -> Vec<&str> {
    value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect()
}

/// Splits `30s` into number and unit.
fn split(value: &str) -> Result<(u64, &str), String> {
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(end);
    let number = number.parse().map_err(|_| "expected a whole number with a unit".to_owned())?;
    Ok((number, unit.trim()))
}

fn duration(value: &str) -> Result<Duration, String> {
    let (number, unit) = split(value)?;
    let ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("expected a duration such as 500ms, 30s, 10m, 24h or 30d".into()),
    };
    number.checked_mul(ms).map(Duration::from_millis).ok_or_else(|| "that is too long".into())
}

fn bytes(value: &str) -> Result<u64, String> {
    let (number, unit) = split(value)?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" | "kib" => 1 << 10,
        "mb" | "mib" => 1 << 20,
        "gb" | "gib" => 1 << 30,
        _ => return Err("expected bytes such as 65536, 512KiB, 64MiB or 2GiB".into()),
    };
    number.checked_mul(factor).ok_or_else(|| "that is too much".into())
}

/// `docs/configuration.md`.
pub(crate) fn reference() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         <!-- Written by `cargo run -p tokenfall -- config reference > docs/configuration.md`; a test fails when it is old. -->\n\n\
         Tokenfall needs no configuration. Where you want something else, an option can be given in four ways; the first one \
         that is there counts:\n\n\
         1. a flag of the command: `tokenfall serve --listen 127.0.0.1:9000`\n\
         2. an environment variable: `TOKENFALL_LISTEN=127.0.0.1:9000`\n\
         3. one file in TOML: `--config FILE`, else `TOKENFALL_CONFIG`, else `./tokenfall.toml` if it is there\n\
         4. the default\n\n\
         A key of the file that is not in the table is an error, with its line. `tokenfall config print` shows the value of each \
         option and where it came from; secrets are shown as `***`. Secrets have no flag, because other users of a machine can \
         read the command lines of its processes.\n\n\
         Durations: `500ms`, `30s`, `10m`, `24h`, `30d`. Bytes: `65536`, `512KiB`, `64MiB`, `2GiB`. Lists: separated by commas, \
         or an array in the file.\n\n\
         | key in the file | flag | environment variable | value | default | what it does |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for option in OPTIONS {
        let flag = if option.secret { "—".to_owned() } else { format!("`--{}`", option.flag()) };
        let default = if option.default.is_empty() { "none".to_owned() } else { format!("`{}`", option.default) };
        // Writing to a string cannot fail.
        let written = writeln!(
            text,
            "| `{}` | {flag} | `{}` | {} | {default} | {} |",
            option.name,
            option.env(),
            option.unit,
            option.doc
        );
        debug_assert!(written.is_ok());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_the_table_are_those_of_the_crates() {
        let mut settings = Settings::default();
        for option in OPTIONS {
            option.apply(&mut settings, option.default).unwrap();
        }
        assert_eq!(format!("{:?}", settings.server), format!("{:?}", Config::default()));
        assert_eq!(format!("{:?}", settings.store), format!("{:?}", embedded::Options::default()));
    }

    #[test]
    fn durations_and_bytes() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30d"), Ok(Duration::from_secs(30 * 86_400)));
        assert_eq!(bytes("300KiB"), Ok(307_200));
        assert_eq!(bytes("2 GiB"), Ok(2 << 30));
        for bad in ["", "s", "5", "5y", "-5s", "1.5s", "99999999999999999999s", "18446744073709551615d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        for bad in ["", "MiB", "5TB", "-1", "18446744073709551615KiB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }
}
