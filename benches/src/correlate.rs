//! What it costs to look for values of fields that go along with slowness: straight at the embedded store, in this process.
//!
//! A million transactions with 40 labels of mixed cardinalities; two labels go along with long durations. Asked is what the
//! analysis asks: the most frequent values of all fields, then a table of these values by ranges of the duration; and a sample of
//! points for a scatter plot. Beside it stands the same table for one field as terms with ranges inside.

use std::sync::mpsc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use tokenfall_model::document::{DurationUs, LabelValue, Transaction};
use tokenfall_model::time::Micros;
use tokenfall_model::{Document, EventKind, ServiceName, Timestamp, fields};
use tokenfall_query::{
    AggregationKind, Aggregations, CrosstabColumns, CrosstabRow, SearchRequest, SearchResponse, TimeRange,
};
use tokenfall_store::embedded::{EmbeddedStore, Options};
use tokenfall_store::{Search as _, Store as _};

use crate::payload::scramble;
use crate::server::cpu_seconds;

/// Distinct values of the labels, again and again.
const CARDINALITIES: [u64; 10] = [2, 3, 5, 10, 30, 100, 500, 2_000, 20_000, 100_000];
/// Labels of each transaction; one in ten is missing on every second transaction, and one in ten has two values.
const FIELDS: u64 = 40;
/// Values of each field that are looked at.
const VALUES: usize = 20;
/// Values that each segment keeps of a field.
const SEGMENT_VALUES: usize = 200;
/// Ranges of the duration.
const RANGES: u32 = 50;
/// Documents of a batch.
const BATCH: u64 = 2_000;
const RUNS: usize = 7;

/// Builds a store and prints what each question costs.
pub(crate) fn run(transactions: u64) -> Result<()> {
    let Filled { store, time, .. } = filled(transactions)?;
    let all = || SearchRequest::of(EventKind::Transaction, time);

    let candidates = (0..FIELDS).fold(all(), |request, field| {
        let kind = AggregationKind::frequent_terms(label(field), VALUES, SEGMENT_VALUES);
        request.agg(&label(field), kind.leaf())
    });
    let table = table(&all, &store.search(&candidates)?);
    let points = AggregationKind::Points {
        fields: vec![fields::TRANSACTION_DURATION_US.name.to_owned(), label(3), label(7)],
        size: 50_000,
    };
    let points = all().agg("points", points.leaf());
    let by_range = AggregationKind::Range { field: fields::TRANSACTION_DURATION_US.name.to_owned(), ranges: ranges() };
    let nested = AggregationKind::frequent_terms(label(4), VALUES, SEGMENT_VALUES);
    let nested = all().agg("nested", nested.with(Aggregations::new().with("ranges", by_range.leaf())));
    let names = || store.field_names(EventKind::Transaction, time);

    println!("  question                                            median ms     max ms   CPU ms a run");
    let ask = |request: &SearchRequest| store.search(request).map(drop);
    let a = measure("candidates of all fields", || Ok(ask(&candidates)?))?;
    let b = measure("table of all fields, 20 values, 50 ranges", || Ok(ask(&table)?))?;
    let both = measure("both", || Ok(ask(&candidates).and_then(|()| ask(&table))?))?;
    measure("50,000 points of three fields", || Ok(ask(&points)?))?;
    measure("names of fields", || Ok(names().map(drop)?))?;
    let one = measure("terms of one field with ranges inside", || Ok(ask(&nested)?))?;
    measure("matching transactions only", || Ok(ask(&all())?))?;
    println!("  one after the other: {:.0} ms of CPU, both at once {both:.0} ms", a + b);
    println!("  terms with ranges inside, {FIELDS} times: {:.1} times as much CPU", one * FIELDS as f64 / both);
    let found = store.search(&table)?;
    let table = found.aggs.table("table").context("no table")?;
    ensure!(table.all.iter().sum::<u64>() == transactions, "the ranges cover all durations");
    Ok(())
}

/// A store with transactions.
pub(crate) struct Filled {
    /// Store.
    pub(crate) store: EmbeddedStore,
    /// Time of the transactions.
    pub(crate) time: TimeRange,
    _folder: tempfile::TempDir,
}

/// A store with so many transactions, after its merges.
pub(crate) fn filled(transactions: u64) -> Result<Filled> {
    let folder = tempfile::tempdir()?;
    let store = EmbeddedStore::open(folder.path(), Options::default())?;
    let end_us = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_micros())?;
    let day_us = 86_400_000_000;
    // All of them in the day before: one partition, as large as it gets.
    let first_us = end_us.div_euclid(day_us) * day_us - day_us;
    let begin = Instant::now();
    fill(&store, transactions, first_us)?;
    let time = TimeRange { from: Timestamp::from_micros(first_us), to: Timestamp::from_micros(first_us + day_us) };
    while store.search(&SearchRequest::of(EventKind::Transaction, time))?.total < transactions {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    println!("{transactions} transactions with {FIELDS} labels, stored in {:.0} s", begin.elapsed().as_secs_f64());
    settle(&store);
    Ok(Filled { store, time, _folder: folder })
}

fn label(field: u64) -> String {
    format!("labels.field_{field:02}")
}

/// Logarithmic from 1 ms to 100 s, open at both ends.
fn ranges() -> Vec<(Option<f64>, Option<f64>)> {
    let cut = |n: u32| 1_000.0 * 10_f64.powf(5.0 * f64::from(n) / f64::from(RANGES));
    (0..RANGES).map(|n| ((n > 0).then(|| cut(n)), (n + 1 < RANGES).then(|| cut(n + 1)))).collect()
}

/// The table of the values that were found.
fn table(all: &dyn Fn() -> SearchRequest, candidates: &SearchResponse) -> SearchRequest {
    let mut rows = Vec::new();
    for field in (0..FIELDS).map(label) {
        for bucket in candidates.aggs.buckets(&field) {
            let value = bucket.key.as_str().unwrap_or_default().into();
            rows.push(CrosstabRow::Value { field: field.clone(), value });
        }
    }
    let field = fields::TRANSACTION_DURATION_US.name.to_owned();
    let columns = CrosstabColumns::Ranges { field, ranges: ranges() };
    all().agg("table", AggregationKind::Crosstab { rows, columns }.leaf())
}

fn fill(store: &EmbeddedStore, transactions: u64, first_us: i64) -> Result<()> {
    let step_us = 86_000_000_000 / transactions.max(1) as i64;
    for first in (0..transactions).step_by(BATCH as usize) {
        let numbers = first..transactions.min(first + BATCH);
        let batch: Vec<Document> = numbers.map(|n| transaction(n, first_us + n as i64 * step_us)).collect();
        loop {
            let (sender, durable) = mpsc::channel();
            store.append(batch.clone(), Box::new(move |result| drop(sender.send(result))));
            match durable.recv()? {
                Ok(()) => break,
                Err(tokenfall_store::AppendError::QueueFull) => {
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Waits until merges are done: the size of the directory stays as it is.
fn settle(store: &EmbeddedStore) {
    let mut before = 0;
    loop {
        std::thread::sleep(std::time::Duration::from_secs(8));
        let bytes = store.stats().disk_bytes;
        if bytes == before {
            return;
        }
        before = bytes;
    }
}

fn transaction(number: u64, us: i64) -> Document {
    let mut document = Document::new(Timestamp::from_micros(us), EventKind::Transaction, ServiceName::new("shop"));
    // Sum of four: about normal. Fields 13 and 26 go along with long durations.
    let noise = (0..4).map(|i| (scramble(number * 4 + i) % 1_000) as f64 / 1_000.0).sum::<f64>() - 2.0;
    let is_slow = value(number, 13) == 1 || value(number, 26) == 7;
    let duration_us = 10_f64.powf(5.0 + 0.8 * noise + if is_slow { 0.6 } else { 0.0 });
    document.transaction = Some(Box::new(Transaction {
        name: Some(format!("GET /{}", value(number, 4))),
        kind: Some("request".to_owned()),
        duration: Some(DurationUs { us: Micros::new(duration_us as u64) }),
        ..Transaction::default()
    }));
    for field in 0..FIELDS {
        if field % 10 == 1 && number.is_multiple_of(2) {
            continue;
        }
        let name = |value: u64| format!("value {value:06}");
        let label = match value(number, field) {
            first if field % 10 == 5 => LabelValue::Many(vec![name(first), name(value(number + 1, field))]),
            first => LabelValue::One(name(first)),
        };
        document.labels.insert(format!("field_{field:02}"), label);
    }
    document
}

/// A value of a field; small ones are more frequent.
fn value(number: u64, field: u64) -> u64 {
    let uniform = scramble(number * FIELDS + field) as f64 / u64::MAX as f64;
    let cardinality = CARDINALITIES[(field % CARDINALITIES.len() as u64) as usize];
    ((uniform * uniform * cardinality as f64) as u64).min(cardinality - 1)
}

/// Prints the time of a question; CPU milliseconds of one run.
pub(crate) fn measure(name: &str, ask: impl Fn() -> Result<()>) -> Result<f64> {
    ask()?;
    let cpu_before = cpu_seconds("/proc/self/stat")?;
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let begin = Instant::now();
        ask()?;
        times.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    let cpu = (cpu_seconds("/proc/self/stat")? - cpu_before) * 1000.0 / RUNS as f64;
    times.sort_by(f64::total_cmp);
    println!("  {name:<48} {:>12.1} {:>10.1} {cpu:>14.1}", times[RUNS / 2], times[RUNS - 1]);
    Ok(cpu)
}
