//! One trace: which item hangs under which, when each began on a common clock, and what the time went into.
//!
//! ```text
//! documents ─load→ nodes ─tree→ parents, order, skew ─→ critical path, attempts, kinds ─→ columns
//! ```
//!
//! A trace can be anything: a hundred thousand spans deep, without a root, with cycles, ids used twice, clocks that
//! disagree by hours. Nothing here recurses, and each of these ends in a drawing that says what is wrong.

mod attempts;
mod critical_path;
mod kind;
mod llm;
mod tree;

use std::collections::HashMap;

use tokenfall_api::traces::{Arrivals, ItemKind, TraceError, TraceItem, TraceSkeleton, flag};
use tokenfall_model::document::{Composite, TokenStream};
use tokenfall_model::{Document, EventKind, Outcome, TokenTimeline, fields};
use tokenfall_query::{Filter, SearchRequest, Sort};
use tokenfall_store::{Search, SearchError};

use tree::{Node, Tree};

/// Most spans and transactions of a trace.
pub const ITEMS_MAX: usize = 100_000;
/// Most errors of a trace.
pub const ERRORS_MAX: usize = 1_000;
/// Most errors that come with one item.
const ITEM_ERRORS_MAX: usize = 20;

/// The whole trace as columns; `None` if nothing of it is stored.
pub fn skeleton(search: &dyn Search, trace_id: &str) -> Result<Option<TraceSkeleton>, SearchError> {
    let of_trace = |kinds: &[EventKind]| {
        SearchRequest { kinds: kinds.to_vec(), ..SearchRequest::default() }
            .filter(Filter::term(fields::TRACE_ID, trace_id))
    };
    let items = of_trace(&[EventKind::Transaction, EventKind::Span]).hits(ITEMS_MAX, Vec::new());
    let items = search.search(&items.without_stack_traces())?;
    let by_time = vec![Sort::ascending(fields::TIMESTAMP)];
    let errors = search.search(&of_trace(&[EventKind::Error]).hits(ERRORS_MAX, by_time).without_stack_traces())?;
    if items.hits.is_empty() && errors.hits.is_empty() {
        return Ok(None);
    }
    let is_all = items.total <= items.hits.len() as u64 && errors.total <= errors.hits.len() as u64;
    let complete = items.complete && errors.complete && is_all;
    Ok(Some(assemble(trace_id, &items.hits, &errors.hits, complete)))
}

/// One item of a trace, whole, with its errors; `None` if it is not stored.
pub fn item(search: &dyn Search, trace_id: &str, id: &str) -> Result<Option<TraceItem>, SearchError> {
    let in_trace = Filter::term(fields::TRACE_ID, trace_id);
    let is_transaction = Filter::term(fields::PROCESSOR_EVENT, EventKind::Transaction.as_str())
        .and(Filter::term(fields::TRANSACTION_ID, id));
    let is_span =
        Filter::term(fields::PROCESSOR_EVENT, EventKind::Span.as_str()).and(Filter::term(fields::SPAN_ID, id));
    let kinds = vec![EventKind::Transaction, EventKind::Span];
    let response = search.search(
        &SearchRequest { kinds, ..SearchRequest::default() }
            .filter(in_trace.clone())
            .filter(Filter::Or(vec![is_transaction, is_span]))
            .hits(1, vec![Sort::ascending(fields::TIMESTAMP)]),
    )?;
    let Some(document) = response.hits.first() else { return Ok(None) };
    let errors = search.search(
        &SearchRequest { kinds: vec![EventKind::Error], ..SearchRequest::default() }
            .filter(in_trace)
            .filter(Filter::term(fields::PARENT_ID, id))
            .hits(ITEM_ERRORS_MAX, vec![Sort::ascending(fields::TIMESTAMP)]),
    )?;
    Ok(Some(TraceItem { document: crate::json(document), errors: errors.hits.iter().map(crate::json).collect() }))
}

/// Id under which children know an item.
fn id_of(document: &Document) -> Option<&str> {
    match document.kind() {
        EventKind::Transaction => Some(document.transaction.as_ref()?.id.as_ref()?.as_str()),
        EventKind::Span => Some(document.span.as_ref()?.id.as_ref()?.as_str()),
        EventKind::Error | EventKind::Metricset | EventKind::Log => None,
    }
}

fn duration_us(document: &Document) -> u64 {
    document.duration().map_or(0, |d| d.get())
}

/// Items in an order that does not depend on the store, without what was stored twice.
fn unique(documents: &[Document]) -> Vec<&Document> {
    let key = |d: &Document| (d.time(), u64::MAX - duration_us(d), d.kind() != EventKind::Transaction);
    let mut items: Vec<_> = documents.iter().filter_map(|d| Some((key(d), id_of(d)?, d))).collect();
    items.sort_by_key(|(key, id, _)| (*key, *id));
    items.dedup_by_key(|(key, id, _)| (*key, *id));
    items.into_iter().map(|(_, _, document)| document).collect()
}

fn assemble(trace_id: &str, documents: &[Document], errors: &[Document], complete: bool) -> TraceSkeleton {
    let documents = unique(documents);
    let nodes: Vec<Node<'_>> = documents.iter().map(|d| Node::of(d)).collect();
    let tree = Tree::of(&nodes);
    let is_generation: Vec<bool> = documents.iter().map(|d| kind::is_generation(d)).collect();
    let llm_types = kind::types_of_generations(&documents, &is_generation);
    let attempts = attempts::number(&documents, &tree, &is_generation);

    let mut dictionaries = (Dictionary::default(), Dictionary::default(), Dictionary::default());
    let start_us = tree.starts.iter().copied().min().unwrap_or_else(|| first_error_us(errors));
    let end = |i: usize| i128::from(tree.starts[i]) + i128::from(nodes[i].duration_us);
    let last_us = (0..nodes.len()).map(end).max().unwrap_or_else(|| i128::from(start_us));
    let offset = |us: i64| us.saturating_sub(start_us);
    let rows = tree.order.len();
    let mut s = TraceSkeleton {
        trace_id: trace_id.to_owned(),
        start_us,
        duration_us: u64::try_from(last_us - i128::from(start_us)).unwrap_or(u64::MAX),
        items: rows,
        id: Vec::with_capacity(rows),
        parent: Vec::with_capacity(rows),
        subtree: Vec::with_capacity(rows),
        offset_us: Vec::with_capacity(rows),
        duration: Vec::with_capacity(rows),
        name: Vec::with_capacity(rows),
        service: Vec::with_capacity(rows),
        kind_of_work: Vec::with_capacity(rows),
        kind: Vec::with_capacity(rows),
        flags: Vec::with_capacity(rows),
        composite_count: Vec::with_capacity(rows),
        composite_sum_us: Vec::with_capacity(rows),
        status_code: Vec::with_capacity(rows),
        error_count: vec![0; rows],
        attempt: Vec::with_capacity(rows),
        first_chunk_us: Vec::with_capacity(rows),
        chunks: Vec::with_capacity(rows),
        arrivals: Vec::new(),
        calls: Vec::new(),
        llm: llm::total(&documents),
        names: Vec::new(),
        services: Vec::new(),
        types: Vec::new(),
        errors: Vec::new(),
        critical_path: critical_path::of(&nodes, &tree, start_us),
        dropped_spans: 0,
        orphans: Vec::new(),
        complete,
    };
    for (row, &i) in tree.order.iter().enumerate() {
        let document = documents[i];
        let parent = tree.parents[i];
        let is_tokens = parent.is_some_and(|p| is_generation[p]) && kind::is_token_stream(document);
        let flags = flags_of(document)
            | bit(tree.is_orphan[i], flag::ORPHAN)
            | bit(tree.skews[i] != 0, flag::SKEW_CORRECTED)
            | bit(is_generation[i], flag::GENERATION)
            | bit(is_tokens, flag::TOKENS);
        let composite = document.span.as_ref().and_then(|span| span.composite.as_ref());
        let stream = document.tokenfall.as_ref().and_then(|t| t.stream.as_ref());
        let status = document.http.as_ref().and_then(|h| h.response.as_ref()).and_then(|r| r.status_code);
        s.id.push(nodes[i].id.to_owned());
        s.parent.push(parent.map_or(-1, |p| tree.rows[p] as i32));
        s.subtree.push(tree.subtrees[i]);
        s.offset_us.push(offset(tree.starts[i]));
        s.duration.push(nodes[i].duration_us);
        s.name.push(dictionaries.0.index(nodes[i].name));
        s.service.push(dictionaries.1.index(document.service.name.as_str()));
        s.kind_of_work.push(dictionaries.2.index(&kind::words(document)));
        s.kind.push(if is_tokens { ItemKind::Llm } else { kind::of(document, is_generation[i], &llm_types) });
        s.flags.push(flags);
        s.composite_count.push(composite.map_or(0, |c| c.count));
        s.composite_sum_us.push(composite.map_or(0, |c| c.sum.us.get()));
        s.status_code.push(status.and_then(|code| u16::try_from(code).ok()).unwrap_or(0));
        s.attempt.push(attempts[i]);
        s.first_chunk_us.push(stream.map_or(-1, |t| i64::try_from(t.time_to_first_chunk_us).unwrap_or(i64::MAX)));
        s.chunks.push(stream.map_or(0, |t| t.chunks));
        s.calls.extend(is_generation[i].then(|| llm::call(row as u32, document)));
        s.arrivals.extend(stream.and_then(|stream| arrivals(row as u32, stream)));
        let span_count = document.transaction.as_ref().and_then(|t| t.span_count);
        s.dropped_spans = s.dropped_spans.saturating_add(span_count.and_then(|c| c.dropped).unwrap_or(0));
        if tree.is_orphan[i] {
            s.orphans.push(row as i32);
        }
    }
    for error in errors {
        let item = item_of(error, &tree);
        if let Some(i) = item {
            s.error_count[tree.rows[i]] += 1;
        }
        // An error has the clock of the item in which it happened.
        let skew = item.map_or(0, |i| tree.skews[i]);
        let row = item.map_or(-1, |i| tree.rows[i] as i32);
        s.errors.push(trace_error(error, row, offset(error.time().as_micros().saturating_add(skew))));
    }
    s.errors.sort_by_key(|e| e.offset_us);
    s.names = dictionaries.0.texts;
    s.services = dictionaries.1.texts;
    s.types = dictionaries.2.texts;
    s
}

/// When the chunks of an answer came. A timeline that cannot be read is drawn as none; the item's attributes still have it.
fn arrivals(item: u32, stream: &TokenStream) -> Option<Arrivals> {
    let timeline = TokenTimeline::parse(stream.timeline.as_deref()?).ok()?;
    Some(Arrivals {
        item,
        chunks_per_offset: u32::try_from(timeline.chunks_per_tick).unwrap_or(u32::MAX),
        offsets_us: timeline.offsets_us,
    })
}

fn first_error_us(errors: &[Document]) -> i64 {
    errors.iter().map(|e| e.time().as_micros()).min().unwrap_or(0)
}

fn bit(is_set: bool, flag: u32) -> u32 {
    if is_set { flag } else { 0 }
}

fn flags_of(document: &Document) -> u32 {
    let span = document.span.as_ref().filter(|_| document.kind() == EventKind::Span);
    let strategy = span.and_then(|s| s.composite.as_ref()).map(strategy_flag);
    let outcome = match document.outcome() {
        Some(Outcome::Failure) => flag::FAILURE,
        Some(Outcome::Success) => flag::SUCCESS,
        Some(Outcome::Unknown) | None => 0,
    };
    outcome
        | strategy.unwrap_or(0)
        | bit(document.kind() == EventKind::Transaction, flag::TRANSACTION)
        | bit(span.is_some_and(|s| s.sync == Some(false)), flag::ASYNC)
}

fn strategy_flag(composite: &Composite) -> u32 {
    match composite.compression_strategy.as_deref() {
        Some("same_kind") => flag::COMPOSITE_SAME_KIND,
        Some("exact_match") => flag::COMPOSITE_EXACT,
        _ => 0,
    }
}

/// Item in which an error happened: the span or transaction that is its parent, else its transaction.
fn item_of(error: &Document, tree: &Tree<'_>) -> Option<usize> {
    let parent = error.parent.as_ref().and_then(|p| tree.by_id.get(p.id.as_str()));
    let transaction = || tree.by_id.get(error.transaction.as_ref()?.id.as_ref()?.as_str());
    parent.or_else(transaction).copied()
}

fn trace_error(document: &Document, item: i32, offset_us: i64) -> TraceError {
    let error = document.error.as_deref();
    TraceError {
        id: error.and_then(|e| e.id.as_ref()).map(|id| id.as_str().to_owned()).unwrap_or_default(),
        item,
        offset_us,
        grouping_key: error.and_then(|e| e.grouping_key.clone()).unwrap_or_default(),
        service: document.service.name.as_str().to_owned(),
        exception_type: error.and_then(|e| e.exception.first()).and_then(|x| x.kind.clone()),
        message: crate::errors::message_of(document),
        culprit: error.and_then(|e| e.culprit.clone()),
    }
}

/// Texts with their index in order of first use.
#[derive(Default)]
struct Dictionary {
    texts: Vec<String>,
    indices: HashMap<String, u32>,
}

impl Dictionary {
    fn index(&mut self, text: &str) -> u32 {
        if let Some(index) = self.indices.get(text) {
            return *index;
        }
        let index = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.indices.insert(text.to_owned(), index);
        index
    }
}

#[cfg(test)]
mod tests;
