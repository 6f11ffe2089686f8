//! Tokens of answers against duration: points, lines, what is slow for its size.

use std::collections::HashMap;

use tokenfall_api::llm::{
    BandPoint, Per100Tokens, PointOf, SlowForSize, TokenFit, TokenPoints, TokenSources, TokensAnswer,
};
use tokenfall_model::fields::{self, Field};
use tokenfall_model::{Outcome, document::UsageSource};
use tokenfall_query::{AggregationKind, AggregationResults, Aggregations, Filter, Points, SearchRequest};
use tokenfall_store::{Search, SearchError};

use super::calls::row;
use crate::scope::Scope;
use crate::selection::Selection;
use crate::statistics::regression::{LineFit, fit};

/// Fewest points for a line of a model's own.
const MODEL_POINTS_MIN: usize = 10;
/// Models with a line of their own.
const MODELS_MAX: usize = 12;
/// Places at which the band of a line is given.
const BAND_POINTS: usize = 25;
/// Ranges of lengths, about.
const LENGTHS: f64 = 12.0;
/// A point is slow for its size if it lies this many residual scales over its line.
const SLOW_SCALES: f64 = 3.0;
/// Slow points that are listed.
const SLOW_MAX: usize = 20;
/// Microseconds of clock within which a point is looked up again.
const INSTANT_US: f64 = 1.0;

/// One call or transaction.
#[derive(Clone, Copy, Debug)]
struct Point {
    tokens: f64,
    duration_us: f64,
    timestamp_us: f64,
    /// Index into the models; `None` if it is not known.
    model: Option<usize>,
    failed: bool,
}

/// Tokens of answers against duration, with at most `points_max` points.
pub fn tokens(
    search: &dyn Search,
    scope: &Scope,
    selection: &Selection,
    points_max: usize,
) -> Result<TokensAnswer, SearchError> {
    let of = selection.of;
    let request = selection.request(scope).filter(known(of));
    let kind = AggregationKind::Points { fields: columns(of), size: points_max };
    let response = search.search(&SearchRequest { aggs: ask_sources(of).with("points", kind.leaf()), ..request })?;
    let unknown = search.search(&selection.request(scope).filter(not_known(of)))?;
    let empty = Points::default();
    let sample = response.aggs.points("points").unwrap_or(&empty);
    let (points, models) = read(of, sample);
    let lines = lines(&points, models.len());
    let (slow_for_size, slow_complete) = slow_for_size(search, scope, selection, &points, &lines)?;
    Ok(TokensAnswer {
        range: scope.range(),
        of,
        matching: sample.matching,
        unknown: unknown.total,
        fits: fits(&points, &models, &lines),
        per_100_tokens: per_100_tokens(&points),
        slow_for_size,
        sources: sources(of, &response.aggs),
        points: as_columns(&points, models),
        complete: response.complete && unknown.complete && slow_complete,
    })
}

const fn duration_of(of: PointOf) -> Field {
    match of {
        PointOf::Calls => fields::DEPENDENCY_DURATION_US,
        PointOf::Transactions => fields::TRANSACTION_DURATION_US,
    }
}

/// Fields with the tokens of the answer, the better one first.
const fn tokens_of(of: PointOf) -> &'static [Field] {
    match of {
        PointOf::Calls => &[fields::GEN_AI_USAGE_OUTPUT_TOKENS],
        PointOf::Transactions => &[fields::LLM_OUTPUT_TOKENS, fields::LLM_TOTAL_TOKENS],
    }
}

/// Columns: duration, begin, model, outcome, then the tokens.
fn columns(of: PointOf) -> Vec<String> {
    [duration_of(of), fields::TIMESTAMP, fields::MODEL, fields::EVENT_OUTCOME]
        .iter()
        .chain(tokens_of(of))
        .map(|field| field.name.to_owned())
        .collect()
}

fn known(of: PointOf) -> Filter {
    Filter::Or(tokens_of(of).iter().map(|field| Filter::range(*field, Some(1.0), None)).collect())
}

/// Model calls, or transactions with some, whose tokens are not known. A call that failed has none.
fn not_known(of: PointOf) -> Filter {
    let failed = Filter::term(fields::EVENT_OUTCOME, Outcome::Failure.as_str());
    let unknown = known(of).negate().and(failed.negate());
    match of {
        PointOf::Calls => unknown,
        PointOf::Transactions => unknown.and(Filter::exists(fields::LLM_GENERATIONS)),
    }
}

fn read(of: PointOf, sample: &Points) -> (Vec<Point>, Vec<String>) {
    let (dictionary, model_of) = sample.texts(2);
    let (outcomes, outcome_of) = sample.texts(3);
    let number = |column: usize, i: usize| sample.numbers(column).get(i).copied().flatten();
    let text = |values: &[Option<u32>], i: usize| values.get(i).copied().flatten().map(|index| index as usize);
    let mut points = Vec::with_capacity(sample.len());
    for i in 0..sample.len() {
        let tokens = (4..4 + tokens_of(of).len()).find_map(|column| number(column, i));
        let (Some(tokens), Some(duration_us), Some(timestamp_us)) = (tokens, number(0, i), number(1, i)) else {
            continue;
        };
        let outcome = text(outcome_of, i).and_then(|index| outcomes.get(index));
        let failed = outcome.is_some_and(|outcome| outcome == Outcome::Failure.as_str());
        points.push(Point { tokens, duration_us, timestamp_us, model: text(model_of, i), failed });
    }
    let models = by_frequency(&mut points, dictionary);
    (points, models)
}

/// Orders the models by their number of points.
fn by_frequency(points: &mut [Point], dictionary: &[String]) -> Vec<String> {
    let mut counts = vec![0_usize; dictionary.len()];
    for model in points.iter().filter_map(|point| point.model) {
        if let Some(count) = counts.get_mut(model) {
            *count += 1;
        }
    }
    let mut order: Vec<usize> = (0..dictionary.len()).filter(|model| counts[*model] > 0).collect();
    order.sort_by_key(|model| (std::cmp::Reverse(counts[*model]), &dictionary[*model]));
    let places: HashMap<usize, usize> = order.iter().enumerate().map(|(place, model)| (*model, place)).collect();
    for point in points {
        point.model = point.model.and_then(|model| places.get(&model).copied());
    }
    order.into_iter().map(|model| dictionary[model].clone()).collect()
}

/// The line of all points and those of the first models.
struct Lines {
    all: Option<LineFit>,
    models: Vec<Option<LineFit>>,
}

impl Lines {
    /// The line that a point is measured by.
    fn of(&self, point: Point) -> Option<&LineFit> {
        point.model.and_then(|model| self.models.get(model)?.as_ref()).or(self.all.as_ref())
    }
}

/// Calls that failed broke off at some point, so they say nothing about how long an answer takes.
fn lines(points: &[Point], models: usize) -> Lines {
    let line = |is_in: &dyn Fn(&Point) -> bool, points_min: usize| {
        let xy: Vec<(f64, f64)> =
            points.iter().filter(|p| !p.failed && is_in(p)).map(|p| (p.tokens, p.duration_us)).collect();
        if xy.len() < points_min { None } else { fit(&xy) }
    };
    let of_model = |model: usize| line(&|point: &Point| point.model == Some(model), MODEL_POINTS_MIN);
    Lines { all: line(&|_| true, MODEL_POINTS_MIN), models: (0..models.min(MODELS_MAX)).map(of_model).collect() }
}

fn fits(points: &[Point], models: &[String], lines: &Lines) -> Vec<TokenFit> {
    let of = |model: Option<usize>, line: &LineFit| {
        let tokens = points.iter().filter(|p| !p.failed && (model.is_none() || p.model == model)).map(|p| p.tokens);
        let (low, high, count) =
            tokens.fold((f64::MAX, 0.0_f64, 0), |(low, high, n), t| (low.min(t), high.max(t), n + 1));
        TokenFit {
            model: model.and_then(|model| models.get(model).cloned()),
            count,
            intercept_us: line.intercept,
            intercept_error_us: line.intercept_error,
            us_per_token: line.slope,
            us_per_token_error: line.slope_error,
            seconds_per_100_tokens: line.slope / 1e4,
            r_squared: line.r_squared.is_finite().then_some(line.r_squared),
            residual_us: line.residual,
            band: band(line, low, high),
        }
    };
    let all = lines.all.iter().map(|line| of(None, line));
    let by_model = lines.models.iter().enumerate().filter_map(|(model, line)| Some(of(Some(model), line.as_ref()?)));
    all.chain(by_model).collect()
}

fn band(line: &LineFit, low: f64, high: f64) -> Vec<BandPoint> {
    let step = (high - low) / (BAND_POINTS - 1) as f64;
    (0..BAND_POINTS)
        .map(|i| {
            let tokens = low + step * i as f64;
            let (low_us, fit_us, high_us) = line.band(tokens);
            BandPoint { tokens, low_us, fit_us, high_us }
        })
        .collect()
}

/// Duration per 100 tokens by length of the answer, in ranges of a round width.
fn per_100_tokens(points: &[Point]) -> Vec<Per100Tokens> {
    let longest = points.iter().map(|p| p.tokens).fold(0.0, f64::max);
    let width = round_width(longest / LENGTHS);
    let mut ranges: std::collections::BTreeMap<u64, Vec<f64>> = std::collections::BTreeMap::new();
    for point in points.iter().filter(|p| !p.failed && p.tokens >= 1.0) {
        let range = (point.tokens / width as f64) as u64;
        ranges.entry(range).or_default().push(point.duration_us / point.tokens * 100.0);
    }
    ranges
        .into_iter()
        .map(|(range, mut durations)| {
            durations.sort_by(f64::total_cmp);
            let at = |share: f64| {
                let place = (share * (durations.len() - 1) as f64).round() as usize;
                durations.get(place).copied().unwrap_or(0.0)
            };
            Per100Tokens {
                from_tokens: (range * width).max(1),
                to_tokens: (range + 1) * width,
                count: durations.len() as u64,
                p10_us: at(0.1),
                p50_us: at(0.5),
                p90_us: at(0.9),
            }
        })
        .collect()
}

/// The next of 1, 2, 5, 10, 20, 50 …
fn round_width(least: f64) -> u64 {
    let mut width = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            if width.saturating_mul(factor) as f64 >= least {
                return width.saturating_mul(factor);
            }
        }
        width = width.saturating_mul(10);
    }
}

/// The points that lie farthest over the line of their model. Points have no ids, so their events are found by begin and duration.
fn slow_for_size(
    search: &dyn Search,
    scope: &Scope,
    selection: &Selection,
    points: &[Point],
    lines: &Lines,
) -> Result<(Vec<SlowForSize>, bool), SearchError> {
    let excess = |point: &Point| {
        let line = lines.of(*point)?;
        let excess = point.duration_us - line.at(point.tokens);
        (!point.failed && excess > SLOW_SCALES * line.residual && excess > 0.0).then_some((excess, *point))
    };
    let mut slow: Vec<(f64, Point)> = points.iter().filter_map(excess).collect();
    slow.sort_by(|a, b| b.0.total_cmp(&a.0));
    slow.truncate(SLOW_MAX);
    if slow.is_empty() {
        return Ok((Vec::new(), true));
    }
    let one = |(_, point): &(f64, Point)| {
        let (begin, duration) = (point.timestamp_us, point.duration_us);
        Filter::range(fields::TIMESTAMP, Some(begin), Some(begin + INSTANT_US)).and(Filter::range(
            duration_of(selection.of),
            Some(duration),
            Some(duration + INSTANT_US),
        ))
    };
    let filter = Filter::Or(slow.iter().map(one).collect());
    let request = selection.request(scope).filter(known(selection.of)).filter(filter);
    let response = search.search(&request.hits(SLOW_MAX, Vec::new()).without_stack_traces())?;
    let mut rows: Vec<SlowForSize> = response
        .hits
        .iter()
        .filter_map(|document| {
            let call = row(document)?;
            let (excess_us, point) = slow.iter().find(|(_, point)| {
                point.timestamp_us as i64 == call.timestamp_us && point.duration_us as u64 == call.duration_us
            })?;
            Some(SlowForSize { expected_us: point.duration_us - excess_us, excess_us: *excess_us, call })
        })
        .collect();
    rows.sort_by(|a, b| b.excess_us.total_cmp(&a.excess_us));
    Ok((rows, response.complete))
}

fn ask_sources(of: PointOf) -> Aggregations {
    match of {
        PointOf::Calls => {
            let tokens = AggregationKind::sum(fields::GEN_AI_USAGE_OUTPUT_TOKENS).leaf();
            let by_source = AggregationKind::terms(fields::USAGE_SOURCE, UsageSource::ALL.len());
            Aggregations::new().with("sources", by_source.with(Aggregations::new().with("tokens", tokens)))
        }
        PointOf::Transactions => TRANSACTION_SOURCES.iter().fold(Aggregations::new(), |aggs, (source, field)| {
            aggs.with(source.as_str(), AggregationKind::sum(*field).leaf())
        }),
    }
}

const TRANSACTION_SOURCES: [(UsageSource, Field); 4] = [
    (UsageSource::Reported, fields::LLM_REPORTED_TOKENS),
    (UsageSource::Counted, fields::LLM_COUNTED_TOKENS),
    (UsageSource::Derived, fields::LLM_DERIVED_TOKENS),
    (UsageSource::Estimated, fields::LLM_ESTIMATED_TOKENS),
];

fn sources(of: PointOf, aggs: &AggregationResults) -> TokenSources {
    let tokens = |source: UsageSource| match of {
        PointOf::Calls => aggs.bucket("sources", source.as_str()).and_then(|bucket| bucket.aggs.value("tokens")),
        PointOf::Transactions => aggs.value(source.as_str()),
    };
    let whole = |source| tokens(source).unwrap_or(0.0) as u64;
    TokenSources {
        reported: whole(UsageSource::Reported),
        counted: whole(UsageSource::Counted),
        derived: whole(UsageSource::Derived),
        estimated: whole(UsageSource::Estimated),
    }
}

fn as_columns(points: &[Point], models: Vec<String>) -> TokenPoints {
    TokenPoints {
        tokens: points.iter().map(|p| p.tokens as u64).collect(),
        duration_us: points.iter().map(|p| p.duration_us as u64).collect(),
        timestamp_us: points.iter().map(|p| p.timestamp_us as i64).collect(),
        model: points.iter().map(|p| p.model.and_then(|model| i32::try_from(model).ok()).unwrap_or(-1)).collect(),
        failed: points.iter().map(|p| p.failed).collect(),
        models,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(tokens: f64, duration_us: f64, model: usize) -> Point {
        Point { tokens, duration_us, timestamp_us: 0.0, model: Some(model), failed: false }
    }

    #[test]
    fn each_model_has_its_line() {
        // Two models: 600 ms and 40 ms a token, 200 ms and 10 ms a token; one call hung.
        let mut points: Vec<Point> = (1..=100)
            .flat_map(|n| {
                let tokens = f64::from(n);
                [point(tokens, 600_000.0 + 40_000.0 * tokens, 0), point(tokens, 200_000.0 + 10_000.0 * tokens, 1)]
            })
            .collect();
        points.push(point(50.0, 60_000_000.0, 0));
        points.push(Point { failed: true, ..point(80.0, 1.0, 1) });
        let lines = lines(&points, 2);
        let fits = fits(&points, &["a".into(), "b".into()], &lines);
        assert_eq!(fits.iter().map(|f| f.model.as_deref()).collect::<Vec<_>>(), [None, Some("a"), Some("b")]);
        assert!((fits[1].us_per_token - 40_000.0).abs() < 1.0 && (fits[1].intercept_us - 600_000.0).abs() < 10.0);
        assert!((fits[2].seconds_per_100_tokens - 1.0).abs() < 1e-6);
        assert_eq!(fits[2].count, 100, "the call that failed is left out");
        assert_eq!((fits[1].band.len(), fits[1].band[0].tokens), (BAND_POINTS, 1.0));
    }

    #[test]
    fn duration_for_100_tokens_is_flat() {
        let points: Vec<Point> = (1..=600).map(|n| point(f64::from(n), 40_000.0 * f64::from(n), 0)).collect();
        let ranges = per_100_tokens(&points);
        assert_eq!(ranges.iter().map(|r| r.count).sum::<u64>(), 600);
        assert!(ranges.iter().all(|r| (r.p50_us - 4e6).abs() < 1.0), "{ranges:?}");
        assert!(ranges.windows(2).all(|pair| pair[0].to_tokens == pair[1].from_tokens), "{ranges:?}");
        assert!(per_100_tokens(&[]).is_empty());
    }

    #[test]
    fn widths_are_round() {
        for (least, width) in [(0.0, 1), (1.5, 2), (3.0, 5), (42.0, 50), (51.0, 100)] {
            assert_eq!(round_width(least), width);
        }
    }
}
