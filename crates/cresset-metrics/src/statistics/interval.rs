//! An estimate and how far to trust it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An estimate between the ends of its confidence interval.
///
/// Printed with four digits behind the point, or as many as the format asks for; `{:+}` shows the sign of a
/// difference.
///
/// ```
/// use cresset_metrics::statistics::Interval;
///
/// let interval = Interval { estimate: 0.172, low: 0.16813, high: 0.17594, level: 0.95 };
/// assert_eq!(interval.to_string(), "0.1720 (95% interval 0.1681 to 0.1759)");
/// assert_eq!(format!("{interval:+.2}"), "+0.17 (95% interval +0.17 to +0.18)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The statistic of the users at hand.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share of samples whose interval holds the true value, such as 0.95.
    pub level: f64,
}

impl Interval {
    /// The interval of a statistic that no draw of these users changes: both ends are the estimate.
    pub(super) fn without_width(estimate: f64, level: f64) -> Self {
        Self { estimate, low: estimate, high: estimate, level }
    }

    /// The middle `level` of the resampled values.
    ///
    /// # Panics
    ///
    /// If there is no value.
    pub(super) fn of_resampled(estimate: f64, mut resampled: Vec<f64>, level: f64) -> Self {
        resampled.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        Self { estimate, low: quantile(&resampled, tail), high: quantile(&resampled, 1.0 - tail), level }
    }

    /// Half of its width: what one writes behind `±`, where the interval is about symmetric.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(4);
        let shown = |value: f64| {
            if f.sign_plus() { format!("{value:+.digits$}") } else { format!("{value:.digits$}") }
        };
        let (estimate, low, high) = (shown(self.estimate), shown(self.low), shown(self.high));
        write!(f, "{estimate} ({}% interval {low} to {high})", percent(self.level))
    }
}

/// The level in percent, without the rounding noise of the product.
fn percent(level: f64) -> f64 {
    (level * 1e8).round() / 1e6
}

/// The `at` quantile of rising values, between two neighbours on the straight line through them.
///
/// # Source
///
/// Definition 7 of Hyndman and Fan, The American Statistician 50(4), 1996,
/// <https://doi.org/10.1080/00031305.1996.10473566>, which `NumPy` and `SciPy` use too.
fn quantile(rising: &[f64], at: f64) -> f64 {
    let last = rising.len() - 1;
    let place = at.clamp(0.0, 1.0) * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    rising[below] + (rising[above] - rising[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_between_two_values_lies_on_the_line_through_them() {
        let rising = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|at| quantile(&rising, at)), [1.0, 2.0, 4.0, 16.0]);
        assert_eq!(quantile(&rising, 0.875), 12.0);
        assert_eq!(quantile(&[3.0], 0.975), 3.0);
    }

    #[test]
    fn the_interval_of_101_values_leaves_two_and_a_half_at_each_end() {
        let resampled = (0..=100).rev().map(f64::from).collect();
        let interval = Interval::of_resampled(50.0, resampled, 0.95);
        assert!((interval.low - 2.5).abs() < 1e-12 && (interval.high - 97.5).abs() < 1e-12, "{interval:?}");
        assert!((interval.half_width() - 47.5).abs() < 1e-12);
    }

    #[test]
    fn the_level_is_printed_without_noise() {
        let shown = |level| Interval::without_width(0.5, level).to_string();
        assert_eq!(shown(0.99), "0.5000 (99% interval 0.5000 to 0.5000)");
        assert!(shown(0.999).contains("(99.9% interval"));
        assert!(shown(0.29).contains("(29% interval"));
    }
}
