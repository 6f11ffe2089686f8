//! From intermediate results to the answer: orders and cuts buckets, fills gaps in histograms, loads documents.

use std::cmp::Reverse;
use std::collections::HashMap;

use sketches_ddsketch::DDSketch;
use tokenfall_model::Document;

use super::key::Key;
use super::top::ordered_bits;
use super::{IntermediateAggregation, IntermediateAggregations, IntermediateBucket, Stats};
use crate::aggregation::{Aggregation, AggregationKind, Aggregations, TermsOrder};
use crate::response::{AggregationResult, AggregationResults, Bucket, BucketKey};

/// The answer would have more buckets than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {0} buckets")]
pub struct TooManyBuckets(pub usize);

impl IntermediateAggregations {
    /// The answer to `request`, of at most `buckets_max` buckets.
    pub fn finish(self, request: &Aggregations, buckets_max: usize) -> Result<AggregationResults, TooManyBuckets> {
        self.finish_with(request, buckets_max, &mut |document| Ok(Some(document)))
    }
}

impl<H> IntermediateAggregations<H> {
    /// The answer to `request`, of at most `buckets_max` buckets; `load` turns hits that are left into documents,
    /// or into nothing if one cannot be read.
    pub fn finish_with<E: From<TooManyBuckets>>(
        self,
        request: &Aggregations,
        buckets_max: usize,
        load: &mut dyn FnMut(H) -> Result<Option<Document>, E>,
    ) -> Result<AggregationResults, E> {
        Finish { buckets_max, buckets: 0, load }.aggregations(self, request)
    }
}

struct Finish<'a, H, E> {
    buckets_max: usize,
    buckets: usize,
    load: &'a mut dyn FnMut(H) -> Result<Option<Document>, E>,
}

impl<H, E: From<TooManyBuckets>> Finish<'_, H, E> {
    fn aggregations(
        &mut self,
        aggs: IntermediateAggregations<H>,
        request: &Aggregations,
    ) -> Result<AggregationResults, E> {
        let mut results = Vec::with_capacity(aggs.0.len());
        for (result, (name, aggregation)) in aggs.0.into_iter().zip(&request.0) {
            results.push((name.clone(), self.aggregation(result, aggregation)?));
        }
        Ok(AggregationResults(results))
    }

    fn aggregation(
        &mut self,
        result: IntermediateAggregation<H>,
        request: &Aggregation,
    ) -> Result<AggregationResult, E> {
        Ok(match result {
            IntermediateAggregation::Keyed(buckets) => AggregationResult::Buckets(match &request.kind {
                AggregationKind::DateHistogram { interval_us, bounds_us, .. } => {
                    self.histogram(buckets, *interval_us, *bounds_us, &request.aggs)?
                }
                AggregationKind::Terms { size, order, .. } | AggregationKind::MultiTerms { size, order, .. } => {
                    self.terms(buckets, *size, order, &request.aggs)?
                }
                _ => panic!("result of a different request"),
            }),
            IntermediateAggregation::Fixed(buckets) => {
                let mut results = Vec::with_capacity(buckets.len());
                for (index, bucket) in buckets.into_iter().enumerate() {
                    results.push(self.bucket(fixed_key(&request.kind, index), bucket, &request.aggs)?);
                }
                AggregationResult::Buckets(results)
            }
            IntermediateAggregation::Stats(stats) => AggregationResult::Value(metric(&stats, &request.kind)),
            IntermediateAggregation::Distinct(distinct) => AggregationResult::Value(Some(distinct.count())),
            IntermediateAggregation::Percentiles(sketch) => {
                let AggregationKind::Percentiles { percents, .. } = &request.kind else {
                    panic!("result of a different request")
                };
                let value = |percent: f64| percentile(sketch.as_deref()?, percent);
                AggregationResult::Percentiles(percents.iter().map(|p| (*p, value(*p))).collect())
            }
            IntermediateAggregation::Top(top) => {
                let documents: Result<_, E> =
                    top.into_entries().filter_map(|(_, hit)| (self.load)(hit).transpose()).collect();
                AggregationResult::TopHits(documents?)
            }
            IntermediateAggregation::Table(table) => {
                self.count(table.cells())?;
                AggregationResult::Table(table)
            }
            IntermediateAggregation::Points(sample) => {
                let AggregationKind::Points { fields, .. } = &request.kind else {
                    panic!("result of a different request")
                };
                self.count(sample.len())?;
                AggregationResult::Points(sample.into_points(fields))
            }
        })
    }

    fn count(&mut self, buckets: usize) -> Result<(), E> {
        self.buckets += buckets;
        if self.buckets > self.buckets_max { Err(TooManyBuckets(self.buckets_max).into()) } else { Ok(()) }
    }

    fn terms(
        &mut self,
        buckets: HashMap<Key, IntermediateBucket<H>>,
        size: usize,
        order: &TermsOrder,
        aggs: &Aggregations,
    ) -> Result<Vec<Bucket>, E> {
        let mut buckets: Vec<_> = buckets.into_iter().collect();
        match order {
            TermsOrder::CountDescending => {
                buckets.sort_unstable_by(|(key_a, a), (key_b, b)| {
                    b.doc_count.cmp(&a.doc_count).then_with(|| key_a.cmp(key_b))
                });
            }
            TermsOrder::KeyAscending => buckets.sort_unstable_by(|(a, _), (b, _)| a.cmp(b)),
            TermsOrder::MetricDescending(name) => {
                buckets.sort_by_cached_key(|(key, bucket)| {
                    // Buckets without a value come last.
                    let bits = order_metric(&bucket.aggs, name, aggs).map_or(0, ordered_bits);
                    (Reverse(bits), Reverse(bucket.doc_count), key.clone())
                });
            }
        }
        buckets.truncate(size);
        buckets.into_iter().map(|(key, bucket)| self.bucket(key.into(), bucket, aggs)).collect()
    }

    fn histogram(
        &mut self,
        mut buckets: HashMap<Key, IntermediateBucket<H>>,
        interval_us: i64,
        bounds_us: Option<(i64, i64)>,
        aggs: &Aggregations,
    ) -> Result<Vec<Bucket>, E> {
        let bounds = bounds_us.into_iter().flat_map(|(first, last)| [first, last]);
        let starts = buckets.keys().filter_map(|key| if let Key::Long(start) = key { Some(*start) } else { None });
        let starts = starts.chain(bounds.map(|us| interval_start(us, interval_us)));
        let (first, last) =
            starts.fold((i64::MAX, i64::MIN), |(first, last), start| (first.min(start), last.max(start)));
        if first > last {
            return Ok(Vec::new());
        }
        let count = (i128::from(last) - i128::from(first)) / i128::from(interval_us.max(1)) + 1;
        if count > (self.buckets_max - self.buckets) as i128 {
            return Err(TooManyBuckets(self.buckets_max).into());
        }
        let mut results = Vec::with_capacity(count as usize);
        for i in 0..count as i64 {
            let start = first.saturating_add(i.saturating_mul(interval_us));
            let bucket = buckets.remove(&Key::Long(start)).unwrap_or_else(|| IntermediateBucket::empty(aggs));
            results.push(self.bucket(BucketKey::Long(start), bucket, aggs)?);
        }
        Ok(results)
    }

    fn bucket(&mut self, key: BucketKey, bucket: IntermediateBucket<H>, aggs: &Aggregations) -> Result<Bucket, E> {
        self.count(1)?;
        Ok(Bucket { key, doc_count: bucket.doc_count, aggs: self.aggregations(bucket.aggs, aggs)? })
    }
}

/// First instant of the interval of a date histogram that `us` lies in.
pub fn interval_start(us: i64, interval_us: i64) -> i64 {
    us.div_euclid(interval_us.max(1)).saturating_mul(interval_us)
}

fn fixed_key(kind: &AggregationKind, index: usize) -> BucketKey {
    match kind {
        AggregationKind::Range { ranges, .. } => BucketKey::Range(ranges[index].0, ranges[index].1),
        AggregationKind::Filters(filters) => BucketKey::Str(filters[index].0.clone()),
        _ => BucketKey::Str(String::new()),
    }
}

fn metric(stats: &Stats, kind: &AggregationKind) -> Option<f64> {
    let some = |value| (stats.count > 0).then_some(value);
    match kind {
        AggregationKind::Avg(_) => some(stats.sum / stats.count as f64),
        AggregationKind::Min(_) => some(stats.min),
        AggregationKind::Max(_) => some(stats.max),
        AggregationKind::Sum(_) => Some(stats.sum),
        AggregationKind::ValueCount(_) => Some(stats.count as f64),
        _ => panic!("result of a different request"),
    }
}

/// The metric `name` inside a bucket, of which `aggs` was asked; of percentiles the first.
pub fn order_metric<H>(bucket: &IntermediateAggregations<H>, name: &str, aggs: &Aggregations) -> Option<f64> {
    let index = aggs.0.iter().position(|(n, _)| n == name)?;
    let kind = &aggs.0[index].1.kind;
    match (&bucket.0[index], kind) {
        (IntermediateAggregation::Stats(stats), kind) => metric(stats, kind),
        (IntermediateAggregation::Distinct(distinct), _) => Some(distinct.count()),
        (IntermediateAggregation::Percentiles(sketch), AggregationKind::Percentiles { percents, .. }) => {
            percentile(sketch.as_deref()?, *percents.first()?)
        }
        _ => None,
    }
}

/// A percentile, interpolated between the two values around it as Elasticsearch does. The sketch alone takes the lower one,
/// which for two values makes the 99th percentile of them the smaller.
fn percentile(sketch: &DDSketch, percent: f64) -> Option<f64> {
    let (min, max) = (sketch.min()?, sketch.max()?);
    let last = sketch.count().saturating_sub(1) as f64;
    let position = percent / 100.0 * last;
    let at_rank = |rank: f64| {
        if rank <= 0.0 {
            return Some(min);
        }
        if rank >= last {
            return Some(max);
        }
        // Half a rank more, so that rounding does not take the one before.
        sketch.quantile((rank + 0.5) / last).ok()?
    };
    let (below, above) = (at_rank(position.floor())?, at_rank(position.ceil())?);
    if below < 0.0 && above > 0.0 {
        // In between, small errors of both would be a large one of their sum.
        return Some(below);
    }
    Some((below + (above - below) * position.fract()).clamp(min, max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_few_values_lie_between_them() {
        let check = |values: &[f64], percent: f64, expected: f64| {
            let mut sketch = DDSketch::default();
            for value in values {
                sketch.add(*value);
            }
            let found = percentile(&sketch, percent).unwrap();
            assert!(
                (found - expected).abs() <= 0.01 * expected.abs(),
                "p{percent} of {values:?}: {found}, not {expected}"
            );
        };
        check(&[980.0], 95.0, 980.0);
        check(&[980.0, 1790.0], 50.0, 1385.0);
        check(&[980.0, 1790.0], 95.0, 1749.5);
        check(&[1.0, 2.0, 3.0, 4.0, 5.0], 50.0, 3.0);
        check(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.0, 1.0);
        check(&[1.0, 2.0, 3.0, 4.0, 5.0], 100.0, 5.0);
        check(&[-5.0, -1.0, 0.0], 25.0, -3.0);
    }
}
