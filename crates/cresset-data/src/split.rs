//! Rows divided into training, validation and test parts.

use crate::config::{DataConfig, SplitKind};
use crate::error::DataError;
use crate::groups::Groups;
use crate::interactions::{NO_TIME, TimeKind};
use crate::random::{shuffle, stream};
use crate::ratings::Ratings;
use crate::split_note::{SplitNote, count_tied};

const MORE_TEST: &str = "raise data.test_ratio, or give more rows";
const MORE_VALID: &str = "raise data.valid_ratio, set it to 0 for no validation, or give more rows";
const MORE_TRAIN: &str = "lower data.valid_ratio and data.test_ratio, or give more rows";
const FEWER_FOLDS: &str = "lower data.n_folds, or give more rows";

/// Row numbers of the three parts, each ascending; every row is in exactly one part.
///
/// Where some rows have a time, those without one are always in `train`: nothing says that a model tested on them
/// had not seen their future. Where no row has a time, chance may put any row anywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Rows to learn from; never empty.
    pub train: Vec<u32>,
    /// Rows to select a model by; empty exactly when `valid_ratio` is 0.
    pub valid: Vec<u32>,
    /// Rows to report on; never empty.
    pub test: Vec<u32>,
    /// What must be known to read numbers from this split.
    pub note: SplitNote,
}

impl Split {
    /// The split that a configuration asks for; `fold` is below [`DataConfig::n_splits`] and counts for `k_fold` only.
    ///
    /// # Errors
    ///
    /// [`DataError`] when the configuration is out of range, or a part would have no row.
    pub fn of(ratings: &Ratings, config: &DataConfig, fold: usize) -> Result<Self, DataError> {
        config.validate()?;
        let DataConfig { valid_ratio, test_ratio, n_folds, split_seed, .. } = *config;
        match config.split {
            SplitKind::Random => Self::random(ratings, valid_ratio, test_ratio, split_seed),
            SplitKind::Temporal => Self::temporal(ratings, valid_ratio, test_ratio),
            SplitKind::KFold => Self::k_fold(ratings, fold, n_folds, valid_ratio, split_seed),
        }
    }

    /// Rows that come before the test part: what a model may know, and must not recommend again, when it is tested.
    pub fn before_test(&self) -> Vec<u32> {
        [&self.train[..], &self.valid[..]].concat()
    }

    /// Rows by chance: of all rows that may be tested, `test_ratio` to test and `valid_ratio` to validation, each
    /// rounded to whole rows.
    ///
    /// A user or an item with few rows may have none in `train`; [`SplitNote`] counts the test rows concerned.
    ///
    /// # Errors
    ///
    /// [`DataError::EmptyPart`] when rounding leaves a part without a row.
    pub fn random(
        ratings: &Ratings,
        valid_ratio: f64,
        test_ratio: f64,
        seed: u64,
    ) -> Result<Self, DataError> {
        let (mut rows, timeless) = testable(ratings);
        shuffle(&mut rows, &mut stream(seed, "split", 0));
        let (n_valid, n_test) = part_sizes(rows.len(), valid_ratio, test_ratio);
        let parts = Parts {
            test: rows[..n_test].to_vec(),
            valid: rows[n_test..n_test + n_valid].to_vec(),
            train: rows[n_test + n_valid..].to_vec(),
            timeless,
        };
        let method = format!("random, valid_ratio {valid_ratio}, test_ratio {test_ratio}, seed {seed}");
        parts.finish(ratings, method, valid_ratio, MORE_TEST)
    }

    /// Rows by time within each user: the latest `test_ratio` to test, those before, `valid_ratio`, to validation,
    /// the rest to training.
    ///
    /// Rows of equal time are in order of their item index. Sizes are rounded to whole rows, the test part first,
    /// and one row of each user always trains: at ratios of 0.1 a user with fewer than 5 rows only trains. The parts
    /// do not follow one another across users: one user's test rows may be older than another's training rows.
    ///
    /// # Errors
    ///
    /// [`DataError::NoTimes`] when no row has a time, [`DataError::EmptyPart`] when no user has rows enough.
    pub fn temporal(ratings: &Ratings, valid_ratio: f64, test_ratio: f64) -> Result<Self, DataError> {
        if ratings.time_kind == TimeKind::Absent {
            return Err(DataError::NoTimes);
        }
        let (rows, timeless) = testable(ratings);
        let n_users = ratings.user_id.iter().max().map_or(0, |&user| user as usize + 1);
        let mut of_user = Groups::by(&ratings.user_id, n_users, rows.into_iter());
        let mut parts = Parts { timeless, ..Parts::default() };
        let (mut tied_with_train, mut tied_with_valid, mut untested) = (0, 0, 0);
        for group in of_user.each_mut().filter(|group| !group.is_empty()) {
            group.sort_unstable_by_key(|&row| {
                (ratings.time[row as usize], ratings.item_id[row as usize], row)
            });
            let (n_valid, n_test) = part_sizes(group.len(), valid_ratio, test_ratio);
            let (before, test) = group.split_at(group.len() - n_test);
            let (train, valid) = before.split_at(before.len() - n_valid);
            tied_with_train += count_tied(&ratings.time, train, test);
            tied_with_valid += count_tied(&ratings.time, valid, test);
            untested += u64::from(test.is_empty());
            parts.train.extend(train);
            parts.valid.extend(valid);
            parts.test.extend(test);
        }
        let method = format!("temporal within users, valid_ratio {valid_ratio}, test_ratio {test_ratio}");
        let mut split = parts.finish(ratings, method, valid_ratio, MORE_TEST)?;
        split.note.test_rows_tied_with_train = tied_with_train;
        split.note.test_rows_tied_with_valid = tied_with_valid;
        split.note.users_without_test = untested;
        Ok(split)
    }

    /// One of `n_folds` divisions by chance: fold `fold` is the test part, and of the rest `valid_ratio`, by chance
    /// again, is the validation part.
    ///
    /// With one seed, each row that may be tested is in the test part of exactly one fold, and folds differ in size
    /// by one row at most. As with [`random`](Self::random), few rows may all be away from `train`.
    ///
    /// # Errors
    ///
    /// [`DataError::EmptyPart`] when there are fewer rows than folds, or rounding leaves a part without a row.
    ///
    /// # Panics
    ///
    /// If `fold` is not below `n_folds`.
    pub fn k_fold(
        ratings: &Ratings,
        fold: usize,
        n_folds: usize,
        valid_ratio: f64,
        seed: u64,
    ) -> Result<Self, DataError> {
        assert!(fold < n_folds, "a fold is below the number of folds");
        let (mut rows, timeless) = testable(ratings);
        shuffle(&mut rows, &mut stream(seed, "folds", 0));
        let (start, end) = (fold * rows.len() / n_folds, (fold + 1) * rows.len() / n_folds);
        let test = rows[start..end].to_vec();
        let mut rest = [&rows[..start], &rows[end..]].concat();
        shuffle(&mut rest, &mut stream(seed, "fold validation", fold as u64));
        let (n_valid, _) = part_sizes(rest.len(), valid_ratio, 0.0);
        let train = rest.split_off(n_valid);
        let parts = Parts { train, valid: rest, test, timeless };
        let method = format!("fold {} of {n_folds}, valid_ratio {valid_ratio}, seed {seed}", fold + 1);
        parts.finish(ratings, method, valid_ratio, FEWER_FOLDS)
    }
}

/// The parts while they are filled.
#[derive(Default)]
struct Parts {
    train: Vec<u32>,
    valid: Vec<u32>,
    test: Vec<u32>,
    /// Rows that train because they have no time.
    timeless: Vec<u32>,
}

impl Parts {
    fn finish(
        self,
        ratings: &Ratings,
        method: String,
        valid_ratio: f64,
        test_remedy: &'static str,
    ) -> Result<Split, DataError> {
        let Self { mut train, mut valid, mut test, timeless } = self;
        let n_rows = train.len() + valid.len() + test.len();
        train.extend(&timeless);
        let require = |part, is_there: bool, remedy| {
            if is_there { Ok(()) } else { Err(DataError::EmptyPart { part, n_rows, remedy }) }
        };
        require("test", !test.is_empty(), test_remedy)?;
        require("valid", !valid.is_empty() || valid_ratio == 0.0, MORE_VALID)?;
        require("train", !train.is_empty(), MORE_TRAIN)?;
        for part in [&mut train, &mut valid, &mut test] {
            part.sort_unstable();
        }
        let note = SplitNote::new(method, ratings, &train, &test, timeless.len());
        Ok(Split { train, valid, test, note })
    }
}

/// The rows that may be tested, and those that may not, for want of a time that other rows have.
fn testable(ratings: &Ratings) -> (Vec<u32>, Vec<u32>) {
    let has_times = ratings.time_kind != TimeKind::Absent;
    (0..ratings.len() as u32).partition(|&row| !has_times || ratings.time[row as usize] != NO_TIME)
}

/// The numbers of validation and test rows among `n`, leaving one at least where there is one.
fn part_sizes(n: usize, valid_ratio: f64, test_ratio: f64) -> (usize, usize) {
    let rounded = |ratio: f64, most: usize| ((n as f64 * ratio).round() as usize).min(most);
    let n_test = rounded(test_ratio, n.saturating_sub(1));
    let n_valid = rounded(valid_ratio, n.saturating_sub(1) - n_test);
    (n_valid, n_test)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rows of (user, item, time), rated 3.
    fn ratings(rows: &[(u32, u32, i64)]) -> Ratings {
        Ratings {
            user_id: rows.iter().map(|row| row.0).collect(),
            item_id: rows.iter().map(|row| row.1).collect(),
            rating: vec![3.0; rows.len()],
            time: rows.iter().map(|row| row.2).collect(),
            time_kind: TimeKind::Timestamp,
        }
    }

    fn ten_rows() -> Ratings {
        ratings(&(0..10).map(|row| (0, row, i64::from(row))).collect::<Vec<_>>())
    }

    #[test]
    fn of_ten_rows_eight_train_one_validates_and_one_tests() {
        let split = Split::random(&ten_rows(), 0.1, 0.1, 42).unwrap();
        assert_eq!((split.train.len(), split.valid.len(), split.test.len()), (8, 1, 1));
    }

    #[test]
    fn the_latest_rows_of_each_user_test_and_those_before_validate() {
        // User 0 has times 50, 10, 40, 20, 30; user 1 the reverse of the row order; ratios of 0.2 are one row each.
        let rows = ratings(&[
            (0, 0, 50),
            (0, 1, 10),
            (0, 2, 40),
            (0, 3, 20),
            (0, 4, 30),
            (1, 0, 5),
            (1, 1, 4),
            (1, 2, 3),
            (1, 3, 2),
            (1, 4, 1),
        ]);
        let split = Split::temporal(&rows, 0.2, 0.2).unwrap();
        assert_eq!(split.test, [0, 5]);
        assert_eq!(split.valid, [2, 6]);
        assert_eq!(split.train, [1, 3, 4, 7, 8, 9]);
    }

    #[test]
    fn rows_of_equal_time_are_in_order_of_their_item_and_counted() {
        let rows = ratings(&[(0, 9, 7), (0, 3, 7), (0, 5, 7), (0, 1, 6), (0, 2, 6)]);
        let split = Split::temporal(&rows, 0.0, 0.2).unwrap();
        assert_eq!(split.test, [0]);
        assert_eq!(split.note.test_rows_tied_with_train, 1);
        let split = Split::temporal(&rows, 0.2, 0.4).unwrap();
        assert_eq!((split.note.test_rows_tied_with_train, split.note.test_rows_tied_with_valid), (0, 2));
    }

    #[test]
    fn a_user_with_four_rows_only_trains_at_ratios_of_a_tenth() {
        let rows: Vec<_> =
            (0..4).map(|item| (0, item, 1)).chain((0..5).map(|item| (1, item, i64::from(item)))).collect();
        let split = Split::temporal(&ratings(&rows), 0.1, 0.1).unwrap();
        assert_eq!((split.valid, split.test), (vec![7], vec![8]));
        assert_eq!(split.note.users_without_test, 1);
    }

    #[test]
    fn one_row_of_each_user_trains_whatever_the_ratios() {
        let split = Split::temporal(&ratings(&[(0, 0, 1), (0, 1, 2), (1, 0, 1)]), 0.0, 0.9).unwrap();
        assert_eq!(split.train, [0, 2]);
    }

    #[test]
    fn rows_without_a_time_always_train() {
        let rows: Vec<_> =
            (0..20).map(|row| (0, row, if row % 2 == 0 { NO_TIME } else { i64::from(row) })).collect();
        let rows = ratings(&rows);
        let splits = [
            Split::random(&rows, 0.3, 0.3, 1),
            Split::temporal(&rows, 0.3, 0.3),
            Split::k_fold(&rows, 0, 2, 0.3, 1),
        ];
        for split in splits.map(Result::unwrap) {
            assert!((0..20).step_by(2).all(|row| split.train.contains(&row)), "{split:?}");
            assert_eq!(split.note.rows_without_time, 10);
        }
    }

    #[test]
    fn test_rows_of_users_and_items_without_training_rows_are_counted() {
        // Two rows of one item and two users: whichever tests, its user is new and its item known.
        let split = Split::random(&ratings(&[(0, 0, 1), (1, 0, 2)]), 0.0, 0.5, 3).unwrap();
        assert_eq!((split.note.test_rows_of_new_users, split.note.test_rows_of_new_items), (1, 0));
    }

    #[test]
    fn where_no_row_has_a_time_chance_still_divides_and_time_does_not() {
        let rows = Ratings { time: vec![NO_TIME; 10], time_kind: TimeKind::Absent, ..ten_rows() };
        assert_eq!(Split::random(&rows, 0.1, 0.1, 42).unwrap().test.len(), 1);
        assert_eq!(
            Split::temporal(&rows, 0.1, 0.1).unwrap_err().to_string(),
            "data.split = temporal needs times and no row has one: set data.split to random or k_fold"
        );
    }

    fn check_empty(split: Result<Split, DataError>, expected: &str) {
        assert_eq!(split.unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_part_without_a_row_is_an_error_that_says_what_to_change() {
        let one = ratings(&[(0, 0, 1)]);
        let test = "the test part of the split would have no row, 1 rows can be divided: ";
        check_empty(Split::random(&one, 0.1, 0.1, 1), &format!("{test}{MORE_TEST}"));
        check_empty(Split::temporal(&one, 0.1, 0.1), &format!("{test}{MORE_TEST}"));
        check_empty(Split::k_fold(&one, 0, 5, 0.1, 1), &format!("{test}{FEWER_FOLDS}"));
        let valid = "the valid part of the split would have no row, 10 rows can be divided: ";
        check_empty(Split::random(&ten_rows(), 0.01, 0.1, 1), &format!("{valid}{MORE_VALID}"));
    }

    #[test]
    fn a_split_never_changes_between_releases() {
        // Frozen: a change here makes every number ever reported on a random split another experiment.
        assert_eq!(Split::random(&ten_rows(), 0.2, 0.3, 42).unwrap().test, [2, 4, 8]);
        assert_eq!(Split::k_fold(&ten_rows(), 1, 5, 0.2, 42).unwrap().test, [0, 2]);
    }

    /// Every row once, each part ascending.
    fn assert_divides(split: &Split, n_rows: usize) {
        for part in [&split.train, &split.valid, &split.test] {
            assert!(part.is_sorted_by(|a, b| a < b), "{part:?}");
        }
        let mut rows = [&split.train[..], &split.valid, &split.test].concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..n_rows as u32).collect::<Vec<_>>());
    }

    fn any_ratings() -> impl Strategy<Value = Ratings> {
        let row = (0u32..6, 0u32..9, prop_oneof![9 => 0i64..6, 1 => Just(NO_TIME)]);
        prop::collection::vec(row, 1..80).prop_map(|rows| ratings(&rows))
    }

    proptest! {
        #[test]
        fn a_random_split_has_every_row_once(rows in any_ratings(), valid in 0.0..0.5, test in 0.01..0.5, seed: u64) {
            if let Ok(split) = Split::random(&rows, valid, test, seed) {
                assert_divides(&split, rows.len());
                prop_assert_eq!(Split::random(&rows, valid, test, seed).unwrap(), split);
            }
        }

        #[test]
        fn a_temporal_split_has_every_row_once_and_no_training_row_after_a_test_row(
            rows in any_ratings(), valid in 0.0..0.5, test in 0.01..0.5,
        ) {
            if let Ok(split) = Split::temporal(&rows, valid, test) {
                assert_divides(&split, rows.len());
                let key = |row: u32| (rows.time[row as usize], rows.item_id[row as usize], row);
                let Split { train, valid, test, note } = &split;
                for (earlier, later) in [(train, valid), (train, test), (valid, test)] {
                    for (&a, &b) in earlier.iter().flat_map(|a| later.iter().map(move |b| (a, b))) {
                        prop_assert!(rows.user_id[a as usize] != rows.user_id[b as usize] || key(a) < key(b));
                    }
                }
                let moment = |row: u32| (rows.user_id[row as usize], rows.time[row as usize]);
                let is_tied = |row: u32, part: &[u32]| part.iter().any(|&other| moment(other) == moment(row));
                let n_tied = |part| test.iter().filter(|&&row| is_tied(row, part)).count() as u64;
                prop_assert_eq!(note.test_rows_tied_with_train, n_tied(train));
                prop_assert_eq!(note.test_rows_tied_with_valid, n_tied(valid));
            }
        }

        #[test]
        fn folds_have_every_row_once_and_test_each_row_with_a_time_once(
            rows in any_ratings(), n_folds in 2usize..6, valid in 0.0..0.5, seed: u64,
        ) {
            let fold = |fold| Split::k_fold(&rows, fold, n_folds, valid, seed);
            let folds: Result<Vec<_>, _> = (0..n_folds).map(fold).collect();
            if let Ok(folds) = folds {
                folds.iter().for_each(|split| assert_divides(split, rows.len()));
                let mut tested: Vec<u32> = folds.iter().flat_map(|split| split.test.clone()).collect();
                tested.sort_unstable();
                prop_assert_eq!(tested, testable(&rows).0);
                let sizes = folds.iter().map(|split| split.test.len());
                prop_assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
            }
        }
    }
}
