//! Ratings that cannot be read: exit code 2, one sentence with file, line, value and remedy, and no run directory.

use crate::desk::Desk;

const ROW: &str = "1\t10\t4\t881250949\n";
const CONFIG: &str = "
data: {source: movielens-100k}
model: {kind: kg-mf, embedding_dim: 4}
training: {epochs: 1}
";

/// Trains on a `u.data` of that content.
#[track_caller]
fn check(content: &str, parts: &[&str]) {
    let desk = Desk::new();
    desk.write("ml.yaml", CONFIG);
    desk.write("data/ml-100k/u.data", content);
    desk.train(&["ml.yaml", "--output", "run"]).refused(parts);
    assert!(!desk.has("run"), "a refused run leaves nothing behind");
}

#[test]
fn a_missing_folder_is_named_with_what_was_looked_for_and_where_to_get_it() {
    let desk = Desk::new();
    desk.write("ml.yaml", CONFIG);
    let folder = std::path::Path::new("elsewhere").join("ml-100k").display().to_string();
    let ended = desk.train(&["ml.yaml", "--data", "elsewhere", "--output", "run"]);
    ended.refused(&["u.data", &folder, "cargo xtask data", "--data DIR"]);
    assert!(!desk.has("run"));
}

#[test]
fn an_empty_file_is_named_with_the_remedy() {
    check("", &["u.data", "no rows", "complete copy"]);
}

#[test]
fn a_row_with_too_few_fields_is_named_by_its_line() {
    check(
        &format!("{ROW}1\t20\t3\n"),
        &["u.data:2", "3 of 4 fields", "1\t20\t3", "complete or delete the line"],
    );
}

#[test]
fn a_rating_that_is_no_number_is_named_by_its_line() {
    check(&format!("{ROW}1\t20\tabc\t5\n"), &["u.data:2", "rating", "\"abc\"", "correct or delete the line"]);
}

#[test]
fn a_rating_that_is_missing_or_off_the_scale_is_named_by_its_line() {
    let remedy = "data.on_bad_row: skip";
    check(&format!("{ROW}{ROW}1\t20\tNaN\t5\n"), &["u.data:3", "\"NaN\"", "correct the row", remedy]);
    check(&format!("1\t20\t11\t5\n{ROW}"), &["u.data:1", "\"11\"", "1 to 5", "correct the row", remedy]);
}

#[test]
fn rows_that_cannot_be_split_are_counted_and_leave_no_run_directory() {
    check(ROW, &["test part", "1 rows", "data.test_ratio", "give more rows"]);
}

#[test]
fn bad_rows_are_skipped_and_counted_where_the_config_says_so() {
    let desk = Desk::new();
    desk.write("ml.yaml", CONFIG);
    let rows: String = (0..20).map(|item| format!("1\t{item}\t{}\t5\n", 1 + item % 5)).collect();
    desk.write("data/ml-100k/u.data", format!("{rows}1\t20\t11\t5\n1\t21\tNaN\t5\n"));
    desk.train(&["ml.yaml", "--set", "data.on_bad_row=skip", "--output", "run"]).done();
    let manifest = desk.read("run/manifest.yaml");
    assert!(manifest.contains("20 of 22 rows kept; left out: 1 missing, 1 out of range"), "{manifest}");
}
