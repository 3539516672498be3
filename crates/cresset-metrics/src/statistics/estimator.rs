//! A statistic as a function of sums over users, which is all that a resample has to know.

use super::columns::{Columns, Kind};

/// Columns of one number for each user, and the statistic as a function of their sums.
#[derive(Debug, Clone)]
pub(super) struct Estimator<'a> {
    /// `[columns][users]`.
    pub(super) columns: Vec<&'a [f64]>,
    formula: Formula,
}

/// What becomes of the columns' sums.
#[derive(Debug, Clone, Copy)]
enum Formula {
    /// The first by the second, or by the number of users.
    Single(Kind),
    /// The root of the third by the second, less the root of the first by the second.
    DifferenceOfRoots,
}

impl<'a> Estimator<'a> {
    /// The statistic itself.
    pub(super) fn of(columns: &'a Columns<'_>) -> Self {
        let both = std::iter::once(&*columns.numerators).chain(columns.denominators.as_deref());
        Self { columns: both.collect(), formula: Formula::Single(columns.kind) }
    }

    /// The candidate's statistic less the baseline's, of users in the same order.
    ///
    /// `differences` are the candidate's numerators less the baseline's: their sum says it all, but behind a root.
    pub(super) fn of_difference(
        baseline: &'a Columns<'_>,
        candidate: &'a Columns<'_>,
        differences: &'a [f64],
    ) -> Self {
        let mut difference = Self::of(baseline);
        if baseline.kind == Kind::RootRatio {
            difference.columns.push(&candidate.numerators);
            return Self { formula: Formula::DifferenceOfRoots, ..difference };
        }
        difference.columns[0] = differences;
        difference
    }

    /// The statistic of these sums of the columns over as many users as there are.
    pub(super) fn of_sums(&self, sums: &[f64]) -> f64 {
        match self.formula {
            Formula::Single(kind) => kind.of_sums(sums[0], *sums.get(1).unwrap_or(&(self.n_users() as f64))),
            Formula::DifferenceOfRoots => {
                let root = |numerator| Kind::RootRatio.of_sums(numerator, sums[1]);
                root(sums[2]) - root(sums[0])
            }
        }
    }

    /// The statistic of these users.
    pub(super) fn estimate(&self) -> f64 {
        let sums: Vec<f64> = self.columns.iter().map(|column| column.iter().sum()).collect();
        self.of_sums(&sums)
    }

    /// Whether one user is as another, so that whoever is drawn, the statistic is the same.
    ///
    /// Asked of the numbers themselves: a resample's sum of equal numbers may round otherwise than the next.
    pub(super) fn is_constant(&self) -> bool {
        self.columns.iter().all(|column| column.iter().all(|&value| value == column[0]))
    }

    fn n_users(&self) -> usize {
        self.columns[0].len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{UserStatistic, UserSums};
    use super::*;

    fn sums(numerators: [f64; 2]) -> UserSums {
        UserSums { users: vec![0, 1], numerators: numerators.to_vec(), denominators: vec![1.0, 3.0] }
    }

    #[track_caller]
    fn check_difference(baseline: UserStatistic<'_>, candidate: UserStatistic<'_>, expected: f64) {
        let [baseline, candidate] = [baseline, candidate].map(|one| Columns::of(&one).unwrap());
        let pairs = candidate.numerators.iter().zip(baseline.numerators.iter());
        let differences: Vec<f64> = pairs.map(|(after, before)| after - before).collect();
        let estimator = Estimator::of_difference(&baseline, &candidate, &differences);
        assert_eq!(estimator.estimate(), expected);
        assert!((candidate.estimate() - baseline.estimate() - expected).abs() < 1e-15);
    }

    #[test]
    fn each_difference_is_the_candidates_statistic_less_the_baselines() {
        let weights = &[3.0, 1.0][..];
        let weighted = |values| UserStatistic::WeightedMean { values, weights };
        check_difference(UserStatistic::Mean(&[0.5, 1.0]), UserStatistic::Mean(&[1.0, 0.0]), -0.25);
        check_difference(weighted(&[0.5, 1.0]), weighted(&[1.0, 0.0]), 0.125);
        let (before, after) = (sums([3.0, 1.0]), sums([6.0, 10.0]));
        check_difference(UserStatistic::Ratio(&before), UserStatistic::Ratio(&after), 3.0);
        check_difference(UserStatistic::RootRatio(&before), UserStatistic::RootRatio(&after), 1.0);
    }

    #[test]
    fn users_are_alike_only_if_all_their_numbers_are() {
        let is_constant = |statistic| Estimator::of(&Columns::of(&statistic).unwrap()).is_constant();
        assert!(is_constant(UserStatistic::Mean(&[0.1; 7])));
        assert!(!is_constant(UserStatistic::Mean(&[0.1, 0.1, 0.2])));
        assert!(!is_constant(UserStatistic::Ratio(&sums([1.0, 1.0]))));
    }
}
