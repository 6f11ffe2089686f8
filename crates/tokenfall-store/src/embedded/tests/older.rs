//! Partitions that were written before a field was added.

use tantivy::Index;
use tantivy::schema::Schema;
use tokenfall_query::{AggregationKind, CrosstabColumns, CrosstabRow, Filter, SearchRequest, Sort};

use super::*;
use crate::{FieldName, Search as _};

/// The schema of a version that did not know some fields.
fn older_schema() -> Schema {
    let mut json = serde_json::to_value(schema::DocumentSchema::build()).unwrap();
    let fields = json.as_array_mut().unwrap();
    let before = fields.len();
    fields.retain(|field| {
        let name = field["name"].as_str().unwrap();
        !name.starts_with("tokenfall.llm.") && !["tokenfall.model", "tokenfall.question"].contains(&name)
    });
    assert!(fields.len() < before - 2);
    serde_json::from_value(json).unwrap()
}

fn asked(time: Timestamp, model: &str) -> Document {
    let mut document = document(EventKind::Span, time, "shop");
    let json = format!(
        r#"{{ "model": "{model}", "llm": {{ "generations": 3, "failed_generations": 0, "unpriced_generations": 1 }} }}"#
    );
    document.tokenfall = Some(serde_json::from_str(&json).unwrap());
    document
}

#[test]
fn partitions_without_a_newer_field_are_read_and_written() {
    let dir = TempDir::new().unwrap();
    drop(EmbeddedStore::open(dir.path(), options()).unwrap());
    let key = PartitionKey { stream: StreamKind::Traces, slice: Slice::of(now(), now()) };
    let path = dir.path().join("partitions").join(key.to_string());
    std::fs::create_dir(&path).unwrap();
    drop(Index::builder().schema(older_schema()).create_in_dir(&path).unwrap());

    // Documents of today come into the old partition, those of yesterday into a new one.
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    let day_before = now().saturating_add(-86_400_000_000);
    let batch = vec![asked(now(), "gpt"), asked(day_before, "gpt")];
    append(&store, batch.clone()).unwrap();
    wait_until("both are visible", || visible(&store) == 2);
    drop(store);

    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    let time = TimeRange { from: day_before, to: now().saturating_add(1) };
    let ask = |filter: Filter| {
        let columns = CrosstabColumns::Filters(vec![Filter::All]);
        let row = CrosstabRow::Value { field: fields::MODEL.name.to_owned(), value: "gpt".into() };
        let names = vec![fields::MODEL.name.to_owned(), fields::LLM_GENERATIONS.name.to_owned()];
        let request = SearchRequest::of(EventKind::Span, time)
            .filter(filter)
            .agg("models", AggregationKind::terms(fields::MODEL, 10).leaf())
            .agg("generations", AggregationKind::sum(fields::LLM_GENERATIONS).leaf())
            .agg("table", AggregationKind::Crosstab { rows: vec![row], columns }.leaf())
            .agg("points", AggregationKind::Points { fields: names, size: 10 }.leaf())
            .hits(10, vec![Sort::descending(fields::TIMESTAMP)]);
        store.search(&request).unwrap()
    };
    let all = ask(Filter::All);
    assert!(all.complete);
    assert_eq!((all.total, all.hits.len()), (2, 2), "the old partition is searched");
    assert_eq!(all.hits[0].tokenfall, batch[0].tokenfall, "its documents are whole");
    assert_eq!(
        all.aggs.buckets("models").iter().map(|b| b.doc_count).collect::<Vec<_>>(),
        [1],
        "only the new has values"
    );
    assert_eq!(all.aggs.value("generations"), Some(3.0));
    let table = all.aggs.table("table").unwrap();
    assert_eq!((&table.all, &table.rows), (&vec![2], &vec![vec![1]]));
    let points = all.aggs.points("points").unwrap();
    assert_eq!((points.len(), points.numbers(1).iter().flatten().count()), (2, 1));
    assert_eq!(ask(Filter::term(fields::MODEL, "gpt")).total, 1);
    assert_eq!(ask(Filter::exists(fields::LLM_GENERATIONS).negate()).total, 1);
    assert!(
        store
            .field_names(EventKind::Span, time)
            .unwrap()
            .iter()
            .any(|FieldName { name, .. }| name == "tokenfall.model")
    );
}
