//! Rows by chance, over all rows or within each user.

use super::assigned::{Assigned, MORE_TEST, Remedies, part_sizes, part_sizes_within_user, testable};
use super::{Part, Split, SplitError};
use crate::groups::Groups;
use crate::random::{shuffle, stream};
use crate::ratings::Ratings;

impl Split {
    /// Rows by chance: of all rows that may be tested, `test_ratio` to test and `valid_ratio` to validation, each
    /// rounded to whole rows.
    ///
    /// A user or an item with few rows may have none in `train`; [`SplitNote`](super::SplitNote) counts the test
    /// rows concerned.
    ///
    /// # Errors
    ///
    /// [`SplitError::EmptyPart`] when rounding leaves a part without a row.
    pub fn random(
        ratings: &Ratings,
        valid_ratio: f64,
        test_ratio: f64,
        seed: u64,
    ) -> Result<Self, SplitError> {
        let mut rows: Vec<u32> = testable(ratings).collect();
        shuffle(&mut rows, &mut stream(seed, "split", 0));
        let sizes = part_sizes(rows.len(), valid_ratio, test_ratio);
        let mut parts = Assigned::new(ratings.len(), ratings.len() - rows.len());
        give_first(&mut parts, &rows, sizes);
        let method = format!("random, valid_ratio {valid_ratio}, test_ratio {test_ratio}, seed {seed}");
        parts.finish(ratings, method, &Remedies::of_ratios(valid_ratio, MORE_TEST))
    }

    /// Rows by chance within each user: of a user's rows that may be tested, `test_ratio` to test and `valid_ratio`
    /// to validation, each rounded down to whole rows, the test part first.
    ///
    /// One row of each user always trains, so that no user of the test part is new: at ratios of 0.1 a user with
    /// fewer than 10 rows only trains. What a user's rows are drawn for depends on the seed and on that user alone.
    ///
    /// # Errors
    ///
    /// [`SplitError::EmptyPart`] when no user has rows enough.
    pub fn random_per_user(
        ratings: &Ratings,
        valid_ratio: f64,
        test_ratio: f64,
        seed: u64,
    ) -> Result<Self, SplitError> {
        let mut of_user = Groups::by(&ratings.user_id, ratings.n_users(), testable(ratings));
        let mut parts = Assigned::new(ratings.len(), ratings.len() - of_user.n_rows());
        let mut users_without_test = 0;
        for (user, group) in (0u64..).zip(of_user.each_mut()).filter(|(_, group)| !group.is_empty()) {
            shuffle(group, &mut stream(seed, "split within user", user));
            let sizes = part_sizes_within_user(group.len(), valid_ratio, test_ratio);
            give_first(&mut parts, group, sizes);
            users_without_test += u64::from(sizes.1 == 0);
        }
        let method =
            format!("random within users, valid_ratio {valid_ratio}, test_ratio {test_ratio}, seed {seed}");
        let mut split = parts.finish(ratings, method, &Remedies::of_ratios(valid_ratio, MORE_TEST))?;
        split.note.users_without_test = users_without_test;
        Ok(split)
    }
}

/// Gives the first rows to test and those after them to validation.
fn give_first(parts: &mut Assigned, rows: &[u32], (n_valid, n_test): (usize, usize)) {
    parts.give(&rows[..n_test], Part::Test);
    parts.give(&rows[n_test..n_test + n_valid], Part::Valid);
}
