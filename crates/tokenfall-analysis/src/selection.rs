//! A part of a chart that somebody drew a box around.

use tokenfall_api::llm::PointOf;
use tokenfall_model::EventKind;
use tokenfall_model::document::DependencyRole;
use tokenfall_model::fields::{self, Field};
use tokenfall_query::{Filter, SearchRequest};

use crate::scope::{Scope, optional};

/// Which model calls or transactions a question is about; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// What `tokens` and `duration_us` are of.
    pub of: PointOf,
    /// Service.
    pub service: Option<String>,
    /// Model of the calls. Transactions are not chosen by it, because they can ask several; only where money is summed up over them,
    /// those count that asked no other.
    pub model: Option<String>,
    /// Name of the calls or transactions.
    pub name: Option<String>,
    /// Type of the calls or transactions.
    pub event_type: Option<String>,
    /// A field and the value that it must have, labels included.
    pub field: Option<(String, String)>,
    /// Durations in microseconds, `from ≤ d < to`.
    pub duration_us: (Option<u64>, Option<u64>),
    /// Tokens of the answer, `from ≤ n < to`.
    pub tokens: (Option<u64>, Option<u64>),
}

impl Selection {
    /// True if a box was drawn, so that some of the points are in it and others are not.
    pub fn has_box(&self) -> bool {
        [self.duration_us, self.tokens].iter().any(|(from, to)| from.is_some() || to.is_some())
    }

    /// The same without the box.
    #[must_use]
    pub fn without_box(&self) -> Self {
        Self { duration_us: (None, None), tokens: (None, None), ..self.clone() }
    }

    /// Asks about the calls or transactions of the selection.
    pub(crate) fn request(&self, scope: &Scope) -> SearchRequest {
        match self.of {
            PointOf::Calls => self.calls(scope),
            PointOf::Transactions => self.transactions(scope),
        }
    }

    /// Asks about model calls: the spans that stand for one.
    pub(crate) fn calls(&self, scope: &Scope) -> SearchRequest {
        scope
            .request(EventKind::Span)
            .filter(is_call())
            .filter(optional(fields::MODEL, self.model.as_deref()))
            .filter(optional(fields::SPAN_NAME, self.name.as_deref()))
            .filter(optional(fields::SPAN_TYPE, self.event_type.as_deref()))
            .filter(self.service_and_field())
            .filter(range(fields::DEPENDENCY_DURATION_US, self.duration_us))
            .filter(range(fields::GEN_AI_USAGE_OUTPUT_TOKENS, self.tokens))
    }

    /// Asks about transactions, with model calls or without.
    pub(crate) fn transactions(&self, scope: &Scope) -> SearchRequest {
        scope
            .request(EventKind::Transaction)
            .filter(self.of_transactions())
            .filter(range(fields::TRANSACTION_DURATION_US, self.duration_us))
            .filter(self.transaction_tokens())
    }

    /// Asks about the events that have a cost, each amount once: model calls, and transactions that say more than theirs.
    pub(crate) fn costs(&self, scope: &Scope) -> SearchRequest {
        let mut request = scope.request(EventKind::Transaction);
        request.kinds.push(EventKind::Span);
        let of_transaction = Filter::term(fields::PROCESSOR_EVENT, EventKind::Transaction.as_str())
            .and(Filter::exists(fields::COST_PICO_USD));
        request
            .filter(Filter::Or(vec![is_call(), of_transaction]))
            .filter(optional(fields::MODEL, self.model.as_deref()))
            .filter(optional(fields::SERVICE_NAME, self.service.as_deref()))
    }

    /// True if something is chosen that model calls do not know of themselves, only their transactions.
    pub(crate) fn is_of_transactions(&self) -> bool {
        self.name.is_some() || self.event_type.is_some() || self.field.is_some()
    }

    /// Asks about the events with which model calls are counted. Without the box, because it is drawn around other events.
    pub(crate) fn carriers(&self, scope: &Scope) -> SearchRequest {
        let mut request = scope.request(EventKind::Transaction);
        request.kinds.push(EventKind::Span);
        // A transaction has a model if all of its calls asked the same.
        let of_model = optional(fields::MODEL, self.model.as_deref());
        request.filter(Filter::exists(fields::LLM_GENERATIONS)).filter(self.of_transactions()).filter(of_model)
    }

    fn of_transactions(&self) -> Filter {
        optional(fields::TRANSACTION_NAME, self.name.as_deref())
            .and(optional(fields::TRANSACTION_TYPE, self.event_type.as_deref()))
            .and(self.service_and_field())
    }

    fn service_and_field(&self) -> Filter {
        let field = match &self.field {
            Some((field, value)) => Filter::Term { field: field.clone(), value: value.as_str().into() },
            None => Filter::All,
        };
        optional(fields::SERVICE_NAME, self.service.as_deref()).and(field)
    }

    /// Tokens of the answers; where only the tokens of questions and answers together are known, those.
    fn transaction_tokens(&self) -> Filter {
        if self.tokens == (None, None) {
            return Filter::All;
        }
        let only_total = Filter::exists(fields::LLM_OUTPUT_TOKENS).negate();
        Filter::Or(vec![
            range(fields::LLM_OUTPUT_TOKENS, self.tokens),
            only_total.and(range(fields::LLM_TOTAL_TOKENS, self.tokens)),
        ])
    }
}

/// A model call.
pub(crate) fn is_call() -> Filter {
    Filter::term(fields::DEPENDENCY_ROLE, DependencyRole::Generation.as_str())
}

fn range(field: Field, (from, to): (Option<u64>, Option<u64>)) -> Filter {
    if from.is_none() && to.is_none() {
        return Filter::All;
    }
    Filter::range(field, from.map(|n| n as f64), to.map(|n| n as f64))
}
