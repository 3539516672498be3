//! What each user adds to a statistic of all.

use super::StatisticsError;

/// A statistic of users: what each of them brings, and how it is put together.
///
/// In all of them the user is what is drawn, never a single rating: the ratings of one user are no independent
/// observations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UserStatistic<'a> {
    /// The mean of one value of each user, as of `ndcg@10`.
    Mean(&'a [f64]),
    /// The mean of one value of each user by weight, as of `gauc`.
    WeightedMean {
        /// One value of each user.
        values: &'a [f64],
        /// One weight of each user, above 0.
        weights: &'a [f64],
    },
    /// The sum of the numerators by the sum of the denominators, as of `mse` and `mae`.
    Ratio(&'a UserSums),
    /// The square root of that ratio, as of `rmse`.
    RootRatio(&'a UserSums),
}

/// One metric of a run, user by user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UserMetric<'a> {
    /// As in the results: `ndcg@10`.
    pub key: &'a str,
    /// Dense user ids, in the order of the statistic's values.
    pub users: &'a [u32],
    /// What each of them brings.
    pub statistic: UserStatistic<'a>,
}

/// What each user adds to both sums of a ratio; the fields pair up by position.
///
/// ```
/// use cresset_metrics::statistics::{Bootstrap, UserStatistic, UserSums};
///
/// // Eight ratings by four users.
/// let users = [0, 0, 1, 1, 1, 2, 3, 3];
/// let targets = [3.0, 4.0, 5.0, 1.0, 2.0, 4.0, 4.0, 5.0];
/// let predictions = [3.5, 4.0, 4.0, 2.0, 2.0, 3.5, 4.5, 3.0];
/// let errors = targets.iter().zip(&predictions).map(|(target, prediction): (&f64, &f64)| prediction - target);
/// let sums = UserSums::of_rows(users.into_iter().zip(errors.map(|error| error * error)));
/// let rmse = Bootstrap::default().interval(&UserStatistic::RootRatio(&sums))?;
/// assert_eq!(rmse.estimate, (6.75_f64 / 8.0).sqrt());
/// assert!(rmse.low < rmse.estimate && rmse.estimate < rmse.high);
/// # Ok::<(), cresset_metrics::statistics::StatisticsError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserSums {
    /// Dense user ids, rising.
    pub users: Vec<u32>,
    /// What each adds above the line, such as the sum of the user's squared errors.
    pub numerators: Vec<f64>,
    /// What each adds below it, above 0, such as the number of the user's ratings.
    pub denominators: Vec<f64>,
}

impl UserSums {
    /// Sums the terms of each user and counts them, so that the ratio is the mean over rows.
    ///
    /// ```
    /// use cresset_metrics::statistics::UserSums;
    ///
    /// // User 7 erred by 1 and by 2, user 3 by 3.
    /// let squared_errors = UserSums::of_rows([(7, 1.0), (3, 9.0), (7, 4.0)]);
    /// assert_eq!(squared_errors.users, [3, 7]);
    /// assert_eq!(squared_errors.numerators, [9.0, 5.0]);
    /// assert_eq!(squared_errors.denominators, [1.0, 2.0]);
    /// ```
    ///
    /// # Shapes
    ///
    /// - rows: `[n]`, dense user id and term of each row, in any order
    pub fn of_rows(rows: impl IntoIterator<Item = (u32, f64)>) -> Self {
        let mut rows: Vec<(u32, f64)> = rows.into_iter().collect();
        // Stable: the terms of a user are added in the order of the rows.
        rows.sort_by_key(|&(user, _)| user);
        let mut sums = Self::default();
        for rows in rows.chunk_by(|a, b| a.0 == b.0) {
            sums.users.push(rows[0].0);
            sums.numerators.push(rows.iter().map(|&(_, term)| term).sum());
            sums.denominators.push(rows.len() as f64);
        }
        sums
    }
}

/// That two columns have one length.
pub(super) fn check_lengths(
    what: &'static str,
    found: usize,
    other: &'static str,
    expected: usize,
) -> Result<(), StatisticsError> {
    if found == expected {
        return Ok(());
    }
    Err(StatisticsError::LengthMismatch { what, found, other, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_no_row_are_empty() {
        assert_eq!(UserSums::of_rows([]), UserSums::default());
    }
}
