//! Results over parts, merged, are the result over everything.

use proptest::prelude::*;
use tokenfall_model::Document;
use tokenfall_query::intermediate::{
    Distinct, IntermediateAggregation, IntermediateAggregations, IntermediateBucket, Key, SORT_KEYS_MAX, Sample, Stats,
    TooManyBuckets, Top, interval_start, ordered_bits, sort_part,
};
use tokenfall_query::{Aggregation, AggregationKind, Aggregations, Filter, SearchRequest, TermsOrder};

use super::arbitrary;
use super::naive::{self, Val};

/// The intermediate result over some documents, made document by document from the public pieces.
fn collect(documents: &[&Document], aggs: &Aggregations, all: &[Document]) -> IntermediateAggregations {
    IntermediateAggregations(aggs.0.iter().map(|(_, aggregation)| collect_one(documents, aggregation, all)).collect())
}

fn collect_one(documents: &[&Document], aggregation: &Aggregation, all: &[Document]) -> IntermediateAggregation {
    let bucket = |documents: &[&Document]| IntermediateBucket {
        doc_count: documents.len() as u64,
        aggs: collect(documents, &aggregation.aggs, all),
    };
    let those =
        |filter: &Filter| bucket(&documents.iter().copied().filter(|d| naive::matches(filter, d)).collect::<Vec<_>>());
    let numbers = |field: &str| documents.iter().flat_map(|d| naive::numbers(d, field)).collect::<Vec<_>>();
    match &aggregation.kind {
        AggregationKind::Terms { field, missing, .. } => {
            let groups = naive::group(documents, &[(field.clone(), missing.clone())]);
            let keyed = groups.into_iter().filter_map(|(mut keys, found)| Some((keys.pop()?, bucket(&found))));
            IntermediateAggregation::Keyed(keyed.collect())
        }
        AggregationKind::MultiTerms { fields, .. } => {
            let groups = naive::group(documents, fields);
            IntermediateAggregation::Keyed(
                groups.into_iter().map(|(k, found)| (Key::Many(k), bucket(&found))).collect(),
            )
        }
        AggregationKind::DateHistogram { field, interval_us, .. } => {
            let groups = naive::group(documents, &[(field.clone(), None)]);
            let mut result = IntermediateAggregation::empty(&aggregation.kind, &aggregation.aggs);
            let IntermediateAggregation::Keyed(buckets) = &mut result else { unreachable!() };
            for (key, found) in groups {
                let [Key::Long(us)] = key[..] else { continue };
                let start = Key::Long(interval_start(us, *interval_us));
                buckets
                    .entry(start)
                    .or_insert_with(|| IntermediateBucket::empty(&aggregation.aggs))
                    .merge(bucket(&found));
            }
            result
        }
        AggregationKind::Range { field, ranges } => {
            let range = |(gte, lt): &(_, _)| those(&Filter::Range { field: field.clone(), gte: *gte, lt: *lt });
            IntermediateAggregation::Fixed(ranges.iter().map(range).collect())
        }
        AggregationKind::Filter(filter) => IntermediateAggregation::Fixed(vec![those(filter)]),
        AggregationKind::Filters(filters) => {
            IntermediateAggregation::Fixed(filters.iter().map(|(_, filter)| those(filter)).collect())
        }
        AggregationKind::ValueCount(field) => {
            let count = documents.iter().map(|d| naive::values(d, field).len() as u64).sum();
            IntermediateAggregation::Stats(Stats { count, ..Stats::default() })
        }
        AggregationKind::Avg(field)
        | AggregationKind::Sum(field)
        | AggregationKind::Min(field)
        | AggregationKind::Max(field) => {
            let mut stats = Stats::default();
            for n in numbers(field) {
                stats.add(n);
            }
            IntermediateAggregation::Stats(stats)
        }
        AggregationKind::Percentiles { field, .. } => {
            let mut sketch: Option<Box<sketches_ddsketch::DDSketch>> = None;
            for n in numbers(field) {
                sketch.get_or_insert_default().add(n);
            }
            IntermediateAggregation::Percentiles(sketch)
        }
        AggregationKind::Cardinality(field) => {
            let mut distinct = Distinct::default();
            for value in documents.iter().flat_map(|d| naive::values(d, field)) {
                match value {
                    Val::Str(text) => distinct.add_str(&text),
                    Val::Bool(b) => distinct.add_str(&b.to_string()),
                    Val::Long(n) => distinct.add_number(n as f64),
                    Val::Double(n) => distinct.add_number(n),
                }
            }
            IntermediateAggregation::Distinct(distinct)
        }
        AggregationKind::TopHits { size, sort } => {
            let mut top = Top::new(*size);
            for document in documents {
                let mut key = [0; SORT_KEYS_MAX];
                for (part, sort) in key.iter_mut().zip(sort) {
                    let number = naive::numbers(document, &sort.field).first().copied();
                    *part = sort_part(number.map(ordered_bits), sort.order);
                }
                top.push(key, (*document).clone());
            }
            IntermediateAggregation::Top(top)
        }
        AggregationKind::Crosstab { rows, columns } => {
            IntermediateAggregation::Table(naive::table(documents, rows, columns))
        }
        AggregationKind::Points { fields, size } => {
            let mut sample = Sample::new(*size);
            for document in documents {
                sample.count(1);
                sample.push(naive::hash(document, all), naive::point(document, fields));
            }
            IntermediateAggregation::Points(sample)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn merging_parts_gives_the_whole(
        documents in arbitrary::documents(40),
        request in arbitrary::request(),
        choices in prop::collection::vec(0_usize..4, 40),
        first in 0_usize..4,
    ) {
        let SearchRequest { filter, aggs, .. } = request;
        let mut parts: [Vec<&Document>; 4] = Default::default();
        for (document, part) in documents.iter().zip(choices).filter(|(document, _)| naive::matches(&filter, document)) {
            parts[part].push(document);
        }
        let mut merged = IntermediateAggregations::empty(&aggs);
        for i in 0..4 {
            merged.merge(collect(&parts[(first + i) % 4], &aggs, &documents));
        }
        let expect = naive::answer(&documents, &SearchRequest { filter, aggs: aggs.clone(), ..SearchRequest::default() });
        naive::assert_agree(&merged.finish(&aggs, usize::MAX).unwrap(), &expect.aggs);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Tables and points are merged exactly, in any order and however they are grouped.
    #[test]
    fn merging_tables_and_points_is_associative_and_commutative(
        documents in arbitrary::documents(40),
        kinds in prop::collection::vec(arbitrary::exact(), 1..4),
        choices in prop::collection::vec(0_usize..3, 40),
    ) {
        let named = kinds.into_iter().enumerate().map(|(i, kind)| (format!("agg{i}"), kind.leaf()));
        let aggs = Aggregations(named.collect());
        let mut parts: [Vec<&Document>; 3] = Default::default();
        for (document, part) in documents.iter().zip(choices) {
            parts[part].push(document);
        }
        let [a, b, c] = parts.map(|part| collect(&part, &aggs, &documents));
        let merged = |mut x: IntermediateAggregations, y: &IntermediateAggregations| {
            x.merge(y.clone());
            x
        };
        let finish = |x: IntermediateAggregations| x.finish(&aggs, usize::MAX).unwrap();
        let left = finish(merged(merged(a.clone(), &b), &c));
        prop_assert_eq!(&left, &finish(merged(a.clone(), &merged(b.clone(), &c))));
        prop_assert_eq!(&left, &finish(merged(merged(c, &b), &a)));
    }
}

#[test]
fn too_many_buckets_are_refused() {
    let terms = AggregationKind::Terms {
        field: "service.name".to_owned(),
        size: 10,
        order: TermsOrder::default(),
        missing: None,
        segment_size: None,
    };
    let aggs = Aggregations::new().with("terms", terms.leaf());
    let buckets = (0..5).map(|i| (Key::Long(i), IntermediateBucket::empty(&Aggregations::new()))).collect();
    let result = IntermediateAggregations(vec![IntermediateAggregation::Keyed(buckets)]);
    assert_eq!(result.buckets(), 5);
    assert_eq!(result.clone().finish(&aggs, 4), Err(TooManyBuckets(4)));
    assert_eq!(result.finish(&aggs, 5).unwrap().buckets("terms").len(), 5);
}

#[test]
fn a_histogram_over_absurd_times_is_refused_not_built() {
    let kind = AggregationKind::DateHistogram {
        field: "@timestamp".to_owned(),
        interval_us: 1,
        bounds_us: Some((i64::MIN, i64::MAX)),
    };
    let aggs = Aggregations::new().with("time", kind.leaf());
    let result = IntermediateAggregations::empty(&aggs).finish(&aggs, 1_000);
    assert_eq!(result, Err(TooManyBuckets(1_000)));
}
