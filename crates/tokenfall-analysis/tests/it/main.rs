//! The answers of every screen, over the embedded store, for recorded bodies of real agents.

#![expect(clippy::unwrap_used, reason = "tests")]

mod correlations;
mod model_calls;

use std::net::IpAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokenfall_analysis::errors::ErrorsQuery;
use tokenfall_analysis::traces::TracesQuery;
use tokenfall_analysis::transactions::{GroupQuery, SamplesQuery};
use tokenfall_analysis::{Environment, Scope, dependencies, errors, services, status, traces, transactions, waterfall};
use tokenfall_api::Outcome;
use tokenfall_api::traces::{ItemKind, TraceSkeleton, flag};
use tokenfall_enrich::Enricher;
use tokenfall_intake::{IntakeStream, StreamOptions};
use tokenfall_model::{Document, EventKind, Timestamp, limits};
use tokenfall_query::{SearchRequest, TimeRange};
use tokenfall_store::embedded::{EmbeddedStore, Options};
use tokenfall_store::{Search, Store};
use tokenfall_testkit::repository_root;

/// The service of the recordings with the package openai 0.27.
const RAG: &str = "elasticdocs-gpt-v2-streaming";
const OK: &str = "elastic-apm-python-openai027-ok/004.ndjson";
const RATELIMIT: &str = "elastic-apm-python-openai027-ratelimit/004.ndjson";

/// A store with the documents of some recordings, visible.
struct Recorded {
    store: EmbeddedStore,
    documents: Vec<Document>,
    scope: Scope,
    _folder: tempfile::TempDir,
}

fn recorded(bodies: &[&str]) -> Recorded {
    stored(documents_of(bodies))
}

fn documents_of(bodies: &[&str]) -> Vec<Document> {
    let mut documents = Vec::new();
    let mut enricher = Enricher::default();
    for body in bodies {
        let path = repository_root().join("tests/fixtures/captured").join(body);
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut stream = IntakeStream::new(StreamOptions {
            received: Timestamp::from_micros(1_795_380_000_000_000),
            client_ip: None::<IpAddr>,
            event_bytes_max: limits::EVENT_BYTES_MAX,
            namespace: "default".into(),
            default_environment: None,
        });
        let mut decoded = Vec::new();
        stream.feed(&bytes, &mut decoded);
        stream.finish(&mut decoded);
        assert_eq!(stream.error_count(), 0, "{body}: {:?}", stream.errors());
        // As the server does: in pieces.
        decoded.chunks_mut(10).for_each(|batch| enricher.enrich_batch(batch));
        documents.extend(decoded);
    }
    documents
}

fn stored(documents: Vec<Document>) -> Recorded {
    let from = documents.iter().map(Document::time).min().unwrap().saturating_add(-1_000_000);
    let to = documents.iter().map(Document::time).max().unwrap().saturating_add(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let options = Options { commit_interval: Duration::from_millis(10), min_free_bytes: 0, ..Options::default() };
    let store = EmbeddedStore::open(folder.path(), options).unwrap();
    let (durable, is_durable) = mpsc::channel();
    store.append(documents.clone(), Box::new(move |result| durable.send(result).unwrap()));
    is_durable.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while store.search(&SearchRequest::default()).unwrap().total < documents.len() as u64 {
        assert!(Instant::now() < deadline, "the documents do not become visible");
        std::thread::yield_now();
    }
    Recorded { store, documents, scope: Scope::of(TimeRange { from, to }), _folder: folder }
}

impl Recorded {
    fn trace_id(&self) -> String {
        let transaction = self.documents.iter().find(|d| d.kind() == EventKind::Transaction).unwrap();
        transaction.trace.as_ref().unwrap().id.to_string()
    }

    fn skeleton(&self) -> TraceSkeleton {
        waterfall::skeleton(&self.store, &self.trace_id()).unwrap().unwrap()
    }
}

fn user_query() -> GroupQuery {
    GroupQuery { service: RAG.into(), name: "user-query".into(), transaction_type: None }
}

fn name(trace: &TraceSkeleton, row: usize) -> &str {
    &trace.names[trace.name[row] as usize]
}

fn rows_of<'a>(trace: &'a TraceSkeleton, wanted: &'a str) -> impl Iterator<Item = usize> + 'a {
    (0..trace.items).filter(move |row| name(trace, *row) == wanted)
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 0.02 * b.abs().max(1e-9)
}

#[test]
fn services_and_what_each_is() {
    let all = recorded(&[OK, "elastic-apm-python-openai3-ok/004.ndjson"]);
    let list = services::services(&all.store, &all.scope).unwrap();
    let names: Vec<_> = list.services.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["elasticdocs-gpt-v3", RAG], "the one with the most time spent is first");
    let rag = &list.services[1];
    assert_eq!((rag.agent_name.as_deref(), rag.transaction_type.as_deref()), (Some("python"), Some("user-query")));
    assert!(rag.environments.is_empty());
    assert!(close(rag.summary.count, 1.0) && close(rag.summary.latency_avg_us.unwrap(), 980_875.0));
    assert!(close(rag.summary.latency_p95_us.unwrap(), 980_875.0));
    assert_eq!(rag.summary.failure_rate, Some(0.0));
    let in_series: Vec<f64> = rag.series.latency_avg_us.iter().flatten().copied().collect();
    assert_eq!(in_series, [980_875.0]);
    assert_eq!(rag.series.throughput_per_minute.len(), list.axis.buckets);
    assert_eq!(list.services[0].environments, ["test"]);
    assert!(list.complete && list.newest_event_us.is_some());

    let none = services::environments(&all.store, all.scope.time).unwrap();
    assert_eq!((none.environments.as_slice(), none.has_undefined), (&["test".to_owned()][..], true));
    for (environment, expected) in [
        (Environment::Named("test".into()), vec!["elasticdocs-gpt-v3"]),
        (Environment::Undefined, vec![RAG]),
        (Environment::Named("nowhere".into()), vec![]),
    ] {
        let scope = Scope { environment, ..all.scope.clone() };
        let list = services::services(&all.store, &scope).unwrap();
        assert_eq!(list.services.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), expected, "{scope:?}");
    }

    let detail = services::service(&all.store, &all.scope, RAG, None).unwrap();
    assert_eq!(detail.agents, ["python 6.26.2"]);
    assert_eq!(detail.transaction_types, ["user-query"]);
    assert!(detail.runtimes.iter().any(|r| r.starts_with("CPython 3.11")), "{:?}", detail.runtimes);
    let types: Vec<_> =
        detail.time_by_span_type.iter().map(|t| (t.span_type.as_str(), t.span_subtype.as_deref(), t.count)).collect();
    assert_eq!(
        types,
        [("openai", None, 4.0), ("external", Some("http"), 4.0), ("http", None, 186.0), ("app", None, 1.0)]
    );
    assert!(close(detail.time_by_span_type.iter().map(|t| t.share).sum(), 1.0));

    let newest = status::newest_service(&all.store, all.scope.time.to).unwrap().unwrap();
    assert_eq!(newest.name, "elasticdocs-gpt-v3");
    assert_eq!(newest.agent_version.as_deref(), Some("6.26.2"));
    assert!(newest.trace_id.is_some());
}

#[test]
fn an_empty_store_has_answers_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(folder.path(), Options { min_free_bytes: 0, ..Options::default() }).unwrap();
    let scope = Scope::of(TimeRange { from: Timestamp::from_micros(0), to: Timestamp::from_micros(60_000_000) });
    let list = services::services(&store, &scope).unwrap();
    assert!(list.services.is_empty() && list.newest_event_us.is_none());
    assert!(services::service(&store, &scope, "x", None).unwrap().transaction_type.is_none());
    assert!(transactions::groups(&store, &scope, "x", None).unwrap().groups.is_empty());
    assert!(
        traces::traces(&store, &scope, &TracesQuery { size: 10, ..TracesQuery::default() }).unwrap().traces.is_empty()
    );
    assert!(dependencies::dependencies(&store, &scope, None).unwrap().dependencies.is_empty());
    assert!(dependencies::dependency(&store, &scope, "openai", None).unwrap().dependency.is_none());
    assert!(errors::groups(&store, &scope, &ErrorsQuery::default()).unwrap().groups.is_empty());
    assert!(errors::detail(&store, &scope, "k", None, None).unwrap().group.is_none());
    assert!(waterfall::skeleton(&store, "t").unwrap().is_none());
    assert!(waterfall::item(&store, "t", "i").unwrap().is_none());
    assert!(status::newest_service(&store, Timestamp::from_micros(0)).unwrap().is_none());
}

#[test]
fn transactions_without_a_name_are_a_group() {
    let mut documents = documents_of(&[OK, RATELIMIT]);
    let first = documents.iter_mut().find(|d| d.kind() == EventKind::Transaction).unwrap();
    first.transaction.as_mut().unwrap().name = None;
    let all = stored(documents);
    let list = transactions::groups(&all.store, &all.scope, RAG, None).unwrap();
    let mut counts: Vec<_> = list.groups.iter().map(|g| (g.name.as_str(), g.summary.count)).collect();
    counts.sort_by_key(|(name, _)| name.len());
    assert_eq!(counts, [("", 1.0), ("user-query", 1.0)]);
    assert!(close(list.groups.iter().map(|g| g.impact).sum(), 1.0));
    let unnamed = GroupQuery { name: String::new(), ..user_query() };
    let detail = transactions::detail(&all.store, &all.scope, &unnamed).unwrap();
    assert!(close(detail.summary.count, 1.0), "{detail:?}");
}

#[test]
fn transaction_groups_and_their_traces() {
    let all = recorded(&[OK, RATELIMIT, "elastic-apm-python-openai027-unhandled/003.ndjson"]);
    let list = transactions::groups(&all.store, &all.scope, RAG, None).unwrap();
    assert_eq!(list.transaction_type.as_deref(), Some("user-query"));
    let [group] = list.groups.as_slice() else { panic!("{:?}", list.groups) };
    assert_eq!((group.name.as_str(), list.groups_omitted), ("user-query", 0));
    assert!(close(group.summary.count, 3.0) && close(group.impact, 1.0));
    assert!(close(group.summary.failure_rate.unwrap(), 1.0 / 3.0));

    let detail = transactions::detail(&all.store, &all.scope, &user_query()).unwrap();
    assert_eq!(detail.transaction_type.as_deref(), Some("user-query"));
    let bars = &detail.distribution.buckets;
    assert_eq!(bars.iter().map(|b| b.count).sum::<u64>(), 3);
    assert_eq!(bars.iter().map(|b| b.failed).sum::<u64>(), 1);
    assert!(bars.windows(2).all(|pair| pair[0].to_us == pair[1].from_us));
    assert_eq!((bars.first().unwrap().count, bars.last().unwrap().count), (1, 1));

    let pick = |min_us, max_us, size| {
        let query = SamplesQuery { group: user_query(), min_us, max_us, size };
        transactions::samples(&all.store, &all.scope, &query).unwrap()
    };
    let every = pick(None, None, 10);
    assert_eq!((every.selected, every.samples.len()), (3, 3));
    assert!(every.samples.windows(2).all(|pair| pair[0].timestamp_us > pair[1].timestamp_us), "newest first");
    assert_eq!(pick(None, None, 2).samples.len(), 2);
    let slow = pick(Some(1_000_000), None, 10);
    assert_eq!(slow.samples.iter().map(|s| s.duration_us).collect::<Vec<_>>(), [1_785_624]);
    let failed = pick(None, Some(500_000), 10);
    assert_eq!(failed.samples.iter().map(|s| s.outcome).collect::<Vec<_>>(), [Outcome::Failure]);

    let of_rag = TracesQuery { service: Some(RAG.into()), size: 2, ..TracesQuery::default() };
    let traces = traces::traces(&all.store, &all.scope, &of_rag).unwrap();
    assert_eq!((traces.total, traces.traces.len()), (3, 2));
    assert!(traces.traces.iter().all(|t| t.name == "user-query" && t.service == RAG));
}

#[test]
fn the_dependencies_table_tells_the_truth() {
    let ok = recorded(&[OK]);
    let list = dependencies::dependencies(&ok.store, &ok.scope, None).unwrap();
    let rows: Vec<_> = list.dependencies.iter().map(|d| (d.resource.as_str(), d.kind.as_str())).collect();
    assert_eq!(rows, [("openai", "genai"), ("127.0.0.1:8081", "external")]);
    let [openai, elasticsearch] = list.dependencies.as_slice() else { unreachable!() };
    assert_eq!(
        (openai.models.as_slice(), openai.callers.as_slice()),
        (&["gpt-35-turbo".to_owned()][..], &[RAG.to_owned()][..])
    );
    assert!(close(openai.summary.count, 3.0) && close(elasticsearch.summary.count, 1.0));
    assert!((860_000.0..916_000.0).contains(&openai.summary.latency_avg_us.unwrap()), "{:?}", openai.summary);
    assert!((850_000.0..926_000.0).contains(&openai.summary.latency_p50_us.unwrap()), "{:?}", openai.summary);
    assert!(close(elasticsearch.summary.latency_avg_us.unwrap(), 56_603.0));
    assert!(close(openai.impact + elasticsearch.impact, 1.0) && openai.impact > 0.97);
    let series: f64 = openai.series.latency_avg_us.iter().flatten().sum();
    assert!((860_000.0..916_000.0).contains(&series), "{series}");

    let detail = dependencies::dependency(&ok.store, &ok.scope, "openai", None).unwrap();
    assert_eq!(detail.dependency.as_ref(), Some(openai));
    let group = |groups: &[tokenfall_api::dependencies::DependencyGroup]| {
        groups.iter().map(|g| (g.name.clone(), g.summary.count.round() as u64)).collect::<Vec<_>>()
    };
    assert_eq!(group(&detail.callers), [(RAG.to_owned(), 3)]);
    assert_eq!(group(&detail.operations), [("openaiChatCompletion".to_owned(), 3)]);
    assert_eq!(detail.samples.len(), 1, "one for each trace");
    assert!(dependencies::dependency(&ok.store, &ok.scope, "http", None).unwrap().dependency.is_none());

    let ratelimit = recorded(&[RATELIMIT]);
    let list = dependencies::dependencies(&ratelimit.store, &ratelimit.scope, Some(RAG)).unwrap();
    assert!(close(list.dependencies[0].summary.count, 9.0));
    assert!(close(list.dependencies[0].summary.failure_rate.unwrap(), 6.0 / 9.0));
}

#[test]
fn the_waterfall_of_the_articles_query() {
    let ok = recorded(&[OK]);
    let trace = ok.skeleton();
    assert_eq!(trace.items, 12, "11 spans and 1 transaction");
    assert!(trace.complete && trace.orphans.is_empty() && trace.errors.is_empty());
    assert_eq!((trace.duration_us, trace.dropped_spans), (980_875, 0));
    let names: Vec<&str> = (0..trace.items).map(|row| name(&trace, row)).collect();
    let call = ["openaiChatCompletion", "POST 127.0.0.1:8081", "token"];
    let expected = [&["user-query", "POST 127.0.0.1:8081", "individual-results"][..], &call, &call, &call].concat();
    assert_eq!(names, expected);
    assert_eq!(trace.parent, [-1, 0, 0, 2, 3, 3, 2, 6, 6, 2, 9, 9]);
    assert_eq!(trace.subtree, [12, 1, 10, 3, 1, 1, 3, 1, 1, 3, 1, 1]);
    assert_eq!(trace.flags[0] & flag::TRANSACTION, flag::TRANSACTION);
    for row in rows_of(&trace, "token") {
        assert_eq!(trace.composite_count[row], 62);
        assert_eq!(trace.flags[row] & (flag::TOKENS | flag::COMPOSITE_EXACT), flag::TOKENS | flag::COMPOSITE_EXACT);
    }
    for row in rows_of(&trace, "openaiChatCompletion") {
        assert_eq!((trace.kind[row], trace.flags[row] & flag::GENERATION), (ItemKind::Llm, flag::GENERATION));
        assert_eq!((trace.chunks[row], trace.attempt[row]), (62, 0));
        assert!((100_000..200_000).contains(&trace.first_chunk_us[row]));
    }
    assert_eq!(trace.kind[..3], [ItemKind::Http, ItemKind::Retrieval, ItemKind::Llm]);
    assert_eq!(trace.status_code[1], 200);
    let covered: i64 = trace.critical_path.iter().map(|s| s.to_us - s.from_us).sum();
    assert_eq!(covered, 980_875);

    let call = waterfall::item(&ok.store, &ok.trace_id(), &trace.id[3]).unwrap().unwrap();
    assert_eq!(call.document["span"]["name"], "openaiChatCompletion");
    assert_eq!(call.document["tokenfall"]["dependency"]["resource"], "openai");
    let root = waterfall::item(&ok.store, &ok.trace_id(), &trace.id[0]).unwrap().unwrap();
    assert_eq!(root.document["transaction"]["name"], "user-query");
    assert!(waterfall::item(&ok.store, "another", &trace.id[0]).unwrap().is_none());
}

#[test]
fn attempts_and_errors_of_refused_calls() {
    let all = recorded(&[RATELIMIT]);
    let trace = all.skeleton();
    assert_eq!(trace.items, 24);
    let mut attempts: Vec<_> = rows_of(&trace, "openaiChatCompletion")
        .map(|row| (trace.attempt[row], trace.flags[row] & flag::FAILURE != 0, trace.error_count[row]))
        .collect();
    attempts.sort_unstable();
    let refused = [(1, true, 1); 3].into_iter().chain([(2, true, 1); 3]);
    assert_eq!(attempts, refused.chain([(3, false, 0); 3]).collect::<Vec<_>>());
    assert_eq!(trace.errors.len(), 6);
    assert!(trace.errors.iter().all(|e| name(&trace, e.item as usize) == "openaiChatCompletion"));
    assert!(trace.errors.iter().all(|e| e.exception_type.as_deref() == Some("RateLimitError")));

    let list = errors::groups(&all.store, &all.scope, &ErrorsQuery::default()).unwrap();
    assert_eq!(list.groups.iter().map(|g| g.occurrences).sum::<u64>(), 6);
    assert_eq!(list.series.iter().sum::<u64>(), 6);
    let group = &list.groups[0];
    assert_eq!((group.service.as_str(), group.exception_type.as_deref()), (RAG, Some("RateLimitError")));
    assert_eq!(group.handled, Some(true));
    assert!(group.message.contains("Rate limit"), "{}", group.message);
    assert!(group.first_seen_us <= group.last_seen_us);
    let detail = errors::detail(&all.store, &all.scope, &group.grouping_key, Some(RAG), None).unwrap();
    assert_eq!(detail.group.as_ref(), Some(group));
    assert_eq!(detail.occurrences.len() as u64, group.occurrences);
    // The agent sends no name with the error: it comes from the transaction.
    let [affected] = detail.transactions.as_slice() else { panic!("{:?}", detail.transactions) };
    assert_eq!((affected.name.as_deref(), affected.kind.as_deref()), (Some("user-query"), Some("user-query")));
    assert_eq!(affected.occurrences, group.occurrences);
    let oldest = detail.occurrences.last().unwrap();
    let asked = errors::detail(&all.store, &all.scope, &group.grouping_key, None, Some(&oldest.error_id)).unwrap();
    assert_eq!(asked.sample.unwrap()["error"]["id"], oldest.error_id.as_str());
    let other = ErrorsQuery { exception_type: Some("KeyError".into()), ..ErrorsQuery::default() };
    assert!(errors::groups(&all.store, &all.scope, &other).unwrap().groups.is_empty());
}

#[test]
fn tokens_and_cost_of_the_article() {
    let documents = documents_of(&[OK]);
    let calls: Vec<&Document> = documents.iter().filter(|d| is_model_call(d)).collect();
    assert_eq!(calls.len(), 3);
    for call in calls {
        let fields = call.tokenfall.as_deref().unwrap();
        assert_eq!(fields.model.as_deref(), Some("gpt-35-turbo"));
        let usage = call.gen_ai.as_ref().unwrap().usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (None, Some(60)), "62 chunks, two of them without text");
        assert_eq!(fields.usage.map(|u| (u.source.as_str(), u.total_tokens)), Some(("derived", None)));
        assert_eq!(fields.cost, None, "nobody knows how long the question was");
    }
    let transaction = documents.iter().find(|d| d.kind() == EventKind::Transaction).unwrap();
    let fields = transaction.tokenfall.as_deref().unwrap();
    let sum = fields.llm.as_deref().unwrap();
    assert_eq!((sum.generations, sum.failed_generations, sum.unpriced_generations), (3, 0, 0));
    assert_eq!((sum.total_tokens, sum.output_tokens), (Some(1446), Some(180)));
    assert_eq!(sum.cost_pico_usd, Some(2_892_000_000), "the label openai_cost");
    assert!(fields.question.is_some());
    assert_eq!(fields.model.as_deref(), Some("gpt-35-turbo"));
}

#[test]
fn attempts_that_failed_are_counted() {
    let documents = documents_of(&[RATELIMIT]);
    let transaction = documents.iter().find(|d| d.kind() == EventKind::Transaction).unwrap();
    let sum = transaction.tokenfall.as_ref().unwrap().llm.as_deref().unwrap();
    assert_eq!((sum.generations, sum.failed_generations), (9, 6));
}

fn is_model_call(document: &Document) -> bool {
    let dependency = document.tokenfall.as_ref().and_then(|fields| fields.dependency.as_ref());
    dependency.is_some_and(|d| d.role == tokenfall_model::document::DependencyRole::Generation)
}
