//! What is written in a format and read back is the same.

use cresset_data::{Interactions, NO_TIME, Part, SourceKind, TimeKind};
use proptest::prelude::*;

use crate::support::{Files, read};
use crate::writers;

/// A row: user, item, rating, time, part.
type Row = (String, String, f32, i64, Part);

fn ids_from(lowest: u32) -> BoxedStrategy<String> {
    (lowest..30).prop_map(|id| id.to_string()).boxed()
}

fn rows(ids: &BoxedStrategy<String>) -> impl Strategy<Value = Vec<Row>> + use<> {
    let rating = (-20_i8..100).prop_map(|tenths| f32::from(tenths) / 10.0);
    let time = prop_oneof![5 => -1_000_000_000_000_i64..4_000_000_000_000, 1 => Just(NO_TIME)];
    let part = prop_oneof![Just(Part::Train), Just(Part::Valid), Just(Part::Test)];
    prop::collection::vec((ids.clone(), ids.clone(), rating, time, part), 1..50)
}

/// Rows on the scale of 1 to 5 stars, in halves, at times from 1970 on.
fn stars(ids: &'static str) -> impl Strategy<Value = Vec<Row>> {
    let rating = (2_u8..=10).prop_map(|halves| f32::from(halves) / 2.0);
    let time = prop_oneof![5 => 1_i64..4_000_000_000, 1 => Just(NO_TIME)];
    let part = prop_oneof![Just(Part::Train), Just(Part::Valid), Just(Part::Test)];
    prop::collection::vec((ids, ids, rating, time, part), 1..50)
}

fn columns<'r>(rows: impl IntoIterator<Item = &'r Row>, has_parts: bool) -> Interactions {
    let mut columns = Interactions { time_kind: TimeKind::Timestamp, ..Interactions::default() };
    for (user, item, rating, time, part) in rows {
        columns.push_in_part(user, item, *rating, *time, has_parts.then_some(*part));
    }
    columns
}

/// The rows of a format without ratings and calendar; times are positions where `is_ordered`.
fn implicit(mut rows: Interactions, is_ordered: bool) -> Interactions {
    rows.ratings.fill(1.0);
    rows.times.fill(NO_TIME);
    rows.time_kind = if is_ordered { TimeKind::Ordinal } else { TimeKind::Absent };
    for row in (0..rows.len()).filter(|_| is_ordered) {
        let user = rows.users.codes()[row];
        rows.times[row] = rows.users.codes()[..row].iter().filter(|&&other| other == user).count() as i64;
    }
    rows
}

fn check(source: SourceKind, files: &Files, expected: &Interactions) {
    assert_eq!(&read(source, files).interactions, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn recbole_files_are_read_as_they_were_written(rows in rows(&"[a-zA-Z0-9:,;._-]{1,6}".boxed())) {
        let rows = columns(&rows, false);
        check(SourceKind::RecBole, &writers::recbole(&rows), &rows);
    }

    #[test]
    fn recbole_pre_splits_are_read_as_they_were_written(mut rows in rows(&"[a-zA-Z0-9:,;._-]{1,6}".boxed())) {
        for part in [Part::Train, Part::Test] {
            rows.push(("a".to_owned(), "x".to_owned(), 1.0, 0, part));
        }
        rows.sort_by_key(|row| row.4);
        let rows = columns(&rows, true);
        check(SourceKind::RecBole, &writers::recbole(&rows), &rows);
    }

    #[test]
    fn mmrec_files_are_read_as_they_were_written(rows in rows(&ids_from(0))) {
        let rows = columns(&rows, true);
        check(SourceKind::MmRec, &writers::mmrec(&rows), &rows);
    }

    #[test]
    fn sasrec_files_are_read_as_they_were_written(rows in rows(&ids_from(1))) {
        let rows = implicit(columns(&rows, false), true);
        check(SourceKind::SasRec, &writers::sasrec(&rows), &rows);
    }

    #[test]
    fn sequence_lines_are_read_as_they_were_written(rows in rows(&"[a-zA-Z0-9:._-]{1,3}".boxed())) {
        let rows = implicit(columns(&rows, false), true);
        check(SourceKind::Sequences, &writers::sequences(&rows), &rows);
    }

    #[test]
    fn kgat_folders_are_read_as_they_were_written(mut rows in rows(&ids_from(0))) {
        rows.iter_mut().filter(|row| row.4 == Part::Valid).for_each(|row| row.4 = Part::Train);
        for part in [Part::Train, Part::Test] {
            rows.push(("0".to_owned(), "0".to_owned(), 1.0, 0, part));
        }
        rows.sort_by_key(|row| row.4);
        let rows = implicit(columns(&rows, true), false);
        check(SourceKind::Kgat, &writers::kgat(&rows), &rows);
    }

    #[test]
    fn files_of_movielens_100k_are_read_as_they_were_written(rows in stars("[a-zA-Z0-9:,;._-]{1,6}")) {
        let rows = columns(&rows, false);
        check(SourceKind::MovieLens100k, &writers::movielens_100k(&rows), &rows);
    }

    #[test]
    fn files_of_movielens_1m_are_read_as_they_were_written(rows in stars("[a-zA-Z0-9,;._-]{1,6}")) {
        let rows = columns(&rows, false);
        check(SourceKind::MovieLens1m, &writers::ratings_dat(&rows), &rows);
    }

    #[test]
    fn csv_files_of_movielens_are_read_as_they_were_written(mut rows in stars("[a-zé,;\"'\r\n\t]{0,4}[a-z0-9]")) {
        // Spaces around an id are not its own.
        rows.iter_mut().for_each(|row| (row.0, row.1) = (format!("u{}", row.0), format!("i{}", row.1)));
        let rows = columns(&rows, false);
        check(SourceKind::MovieLensCsv, &writers::movielens_csv(&rows), &rows);
    }

    #[test]
    fn multimodal_folders_are_read_as_they_were_written(rows in stars("[a-zé0-9,;|._-]{1,6}")) {
        let rows = columns(&rows, false);
        check(SourceKind::Multimodal, &writers::ratings_dat(&rows), &rows);
    }

    #[test]
    fn files_of_ratings_of_amazon_are_read_as_they_were_written(mut rows in stars("[A-Z0-9]{1,4}")) {
        for part in [Part::Test, Part::Train, Part::Valid] {
            rows.push(("A".to_owned(), "B".to_owned(), 1.0, 0, part));
        }
        let place = |part| [Part::Test, Part::Train, Part::Valid].iter().position(|&it| it == part);
        rows.sort_by_key(|row| place(row.4));
        let rows = columns(&rows, true);
        check(SourceKind::Amazon, &writers::amazon_csv(&rows), &rows);
    }

    #[test]
    fn kgcn_folders_are_read_as_they_were_written(rows in rows(&ids_from(0))) {
        let rows = implicit(columns(&rows, false), false);
        let raw = read(SourceKind::Kgcn, &writers::kgcn(&rows));
        prop_assert_eq!(raw.sampled_negatives, rows.len().div_ceil(3) as u64);
        prop_assert_eq!(raw.interactions, rows);
    }
}
