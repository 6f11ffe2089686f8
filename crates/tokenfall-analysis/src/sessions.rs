//! Conversations: the transactions of one session.

mod turns;

use tokenfall_api::sessions::{SessionDetail, SessionList, SessionSummary};
use tokenfall_model::{EventKind, Outcome, Usd, fields};
use tokenfall_query::{AggregationKind, AggregationResults, Aggregations, Filter, SearchRequest, Sort, TermsOrder};
use tokenfall_store::{Search, SearchError};

use crate::scope::Scope;
use crate::selection::Selection;

/// Turns of a session that are shown.
const TURNS_MAX: usize = 500;
/// Services of a session that are named.
const SERVICES_MAX: usize = 10;

const TURNS: &str = "turns";
const LAST: &str = "last";

/// The newest sessions.
pub fn sessions(
    search: &dyn Search,
    scope: &Scope,
    selection: &Selection,
    size: usize,
) -> Result<SessionList, SearchError> {
    let by_session = AggregationKind::Terms {
        field: fields::SESSION_ID.name.to_owned(),
        size,
        order: TermsOrder::MetricDescending(LAST.to_owned()),
        missing: None,
        segment_size: None,
    };
    let aggs = Aggregations::new()
        .with("sessions", by_session.with(ask()))
        .with("count", AggregationKind::cardinality(fields::SESSION_ID).leaf());
    let request = events(scope, selection).filter(Filter::exists(fields::SESSION_ID));
    let response = search.search(&SearchRequest { aggs, ..request })?;
    let sessions: Vec<SessionSummary> = response
        .aggs
        .buckets("sessions")
        .iter()
        .filter_map(|bucket| summary(bucket.key.as_str()?, &bucket.aggs))
        .collect();
    let total = response.aggs.value("count").unwrap_or(0.0) as u64;
    Ok(SessionList {
        range: scope.range(),
        total: total.max(sessions.len() as u64),
        sessions,
        complete: response.complete,
    })
}

/// One session with its turns; `None` if no event of it is in the time range.
pub fn session(search: &dyn Search, scope: &Scope, id: &str) -> Result<Option<SessionDetail>, SearchError> {
    let of_session = Filter::term(fields::SESSION_ID, id);
    let figures = SearchRequest { aggs: ask(), ..events(scope, &Selection::default()).filter(of_session.clone()) };
    let figures = search.search(&figures)?;
    let Some(session) = summary(id, &figures.aggs) else { return Ok(None) };
    let transactions = scope
        .request(EventKind::Transaction)
        .filter(of_session)
        .hits(TURNS_MAX, vec![Sort::ascending(fields::TIMESTAMP)])
        .without_stack_traces();
    let transactions = search.search(&transactions)?;
    let (turns, complete) = turns::turns(search, scope, &transactions.hits)?;
    Ok(Some(SessionDetail {
        range: scope.range(),
        session,
        turns,
        complete: figures.complete && transactions.complete && complete,
    }))
}

/// Transactions, and model calls that are counted with themselves.
fn events(scope: &Scope, selection: &Selection) -> SearchRequest {
    let mut request = Selection { model: None, ..selection.without_box() }.transactions(scope);
    request.kinds.push(EventKind::Span);
    request.filter(Filter::Or(vec![is_transaction(), Filter::exists(fields::LLM_GENERATIONS)]))
}

fn is_transaction() -> Filter {
    Filter::term(fields::PROCESSOR_EVENT, EventKind::Transaction.as_str())
}

fn ask() -> Aggregations {
    let failed = Filter::term(fields::EVENT_OUTCOME, Outcome::Failure.as_str());
    let count = |field: fields::Field| AggregationKind::value_count(field).leaf();
    let turns = Aggregations::new()
        .with("failed", AggregationKind::Filter(failed).leaf())
        .with("first", AggregationKind::min(fields::TIMESTAMP).leaf())
        .with(LAST, AggregationKind::max(fields::TIMESTAMP).leaf())
        .with("latency", AggregationKind::avg(fields::TRANSACTION_DURATION_US).leaf())
        .with("waited", AggregationKind::sum(fields::TRANSACTION_DURATION_US).leaf())
        .with("users", AggregationKind::terms(fields::USER_ID, 1).leaf())
        .with("names", AggregationKind::terms(fields::USER_NAME, 1).leaf())
        .with("services", AggregationKind::terms(fields::SERVICE_NAME, SERVICES_MAX).leaf());
    Aggregations::new()
        .with(TURNS, AggregationKind::Filter(is_transaction()).with(turns))
        .with(LAST, AggregationKind::max(fields::TIMESTAMP).leaf())
        .with("calls", AggregationKind::sum(fields::LLM_GENERATIONS).leaf())
        .with("tokens", AggregationKind::sum(fields::LLM_TOTAL_TOKENS).leaf())
        .with("tokens_known", count(fields::LLM_TOTAL_TOKENS))
        .with("usd", AggregationKind::sum(fields::LLM_COST_PICO_USD).leaf())
        .with("usd_known", count(fields::LLM_COST_PICO_USD))
}

/// `None` if there is no turn.
fn summary(id: &str, aggs: &AggregationResults) -> Option<SessionSummary> {
    let turns = aggs.bucket(TURNS, "").filter(|turns| turns.doc_count > 0)?;
    let value = |name: &str| turns.aggs.value(name).unwrap_or(0.0);
    let first_key = |name: &str| turns.aggs.buckets(name).first().and_then(|b| b.key.as_str()).map(ToOwned::to_owned);
    let known = |count: &str| aggs.value(count).unwrap_or(0.0) > 0.0;
    let sum = |name: &str| aggs.value(name).unwrap_or(0.0);
    let services = turns.aggs.buckets("services").iter().filter_map(|b| b.key.as_str()).map(ToOwned::to_owned);
    Some(SessionSummary {
        id: id.to_owned(),
        user: first_key("names").or_else(|| first_key("users")),
        services: services.collect(),
        turns: turns.doc_count,
        failed: turns.aggs.bucket("failed", "").map_or(0, |bucket| bucket.doc_count),
        first_us: value("first") as i64,
        last_us: value(LAST) as i64,
        latency_avg_us: turns.aggs.value("latency"),
        waited_us: value("waited") as u64,
        calls: sum("calls") as u64,
        total_tokens: known("tokens_known").then(|| sum("tokens") as u64),
        usd: known("usd_known").then(|| Usd::from_pico_sum(sum("usd"))),
    })
}
