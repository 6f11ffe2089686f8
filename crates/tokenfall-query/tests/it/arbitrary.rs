//! Random documents and requests. Values come from small sets, so that filters match something.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value as Json, json};
use tokenfall_model::{Document, EventKind, Timestamp};
use tokenfall_query::{
    Aggregation, AggregationKind, Aggregations, CrosstabColumns, CrosstabRow, Filter, HitsRequest, SearchRequest, Sort,
    SortOrder, SourceFilter, TermsOrder, TimeRange, Value,
};

/// The instant around which everything happens: 2026-11-22T00:00:00Z.
pub(crate) const MIDNIGHT_US: i64 = 1_795_305_600_000_000;
const HOUR_US: i64 = 3_600_000_000;

const TEXTS: &[&str] =
    &["shop", "cart", "GET /a", "GET /ab", "wide ünïcode → text", "true", "7", "a.b", "other", "x\ny"];
const KEYWORDS: &[&str] = &[
    "service.name",
    "service.environment",
    "transaction.name",
    "event.outcome",
    "processor.event",
    "host.ip",
    "error.exception.type",
    "labels.a",
    "labels.a.b",
    "labels.a\\b \"ü",
    "labels.nowhere",
];
const NUMBERS: &[&str] = &[
    "transaction.duration.us",
    "transaction.representative_count",
    "http.response.status_code",
    "@timestamp",
    "numeric_labels.n",
    "numeric_labels.x.y",
    "system.memory.total",
    "nowhere",
];
const BOOLS: &[&str] = &["faas.coldstart", "transaction.sampled"];
const IDS: &[&str] = &["trace.id", "transaction.id"];
const WORDS: &[&str] = &["message", "error.exception.message"];
const MESSAGES: &[&str] = &["Payment failed", "payment OK", "timeout: no answer, failed", "…", "Zahlung für ÄÖ failed"];

/// Documents; no two have the same time.
pub(crate) fn documents(max: usize) -> impl Strategy<Value = Vec<Document>> {
    prop::collection::vec((any::<[u8; 24]>(), -30 * HOUR_US..30 * HOUR_US), 0..max).prop_map(|mut seeds| {
        seeds.sort_by_key(|(_, us)| *us);
        seeds.dedup_by_key(|(_, us)| *us);
        seeds.iter().map(|(bytes, us)| document(bytes, MIDNIGHT_US + us)).collect()
    })
}

/// A document made of what the bytes choose; about half of the fields are absent.
fn document(bytes: &[u8; 24], us: i64) -> Document {
    let pick = |i: usize, from: &[&str]| from[bytes[i] as usize % from.len()].to_owned();
    let has = |i: usize| bytes[i] & 64 == 0;
    let number = |i: usize| f64::from(i8::from_ne_bytes([bytes[i]])) / if bytes[i] & 1 == 0 { 1.0 } else { 4.0 };
    let kind = EventKind::ALL[bytes[0] as usize % 5];
    let mut json = json!({
        "@timestamp": Timestamp::from_micros(us).to_string(),
        "timestamp": { "us": us },
        "processor": { "event": kind.as_str() },
        "data_stream": { "type": "traces", "dataset": "apm", "namespace": "default" },
        "service": { "name": pick(1, TEXTS) },
        "event": { "outcome": pick(2, &["success", "failure", "unknown"]) },
        "transaction": {
            "id": format!("{:016x}", bytes[3] % 9),
            "name": pick(4, TEXTS),
            "duration": { "us": u64::from(bytes[5]) * u64::from(bytes[5]) },
            "representative_count": number(6).abs(),
            "sampled": has(7),
        },
        "message": pick(8, MESSAGES),
    });
    let mut put = |i: usize, key: &str, value: Json| {
        if has(i) {
            json[key] = value;
        }
    };
    put(9, "trace", json!({ "id": format!("{:032x}", bytes[9] % 5) }));
    put(10, "http", json!({ "response": { "status_code": 200 + u64::from(bytes[10] % 4) * 100 } }));
    put(11, "host", json!({ "ip": [pick(11, &["::1", "10.0.0.1"]), pick(12, &["::1", "10.0.0.2"])] }));
    put(13, "faas", json!({ "coldstart": bytes[13] & 1 == 0 }));
    let exception = |i| json!({ "type": pick(i, &["A", "B"]), "message": pick(i, MESSAGES) });
    put(14, "error", json!({ "exception": [exception(14), exception(15)] }));
    let mut labels = serde_json::Map::new();
    if has(16) {
        labels.insert("a".to_owned(), json!([pick(16, TEXTS), pick(17, TEXTS)]));
    }
    if has(18) {
        labels.insert("a.b".to_owned(), json!(pick(18, TEXTS)));
        labels.insert("a\\b \"ü".to_owned(), json!(pick(19, TEXTS)));
    }
    put(20, "labels", Json::Object(labels));
    put(21, "numeric_labels", json!({ "n": number(21), "x.y": f64::from(bytes[22]) }));
    if kind == EventKind::Metricset {
        put(23, "system.memory.total", json!(number(23)));
    }
    let bytes = json.to_string().into_bytes();
    Document::from_json(&bytes).unwrap_or_else(|e| panic!("{e}: {json}"))
}

fn number() -> impl Strategy<Value = String> {
    select(NUMBERS).prop_map(str::to_owned)
}

fn any_field() -> impl Strategy<Value = String> {
    select([KEYWORDS, NUMBERS, BOOLS, IDS, WORDS].concat()).prop_map(str::to_owned)
}

fn column() -> impl Strategy<Value = String> {
    select([KEYWORDS, NUMBERS, BOOLS].concat()).prop_map(str::to_owned)
}

fn text() -> impl Strategy<Value = String> {
    let ids =
        ["0000000000000001", "00000000000000000000000000000001", "success", "span", "200", "-3.5", "::1", "A", ""];
    select([TEXTS, &ids, MESSAGES].concat()).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text().prop_map(Value::Str),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => (-40_i64..700).prop_map(Value::Long),
        1 => (-160_i32..160).prop_map(|n| Value::Double(f64::from(n) / 4.0)),
    ]
}

fn bound() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(prop_oneof![
        (-160_i32..2000).prop_map(|n| f64::from(n) / 4.0),
        (-30_i32..30).prop_map(|hours| MIDNIGHT_US as f64 + f64::from(hours) * HOUR_US as f64),
        select(vec![f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 0.0, -0.0]),
    ])
}

/// Filters of every kind.
pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        Just(Filter::All),
        (any_field(), value()).prop_map(|(field, value)| Filter::Term { field, value }),
        (any_field(), prop::collection::vec(value(), 0..20))
            .prop_map(|(field, values)| Filter::Terms { field, values }),
        (any_field(), bound(), bound()).prop_map(|(field, gte, lt)| Filter::Range { field, gte, lt }),
        (number(), bound(), bound()).prop_map(|(field, gte, lt)| Filter::Range { field, gte, lt }),
        any_field().prop_map(|field| Filter::Exists { field }),
        (any_field(), text(), any::<Index>()).prop_map(|(field, text, end)| {
            let chars = text.chars().count();
            Filter::Prefix { field, prefix: text.chars().take(end.index(chars + 1)).collect() }
        }),
        (any_field(), text(), any::<Index>()).prop_map(|(field, text, start)| {
            let chars = text.chars().count();
            Filter::Match { field, text: text.chars().skip(start.index(chars + 1)).take(3).collect() }
        }),
        (select(WORDS), text()).prop_map(|(field, text)| Filter::Match { field: field.to_owned(), text }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Or),
            inner.prop_map(Filter::negate),
        ]
    })
}

fn sort() -> impl Strategy<Value = Vec<Sort>> {
    let order = || select(vec![SortOrder::Ascending, SortOrder::Descending]);
    // The time comes last, so that no two documents are equal.
    (prop::collection::vec((number(), order()), 0..3), order()).prop_map(|(mut keys, order)| {
        keys.push(("@timestamp".to_owned(), order));
        keys.into_iter().map(|(field, order)| Sort { field, order }).collect()
    })
}

fn metric() -> impl Strategy<Value = AggregationKind> {
    prop_oneof![
        number().prop_map(AggregationKind::Avg),
        number().prop_map(AggregationKind::Sum),
        number().prop_map(AggregationKind::Min),
        number().prop_map(AggregationKind::Max),
        column().prop_map(AggregationKind::ValueCount),
        column().prop_map(AggregationKind::Cardinality),
    ]
}

fn crosstab() -> impl Strategy<Value = AggregationKind> {
    let row = prop_oneof![
        3 => (column(), value()).prop_map(|(field, value)| CrosstabRow::Value { field, value }),
        1 => (number(), bound(), bound()).prop_map(|(field, gte, lt)| CrosstabRow::Range { field, gte, lt }),
    ];
    // Cuts make adjacent ranges; some of them are left out.
    let cuts = prop::collection::btree_set(-160_i32..2000, 0..8);
    let ends = (any::<bool>(), any::<bool>());
    let ranges =
        (number(), cuts, ends, prop::collection::vec(any::<bool>(), 10)).prop_map(|(field, cuts, ends, gaps)| {
            let mut cuts: Vec<_> = cuts.into_iter().map(|n| Some(f64::from(n) / 4.0)).collect();
            if ends.0 {
                cuts.insert(0, None);
            }
            if ends.1 {
                cuts.push(None);
            }
            let ranges =
                cuts.windows(2).zip(gaps).filter(|(_, gap)| !gap).map(|(cuts, _)| (cuts[0], cuts[1])).collect();
            CrosstabColumns::Ranges { field, ranges }
        });
    let filters = prop::collection::vec(filter(), 0..4).prop_map(CrosstabColumns::Filters);
    (prop::collection::vec(row, 0..10), prop_oneof![ranges, filters])
        .prop_map(|(rows, columns)| AggregationKind::Crosstab { rows, columns })
}

fn points() -> impl Strategy<Value = AggregationKind> {
    let size = prop_oneof![0_usize..8, Just(1000)];
    (prop::collection::vec(column(), 1..5), size).prop_map(|(fields, size)| AggregationKind::Points { fields, size })
}

/// Aggregations whose results are merged without rounding.
pub(crate) fn exact() -> impl Strategy<Value = AggregationKind> {
    prop_oneof![crosstab(), points()]
}

fn leaf() -> impl Strategy<Value = AggregationKind> {
    prop_oneof![
        6 => metric(),
        1 => number().prop_map(|field| AggregationKind::Percentiles { field, percents: vec![0.0, 50.0, 95.0, 100.0] }),
        1 => (0_usize..4, sort()).prop_map(|(size, sort)| AggregationKind::TopHits { size, sort }),
        2 => exact(),
    ]
}

fn missing() -> impl Strategy<Value = Option<String>> {
    prop::option::of(select(vec!["(none)", "7", "success"]).prop_map(str::to_owned))
}

fn bucket() -> impl Strategy<Value = AggregationKind> {
    let order = || select(vec![TermsOrder::CountDescending, TermsOrder::KeyAscending]);
    let fields = prop::collection::vec((column(), missing()), 1..4);
    let interval = select(vec![HOUR_US, 7 * HOUR_US + 1, 24 * HOUR_US]);
    let bounds = prop::option::of((-50_i64..0, 0_i64..50));
    prop_oneof![
        (column(), 0_usize..12, order(), missing()).prop_map(|(field, size, order, missing)| AggregationKind::Terms {
            field,
            size,
            order,
            missing,
            segment_size: None,
        }),
        (fields, 1_usize..12, order()).prop_map(|(fields, size, order)| AggregationKind::MultiTerms {
            fields,
            size,
            order
        }),
        (interval, bounds).prop_map(|(interval_us, bounds)| AggregationKind::DateHistogram {
            field: "@timestamp".to_owned(),
            interval_us,
            bounds_us: bounds.map(|(a, b)| (MIDNIGHT_US + a * HOUR_US, MIDNIGHT_US + b * HOUR_US)),
        }),
        (number(), prop::collection::vec((bound(), bound()), 0..4))
            .prop_map(|(field, ranges)| AggregationKind::Range { field, ranges }),
        filter().prop_map(AggregationKind::Filter),
        prop::collection::vec(filter(), 0..3).prop_map(|filters| {
            AggregationKind::Filters(filters.into_iter().enumerate().map(|(i, f)| (format!("f{i}"), f)).collect())
        }),
    ]
}

fn named(aggregations: Vec<Aggregation>) -> Aggregations {
    Aggregations(aggregations.into_iter().enumerate().map(|(i, a)| (format!("agg{i}"), a)).collect())
}

/// Trees of aggregations.
pub(crate) fn aggregations() -> impl Strategy<Value = Aggregations> {
    let tree = leaf().prop_map(AggregationKind::leaf).prop_recursive(3, 8, 3, |inner| {
        let inside = prop::collection::vec(inner, 0..3);
        prop_oneof![
            4 => (bucket(), inside.clone()).prop_map(|(kind, inside)| kind.with(named(inside))),
            1 => (column(), metric(), inside).prop_map(|(field, metric, inside)| {
                let order = TermsOrder::MetricDescending("metric".to_owned());
                let kind = AggregationKind::Terms { field, size: 5, order, missing: None, segment_size: None };
                kind.with(named(inside).with("metric", metric.leaf()))
            }),
        ]
    });
    prop::collection::vec(tree, 0..4).prop_map(named)
}

/// Requests.
pub(crate) fn request() -> impl Strategy<Value = SearchRequest> {
    let time = prop::option::of((-40_i64..40, -40_i64..40)).prop_map(|hours| {
        hours.map(|(from, to)| TimeRange {
            from: Timestamp::from_micros(MIDNIGHT_US + from * HOUR_US),
            to: Timestamp::from_micros(MIDNIGHT_US + to * HOUR_US),
        })
    });
    let kinds = prop::collection::vec(select(EventKind::ALL.to_vec()), 0..3);
    let hits = prop::option::of((0_usize..12, sort()).prop_map(|(size, sort)| HitsRequest { size, sort }));
    let filter = prop_oneof![Just(Filter::All), filter()];
    (time, kinds, filter, hits, aggregations()).prop_map(|(time, kinds, filter, hits, aggs)| SearchRequest {
        time,
        kinds,
        filter,
        hits,
        source: SourceFilter::Whole,
        aggs,
    })
}
