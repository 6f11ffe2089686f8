//! `tracing` events: errors and logs.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};

use crate::clock::wall_us;
use crate::context::{Active, Context};
use crate::core::Core;
use crate::event::{ErrorKind, ErrorPlace, ErrorRecord, Event, EventContext, Exception, Labels, LogRecord, Text};
use crate::id::ErrorId;
use crate::layer::fields::{Collector, Fields, is_error};
use crate::layer::select::{is_own, is_own_thread};
use crate::stacktrace::StackTrace;
use crate::trace::lock;
use crate::transaction::MAX_LABELS;

/// Most errors of a chain.
const MAX_CAUSES: usize = 16;

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

    fn send_error(mut self, core: &Core, position: &Context) {
        if self.exceptions.is_empty() {
            let text = self.text();
            for error in self.errors {
                self.labels.push(("error".into(), error.into()));
            }
            let what = ErrorKind::Log { message: text, level: self.level, logger: Some(self.logger) };
            send(core, position, what, self.labels);
            return;
        }
        if !self.text.is_empty() {
            self.labels.push(("message".into(), self.text.into()));
        }
        for exception in self.exceptions {
            send(core, position, ErrorKind::Exception(exception), self.labels.clone());
        }
    }

    fn into_log(mut self, position: &Context) -> LogRecord {
        let message = self.text();
        for error in self.errors.into_iter().chain(self.exceptions.into_iter().map(|exception| exception.message)) {
            self.labels.push(("error".into(), error.into()));
        }
        let place = position.trace_id().zip(position.transaction_id());
        LogRecord {
            timestamp_us: now_us(position),
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
    let core = match &position.active {
        Some(Active::Node(node)) => &node.trace.core,
        Some(Active::Unsampled(unsampled)) => &unsampled.core,
        None => return,
    };
    send(core, position, ErrorKind::Exception(exception), Labels::new());
}

fn send(core: &Core, position: &Context, mut what: ErrorKind, labels: Labels) {
    let with_stack = core.settings.load().stack_trace_limit > 0;
    if let ErrorKind::Exception(exception) = &mut what
        && with_stack
    {
        exception.stack = Some(StackTrace::capture());
    }
    let mut context = EventContext { labels, ..EventContext::default() };
    let place = match &position.active {
        Some(Active::Node(node)) => {
            let mut facts = lock(&node.trace.facts);
            context.user.clone_from(&facts.context.user);
            let place = ErrorPlace {
                trace_id: node.trace.trace_id,
                transaction_id: node.trace.transaction_id,
                parent_id: node.id,
                sampled: true,
                transaction_name: facts.name.clone(),
                transaction_kind: facts.kind.clone(),
            };
            if node.is_root() {
                facts.errored = true;
            } else {
                drop(facts);
                node.remark(|remarks| remarks.errored = true);
            }
            Some(place)
        }
        Some(Active::Unsampled(unsampled)) => Some(ErrorPlace {
            trace_id: unsampled.trace_id,
            transaction_id: unsampled.id,
            parent_id: unsampled.id,
            sampled: false,
            transaction_name: unsampled.name.clone(),
            transaction_kind: unsampled.kind.clone(),
        }),
        None => None,
    };
    let (id, timestamp_us) = (ErrorId::random(), now_us(position));
    core.send(Event::Error(Box::new(ErrorRecord { id, timestamp_us, place, culprit: None, what, context })));
}

/// Now, by the clock of the transaction if there is one.
fn now_us(position: &Context) -> u64 {
    match &position.active {
        Some(Active::Node(node)) => node.trace.anchor.timestamp_us(Instant::now()),
        Some(Active::Unsampled(_)) | None => wall_us(),
    }
}

/// An error value and its causes.
pub(super) fn exception(error: &(dyn Error + 'static)) -> Exception {
    let one = |error: &(dyn Error + 'static)| Exception {
        message: error.to_string().into(),
        handled: true,
        ..Exception::default()
    };
    let mut exception = one(error);
    let causes = std::iter::successors(error.source(), |&error| error.source());
    exception.causes = causes.take(MAX_CAUSES).map(one).collect();
    exception
}
