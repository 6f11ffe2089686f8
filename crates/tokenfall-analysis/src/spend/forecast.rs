//! What a month will have cost.
//!
//! Each day that is still to come costs what such a day cost on average: the same day of the week where there are two whole weeks to learn
//! from, else any day, of the last 28 whole days. The range around it is that of a sum of independent days, and of the mean that
//! was estimated from `n` of them: `z · s · √(d + d²/n)` for `d` days to come and the standard deviation `s` of the days around their mean.

use jiff::civil::Date;
use tokenfall_api::spend::Forecast;
use tokenfall_model::{Timestamp, Usd, fields};
use tokenfall_query::{AggregationKind, Aggregations, SearchRequest, TimeRange};
use tokenfall_store::{Search, SearchError};

use super::{DAY_US, figures};
use crate::scope::Scope;
use crate::selection::Selection;

/// Whole days to learn from, at most.
const DAYS_MAX: i64 = 28;
/// Fewest whole days for a forecast, and for one by the day of the week.
const DAYS_MIN: usize = 2;
const WEEKDAY_DAYS_MIN: usize = 14;
/// 90 % quantile of the normal distribution: the range holds four cases of five.
const Z_80: f64 = 1.281_551_565_544_600_5;

/// The forecast of the month in which the range ends; the end of the range is now.
pub(super) fn forecast(
    search: &dyn Search,
    scope: &Scope,
    selection: &Selection,
) -> Result<(Option<Forecast>, bool), SearchError> {
    let Some(month) = Month::of(scope.time.to) else { return Ok((None, true)) };
    let today = month.now_us.div_euclid(DAY_US);
    let from_us = (today - DAYS_MAX).min(month.start_us.div_euclid(DAY_US)) * DAY_US;
    let time = TimeRange { from: Timestamp::from_micros(from_us), to: scope.time.to };
    let wide = Scope { time, environment: scope.environment.clone() };
    let (request, usd) = if selection.is_of_transactions() {
        (selection.carriers(&wide), figures::carrier_usd())
    } else {
        (selection.costs(&wide), AggregationKind::sum(fields::COST_PICO_USD).leaf())
    };
    let by_day = AggregationKind::DateHistogram {
        field: fields::TIMESTAMP.name.to_owned(),
        interval_us: DAY_US,
        bounds_us: None,
    };
    let by_day = by_day.with(Aggregations::new().with(figures::USD, usd));
    let response = search.search(&SearchRequest { aggs: Aggregations::new().with("days", by_day), ..request })?;
    let days: Vec<(i64, Usd)> = response
        .aggs
        .buckets("days")
        .iter()
        .filter_map(|bucket| {
            Some((bucket.key.as_long()?.div_euclid(DAY_US), figures::money(&bucket.aggs, figures::USD)))
        })
        .collect();
    Ok((month.forecast(&days), response.complete))
}

/// A month and the moment in it from which is looked ahead, in microseconds since the epoch.
#[derive(Clone, Copy, Debug)]
struct Month {
    first: Date,
    start_us: i64,
    end_us: i64,
    now_us: i64,
}

impl Month {
    fn of(end: Timestamp) -> Option<Self> {
        let now_us = end.as_micros().checked_sub(1)?;
        let first =
            jiff::Timestamp::from_microsecond(now_us).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date().first_of_month();
        let at = |date: Date| Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond());
        let next = first.last_of_month().tomorrow().ok()?;
        Some(Self { first, start_us: at(first)?, end_us: at(next)?, now_us: end.as_micros() })
    }

    /// `days`: days since the epoch with their spend, ascending; days without spend may be missing.
    fn forecast(self, days: &[(i64, Usd)]) -> Option<Forecast> {
        let today = self.now_us.div_euclid(DAY_US);
        let of_day = |day: i64| days.iter().find(|(d, _)| *d == day).map_or(Usd::ZERO, |(_, usd)| *usd);
        let spent: Usd = days.iter().filter(|(day, _)| *day * DAY_US >= self.start_us).map(|(_, usd)| *usd).sum();
        // The first day with spend may have begun in the middle.
        let first = days.iter().find(|(_, usd)| *usd != Usd::ZERO)?.0 + 1;
        let known: Vec<(i64, f64)> =
            (first.max(today - DAYS_MAX)..today).map(|day| (day, of_day(day).to_f64())).collect();
        if known.len() < DAYS_MIN {
            return None;
        }
        let mean_of = |is_in: &dyn Fn(i64) -> bool| {
            let values: Vec<f64> = known.iter().filter(|(day, _)| is_in(*day)).map(|(_, usd)| *usd).collect();
            values.iter().sum::<f64>() / values.len().max(1) as f64
        };
        let expected_of = |day: i64| {
            if known.len() >= WEEKDAY_DAYS_MIN {
                mean_of(&|d| (d - day).rem_euclid(7) == 0)
            } else {
                mean_of(&|_| true)
            }
        };
        let rest_of_today = ((today + 1) * DAY_US - self.now_us) as f64 / DAY_US as f64;
        let to_come = today + 1..self.end_us.div_euclid(DAY_US);
        let expected: f64 = expected_of(today) * rest_of_today + to_come.clone().map(expected_of).sum::<f64>();
        let (n, ahead) = (known.len() as f64, to_come.count() as f64 + rest_of_today);
        let around = known.iter().map(|(day, usd)| (usd - expected_of(*day)).powi(2)).sum::<f64>();
        let deviation = (around / (n - 1.0)).sqrt();
        let half = Z_80 * deviation * (ahead + ahead * ahead / n).sqrt();
        let on_top = |usd: f64| spent + Usd::from_f64(usd.max(0.0)).unwrap_or_default();
        Some(Forecast {
            month: format!("{:04}-{:02}", self.first.year(), self.first.month()),
            spent_usd: spent,
            expected_usd: on_top(expected),
            low_usd: on_top(expected - half),
            high_usd: on_top(expected + half),
            days: u32::try_from(known.len()).unwrap_or(u32::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast_at(now: &str, days: &[(&str, i64)]) -> Option<(String, String, String)> {
        let days: Vec<(i64, Usd)> = days
            .iter()
            .map(|(day, usd)| {
                let at = Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")).unwrap();
                (at.as_micros() / DAY_US, Usd::from_pico(i128::from(*usd) * 1_000_000_000_000))
            })
            .collect();
        let forecast = Month::of(Timestamp::parse_rfc3339(now).unwrap()).unwrap().forecast(&days)?;
        Some((forecast.month, forecast.spent_usd.to_string(), forecast.expected_usd.to_string()))
    }

    #[test]
    fn equal_days_go_on() {
        let days = [("2026-11-01", 1), ("2026-11-02", 2), ("2026-11-03", 2), ("2026-11-04", 2), ("2026-11-05", 1)];
        // Half of the fifth day and 25 further ones, of 2 USD each.
        assert_eq!(forecast_at("2026-11-05T12:00:00Z", &days), Some(("2026-11".into(), "8".into(), "59".into())));
    }

    #[test]
    fn the_month_before_is_learned_from() {
        let days = [("2026-10-28", 9), ("2026-10-29", 3), ("2026-10-30", 3), ("2026-10-31", 3), ("2026-11-01", 1)];
        assert_eq!(
            forecast_at("2026-11-01T12:00:00Z", &days),
            Some(("2026-11".into(), "1".into(), format!("{}", 1.0 + 1.5 + 29.0 * 3.0)))
        );
    }

    #[test]
    fn two_whole_days_are_needed() {
        assert_eq!(forecast_at("2026-11-02T12:00:00Z", &[("2026-11-01", 5)]), None);
        assert_eq!(forecast_at("2026-11-02T12:00:00Z", &[]), None);
    }

    #[test]
    fn weekends_are_weekends() {
        // Sundays cost nothing; 2026-11-01 is one.
        let days: Vec<(String, i64)> =
            (1..=22).map(|d| (format!("2026-11-{d:02}"), if d % 7 == 1 { 0 } else { 7 })).collect();
        let days: Vec<(&str, i64)> = days.iter().map(|(d, usd)| (d.as_str(), *usd)).collect();
        // From Monday the 23rd: seven weekdays and one Sunday are left.
        let (_, spent, expected) = forecast_at("2026-11-23T00:00:00Z", &days).unwrap();
        assert_eq!((spent.as_str(), expected.as_str()), ("126", "175"));
    }
}
