//! Tables, points, terms of fields with many values and names of fields, by hand.

use tokenfall_model::document::LabelValue;
use tokenfall_model::fields::FieldKind;
use tokenfall_query::{Aggregation, PointColumn, Table, TermsOrder};

use super::*;

pub(super) fn value_row(field: &str, value: impl Into<tokenfall_query::Value>) -> CrosstabRow {
    CrosstabRow::Value { field: field.to_owned(), value: value.into() }
}

pub(super) fn tier() -> CrosstabRow {
    value_row("labels.tier", "gold")
}

/// Ranges of the number of a document of [`six`].
pub(super) fn ranges(ranges: &[(Option<f64>, Option<f64>)]) -> CrosstabColumns {
    CrosstabColumns::Ranges { field: "http.response.status_code".to_owned(), ranges: ranges.to_vec() }
}

pub(super) fn crosstab(row: CrosstabRow, columns: CrosstabColumns) -> Aggregation {
    AggregationKind::Crosstab { rows: vec![row], columns }.leaf()
}

pub(super) fn points(fields: &[&str], size: usize) -> Aggregation {
    AggregationKind::Points { fields: fields.iter().map(|field| (*field).to_owned()).collect(), size }.leaf()
}

fn ask(partitions: &[PartitionSearcher], aggregation: Aggregation) -> SearchResponse {
    search(partitions, &SearchRequest::default().agg("a", aggregation)).unwrap()
}

#[test]
fn a_table_counts_documents_by_row_and_column() {
    let rows = vec![
        tier(),
        value_row("labels.tier", "silver"),
        value_row("labels.tier", "copper"),
        tier(),
        value_row("transaction.sampled", "true"),
        value_row("http.response.status_code", 3_i64),
        value_row("numeric_labels.queue.depth", "-2.5"),
        CrosstabRow::Range { field: "numeric_labels.queue.depth".to_owned(), gte: Some(0.0), lt: Some(7.0) },
        CrosstabRow::Range { field: "numeric_labels.queue.depth".to_owned(), gte: None, lt: None },
        value_row("labels.nowhere", "gold"),
    ];
    let numbers = |counts: [[u64; 3]; 10]| counts.map(|row| row.to_vec()).to_vec();
    for chunk in [1, 2, 6] {
        // The range from 3 to 4 is a gap.
        let columns = ranges(&[(None, Some(1.0)), (Some(1.0), Some(3.0)), (Some(4.0), None)]);
        let partitions = partitions(&six(), chunk);
        let response = ask(&partitions, AggregationKind::Crosstab { rows: rows.clone(), columns }.leaf());
        let by_number = numbers([
            [1, 1, 0],
            [0, 1, 0],
            [0, 0, 0],
            [1, 1, 0],
            [1, 0, 0],
            [0, 0, 0],
            [0, 0, 1],
            [0, 0, 1],
            [0, 0, 2],
            [0, 0, 0],
        ]);
        assert_eq!(response.aggs.table("a"), Some(&Table { all: vec![1, 2, 2], rows: by_number }), "{chunk}");

        let columns = CrosstabColumns::Filters(vec![Filter::All, exists("labels.tier"), exists("host.ip")]);
        let response = ask(&partitions, AggregationKind::Crosstab { rows: rows.clone(), columns }.leaf());
        let by_filter = numbers([
            [2, 2, 0],
            [1, 1, 0],
            [0, 0, 0],
            [2, 2, 0],
            [1, 1, 0],
            [1, 0, 0],
            [1, 0, 0],
            [1, 0, 1],
            [3, 0, 1],
            [0, 0, 0],
        ]);
        assert_eq!(response.aggs.table("a"), Some(&Table { all: vec![6, 2, 1], rows: by_filter }), "{chunk}");
    }
}

#[test]
fn a_sample_does_not_depend_on_segments() {
    let documents = labelled(500);
    let sample = |chunk| {
        let partitions = partitions(&documents, chunk);
        let response = ask(&partitions, points(&["@timestamp", "labels.user", "labels.parity"], 40));
        response.aggs.points("a").unwrap().clone()
    };
    let whole = sample(500);
    assert_eq!((whole.matching, whole.len()), (500, 40));
    for chunk in [7, 100, 333] {
        assert_eq!(sample(chunk), whole, "{chunk}");
    }
    for index in 0..whole.len() {
        let number = whole.numbers(0)[index].unwrap() as i64 - MIDNIGHT_US;
        assert_eq!(whole.text(1, index), Some(format!("user-{number:04}").as_str()));
        assert_eq!(whole.text(2, index), Some(if number % 2 == 0 { "even" } else { "odd" }));
    }
    let PointColumn::Texts { dictionary, .. } = &whole.columns[2] else { panic!("a label is a text") };
    assert_eq!(dictionary.len(), 2);
}

/// Documents with a user each, and a label of two values.
fn labelled(count: i64) -> Vec<Document> {
    let document = |number: i64| {
        let time = Timestamp::from_micros(MIDNIGHT_US + number);
        let mut document = Document::new(time, EventKind::Transaction, ServiceName::new("shop"));
        let parity = if number % 2 == 0 { "even" } else { "odd" };
        document.labels.insert("user".to_owned(), LabelValue::One(format!("user-{number:04}")));
        document.labels.insert("parity".to_owned(), LabelValue::One(parity.to_owned()));
        document
    };
    (0..count).map(document).collect()
}

#[test]
fn terms_of_very_many_values_stay_within_the_limits() {
    // Three documents of one user in each segment, and one of each other user.
    let mut documents = labelled(400);
    for document in documents.iter_mut().filter(|document| document.time().as_micros() % 40 < 3) {
        document.labels.insert("user".to_owned(), LabelValue::One("often".to_owned()));
    }
    let partitions = partitions(&documents, 100);
    let options = SearchOptions { buckets_max: 30, ..SearchOptions::default() };
    let terms = |order: TermsOrder, segment_size| AggregationKind::Terms {
        field: "labels.user".to_owned(),
        size: 2,
        order,
        missing: None,
        segment_size,
    };
    let inside = || Aggregations::new().with("time", AggregationKind::max(fields::TIMESTAMP).leaf());
    let by_time = || TermsOrder::MetricDescending("time".to_owned());
    let leaf = |segment_size| terms(TermsOrder::CountDescending, segment_size).leaf();
    let heads = |aggregation: Aggregation| {
        let request = SearchRequest::default().agg("a", aggregation);
        let response = execute(&partitions, &request, options).map_err(|error| error.to_string())?;
        let buckets = response.aggs.buckets("a").iter();
        Ok::<_, String>(buckets.map(|b| (b.key.as_str().unwrap().to_owned(), b.doc_count)).collect::<Vec<_>>())
    };
    let named = |buckets: [(&str, u64); 2]| Ok(buckets.map(|(key, count)| (key.to_owned(), count)).to_vec());
    let often = documents.iter().filter(|d| d.labels["user"] == LabelValue::One("often".to_owned())).count() as u64;
    assert!(heads(leaf(None)).unwrap_err().contains("30 buckets"));
    assert_eq!(heads(leaf(Some(5))), named([("often", often), ("user-0003", 1)]));
    assert_eq!(heads(AggregationKind::frequent_terms("labels.user", 2, 5).leaf()), heads(leaf(Some(5))));
    assert_eq!(heads(terms(TermsOrder::CountDescending, Some(5)).with(inside())), heads(leaf(Some(5))));
    let first = named([("often", often), ("user-0003", 1)]);
    assert_eq!(heads(terms(TermsOrder::KeyAscending, Some(2)).leaf()), first);
    assert!(heads(terms(by_time(), None).with(inside())).unwrap_err().contains("30 buckets"));
    let last = named([("user-0399", 1), ("user-0398", 1)]);
    assert_eq!(heads(terms(by_time(), Some(2)).with(inside())), last);
}

#[test]
fn the_bucket_of_documents_without_the_field_is_never_cut() {
    let mut documents = labelled(50);
    documents[49].labels.clear();
    let partitions = partitions(&documents, 50);
    let kind = AggregationKind::Terms {
        field: "labels.user".to_owned(),
        size: 50,
        order: TermsOrder::KeyAscending,
        missing: Some("(none)".to_owned()),
        segment_size: Some(3),
    };
    for aggs in [Aggregations::new(), Aggregations::new().with("t", AggregationKind::max(fields::TIMESTAMP).leaf())] {
        let response = ask(&partitions, kind.clone().with(aggs));
        let keys: Vec<_> = response.aggs.buckets("a").iter().filter_map(|bucket| bucket.key.as_str()).collect();
        assert_eq!(keys, ["(none)", "user-0000", "user-0001", "user-0002"]);
    }
}

#[test]
fn limits_stop_tables_and_points() {
    let partitions = partitions(&labelled(100), 50);
    let row = || value_row("labels.parity", "odd");
    let minutes: Vec<_> = (0..40).map(|n| (Some(f64::from(n)), Some(f64::from(n + 1)))).collect();
    let columns = || CrosstabColumns::Ranges { field: "@timestamp".to_owned(), ranges: minutes.clone() };
    let table = AggregationKind::Crosstab { rows: vec![row(); 20], columns: columns() };
    let users = |inside: Aggregation| {
        AggregationKind::Terms {
            field: "labels.user".to_owned(),
            size: 1,
            order: TermsOrder::default(),
            missing: None,
            segment_size: None,
        }
        .with(Aggregations::new().with("inside", inside))
    };
    let options = SearchOptions { buckets_max: 3_000, memory_max: 1 << 20, ..SearchOptions::default() };
    let stopped =
        |aggregation: Aggregation| match execute(&partitions, &SearchRequest::default().agg("a", aggregation), options)
        {
            Ok(_) => None,
            Err(SearchError::Stopped(message)) => Some(message),
            Err(error) => panic!("{error}"),
        };
    assert_eq!(stopped(table.clone().leaf()), None);
    assert!(stopped(users(table.leaf())).is_some_and(|message| message.contains("buckets")));
    assert_eq!(stopped(points(&["labels.user"], 100)), None);
    let many = ["labels.user"; 500];
    assert!(stopped(points(&many, 100)).is_some_and(|message| message.contains("memory")));
}

#[test]
fn names_of_fields_are_those_that_have_values() {
    let mut documents = six();
    documents[5].processor.event = EventKind::Error;
    let (store, _folder) = reopened(&documents, 2);
    let names = |kind, from, to| {
        let at = |us| Timestamp::from_micros(MIDNIGHT_US + us);
        let names = store.field_names(kind, TimeRange { from: at(from), to: at(to) }).unwrap();
        assert!(names.is_sorted_by(|a, b| a.name < b.name));
        names.into_iter().map(|field| (field.name, field.kind)).collect::<Vec<_>>()
    };
    let expect = [
        ("data_stream.dataset", FieldKind::Keyword),
        ("http.response.status_code", FieldKind::Long),
        ("labels.a.b c", FieldKind::Keyword),
        ("labels.tier", FieldKind::Keyword),
        ("numeric_labels.queue.depth", FieldKind::Double),
        ("processor.event", FieldKind::Keyword),
        ("service.name", FieldKind::Keyword),
        ("transaction.name", FieldKind::Keyword),
        ("transaction.sampled", FieldKind::Bool),
    ];
    let expect = expect.map(|(name, kind)| (name.to_owned(), kind));
    // The second answer comes from memory.
    for _ in 0..2 {
        assert_eq!(names(EventKind::Transaction, 0, 10), expect);
        let of_error = names(EventKind::Error, 0, 10);
        assert!(of_error.contains(&("host.ip".to_owned(), FieldKind::Keyword)), "{of_error:?}");
        assert!(!of_error.iter().any(|(name, _)| name == "labels.tier"), "{of_error:?}");
    }
    assert_eq!(names(EventKind::Transaction, -100, -50), []);
    assert_eq!(names(EventKind::Metricset, 0, 10), []);
}
