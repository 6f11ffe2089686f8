//! The query language executed in the plainest way, over documents in memory: what every engine must agree with.

use std::collections::{BTreeMap, BTreeSet};

use tokenfall_model::Document;
use tokenfall_model::fields::{self, FieldKind, FieldValue};
use tokenfall_query::intermediate::{Key, PointValue, sample_hash};
use tokenfall_query::{
    Aggregation, AggregationKind, AggregationResult, AggregationResults, Aggregations, Bucket, BucketKey,
    CrosstabColumns, CrosstabRow, Filter, PointColumn, Points, SearchRequest, SearchResponse, Sort, SortOrder, Table,
    TermsOrder, Value,
};

/// The answer to a request over all documents there are. Hits without a sort are all that match.
pub(crate) fn answer(documents: &[Document], request: &SearchRequest) -> SearchResponse {
    let found: Vec<&Document> = documents
        .iter()
        .filter(|d| request.time.is_none_or(|t| t.from <= d.time() && d.time() < t.to))
        .filter(|d| request.kinds.is_empty() || request.kinds.contains(&d.kind()))
        .filter(|d| matches(&request.filter, d))
        .collect();
    let hits = request.hits.as_ref().map_or_else(Vec::new, |hits| first(&found, hits.size, &hits.sort));
    SearchResponse {
        total: found.len() as u64,
        hits,
        aggs: aggregate_all(&found, &request.aggs, documents),
        complete: true,
    }
}

/// Whether a document satisfies a filter.
pub(crate) fn matches(filter: &Filter, document: &Document) -> bool {
    match filter {
        Filter::All => true,
        Filter::Term { field, value } => {
            values(document, field).iter().any(|v| equal(field, v, value)) || {
                fields::kind_of(field) == FieldKind::Text && has_words(document, field, &text(value))
            }
        }
        Filter::Terms { field, values } => {
            values.iter().any(|v| matches(&Filter::Term { field: field.clone(), value: v.clone() }, document))
        }
        Filter::Range { field, gte, lt } => {
            numbers(document, field).iter().any(|n| gte.is_none_or(|gte| *n >= gte) && lt.is_none_or(|lt| *n < lt))
        }
        Filter::Exists { field } if fields::kind_of(field) == FieldKind::Text => !words_of(document, field).is_empty(),
        Filter::Exists { field } => !values(document, field).is_empty(),
        Filter::Prefix { field, prefix } => exact_texts(document, field).iter().any(|t| t.starts_with(prefix)),
        Filter::Match { field, text } if fields::kind_of(field) == FieldKind::Text => has_words(document, field, text),
        Filter::Match { field, text } => exact_texts(document, field).iter().any(|t| t.contains(text)),
        Filter::And(filters) => filters.iter().all(|f| matches(f, document)),
        Filter::Or(filters) => filters.iter().any(|f| matches(f, document)),
        Filter::Not(inner) => !matches(inner, document),
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Val {
    Str(String),
    Long(i64),
    Double(f64),
    Bool(bool),
}

pub(crate) fn values(document: &Document, field: &str) -> Vec<Val> {
    let mut found = Vec::new();
    document.visit_fields(&mut |index, value| {
        if fields::ALL[index].name == field {
            found.push(match value {
                FieldValue::Str(text) => Val::Str(text.to_owned()),
                FieldValue::Long(n) => Val::Long(n),
                FieldValue::Double(n) => Val::Double(n),
                FieldValue::Bool(b) => Val::Bool(b),
            });
        }
    });
    if fields::find(field).is_some() {
        return found;
    }
    let (mut texts, mut numbers) = (Vec::new(), Vec::new());
    document.visit_labels(
        &mut |name, value| {
            if field.strip_prefix("labels.") == Some(name) {
                texts.push(Val::Str(value.to_owned()));
            }
        },
        &mut |name, value| {
            if field.strip_prefix("numeric_labels.") == Some(name) {
                numbers.push(Val::Double(value));
            }
        },
    );
    if !field.starts_with("labels.") && !field.starts_with("numeric_labels.") {
        document.visit_samples(&mut |name, value| {
            if name == field {
                numbers.push(Val::Double(value));
            }
        });
    }
    texts.extend(numbers);
    texts
}

pub(crate) fn numbers(document: &Document, field: &str) -> Vec<f64> {
    let number = |value| match value {
        Val::Long(n) => Some(n as f64),
        Val::Double(n) => Some(n),
        Val::Str(_) | Val::Bool(_) => None,
    };
    values(document, field).into_iter().filter_map(number).collect()
}

fn texts(document: &Document, field: &str) -> Vec<String> {
    let text = |value| if let Val::Str(text) = value { Some(text) } else { None };
    values(document, field).into_iter().filter_map(text).collect()
}

fn exact_texts(document: &Document, field: &str) -> Vec<String> {
    if fields::kind_of(field) == FieldKind::Text { Vec::new() } else { texts(document, field) }
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty() && w.len() < 40);
    words.map(str::to_lowercase).collect()
}

fn words_of(document: &Document, field: &str) -> BTreeSet<String> {
    texts(document, field).iter().flat_map(|text| words(text)).collect()
}

fn has_words(document: &Document, field: &str, text: &str) -> bool {
    let wanted = words(text);
    !wanted.is_empty() && wanted.is_subset(&words_of(document, field))
}

fn text(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Long(n) => n.to_string(),
        Value::Double(n) => n.to_string(),
        Value::Str(text) => text.clone(),
    }
}

fn equal(field: &str, stored: &Val, wanted: &Value) -> bool {
    let number = |n: f64| match wanted {
        Value::Bool(_) => false,
        Value::Long(x) => Key::double(*x as f64) == Key::double(n),
        Value::Double(x) => Key::double(*x) == Key::double(n),
        Value::Str(text) => text.parse() == Ok(n),
    };
    match stored {
        Val::Str(stored) => fields::kind_of(field) != FieldKind::Text && *stored == text(wanted),
        Val::Long(n) => number(*n as f64),
        Val::Double(n) => number(*n),
        Val::Bool(b) => match wanted {
            Value::Bool(x) => x == b,
            Value::Str(text) => text.parse() == Ok(*b),
            Value::Long(_) | Value::Double(_) => false,
        },
    }
}

fn first(documents: &[&Document], size: usize, sort: &[Sort]) -> Vec<Document> {
    let mut documents = documents.to_vec();
    if sort.is_empty() {
        return documents.into_iter().cloned().collect();
    }
    documents.sort_by(|a, b| {
        let mut order = std::cmp::Ordering::Equal;
        for key in sort {
            let (a, b) = (numbers(a, &key.field).first().copied(), numbers(b, &key.field).first().copied());
            order = order.then(match (a, b) {
                (Some(a), Some(b)) if key.order == SortOrder::Descending => b.total_cmp(&a),
                (Some(a), Some(b)) => a.total_cmp(&b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            });
        }
        order
    });
    documents.into_iter().take(size).cloned().collect()
}

fn aggregate_all(found: &[&Document], aggs: &Aggregations, all: &[Document]) -> AggregationResults {
    AggregationResults(aggs.0.iter().map(|(name, a)| (name.clone(), aggregate(found, a, all))).collect())
}

fn aggregate(found: &[&Document], aggregation: &Aggregation, all: &[Document]) -> AggregationResult {
    let bucket = |key: BucketKey, documents: &[&Document]| Bucket {
        key,
        doc_count: documents.len() as u64,
        aggs: aggregate_all(documents, &aggregation.aggs, all),
    };
    let those = |filter: &Filter| -> Vec<&Document> { found.iter().copied().filter(|d| matches(filter, d)).collect() };
    let all_numbers = |field: &String| -> Vec<f64> { found.iter().flat_map(|d| numbers(d, field)).collect() };
    let metric = |field: &String, f: &dyn Fn(&[f64]) -> f64| {
        let numbers = all_numbers(field);
        AggregationResult::Value((!numbers.is_empty()).then(|| f(&numbers)))
    };
    match &aggregation.kind {
        AggregationKind::Terms { field, size, order, missing, segment_size } => {
            assert_eq!(*segment_size, None, "there are no segments here");
            let fields = [(field.clone(), missing.clone())];
            terms(group(found, &fields), false, *size, order, &bucket)
        }
        AggregationKind::MultiTerms { fields, size, order } => terms(group(found, fields), true, *size, order, &bucket),
        AggregationKind::DateHistogram { field, interval_us, bounds_us } => {
            let start = |us: i64| us.div_euclid(*interval_us) * interval_us;
            let mut groups: BTreeMap<i64, Vec<&Document>> = BTreeMap::new();
            for document in found {
                for value in values(document, field) {
                    if let Val::Long(us) = value {
                        groups.entry(start(us)).or_default().push(document);
                    }
                }
            }
            for us in bounds_us.iter().flat_map(|(first, last)| [first, last]) {
                groups.entry(start(*us)).or_default();
            }
            let (first, last) = (groups.keys().next().copied(), groups.keys().last().copied());
            let mut buckets = Vec::new();
            if let (Some(mut us), Some(last)) = (first, last) {
                while us <= last {
                    buckets.push(bucket(BucketKey::Long(us), groups.get(&us).map_or(&[], Vec::as_slice)));
                    us += interval_us;
                }
            }
            AggregationResult::Buckets(buckets)
        }
        AggregationKind::Range { field, ranges } => AggregationResult::Buckets(
            ranges
                .iter()
                .map(|(from, to)| {
                    let filter = Filter::Range { field: field.clone(), gte: *from, lt: *to };
                    bucket(BucketKey::Range(*from, *to), &those(&filter))
                })
                .collect(),
        ),
        AggregationKind::Filter(filter) => {
            AggregationResult::Buckets(vec![bucket(BucketKey::Str(String::new()), &those(filter))])
        }
        AggregationKind::Filters(filters) => AggregationResult::Buckets(
            filters.iter().map(|(name, filter)| bucket(BucketKey::Str(name.clone()), &those(filter))).collect(),
        ),
        AggregationKind::Avg(field) => metric(field, &|n| n.iter().sum::<f64>() / n.len() as f64),
        AggregationKind::Sum(field) => {
            AggregationResult::Value(Some(all_numbers(field).iter().fold(0.0, |a, b| a + b)))
        }
        AggregationKind::Min(field) => metric(field, &|n| n.iter().copied().fold(f64::INFINITY, f64::min)),
        AggregationKind::Max(field) => metric(field, &|n| n.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        AggregationKind::ValueCount(field) => {
            AggregationResult::Value(Some(found.iter().map(|d| values(d, field).len()).sum::<usize>() as f64))
        }
        AggregationKind::Cardinality(field) => {
            let distinct: BTreeSet<_> = found.iter().flat_map(|d| values(d, field)).map(|v| key(&v)).collect();
            AggregationResult::Value(Some(distinct.len() as f64))
        }
        AggregationKind::Percentiles { field, percents } => {
            let mut numbers = all_numbers(field);
            numbers.sort_by(f64::total_cmp);
            let at = |percent: f64| {
                let position = percent / 100.0 * (numbers.len().max(1) - 1) as f64;
                let below = *numbers.get(position.floor() as usize)?;
                let above = *numbers.get(position.ceil() as usize)?;
                let straddles_zero = below < 0.0 && above > 0.0;
                Some(if straddles_zero { below } else { below + (above - below) * position.fract() })
            };
            AggregationResult::Percentiles(percents.iter().map(|p| (*p, at(*p))).collect())
        }
        AggregationKind::TopHits { size, sort } => AggregationResult::TopHits(first(found, *size, sort)),
        AggregationKind::Crosstab { rows, columns } => AggregationResult::Table(table(found, rows, columns)),
        AggregationKind::Points { fields, size } => AggregationResult::Points(points(found, fields, *size, all)),
    }
}

/// A contingency table, each cell by itself.
pub(crate) fn table(found: &[&Document], rows: &[CrosstabRow], columns: &CrosstabColumns) -> Table {
    let columns: Vec<Filter> = match columns {
        CrosstabColumns::Filters(filters) => filters.clone(),
        CrosstabColumns::Ranges { field, ranges } => {
            let range = |(gte, lt): &(_, _)| Filter::Range { field: field.clone(), gte: *gte, lt: *lt };
            ranges.iter().map(range).collect()
        }
    };
    let rows = rows.iter().map(|row| match row.clone() {
        CrosstabRow::Value { field, value } => Filter::Term { field, value },
        CrosstabRow::Range { field, gte, lt } => Filter::Range { field, gte, lt },
    });
    let counts = |row: &Filter| -> Vec<u64> {
        let count = |column| found.iter().filter(|d| matches(row, d) && matches(column, d)).count() as u64;
        columns.iter().map(count).collect()
    };
    Table { all: counts(&Filter::All), rows: rows.map(|row| counts(&row)).collect() }
}

/// What a document's place in a sample goes by. Documents are stored in their order, so the position is the place in the log.
pub(crate) fn hash(document: &Document, all: &[Document]) -> u64 {
    let position = all.iter().position(|other| std::ptr::eq(other, document));
    sample_hash(position.expect("every document is one of all") as u64)
}

/// The first value of each field.
pub(crate) fn point(document: &Document, fields: &[String]) -> Box<[Option<PointValue>]> {
    let value = |value: &Val| match value {
        Val::Str(text) => PointValue::Text(text.as_str().into()),
        Val::Bool(b) => PointValue::Text(b.to_string().into()),
        Val::Long(n) => PointValue::Number(*n as f64),
        Val::Double(n) => PointValue::Number(*n),
    };
    fields.iter().map(|field| values(document, field).first().map(value)).collect()
}

fn points(found: &[&Document], names: &[String], size: usize, all: &[Document]) -> Points {
    let mut documents = found.to_vec();
    documents.sort_by_key(|document| hash(document, all));
    documents.truncate(size);
    let documents: Vec<_> = documents.into_iter().map(|document| point(document, names)).collect();
    let column = |(index, name): (usize, &String)| {
        let values = documents.iter().map(|values| values[index].as_ref());
        if matches!(fields::kind_of(name), FieldKind::Keyword | FieldKind::Bool) {
            let mut dictionary: Vec<String> = Vec::new();
            let mut id = |value: &PointValue| {
                let PointValue::Text(text) = value else { panic!("{name} is not a text") };
                dictionary.iter().position(|known| **known == **text).unwrap_or_else(|| {
                    dictionary.push(text.to_string());
                    dictionary.len() - 1
                }) as u32
            };
            let values = values.map(|value| value.map(&mut id)).collect();
            PointColumn::Texts { dictionary, values }
        } else {
            let number = |value: &PointValue| {
                let PointValue::Number(number) = value else { panic!("{name} is not a number") };
                *number
            };
            PointColumn::Numbers(values.map(|value| value.map(number)).collect())
        }
    };
    Points { matching: found.len() as u64, columns: names.iter().enumerate().map(column).collect() }
}

pub(crate) fn key(value: &Val) -> Key {
    match value {
        Val::Str(text) => Key::Str(text.as_str().into()),
        Val::Long(n) => Key::Long(*n),
        Val::Double(n) => Key::double(*n),
        Val::Bool(b) => Key::Str(b.to_string().into()),
    }
}

fn missing_key(field: &str, text: &str) -> Key {
    let number = match fields::kind_of(field) {
        FieldKind::Long | FieldKind::Date => text.parse().ok().map(Key::Long),
        FieldKind::Double => text.parse().ok().map(Key::double),
        FieldKind::Keyword | FieldKind::Id | FieldKind::Text | FieldKind::Bool => None,
    };
    number.unwrap_or_else(|| Key::Str(text.into()))
}

pub(crate) fn group<'a>(
    found: &[&'a Document],
    fields: &[(String, Option<String>)],
) -> BTreeMap<Vec<Key>, Vec<&'a Document>> {
    let mut groups: BTreeMap<Vec<Key>, Vec<&Document>> = BTreeMap::new();
    for document in found {
        let mut keys: BTreeSet<Vec<Key>> = BTreeSet::from([Vec::new()]);
        for (field, missing) in fields {
            let mut own: Vec<Key> = values(document, field).iter().map(key).collect();
            if own.is_empty() {
                own.extend(missing.iter().map(|text| missing_key(field, text)));
            }
            keys = keys
                .iter()
                .flat_map(|key| own.iter().map(|next| key.iter().chain([next]).cloned().collect()))
                .collect();
        }
        for key in keys {
            groups.entry(key).or_default().push(document);
        }
    }
    groups
}

fn terms(
    groups: BTreeMap<Vec<Key>, Vec<&Document>>,
    many: bool,
    size: usize,
    order: &TermsOrder,
    bucket: &dyn Fn(BucketKey, &[&Document]) -> Bucket,
) -> AggregationResult {
    // Keys come in ascending order and every sort below is stable.
    let mut buckets: Vec<Bucket> = groups
        .into_iter()
        .map(|(mut keys, documents)| {
            let key = if many { BucketKey::from(Key::Many(keys)) } else { BucketKey::from(keys.remove(0)) };
            bucket(key, &documents)
        })
        .collect();
    match order {
        TermsOrder::KeyAscending => {}
        TermsOrder::CountDescending => buckets.sort_by_key(|b| std::cmp::Reverse(b.doc_count)),
        TermsOrder::MetricDescending(name) => buckets.sort_by(|a, b| {
            let metric = |bucket: &Bucket| bucket.aggs.value(name).unwrap_or(f64::NEG_INFINITY);
            metric(b).total_cmp(&metric(a)).then(b.doc_count.cmp(&a.doc_count))
        }),
    }
    buckets.truncate(size);
    AggregationResult::Buckets(buckets)
}

/// Fails unless two results agree: sums up to rounding, percentiles up to one per cent, all else exactly.
pub(crate) fn assert_agree(got: &AggregationResults, expect: &AggregationResults) {
    assert_eq!(got.0.len(), expect.0.len());
    for ((got_name, got), (name, expect)) in got.0.iter().zip(&expect.0) {
        assert_eq!(got_name, name);
        match (got, expect) {
            (AggregationResult::Buckets(got), AggregationResult::Buckets(expect)) => {
                let heads = |buckets: &[Bucket]| -> Vec<(BucketKey, u64)> {
                    buckets.iter().map(|b| (b.key.clone(), b.doc_count)).collect()
                };
                assert_eq!(heads(got), heads(expect), "buckets of {name}");
                for (got, expect) in got.iter().zip(expect) {
                    assert_agree(&got.aggs, &expect.aggs);
                }
            }
            (AggregationResult::Value(got), AggregationResult::Value(expect)) => {
                assert_near(*got, *expect, 1e-9, name);
            }
            (AggregationResult::Percentiles(got), AggregationResult::Percentiles(expect)) => {
                assert_eq!(got.len(), expect.len());
                for ((got_percent, got), (percent, expect)) in got.iter().zip(expect) {
                    assert_near(Some(*got_percent), Some(*percent), 0.0, name);
                    assert_near(*got, *expect, 0.010_001, name);
                }
            }
            (got, expect) => assert_eq!(got, expect, "{name}"),
        }
    }
}

fn assert_near(got: Option<f64>, expect: Option<f64>, relative: f64, name: &str) {
    match (got, expect) {
        (Some(got), Some(expect)) => {
            assert!((got - expect).abs() <= expect.abs() * relative + 1e-9, "{name}: {got}, expected {expect}");
        }
        (got, expect) => assert_eq!(got, expect, "{name}"),
    }
}
