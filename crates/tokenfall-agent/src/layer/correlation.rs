//! Log lines that know their trace.

use std::fmt;

use serde_json::{Map, Value as Json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::context::Context;
use crate::layer::span::position;

/// Version of the Elastic Common Schema whose fields are written.
const ECS_VERSION: &str = "8.11.0";

/// Format of `tracing_subscriber`'s `fmt` layer: one JSON object a line with the fields of the Elastic Common Schema, `trace.id`,
/// `transaction.id` and `span.id` among them. Tokenfall and Kibana find the logs of a trace by these.
///
/// ```
/// use tokenfall_agent::{Agent, layer::EcsFormat};
/// use tracing_subscriber::prelude::*;
///
/// let agent = Agent::disabled();
/// let logs = tracing_subscriber::fmt::layer().event_format(EcsFormat::new().with_service_name("search"));
/// let subscriber = tracing_subscriber::registry().with(agent.layer()).with(logs);
/// # drop(subscriber);
/// ```
///
/// A formatter of your own finds the ids in [`Context::current`] and [`Context::log_fields`]; other layers find a
/// [`Context`] in the extensions of a span that was entered.
#[derive(Clone, Debug, Default)]
pub struct EcsFormat {
    // Of the service.
    name: Option<String>,
    version: Option<String>,
    environment: Option<String>,
}

impl EcsFormat {
    /// A format without fields of the service.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `service.name`.
    pub fn with_service_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds `service.version`.
    pub fn with_service_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Adds `service.environment`.
    pub fn with_service_environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = Some(environment.into());
        self
    }
}

impl<S, N> FormatEvent<S, N> for EcsFormat
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut line = Map::new();
        let mut put = |name: &str, value: Json| drop(line.insert(name.to_owned(), value));
        put("@timestamp", timestamp.into());
        put("log.level", metadata.level().as_str().to_ascii_lowercase().into());
        put("message", "".into());
        put("ecs.version", ECS_VERSION.into());
        put("log.logger", metadata.target().into());
        if let Some(file) = metadata.file() {
            put("log.origin.file.name", file.into());
        }
        if let Some(number) = metadata.line() {
            put("log.origin.file.line", number.into());
        }
        let service = [
            ("service.name", &self.name),
            ("service.version", &self.version),
            ("service.environment", &self.environment),
        ];
        for (name, value) in service {
            if let Some(value) = value {
                put(name, value.as_str().into());
            }
        }
        let here = match context.parent_span() {
            _ if event.is_contextual() => Context::current(),
            Some(span) => position(&span),
            None => Context::none(),
        };
        for (name, id) in here.log_fields() {
            put(name, id.into());
        }
        event.record(&mut JsonFields(&mut line));
        writeln!(writer, "{}", Json::Object(line))
    }
}

struct JsonFields<'a>(&'a mut Map<String, Json>);

impl JsonFields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Json>) {
        let name = match field.name() {
            "error" | "err" | "exception" => "error.message",
            name => name,
        };
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for JsonFields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}
