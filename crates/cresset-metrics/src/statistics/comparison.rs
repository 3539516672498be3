//! Two runs on the same users.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::estimator::Estimator;
use super::pairing::Pair;
use super::sign_flip::p_values;
use super::{Bootstrap, Interval, StatisticsError, UserMetric, groups_of, holm};

/// How two runs are compared: user by user, so that what all models find hard about a user drops out.
///
/// For each metric there is the difference with its bootstrap interval; the p-value of a sign-flip test, which
/// asks how often the difference would be as large if each user's two values might as well have come the
/// other way round; and that p-value after Holm's correction for the number of metrics compared.
///
/// The test of `rmse` is that of the squared errors: a root changes no order of sums.
///
/// # Source
///
/// Smucker, Allan and Carterette, A comparison of statistical significance tests for information retrieval
/// evaluation, CIKM 2007, <https://doi.org/10.1145/1321440.1321528>.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PairedTest {
    /// Settings of the differences' intervals; its seed decides the flips, too.
    pub bootstrap: Bootstrap,
    /// Number of random sign patterns, at least 1; where all patterns are no more, each is looked at once
    /// instead. Default: 10,000.
    pub n_flips: usize,
}

/// What a comparison of two runs came to; prints a line for each metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// In the order of the baseline's metrics.
    pub metrics: Vec<ComparedMetric>,
    /// What could not be compared; [`PairedTest::compare`] itself leaves nothing out.
    pub left_out: Vec<LeftOut>,
}

/// A metric that two runs cannot be compared by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// As in the results: `coverage@10`.
    pub key: String,
    /// Why not.
    pub reason: String,
}

/// One metric of two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparedMetric {
    /// As in the results: `ndcg@10`.
    pub key: String,
    /// Number of users, the same of both runs.
    pub n_users: usize,
    /// The baseline's value.
    pub baseline: f64,
    /// The candidate's value.
    pub candidate: f64,
    /// The candidate's value less the baseline's.
    pub difference: Interval,
    /// Chance of a difference at least as large, either way, if the runs were exchangeable.
    pub p_value: f64,
    /// The p-value after Holm's correction over the metrics of the comparison.
    pub p_holm: f64,
}

impl Default for PairedTest {
    fn default() -> Self {
        Self { bootstrap: Bootstrap::default(), n_flips: 10_000 }
    }
}

impl PairedTest {
    /// Compares the metrics of a candidate with the same metrics of a baseline.
    ///
    /// The users of a metric may come in another order in the other run, and one metric may have other users
    /// than the next; metrics of the same users share their draws.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range, only one run has a metric or has it twice, the runs have different
    /// users or weights, or their numbers cannot be averaged.
    pub fn compare(
        &self,
        baseline: &[UserMetric<'_>],
        candidate: &[UserMetric<'_>],
    ) -> Result<Comparison, StatisticsError> {
        self.compare_pairs(&pair_up(baseline, candidate)?)
    }

    /// Compares metrics that have been paired.
    pub(super) fn compare_pairs(&self, pairs: &[Pair<'_>]) -> Result<Comparison, StatisticsError> {
        self.check()?;
        let mut found = vec![None; pairs.len()];
        for group in groups_of(pairs.len(), |a, b| pairs[a].users == pairs[b].users) {
            for (index, tested) in group.iter().zip(self.test(pairs, &group)) {
                found[*index] = Some(tested);
            }
        }
        let found: Vec<(Interval, f64)> = found.into_iter().flatten().collect();
        let corrected = holm(&found.iter().map(|(_, p_value)| *p_value).collect::<Vec<f64>>());
        let metrics = pairs.iter().zip(found).zip(corrected);
        let metrics = metrics.map(|((pair, (difference, p_value)), p_holm)| ComparedMetric {
            key: pair.key.to_owned(),
            n_users: pair.users.len(),
            baseline: pair.baseline.estimate(),
            candidate: pair.candidate.estimate(),
            difference,
            p_value,
            p_holm,
        });
        Ok(Comparison { metrics: metrics.collect(), left_out: Vec::new() })
    }

    fn check(&self) -> Result<(), StatisticsError> {
        self.bootstrap.check()?;
        if self.n_flips == 0 {
            return Err(StatisticsError::NoDraws { field: "n_flips", usual: Self::default().n_flips });
        }
        Ok(())
    }

    /// Interval and p-value of each pair of a group, which has the same users throughout.
    fn test(&self, pairs: &[Pair<'_>], group: &[usize]) -> Vec<(Interval, f64)> {
        let pairs = || group.iter().map(|&index| &pairs[index]);
        let estimators: Vec<Estimator<'_>> = pairs().map(Pair::difference).collect();
        let intervals = self.bootstrap.intervals_of(&estimators);
        let differences: Vec<&[f64]> = pairs().map(|pair| &*pair.differences).collect();
        let p_values = p_values(&differences, self.n_flips, self.bootstrap.seed);
        intervals.into_iter().zip(p_values).collect()
    }
}

/// Each metric of the baseline beside that of the candidate.
fn pair_up<'a>(
    baseline: &[UserMetric<'a>],
    candidate: &[UserMetric<'a>],
) -> Result<Vec<Pair<'a>>, StatisticsError> {
    for (run, metrics, others) in [("baseline", baseline, candidate), ("candidate", candidate, baseline)] {
        for (at, metric) in metrics.iter().enumerate() {
            let has_key = |other: &UserMetric<'_>| other.key == metric.key;
            let key = || metric.key.to_owned();
            if metrics[..at].iter().any(has_key) {
                return Err(StatisticsError::MetricTwice { run, key: key() });
            }
            if !others.iter().any(has_key) {
                return Err(StatisticsError::MetricOfOneRun { run, key: key() });
            }
        }
    }
    let of_candidate = |key| candidate.iter().find(move |metric| metric.key == key);
    let both = baseline.iter().filter_map(|metric| Some((metric, of_candidate(metric.key)?)));
    both.map(|(baseline, candidate)| Pair::of(baseline, candidate)).collect()
}

impl fmt::Display for ComparedMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, n_users, baseline, candidate, difference, p_value, p_holm } = self;
        write!(
            f,
            "{key}: {candidate:.4} against {baseline:.4}, {difference:+}, p {}, corrected {}, {n_users} users",
            Chance(*p_value),
            Chance(*p_holm),
        )
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: not compared, {}", self.key, self.reason)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let compared = self.metrics.iter().map(ToString::to_string);
        let left_out = self.left_out.iter().map(ToString::to_string);
        f.write_str(&compared.chain(left_out).collect::<Vec<_>>().join("\n"))
    }
}

/// A chance with four digits, never shown as 0.
struct Chance(f64);

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1e-4 { f.write_str("< 0.0001") } else { write!(f, "= {:.4}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{UserStatistic, UserSums};
    use super::*;

    fn mean<'a>(key: &'a str, users: &'a [u32], values: &'a [f64]) -> UserMetric<'a> {
        UserMetric { key, users, statistic: UserStatistic::Mean(values) }
    }

    fn compare(baseline: &[UserMetric<'_>], candidate: &[UserMetric<'_>]) -> Comparison {
        PairedTest::default().compare(baseline, candidate).unwrap()
    }

    #[test]
    fn three_users_who_all_gain_a_quarter_are_compared_as_worked_out_by_hand() {
        // All differences are equal, so the interval has no width; two of eight sign patterns are as extreme.
        let users = [0, 1, 2];
        let (before, after) = ([0.25, 0.5, 0.0], [0.5, 0.75, 0.25]);
        let comparison = compare(&[mean("ndcg@10", &users, &before)], &[mean("ndcg@10", &users, &after)]);
        let expected = ComparedMetric {
            key: "ndcg@10".to_owned(),
            n_users: 3,
            baseline: 0.25,
            candidate: 0.5,
            difference: Interval { estimate: 0.25, low: 0.25, high: 0.25, level: 0.95 },
            p_value: 0.25,
            p_holm: 0.25,
        };
        assert_eq!(comparison.metrics, [expected]);
        assert_eq!(
            comparison.to_string(),
            "ndcg@10: 0.5000 against 0.2500, +0.2500 (95% interval +0.2500 to +0.2500), p = 0.2500, corrected = \
             0.2500, 3 users"
        );
    }

    #[test]
    fn two_metrics_are_corrected_together() {
        let users = [0, 1, 2];
        let (before, after, other) = ([0.25, 0.5, 0.0], [0.5, 0.75, 0.25], [0.5, 0.5, 0.0]);
        let baseline = [mean("a", &users, &before), mean("b", &users, &before)];
        let comparison = compare(&baseline, &[mean("b", &users, &other), mean("a", &users, &after)]);
        let p_values: Vec<_> =
            comparison.metrics.iter().map(|metric| (metric.p_value, metric.p_holm)).collect();
        assert_eq!(p_values, [(0.25, 0.5), (1.0, 1.0)]);
    }

    #[test]
    fn a_run_against_itself_differs_by_nothing() {
        let users: Vec<u32> = (0..40).collect();
        let values: Vec<f64> = users.iter().map(|user| f64::from(user % 7) / 7.0).collect();
        let metric = [mean("ndcg@10", &users, &values)];
        let found = &compare(&metric, &metric).metrics[0];
        assert_eq!((found.difference.low, found.difference.high, found.p_value), (0.0, 0.0, 1.0));
    }

    #[test]
    fn a_metric_of_one_run_alone_or_twice_is_an_error_that_names_it() {
        let metrics =
            [mean("ndcg@10", &[0], &[0.5]), mean("ndcg@10", &[0], &[0.5]), mean("map@10", &[0], &[0.5])];
        let sentence = |baseline: &[_], candidate: &[_]| {
            PairedTest::default().compare(baseline, candidate).unwrap_err().to_string()
        };
        assert!(
            sentence(&metrics[..1], &metrics[..2]).contains("the candidate run has the metric ndcg@10 twice")
        );
        assert!(
            sentence(&metrics[1..], &metrics[..1]).contains("only the baseline run has the metric map@10")
        );
        assert!(
            sentence(&metrics[..1], &metrics[1..]).contains("only the candidate run has the metric map@10")
        );
    }

    #[test]
    fn no_metric_is_an_empty_comparison_and_no_flips_are_an_error() {
        assert!(compare(&[], &[]).metrics.is_empty());
        let error = PairedTest { n_flips: 0, ..PairedTest::default() }.compare(&[], &[]).unwrap_err();
        assert_eq!(error.to_string(), "n_flips = 0, expected at least 1, such as 10000");
    }

    #[test]
    fn metrics_of_other_users_do_not_disturb_each_other() {
        let (many, few): (Vec<u32>, Vec<u32>) = ((0..30).collect(), (0..5).collect());
        let values: Vec<f64> = many.iter().map(|user| f64::from(user % 4) / 4.0).collect();
        let better: Vec<f64> = many.iter().map(|user| f64::from(user % 5) / 4.0).collect();
        let before = [mean("auc", &few, &values[..5]), mean("ndcg@10", &many, &values)];
        let after = [mean("auc", &few, &better[..5]), mean("ndcg@10", &many, &better)];
        let together = compare(&before, &after);
        for at in 0..2 {
            let alone = compare(&before[at..=at], &after[at..=at]);
            assert_eq!(together.metrics[at].difference, alone.metrics[0].difference);
            assert_eq!(together.metrics[at].p_value, alone.metrics[0].p_value);
        }
    }

    #[test]
    fn rmse_is_tested_as_its_squares_are_and_its_difference_is_that_of_the_roots() {
        let squares = |shift: u32| {
            UserSums::of_rows((0..90).map(|row| (row % 30, f64::from((row * 7 + shift * row) % 11))))
        };
        let (before, after) = (squares(0), squares(3));
        let metric = |key, statistic| UserMetric { key, users: &before.users, statistic };
        let baseline =
            [metric("mse", UserStatistic::Ratio(&before)), metric("rmse", UserStatistic::RootRatio(&before))];
        let candidate =
            [metric("mse", UserStatistic::Ratio(&after)), metric("rmse", UserStatistic::RootRatio(&after))];
        let [mse, rmse] = &compare(&baseline, &candidate).metrics[..] else { panic!("two metrics") };
        assert_eq!(mse.p_value, rmse.p_value);
        assert!((rmse.difference.estimate - (mse.candidate.sqrt() - mse.baseline.sqrt())).abs() < 1e-15);
        assert!(
            rmse.difference.low < rmse.difference.estimate && rmse.difference.estimate < rmse.difference.high
        );
    }

    #[test]
    fn a_tiny_chance_is_not_shown_as_zero() {
        assert_eq!(Chance(9.999e-5).to_string(), "< 0.0001");
        assert_eq!(Chance(1e-4).to_string(), "= 0.0001");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn exchanging_the_runs_turns_the_difference_round_and_keeps_the_p_value(
            pairs in prop::collection::vec((0_u8..9, 0_u8..9), 1..40),
        ) {
            let users: Vec<u32> = (0..pairs.len() as u32).collect();
            let column = |pick: fn(&(u8, u8)) -> u8| -> Vec<f64> {
                pairs.iter().map(|pair| f64::from(pick(pair)) / 8.0).collect()
            };
            let (before, after) = (column(|pair| pair.0), column(|pair| pair.1));
            let (before, after) = ([mean("m", &users, &before)], [mean("m", &users, &after)]);
            let settings = PairedTest { bootstrap: Bootstrap { n_resamples: 41, ..Bootstrap::default() }, n_flips: 300 };
            let forth = settings.compare(&before, &after).unwrap().metrics.remove(0);
            let back = settings.compare(&after, &before).unwrap().metrics.remove(0);
            prop_assert_eq!(forth.p_value, back.p_value);
            prop_assert!((forth.difference.low + back.difference.high).abs() < 1e-12);
            prop_assert!((forth.difference.high + back.difference.low).abs() < 1e-12);
            prop_assert!(forth.p_value > 0.0 && forth.p_value <= 1.0);
        }
    }
}
