//! Errors: values with their causes, messages, panics.
//!
//! An error belongs to where it was captured: to the current span or transaction, or to none. It marks that place as failed.
//! Errors are not sampled: those of transactions that are not recorded are reported too.

mod exception;
mod panic;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::agent::Agent;
use crate::clock::wall_us;
use crate::context::{Active, Context};
use crate::core::Core;
use crate::event::{ErrorKind, ErrorPlace, ErrorRecord, Event, EventContext, Exception, LabelValue, Labels, Text, set};
use crate::id::ErrorId;
use crate::span::Span;
use crate::stacktrace::StackTrace;
use crate::trace::{Facts, Node, lock};
use crate::transaction::{MAX_LABELS, Transaction, TransactionRef, Unsampled};

pub(crate) use exception::exception;

/// Most characters of a printed stack trace that are looked at.
const MAX_TRACE_CHARS: usize = 200_000;

/// Captures an error value with its causes in the current span or transaction, or outside of any by the
/// [global agent](Agent::global); `None` if there is neither. See [`Context::capture_error`].
pub fn capture_error<E: Error + ?Sized>(error: &E) -> Option<ErrorId> {
    current().capture(error)
}

/// Captures a message in the same place. See [`Context::capture_message`].
pub fn capture_message(message: impl Into<Text>, level: impl Into<Text>) -> Option<ErrorId> {
    ErrorBuilder::new(current(), message.into()).level(level).capture()
}

fn current() -> Place {
    let context = Context::current();
    if context.is_none() { Agent::global().place_of_errors() } else { context.place_of_errors() }
}

/// Where an error is captured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    core: Option<Arc<Core>>,
    active: Option<Active>,
    /// Is it the transaction, even if `active` is a span in it?
    is_transaction: bool,
}

impl Place {
    /// This position, or outside of any.
    #[cfg(feature = "tracing")]
    pub(crate) fn new(core: &Arc<Core>, position: &Context) -> Self {
        Self { core: Some(Arc::clone(core)), active: position.active.clone(), is_transaction: false }
    }

    fn of(active: Option<Active>) -> Self {
        let core = active.as_ref().map(|active| Arc::clone(core(active)));
        Self { core, active, is_transaction: false }
    }

    /// The agent, if it takes errors.
    pub(crate) fn recording(&self) -> Option<&Arc<Core>> {
        let core = self.core.as_ref()?;
        let settings = core.settings.load();
        (settings.recording && !settings.context_propagation_only).then_some(core)
    }

    /// Captures an error value.
    pub(crate) fn capture<E: Error + ?Sized>(&self, error: &E) -> Option<ErrorId> {
        let core = self.recording()?;
        let settings = core.settings.load();
        let mut exception = exception(error, settings.long_field_max_length);
        exception.handled = true;
        if settings.stack_trace_limit > 0 {
            exception.stack = Some(StackTrace::capture());
        }
        drop(settings);
        self.report(ErrorKind::Exception(exception), None, Labels::new())
    }

    /// Sends an error and marks the place as failed.
    pub(crate) fn report(&self, what: ErrorKind, culprit: Option<Text>, labels: Labels) -> Option<ErrorId> {
        let fails = match &what {
            ErrorKind::Exception(_) => true,
            ErrorKind::Log { level, .. } => {
                ["error", "fatal", "critical"].iter().any(|l| l.eq_ignore_ascii_case(level))
            }
        };
        let id = self.send(what, culprit, labels)?;
        if let Some(Active::Node(node)) = self.active.as_ref().filter(|_| fails) {
            if self.is_transaction || node.is_root() {
                lock(&node.trace.facts).errored = true;
            } else {
                node.remark(|remarks| remarks.errored = true);
            }
        }
        Some(id)
    }

    /// Sends an exception that the place goes on after.
    pub(crate) fn send_exception(&self, mut exception: Exception) -> Option<ErrorId> {
        if self.recording()?.settings.load().stack_trace_limit > 0 {
            exception.stack.get_or_insert_with(StackTrace::capture);
        }
        self.send(ErrorKind::Exception(exception), None, Labels::new())
    }

    fn send(&self, what: ErrorKind, culprit: Option<Text>, labels: Labels) -> Option<ErrorId> {
        let core = self.recording()?;
        let (place, mut context) = match &self.active {
            None => (None, EventContext::default()),
            Some(Active::Unsampled(unsampled)) => (Some(unsampled_place(unsampled)), EventContext::default()),
            Some(Active::Node(node)) => {
                let facts = lock(&node.trace.facts);
                let is_transaction = self.is_transaction || node.is_root();
                (Some(place(node, is_transaction, &facts)), facts.context.clone())
            }
        };
        for (key, value) in labels {
            set(&mut context.labels, key, value);
        }
        let timestamp_us = timestamp_us(self.active.as_ref());
        let id = ErrorId::random();
        core.send(Event::Error(Box::new(ErrorRecord { id, timestamp_us, place, culprit, what, context })));
        Some(id)
    }
}

fn core(active: &Active) -> &Arc<Core> {
    match active {
        Active::Node(node) => &node.trace.core,
        Active::Unsampled(unsampled) => &unsampled.core,
    }
}

fn place(node: &Node, is_transaction: bool, facts: &Facts) -> ErrorPlace {
    let trace = &node.trace;
    ErrorPlace {
        trace_id: trace.trace_id,
        transaction_id: trace.transaction_id,
        parent_id: if is_transaction { trace.transaction_id } else { node.id },
        sampled: true,
        transaction_name: facts.name.clone(),
        transaction_kind: facts.kind.clone(),
    }
}

fn unsampled_place(transaction: &Unsampled) -> ErrorPlace {
    ErrorPlace {
        trace_id: transaction.trace_id,
        transaction_id: transaction.id,
        parent_id: transaction.id,
        sampled: false,
        transaction_name: transaction.name.clone(),
        transaction_kind: transaction.kind.clone(),
    }
}

pub(crate) fn timestamp_us(active: Option<&Active>) -> u64 {
    match active {
        Some(Active::Node(node)) => node.trace.anchor.timestamp_us(Instant::now()),
        Some(Active::Unsampled(_)) | None => wall_us(),
    }
}

/// Describes an error that is no value of an error type. Made by `error` of an agent, a context, a transaction or a span.
///
/// With a [`level`](Self::level) or a [`logger`](Self::logger), and without [`kind`](Self::kind), it is a message of a log
/// with level `error` or the one given, and has no stack trace.
#[derive(Debug)]
#[must_use = "nothing is sent before `capture`"]
pub struct ErrorBuilder {
    place: Place,
    exception: Exception,
    culprit: Option<Text>,
    level: Option<Text>,
    logger: Option<Text>,
    labels: Labels,
}

impl ErrorBuilder {
    fn new(place: Place, message: Text) -> Self {
        let exception = Exception { message, handled: true, ..Exception::default() };
        Self { place, exception, culprit: None, level: None, logger: None, labels: Labels::new() }
    }

    /// Sets the type, such as `RateLimitError`.
    pub fn kind(mut self, kind: impl Into<Text>) -> Self {
        self.exception.kind = Some(kind.into());
        self
    }

    /// Sets the module of the type, such as `openai::error`.
    pub fn module(mut self, module: impl Into<Text>) -> Self {
        self.exception.module = Some(module.into());
        self
    }

    /// Sets a code, such as `429`.
    pub fn code(mut self, code: impl Into<Text>) -> Self {
        self.exception.code = Some(code.into());
        self
    }

    /// Sets where it happened, such as a function. Without it the innermost function of the program is taken from the stack
    /// trace.
    pub fn culprit(mut self, culprit: impl Into<Text>) -> Self {
        self.culprit = Some(culprit.into());
        self
    }

    /// Was it dealt with? Default: yes.
    pub fn handled(mut self, handled: bool) -> Self {
        self.exception.handled = handled;
        self
    }

    /// Sets the level of a log message, such as `error`, `warning`.
    pub fn level(mut self, level: impl Into<Text>) -> Self {
        self.level = Some(level.into());
        self
    }

    /// Sets the name of the logger.
    pub fn logger(mut self, logger: impl Into<Text>) -> Self {
        self.logger = Some(logger.into());
        self
    }

    /// Adds an error as the cause, with its own causes.
    pub fn cause<E: Error + ?Sized>(mut self, cause: &E) -> Self {
        if let Some(core) = self.place.recording() {
            let mut cause = exception(cause, core.settings.load().long_field_max_length);
            let causes = std::mem::take(&mut cause.causes);
            self.exception.causes.push(cause);
            self.exception.causes.extend(causes);
        }
        self
    }

    /// Sets the stack trace, such as `error.backtrace()` of `anyhow`, instead of the caller's. Symbols are looked up here and
    /// now, which can take milliseconds.
    pub fn stack_trace(mut self, trace: &impl fmt::Display) -> Self {
        if self.place.recording().is_some_and(|core| core.settings.load().stack_trace_limit > 0) {
            let text = exception::text(format_args!("{trace}"), MAX_TRACE_CHARS);
            self.exception.stack = Some(StackTrace::Printed(text.as_ref().into()));
        }
        self
    }

    /// Sets a label, over one of the transaction.
    pub fn label(mut self, key: impl Into<Text>, value: impl Into<LabelValue>) -> Self {
        if self.labels.len() < MAX_LABELS {
            set(&mut self.labels, key.into(), value.into());
        }
        self
    }

    /// Sends it. `None` if the agent does not record.
    pub fn capture(self) -> Option<ErrorId> {
        let Self { place, mut exception, culprit, level, logger, labels } = self;
        let core = place.recording()?;
        let what = if exception.kind.is_none() && (level.is_some() || logger.is_some()) {
            ErrorKind::Log { message: exception.message, level: level.unwrap_or(Text::Borrowed("error")), logger }
        } else {
            if core.settings.load().stack_trace_limit > 0 {
                exception.stack.get_or_insert_with(StackTrace::capture);
            }
            ErrorKind::Exception(exception)
        };
        place.report(what, culprit, labels)
    }
}

macro_rules! captures {
    ($($handle:ty, $where:literal;)+) => {$(
        impl $handle {
            #[doc = concat!("Captures an error value ", $where, ", with its causes (16 at most) and a stack trace of the caller.")]
            ///
            /// Its type is the name of `E`; of a `dyn Error`, and of causes, the name with which its `Debug` begins. Works with
            /// `anyhow` and `eyre` as `capture_error(&*error)`. Costs some microseconds; `None`, and no cost, if the
            /// agent does not record.
            pub fn capture_error<E: Error + ?Sized>(&self, error: &E) -> Option<ErrorId> {
                self.place_of_errors().capture(error)
            }

            #[doc = concat!("Captures a message ", $where, ". Levels `error`, `fatal` and `critical` mark the place as failed.")]
            pub fn capture_message(&self, message: impl Into<Text>, level: impl Into<Text>) -> Option<ErrorId> {
                self.error(message).level(level).capture()
            }

            #[doc = concat!("Describes an error ", $where, " that is no value of an error type.")]
            pub fn error(&self, message: impl Into<Text>) -> ErrorBuilder {
                ErrorBuilder::new(self.place_of_errors(), message.into())
            }
        }
    )+};
}

captures! {
    Agent, "in the current span or transaction, or outside of any";
    Context, "in this span or transaction";
    Transaction, "in this transaction";
    TransactionRef, "in this transaction";
    Span, "in this span";
}

impl Agent {
    fn place_of_errors(&self) -> Place {
        let Some(agent) = self.core() else { return Place::default() };
        // The current transaction can be another agent's.
        let active = Context::current().active.filter(|active| Arc::ptr_eq(core(active), agent));
        Place { core: Some(Arc::clone(agent)), active, is_transaction: false }
    }
}

impl Context {
    pub(crate) fn place_of_errors(&self) -> Place {
        Place::of(self.active.clone())
    }
}

impl Transaction {
    fn place_of_errors(&self) -> Place {
        self.context().place_of_errors()
    }
}

impl TransactionRef {
    fn place_of_errors(&self) -> Place {
        Place { is_transaction: true, ..Place::of(Some(self.active.clone())) }
    }
}

impl Span {
    fn place_of_errors(&self) -> Place {
        self.context().place_of_errors()
    }
}
