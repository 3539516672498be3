//! What must be known of a split to read the numbers that come from it.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::interactions::{NO_TIME, TimeKind};
use crate::ratings::Ratings;

/// How rows were divided, and what in the division flatters or handicaps a model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitNote {
    /// The rule with its numbers.
    pub method: String,
    /// Rows without a time among rows that have one; all are in the training part.
    pub rows_without_time: u64,
    /// Test rows with the time of a training row of their user, so that the item index alone put the one after the
    /// other; counted by the splits by time within users, else 0.
    pub test_rows_tied_with_train: u64,
    /// The same with a validation row of their user.
    pub test_rows_tied_with_valid: u64,
    /// Users with too few rows to have one in the test part; counted by the splits within users, else 0.
    pub users_without_test: u64,
    /// Test rows older than the newest training row of another user, from whose future a model has so learnt;
    /// `None` where times are no dates.
    pub test_rows_before_train_ends: Option<u64>,
    /// Test rows whose user has no training row.
    pub test_rows_of_new_users: u64,
    /// Test rows whose item has no training row.
    pub test_rows_of_new_items: u64,
}

impl fmt::Display for SplitNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}; test rows of new users {}, of new items {}, tied in time with training {}, with \
             validation {}; users without test rows {}; rows without time {}",
            self.method,
            self.test_rows_of_new_users,
            self.test_rows_of_new_items,
            self.test_rows_tied_with_train,
            self.test_rows_tied_with_valid,
            self.users_without_test,
            self.rows_without_time
        )?;
        match self.test_rows_before_train_ends {
            Some(n_rows) => write!(f, "; test rows older than training rows of other users {n_rows}"),
            None => Ok(()),
        }
    }
}

impl SplitNote {
    /// The counts that any split has, for its training and test rows.
    pub(crate) fn new(
        method: String,
        ratings: &Ratings,
        train: &[u32],
        test: &[u32],
        n_timeless: usize,
    ) -> Self {
        let has_dates = ratings.time_kind == TimeKind::Timestamp;
        let count_new = |ids: &[u32]| count_new(ids, train, test);
        let (test_rows_before_train_ends, (test_rows_of_new_users, test_rows_of_new_items)) = rayon::join(
            || has_dates.then(|| count_older(ratings, train, test)),
            || (count_new(&ratings.user_id), count_new(&ratings.item_id)),
        );
        Self {
            method,
            rows_without_time: n_timeless as u64,
            test_rows_of_new_users,
            test_rows_of_new_items,
            test_rows_before_train_ends,
            ..Self::default()
        }
    }
}

/// The number of `test` rows whose id no `train` row has.
fn count_new(ids: &[u32], train: &[u32], test: &[u32]) -> u64 {
    let n_ids = ids.iter().max().map_or(0, |&id| id as usize + 1);
    let mut is_known = vec![false; n_ids];
    for &row in train {
        is_known[ids[row as usize] as usize] = true;
    }
    test.iter().filter(|&&row| !is_known[ids[row as usize] as usize]).count() as u64
}

/// The number of `test` rows that have a time and are older than the newest `train` row of another user.
fn count_older(ratings: &Ratings, train: &[u32], test: &[u32]) -> u64 {
    let moment = |row: u32| (ratings.time[row as usize], ratings.user_id[row as usize]);
    // The newest row of all, and the newest of any user but that row's own.
    let newest = train.par_iter().map(|&row| moment(row)).max();
    let Some((newest, newest_user)) = newest else { return 0 };
    let runner_up = train.par_iter().map(|&row| moment(row)).filter(|&(_, user)| user != newest_user);
    let runner_up = runner_up.max().map_or(NO_TIME, |(time, _)| time);
    let is_older = |&&row: &&u32| {
        let (time, user) = moment(row);
        time != NO_TIME && time < if user == newest_user { runner_up } else { newest }
    };
    test.iter().filter(is_older).count() as u64
}

/// The number of `test` rows with the time of an `earlier` row, all of one user and ordered by time.
pub(crate) fn count_tied(times: &[i64], earlier: &[u32], test: &[u32]) -> u64 {
    let last = earlier.last().map_or(NO_TIME, |&row| times[row as usize]);
    test.iter().filter(|&&row| times[row as usize] == last).count() as u64
}
