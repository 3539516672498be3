//! Rows by time within each user: by ratio, or one row each.

use super::assigned::{Assigned, MORE_TEST, Remedies, part_sizes_within_user, testable};
use super::note::count_tied;
use super::{Part, Split, SplitError};
use crate::interactions::TimeKind;
use crate::ratings::Ratings;
use crate::timelines::timelines;

/// Rows that a user needs for one to test, one to validate and one to train.
const LEAST: usize = 3;
pub(super) const LONGER_HISTORIES: &str =
    "leave-one-out tests users with 3 rows or more; give more rows, or set data.split to random";

impl Split {
    /// Rows by time within each user: the latest `test_ratio` to test, those before, `valid_ratio`, to validation,
    /// the rest to training.
    ///
    /// Rows of equal time are in order of their item index. Sizes are rounded down to whole rows, the test part first,
    /// and one row of each user always trains: at ratios of 0.1 a user with fewer than 10 rows only trains. The parts
    /// do not follow one another across users: one user's test rows may be older than another's training rows.
    ///
    /// # Errors
    ///
    /// [`SplitError::NoTimes`] when no row has a time, [`SplitError::EmptyPart`] when no user has rows enough.
    pub fn temporal(ratings: &Ratings, valid_ratio: f64, test_ratio: f64) -> Result<Self, SplitError> {
        let method = format!("temporal within users, valid_ratio {valid_ratio}, test_ratio {test_ratio}");
        let remedies = Remedies::of_ratios(valid_ratio, MORE_TEST);
        let sizes = |n| part_sizes_within_user(n, valid_ratio, test_ratio);
        by_time_within_users(ratings, "temporal", method, &remedies, sizes)
    }

    /// The latest row of each user to test and the one before to validation; users with fewer than 3 rows that have
    /// a time only train.
    ///
    /// Rows of equal time are in order of their item index. The split looks across users' time: one user's test row
    /// may be years older than another's training rows, so a model has seen the future of some of the rows that it
    /// is tested on. The [`note`](Split::note) says so, with the number of such rows.
    ///
    /// # Errors
    ///
    /// [`SplitError::NoTimes`] when no row has a time, [`SplitError::EmptyPart`] when no user has 3 rows.
    pub fn leave_one_out(ratings: &Ratings) -> Result<Self, SplitError> {
        let method = "leave-one-out, each user's last row tests and the one before validates; it looks across \
                      users' time";
        let remedies =
            Remedies { train: LONGER_HISTORIES, valid: Some(LONGER_HISTORIES), test: LONGER_HISTORIES };
        let sizes = |n| if n < LEAST { (0, 0) } else { (1, 1) };
        by_time_within_users(ratings, "leave_one_out", method.to_owned(), &remedies, sizes)
    }
}

/// Gives the latest rows of each user to test and those before to validation, as many as `sizes` says of a number
/// of rows.
fn by_time_within_users(
    ratings: &Ratings,
    split: &'static str,
    method: String,
    remedies: &Remedies,
    sizes: impl Fn(usize) -> (usize, usize),
) -> Result<Split, SplitError> {
    if ratings.time_kind == TimeKind::Absent {
        return Err(SplitError::NoTimes { split });
    }
    let mut of_user = timelines(ratings, ratings.n_users(), testable(ratings));
    let mut parts = Assigned::new(ratings.len(), ratings.len() - of_user.n_rows());
    let (mut tied_with_train, mut tied_with_valid, mut untested) = (0, 0, 0);
    for group in of_user.each_mut().filter(|group| !group.is_empty()) {
        let (n_valid, n_test) = sizes(group.len());
        let (before, test) = group.split_at(group.len() - n_test);
        let (train, valid) = before.split_at(before.len() - n_valid);
        tied_with_train += count_tied(&ratings.time, train, test);
        tied_with_valid += count_tied(&ratings.time, valid, test);
        untested += u64::from(test.is_empty());
        parts.give(valid, Part::Valid);
        parts.give(test, Part::Test);
    }
    let mut split = parts.finish(ratings, method, remedies)?;
    split.note.test_rows_tied_with_train = tied_with_train;
    split.note.test_rows_tied_with_valid = tied_with_valid;
    split.note.users_without_test = untested;
    Ok(split)
}
