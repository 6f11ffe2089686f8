//! The options. The reference page `docs/agent-configuration.md` is written from this table.

use crate::event::LabelValue;
use crate::settings::{CaptureBody, TraceContinuation};
use crate::wildcard::WildcardMatcher;

use super::value::{self, Invalid, Unit};
use super::{CloudProvider, Config, Secret, clean_service_name};

/// An option.
pub(crate) struct Option {
    /// Name in code and in the central configuration. The environment variable is `ELASTIC_APM_` and this in capitals.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// As a value would be written; empty if there is none.
    pub(crate) default: &'static str,
    /// Can the central configuration change it while the program runs?
    pub(crate) dynamic: bool,
    /// For the reference page.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test writes the reference page"))]
    pub(crate) about: &'static str,
    pub(super) set: fn(&mut Config, &str) -> Result<(), Invalid>,
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Integer,
    Rate,
    /// `ms`, `s`, `m`
    Duration,
    /// `us` too
    GranularDuration,
    /// `b`, `kb`, `mb`, `gb`
    Size,
    Text,
    Secret,
    /// One of the words that the text names.
    Word,
    /// Wildcard patterns, separated by commas.
    Patterns,
    /// `key=value,key=value`
    Pairs,
    /// Addresses, separated by commas.
    Addresses,
    File,
}

impl Option {
    /// Name of the environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("ELASTIC_APM_{}", self.name.to_ascii_uppercase())
    }
}

const fn fixed(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
    set: fn(&mut Config, &str) -> Result<(), Invalid>,
) -> Option {
    Option { name, kind, default, dynamic: false, about, set }
}

const fn dynamic(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    about: &'static str,
    set: fn(&mut Config, &str) -> Result<(), Invalid>,
) -> Option {
    Option { name, kind, default, dynamic: true, about, set }
}

fn text(value: &str) -> std::option::Option<String> {
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

fn invalid<T>(expected: &str) -> Result<T, Invalid> {
    Err(Invalid(format!("one of {expected} is expected")))
}

/// Every option, in the order of the reference page.
pub(crate) const OPTIONS: &[Option] = &[
    fixed("enabled", Kind::Boolean, "true", "`false`: the agent does nothing, not even start its thread.", |c, v| {
        value::boolean(v).map(|v| c.enabled = v)
    }),
    dynamic(
        "recording",
        Kind::Boolean,
        "true",
        "`false`: nothing is recorded; the central configuration is still asked for, so that it can be switched on again.",
        |c, v| value::boolean(v).map(|v| c.settings.recording = v),
    ),
    fixed(
        "service_name",
        Kind::Text,
        "",
        "Name of the service. Characters other than letters, digits, blank, `_` and `-` become `_`. Default: name of the \
         program's file, else `unknown-rust-service`.",
        |c, v| {
            let name = clean_service_name(v);
            if name.is_empty() {
                return Err(Invalid("a name is expected".to_owned()));
            }
            c.service_name = name;
            Ok(())
        },
    ),
    fixed("service_version", Kind::Text, "", "Version of the service.", |c, v| {
        c.service_version = text(v);
        Ok(())
    }),
    fixed(
        "service_node_name",
        Kind::Text,
        "",
        "Name of this instance. Without it the server takes the container or the host.",
        |c, v| {
            c.service_node_name = text(v);
            Ok(())
        },
    ),
    fixed("environment", Kind::Text, "", "Such as `production`.", |c, v| {
        c.environment = text(v);
        Ok(())
    }),
    fixed("hostname", Kind::Text, "", "Name of the host, instead of the one that is found.", |c, v| {
        c.hostname = text(v);
        Ok(())
    }),
    fixed("global_labels", Kind::Pairs, "", "Labels of every event. Numbers and booleans only from code.", |c, v| {
        for (key, value) in value::pairs(v)? {
            let replaced = LabelValue::from(value);
            c.global_labels.retain(|(known, _)| *known != key);
            c.global_labels.push((key, replaced));
        }
        Ok(())
    }),
    fixed(
        "server_url",
        Kind::Addresses,
        "http://127.0.0.1:8200",
        "Address of the server. Of several, the next is taken when one fails.",
        |c, v| value::urls(v).map(|v| c.server_urls = v),
    ),
    fixed("secret_token", Kind::Secret, "", "Sent as `Authorization: Bearer …`.", |c, v| {
        c.secret_token = text(v).map(Secret::new);
        Ok(())
    }),
    fixed("api_key", Kind::Secret, "", "Sent as `Authorization: ApiKey …`; wins over `secret_token`.", |c, v| {
        c.api_key = text(v).map(Secret::new);
        Ok(())
    }),
    fixed(
        "server_timeout",
        Kind::Duration,
        "30s",
        "Longest wait for a connection, for one write, and for the answer. Only the agent's own thread waits.",
        |c, v| match value::duration(v, Unit::Milliseconds)? {
            timeout if timeout.is_zero() => Err(Invalid("it must not be 0".to_owned())),
            timeout => {
                c.server_timeout = timeout;
                Ok(())
            }
        },
    ),
    fixed("verify_server_cert", Kind::Boolean, "true", "`false`: any certificate of the server will do.", |c, v| {
        value::boolean(v).map(|v| c.verify_server_cert = v)
    }),
    fixed(
        "server_ca_cert_file",
        Kind::File,
        "",
        "Certificates (PEM) of the authorities that are trusted, instead of those of Mozilla.",
        |c, v| {
            c.server_ca_cert_file = text(v).map(Into::into);
            Ok(())
        },
    ),
    dynamic(
        "api_request_time",
        Kind::Duration,
        "10s",
        "Longest time that a request stays open (±10 %). Events are sent at once, on the open request.",
        |c, v| value::duration(v, Unit::Milliseconds).map(|v| c.api_request_time = v),
    ),
    dynamic(
        "api_request_size",
        Kind::Size,
        "768kb",
        "Compressed bytes after which a request ends. To this machine nothing is compressed, and a request may be 8 times as large.",
        |c, v| value::size(v).map(|v| c.api_request_size = v),
    ),
    fixed(
        "max_queue_size",
        Kind::Integer,
        "20000",
        "Events that wait at most, 1 to 1,000,000; the newest is dropped and counted when there are more.",
        |c, v| match value::integer(v)? {
            n @ 1..=1_000_000 => {
                c.max_queue_size = n as usize;
                Ok(())
            }
            _ => Err(Invalid("a number from 1 to 1000000 is expected".to_owned())),
        },
    ),
    fixed("disable_send", Kind::Boolean, "false", "Everything works, but no server is spoken to.", |c, v| {
        value::boolean(v).map(|v| c.disable_send = v)
    }),
    fixed("central_config", Kind::Boolean, "true", "Ask the server for options that are changed there.", |c, v| {
        value::boolean(v).map(|v| c.central_config = v)
    }),
    fixed(
        "cloud_provider",
        Kind::Word,
        "auto",
        "Whom to ask for the facts of the virtual machine: `auto`, `none`, `aws`, `gcp`, `azure`. `auto` asks only the \
         provider that the machine's firmware or environment names, so that other machines do not wait. Asked in the \
         agent's own thread, before the first request.",
        |c, v| {
            c.cloud_provider = match v.trim() {
                "auto" => CloudProvider::Auto,
                "none" => CloudProvider::None,
                "aws" => CloudProvider::Aws,
                "gcp" => CloudProvider::Gcp,
                "azure" => CloudProvider::Azure,
                _ => return invalid("auto, none, aws, gcp, azure"),
            };
            Ok(())
        },
    ),
    fixed("metrics_interval", Kind::Duration, "30s", "Time between metrics; `0s` is none at all.", |c, v| {
        value::duration(v, Unit::Milliseconds).map(|v| c.metrics_interval = v)
    }),
    fixed("disable_metrics", Kind::Patterns, "", "Names of metrics that are not sent.", |c, v| {
        c.disable_metrics = WildcardMatcher::list(v);
        Ok(())
    }),
    fixed("breakdown_metrics", Kind::Boolean, "true", "Send the time spent by span type.", |c, v| {
        value::boolean(v).map(|v| c.breakdown_metrics = v)
    }),
    dynamic(
        "transaction_sample_rate",
        Kind::Rate,
        "1.0",
        "Share of the traces that begin here which are recorded, 0 to 1, rounded to 4 places.",
        |c, v| value::rate(v).map(|v| c.settings.sample_rate = v),
    ),
    dynamic(
        "transaction_max_spans",
        Kind::Integer,
        "500",
        "Spans of a transaction that are sent, counted after compression; others are counted as dropped.",
        |c, v| value::integer(v).map(|v| c.settings.transaction_max_spans = u32::try_from(v).unwrap_or(u32::MAX)),
    ),
    dynamic(
        "span_compression_enabled",
        Kind::Boolean,
        "true",
        "Merge similar exit spans that follow each other.",
        |c, v| value::boolean(v).map(|v| c.settings.compression.enabled = v),
    ),
    dynamic(
        "span_compression_exact_match_max_duration",
        Kind::Duration,
        "50ms",
        "Longest span that is merged with others of the same name and callee.",
        |c, v| value::duration(v, Unit::Milliseconds).map(|v| c.settings.compression.exact_match_max = v),
    ),
    dynamic(
        "span_compression_same_kind_max_duration",
        Kind::Duration,
        "0ms",
        "Longest span that is merged with others of the same callee.",
        |c, v| value::duration(v, Unit::Milliseconds).map(|v| c.settings.compression.same_kind_max = v),
    ),
    dynamic(
        "exit_span_min_duration",
        Kind::GranularDuration,
        "0ms",
        "Successful exit spans that are shorter are counted as dropped.",
        |c, v| value::duration(v, Unit::Microseconds).map(|v| c.settings.exit_span_min_duration = v),
    ),
    dynamic(
        "span_stack_trace_min_duration",
        Kind::Duration,
        "-1ms",
        "Spans of at least this duration get a stack trace; `0ms` is all, a negative one none.",
        |c, v| value::signed_duration(v, Unit::Milliseconds).map(|v| c.settings.span_stack_trace_min_duration = v),
    ),
    dynamic("stack_trace_limit", Kind::Integer, "50", "Frames of a stack trace; 0 is no stack traces.", |c, v| {
        value::integer(v).map(|v| c.settings.stack_trace_limit = v as usize)
    }),
    dynamic("capture_headers", Kind::Boolean, "true", "Send headers of requests and answers.", |c, v| {
        value::boolean(v).map(|v| c.settings.capture_headers = v)
    }),
    dynamic(
        "capture_body",
        Kind::Word,
        "off",
        "Send bodies of requests: `off`, `errors`, `transactions`, `all`.",
        |c, v| {
            c.settings.capture_body = match v.trim() {
                "off" => CaptureBody::Off,
                "errors" => CaptureBody::Errors,
                "transactions" => CaptureBody::Transactions,
                "all" => CaptureBody::All,
                _ => return invalid("off, errors, transactions, all"),
            };
            Ok(())
        },
    ),
    dynamic(
        "capture_content",
        Kind::Boolean,
        "false",
        "Send prompts and answers of model calls. Tokenfall's own option.",
        |c, v| value::boolean(v).map(|v| c.settings.capture_content = v),
    ),
    dynamic(
        "sanitize_field_names",
        Kind::Patterns,
        crate::settings::DEFAULT_SANITIZE_FIELD_NAMES,
        "Headers, cookies and form fields whose value is replaced by `[REDACTED]`.",
        |c, v| {
            c.settings.sanitize_field_names = WildcardMatcher::list(v);
            Ok(())
        },
    ),
    dynamic("transaction_ignore_urls", Kind::Patterns, "", "Paths of requests that make no transaction.", |c, v| {
        c.settings.transaction_ignore_urls = WildcardMatcher::list(v);
        Ok(())
    }),
    dynamic(
        "transaction_ignore_user_agents",
        Kind::Patterns,
        "",
        "Values of `User-Agent` whose requests make no transaction.",
        |c, v| {
            c.settings.transaction_ignore_user_agents = WildcardMatcher::list(v);
            Ok(())
        },
    ),
    dynamic(
        "transaction_name_groups",
        Kind::Patterns,
        "",
        "A transaction whose name matches is named like the pattern.",
        |c, v| {
            c.settings.transaction_name_groups = WildcardMatcher::list(v);
            Ok(())
        },
    ),
    dynamic(
        "trace_continuation_strategy",
        Kind::Word,
        "continue",
        "What to do with the trace of a caller: `continue` it, `restart` (a new trace, linked), or `restart_external` (the \
         same for callers without an Elastic or Tokenfall agent).",
        |c, v| {
            c.settings.trace_continuation = match v.trim() {
                "continue" => TraceContinuation::Continue,
                "restart" => TraceContinuation::Restart,
                "restart_external" => TraceContinuation::RestartExternal,
                _ => return invalid("continue, restart, restart_external"),
            };
            Ok(())
        },
    ),
    dynamic("baggage_to_attach", Kind::Patterns, "*", "Keys of W3C baggage that become attributes.", |c, v| {
        c.settings.baggage_to_attach = WildcardMatcher::list(v);
        Ok(())
    }),
    dynamic(
        "context_propagation_only",
        Kind::Boolean,
        "false",
        "Trace context goes on to callees, nothing is recorded.",
        |c, v| value::boolean(v).map(|v| c.settings.context_propagation_only = v),
    ),
    fixed(
        "long_field_max_length",
        Kind::Integer,
        "10000",
        "Characters of long texts: statements, messages, bodies.",
        |c, v| value::integer(v).map(|v| c.settings.long_field_max_length = v as usize),
    ),
    dynamic("log_sending", Kind::Boolean, "false", "Send log messages of the program as events.", |c, v| {
        value::boolean(v).map(|v| c.settings.log_sending = v)
    }),
];
