//! Intervals and comparisons of whole ranking reports.

use super::columns::Columns;
use super::estimator::Estimator;
use super::pairing::{Pair, check_same_users};
use super::{
    Bootstrap, Comparison, Interval, LeftOut, PairedTest, StatisticsError, UserMetric, UserStatistic,
    groups_of,
};
use crate::{RankingReport, UserValues};

impl Bootstrap {
    /// The interval of every metric of a report that is a mean over users, in the order of the report.
    ///
    /// What is of all lists together (`coverage`, `gini`) and what is undefined has none. A metric is resampled
    /// over the users who have a value in it.
    ///
    /// ```
    /// use cresset_metrics::statistics::Bootstrap;
    /// use cresset_metrics::{ItemLists, RankingAccumulator, RankingPlan, RankingTask};
    ///
    /// let relevant = ItemLists { offsets: &[0, 1, 2, 3], items: &[2, 0, 2] };
    /// let task = RankingTask { users: &[0, 1, 2], relevant, seen: ItemLists::NONE };
    /// let plan = RankingPlan::parse(&["hit_rate@1", "coverage@1"])?;
    /// let mut accumulator = RankingAccumulator::new(&task, 3, &plan)?;
    /// accumulator.add_scores(0, &[0.9, 0.2, 0.5, 0.9, 0.2, 0.1, 0.1, 0.2, 0.9])?;
    /// let intervals = Bootstrap::default().of_report(&accumulator.finish()?)?;
    /// assert_eq!(intervals.len(), 1);
    /// assert_eq!((intervals[0].0.as_str(), intervals[0].1.estimate), ("hit_rate@1", 2.0 / 3.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If a setting is out of its range.
    pub fn of_report(&self, report: &RankingReport) -> Result<Vec<(String, Interval)>, StatisticsError> {
        self.check()?;
        let metrics: Vec<OwnedMetric> = of_users(report).collect();
        let columns: Vec<Columns<'_>> =
            metrics.iter().map(|metric| Columns::of(&metric.view().statistic)).collect::<Result<_, _>>()?;
        let mut intervals = vec![None; metrics.len()];
        for group in groups_of(metrics.len(), |a, b| metrics[a].values.users == metrics[b].values.users) {
            let estimators: Vec<Estimator<'_>> =
                group.iter().map(|&index| Estimator::of(&columns[index])).collect();
            for (&index, interval) in group.iter().zip(self.intervals_of(&estimators)) {
                intervals[index] = Some(interval);
            }
        }
        let keys = metrics.into_iter().map(|metric| metric.key);
        Ok(keys.zip(intervals.into_iter().flatten()).collect())
    }
}

impl PairedTest {
    /// Compares the metrics of two reports that are means over users, in the order of the baseline.
    ///
    /// A metric that cannot be compared user by user is left out with its reason, and the others stand: those
    /// of all lists together (`coverage`), those undefined in a report, and those whose weights are a run's own
    /// (`serendipity` weighs a user by the run's hits).
    ///
    /// # Errors
    ///
    /// If a setting is out of its range, or the reports are of different users.
    pub fn compare_reports(
        &self,
        baseline: &RankingReport,
        candidate: &RankingReport,
    ) -> Result<Comparison, StatisticsError> {
        check_same_users("the evaluation", baseline.users(), candidate.users())?;
        let (before, after): (Vec<_>, Vec<_>) = (of_users(baseline).collect(), of_users(candidate).collect());
        let (mut pairs, mut left_out) = (Vec::new(), Vec::new());
        let keys_of_candidate =
            candidate.metrics.iter().filter(|(key, _)| !baseline.metrics.contains_key(key));
        for (key, _) in baseline.metrics.iter().chain(keys_of_candidate) {
            match pair_of(key, &before, &after) {
                Ok(pair) => pairs.push(pair),
                Err(reason) => left_out.push(LeftOut { key: key.to_owned(), reason }),
            }
        }
        Ok(Comparison { left_out, ..self.compare_pairs(&pairs)? })
    }
}

fn pair_of<'a>(key: &str, before: &'a [OwnedMetric], after: &'a [OwnedMetric]) -> Result<Pair<'a>, String> {
    let find = |metrics: &'a [OwnedMetric], run| {
        let found = metrics.iter().find(|metric| metric.key == key);
        found.ok_or_else(|| format!("the {run} has no values of single users"))
    };
    let (before, after) = (find(before, "baseline")?, find(after, "candidate")?);
    Pair::of(&before.view(), &after.view()).map_err(|error| error.to_string())
}

/// A metric of a report, user by user.
struct OwnedMetric {
    key: String,
    values: UserValues,
}

/// The metrics that are means over users and have a value.
fn of_users(report: &RankingReport) -> impl Iterator<Item = OwnedMetric> {
    let keys = report.metrics.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key);
    keys.filter_map(|key| {
        let values = report.user_values(key)?.that_count();
        (!values.users.is_empty()).then(|| OwnedMetric { key: key.to_owned(), values })
    })
}

impl OwnedMetric {
    fn view(&self) -> UserMetric<'_> {
        let UserValues { users, values, weights } = &self.values;
        let statistic = match weights {
            Some(weights) => UserStatistic::WeightedMean { values, weights },
            None => UserStatistic::Mean(values),
        };
        UserMetric { key: &self.key, users, statistic }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ItemLists, MetricError, RankingAccumulator, RankingPlan, RankingTask};

    const N_ITEMS: usize = 5;

    /// Twenty users with two relevant items each, the first of whom finds all items relevant.
    fn report(salt: u32, keys: &[&str], users: &[u32]) -> Result<RankingReport, MetricError> {
        let offsets: Vec<usize> = std::iter::once(0).chain((0..20).map(|user| 5 + 2 * user)).collect();
        let rows = (1..20_u32).flat_map(|user| [user % 3, 3 + user % 2]);
        let items: Vec<u32> = (0..N_ITEMS as u32).chain(rows).collect();
        let task = RankingTask {
            users,
            relevant: ItemLists { offsets: &offsets, items: &items },
            seen: ItemLists::NONE,
        };
        let plan = RankingPlan::parse(keys)?;
        let mut accumulator = RankingAccumulator::new(&task, N_ITEMS, &plan)?;
        let score = |user: u32, item: u32| ((user * 7 + item * 11 + salt * user * item) % 13) as f32;
        let row = |&user: &u32| (0..N_ITEMS as u32).map(move |item| score(user, item));
        accumulator.add_scores(0, &users.iter().flat_map(row).collect::<Vec<f32>>())?;
        accumulator.finish()
    }

    fn everyone() -> Vec<u32> {
        (0..20).collect()
    }

    const KEYS: [&str; 5] = ["ndcg@3", "coverage@2", "auc", "gauc", "hit_rate@1"];

    #[test]
    fn every_mean_over_users_has_an_interval_around_the_value_of_the_report() {
        let report = report(1, &KEYS, &everyone()).unwrap();
        let intervals = Bootstrap::default().of_report(&report).unwrap();
        let keys: Vec<&str> = intervals.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["ndcg@3", "auc", "gauc", "hit_rate@1"]);
        for (key, interval) in &intervals {
            assert!((interval.estimate - report.metrics.get(key).unwrap()).abs() < 1e-15, "{key}");
            assert!(
                interval.low < interval.estimate && interval.estimate < interval.high,
                "{key}: {interval}"
            );
        }
    }

    #[test]
    fn a_metric_is_resampled_over_the_users_who_have_a_value_in_it() {
        let report = report(1, &KEYS, &everyone()).unwrap();
        let auc = report.user_values("auc").unwrap();
        assert_eq!(auc.users.len(), 19, "no negative is left to the first user");
        let intervals = Bootstrap::default().of_report(&report).unwrap();
        let alone = Bootstrap::default().interval(&UserStatistic::Mean(&auc.values)).unwrap();
        assert_eq!(intervals[1], ("auc".to_owned(), alone));
    }

    #[test]
    fn reports_are_compared_by_what_they_say_of_single_users() {
        let (before, after) =
            (report(1, &KEYS, &everyone()).unwrap(), report(3, &KEYS, &everyone()).unwrap());
        let comparison = PairedTest::default().compare_reports(&before, &after).unwrap();
        let keys: Vec<&str> = comparison.metrics.iter().map(|metric| metric.key.as_str()).collect();
        assert_eq!(keys, ["ndcg@3", "auc", "gauc", "hit_rate@1"]);
        for metric in &comparison.metrics {
            let expected = [&before, &after].map(|report| report.metrics.get(&metric.key).unwrap());
            assert!(
                (metric.baseline - expected[0]).abs() < 1e-15
                    && (metric.candidate - expected[1]).abs() < 1e-15
            );
        }
        assert_eq!(comparison.left_out.len(), 1);
        let last_line = comparison.to_string().lines().last().unwrap().to_owned();
        assert_eq!(last_line, "coverage@2: not compared, the baseline has no values of single users");
    }

    #[test]
    fn a_metric_of_one_report_is_left_out_with_the_reason() {
        let before = report(1, &["ndcg@3"], &everyone()).unwrap();
        let after = report(3, &["mrr@3", "ndcg@3"], &everyone()).unwrap();
        let comparison = PairedTest::default().compare_reports(&before, &after).unwrap();
        assert_eq!(comparison.metrics.len(), 1);
        assert_eq!(comparison.left_out[0].key, "mrr@3");
    }

    #[test]
    fn reports_of_other_users_are_an_error_that_counts_them() {
        let (before, after) = (report(1, &KEYS, &everyone()).unwrap(), report(1, &KEYS, &[3, 4, 5]).unwrap());
        let error = PairedTest::default().compare_reports(&before, &after).unwrap_err();
        assert!(
            error.to_string().starts_with("the evaluation has 17 users of the baseline alone and 0"),
            "{error}"
        );
    }

    #[test]
    fn the_order_of_users_does_not_change_a_comparison() {
        let backwards: Vec<u32> = (0..20).rev().collect();
        let before = report(1, &["ndcg@3"], &everyone()).unwrap();
        let [forth, back] = [everyone(), backwards].map(|users| {
            let after = report(3, &["ndcg@3"], &users).unwrap();
            PairedTest::default().compare_reports(&before, &after).unwrap().metrics.remove(0)
        });
        assert_eq!((forth.difference, forth.p_value), (back.difference, back.p_value));
    }

    #[test]
    fn a_weight_of_zero_adds_nothing() {
        let values = UserValues {
            users: vec![3, 5, 9],
            values: vec![0.5, 0.25, 1.0],
            weights: Some(vec![2.0, 0.0, 1.0]),
        };
        let expected =
            UserValues { users: vec![3, 9], values: vec![0.5, 1.0], weights: Some(vec![2.0, 1.0]) };
        assert_eq!(values.that_count(), expected);
    }
}
