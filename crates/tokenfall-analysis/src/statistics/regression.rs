//! A straight line through points of which some lie far off: how long an answer takes for its tokens.
//!
//! A few calls that hung, or that were answered from a cache, must not turn the line. It starts from the medians of Theil and Sen and is
//! refined by Tukey's bisquare, which gives points that are further than 4.685 residual scales from the line no weight at all, and
//! loses 5 % of efficiency where the errors are normal.

use super::sample::{Sequence, median};

/// Fewest points of a line.
const POINTS_MIN: usize = 3;
/// Pairs of points whose slopes the start is the median of, at most.
const PAIRS_MAX: usize = 20_000;
/// Tuning constant of the bisquare: 95 % efficiency for normal errors (Holland & Welsch 1977).
const BISQUARE: f64 = 4.685;
/// Makes the median absolute deviation the standard deviation of normal errors: 1/Φ⁻¹(3/4).
const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;
/// Refinements, at most. Ten are usual.
const PASSES_MAX: usize = 60;
/// 97.5 % quantile of the normal distribution: the band holds 95 %.
const Z_95: f64 = 1.959_963_984_540_054;

/// `y = intercept + slope · x`, with what is known about its accuracy. Units are those of the points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineFit {
    /// `y` where `x` is zero.
    pub intercept: f64,
    /// `y` for one more `x`.
    pub slope: f64,
    /// Standard error of the intercept.
    pub intercept_error: f64,
    /// Standard error of the slope.
    pub slope_error: f64,
    /// Share of the variance of `y` that the line explains, with the weights of the bisquare: points that it leaves out do not count.
    pub r_squared: f64,
    /// Scale of the residuals: 1.4826 times their median absolute value, the standard deviation if they are normal.
    pub residual: f64,
    /// Covariance of intercept and slope.
    covariance: f64,
}

impl LineFit {
    /// `y` on the line.
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    /// The line at `x` with the ends of its 95 % confidence band: low, fit, high. It is about the line, not about single points, which
    /// scatter by [`LineFit::residual`] around it.
    pub fn band(&self, x: f64) -> (f64, f64, f64) {
        let variance = self.intercept_error.powi(2) + 2.0 * x * self.covariance + (x * self.slope_error).powi(2);
        let (fit, half) = (self.at(x), Z_95 * variance.max(0.0).sqrt());
        (fit - half, fit, fit + half)
    }
}

/// The line through points `(x, y)`. `None` with fewer than three finite points, or if all of them (but outliers) have the same `x`.
/// The same points in the same order give the same line.
pub fn fit(points: &[(f64, f64)]) -> Option<LineFit> {
    let points: Vec<(f64, f64)> = points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    if points.len() < POINTS_MIN {
        return None;
    }
    let mut line = theil_sen(&points)?;
    let mut scale = residual_scale(&points, line);
    // Least scale that is told from rounding: points that lie on a line give it.
    let exact = 1e-9 * points.iter().map(|(_, y)| y.abs()).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    for _ in 0..PASSES_MAX {
        if scale <= exact {
            break;
        }
        let next = least_squares(&points, |x, y| weight((y - line.0 - line.1 * x) / scale))?;
        let moved = (next.0 - line.0).abs().max((next.1 - line.1).abs() * largest_x(&points));
        line = next;
        scale = residual_scale(&points, line);
        if moved <= 1e-6 * scale {
            break;
        }
    }
    Some(with_errors(&points, line, if scale <= exact { 0.0 } else { scale }))
}

fn largest_x(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|(x, _)| x.abs()).fold(0.0, f64::max)
}

/// Medians of the slopes of pairs, and of the intercepts (Theil 1950, Sen 1968); of more than [`PAIRS_MAX`] pairs an even choice.
fn theil_sen(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = points.len();
    let slope_of = |i: usize, j: usize| {
        let (dx, dy) = (points[j].0 - points[i].0, points[j].1 - points[i].1);
        (dx != 0.0).then(|| dy / dx)
    };
    let mut slopes: Vec<f64> = if n * (n - 1) / 2 <= PAIRS_MAX {
        (0..n).flat_map(|i| (i + 1..n).filter_map(move |j| slope_of(i, j))).collect()
    } else {
        let mut sequence = Sequence::of(n as u64);
        (0..PAIRS_MAX).filter_map(|_| slope_of(sequence.below(n), sequence.below(n))).collect()
    };
    let slope = median(&mut slopes)?;
    let mut intercepts: Vec<f64> = points.iter().map(|(x, y)| y - slope * x).collect();
    Some((median(&mut intercepts)?, slope))
}

/// 1.4826 · median |residual|.
fn residual_scale(points: &[(f64, f64)], (intercept, slope): (f64, f64)) -> f64 {
    let mut residuals: Vec<f64> = points.iter().map(|(x, y)| (y - intercept - slope * x).abs()).collect();
    MAD_TO_SIGMA * median(&mut residuals).unwrap_or(0.0)
}

/// Tukey's bisquare: `(1 − (u/c)²)²` inside of `c`, zero outside.
fn weight(u: f64) -> f64 {
    let ratio = u / BISQUARE;
    if ratio.abs() < 1.0 { (1.0 - ratio * ratio).powi(2) } else { 0.0 }
}

/// Weighted least squares, around the means so that large numbers lose no digits. `None` without two different `x`.
fn least_squares(points: &[(f64, f64)], weight: impl Fn(f64, f64) -> f64) -> Option<(f64, f64)> {
    let weighted: Vec<(f64, f64, f64)> = points.iter().map(|(x, y)| (*x, *y, weight(*x, *y))).collect();
    let total: f64 = weighted.iter().map(|(_, _, w)| w).sum();
    let mean = |value: fn(&(f64, f64, f64)) -> f64| weighted.iter().map(|p| p.2 * value(p)).sum::<f64>() / total;
    let (mean_x, mean_y) = (mean(|p| p.0), mean(|p| p.1));
    let sum_xx: f64 = weighted.iter().map(|(x, _, w)| w * (x - mean_x).powi(2)).sum();
    let sum_xy: f64 = weighted.iter().map(|(x, y, w)| w * (x - mean_x) * (y - mean_y)).sum();
    let slope = (sum_xx > 0.0).then(|| sum_xy / sum_xx)?;
    Some((mean_y - slope * mean_x, slope))
}

/// Standard errors of a regression M-estimate (Huber 1981, §7.6, the first of his three forms) and the share that is explained.
fn with_errors(points: &[(f64, f64)], (intercept, slope): (f64, f64), scale: f64) -> LineFit {
    let n = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let sum_xx: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let residual = |x: f64, y: f64| y - intercept - slope * x;
    let variance = if scale > 0.0 {
        let scaled = || points.iter().map(|(x, y)| residual(*x, *y) / scale);
        let squares: f64 = scaled().map(|u| (u * weight(u)).powi(2)).sum();
        let slopes: Vec<f64> = scaled().map(weight_slope).collect();
        let mean = slopes.iter().sum::<f64>() / n;
        let spread = slopes.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / n;
        let correction = 1.0 + 2.0 / n * spread / (mean * mean);
        (correction * scale / mean).powi(2) * squares / (n - 2.0)
    } else {
        0.0
    };
    let slope_variance = variance / sum_xx;
    let weight_of = |x: f64, y: f64| if scale > 0.0 { weight(residual(x, y) / scale) } else { 1.0 };
    let total: f64 = points.iter().map(|(x, y)| weight_of(*x, *y)).sum();
    let mean_y = points.iter().map(|(x, y)| weight_of(*x, *y) * y).sum::<f64>() / total;
    let left: f64 = points.iter().map(|(x, y)| weight_of(*x, *y) * residual(*x, *y).powi(2)).sum();
    let whole: f64 = points.iter().map(|(x, y)| weight_of(*x, *y) * (y - mean_y).powi(2)).sum();
    LineFit {
        intercept,
        slope,
        intercept_error: (variance / n + slope_variance * mean_x * mean_x).sqrt(),
        slope_error: slope_variance.sqrt(),
        r_squared: if whole > 0.0 { (1.0 - left / whole).clamp(0.0, 1.0) } else { 0.0 },
        residual: scale,
        covariance: -mean_x * slope_variance,
    }
}

/// Derivative of `u · weight(u)`.
fn weight_slope(u: f64) -> f64 {
    let square = (u / BISQUARE).powi(2);
    if square < 1.0 { (1.0 - square) * (1.0 - 5.0 * square) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Errors of about normal shape with standard deviation `sigma`.
    fn line_with_noise(n: usize, intercept: f64, slope: f64, sigma: f64, seed: u64) -> Vec<(f64, f64)> {
        let mut sequence = Sequence::of(seed);
        let mut uniform = move || sequence.below(1 << 30) as f64 / f64::from(1 << 30);
        (0..n)
            .map(|_| {
                let x = 20.0 + 480.0 * uniform();
                let noise: f64 = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
                (x, intercept + slope * x + sigma * noise)
            })
            .collect()
    }

    #[test]
    fn exact_line() {
        let points: Vec<(f64, f64)> = (0..10).map(|i| (f64::from(i), 600.0 + 23.8 * f64::from(i))).collect();
        let line = fit(&points).unwrap();
        assert!((line.intercept - 600.0).abs() < 1e-6 && (line.slope - 23.8).abs() < 1e-6, "{line:?}");
        assert!((line.r_squared - 1.0).abs() < 1e-9 && line.residual == 0.0 && line.slope_error == 0.0, "{line:?}");
    }

    #[test]
    fn outliers_do_not_turn_it() {
        let mut points = line_with_noise(400, 600.0, 23.8, 300.0, 1);
        for point in points.iter_mut().step_by(6) {
            point.1 += 60_000.0;
        }
        let line = fit(&points).unwrap();
        assert!((line.slope - 23.8).abs() < 0.5 && (line.intercept - 600.0).abs() < 150.0, "{line:?}");
        assert!(line.r_squared > 0.95, "{line:?}");
        let (low, middle, high) = line.band(250.0);
        assert!(low < middle && middle < high && high - low < 400.0, "{low} {middle} {high}");
    }

    /// The standard errors say how far off the line is: the true line lies in the band in about 95 of 100 cases.
    #[test]
    fn band_covers_the_truth() {
        let covered = (0..300)
            .filter(|seed| {
                let line = fit(&line_with_noise(120, 600.0, 23.8, 500.0, *seed)).unwrap();
                let (low, _, high) = line.band(100.0);
                (low..=high).contains(&(600.0 + 2_380.0))
            })
            .count();
        assert!((270..=297).contains(&covered), "{covered} of 300");
    }

    #[test]
    fn no_line() {
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&[(1.0, 2.0), (2.0, 3.0), (f64::NAN, 1.0)]), None);
        assert_eq!(fit(&[(5.0, 1.0), (5.0, 2.0), (5.0, 3.0), (5.0, 4.0)]), None);
    }

    #[test]
    fn many_points_are_deterministic() {
        let points = line_with_noise(5_000, 1e6, 4e4, 2e5, 9);
        let line = fit(&points).unwrap();
        assert_eq!(fit(&points), Some(line));
        assert!((line.slope - 4e4).abs() < 4.0 * line.slope_error + 1.0, "{line:?}");
    }

    proptest! {
        /// Whatever comes in, figures are finite and make sense.
        #[test]
        fn figures_are_finite(points in prop::collection::vec((0.0..1e5f64, 0.0..1e9f64), 0..60)) {
            if let Some(line) = fit(&points) {
                for figure in [line.intercept, line.slope, line.residual] {
                    prop_assert!(figure.is_finite());
                }
                prop_assert!((0.0..=1.0).contains(&line.r_squared) && line.residual >= 0.0);
            }
        }
    }
}
