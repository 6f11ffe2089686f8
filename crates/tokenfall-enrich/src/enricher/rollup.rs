//! Sums over the model calls of a transaction, so that each call is counted with exactly one event.
//!
//! Model calls end, and are sent, before the transaction that they are part of; their sum waits for it here. A call that comes
//! after its transaction was stored is counted with itself, and gets what the transaction says: `docs/model-calls.md`.

use tokenfall_model::document::{LabelValue, LlmRollup, Session, TokenfallCost, TokenfallFields, UsageSource, User};
use tokenfall_model::{Document, EventKind, Outcome, Usd};

use super::recent::{Keys, Recent, SpanKey};
use crate::labels::{LabelMap, Meaning};

/// Transactions that came last and are remembered for calls that come late.
const CLOSED_MAX: usize = 20_000;
/// Labels that a late call takes over, in bytes of their names and values, so that 20,000 transactions have 80 MB at most.
const LABELS_BYTES_MAX: usize = 4 * 1024;

/// Sums of the transactions that were touched last.
#[derive(Debug)]
pub(super) struct Rollups {
    /// Calls whose transaction has not come.
    open: Recent<Calls>,
    /// Transactions that have.
    closed: Recent<Identity>,
}

/// What calls sum up to.
#[derive(Debug, Default)]
struct Calls {
    sum: LlmRollup,
    /// A call that succeeded does not say its tokens, or not exactly.
    has_unknown: Unknown,
    /// Model of the first call, and whether all others have the same.
    model: Option<String>,
    has_other_model: bool,
    conversation: Option<String>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Unknown {
    input: bool,
    output: bool,
    total: bool,
}

/// What a call that comes late takes over from its transaction.
#[derive(Debug, Default)]
struct Identity {
    name: Option<String>,
    kind: Option<String>,
    user: Option<Box<User>>,
    session: Option<Session>,
    question: Option<String>,
    labels: Vec<(String, LabelValue)>,
    numeric_labels: Vec<(String, f64)>,
}

impl Rollups {
    pub(super) fn with_memory_of(transactions: usize) -> Self {
        let closed = Recent::with_capacity_of(transactions.min(CLOSED_MAX));
        Self { open: Recent::with_capacity_of(transactions), closed }
    }

    /// Counts the calls (indices of documents that come for the first time) and completes the transactions of a batch.
    pub(super) fn count(
        &mut self,
        documents: &mut [Document],
        calls: impl Iterator<Item = usize>,
        keys: &Keys,
        labels: &LabelMap,
    ) {
        for i in calls {
            let document = &mut documents[i];
            match transaction_key(document, keys) {
                Some(key) if self.closed.contains(key) => late(document, self.closed.entry(key)),
                Some(key) => self.open.entry(key).add(document),
                // No transaction will ever come.
                None => alone(document),
            }
        }
        for document in documents.iter_mut().filter(|document| document.kind() == EventKind::Transaction) {
            self.close(document, keys, labels);
        }
    }

    fn close(&mut self, document: &mut Document, keys: &Keys, labels: &LabelMap) {
        let Some(key) = transaction_key(document, keys) else { return };
        let calls = self.open.take(key).unwrap_or_default();
        who_and_what(document, &calls, labels);
        // One that is sent again has its sum already.
        if !self.closed.contains(key) {
            calls.settle(document, labels);
        }
        *self.closed.entry(key) = Identity::of(document);
    }
}

/// Key of the transaction that an event is, or is part of.
fn transaction_key(document: &Document, keys: &Keys) -> Option<SpanKey> {
    let transaction = document.transaction.as_ref()?.id.as_ref()?;
    Some(keys.key(document.trace.as_ref()?.id.as_str(), transaction.as_str()))
}

/// Question, user and session of a transaction, where labels have them and the fields do not.
fn who_and_what(document: &mut Document, calls: &Calls, labels: &LabelMap) {
    if let Some(question) = labels.text(document, Meaning::Question) {
        document.tokenfall.get_or_insert_with(|| Box::new(TokenfallFields::default())).question = Some(question);
    }
    if document.user.as_ref().is_none_or(|user| user.id.is_none())
        && let Some(id) = labels.text(document, Meaning::User)
    {
        document.user.get_or_insert_with(|| Box::new(User::default())).id = Some(id);
    }
    if document.session.as_ref().is_none_or(|session| session.id.is_none()) {
        let id = labels.text(document, Meaning::Session).or_else(|| calls.conversation.clone());
        if id.is_some() {
            document.session.get_or_insert_default().id = id;
        }
    }
}

/// A call without a transaction is counted with itself.
fn alone(document: &mut Document) {
    let mut calls = Calls::default();
    calls.add(document);
    let sum = calls.sum();
    document.tokenfall.get_or_insert_with(|| Box::new(TokenfallFields::default())).llm = Some(Box::new(sum));
}

/// A call whose transaction is stored already.
fn late(document: &mut Document, identity: &Identity) {
    alone(document);
    if let Some(transaction) = document.transaction.as_mut() {
        transaction.name = transaction.name.take().or_else(|| identity.name.clone());
        transaction.kind = transaction.kind.take().or_else(|| identity.kind.clone());
    }
    document.user = document.user.take().or_else(|| identity.user.clone());
    document.session = document.session.take().or_else(|| identity.session.clone());
    if let Some(fields) = document.tokenfall.as_mut() {
        fields.question.clone_from(&identity.question);
    }
    for (name, value) in &identity.labels {
        document.labels.entry(name.clone()).or_insert_with(|| value.clone());
    }
    for (name, value) in &identity.numeric_labels {
        document.numeric_labels.entry(name.clone()).or_insert(*value);
    }
}

impl Identity {
    fn of(document: &Document) -> Self {
        let mut room = LABELS_BYTES_MAX;
        let mut fits = |bytes: usize| {
            let rest = room.checked_sub(bytes);
            room = rest.unwrap_or(room);
            rest.is_some()
        };
        let texts = document.labels.iter().filter(|(name, value)| fits(name.len() + bytes_of(value)));
        let labels = texts.map(|(name, value)| (name.clone(), value.clone())).collect();
        let numbers = document.numeric_labels.iter().filter(|(name, _)| fits(name.len() + size_of::<f64>()));
        let numeric_labels = numbers.map(|(name, value)| (name.clone(), *value)).collect();
        let transaction = document.transaction.as_deref();
        Self {
            name: transaction.and_then(|t| t.name.clone()),
            kind: transaction.and_then(|t| t.kind.clone()),
            user: document.user.clone(),
            session: document.session.clone(),
            question: document.tokenfall.as_ref().and_then(|fields| fields.question.clone()),
            labels,
            numeric_labels,
        }
    }
}

impl Calls {
    fn add(&mut self, document: &Document) {
        let fields = document.tokenfall.as_deref();
        let failed = document.outcome() == Some(Outcome::Failure);
        let usage = fields.and_then(|f| f.usage);
        let tokens = document.gen_ai.as_ref().and_then(|gen_ai| gen_ai.usage).unwrap_or_default();
        let cost = fields.and_then(|f| f.cost.as_ref()).map(|cost| cost.usd);
        let sum = &mut self.sum;
        sum.generations += 1;
        sum.failed_generations += u64::from(failed);
        add(&mut sum.input_tokens, tokens.input_tokens);
        add(&mut sum.output_tokens, tokens.output_tokens);
        if let Some((total, source)) = usage.and_then(|usage| Some((usage.total_tokens?, usage.source))) {
            add(&mut sum.total_tokens, Some(total));
            add(of_source(sum, source), Some(total));
        }
        if let Some(usd) = cost {
            add_usd(&mut sum.cost_pico_usd, usd);
            if failed {
                add_usd(&mut sum.failed_cost_pico_usd, usd);
            }
        }
        if !failed {
            let is_exact = usage.is_some_and(|u| matches!(u.source, UsageSource::Reported | UsageSource::Counted));
            let is_embedding = crate::usage::is_embedding(document);
            self.has_unknown.input |= tokens.input_tokens.is_none();
            self.has_unknown.output |= tokens.output_tokens.is_none() && !is_embedding;
            self.has_unknown.total |= !is_exact || usage.is_none_or(|u| u.total_tokens.is_none());
            sum.unpriced_generations += u64::from(cost.is_none());
        }
        let model = fields.and_then(|f| f.model.as_ref());
        if sum.generations == 1 {
            self.model = model.cloned();
        }
        self.has_other_model |= self.model.as_ref() != model;
        if self.conversation.is_none() {
            let conversation = document.gen_ai.as_ref().and_then(|gen_ai| gen_ai.conversation.as_ref());
            self.conversation = conversation.map(|conversation| conversation.id.clone());
        }
    }

    /// The sum, without the parts that a call does not say.
    fn sum(mut self) -> LlmRollup {
        if self.has_unknown.input {
            self.sum.input_tokens = None;
        }
        if self.has_unknown.output {
            self.sum.output_tokens = None;
        }
        self.sum
    }

    /// Puts the sum into the transaction. What the transaction's own labels say counts where not every call knows exactly.
    fn settle(self, document: &mut Document, labels: &LabelMap) {
        let none = self.sum.generations == 0;
        let unknown = self.has_unknown;
        let model = self.model.clone().filter(|_| !self.has_other_model);
        let label = |meaning| labels.tokens(document, meaning);
        let label_total = label(Meaning::TotalTokens).filter(|_| none || unknown.total);
        let label_cost = labels.cost(document).filter(|_| none || self.sum.unpriced_generations > 0);
        let label_input = label(Meaning::InputTokens).filter(|_| none || unknown.input);
        let label_output = label(Meaning::OutputTokens).filter(|_| none || unknown.output);
        let label_model = labels.text(document, Meaning::Model);
        let label_total = label_total.or_else(|| Some(label_input?.saturating_add(label_output?)));
        let mut sum = self.sum();
        if none && label_total.is_none() && label_cost.is_none() {
            return;
        }
        if let Some(total) = label_total {
            sum.total_tokens = Some(total);
            sum.reported_tokens = Some(total);
            (sum.counted_tokens, sum.derived_tokens, sum.estimated_tokens) = (None, None, None);
        }
        sum.input_tokens = sum.input_tokens.or(label_input);
        sum.output_tokens = sum.output_tokens.or(label_output);
        let fields = document.tokenfall.get_or_insert_with(|| Box::new(TokenfallFields::default()));
        if let Some(usd) = label_cost {
            // Calls that say their cost are in the label too: the transaction itself has the rest.
            let of_calls = Usd::from_pico(i128::from(sum.cost_pico_usd.unwrap_or(0)));
            fields.cost = Some(TokenfallCost::reported(usd - of_calls));
            sum.cost_pico_usd = Some(usd.pico_i64());
            sum.unpriced_generations = 0;
        }
        fields.model = label_model.or(model);
        fields.llm = Some(Box::new(sum));
    }
}

fn bytes_of(value: &LabelValue) -> usize {
    match value {
        LabelValue::One(text) => text.len(),
        LabelValue::Many(texts) => texts.iter().map(String::len).sum(),
    }
}

fn of_source(sum: &mut LlmRollup, source: UsageSource) -> &mut Option<u64> {
    match source {
        UsageSource::Reported => &mut sum.reported_tokens,
        UsageSource::Counted => &mut sum.counted_tokens,
        UsageSource::Derived => &mut sum.derived_tokens,
        UsageSource::Estimated => &mut sum.estimated_tokens,
    }
}

fn add(sum: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or(0).saturating_add(more));
    }
}

fn add_usd(sum: &mut Option<i64>, usd: Usd) {
    *sum = Some(sum.unwrap_or(0).saturating_add(usd.pico_i64()));
}
