//! The rule of `docs/dependencies.md` on captured bodies, by hand and on random trees.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;
use serde_json::Value;
use tokenfall_model::document::{
    Composite, DestinationService, DurationUs, Event, Id, LabelValue, ServiceTarget, Span, SpanDestination,
    Transaction, Url,
};
use tokenfall_model::{Micros, Outcome, ServiceName, SpanId, Timestamp, TraceId, TransactionId};

use super::*;

mod rollup;

fn span(id: &str, parent: &str, name: &str, kind: &str, at_us: i64, duration_us: u64) -> Document {
    let mut document = Document::new(Timestamp::from_micros(at_us), EventKind::Span, ServiceName::new("rag"));
    document.trace = Some(Id { id: TraceId::new("t") });
    document.parent = Some(Id { id: SpanId::new(parent) });
    document.span = Some(Box::new(Span {
        id: Some(SpanId::new(id)),
        name: Some(name.into()),
        kind: Some(kind.into()),
        duration: Some(DurationUs { us: Micros::new(duration_us) }),
        representative_count: Some(1.0),
        ..Span::default()
    }));
    document
}

fn with_resource(mut document: Document, resource: &str, subtype: Option<&str>, url: Option<&str>) -> Document {
    let span = document.span.as_mut().unwrap();
    let service = DestinationService { resource: Some(resource.into()), ..DestinationService::default() };
    span.destination = Some(SpanDestination { service: Some(service) });
    span.subtype = subtype.map(Into::into);
    document.url = url.map(|url| Box::new(Url { original: Some(url.into()), ..Url::default() }));
    let kind = subtype.or(document.span.as_ref().unwrap().kind.as_deref()).map(Into::into);
    let name = subtype.map(|_| resource.to_owned());
    document.service.target = Some(ServiceTarget { kind, name });
    document
}

const CHAT: &str = "http://localhost:8081/openai/deployments/gpt-35-turbo/chat/completions?api-version=1";

fn transport(id: &str, parent: &str, at_us: i64, duration_us: u64) -> Document {
    with_resource(span(id, parent, "POST", "external", at_us, duration_us), "localhost:8081", Some("http"), Some(CHAT))
}

fn token(id: &str, parent: &str, at_us: i64, duration_us: u64, count: u64) -> Document {
    let mut document = with_resource(span(id, parent, "token", "http", at_us, duration_us), "http", None, None);
    if count > 1 {
        let sum = DurationUs { us: Micros::new(1) };
        document.span.as_mut().unwrap().composite = Some(Composite { count, sum, compression_strategy: None });
    }
    document
}

fn transaction(id: &str) -> Document {
    let mut document = Document::new(Timestamp::from_micros(0), EventKind::Transaction, ServiceName::new("rag"));
    document.trace = Some(Id { id: TraceId::new("t") });
    document.transaction = Some(Box::new(Transaction { id: Some(TransactionId::new(id)), ..Transaction::default() }));
    document
}

/// A token as Tokenfall's agent sends it: of its call's type, and without a callee.
fn own_token(id: &str, parent: &str, at_us: i64, duration_us: u64, count: u64) -> Document {
    let mut document = span(id, parent, "token", "genai", at_us, duration_us);
    let span = document.span.as_mut().unwrap();
    span.subtype = Some("openai".into());
    span.action = Some("token".into());
    let sum = DurationUs { us: Micros::new(1) };
    span.composite = (count > 1).then_some(Composite { count, sum, compression_strategy: None });
    document
}

fn own_call(id: &str, stream: Option<TokenStream>) -> Document {
    let mut document = with_resource(span(id, "x", "chat", "genai", 1_000, 900), "openai", Some("openai"), None);
    document.tokenfall =
        stream.map(|stream| Box::new(TokenfallFields { stream: Some(stream), ..TokenfallFields::default() }));
    document
}

#[test]
fn tokens_of_the_agent_are_no_model_calls() {
    let mut documents =
        vec![own_token("a", "g", 1_100, 200, 30), own_token("b", "g", 1_400, 300, 1), own_call("g", None)];
    Enricher::default().enrich_batch(&mut documents);
    assert!(documents[..2].iter().all(|token| token.tokenfall.is_none()));
    let fields = documents[2].tokenfall.as_deref().unwrap();
    let stream = TokenStream {
        chunks: 31,
        time_to_first_chunk_us: 100,
        time_to_last_chunk_us: 700,
        time_per_output_token_us: Some(21),
        ..TokenStream::default()
    };
    assert_eq!(fields.stream.as_ref(), Some(&stream));
    let dependency = fields.dependency.as_ref().unwrap();
    assert_eq!((dependency.resource.as_str(), dependency.count, dependency.duration_us), ("openai", 1.0, 700));
}

#[test]
fn what_the_agent_measured_counts() {
    let measured = TokenStream {
        chunks: 29,
        time_to_first_chunk_us: 90,
        time_to_last_chunk_us: 650,
        timeline: Some("1;1;1;A".into()),
        ..TokenStream::default()
    };
    for tokens_first in [true, false] {
        let mut documents = vec![own_token("a", "g", 1_100, 200, 30), own_call("g", Some(measured.clone()))];
        if !tokens_first {
            documents.reverse();
        }
        Enricher::default().enrich_batch(&mut documents);
        let call = documents.iter().find(|document| document.span.as_ref().unwrap().action.is_none()).unwrap();
        let fields = call.tokenfall.as_deref().unwrap();
        let derived = TokenStream {
            time_per_output_token_us: Some(20),
            stall_count: Some(0),
            stall_sum_us: Some(0),
            ..measured.clone()
        };
        assert_eq!(fields.stream.as_ref(), Some(&derived));
        assert_eq!(fields.dependency.as_ref().unwrap().duration_us, 650);
    }
}

/// The spans of a captured body, decoded as far as the rule looks.
fn captured(folder: &str, file: &str) -> Vec<Document> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/captured");
    let body = std::fs::read_to_string(format!("{path}/{folder}/{file}")).unwrap();
    let text = |v: &Value| v.as_str().filter(|t| !t.is_empty()).map(ToOwned::to_owned);
    let mut documents = Vec::new();
    for line in body.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["transaction"].is_object() {
            documents.push(transaction(line["transaction"]["id"].as_str().unwrap()));
        }
        let s = &line["span"];
        if !s.is_object() {
            continue;
        }
        let us = |v: &Value| Micros::from_millis(v.as_f64().unwrap());
        let word = |key: &str| s[key].as_str().unwrap();
        let (at, length) = (s["timestamp"].as_i64().unwrap(), us(&s["duration"]).get());
        let mut document = span(word("id"), word("parent_id"), word("name"), word("type"), at, length);
        let outcome = if s["outcome"] == "failure" { Outcome::Failure } else { Outcome::Success };
        document.event = Some(Event { outcome: Some(outcome), ..Event::default() });
        let context = &s["context"];
        if let Some(url) = text(&context["http"]["url"]) {
            document.url = Some(Box::new(Url { original: Some(url), ..Url::default() }));
        }
        let target = &context["service"]["target"];
        if target.is_object() {
            document.service.target = Some(ServiceTarget { kind: text(&target["type"]), name: text(&target["name"]) });
        }
        if let Some(model) = text(&context["tags"]["model"]) {
            document.labels.insert("model".into(), LabelValue::One(model));
        }
        let span = document.span.as_mut().unwrap();
        span.subtype = text(&s["subtype"]);
        if let Some(resource) = text(&context["destination"]["service"]["resource"]) {
            let service = DestinationService { resource: Some(resource), ..DestinationService::default() };
            span.destination = Some(SpanDestination { service: Some(service) });
        }
        if s["composite"].is_object() {
            let sum = DurationUs { us: us(&s["composite"]["sum"]) };
            let count = s["composite"]["count"].as_u64().unwrap();
            span.composite = Some(Composite { count, sum, compression_strategy: None });
        }
        documents.push(document);
    }
    documents
}

#[derive(Debug, Default, PartialEq)]
struct Row {
    count: f64,
    sum_us: f64,
    durations_us: Vec<u64>,
}

/// The dependencies table.
fn rows(documents: &[Document]) -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for d in documents.iter().filter_map(|d| d.tokenfall.as_ref()?.dependency.as_ref()) {
        let row = rows.entry(d.resource.clone()).or_default();
        row.count += d.count;
        row.sum_us += d.sum_us;
        if d.role != DependencyRole::Transport {
            row.durations_us.push(d.duration_us);
        }
    }
    rows
}

fn related(mut documents: Vec<Document>) -> Vec<Document> {
    Enricher::default().relate(&mut documents);
    documents
}

fn generations(documents: &[Document]) -> Vec<&Document> {
    let is = |d: &Document| {
        let dependency = d.tokenfall.as_ref().and_then(|t| t.dependency.as_ref());
        dependency.is_some_and(|d| d.role == DependencyRole::Generation)
    };
    documents.iter().filter(|d| is(d)).collect()
}

fn model(document: &Document) -> Option<&str> {
    document.gen_ai.as_ref()?.request.as_ref()?.model.as_deref()
}

#[test]
fn the_articles_query_waits_for_the_search_engine_and_for_openai() {
    let documents = related(captured("elastic-apm-python-openai027-ok", "004.ndjson"));
    let rows = rows(&documents);
    assert_eq!(rows.keys().map(String::as_str).collect::<Vec<_>>(), ["127.0.0.1:8081", "openai"]);
    assert_eq!(rows["127.0.0.1:8081"], Row { count: 1.0, sum_us: 56_603.0, durations_us: vec![56_603] });
    let openai = &rows["openai"];
    assert!((openai.count - 3.0).abs() < 1e-9);
    assert_eq!(openai.durations_us.len(), 3);
    assert!(openai.durations_us.iter().all(|us| (860_000..916_000).contains(us)), "{openai:?}");
    assert!((openai.sum_us - openai.durations_us.iter().sum::<u64>() as f64).abs() < 1e-3);
    for generation in generations(&documents) {
        assert_eq!(model(generation), Some("gpt-35-turbo"));
        let stream = generation.tokenfall.as_ref().unwrap().stream.as_ref().unwrap();
        assert_eq!(stream.chunks, 62);
        assert!((100_000..200_000).contains(&stream.time_to_first_chunk_us), "{stream:?}");
        assert!(stream.time_to_last_chunk_us <= generation.duration().unwrap().get());
    }
}

#[test]
fn without_compression_the_table_is_the_same() {
    let documents = related(captured("elastic-apm-python-openai027-nocompress", "004.ndjson"));
    let rows = rows(&documents);
    assert_eq!(rows.keys().map(String::as_str).collect::<Vec<_>>(), ["127.0.0.1:8081", "openai"]);
    assert!((rows["openai"].count - 3.0).abs() < 1e-9);
    assert!(rows["openai"].durations_us.iter().all(|us| (850_000..885_000).contains(us)));
    for generation in generations(&documents) {
        assert_eq!(generation.tokenfall.as_ref().unwrap().stream.as_ref().unwrap().chunks, 62);
    }
}

#[test]
fn refused_attempts_are_calls() {
    let documents = related(captured("elastic-apm-python-openai027-ratelimit", "004.ndjson"));
    let rows = rows(&documents);
    assert_eq!(rows.keys().map(String::as_str).collect::<Vec<_>>(), ["127.0.0.1:8081", "openai"]);
    assert!((rows["openai"].count - 9.0).abs() < 1e-9);
    let failed = generations(&documents).iter().filter(|d| d.outcome() == Some(Outcome::Failure)).count();
    assert_eq!(failed, 6);
}

#[test]
fn the_provider_is_known_without_any_http_span() {
    for (folder, calls, name) in [
        ("elastic-apm-python-openai3-ok", 3.0, "gpt-4o-mini"),
        ("elastic-apm-python-openai3-ratelimit", 9.0, "rate-limit-2"),
    ] {
        let documents = related(captured(folder, "004.ndjson"));
        let rows = rows(&documents);
        assert_eq!(rows.keys().map(String::as_str).collect::<Vec<_>>(), ["openai"], "{folder}");
        assert!((rows["openai"].count - calls).abs() < 1e-9);
        for generation in generations(&documents) {
            assert_eq!(model(generation), Some(name));
            assert_eq!(generation.gen_ai.as_ref().unwrap().operation.as_ref().unwrap().name, "chat");
        }
    }
}

#[test]
fn batches_of_any_size_give_the_same_documents() {
    let all = captured("elastic-apm-python-openai027-ok", "004.ndjson");
    let whole = related(all.clone());
    for size in 1..all.len() {
        let mut split = all.clone();
        let mut enricher = Enricher::default();
        split.chunks_mut(size).for_each(|batch| drop(enricher.relate(batch)));
        assert_eq!(split, whole, "batches of {size}");
    }
}

#[test]
fn the_order_inside_a_batch_does_not_matter() {
    let mut backwards = captured("elastic-apm-python-openai027-ratelimit", "004.ndjson");
    let whole = related(backwards.clone());
    backwards.reverse();
    let mut result = related(backwards);
    result.reverse();
    assert_eq!(result, whole);
}

#[test]
fn a_late_request_is_not_counted_again() {
    let mut enricher = Enricher::default();
    let mut first = [span("g", "tx", "chat", "openai", 0, 900)];
    let mut second = [transport("h", "g", 10, 100)];
    enricher.relate(&mut first);
    enricher.relate(&mut second);
    let all = [first, second].concat();
    assert_eq!(rows(&all)["openai"], Row { count: 1.0, sum_us: 900.0, durations_us: vec![900] });
}

#[test]
fn what_is_sent_again_comes_out_the_same() {
    // An agent that was told to come again sends the same events, which were not stored the first time.
    for folder in ["elastic-apm-python-openai027-ok", "elastic-apm-python-openai027-ratelimit"] {
        let sent = captured(folder, "004.ndjson");
        let mut enricher = Enricher::default();
        let mut first = sent.clone();
        enricher.relate(&mut first);
        let mut again = sent.clone();
        enricher.relate(&mut again);
        assert_eq!(again, first);
        let mut in_pieces = sent;
        in_pieces.chunks_mut(3).for_each(|batch| drop(enricher.relate(batch)));
        assert_eq!(in_pieces, first);
    }
}

#[test]
fn a_call_that_turns_out_to_be_a_wrapper_is_taken_back() {
    let mut enricher = Enricher::default();
    let mut all = vec![
        span("w", "tx", "answer", "openai", 0, 1_000),
        transport("h1", "w", 0, 50),
        span("g", "w", "chat", "openai", 100, 800),
        transport("h2", "g", 100, 40),
        transport("h3", "w", 950, 30),
    ];
    all.chunks_mut(1).for_each(|batch| drop(enricher.relate(batch)));
    // The call g with its request h2, and the requests h1 and h3 outside of any call.
    let rows = rows(&all);
    assert!((rows["openai"].count - 3.0).abs() < 1e-9, "{rows:?}");
    assert!((rows["openai"].sum_us - 880.0).abs() < 1e-9, "{rows:?}");
}

#[test]
fn evidence_passes_through_spans_in_between() {
    let documents = related(vec![
        span("w", "tx", "answer", "llm", 0, 1_000),
        span("a", "w", "step", "app", 0, 1_000),
        span("g", "a", "chat", "llm", 100, 800),
        span("b", "g", "send", "app", 100, 100),
        transport("h", "b", 110, 50),
        token("k", "b", 300, 500, 20),
    ]);
    assert!(documents[0].tokenfall.is_none(), "a wrapper calls nobody");
    // `llm` does not name a provider; the request does.
    assert_eq!(rows(&documents)["openai"], Row { count: 1.0, sum_us: 700.0, durations_us: vec![700] });
}

#[test]
fn a_request_alone_is_the_call() {
    let documents = related(vec![transport("h", "tx", 0, 70)]);
    let row = &rows(&documents)["openai"];
    assert!((row.count - 1.0).abs() < 1e-9);
    assert_eq!(model(&documents[0]), Some("gpt-35-turbo"));
}

#[test]
fn paths_that_others_have_too_need_a_model_call_above() {
    let ask = |parent: &str| {
        let url = "http://gateway:9/v1/messages";
        with_resource(span("h", parent, "POST", "external", 0, 10), "gateway:9", Some("http"), Some(url))
    };
    let alone = related(vec![ask("tx")]);
    assert_eq!(rows(&alone).keys().collect::<Vec<_>>(), ["gateway:9"]);
    let inside = related(vec![ask("g"), span("g", "tx", "messages", "anthropic", 0, 20)]);
    assert_eq!(rows(&inside).keys().collect::<Vec<_>>(), ["anthropic"]);
}

#[test]
fn composites_count_every_merged_call() {
    let mut select =
        with_resource(span("s", "tx", "SELECT", "db", 0, 900), "postgresql/docs", Some("postgresql"), None);
    let sum = DurationUs { us: Micros::new(400) };
    let select_span = select.span.as_mut().unwrap();
    select_span.composite = Some(Composite { count: 4, sum, compression_strategy: None });
    select_span.representative_count = Some(5.0);
    let documents = related(vec![select]);
    let dependency = documents[0].tokenfall.as_ref().unwrap().dependency.as_ref().unwrap();
    assert_eq!((dependency.kind.as_str(), dependency.duration_us), ("db", 100));
    assert!((dependency.count - 20.0).abs() < 1e-9 && (dependency.sum_us - 2_000.0).abs() < 1e-9);
}

#[test]
fn an_echo_calls_nobody_and_stays_as_sent() {
    let echo = token("k", "tx", 0, 5, 1);
    let documents = related(vec![echo.clone()]);
    assert_eq!(documents[0], echo);
    // A cache that is named like its type but has an address is real.
    let mut redis = with_resource(span("r", "tx", "GET", "redis", 0, 5), "redis", None, None);
    let address = Some("cache.internal".to_owned());
    redis.destination = Some(Box::new(tokenfall_model::document::Endpoint { address, ..Default::default() }));
    assert_eq!(rows(&related(vec![redis])).keys().collect::<Vec<_>>(), ["redis"]);
}

#[test]
fn memory_is_bounded() {
    let mut enricher = Enricher::with_memory_of(1_000, Settings::default());
    for i in 0..10_000 {
        enricher.relate(&mut [token(&format!("k{i}"), &format!("p{i}"), 0, 1, 1)]);
    }
    assert!(enricher.facts.len() <= 1_000, "{}", enricher.facts.len());
    // The newest are the ones that are remembered.
    let mut last = [span("p9999", "tx", "chat", "openai", 0, 10)];
    enricher.relate(&mut last);
    assert!(last[0].tokenfall.as_ref().unwrap().stream.is_some());
}

/// A random tree: for each span its parent (an index before it, or the transaction) and what it is.
fn tree() -> impl Strategy<Value = Vec<(Option<usize>, u8, u64)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 0_u8..4, 1_u64..1_000), 1..40).prop_map(
        |nodes| {
            let mut tree: Vec<(Option<usize>, u8, u64)> = Vec::new();
            for (i, (parent, is_root, kind, length)) in nodes.into_iter().enumerate() {
                // Nothing happens inside an HTTP request or a token.
                let parent = (i > 0 && !is_root).then(|| parent.index(i)).filter(|p| tree[*p].1 < 2);
                tree.push((parent, kind, length));
            }
            tree
        },
    )
}

fn documents_of(tree: &[(Option<usize>, u8, u64)]) -> Vec<Document> {
    let id = |i: usize| format!("s{i}");
    tree.iter()
        .enumerate()
        .map(|(i, (parent, kind, length))| {
            let parent = parent.map_or("tx".to_owned(), id);
            match kind {
                0 => span(&id(i), &parent, "work", "app", 0, *length),
                1 => span(&id(i), &parent, "chat", "openai", 0, *length),
                2 => transport(&id(i), &parent, 0, *length),
                _ => token(&id(i), &parent, 0, *length, 1),
            }
        })
        .collect()
}

/// Calls of a tree: model calls that have no model call inside, and requests that are not inside of one of those.
fn true_calls(tree: &[(Option<usize>, u8, u64)]) -> f64 {
    let above = |i: usize| std::iter::successors(tree[i].0, |p| tree[*p].0);
    let mut is_wrapper = vec![false; tree.len()];
    for i in (0..tree.len()).filter(|i| tree[*i].1 == 1) {
        above(i).for_each(|p| is_wrapper[p] = true);
    }
    let is_call = |i: usize| tree[i].1 == 1 && !is_wrapper[i];
    let alone = |i: usize| tree[i].1 == 2 && !above(i).any(is_call);
    (0..tree.len()).filter(|i| is_call(*i) || alone(*i)).count() as f64
}

proptest! {
    #[test]
    fn each_call_is_counted_once(tree in tree(), seed in any::<u64>(), size in 1_usize..50) {
        let mut documents = documents_of(&tree);
        if size >= documents.len() {
            // One batch: any order.
            let scatter = |d: &Document| {
                let mut hasher = DefaultHasher::new();
                (seed, d.span.as_ref().unwrap().id.as_ref().unwrap().as_str()).hash(&mut hasher);
                hasher.finish()
            };
            documents.sort_by_cached_key(scatter);
        } else {
            // Several batches: children first, as agents report.
            documents.reverse();
        }
        let mut enricher = Enricher::default();
        documents.chunks_mut(size).for_each(|batch| drop(enricher.relate(batch)));
        let counted: f64 = rows(&documents).values().map(|row| row.count).sum();
        prop_assert!((counted - true_calls(&tree)).abs() < 1e-6, "{counted} of {}", true_calls(&tree));
    }

    #[test]
    fn cycles_and_duplicates_do_no_harm(links in prop::collection::vec((0_u8..6, 0_u8..6, 0_u8..4), 0..40), size in 1_usize..8) {
        let mut documents: Vec<Document> = links
            .iter()
            .map(|(id, parent, kind)| match kind {
                0 => span(&id.to_string(), &parent.to_string(), "work", "app", 0, 1),
                1 => span(&id.to_string(), &parent.to_string(), "chat", "openai", 0, 1),
                2 => transport(&id.to_string(), &parent.to_string(), 0, 1),
                _ => token(&id.to_string(), &parent.to_string(), 0, 1, 1),
            })
            .collect();
        let mut enricher = Enricher::default();
        documents.chunks_mut(size).for_each(|batch| drop(enricher.relate(batch)));
        prop_assert!(rows(&documents).values().all(|row| row.count.is_finite() && row.sum_us.is_finite()));
    }
}
