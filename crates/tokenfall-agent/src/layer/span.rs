//! What a `tracing` span stands for, kept in its extensions.

use tracing::span::{Attributes, Record};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::context::Context;
use crate::event::{Exception, Outcome, SpanLink};
use crate::layer::fields::Collector;
use crate::layer::{convention, event};
use crate::propagation::TraceContext;
use crate::span::{Span, SpanBuilder};
use crate::transaction::{Transaction, TransactionBuilder};

/// A transaction or a span, beside the [`Context`] that is an extension of its own so that other layers can read it.
#[derive(Debug)]
pub(super) struct SpanData {
    state: State,
    errored: bool,
}

#[derive(Debug)]
enum State {
    /// A transaction whose caller may still be named: it begins when it is entered, has a child or ends.
    Waiting(Box<Waiting>),
    Transaction(Transaction),
    Span(Box<Span>),
    Over,
}

#[derive(Debug)]
struct Waiting {
    builder: TransactionBuilder,
    said: Collector,
}

impl SpanData {
    pub(super) fn waiting(builder: TransactionBuilder, attributes: &Attributes<'_>) -> Self {
        let mut said = Collector::default();
        attributes.record(&mut said);
        Self { state: State::Waiting(Box::new(Waiting { builder, said })), errored: false }
    }

    /// A span. `None` if nothing of it is recorded: what is in it belongs to its parent.
    pub(super) fn span(builder: SpanBuilder, attributes: &Attributes<'_>) -> Option<Self> {
        if !builder.is_recorded() {
            return None;
        }
        let mut said = Collector::default();
        attributes.record(&mut said);
        // Whether a span may be inside of an exit span depends on its type.
        let text = |key| said.fields.iter().find(|(name, _)| *name == key).and_then(|(_, value)| value.as_text());
        let builder = match text("span.type") {
            Some(kind) => builder.span_type(kind.to_owned()),
            None => builder,
        };
        let builder = match text("span.subtype") {
            Some(subtype) => builder.subtype(subtype.to_owned()),
            None => builder,
        };
        let span = builder.start();
        if !span.is_recorded() {
            return None;
        }
        let mut data = Self { state: State::Span(Box::new(span)), errored: false };
        data.say(said);
        Some(data)
    }

    /// Its position; begins the transaction. Nothing if the agent is off.
    pub(super) fn begin(&mut self) -> Context {
        if let State::Waiting(_) = &self.state
            && let State::Waiting(waiting) = std::mem::replace(&mut self.state, State::Over)
        {
            self.state = State::Transaction(waiting.builder.begin());
            self.say(waiting.said);
        }
        match &self.state {
            State::Transaction(transaction) => transaction.context(),
            State::Span(span) => span.context(),
            State::Waiting(_) | State::Over => Context::none(),
        }
    }

    /// Names the caller of a transaction that has not begun.
    pub(super) fn set_parent(&mut self, parent: TraceContext) -> bool {
        self.build(|builder| builder.parent(Some(parent)))
    }

    /// Changes a transaction that has not begun. Is it one?
    fn build(&mut self, change: impl FnOnce(TransactionBuilder) -> TransactionBuilder) -> bool {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Waiting(waiting) => {
                let Waiting { builder, said } = *waiting;
                self.state = State::Waiting(Box::new(Waiting { builder: change(builder), said }));
                true
            }
            other => {
                self.state = other;
                false
            }
        }
    }

    pub(super) fn record(&mut self, values: &Record<'_>) {
        if let State::Waiting(waiting) = &mut self.state {
            values.record(&mut waiting.said);
            return;
        }
        let mut said = Collector::default();
        values.record(&mut said);
        self.say(said);
    }

    pub(super) fn link(&mut self, link: SpanLink) {
        if self.build(|builder| builder.link(link)) {
            return;
        }
        match &mut self.state {
            State::Transaction(transaction) => transaction.with_facts(|facts| facts.links.push(link)),
            State::Span(span) => span.details(|details| details.links.push(link)),
            State::Waiting(_) | State::Over => {}
        }
    }

    /// An error was reported in it.
    pub(super) fn mark_errored(&mut self) {
        self.errored = true;
    }

    fn say(&mut self, said: Collector) {
        let Collector { fields, exceptions } = said;
        let errors = match &mut self.state {
            State::Transaction(transaction) => {
                let mut errors = Vec::new();
                transaction.with_facts(|facts| errors = convention::say_of_transaction(facts, fields));
                errors
            }
            State::Span(span) => {
                span.record().map(|record| convention::say_of_span(record, fields)).unwrap_or_default()
            }
            State::Waiting(_) | State::Over => return,
        };
        let in_words = errors.into_iter().map(|message| Exception { message, handled: true, ..Exception::default() });
        let exceptions: Vec<Exception> = exceptions.into_iter().chain(in_words).collect();
        if !exceptions.is_empty() {
            self.errored = true;
            let position = self.begin();
            for exception in exceptions {
                event::send_exception(&position, exception);
            }
        }
    }

    /// Ends it.
    pub(super) fn end(mut self) {
        self.begin();
        let mut outcome = if self.errored { Outcome::Failure } else { Outcome::Success };
        match self.state {
            State::Transaction(transaction) => {
                transaction.with_facts(|facts| convention::conclude_transaction(facts, &mut outcome));
                transaction.set_outcome_if_unset(outcome);
                transaction.end();
            }
            State::Span(mut span) => {
                if let Some(record) = span.record() {
                    convention::conclude_span(record, &mut outcome);
                    let bridged = record.details.as_deref().is_some_and(|details| details.otel.span_kind.is_some());
                    if bridged || outcome == Outcome::Failure {
                        suggest(&span, outcome);
                    }
                }
                span.end();
            }
            State::Waiting(_) | State::Over => {}
        }
    }
}

/// Sets the outcome of a span, unless the program said another or an error was captured in it.
fn suggest(span: &Span, outcome: Outcome) {
    if let Some(node) = span.node() {
        node.remark(|remarks| {
            let outcome = if remarks.errored { Outcome::Failure } else { outcome };
            remarks.outcome.get_or_insert(outcome);
        });
    }
}

/// Position of this very span; `None` if nothing of it is recorded.
pub(super) fn own_position<'a, R: LookupSpan<'a>>(span: &SpanRef<'a, R>) -> Option<Context> {
    if let Some(known) = span.extensions().get::<Context>() {
        return Some(known.clone());
    }
    let mut extensions = span.extensions_mut();
    let position = extensions.get_mut::<SpanData>()?.begin();
    extensions.replace(position.clone());
    Some(position)
}

/// Position of this span, or of the nearest around it that is recorded.
pub(super) fn position<'a, R: LookupSpan<'a>>(span: &SpanRef<'a, R>) -> Context {
    span.scope().find_map(|span| own_position(&span)).unwrap_or_default()
}
