//! Latency, throughput and failure rate of a set of events, as a whole and over time.

use tokenfall_api::SeriesAxis;
use tokenfall_api::common::{Summary, SummarySeries};
use tokenfall_model::fields::{self, Field};
use tokenfall_query::{AggregationKind, AggregationResults, Aggregations, TimeRange};

use crate::axis::{minutes, over_time, position};

/// Name of the buckets over time.
pub(crate) const OVER_TIME: &str = "over_time";

const COUNT: &str = "count";
const AVG: &str = "avg";
const PERCENTILES: &str = "percentiles";
const OUTCOMES: &str = "outcomes";

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    /// Duration of one event.
    pub(crate) duration: Field,
    /// How many events a document stands for.
    pub(crate) weight: Field,
}

/// Transactions.
pub(crate) const TRANSACTIONS: Measure =
    Measure { duration: fields::TRANSACTION_DURATION_US, weight: fields::TRANSACTION_REPRESENTATIVE_COUNT };

impl Measure {
    /// Adds what [`Measure::summary`] reads.
    pub(crate) fn ask(self, aggs: Aggregations) -> Aggregations {
        self.ask_percentiles(aggs, &[50.0, 95.0, 99.0])
    }

    fn ask_percentiles(self, aggs: Aggregations, percents: &[f64]) -> Aggregations {
        aggs.with(COUNT, AggregationKind::sum(self.weight).leaf())
            .with(AVG, AggregationKind::avg(self.duration).leaf())
            .with(PERCENTILES, AggregationKind::percentiles(self.duration, percents).leaf())
            .with(OUTCOMES, AggregationKind::terms(fields::EVENT_OUTCOME, 3).leaf())
    }

    /// Adds what [`Measure::series`] reads.
    pub(crate) fn ask_series(self, aggs: Aggregations, axis: SeriesAxis) -> Aggregations {
        let inside = self.ask_percentiles(Aggregations::new(), &[95.0, 99.0]);
        aggs.with(OVER_TIME, over_time(axis).with(inside))
    }

    /// Figures of all events.
    pub(crate) fn summary(aggs: &AggregationResults, minutes: f64) -> Summary {
        let count = aggs.value(COUNT).unwrap_or(0.0);
        Summary {
            count,
            latency_avg_us: aggs.value(AVG),
            latency_p50_us: aggs.percentile(PERCENTILES, 50.0),
            latency_p95_us: aggs.percentile(PERCENTILES, 95.0),
            latency_p99_us: aggs.percentile(PERCENTILES, 99.0),
            throughput_per_minute: count / minutes,
            failure_rate: failure_rate(aggs),
        }
    }

    /// Figures of each bucket.
    pub(crate) fn series(aggs: &AggregationResults, axis: SeriesAxis, time: TimeRange) -> SummarySeries {
        let mut series = empty_series(axis);
        let minutes: Vec<f64> = minutes(axis, time).collect();
        for bucket in aggs.buckets(OVER_TIME) {
            let Some(i) = position(axis, bucket) else { continue };
            set(&mut series, i, &Self::summary(&bucket.aggs, minutes[i]));
        }
        series
    }
}

/// Series of nothing.
pub(crate) fn empty_series(axis: SeriesAxis) -> SummarySeries {
    SummarySeries {
        latency_avg_us: vec![None; axis.buckets],
        latency_p95_us: vec![None; axis.buckets],
        latency_p99_us: vec![None; axis.buckets],
        throughput_per_minute: vec![0.0; axis.buckets],
        failure_rate: vec![None; axis.buckets],
    }
}

/// Puts the figures of one bucket into the series.
pub(crate) fn set(series: &mut SummarySeries, i: usize, figures: &Summary) {
    series.latency_avg_us[i] = figures.latency_avg_us;
    series.latency_p95_us[i] = figures.latency_p95_us;
    series.latency_p99_us[i] = figures.latency_p99_us;
    series.throughput_per_minute[i] = figures.throughput_per_minute;
    series.failure_rate[i] = figures.failure_rate;
}

/// failure / (success + failure) of the documents.
fn failure_rate(aggs: &AggregationResults) -> Option<f64> {
    let count = |outcome| aggs.bucket(OUTCOMES, outcome).map_or(0, |bucket| bucket.doc_count) as f64;
    let (failed, succeeded) = (count("failure"), count("success"));
    (failed + succeeded > 0.0).then(|| failed / (failed + succeeded))
}

/// Part of a whole; zero of nothing.
pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 }
}
