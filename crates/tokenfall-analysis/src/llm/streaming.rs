//! How answers stream.

use tokenfall_api::SeriesAxis;
use tokenfall_api::llm::{DurationBar, ModelStreaming, RateBar, StreamingAnswer, StreamingFigures, StreamingSeries};
use tokenfall_model::fields::{self, Field};
use tokenfall_query::{
    AggregationKind, AggregationResults, Aggregations, Bucket, BucketKey, Filter, SearchRequest, Sort, TermsOrder,
};
use tokenfall_store::{Search, SearchError};

use super::stalls::stalled;
use crate::axis::{axis_of, over_time, position};
use crate::scope::Scope;
use crate::selection::Selection;
use crate::transactions::bar_edges;

/// Models that are shown.
const MODELS_MAX: usize = 20;
/// Stalled answers that are listed.
const STALLED_MAX: usize = 20;
/// Bars of the distribution of rates, about.
const RATE_BARS: f64 = 30.0;
const SECOND_US: f64 = 1e6;

const FIRST: &str = "first";
const EACH: &str = "each";
const GAPS: &str = "gaps";
const STALLED: &str = "stalled";
const STALLS: &str = "stalls";
const STALL_US: &str = "stall_us";

/// How answers stream.
pub fn streaming(search: &dyn Search, scope: &Scope, selection: &Selection) -> Result<StreamingAnswer, SearchError> {
    let axis = axis_of(scope.time);
    let streamed = || selection.calls(scope).filter(Filter::exists(fields::STREAM_TIME_TO_LAST_CHUNK_US));
    let by_model = AggregationKind::Terms {
        field: fields::MODEL.name.to_owned(),
        size: MODELS_MAX,
        order: TermsOrder::default(),
        missing: Some(String::new()),
        segment_size: None,
    };
    let limits = |aggs: Aggregations, name: &str, field: Field| {
        aggs.with(&format!("{name}_min"), AggregationKind::min(field).leaf())
            .with(&format!("{name}_max"), AggregationKind::max(field).leaf())
    };
    let aggs = figures_asked(Aggregations::new())
        .with("models", by_model.with(figures_asked(Aggregations::new())))
        .with("series", over_time(axis).with(figures_asked(Aggregations::new())));
    let aggs = limits(aggs, FIRST, fields::STREAM_TIME_TO_FIRST_CHUNK_US);
    let aggs = limits(aggs, EACH, fields::STREAM_TIME_PER_OUTPUT_TOKEN_US);
    let response = search.search(&SearchRequest { aggs, ..streamed() })?;
    let all = search.search(&selection.calls(scope))?;
    let worst = streamed()
        .filter(Filter::range(fields::STREAM_STALL_COUNT, Some(1.0), None))
        .hits(STALLED_MAX, vec![Sort::descending(fields::STREAM_STALL_SUM_US)])
        .without_stack_traces();
    let worst = search.search(&worst)?;
    let bars = Bars::of(&response.aggs, response.total);
    let distributions = search.search(&SearchRequest { aggs: bars.ask(), ..streamed() })?;
    Ok(StreamingAnswer {
        range: scope.range(),
        axis,
        total: figures(response.total, &response.aggs),
        models: response
            .aggs
            .buckets("models")
            .iter()
            .map(|bucket| ModelStreaming {
                model: bucket.key.as_str().filter(|model| !model.is_empty()).map(ToOwned::to_owned),
                figures: figures(bucket.doc_count, &bucket.aggs),
            })
            .collect(),
        series: series(axis, response.aggs.buckets("series")),
        time_to_first_token: duration_bars(distributions.aggs.buckets(FIRST)),
        inter_token: duration_bars(distributions.aggs.buckets(EACH)),
        tokens_per_second: bars.rates(distributions.aggs.buckets("rates")),
        stalled: worst.hits.iter().filter_map(stalled).collect(),
        not_streamed: all.total.saturating_sub(response.total),
        complete: response.complete && all.complete && worst.complete && distributions.complete,
    })
}

fn figures_asked(aggs: Aggregations) -> Aggregations {
    let has_stalls = Filter::range(fields::STREAM_STALL_COUNT, Some(1.0), None);
    aggs.with(FIRST, AggregationKind::percentiles(fields::STREAM_TIME_TO_FIRST_CHUNK_US, &[50.0, 95.0, 99.0]).leaf())
        .with(EACH, AggregationKind::percentiles(fields::STREAM_TIME_PER_OUTPUT_TOKEN_US, &[50.0, 95.0]).leaf())
        .with(GAPS, AggregationKind::value_count(fields::STREAM_STALL_COUNT).leaf())
        .with(STALLED, AggregationKind::Filter(has_stalls).leaf())
        .with(STALLS, AggregationKind::sum(fields::STREAM_STALL_COUNT).leaf())
        .with(STALL_US, AggregationKind::sum(fields::STREAM_STALL_SUM_US).leaf())
}

fn figures(calls: u64, aggs: &AggregationResults) -> StreamingFigures {
    let whole = |name: &str| aggs.value(name).unwrap_or(0.0) as u64;
    StreamingFigures {
        calls,
        time_to_first_token_p50_us: aggs.percentile(FIRST, 50.0),
        time_to_first_token_p95_us: aggs.percentile(FIRST, 95.0),
        time_to_first_token_p99_us: aggs.percentile(FIRST, 99.0),
        inter_token_p50_us: aggs.percentile(EACH, 50.0),
        inter_token_p95_us: aggs.percentile(EACH, 95.0),
        tokens_per_second_p50: rate(aggs.percentile(EACH, 50.0)),
        // The slowest twentieth takes longest for a token.
        tokens_per_second_p5: rate(aggs.percentile(EACH, 95.0)),
        with_gaps: whole(GAPS),
        stalled: aggs.bucket(STALLED, "").map_or(0, |bucket| bucket.doc_count),
        stalls: whole(STALLS),
        stall_us: whole(STALL_US),
    }
}

fn rate(us_per_token: Option<f64>) -> Option<f64> {
    us_per_token.filter(|us| *us > 0.0).map(|us| SECOND_US / us)
}

fn series(axis: SeriesAxis, buckets: &[Bucket]) -> StreamingSeries {
    let mut series = StreamingSeries {
        time_to_first_token_p50_us: vec![None; axis.buckets],
        time_to_first_token_p95_us: vec![None; axis.buckets],
        inter_token_p50_us: vec![None; axis.buckets],
        tokens_per_second_p50: vec![None; axis.buckets],
        calls: vec![0; axis.buckets],
        stalls: vec![0; axis.buckets],
    };
    for bucket in buckets {
        let Some(i) = position(axis, bucket) else { continue };
        let figures = figures(bucket.doc_count, &bucket.aggs);
        series.time_to_first_token_p50_us[i] = figures.time_to_first_token_p50_us;
        series.time_to_first_token_p95_us[i] = figures.time_to_first_token_p95_us;
        series.inter_token_p50_us[i] = figures.inter_token_p50_us;
        series.tokens_per_second_p50[i] = figures.tokens_per_second_p50;
        series.calls[i] = figures.calls;
        series.stalls[i] = figures.stalls;
    }
    series
}

/// Edges of the bars of the distributions.
#[derive(Debug, Default)]
struct Bars {
    first: Vec<u64>,
    each: Vec<u64>,
    /// Tokens a second, rising.
    rates: Vec<f64>,
}

impl Bars {
    fn of(aggs: &AggregationResults, answers: u64) -> Self {
        let limits = |name: &str| Some((aggs.value(&format!("{name}_min"))?, aggs.value(&format!("{name}_max"))?));
        let edges = |(low, high): (f64, f64)| bar_edges(low as u64, high as u64, answers);
        let each = limits(EACH).map(|(low, high)| (low.max(1.0), high.max(1.0)));
        Self {
            first: limits(FIRST).map(edges).unwrap_or_default(),
            each: each.map(edges).unwrap_or_default(),
            rates: each.map(|(low, high)| rate_edges(SECOND_US / high, SECOND_US / low)).unwrap_or_default(),
        }
    }

    fn ask(&self) -> Aggregations {
        let ranges = |field: Field, edges: &[u64]| AggregationKind::Range {
            field: field.name.to_owned(),
            ranges: edges.windows(2).map(|pair| (Some(pair[0] as f64), Some(pair[1] as f64))).collect(),
        };
        let each = fields::STREAM_TIME_PER_OUTPUT_TOKEN_US;
        // A rate from `a` to `b` is a time from `1/b` to `1/a`; the smallest rate is inside, so the longest time is, too.
        let of_rate = |pair: &[f64]| {
            let below = if pair[0] > 0.0 { Some((SECOND_US / pair[0]).floor() + 1.0) } else { None };
            (Some((SECOND_US / pair[1]).floor() + 1.0), below)
        };
        let rates = AggregationKind::Range {
            field: each.name.to_owned(),
            ranges: self.rates.windows(2).map(of_rate).collect(),
        };
        Aggregations::new()
            .with(FIRST, ranges(fields::STREAM_TIME_TO_FIRST_CHUNK_US, &self.first).leaf())
            .with(EACH, ranges(each, &self.each).leaf())
            .with("rates", rates.leaf())
    }

    fn rates(&self, buckets: &[Bucket]) -> Vec<RateBar> {
        let pairs = self.rates.windows(2);
        pairs
            .zip(buckets)
            .map(|(pair, bucket)| RateBar { from: pair[0], to: pair[1], count: bucket.doc_count })
            .collect()
    }
}

/// Round edges around the rates, in equal steps.
fn rate_edges(low: f64, high: f64) -> Vec<f64> {
    let step = nice((high - low).max(high * 0.1) / RATE_BARS);
    let (first, last) = ((low / step).floor() as u64, (high / step).floor() as u64 + 1);
    (first..=last.min(first + 10 * RATE_BARS as u64)).map(|i| i as f64 * step).collect()
}

/// The next of … 0.1, 0.2, 0.5, 1, 2, 5, 10 …
fn nice(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1e-9).log10().floor());
    [1.0, 2.0, 5.0].iter().map(|factor| factor * power).find(|step| *step >= least).unwrap_or(10.0 * power)
}

fn duration_bars(buckets: &[Bucket]) -> Vec<DurationBar> {
    let bar = |bucket: &Bucket| match bucket.key {
        BucketKey::Range(Some(from), Some(to)) => {
            Some(DurationBar { from_us: from as u64, to_us: to as u64, count: bucket.doc_count })
        }
        _ => None,
    };
    buckets.iter().filter_map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_round_edges() {
        let edges = rate_edges(19.3, 51.2);
        assert!(edges[0] <= 19.3 && edges.last().is_some_and(|last| *last > 51.2), "{edges:?}");
        assert!((edges[1] - edges[0] - 2.0).abs() < 1e-9, "{edges:?}");
        assert!(rate_edges(25.0, 25.0).len() >= 2);
        assert!(rate_edges(1e-6, 1e6).len() <= 302);
    }

    #[test]
    fn the_ranges_of_rates_tile_the_times() {
        let bars = Bars { rates: vec![0.0, 10.0, 20.0, 40.0], ..Bars::default() };
        let asked = bars.ask();
        let (_, rates) = asked.0.iter().find(|(name, _)| name == "rates").unwrap();
        let AggregationKind::Range { ranges, .. } = &rates.kind else { panic!("ranges") };
        // 100 ms a token are 10 a second, and belong to the bar that begins there.
        assert_eq!(
            ranges[..],
            [(Some(100_001.0), None), (Some(50_001.0), Some(100_001.0)), (Some(25_001.0), Some(50_001.0))]
        );
    }
}
