//! The engine against the naive one, and each kind of filter by hand.

#[path = "../../../../tokenfall-query/tests/it/arbitrary.rs"]
mod arbitrary;
#[path = "../../../../tokenfall-query/tests/it/naive.rs"]
mod naive;

mod collectors;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tantivy::merge_policy::NoMergePolicy;
use tantivy::{Index, IndexWriter};
use tokenfall_model::{ServiceName, Timestamp};
use tokenfall_query::{CrosstabColumns, CrosstabRow, HitsRequest, Sort, SortOrder};

use self::arbitrary::MIDNIGHT_US;
use self::collectors::{crosstab, points, ranges, tier, value_row};
use super::super::Options;
use super::super::partition::{PartitionKey, Slice};
use super::super::schema::DocumentSchema;
use super::*;
use crate::Store;

/// Documents in partitions by stream and day, a segment for each chunk of a partition.
fn partitions(documents: &[Document], chunk: usize) -> Vec<PartitionSearcher> {
    let now = Timestamp::from_micros(MIDNIGHT_US);
    let mut by_key: BTreeMap<PartitionKey, Vec<(u64, &Document)>> = BTreeMap::new();
    for (sequence, document) in (0..).zip(documents) {
        let key = PartitionKey { stream: StreamKind::of(document.kind()), slice: Slice::of(document.time(), now) };
        by_key.entry(key).or_default().push((sequence, document));
    }
    by_key.into_iter().map(|(key, documents)| partition(key, &documents, chunk)).collect()
}

fn partition(key: PartitionKey, documents: &[(u64, &Document)], chunk: usize) -> PartitionSearcher {
    let index = Index::create_in_ram(DocumentSchema::build());
    let schema = DocumentSchema::of(&index.schema()).unwrap();
    let mut writer: IndexWriter = index.writer_with_num_threads(1, 15_000_000).unwrap();
    writer.set_merge_policy(Box::new(NoMergePolicy));
    for documents in documents.chunks(chunk) {
        for (sequence, document) in documents {
            let mut source = Vec::new();
            document.to_json(&mut source);
            writer.add_document(schema.entry(document, &source, *sequence)).unwrap();
        }
        writer.commit().unwrap();
    }
    PartitionSearcher {
        key,
        searcher: index.reader().unwrap().searcher(),
        schema: Arc::new(schema),
        field_names: Arc::default(),
        first_us: documents.iter().map(|(_, d)| d.time().as_micros()).min().unwrap(),
        last_us: documents.iter().map(|(_, d)| d.time().as_micros()).max().unwrap(),
    }
}

fn search(partitions: &[PartitionSearcher], request: &SearchRequest) -> Result<SearchResponse, SearchError> {
    validate::validate(request)?;
    execute(partitions, request, SearchOptions::default())
}

/// A store in a folder of its own that was opened anew for each part of the documents, and once more.
fn reopened(documents: &[Document], part: usize) -> (EmbeddedStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { min_free_bytes: 0, ..Options::default() };
    for part in documents.chunks(part) {
        let store = EmbeddedStore::open(folder.path(), options.clone()).unwrap();
        let (sender, durable) = std::sync::mpsc::channel();
        store.append(part.to_vec(), Box::new(move |result| sender.send(result).unwrap()));
        durable.recv().unwrap().unwrap();
        store.close();
    }
    (EmbeddedStore::open(folder.path(), options).unwrap(), folder)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn agrees_with_the_naive_engine(
        documents in arbitrary::documents(60),
        chunk in 1_usize..40,
        requests in prop::collection::vec(arbitrary::request(), 24),
    ) {
        let partitions = partitions(&documents, chunk);
        for request in requests {
            let got = search(&partitions, &request).unwrap();
            let expect = naive::answer(&documents, &request);
            prop_assert_eq!(got.total, expect.total, "{:?}", request);
            prop_assert_eq!(&got.hits, &expect.hits, "{:?}", request);
            prop_assert!(got.complete);
            naive::assert_agree(&got.aggs, &expect.aggs);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn agrees_with_the_naive_engine_after_reopening(
        documents in arbitrary::documents(60),
        requests in prop::collection::vec(arbitrary::request(), 40),
    ) {
        let (store, _folder) = reopened(&documents, 25);
        for request in requests {
            let got = store.search(&request).unwrap();
            let expect = naive::answer(&documents, &request);
            prop_assert_eq!((got.total, &got.hits), (expect.total, &expect.hits), "{:?}", request);
            naive::assert_agree(&got.aggs, &expect.aggs);
        }
    }
}

/// Six documents, numbered by `http.response.status_code`, in two segments.
fn six() -> Vec<Document> {
    let json = [
        r#""transaction": { "id": "00000000000000a1", "name": "GET /cart", "sampled": true }, "labels": { "tier": "gold" }"#,
        r#""transaction": { "id": "00000000000000a2", "name": "GET /cart/7", "sampled": false }, "labels": { "tier": ["gold", "silver"] }"#,
        r#""message": "Payment failed: no route, timed out", "labels": { "a.b c": "ünï" }"#,
        r#""message": "payment OK", "numeric_labels": { "queue.depth": 7 }"#,
        r#""trace": { "id": "000000000000000000000000000000ff" }, "numeric_labels": { "queue.depth": -2.5 }"#,
        r#""host": { "ip": ["::1", "10.0.0.1"] }, "numeric_labels": { "queue.depth": 3 }"#,
    ];
    let document = |(number, json): (usize, &str)| {
        let json = format!(
            r#"{{ "@timestamp": "2026-11-22T00:00:00.000Z", "timestamp": {{ "us": {} }},
                "processor": {{ "event": "transaction" }}, "service": {{ "name": "shop" }},
                "data_stream": {{ "type": "traces", "dataset": "apm", "namespace": "default" }},
                "http": {{ "response": {{ "status_code": {number} }} }}, {json} }}"#,
            MIDNIGHT_US + number as i64
        );
        Document::from_json(json.as_bytes()).unwrap()
    };
    json.into_iter().enumerate().map(document).collect()
}

/// Numbers of the documents of [`six`] that match.
fn found(filter: Filter) -> Vec<i64> {
    let request = SearchRequest::default().filter(filter).hits(10, vec![Sort::ascending(fields::TIMESTAMP)]);
    let response = search(&partitions(&six(), 3), &request).unwrap();
    assert_eq!(response.total, response.hits.len() as u64);
    response.hits.iter().map(|d| d.time().as_micros() - MIDNIGHT_US).collect()
}

fn term(field: &str, value: impl Into<tokenfall_query::Value>) -> Filter {
    Filter::Term { field: field.to_owned(), value: value.into() }
}

fn matching(field: &str, text: &str) -> Filter {
    Filter::Match { field: field.to_owned(), text: text.to_owned() }
}

fn prefix(field: &str, prefix: &str) -> Filter {
    Filter::Prefix { field: field.to_owned(), prefix: prefix.to_owned() }
}

fn range(field: &str, gte: Option<f64>, lt: Option<f64>) -> Filter {
    Filter::Range { field: field.to_owned(), gte, lt }
}

fn exists(field: &str) -> Filter {
    Filter::Exists { field: field.to_owned() }
}

#[test]
fn filters_find_what_they_say() {
    let cases = [
        (Filter::All, vec![0, 1, 2, 3, 4, 5]),
        (term("transaction.name", "GET /cart"), vec![0]),
        (term("transaction.id", "00000000000000a2"), vec![1]),
        (term("trace.id", "000000000000000000000000000000ff"), vec![4]),
        (term("transaction.sampled", true), vec![0]),
        (term("transaction.sampled", "false"), vec![1]),
        (term("http.response.status_code", 3_i64), vec![3]),
        (term("http.response.status_code", "3"), vec![3]),
        (term("http.response.status_code", 3.5), vec![]),
        (term("http.response.status_code", "three"), vec![]),
        (term("host.ip", "10.0.0.1"), vec![5]),
        (term("labels.tier", "gold"), vec![0, 1]),
        (term("labels.tier", "silver"), vec![1]),
        (term("labels.tier", 1_i64), vec![]),
        (term("labels.a.b c", "ünï"), vec![2]),
        (term("labels.a", "ünï"), vec![]),
        (term("numeric_labels.queue.depth", 7_i64), vec![3]),
        (term("numeric_labels.queue.depth", -2.5), vec![4]),
        (term("message", "FAILED payment"), vec![2]),
        (term("nobody.knows.this", "x"), vec![]),
        (Filter::Terms { field: "labels.tier".to_owned(), values: vec!["silver".into(), "bronze".into()] }, vec![1]),
        (Filter::Terms { field: "labels.tier".to_owned(), values: vec![] }, vec![]),
        (range("http.response.status_code", Some(1.5), Some(4.0)), vec![2, 3]),
        (range("http.response.status_code", None, None), vec![0, 1, 2, 3, 4, 5]),
        (range("numeric_labels.queue.depth", Some(-2.5), Some(7.0)), vec![4, 5]),
        (range("numeric_labels.queue.depth", None, Some(-1e300)), vec![]),
        (range("@timestamp", Some(MIDNIGHT_US as f64 + 4.0), None), vec![4, 5]),
        (range("transaction.name", Some(0.0), None), vec![]),
        (exists("transaction.sampled"), vec![0, 1]),
        (exists("transaction.id"), vec![0, 1]),
        (exists("message"), vec![2, 3]),
        (exists("labels.tier"), vec![0, 1]),
        (exists("numeric_labels.queue.depth"), vec![3, 4, 5]),
        (exists("host.ip"), vec![5]),
        (exists("nowhere"), vec![]),
        (prefix("transaction.name", "GET /cart/"), vec![1]),
        (prefix("transaction.name", ""), vec![0, 1]),
        (prefix("transaction.id", "00000000000000a"), vec![0, 1]),
        (prefix("labels.tier", "go"), vec![0, 1]),
        (prefix("labels.tier", "old"), vec![]),
        (prefix("message", "pay"), vec![]),
        (matching("message", "payment"), vec![2, 3]),
        (matching("message", "out, Failed"), vec![2]),
        (matching("message", "pay"), vec![]),
        (matching("message", "  …"), vec![]),
        (matching("transaction.name", "cart/"), vec![1]),
        (matching("labels.tier", "old"), vec![0, 1]),
        (matching("labels.a.b c", "nï"), vec![2]),
        (matching("http.response.status_code", "3"), vec![]),
        (Filter::And(vec![]), vec![0, 1, 2, 3, 4, 5]),
        (Filter::Or(vec![]), vec![]),
        (exists("labels.tier").negate().negate(), vec![0, 1]),
        (exists("labels.tier").negate().and(exists("message").negate()), vec![4, 5]),
        (Filter::Or(vec![term("labels.tier", "silver"), exists("message").negate()]), vec![0, 1, 4, 5]),
        (term("nowhere", "x").negate(), vec![0, 1, 2, 3, 4, 5]),
    ];
    for (filter, expect) in cases {
        assert_eq!(found(filter.clone()), expect, "{filter:?}");
    }
}

#[test]
fn many_terms_are_found_like_few() {
    let values = (0..100).map(|i| format!("{:016x}", 0xa0 + i).into()).collect();
    assert_eq!(found(Filter::Terms { field: "transaction.id".to_owned(), values }), [0, 1]);
    let values = (0..100).map(|i| format!("metal-{i}").into()).chain(["silver".into()]).collect();
    assert_eq!(found(Filter::Terms { field: "labels.tier".to_owned(), values }), [1]);
}

#[test]
fn numeric_labels_sort_alike_in_segments_of_different_types() {
    // The first segment holds integers only, the second fractions too.
    let sort = vec![Sort { field: "numeric_labels.queue.depth".to_owned(), order: SortOrder::Ascending }];
    let request = SearchRequest::default().hits(10, sort);
    let documents = six();
    for chunk in [1, 4, 6] {
        let response = search(&partitions(&documents, chunk), &request).unwrap();
        let depths = response.hits.iter().map(|d| d.numeric_labels.get("queue.depth").copied());
        assert_eq!(depths.take(4).collect::<Vec<_>>(), [Some(-2.5), Some(3.0), Some(7.0), None], "{chunk}");
    }
}

#[test]
fn values_over_the_limit_are_found_by_the_whole_value() {
    let long = "ü".repeat(10_000);
    let mut document = Document::new(Timestamp::from_micros(MIDNIGHT_US), EventKind::Span, ServiceName::new("shop"));
    document.service.version = Some(long.clone());
    let partitions = partitions(&[document.clone()], 1);
    let request = SearchRequest::default().filter(Filter::term(fields::SERVICE_VERSION, long)).hits(1, Vec::new());
    assert_eq!(search(&partitions, &request).unwrap().hits, [document]);
}

#[test]
fn hits_without_a_sort_are_any_of_those_that_match() {
    let documents = six();
    let request = SearchRequest::default().filter(exists("labels.tier")).hits(1, Vec::new());
    let response = search(&partitions(&documents, 1), &request).unwrap();
    assert_eq!((response.total, response.hits.len()), (2, 1));
    assert!(documents[..2].contains(&response.hits[0]));
}

#[test]
fn kinds_and_time_restrict() {
    let mut documents = six();
    documents[5].processor.event = EventKind::Span;
    let partitions = partitions(&documents, 2);
    let time = |from, to| TimeRange {
        from: Timestamp::from_micros(MIDNIGHT_US + from),
        to: Timestamp::from_micros(MIDNIGHT_US + to),
    };
    let total = |request: &SearchRequest| search(&partitions, request).unwrap().total;
    assert_eq!(total(&SearchRequest::of(EventKind::Span, time(0, 10))), 1);
    assert_eq!(total(&SearchRequest::of(EventKind::Transaction, time(1, 4))), 3);
    assert_eq!(total(&SearchRequest::of(EventKind::Transaction, time(4, 1))), 0);
    assert_eq!(total(&SearchRequest::of(EventKind::Error, time(0, 10))), 0);
    assert_eq!(total(&SearchRequest::default()), 6);
}

#[test]
fn senseless_requests_are_refused() {
    let deep = (0..100).fold(Filter::All, |filter, _| Filter::Not(Box::new(filter)));
    let metric = AggregationKind::avg(fields::TRANSACTION_DURATION_US);
    let nested = metric.clone().with(Aggregations::new().with("inside", metric.leaf()));
    let unordered = AggregationKind::Terms {
        field: "service.name".to_owned(),
        size: 1,
        order: tokenfall_query::TermsOrder::MetricDescending("nobody".to_owned()),
        missing: None,
        segment_size: None,
    };
    let histogram = AggregationKind::DateHistogram { field: "@timestamp".to_owned(), interval_us: 0, bounds_us: None };
    let keyword_sort = vec![Sort::ascending(fields::SERVICE_NAME)];
    for request in [
        SearchRequest::default().filter(deep),
        SearchRequest::default().agg("a", nested),
        SearchRequest::default().agg("a", unordered.leaf()),
        SearchRequest::default().agg("a", histogram.leaf()),
        SearchRequest::default().agg("a", AggregationKind::terms(fields::TRACE_ID, 3).leaf()),
        SearchRequest::default().agg("a", AggregationKind::avg(fields::SERVICE_NAME).leaf()),
        SearchRequest::default().agg("a", AggregationKind::percentiles(fields::SPAN_DURATION_US, &[101.0]).leaf()),
        SearchRequest::default().agg("a", points(&["trace.id"], 3)),
        SearchRequest::default().agg("a", points(&[], 3)),
        SearchRequest::default().agg("a", crosstab(value_row("message", "x"), ranges(&[]))),
        SearchRequest::default().agg(
            "a",
            crosstab(CrosstabRow::Range { field: "labels.tier".to_owned(), gte: None, lt: None }, ranges(&[])),
        ),
        SearchRequest::default().agg("a", crosstab(tier(), ranges(&[(Some(3.0), Some(1.0))]))),
        SearchRequest::default().agg("a", crosstab(tier(), ranges(&[(Some(f64::NAN), None)]))),
        SearchRequest::default().agg("a", crosstab(tier(), ranges(&[(None, Some(2.0)), (Some(1.0), None)]))),
        SearchRequest::default().agg("a", crosstab(tier(), ranges(&[(None, None), (Some(1.0), None)]))),
        SearchRequest::default().agg("a", crosstab(tier(), CrosstabColumns::Filters(vec![Filter::All; 64]))),
        SearchRequest { hits: Some(HitsRequest { size: 1, sort: keyword_sort }), ..SearchRequest::default() },
    ] {
        let answer = search(&[], &request);
        assert!(matches!(answer, Err(SearchError::Invalid(_))), "{answer:?}");
    }
}

#[test]
fn limits_stop_a_search() {
    let partitions = partitions(&six(), 2);
    let aggs = Aggregations::new().with("depth", AggregationKind::percentiles(fields::TIMESTAMP, &[50.0]).leaf());
    let terms = AggregationKind::terms(fields::HTTP_RESPONSE_STATUS_CODE, 3).with(aggs);
    let request = SearchRequest::default().agg("terms", terms);
    let options = SearchOptions::default();
    for (options, reason) in [
        (SearchOptions { deadline: Duration::ZERO, ..options }, "0ns"),
        (SearchOptions { buckets_max: 5, ..options }, "5 buckets"),
        (SearchOptions { memory_max: 1 << 12, ..options }, "memory"),
    ] {
        match execute(&partitions, &request, options) {
            Err(SearchError::Stopped(message)) => assert!(message.contains(reason), "{message}"),
            other => panic!("{reason}: {other:?}"),
        }
    }
    assert!(execute(&partitions, &request, SearchOptions { buckets_max: 6, ..options }).is_ok());
}
