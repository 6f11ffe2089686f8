//! The common time axis of all series of an answer.

use tokenfall_api::SeriesAxis;
use tokenfall_model::fields;
use tokenfall_query::{AggregationKind, Bucket, TimeRange};

const SECOND_US: i128 = 1_000_000;
const DAY_US: i128 = 86_400 * SECOND_US;

/// Widths that people expect, in seconds. Longer ones are doubled months.
const NICE_SECONDS: &[i128] =
    &[1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, 86_400, 7 * 86_400, 30 * 86_400];

/// Most buckets of an axis, the two that are cut by the ends of the range not counted.
const BUCKETS_MAX: i128 = 90;

/// The axis of a time range: 30 to 90 buckets of a round width for the usual ranges, aligned with the epoch.
pub fn axis_of(time: TimeRange) -> SeriesAxis {
    let (from, to) = (i128::from(time.from.as_micros()), i128::from(time.to.as_micros()));
    let length = (to - from).max(1);
    let nice = NICE_SECONDS.iter().map(|s| s * SECOND_US).find(|us| length <= us * BUCKETS_MAX);
    let width = nice.unwrap_or_else(|| {
        let mut width = 30 * DAY_US;
        while length > width * BUCKETS_MAX {
            width *= 2;
        }
        width
    });
    let start = from.div_euclid(width) * width;
    let buckets = (from + length - start + width - 1) / width;
    SeriesAxis {
        start_us: i64::try_from(start).unwrap_or(i64::MIN),
        bucket_us: i64::try_from(width).unwrap_or(i64::MAX),
        buckets: usize::try_from(buckets).unwrap_or(1),
    }
}

/// Buckets over the axis.
pub(crate) fn over_time(axis: SeriesAxis) -> AggregationKind {
    AggregationKind::DateHistogram {
        field: fields::TIMESTAMP.name.to_owned(),
        interval_us: axis.bucket_us,
        bounds_us: None,
    }
}

/// Position of a bucket of [`over_time`] on the axis.
pub(crate) fn position(axis: SeriesAxis, bucket: &Bucket) -> Option<usize> {
    let since = i128::from(bucket.key.as_long()?) - i128::from(axis.start_us);
    let position = usize::try_from(since / i128::from(axis.bucket_us.max(1))).ok()?;
    (since >= 0 && position < axis.buckets).then_some(position)
}

/// Minutes of the range that lie in each bucket: the first and the last one are cut.
pub(crate) fn minutes(axis: SeriesAxis, time: TimeRange) -> impl Iterator<Item = f64> {
    let (from, to) = (i128::from(time.from.as_micros()), i128::from(time.to.as_micros()));
    (0..axis.buckets as i128).map(move |i| {
        let begin = i128::from(axis.start_us) + i * i128::from(axis.bucket_us);
        let end = begin + i128::from(axis.bucket_us);
        ((end.min(to) - begin.max(from)).max(1)) as f64 / 60e6
    })
}

/// One number for each bucket of the axis.
pub(crate) fn counts(axis: SeriesAxis, buckets: &[Bucket]) -> Vec<u64> {
    let mut counts = vec![0; axis.buckets];
    for bucket in buckets {
        if let Some(position) = position(axis, bucket) {
            counts[position] = bucket.doc_count;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use tokenfall_model::Timestamp;

    use super::*;

    fn axis(from_us: i64, to_us: i64) -> SeriesAxis {
        axis_of(TimeRange { from: Timestamp::from_micros(from_us), to: Timestamp::from_micros(to_us) })
    }

    #[test]
    fn usual_ranges_have_round_buckets() {
        let now = 1_700_000_000_123_456;
        for (minutes, width_s) in [(1, 1), (15, 10), (60, 60), (24 * 60, 1_800), (7 * 24 * 60, 3 * 3_600)] {
            let axis = axis(now - minutes * 60_000_000, now);
            assert_eq!(axis.bucket_us, width_s * 1_000_000, "{minutes} minutes");
            assert!((40..=92).contains(&axis.buckets), "{minutes} minutes: {}", axis.buckets);
            assert!(axis.start_us <= now - minutes * 60_000_000);
            assert!(axis.start_us + axis.buckets as i64 * axis.bucket_us >= now);
        }
    }

    #[test]
    fn any_range_has_an_axis() {
        for (from, to) in [(i64::MIN, i64::MAX), (0, 0), (5, 4), (i64::MAX - 1, i64::MAX), (i64::MIN, i64::MIN + 1)] {
            let axis = axis(from, to);
            assert!((1..=92).contains(&axis.buckets), "{axis:?}");
        }
    }

    #[test]
    fn cut_buckets_are_shorter() {
        let time = TimeRange { from: Timestamp::from_micros(1_500_000), to: Timestamp::from_micros(3_250_000) };
        let seconds: Vec<f64> = minutes(axis_of(time), time).map(|m| m * 60.0).collect();
        assert_eq!(seconds.len(), 3);
        assert!((seconds[0] - 0.5).abs() < 1e-9 && (seconds[1] - 1.0).abs() < 1e-9 && (seconds[2] - 0.25).abs() < 1e-9);
    }
}
