//! What a file can get wrong, and the sentence that each mistake gets.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

use std::fs;
use std::path::Path;

use cresset_data::{DataConfig, Dataset, OnBadRow, SourceKind};

const REMEDY: &str = "correct the row, or set data.on_bad_row: skip to leave such rows out and count them";

/// Loads `content` as the named file of a source; paths in the message are cut to the file's name.
fn load(source: SourceKind, file: &str, content: &str, on_bad_row: OnBadRow) -> Result<Dataset, String> {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("set");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(file), content).unwrap();
    let config = DataConfig { source, name: Some("set".to_owned()), on_bad_row, ..DataConfig::default() };
    let prefix = format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR);
    Dataset::load(&config, data_dir.path()).map_err(|error| error.to_string().replace(&prefix, ""))
}

fn check(source: SourceKind, file: &str, content: &str, expected: &str) {
    assert_eq!(load(source, file, content, OnBadRow::Error).unwrap_err(), expected);
}

fn check_100k(content: &str, expected: &str) {
    check(SourceKind::MovieLens100k, "u.data", content, expected);
}

fn check_csv(rows: &str, expected: &str) {
    let content = format!("userId,movieId,rating,timestamp\r\n{rows}");
    check(SourceKind::MovieLensCsv, "ratings.csv", &content, expected);
}

#[test]
fn a_missing_folder_is_named_with_what_was_looked_for_and_the_remedy() {
    let config = DataConfig { source: SourceKind::MovieLensCsv, ..DataConfig::default() };
    let message = Dataset::load(&config, Path::new("nowhere")).unwrap_err().to_string();
    let folder = Path::new("nowhere").join("ml-latest-small");
    assert_eq!(
        message,
        format!(
            "no ratings.csv or rating.csv, plain, .gz or .zst, in the folder {}: put the data set there (`cargo xtask data \
             NAME` fetches a public one), or name the folder above it with --data DIR or the variable CRESSET_DATA",
            folder.display()
        )
    );
}

#[test]
fn an_empty_file_is_refused() {
    let remedy = "has no rows: replace it by a complete copy of the file";
    check_100k("", &format!("u.data {remedy}"));
    check_100k("\n \n", &format!("u.data {remedy}"));
    check(SourceKind::MovieLensCsv, "ratings.csv", "", &format!("ratings.csv {remedy}"));
    check_csv("", &format!("ratings.csv {remedy}"));
    check(SourceKind::MovieLens1m, "ratings.dat", "", &format!("ratings.dat {remedy}"));
}

#[test]
fn a_row_with_too_few_fields_is_refused_or_skipped_and_reported() {
    let row = "u.data:2: 3 of 4 fields in \"186\t302\t3\": complete or delete the line";
    let content = "196\t242\t3\t881250949\n186\t302\t3\n";
    check_100k(content, row);
    let skipped = load(SourceKind::MovieLens100k, "u.data", content, OnBadRow::Skip).unwrap().cleaning;
    assert_eq!((skipped.read, skipped.unreadable, skipped.kept), (2, 1, 1));
    assert!(skipped.first_unreadable.unwrap().ends_with(row));
    check_csv("1,2,3.0,4\r\n1,3\r\n", "ratings.csv:3: 2 of 4 fields in \"1,3\": complete or delete the line");
}

#[test]
fn a_rating_that_is_no_number_is_refused_or_skipped_and_reported() {
    let content = "196\t242\tabc\t881250949\n";
    let message = "u.data:1: rating \"abc\" is not a number: correct or delete the line";
    check_100k(content, message);
    assert_eq!(
        load(SourceKind::MovieLens100k, "u.data", content, OnBadRow::Skip).unwrap_err(),
        format!(
            "no rating is left of 1 read (0 of 1 rows kept; left out: 1 unreadable (the first unreadable: {message})): \
             lower data.min_user_ratings and data.min_item_ratings, or check the file"
        )
    );
    check_csv("1,2,abc,4\r\n", "ratings.csv:2: rating \"abc\" is not a number: correct or delete the line");
}

#[test]
fn a_time_that_is_none_is_refused() {
    check_100k(
        "196\t242\t3\tyesterday\n",
        "u.data:1: time \"yesterday\" is not a whole number or a date like 2005-04-02 23:53:47: correct or delete \
         the line",
    );
}

#[test]
fn nan_empty_and_11_are_refused_with_their_line_and_the_way_to_skip_them() {
    check_100k("1\t2\t3\t4\n1\t3\tNaN\t4\n", &format!("u.data:2: rating \"NaN\" is missing: {REMEDY}"));
    check_csv("1,2,3.0,4\r\n1,3,,4\r\n", &format!("ratings.csv:3: rating \"\" is missing: {REMEDY}"));
    check_csv(",2,3.0,4\r\n", &format!("ratings.csv:2: user id \"\" is missing: {REMEDY}"));
    check_csv(
        "1,2,11,4\r\n",
        &format!("ratings.csv:2: rating \"11\" is outside the scale 0.5 to 5: {REMEDY}"),
    );
    check_100k("1\t2\t0.5\t4\n", &format!("u.data:1: rating \"0.5\" is outside the scale 1 to 5: {REMEDY}"));
    check_100k("1\t2\tinf\t4\n", &format!("u.data:1: rating \"inf\" is outside the scale 1 to 5: {REMEDY}"));
}

#[test]
fn skipped_rows_are_counted_by_their_reason() {
    let content =
        "userId,movieId,rating,timestamp\r\n1,2,3.0,4\r\n1,3,NaN,4\r\n1,4,,4\r\n,4,1,4\r\n1,5,11,4\r\n";
    let data = load(SourceKind::MovieLensCsv, "ratings.csv", content, OnBadRow::Skip).unwrap();
    assert_eq!(data.cleaning.to_string(), "1 of 5 rows kept; left out: 3 missing, 1 out of range");
    assert_eq!((data.n_users(), data.n_items()), (1, 1));
}

#[test]
fn duplicates_are_counted_in_either_mode_and_the_latest_stays() {
    let content = "1\t2\t5\t20\n1\t2\t3\t10\n";
    for mode in [OnBadRow::Error, OnBadRow::Skip] {
        let data = load(SourceKind::MovieLens100k, "u.data", content, mode).unwrap();
        assert_eq!(data.cleaning.duplicates, 1);
        assert_eq!(data.ratings.rating, [5.0]);
    }
}

#[test]
fn a_header_without_a_needed_column_is_refused() {
    check(
        SourceKind::MovieLensCsv,
        "ratings.csv",
        "1,2,3.5,4\r\n1,3,3.5,4\r\n",
        "ratings.csv:1: no column \"userId\" in the header \"1,2,3.5,4\": name the columns in the first line",
    );
}

#[test]
fn the_line_is_right_after_blank_lines_and_quoted_line_ends() {
    check_csv(
        "1,2,3.0,4\r\n\r\n\r\n1,3,abc,4\r\n",
        "ratings.csv:5: rating \"abc\" is not a number: correct or delete the line",
    );
    check_csv(
        "\"1\",\"2\",\"3.0\",4\r\n1,3,abc,4\r\n",
        "ratings.csv:3: rating \"abc\" is not a number: correct or delete the line",
    );
    check_100k(
        "1\t2\t3\t4\n\n1\t3\tabc\t4\n",
        "u.data:3: rating \"abc\" is not a number: correct or delete the line",
    );
}

#[test]
fn a_damaged_archive_is_refused() {
    let message =
        load(SourceKind::MovieLens100k, "u.data.gz", "not compressed", OnBadRow::Error).unwrap_err();
    assert!(message.starts_with("cannot read u.data.gz ("), "{message}");
    assert!(message.ends_with("check that the file is there, whole and readable"), "{message}");
}

#[test]
fn a_value_out_of_range_stops_before_any_file_is_looked_for() {
    let config = DataConfig { source: SourceKind::MovieLens1m, test_ratio: 1.5, ..DataConfig::default() };
    let message = Dataset::load(&config, Path::new("nowhere")).unwrap_err().to_string();
    assert_eq!(message, "data.test_ratio = 1.5: expected above 0 and below 1");
}
