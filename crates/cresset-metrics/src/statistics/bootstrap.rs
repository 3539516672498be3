//! Intervals from resamples of the users.

use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::estimator::Estimator;
use super::resampling::resampled_sums;
use super::user_statistic::check_lengths;
use super::{Interval, StatisticsError, UserStatistic};

/// How bootstrap intervals are made: whole users are drawn with replacement, as many as there are, over and
/// over, and the middle of the resampled statistics is the interval.
///
/// One user, or users who are all alike, give an interval without width: these data do not say how much
/// another sample would differ.
///
/// ```
/// use cresset_metrics::statistics::{Bootstrap, UserStatistic};
///
/// // 30 of 100 users were hit: by the normal approximation 0.30 ± 1.96 sqrt(0.30 x 0.70 / 100) = 0.30 ± 0.09.
/// let hits: Vec<f64> = (0..100).map(|user| f64::from(user % 10 < 3)).collect();
/// let interval = Bootstrap::default().interval(&UserStatistic::Mean(&hits))?;
/// assert_eq!(interval.estimate, 0.3);
/// assert!((interval.half_width() - 0.09).abs() < 0.01);
/// # Ok::<(), cresset_metrics::statistics::StatisticsError>(())
/// ```
///
/// # Source
///
/// The percentile interval of Efron, Bootstrap methods: another look at the jackknife, The Annals of Statistics
/// 7(1), 1979, <https://doi.org/10.1214/aos/1176344552>.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bootstrap {
    /// Share of samples whose interval should hold the true value, between 0 and 1. Default: 0.95.
    pub level: f64,
    /// Number of resamples, at least 1. Default: 1,000, by which an end of the interval has a standard error of
    /// about a fiftieth of the interval's width.
    pub n_resamples: usize,
    /// Decides who is drawn. Default: 42.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { level: 0.95, n_resamples: 1_000, seed: 42 }
    }
}

impl Bootstrap {
    /// The interval of one statistic.
    ///
    /// # Errors
    ///
    /// As [`Bootstrap::intervals`].
    pub fn interval(&self, statistic: &UserStatistic<'_>) -> Result<Interval, StatisticsError> {
        Ok(self.intervals(std::slice::from_ref(statistic))?[0])
    }

    /// The intervals of many statistics of the same users, all from the same draws.
    ///
    /// # Errors
    ///
    /// If the level is not between 0 and 1, there is no resample or no user, the statistics differ in their
    /// number of users, or a value is NaN or infinite or a weight not above 0.
    pub fn intervals(&self, statistics: &[UserStatistic<'_>]) -> Result<Vec<Interval>, StatisticsError> {
        self.check()?;
        let columns = statistics.iter().map(Columns::of).collect::<Result<Vec<_>, _>>()?;
        for one in &columns {
            check_lengths("values", one.n_users(), "values of the first statistic", columns[0].n_users())?;
        }
        Ok(self.intervals_of(&columns.iter().map(Estimator::of).collect::<Vec<_>>()))
    }

    /// That the settings are in their ranges.
    pub(super) fn check(&self) -> Result<(), StatisticsError> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(StatisticsError::Level { value: self.level });
        }
        if self.n_resamples == 0 {
            let usual = Self::default().n_resamples;
            return Err(StatisticsError::NoDraws { field: "n_resamples", usual });
        }
        Ok(())
    }

    /// The intervals of statistics that have been checked and have the same users.
    pub(super) fn intervals_of(&self, estimators: &[Estimator<'_>]) -> Vec<Interval> {
        let drawn: Vec<&Estimator<'_>> = estimators.iter().filter(|one| !one.is_constant()).collect();
        let columns: Vec<&[f64]> = drawn.iter().flat_map(|one| one.columns.iter().copied()).collect();
        let sums = resampled_sums(&columns, self.n_resamples, self.seed);
        let mut first = 0;
        let mut interval = |one: &Estimator<'_>| {
            if one.is_constant() {
                return Interval::without_width(one.estimate(), self.level);
            }
            let own = first..first + one.columns.len();
            first = own.end;
            let value = |sums: &[f64]| one.of_sums(&sums[own.clone()]);
            let resampled = sums.chunks_exact(columns.len()).map(value).collect();
            Interval::of_resampled(one.estimate(), resampled, self.level)
        };
        estimators.iter().map(&mut interval).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::UserSums;
    use super::*;

    fn mean_interval(values: &[f64]) -> Interval {
        Bootstrap::default().interval(&UserStatistic::Mean(values)).unwrap()
    }

    #[test]
    fn two_users_give_the_quarters_of_the_four_equally_likely_samples() {
        // Samples (0,0), (0,1), (1,0), (1,1): means 0, 1/2, 1/2, 1. The middle half is 0.5 alone; 95% is all.
        let half = Bootstrap { level: 0.4, ..Bootstrap::default() };
        let narrow = half.interval(&UserStatistic::Mean(&[0.0, 1.0])).unwrap();
        assert_eq!((narrow.low, narrow.estimate, narrow.high), (0.5, 0.5, 0.5));
        let wide = mean_interval(&[0.0, 1.0]);
        assert_eq!((wide.low, wide.high), (0.0, 1.0));
    }

    #[test]
    fn one_user_or_users_all_alike_give_an_interval_without_width() {
        for n_users in [1, 3, 7, 50] {
            let values = vec![0.1; n_users];
            let interval = mean_interval(&values);
            assert_eq!((interval.low, interval.high), (interval.estimate, interval.estimate));
        }
    }

    #[test]
    fn no_user_is_an_error() {
        let nobody = Bootstrap::default().interval(&UserStatistic::Mean(&[]));
        assert_eq!(nobody, Err(StatisticsError::NoUsers));
        assert_eq!(Bootstrap::default().intervals(&[]), Ok(Vec::new()));
    }

    #[test]
    fn settings_out_of_range_are_errors_that_name_them() {
        let error = |settings: Bootstrap| settings.intervals(&[]).unwrap_err().to_string();
        for level in [0.0, 1.0, 95.0, f64::NAN] {
            let sentence = error(Bootstrap { level, ..Bootstrap::default() });
            assert!(sentence.contains("expected a number above 0 and below 1"), "{sentence}");
        }
        let sentence = error(Bootstrap { n_resamples: 0, ..Bootstrap::default() });
        assert_eq!(sentence, "n_resamples = 0, expected at least 1, such as 1000");
    }

    #[test]
    fn statistics_of_other_users_are_an_error() {
        let statistics = [UserStatistic::Mean(&[0.5, 1.0]), UserStatistic::Mean(&[0.5])];
        let error = Bootstrap::default().intervals(&statistics).unwrap_err();
        assert!(matches!(error, StatisticsError::LengthMismatch { found: 1, expected: 2, .. }), "{error}");
    }

    #[test]
    fn the_root_of_a_ratio_has_the_roots_of_the_ratios_ends() {
        let sums = UserSums::of_rows((0..60).map(|row| (row % 20, f64::from(row * row % 7))));
        let both = [UserStatistic::Ratio(&sums), UserStatistic::RootRatio(&sums)];
        let intervals = Bootstrap { level: 0.5, n_resamples: 5, seed: 1 }.intervals(&both).unwrap();
        assert_eq!(intervals[0].estimate.sqrt(), intervals[1].estimate);
        // Five values leave the quartiles on values, where no line is drawn between two.
        assert_eq!(intervals[0].low.sqrt(), intervals[1].low);
        assert_eq!(intervals[0].high.sqrt(), intervals[1].high);
    }

    #[test]
    fn intervals_hold_the_true_mean_about_as_often_as_they_say() {
        // 400 samples of 60 users whose hits have a chance of 0.3: 0.9 of them, give or take 4 standard errors.
        let settings = Bootstrap { level: 0.9, n_resamples: 300, seed: 3 };
        let mut state = 1_u32;
        let mut chance = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24)
        };
        let mut n_held = 0;
        for _ in 0..400 {
            let hits: Vec<f64> = (0..60).map(|_| f64::from(chance() < 0.3)).collect();
            let interval = settings.interval(&UserStatistic::Mean(&hits)).unwrap();
            n_held += usize::from(interval.low <= 0.3 && 0.3 <= interval.high);
        }
        assert!((336..=384).contains(&n_held), "{n_held} of 400");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn ends_lie_among_the_values_and_a_metric_does_not_know_its_neighbours(
            values in prop::collection::vec(-5.0_f64..5.0, 1..40),
            n_resamples in 1_usize..50,
        ) {
            let settings = Bootstrap { n_resamples, ..Bootstrap::default() };
            let weights: Vec<f64> = (1..=values.len()).map(|weight| weight as f64).collect();
            let mean = UserStatistic::Mean(&values);
            let weighted = UserStatistic::WeightedMean { values: &values, weights: &weights };
            let together = settings.intervals(&[weighted, mean]).unwrap();
            prop_assert_eq!(together[1], settings.interval(&mean).unwrap());
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for interval in together {
                prop_assert!(least - 1e-9 <= interval.low && interval.low <= interval.high);
                prop_assert!(interval.high <= most + 1e-9);
            }
        }
    }
}
