//! Each split by hand, and what holds of every split.

use proptest::prelude::*;

use super::assigned::{MORE_TEST, MORE_VALID, testable};
use super::global_time::{EARLIER_TEST, EARLIER_VALID, LATER_CUTS};
use super::k_fold::FEWER_FOLDS;
use super::within_users::LONGER_HISTORIES;
use super::*;
use crate::interactions::{NO_TIME, TimeKind};

/// Rows of (user, item, time), rated 3.
fn ratings(rows: &[(u32, u32, i64)]) -> Ratings {
    Ratings {
        user_id: rows.iter().map(|row| row.0).collect(),
        item_id: rows.iter().map(|row| row.1).collect(),
        rating: vec![3.0; rows.len()],
        time: rows.iter().map(|row| row.2).collect(),
        time_kind: TimeKind::Timestamp,
        parts: None,
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
fn a_user_with_nine_rows_only_trains_at_ratios_of_a_tenth() {
    let rows: Vec<_> =
        (0..9).map(|item| (0, item, 1)).chain((0..10).map(|item| (1, item, i64::from(item)))).collect();
    let split = Split::temporal(&ratings(&rows), 0.1, 0.1).unwrap();
    assert_eq!((split.valid, split.test), (vec![17], vec![18]));
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

#[test]
fn the_last_row_of_each_user_tests_and_the_one_before_validates() {
    // User 0 is tested on item 8 (time 50) after item 9 (time 40); user 1 has two rows only.
    let rows = ratings(&[(0, 8, 50), (0, 7, 10), (0, 9, 40), (1, 1, 5), (1, 2, 6)]);
    let split = Split::leave_one_out(&rows).unwrap();
    assert_eq!((split.train, split.valid, split.test), (vec![1, 3, 4], vec![2], vec![0]));
    assert_eq!(split.note.users_without_test, 1);
}

#[test]
fn leave_one_out_says_how_many_test_rows_are_older_than_what_others_trained_on() {
    // User 0 is tested at 3, while user 1 trains at 4; user 1 is tested at 6, when all training is over; user 2 is
    // tested at 9 and trains later than anybody else, at 7, but that is no other user.
    let rows = ratings(&[
        (0, 0, 1),
        (0, 1, 2),
        (0, 2, 3),
        (1, 0, 4),
        (1, 1, 5),
        (1, 2, 6),
        (2, 0, 7),
        (2, 1, 8),
        (2, 2, 9),
    ]);
    let note = Split::leave_one_out(&rows).unwrap().note;
    assert_eq!(note.test_rows_before_train_ends, Some(2));
    assert!(note.method.contains("it looks across users' time"), "{note}");
    assert!(note.to_string().ends_with("older than training rows of other users 2"), "{note}");
    let ordinal = Ratings { time_kind: TimeKind::Ordinal, ..rows };
    assert_eq!(Split::leave_one_out(&ordinal).unwrap().note.test_rows_before_train_ends, None);
}

#[test]
fn the_own_later_training_rows_of_the_tested_user_are_not_counted_as_others() {
    // Given parts: user 0 trains at 9 and is tested at 5; the newest row of anybody else is at 4.
    let parts = vec![Part::Train, Part::Test, Part::Train];
    let rows = Ratings { parts: Some(parts), ..ratings(&[(0, 0, 9), (0, 1, 5), (1, 0, 4)]) };
    assert_eq!(Split::given(&rows).unwrap().note.test_rows_before_train_ends, Some(0));
}

#[test]
fn one_cut_through_all_times_leaves_no_training_row_after_a_test_row() {
    // Ten rows of two users at times 0 to 9, latest first: at ratios of a fifth, 8 and 9 test, 6 and 7 validate.
    let rows = ratings(&(0..10).map(|row| (row % 2, row, 9 - i64::from(row))).collect::<Vec<_>>());
    let cuts = TimeCuts { valid_from: None, test_from: None, valid_ratio: 0.2, test_ratio: 0.2 };
    let split = Split::global_time(&rows, &cuts).unwrap();
    assert_eq!((&split.test, &split.valid), (&vec![0, 1], &vec![2, 3]));
    assert_eq!(split.note.method, "global time, validation from 6, test from 8");
    assert_eq!(split.note.test_rows_before_train_ends, Some(0));
    let given = TimeCuts { valid_from: Some(Moment(2)), test_from: Some(Moment(5)), ..cuts };
    let split = Split::global_time(&rows, &given).unwrap();
    assert_eq!((split.test.len(), split.valid.len(), split.train), (5, 3, vec![8, 9]));
    let half_given = TimeCuts { test_from: Some(Moment(5)), ..cuts };
    assert_eq!(Split::global_time(&rows, &half_given).unwrap().valid, [5, 6]);
    let without = TimeCuts { valid_ratio: 0.0, ..half_given };
    let split = Split::global_time(&rows, &without).unwrap();
    assert_eq!((split.valid.len(), split.note.method.as_str()), (0, "global time, test from 5"));
}

#[test]
fn rows_at_the_very_time_of_a_cut_go_together_into_the_later_part() {
    let rows = ratings(&[(0, 0, 1), (0, 1, 2), (1, 0, 3), (1, 1, 3), (2, 0, 3)]);
    let cuts = TimeCuts { valid_from: None, test_from: None, valid_ratio: 0.2, test_ratio: 0.2 };
    let split = Split::global_time(&rows, &cuts).unwrap();
    assert_eq!((split.train, split.valid, split.test), (vec![0], vec![1], vec![2, 3, 4]));
}

#[test]
fn a_cut_needs_dates_and_rows_on_both_of_its_sides() {
    let cuts = TimeCuts { valid_from: None, test_from: None, valid_ratio: 0.1, test_ratio: 0.1 };
    let ordinal = Ratings { time_kind: TimeKind::Ordinal, ..ten_rows() };
    assert_eq!(Split::global_time(&ordinal, &cuts), Err(SplitError::NoCalendar));
    let at = |valid_from, test_from| {
        let cuts =
            TimeCuts { valid_from: Some(Moment(valid_from)), test_from: Some(Moment(test_from)), ..cuts };
        Split::global_time(&ten_rows(), &cuts)
    };
    let empty = |part| format!("the {part} part of the split would have no row, 10 rows can be divided: ");
    check_empty(at(5, 99), &(empty("test") + EARLIER_TEST));
    check_empty(at(-9, 0), &(empty("valid") + EARLIER_VALID));
    check_empty(at(-9, 5), &(empty("train") + LATER_CUTS));
}

#[test]
fn given_parts_are_taken_as_they_are_and_need_no_validation() {
    let parts = [Part::Test, Part::Train, Part::Train, Part::Test];
    let rows = ratings(&[(0, 0, NO_TIME), (0, 1, 1), (1, 0, NO_TIME), (1, 1, 2)]);
    let rows = Ratings { parts: Some(parts.to_vec()), ..rows };
    let split = Split::given(&rows).unwrap();
    assert_eq!((split.train, split.valid, split.test), (vec![1, 2], vec![], vec![0, 3]));
    assert_eq!(split.note.rows_without_time, 0);
    let unsplit = Ratings { parts: None, ..rows };
    assert_eq!(Split::given(&unsplit), Err(SplitError::NoParts));
    let untested = Ratings { parts: Some(vec![Part::Train; 4]), ..unsplit };
    assert!(matches!(Split::given(&untested), Err(SplitError::EmptyPart { part: "test", .. })));
}

#[test]
fn within_each_user_chance_leaves_nobody_without_training_rows() {
    let rows: Vec<_> = (0..100).map(|row| (row / 10, row % 10, i64::from(row))).collect();
    let split = Split::random_per_user(&ratings(&rows), 0.2, 0.3, 42).unwrap();
    for user in 0..10 {
        let n_rows = |part: &[u32]| part.iter().filter(|&&row| row / 10 == user).count();
        assert_eq!([&split.train, &split.valid, &split.test].map(|part| n_rows(part)), [5, 2, 3]);
    }
    assert_eq!(split.note.test_rows_of_new_users, 0);
}

#[test]
fn a_configuration_names_every_split() {
    let parts = (0..10).map(|row| if row < 8 { Part::Train } else { Part::Test }).collect();
    let rows = Ratings { parts: Some(parts), ..ten_rows() };
    for (json, method) in [
        (r#"{ "split": "random" }"#, "random, valid"),
        (r#"{ "split": "random", "per_user": true }"#, "random within users, valid"),
        (r#"{ "split": "temporal" }"#, "temporal within users"),
        (r#"{ "split": "leave_one_out", "test_ratio": 0 }"#, "leave-one-out"),
        (
            r#"{ "split": "global_time", "test_from": "1970-01-01 00:00:09" }"#,
            "global time, validation from 8, test",
        ),
        (r#"{ "split": "k_fold" }"#, "fold 1 of 5"),
        (r#"{ "split": "given", "valid_ratio": 7 }"#, "given by the source"),
    ] {
        let config: DataConfig = serde_json::from_str(json).unwrap();
        let found = Split::of(&rows, &config, 0).unwrap().note.method;
        assert!(found.starts_with(method), "{json}: {found}");
    }
}

fn check_empty(split: Result<Split, SplitError>, expected: &str) {
    assert_eq!(split.unwrap_err().to_string(), expected);
}

#[test]
fn a_part_without_a_row_is_an_error_that_says_what_to_change() {
    let one = ratings(&[(0, 0, 1)]);
    let test = "the test part of the split would have no row, 1 rows can be divided: ";
    check_empty(Split::random(&one, 0.1, 0.1, 1), &format!("{test}{MORE_TEST}"));
    check_empty(Split::temporal(&one, 0.1, 0.1), &format!("{test}{MORE_TEST}"));
    check_empty(Split::k_fold(&one, 0, 5, 0.1, 1), &format!("{test}{FEWER_FOLDS}"));
    check_empty(Split::leave_one_out(&one), &format!("{test}{LONGER_HISTORIES}"));
    let valid = "the valid part of the split would have no row, 10 rows can be divided: ";
    check_empty(Split::random(&ten_rows(), 0.01, 0.1, 1), &format!("{valid}{MORE_VALID}"));
}

#[test]
fn a_split_never_changes_between_releases() {
    // Frozen: a change here makes every number ever reported on a random split another experiment.
    assert_eq!(Split::random(&ten_rows(), 0.2, 0.3, 42).unwrap().test, [2, 4, 8]);
    assert_eq!(Split::k_fold(&ten_rows(), 1, 5, 0.2, 42).unwrap().test, [0, 2]);
    assert_eq!(Split::random_per_user(&ten_rows(), 0.2, 0.3, 42).unwrap().test, [6, 7, 9]);
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
            prop_assert_eq!(tested, testable(&rows).collect::<Vec<_>>());
            let sizes = folds.iter().map(|split| split.test.len());
            prop_assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
        }
    }

    #[test]
    fn every_method_has_every_row_once(
        rows in any_ratings(), parts in prop::collection::vec(0u8..3, 80), valid in 0.0..0.5, test in 0.01..0.5,
        cuts in prop::option::of((-1i64..7, -1i64..7)), seed: u64,
    ) {
        let parts = parts[..rows.len()].iter().map(|&code| Part::try_from(code).unwrap()).collect();
        let rows = Ratings { parts: Some(parts), ..rows };
        let cuts = TimeCuts {
            valid_from: cuts.map(|(first, second)| Moment(first.min(second))),
            test_from: cuts.map(|(first, second)| Moment(first.max(second))),
            valid_ratio: valid,
            test_ratio: test,
        };
        let methods = [
            Split::random_per_user(&rows, valid, test, seed),
            Split::leave_one_out(&rows),
            Split::global_time(&rows, &cuts),
            Split::given(&rows),
        ];
        methods.iter().flatten().for_each(|split| assert_divides(split, rows.len()));
        let per_user = methods[0].iter().all(|split| split.note.test_rows_of_new_users == 0);
        prop_assert!(per_user || methods[0].is_err());
    }

    #[test]
    fn a_global_split_has_its_parts_one_after_the_other(
        rows in any_ratings(), valid in 0.0..0.5, test in 0.01..0.5,
    ) {
        let cuts = TimeCuts { valid_from: None, test_from: None, valid_ratio: valid, test_ratio: test };
        if let Ok(split) = Split::global_time(&rows, &cuts) {
            let times = |part: &[u32]| part.iter().map(|&row| rows.time[row as usize]).collect::<Vec<_>>();
            let (train, valid, test) = (times(&split.train), times(&split.valid), times(&split.test));
            let n_tested = (testable(&rows).count() as f64 * cuts.test_ratio).round();
            prop_assert!(test.len() as f64 >= n_tested);
            prop_assert!(train.iter().max() < valid.iter().chain(&test).min());
            prop_assert!(valid.is_empty() || valid.iter().max() < test.iter().min());
        }
    }

    #[test]
    fn leave_one_out_tests_the_latest_row_of_everybody_with_three(rows in any_ratings()) {
        let Ok(split) = Split::leave_one_out(&rows) else { return Ok(()) };
        for user in 0..6 {
            let key = |&row: &u32| (rows.time[row as usize], rows.item_id[row as usize], row);
            let of_user = |part: &[u32]| {
                part.iter().copied().filter(|&row| rows.user_id[row as usize] == user).collect::<Vec<_>>()
            };
            let mut all = of_user(&testable(&rows).collect::<Vec<_>>());
            all.sort_by_key(key);
            let n_held = if all.len() < 3 { 0 } else { 1 };
            prop_assert_eq!(of_user(&split.test), &all[all.len() - n_held..]);
            prop_assert_eq!(of_user(&split.valid), &all[all.len() - 2 * n_held..all.len() - n_held]);
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_split(rows in any_ratings()) {
        let split = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| (Split::temporal(&rows, 0.2, 0.2), Split::leave_one_out(&rows)))
        };
        prop_assert_eq!(split(1), split(3));
    }
}
