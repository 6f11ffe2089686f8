//! `tracing` events: errors and logs.

use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};

use crate::context::Context;
use crate::core::Core;
use crate::error::{Place, timestamp_us};
use crate::event::{ErrorKind, Event, Exception, Labels, LogRecord, Text};
use crate::layer::fields::{Collector, Fields, is_error};
use crate::layer::select::{is_own, is_own_thread};
use crate::stacktrace::StackTrace;
use crate::transaction::MAX_LABELS;

/// Records an event. Did it report an error?
pub(super) fn record(event: &tracing::Event<'_>, position: &Context, core: &Arc<Core>, max_level: LevelFilter) -> bool {
    let metadata = event.metadata();
    let is_error = *metadata.level() == Level::ERROR;
    let settings = core.settings.load();
    let wanted = is_error || (settings.log_sending && *metadata.level() <= max_level);
    if !wanted || !settings.recording {
        return false;
    }
    drop(settings);
    let mut said = Collector::default();
    event.record(&mut said);
    let message = Message::new(metadata, said);
    if is_own(&message.logger) || is_own_thread() {
        return false;
    }
    if is_error {
        message.send_error(core, position);
    } else {
        core.send(Event::Log(Box::new(message.into_log(position))));
    }
    is_error
}

/// An event in our words.
struct Message {
    text: Text,
    level: Text,
    logger: Text,
    file: Option<Text>,
    line: Option<u32>,
    labels: Labels,
    exceptions: Vec<Exception>,
    /// Errors of which only the text is known.
    errors: Vec<Text>,
}

impl Message {
    fn new(metadata: &Metadata<'_>, said: Collector) -> Self {
        let mut message = Self {
            text: Text::Borrowed(""),
            level: metadata.level().as_str().to_ascii_lowercase().into(),
            logger: metadata.target().to_owned().into(),
            file: metadata.file().map(|file| file.to_owned().into()),
            line: metadata.line(),
            labels: Labels::new(),
            exceptions: said.exceptions,
            errors: Vec::new(),
        };
        message.add(said.fields);
        message
    }

    fn add(&mut self, fields: Fields) {
        for (name, value) in fields {
            match name {
                "message" => self.text = value.into_text(),
                // Records of the crate `log` bring their origin as fields.
                "log.target" => self.logger = value.into_text(),
                "log.file" => self.file = Some(value.into_text()),
                "log.line" => self.line = value.as_f64().map(|line| line as u32),
                "log.module_path" => {}
                _ if is_error(name) => self.errors.push(value.into_text()),
                _ if self.labels.len() < MAX_LABELS => self.labels.push((name.into(), value.into())),
                _ => {}
            }
        }
    }

    /// The text; without one, what the error says.
    fn text(&mut self) -> Text {
        if self.text.is_empty() {
            self.errors.first().cloned().unwrap_or_default()
        } else {
            std::mem::take(&mut self.text)
        }
    }

    fn send_error(mut self, core: &Arc<Core>, position: &Context) {
        let place = Place::new(core, position);
        if self.exceptions.is_empty() {
            let text = self.text();
            for error in self.errors.into_iter().filter(|error| *error != text) {
                self.labels.push(("error".into(), error.into()));
            }
            let what = ErrorKind::Log { message: text, level: self.level, logger: Some(self.logger) };
            place.report(what, None, self.labels);
            return;
        }
        if !self.text.is_empty() {
            self.labels.push(("message".into(), self.text.into()));
        }
        for exception in self.exceptions {
            place.report(with_stack(exception, core), None, self.labels.clone());
        }
    }

    fn into_log(mut self, position: &Context) -> LogRecord {
        let message = self.text();
        for error in self.errors.into_iter().chain(self.exceptions.into_iter().map(|exception| exception.message)) {
            self.labels.push(("error".into(), error.into()));
        }
        let place = position.trace_id().zip(position.transaction_id());
        LogRecord {
            timestamp_us: timestamp_us(position.active.as_ref()),
            message,
            level: self.level,
            logger: Some(self.logger),
            file: self.file,
            line: self.line,
            place: place.map(|(trace_id, transaction_id)| (trace_id, transaction_id, position.span_id())),
            labels: self.labels,
        }
    }
}

/// Reports an error value of a span's field.
pub(super) fn send_exception(position: &Context, exception: Exception) {
    let place = position.place_of_errors();
    if let Some(core) = place.recording() {
        place.report(with_stack(exception, core), None, Labels::new());
    }
}

fn with_stack(mut exception: Exception, core: &Core) -> ErrorKind {
    if core.settings.load().stack_trace_limit > 0 {
        exception.stack = Some(StackTrace::capture());
    }
    ErrorKind::Exception(exception)
}
