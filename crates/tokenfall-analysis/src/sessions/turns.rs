//! Turns of a session: its transactions with what their model calls and errors say.

use std::collections::HashMap;

use tokenfall_api::sessions::Turn;
use tokenfall_model::{Document, EventKind, Usd, fields};
use tokenfall_query::{Filter, SearchRequest, Sort};
use tokenfall_store::{Search, SearchError};

use crate::llm::answer_text;
use crate::scope::Scope;
use crate::selection::is_call;
use crate::transactions::sample_of;

/// Model calls that are looked at.
const CALLS_MAX: usize = 3_000;
/// Errors that are looked at.
const ERRORS_MAX: usize = 1_000;
/// Answers of a turn, and characters of each.
const ANSWERS_MAX: usize = 10;
const ANSWER_CHARS_MAX: usize = 2_000;

/// What is found about one transaction.
#[derive(Default)]
struct Found<'a> {
    calls: Vec<&'a Document>,
    errors: Vec<String>,
}

/// The turns of transactions that stand in the order of time. Asks twice, however many they are.
pub(super) fn turns(
    search: &dyn Search,
    scope: &Scope,
    transactions: &[Document],
) -> Result<(Vec<Turn>, bool), SearchError> {
    let ids: Vec<&str> = transactions.iter().filter_map(id_of).collect();
    if ids.is_empty() {
        return Ok((Vec::new(), true));
    }
    // Calls may end after the range.
    let of_them = |kind: EventKind| {
        SearchRequest { kinds: vec![kind], time: Some(scope.time), ..SearchRequest::default() }
            .filter(Filter::terms(fields::TRANSACTION_ID, ids.iter().copied()))
            .without_stack_traces()
    };
    let by_time = || vec![Sort::ascending(fields::TIMESTAMP)];
    let calls = search.search(&of_them(EventKind::Span).filter(is_call()).hits(CALLS_MAX, by_time()))?;
    let errors = search.search(&of_them(EventKind::Error).hits(ERRORS_MAX, by_time()))?;
    let mut found: HashMap<&str, Found<'_>> = HashMap::new();
    for call in &calls.hits {
        if let Some(id) = id_of(call) {
            found.entry(id).or_default().calls.push(call);
        }
    }
    for error in &errors.hits {
        let kind = error.error.as_ref().and_then(|e| e.exception.first()).and_then(|x| x.kind.clone());
        if let (Some(id), Some(kind)) = (id_of(error), kind) {
            let kinds = &mut found.entry(id).or_default().errors;
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    let mut turns: Vec<Turn> = Vec::with_capacity(transactions.len());
    for transaction in transactions {
        let before =
            turns.last().map(|turn| turn.timestamp_us + i64::try_from(turn.duration_us).unwrap_or(i64::MAX / 2));
        let none = Found::default();
        let found = id_of(transaction).and_then(|id| found.get(id)).unwrap_or(&none);
        turns.extend(turn(transaction, found, before));
    }
    Ok((turns, calls.complete && errors.complete))
}

fn id_of(document: &Document) -> Option<&str> {
    Some(document.transaction.as_ref()?.id.as_ref()?.as_str())
}

/// `None` if the transaction belongs to no trace.
fn turn(transaction: &Document, found: &Found<'_>, end_before_us: Option<i64>) -> Option<Turn> {
    let sample = sample_of(transaction)?;
    let fields = transaction.tokenfall.as_deref();
    let late = found.calls.iter().filter_map(|call| call.tokenfall.as_ref()?.llm.as_deref());
    let sums = || fields.and_then(|f| f.llm.as_deref()).into_iter().chain(late.clone());
    let total = |each: &dyn Fn(&tokenfall_model::document::LlmRollup) -> Option<i128>| {
        sums().filter_map(each).fold(None, |sum: Option<i128>, more| Some(sum.unwrap_or(0) + more))
    };
    let mut models: Vec<String> = Vec::new();
    for call in &found.calls {
        let model = call.tokenfall.as_ref().and_then(|f| f.model.clone());
        models.extend(model.filter(|model| !models.contains(model)));
    }
    if models.is_empty() {
        models.extend(fields.and_then(|f| f.model.clone()));
    }
    let cut = |text: String| text.chars().take(ANSWER_CHARS_MAX).collect();
    Some(Turn {
        service: transaction.service.name.as_str().to_owned(),
        name: transaction.transaction.as_ref()?.name.clone().unwrap_or_default(),
        timestamp_us: sample.timestamp_us,
        duration_us: sample.duration_us,
        time_to_first_token_us: first_token(sample.timestamp_us, &found.calls),
        pause_us: end_before_us.map(|end| sample.timestamp_us - end),
        question: fields.and_then(|f| f.question.clone()),
        answers: found.calls.iter().filter_map(|call| answer_text(call)).take(ANSWERS_MAX).map(cut).collect(),
        models,
        calls: sums().map(|sum| sum.generations).sum(),
        total_tokens: total(&|sum| sum.total_tokens.map(i128::from)).and_then(|n| u64::try_from(n).ok()),
        usd: total(&|sum| sum.cost_pico_usd.map(i128::from)).map(Usd::from_pico),
        outcome: sample.outcome,
        errors: found.errors.clone(),
        trace_id: sample.trace_id,
        transaction_id: sample.transaction_id,
    })
}

/// Until the first token of any of the answers, from the begin of the turn.
fn first_token(begin_us: i64, calls: &[&Document]) -> Option<u64> {
    let firsts = calls.iter().filter_map(|call| {
        let stream = call.tokenfall.as_ref()?.stream.as_ref()?;
        let offset = u64::try_from(call.time().as_micros() - begin_us).unwrap_or(0);
        Some(offset.saturating_add(stream.time_to_first_chunk_us))
    });
    firsts.min()
}
