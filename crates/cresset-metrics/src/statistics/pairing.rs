//! Finds the same users in two runs.

use std::cmp::Ordering;

use super::columns::Columns;
use super::estimator::Estimator;
use super::user_statistic::check_lengths;
use super::{StatisticsError, UserMetric};

/// One metric of both runs, user beside user in the order of the baseline.
#[derive(Debug, Clone)]
pub(super) struct Pair<'a> {
    /// As in the results.
    pub(super) key: &'a str,
    /// Dense user ids.
    pub(super) users: &'a [u32],
    /// What the baseline's users bring.
    pub(super) baseline: Columns<'a>,
    /// What the candidate's bring.
    pub(super) candidate: Columns<'a>,
    /// The candidate's numerators less the baseline's.
    pub(super) differences: Vec<f64>,
}

impl<'a> Pair<'a> {
    /// Pairs a metric of the baseline with the same one of the candidate.
    ///
    /// # Errors
    ///
    /// If a run's numbers cannot be averaged, the runs put their users together in different ways, have
    /// different users, or weigh a user differently.
    pub(super) fn of(baseline: &UserMetric<'a>, candidate: &UserMetric<'a>) -> Result<Self, StatisticsError> {
        let (key, users) = (baseline.key, baseline.users);
        let (baseline, after) = (columns_of(baseline)?, columns_of(candidate)?);
        if baseline.kind != after.kind {
            let (baseline, candidate) = (baseline.kind.name(), after.kind.name());
            return Err(StatisticsError::KindsDiffer { key: key.to_owned(), baseline, candidate });
        }
        let candidate = match order_like(key, users, candidate.users)? {
            None => after,
            Some(order) => after.in_order(&order),
        };
        check_weights(key, users, &baseline, &candidate)?;
        let numerators = candidate.numerators.iter().zip(baseline.numerators.iter());
        let differences = numerators.map(|(after, before)| after - before).collect();
        Ok(Self { key, users, baseline, candidate, differences })
    }

    /// The candidate's statistic less the baseline's.
    pub(super) fn difference(&self) -> Estimator<'_> {
        Estimator::of_difference(&self.baseline, &self.candidate, &self.differences)
    }
}

fn columns_of<'a>(metric: &UserMetric<'a>) -> Result<Columns<'a>, StatisticsError> {
    let columns = Columns::of(&metric.statistic)?;
    check_lengths("values", columns.n_users(), "users", metric.users.len())?;
    Ok(columns)
}

fn check_weights(
    key: &str,
    users: &[u32],
    baseline: &Columns<'_>,
    candidate: &Columns<'_>,
) -> Result<(), StatisticsError> {
    let (Some(before), Some(after)) = (&baseline.denominators, &candidate.denominators) else {
        return Ok(());
    };
    let Some(at) = (0..users.len()).find(|&at| before[at] != after[at]) else { return Ok(()) };
    Err(StatisticsError::WeightsDiffer {
        key: key.to_owned(),
        what: baseline.kind.weight_name(),
        user: users[at],
        baseline: before[at],
        candidate: after[at],
    })
}

/// For each user of the baseline the candidate's position; none if both have the same users in the same order.
fn order_like(key: &str, baseline: &[u32], candidate: &[u32]) -> Result<Option<Vec<usize>>, StatisticsError> {
    // A user named twice counts twice, and is paired by position.
    if baseline == candidate {
        return Ok(None);
    }
    let (before, after) = (positions_by_user(key, baseline)?, positions_by_user(key, candidate)?);
    check_positions(key, &before, &after)?;
    let mut order = vec![0; baseline.len()];
    for (&(_, at_baseline), &(_, at_candidate)) in before.iter().zip(&after) {
        order[at_baseline] = at_candidate;
    }
    Ok(Some(order))
}

/// Users and their positions, users rising.
fn positions_by_user(key: &str, users: &[u32]) -> Result<Vec<(u32, usize)>, StatisticsError> {
    let mut positions: Vec<(u32, usize)> = users.iter().copied().zip(0..).collect();
    positions.sort_unstable();
    match positions.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(StatisticsError::UserTwice { key: key.to_owned(), user: pair[0].0 }),
        None => Ok(positions),
    }
}

/// That both runs have the same users, in whatever order.
///
/// # Errors
///
/// If a user is of one run only, or twice in runs that differ in their order.
pub(super) fn check_same_users(
    key: &str,
    baseline: &[u32],
    candidate: &[u32],
) -> Result<(), StatisticsError> {
    order_like(key, baseline, candidate).map(drop)
}

fn check_positions(
    key: &str,
    baseline: &[(u32, usize)],
    candidate: &[(u32, usize)],
) -> Result<(), StatisticsError> {
    let (only_baseline, only_candidate) = (only_in(baseline, candidate), only_in(candidate, baseline));
    let Some(&example) = only_baseline.first().or(only_candidate.first()) else { return Ok(()) };
    let (only_baseline, only_candidate) = (only_baseline.len(), only_candidate.len());
    Err(StatisticsError::UsersDiffer { key: key.to_owned(), only_baseline, only_candidate, example })
}

/// The users of `these` that are not among `others`; both rise.
fn only_in(these: &[(u32, usize)], others: &[(u32, usize)]) -> Vec<u32> {
    let mut others = others.iter().map(|&(user, _)| user).peekable();
    let mut is_missing = |user: &u32| {
        while others.next_if(|other| other < user).is_some() {}
        others.peek().map(|other| other.cmp(user)) != Some(Ordering::Equal)
    };
    these.iter().map(|&(user, _)| user).filter(|user| is_missing(user)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::UserStatistic;
    use super::*;

    fn metric<'a>(users: &'a [u32], values: &'a [f64]) -> UserMetric<'a> {
        UserMetric { key: "ndcg@10", users, statistic: UserStatistic::Mean(values) }
    }

    #[test]
    fn users_in_another_order_are_paired_by_id() {
        let (users, values) = ([5, 2, 9], [0.5, 0.25, 1.0]);
        let (other_users, other_values) = ([9, 5, 2], [1.0, 0.75, 0.25]);
        let pair = Pair::of(&metric(&users, &values), &metric(&other_users, &other_values)).unwrap();
        assert_eq!(*pair.candidate.numerators, [0.75, 0.25, 1.0]);
        assert_eq!(pair.differences, [0.25, 0.0, 0.0]);
    }

    #[test]
    fn users_that_only_one_run_has_are_an_error_that_counts_them() {
        let (users, values) = ([1, 2, 3, 7], [0.5; 4]);
        let (other_users, other_values) = ([3, 4], [0.5; 2]);
        let error = Pair::of(&metric(&users, &values), &metric(&other_users, &other_values)).unwrap_err();
        let expected = StatisticsError::UsersDiffer {
            key: "ndcg@10".to_owned(),
            only_baseline: 3,
            only_candidate: 1,
            example: 1,
        };
        assert_eq!(error, expected);
        assert!(error.to_string().contains("3 users of the baseline alone and 1 of the candidate alone"));
    }

    #[test]
    fn a_user_twice_is_paired_by_position_where_both_runs_agree_and_an_error_elsewhere() {
        let values = [0.5, 0.25, 1.0];
        assert!(Pair::of(&metric(&[1, 1, 2], &values), &metric(&[1, 1, 2], &values)).is_ok());
        let error = Pair::of(&metric(&[1, 1, 2], &values), &metric(&[1, 2, 1], &values)).unwrap_err();
        assert_eq!(error, StatisticsError::UserTwice { key: "ndcg@10".to_owned(), user: 1 });
    }

    #[test]
    fn a_user_who_weighs_more_in_one_run_is_an_error_with_both_weights() {
        let weighted = |weights| {
            let statistic = UserStatistic::WeightedMean { values: &[0.5, 1.0], weights };
            UserMetric { key: "gauc", users: &[4, 6], statistic }
        };
        let error = Pair::of(&weighted(&[1.0, 2.0]), &weighted(&[1.0, 3.0])).unwrap_err();
        assert!(error.to_string().contains("gives user 6 the weight 2 in the baseline and 3"), "{error}");
    }

    #[test]
    fn runs_that_average_differently_are_an_error() {
        let weighted = UserStatistic::WeightedMean { values: &[0.5], weights: &[1.0] };
        let weighted = UserMetric { statistic: weighted, ..metric(&[1], &[0.5]) };
        let error = Pair::of(&metric(&[1], &[0.5]), &weighted).unwrap_err();
        assert!(error.to_string().contains("a mean of the baseline and a weighted mean"), "{error}");
    }

    #[test]
    fn values_without_users_are_an_error() {
        let error = Pair::of(&metric(&[1], &[0.5, 1.0]), &metric(&[1], &[0.5])).unwrap_err();
        assert!(matches!(error, StatisticsError::LengthMismatch { found: 2, expected: 1, .. }), "{error}");
    }
}
