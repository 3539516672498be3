//! Tables in all their dialects, in a few lines each.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::columns::{FileNames, FilesConfig};
use crate::interactions::{Interactions, NO_TIME};
use crate::source::SourceKind;
use crate::split::Part;

fn load(files: &[(&str, &str)], json: &str) -> Result<RawData, String> {
    let data_dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = data_dir.path().join("csv").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let config: DataConfig = serde_json::from_str(json).unwrap();
    let config = DataConfig { source: SourceKind::Csv, ..config };
    config.validate().map_err(|error| error.to_string())?;
    let prefix = format!("{}{}", data_dir.path().join("csv").display(), std::path::MAIN_SEPARATOR);
    let read = config.source.read(&config, data_dir.path());
    read.map_err(|error| error.to_string().replace(&prefix, ""))
}

fn check_error(files: &[(&str, &str)], json: &str, expected: &str) {
    assert_eq!(load(files, json).unwrap_err(), expected);
}

fn rows_of(raw: &RawData) -> Vec<(String, String, f32, i64)> {
    let rows = &raw.interactions;
    let row = |at: usize| {
        let (user, item) = (rows.users.name_at(at).to_owned(), rows.items.name_at(at).to_owned());
        (user, item, rows.ratings[at], rows.times[at])
    };
    (0..rows.len()).map(row).collect()
}

fn row(user: &str, item: &str, rating: f32, time: i64) -> (String, String, f32, i64) {
    (user.to_owned(), item.to_owned(), rating, time)
}

#[test]
fn columns_with_the_usual_names_need_no_configuration() {
    let raw =
        load(&[("ratings.csv", "timestamp,item_id,user_id,rating\n7,\"a,b\",ann,4.5\n")], "{}").unwrap();
    assert_eq!(rows_of(&raw), [row("ann", "a,b", 4.5, 7)]);
    assert_eq!((raw.rating_range, raw.interactions.time_kind), ((4.5, 4.5), TimeKind::Timestamp));
}

#[test]
fn columns_are_named_by_the_configuration_and_times_may_be_milliseconds() {
    let json = r#"{ "columns": { "user": "Visitor", "item": 0, "time": "when" }, "time_unit": "milliseconds",
                    "files": { "interactions": "visits.tsv" }, "separator": "\\t" }"#;
    let content = "page\tvisitor\twhen\n\"p\tv1\t1588615855070\nq\tv2\t2020-05-04\nq\tv3\t\n";
    let raw = load(&[("visits.tsv", content)], json).unwrap();
    assert_eq!(
        rows_of(&raw),
        [
            row("v1", "\"p", 1.0, 1_588_615_855),
            row("v2", "q", 1.0, 1_588_550_400),
            row("v3", "q", 1.0, NO_TIME)
        ]
    );
}

#[test]
fn without_a_header_columns_are_numbers_from_0() {
    let json = r#"{ "header": false, "separator": "::", "time_unit": "position",
                    "columns": { "user": 0, "item": 1, "rating": 2, "time": 3, "part": 4 } }"#;
    let raw = load(&[("ratings.csv", "u::i:j::3::0::train\nu::k::4::1::2\n")], json).unwrap();
    assert_eq!(rows_of(&raw), [row("u", "i:j", 3.0, 0), row("u", "k", 4.0, 1)]);
    assert_eq!(raw.interactions.time_kind, TimeKind::Ordinal);
    assert_eq!(raw.interactions.parts, Some(vec![Part::Train, Part::Test]));
}

#[test]
fn a_folder_of_parts_is_read_in_order_and_its_partitions_are_columns() {
    let json = r#"{ "files": { "interactions": ["rows", "more.csv"] }, "columns": { "part": "part" } }"#;
    let files = [
        ("rows/part=valid/b.csv", "user,item\nb,y\n"),
        ("rows/part=train/a.csv", "item,user\nx,a\n"),
        ("rows/_SUCCESS", ""),
        ("more.csv", "user,item,part\nc,z,test\n"),
    ];
    let raw = load(&files, json).unwrap();
    assert_eq!(
        rows_of(&raw),
        [row("a", "x", 1.0, NO_TIME), row("b", "y", 1.0, NO_TIME), row("c", "z", 1.0, NO_TIME)]
    );
    assert_eq!(raw.interactions.parts, Some(vec![Part::Train, Part::Valid, Part::Test]));
    assert_eq!(raw.interactions.time_kind, TimeKind::Absent);
}

#[test]
fn a_column_that_is_not_there_is_named_with_its_key_and_the_header() {
    let files = [("ratings.csv", "who,what\na,b\n")];
    check_error(
        &files,
        "{}",
        "data.columns.user = null: expected one of the columns \"who\", \"what\" of ratings.csv:1",
    );
    check_error(
        &files,
        r#"{ "columns": { "user": "who", "item": 2 } }"#,
        "data.columns.item = 2: expected one of the columns \"who\", \"what\" of ratings.csv:1",
    );
    check_error(
        &files,
        r#"{ "header": false, "columns": { "user": 0, "item": "what" } }"#,
        "data.columns.item = what: expected the number of a column from 0, since data.header is false",
    );
}

#[test]
fn a_column_beyond_all_counting_is_one_that_no_row_has() {
    let json = r#"{ "header": false, "columns": { "user": 18446744073709551615, "item": 1 } }"#;
    check_error(
        &[("ratings.csv", "a,b\n")],
        json,
        "ratings.csv:1: 2 of 18446744073709551615 fields in \"a,b\": complete or delete the line",
    );
}

#[test]
fn a_wrong_separator_shows_in_the_header_or_in_the_fields_found() {
    let content = "user;item;rating\na;b;3\n";
    check_error(
        &[("ratings.csv", content)],
        "{}",
        "data.columns.user = null: expected one of the columns \"user;item;rating\" of ratings.csv:1",
    );
    check_error(
        &[("ratings.csv", "a\tb\t3\n")],
        r#"{ "header": false, "columns": { "user": 0, "item": 1 } }"#,
        "ratings.csv:1: 1 of 2 fields in \"a\tb\t3\": complete or delete the line",
    );
    check_error(
        &[],
        r#"{ "separator": ", " }"#,
        "data.separator = , : expected one character, once or repeated",
    );
}

#[test]
fn what_is_no_text_number_or_part_is_named_with_its_line() {
    let config = r#"{ "columns": { "part": "part" } }"#;
    let check = |row: &str, expected: &str| {
        let content = format!("user,item,rating,time,part\n{row}\n");
        check_error(&[("ratings.csv", &content)], config, &format!("{expected}: correct or delete the line"));
    };
    check("a,b,x,1,train", "ratings.csv:2: rating \"x\" is not a number");
    let date = "a whole number or a date like 2005-04-02 23:53:47";
    check("a,b,1,soon,train", &format!("ratings.csv:2: time \"soon\" is not {date}"));
    check("a,b,1,1,rest", "ratings.csv:2: part \"rest\" is not train, valid or test, or 0, 1 or 2");
    let utf16: String = "user,item\na,b\n".chars().flat_map(|it| [it, '\0']).collect();
    let message = load(&[("ratings.csv", &utf16)], "{}").unwrap_err();
    assert!(
        message.starts_with("data.columns.user = null: expected one of the columns \"u\0"),
        "{message:?}"
    );
}

#[test]
fn files_that_are_missing_are_named() {
    let message = load(&[("other.csv", "x\n")], "{}").unwrap_err();
    assert!(
        message.starts_with("no interactions.csv or ratings.csv (or data.files.interactions), plain"),
        "{message}"
    );
    let message = load(&[], r#"{ "files": { "interactions": "x.csv" } }"#).unwrap_err();
    assert!(message.starts_with("no x.csv, plain"), "{message}");
}

/// Text as a field in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

proptest! {
    #[test]
    fn interactions_written_and_read_back_are_equal(
        rows in prop::collection::vec(("[a-z \",\n\r;é]{0,6}x", "[0-9]{1,3}", 0u8..=10, any::<i32>()), 1..40),
        separator in prop::sample::select(vec![",", ";"]),
    ) {
        let mut expected = Interactions { time_kind: TimeKind::Timestamp, ..Interactions::default() };
        let mut text = ["when", "who", "what", "stars"].join(separator) + "\n";
        for (user, item, halves, time) in &rows {
            let (rating, time) = (f32::from(*halves) / 2.0, i64::from(*time));
            expected.push(user.trim(), item, rating, time);
            text += &[time.to_string(), quoted(user), quoted(item), rating.to_string()].join(separator);
            text += "\r\n";
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.csv"), text).unwrap();
        let name = |name: &str| Some(ColumnRef::Name(name.to_owned()));
        let columns = ColumnsConfig {
            user: name("who"), item: name("what"), rating: name("stars"), time: name("when"), part: None,
        };
        let files = FilesConfig { interactions: Some(FileNames::One("a.csv".to_owned())), metadata: None };
        let config = DataConfig { files, columns, separator: separator.to_owned(), ..DataConfig::default() };
        prop_assert_eq!(read(folder.path(), &config).unwrap().interactions, expected);
    }
}
