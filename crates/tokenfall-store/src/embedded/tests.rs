use std::collections::HashSet;
use std::sync::mpsc;

use tantivy::collector::DocSetCollector;
use tantivy::query::{AllQuery, TermQuery};
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{TantivyDocument, Term};
use tempfile::TempDir;
use tokenfall_model::document::LabelValue;
use tokenfall_model::{ServiceName, fields};

use super::partition::{Partition, PartitionKey, Slice, StreamKind};
use super::writer::Writer;
use super::*;

mod older;

const DEADLINE: Duration = Duration::from_secs(20);

fn options() -> Options {
    Options { min_free_bytes: 0, ..Options::default() }
}

fn document(kind: EventKind, time: Timestamp, service: &str) -> Document {
    Document::new(time, kind, ServiceName::new(service))
}

fn span(service: &str) -> Document {
    document(EventKind::Span, now(), service)
}

/// Appends and waits until the batch is durable.
fn append(store: &EmbeddedStore, batch: Vec<Document>) -> Result<(), AppendError> {
    let (sender, receiver) = mpsc::channel();
    store.append(batch, Box::new(move |result| sender.send(result).unwrap()));
    receiver.recv_timeout(DEADLINE).expect("the callback is called")
}

fn visible(store: &EmbeddedStore) -> u64 {
    store.snapshot(None, &[]).partitions.iter().map(|p| p.searcher.num_docs()).sum()
}

fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is() {
        assert!(begin.elapsed() < DEADLINE, "{what}");
        thread::yield_now();
    }
}

/// All visible documents, with their sequences.
fn documents(store: &EmbeddedStore) -> Vec<(u64, Document)> {
    let mut found = Vec::new();
    for partition in store.snapshot(None, &[]).partitions {
        for address in partition.searcher.search(&AllQuery, &DocSetCollector).unwrap() {
            let entry: TantivyDocument = partition.searcher.doc(address).unwrap();
            let source =
                entry.get_first(partition.schema.source).and_then(|v| v.as_bytes().map(<[u8]>::to_vec)).unwrap();
            let columns = partition.searcher.segment_reader(address.segment_ord).fast_fields();
            let sequence = columns.u64(schema::SEQUENCE).unwrap().first(address.doc_id).unwrap();
            found.push((sequence, Document::from_json(&source).unwrap()));
        }
    }
    found.sort_by_key(|(sequence, _)| *sequence);
    found
}

#[test]
fn what_is_appended_becomes_visible_and_stays() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    let batch: Vec<_> = EventKind::ALL.into_iter().map(|kind| document(kind, now(), "shop")).collect();
    append(&store, batch.clone()).unwrap();
    let expected = EventCounts { transaction: 1, span: 1, error: 1, metricset: 1, log: 1 };
    assert_eq!(store.stats().events, expected);
    wait_until("all kinds are visible", || visible(&store) == 5);
    let searchers = store.snapshot(None, &[EventKind::Span, EventKind::Metricset]).partitions;
    assert_eq!(searchers.iter().map(|p| p.key.stream).collect::<Vec<_>>(), [StreamKind::Traces, StreamKind::Metrics]);
    assert!(store.stats().disk_bytes > 0);
    store.close();
    assert!(matches!(append(&store, batch.clone()), Err(AppendError::Closing)));
    drop(store);

    assert_eq!(stats_of_closed(dir.path()).unwrap().events, expected);
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    assert_eq!(store.stats().events, expected);
    let found = documents(&store);
    // The text form of the time has milliseconds.
    assert_eq!(found.iter().map(|(_, d)| d.kind()).collect::<Vec<_>>(), EventKind::ALL);
    assert_eq!(found.iter().map(|(sequence, _)| *sequence).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[test]
fn crashes_lose_nothing_and_double_nothing() {
    let dir = TempDir::new().unwrap();
    let mut acknowledged = 0;
    // A cheap generator is enough to vary where the crash falls.
    let mut random = 0x9e37_79b9_u64;
    for round in 0..24_u64 {
        let store = EmbeddedStore::open(
            dir.path(),
            Options { commit_interval: Duration::from_millis(20), segment_bytes_max: 20_000, ..options() },
        )
        .unwrap();
        assert_eq!(store.stats().events.span, acknowledged, "round {round}");
        let unread: Vec<_> = store.shared.partitions.all().iter().filter_map(|p| p.searcher(0).err()).collect();
        assert_eq!(visible(&store), acknowledged, "round {round}: {:?} {unread:?}", store.degraded());
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for i in 0..(random >> 33) % 40 {
            // Spread over days, so that several partitions are open and their commits differ.
            let time = now().saturating_add(-((i % 4) as i64) * 86_400_000_000);
            append(&store, (0..=i % 5).map(|_| document(EventKind::Span, time, "shop")).collect()).unwrap();
            acknowledged += i % 5 + 1;
        }
        if random >> 63 == 0 {
            let at_least = acknowledged / 2;
            wait_until("half is visible", || visible(&store) >= at_least);
        }
        if round % 6 == 5 {
            store.close();
        } else {
            store.crash();
        }
        drop(store);
        assert_eq!(stats_of_closed(dir.path()).unwrap().events.span, acknowledged, "round {round}");
    }
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    let sequences: Vec<u64> = documents(&store).into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(sequences.len() as u64, acknowledged);
    assert_eq!(sequences.iter().collect::<HashSet<_>>().len() as u64, acknowledged, "no sequence twice");
}

#[test]
fn a_deleted_log_does_not_hide_later_documents() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    append(&store, vec![span("a"), span("b")]).unwrap();
    drop(store);
    std::fs::remove_dir_all(dir.path().join("wal")).unwrap();
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    append(&store, vec![span("c")]).unwrap();
    wait_until("the new document is visible", || visible(&store) == 3);
}

#[test]
fn late_and_absurd_times_share_few_partitions() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    let day = 86_400_000_000_i64;
    let now_us = now().as_micros();
    let times = [0, -day, -399 * day, day, -now_us, i64::MIN / 2, -500 * day, 500 * day, i64::MAX / 2, 3 * day];
    let batch = times.iter().map(|d| document(EventKind::Span, now().saturating_add(*d), "shop")).collect();
    append(&store, batch).unwrap();
    wait_until("all are visible", || visible(&store) == 10);
    let keys: Vec<String> = store.snapshot(None, &[]).partitions.iter().map(|p| p.key.to_string()).collect();
    assert_eq!(keys.len(), 6, "{keys:?}");
    assert_eq!((keys[0].as_str(), keys[5].as_str()), ("traces-earlier", "traces-later"));

    let yesterday = now().saturating_add(-day);
    let range = TimeRange { from: yesterday.saturating_add(-60_000_000), to: yesterday.saturating_add(60_000_000) };
    let searchers = store.snapshot(Some(range), &[]).partitions;
    assert_eq!(searchers.iter().map(|p| p.searcher.num_docs()).collect::<Vec<_>>(), [1]);
    assert!(searchers[0].first_us >= range.from.as_micros() && searchers[0].last_us < range.to.as_micros());
}

#[test]
fn keys_are_names_of_folders() {
    let now = Timestamp::parse_rfc3339("2026-11-22T10:00:00Z").unwrap();
    let check = |time: &str, expect: &str| {
        let slice = Slice::of(Timestamp::parse_rfc3339(time).unwrap(), now);
        let key = PartitionKey { stream: StreamKind::Logs, slice };
        assert_eq!(key.to_string(), expect);
        assert_eq!(PartitionKey::parse(expect), Some(key));
    };
    check("2026-11-22T23:59:59.999Z", "logs-2026-11-22");
    check("2026-11-24T00:00:00Z", "logs-2026-11-24");
    check("2026-11-25T00:00:00Z", "logs-later");
    check("2024-01-01T00:00:00Z", "logs-earlier");
    check("2026-03-01T00:00:00Z", "logs-2026-03-01");
    for name in ["", "logs", "lost+found", "spans-2026-11-22", "logs-2026-13-01", "logs-x"] {
        assert_eq!(PartitionKey::parse(name), None, "{name}");
    }
}

#[test]
fn any_label_is_indexed_under_its_own_name() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    let names = ["plain", "dotted.name", "back\\slash", "größe ✓", "nul\0sep\u{1}"];
    let mut labelled = span("shop");
    for name in names {
        labelled.labels.insert(name.to_owned(), LabelValue::One(format!("value of {name}")));
        labelled.numeric_labels.insert(name.to_owned(), 1.5);
    }
    let long = "x".repeat(2_000_000);
    labelled.labels.insert("long".to_owned(), LabelValue::One(format!("{long}é")));
    labelled.labels.insert(long.clone(), LabelValue::One("v".to_owned()));
    labelled
        .labels
        .insert("many".to_owned(), LabelValue::Many(vec!["a".to_owned(), "2020-01-01T00:00:00Z".to_owned()]));
    labelled.url = Some(Box::default());
    labelled.url.as_mut().unwrap().path = Some("ü".repeat(100_000));
    append(&store, vec![labelled.clone(), span("other")]).unwrap();
    wait_until("both are visible", || visible(&store) == 2);

    let partition = store.snapshot(None, &[]).partitions.remove(0);
    for name in names {
        let indexed = schema::indexed_name(name).unwrap();
        let column = partition.searcher.segment_reader(0).fast_fields();
        let strings = column.str(&schema::column_name(schema::LABELS, name).unwrap()).unwrap();
        assert!(strings.is_some_and(|c| c.num_terms() == 1), "{name:?}");
        let numbers = column.column_opt::<f64>(&schema::column_name(schema::NUMERIC_LABELS, name).unwrap()).unwrap();
        assert!(numbers.is_some_and(|c| (c.max_value() - 1.5).abs() < 1e-9), "{name:?}");
        let path = indexed.replace('\\', "\\\\").replace('.', "\\.");
        let mut term = Term::from_field_json_path(partition.schema.labels, &path, false);
        term.append_type_and_str(&format!("value of {name}"));
        let query = TermQuery::new(term, IndexRecordOption::Basic);
        assert_eq!(partition.searcher.search(&query, &DocSetCollector).unwrap().len(), 1, "{name:?}");
    }
    let mut term = Term::from_field_json_path(partition.schema.labels, "many", false);
    term.append_type_and_str("2020-01-01T00:00:00Z");
    let query = TermQuery::new(term, IndexRecordOption::Basic);
    assert_eq!(partition.searcher.search(&query, &DocSetCollector).unwrap().len(), 1);

    let (index, _) = fields::find("url.path").unwrap();
    let path = "ü".repeat(100_000);
    let cut = schema::indexed_keyword(&path);
    assert!(cut.len() < 10_000);
    let term = Term::from_field_text(partition.schema.field(index).unwrap(), cut);
    let query = TermQuery::new(term, IndexRecordOption::Basic);
    assert_eq!(partition.searcher.search(&query, &DocSetCollector).unwrap().len(), 1);
    let found = documents(&store).remove(0).1;
    assert_eq!((found.labels, found.url), (labelled.labels, labelled.url), "the source is whole");
}

#[test]
fn only_one_process_has_the_directory() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    for error in [EmbeddedStore::open(dir.path(), options()).err(), stats_of_closed(dir.path()).err()] {
        assert!(error.unwrap().to_string().contains("in use by another process"));
    }
    drop(store);
    assert!(stats_of_closed(dir.path()).is_ok());
}

#[test]
fn foreign_directories_are_left_alone() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("thesis.txt"), "precious").unwrap();
    let error = EmbeddedStore::open(dir.path(), options()).err().unwrap().to_string();
    assert!(error.contains("thesis.txt"), "{error}");

    let dir = TempDir::new().unwrap();
    drop(EmbeddedStore::open(dir.path(), options()).unwrap());
    std::fs::write(dir.path().join("format"), "tokenfall 99\n").unwrap();
    let error = EmbeddedStore::open(dir.path(), options()).err().unwrap().to_string();
    assert!(error.contains("tokenfall 99"), "{error}");
    assert!(stats_of_closed(&dir.path().join("nowhere")).is_err());
}

#[test]
fn a_full_disk_refuses_documents_and_answers_questions() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    append(&store, vec![span("shop")]).unwrap();
    drop(store);
    let store = EmbeddedStore::open(dir.path(), Options { min_free_bytes: u64::MAX, ..options() }).unwrap();
    assert!(matches!(append(&store, vec![span("shop")]), Err(AppendError::DiskFull)));
    assert_eq!((visible(&store), store.stats().events.span), (1, 1));
}

#[test]
fn old_partitions_are_removed() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    let old = now().saturating_add(-20 * 86_400_000_000);
    append(&store, vec![document(EventKind::Span, old, "shop"), document(EventKind::Log, now(), "shop")]).unwrap();
    wait_until("both are visible", || visible(&store) == 2);
    let searcher = store.snapshot(None, &[EventKind::Span]).partitions;
    drop(store);
    let retention = Some(Duration::from_secs(7 * 86_400));
    let store = EmbeddedStore::open(dir.path(), Options { retention, ..options() }).unwrap();
    assert_eq!(store.stats().events, EventCounts { log: 1, ..EventCounts::default() });
    assert_eq!(visible(&store), 1);
    assert_eq!(std::fs::read_dir(dir.path().join("partitions")).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(dir.path().join("removed")).unwrap().count(), 0);
    assert_eq!(searcher[0].searcher.num_docs(), 1, "who is still reading keeps the files");
    drop(store);
    assert_eq!(stats_of_closed(dir.path()).unwrap().events.total(), 1, "nothing comes back from the log");
}

#[test]
fn too_much_at_once_is_refused() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path(), Options { queue_bytes_max: 2_000, ..options() }).unwrap();
    let (sender, receiver) = mpsc::channel();
    for _ in 0..200 {
        let sender = sender.clone();
        store.append(vec![span("shop"); 4], Box::new(move |result| sender.send(result).unwrap()));
    }
    let results: Vec<_> = receiver.iter().take(200).collect();
    let stored = results.iter().filter(|r| r.is_ok()).count() as u64 * 4;
    assert!(results.iter().any(|r| matches!(r, Err(AppendError::QueueFull))));
    assert!(stored > 0);
    assert_eq!(store.stats().events.span, stored);
    wait_until("what was accepted is visible", || visible(&store) == stored);
    // Room comes back.
    append(&store, vec![span("shop")]).unwrap();
}

#[test]
fn a_partition_that_cannot_be_written_catches_up() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    append(&store, vec![document(EventKind::Log, now(), "shop")]).unwrap();
    wait_until("the log is visible", || visible(&store) == 1);
    // A file stands where the folder of the new partition belongs.
    let key = PartitionKey { stream: StreamKind::Traces, slice: Slice::of(now(), now()) };
    let path = dir.path().join("partitions").join(key.to_string());
    std::fs::write(&path, "in the way").unwrap();
    append(&store, vec![span("shop"), span("shop")]).unwrap();
    wait_until("the store says so", || store.degraded().is_some());
    append(&store, vec![document(EventKind::Log, now(), "shop"), span("shop")]).unwrap();
    wait_until("other partitions go on", || visible(&store) == 2);
    assert_eq!(store.stats().events.total(), 5);
    std::fs::remove_file(&path).unwrap();
    wait_until("it catches up", || visible(&store) == 5);
    wait_until("the store is well again", || store.degraded().is_none());

    // The same while its writer is open: the folder is away for a while.
    let away = dir.path().join("away");
    std::fs::rename(&path, &away).unwrap();
    append(&store, vec![span("shop")]).unwrap();
    wait_until("the store says so again", || store.degraded().is_some());
    append(&store, vec![span("shop"), document(EventKind::Log, now(), "shop")]).unwrap();
    std::fs::rename(&away, &path).unwrap();
    wait_until("it catches up again", || visible(&store) == 8);
    wait_until("the store is well once more", || store.degraded().is_none());
    drop(store);
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    assert_eq!((visible(&store), store.stats().events.total()), (8, 8));
}

#[test]
fn a_past_day_becomes_one_segment() {
    let dir = TempDir::new().unwrap();
    let key = PartitionKey { stream: StreamKind::Traces, slice: Slice::of(now(), now()) };
    let partition = Arc::new(Partition::open_or_create(dir.path(), key).unwrap());
    let mut writer = Writer::open(Arc::clone(&partition)).unwrap();
    for sequence in 0..5 {
        let mut payload = Vec::new();
        payload::encode(&span("shop"), now(), &mut payload);
        let record = tokenfall_wal::Record { first_sequence: sequence, count: 1, payload: &payload };
        let event = payload::decode(record).next().unwrap().unwrap();
        assert!(writer.add(&event, None).unwrap());
        assert!(!writer.add(&event, None).unwrap(), "the same event is not added twice");
        writer.commit().unwrap();
    }
    let before = partition.summary();
    assert_eq!((before.events.span, before.next_sequence, partition.n_segments()), (5, 5, 5));
    wait_until("one segment is left", || writer.seal().unwrap());
    assert_eq!((partition.summary(), partition.n_segments()), (before, 1));
    assert_eq!(partition.searcher(1).unwrap().searcher.num_docs(), 5);
    drop((writer, partition));
    assert_eq!(Partition::open_or_create(dir.path(), key).unwrap().summary(), before);
}

/// Twenty partitions and room for twelve writers: taking turns event by event, each event once closed a writer.
#[test]
fn mixed_days_do_not_open_a_writer_for_each_event() {
    let dir = TempDir::new().unwrap();
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    let day = |i: i64| now().saturating_add(-(i % 20) * 86_400_000_000);
    append(&store, (0..2_000).map(|i| document(EventKind::Span, day(i), "shop")).collect()).unwrap();
    wait_until("all are visible", || visible(&store) == 2_000);
    let partitions = store.snapshot(None, &[]).partitions;
    assert_eq!(partitions.len(), 20);
    // One commit each, and a second one where the first fell between.
    assert!(partitions.iter().all(|p| p.searcher.segment_readers().len() <= 2));
    append(&store, (0..2_000).map(|i| document(EventKind::Span, day(i), "shop")).collect()).unwrap();
    store.crash();
    drop(store);
    let store = EmbeddedStore::open(dir.path(), options()).unwrap();
    assert_eq!((visible(&store), store.stats().events.span), (4_000, 4_000));
}
