//! Parquet folders of our own, as data frames and Spark write them.

use std::fs;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use proptest::prelude::*;

use super::*;
use crate::dataset::Dataset;
use crate::interactions::NO_TIME;
use crate::parquet_io::{ParquetOptions, write_parquet};
use crate::source::SourceKind;
use crate::split::Part;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn ids(ids: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(ids.to_vec()))
}

fn numbers(numbers: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(numbers.to_vec()))
}

fn config(json: &str) -> DataConfig {
    let config: DataConfig = serde_json::from_str(json).unwrap();
    DataConfig { source: SourceKind::Parquet, ..config }
}

/// A data directory with these files in the folder `parquet`.
fn written(files: Vec<(&str, RecordBatch)>) -> tempfile::TempDir {
    let data_dir = tempfile::tempdir().unwrap();
    for (name, batch) in files {
        let path = data_dir.path().join("parquet").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_parquet(&path, &batch, &ParquetOptions::default()).unwrap();
    }
    data_dir
}

fn load(files: Vec<(&str, RecordBatch)>, json: &str) -> Result<Interactions, String> {
    let (data_dir, config) = (written(files), config(json));
    let prefix = format!("{}{}", data_dir.path().join("parquet").display(), std::path::MAIN_SEPARATOR);
    let read = config.source.read(&config, data_dir.path());
    read.map(|raw| raw.interactions).map_err(|error| error.to_string().replace(&prefix, ""))
}

#[test]
fn one_file_with_the_usual_names_needs_no_configuration() {
    let times = TimestampMicrosecondArray::from(vec![Some(1_500_000), None]);
    let table = batch(vec![
        ("timestamp", Arc::new(times)),
        ("userId", numbers(&[7, 8])),
        ("movieId", Arc::new(StringViewArray::from(vec!["x", "y"]))),
        ("rating", Arc::new(Float64Array::from(vec![4.5, 1.0]))),
    ]);
    let rows = load(vec![("ratings.parquet", table)], "{}").unwrap();
    assert_eq!((rows.users.name_at(0), rows.items.name_at(1)), ("7", "y"));
    assert_eq!((rows.ratings, rows.times), (vec![4.5, 1.0], vec![1, NO_TIME]));
    assert_eq!((rows.time_kind, rows.parts), (TimeKind::Timestamp, None));
}

#[test]
fn a_folder_of_spark_is_read_in_order_and_its_partitions_are_columns() {
    let part = |user: &str, item: i64| batch(vec![("who", ids(&[user])), ("what", numbers(&[item]))]);
    let files = vec![
        ("out/part=train/part-00001.snappy.parquet", part("b", 2)),
        ("out/part=train/part-00000.snappy.parquet", part("a", 1)),
        ("out/part=test/part-00000.snappy.parquet", part("c", 3)),
    ];
    let json =
        r#"{ "files": { "interactions": "out" }, "columns": { "user": "who", "item": 1, "part": "part" } }"#;
    let data_dir = written(files);
    fs::write(data_dir.path().join("parquet/out/_SUCCESS"), "").unwrap();
    let config = config(json);
    let rows = config.source.read(&config, data_dir.path()).unwrap().interactions;
    let users: Vec<_> = (0..rows.len()).map(|row| rows.users.name_at(row)).collect();
    assert_eq!((users, rows.ratings), (vec!["c", "a", "b"], vec![1.0; 3]));
    assert_eq!(rows.parts, Some(vec![Part::Test, Part::Train, Part::Train]));
    assert_eq!((rows.time_kind, rows.times), (TimeKind::Absent, vec![NO_TIME; 3]));
}

#[test]
fn whole_numbers_count_what_the_configuration_says_or_what_their_size_tells() {
    let table = |time: i64| {
        let columns = vec![("user", ids(&["a"])), ("item", ids(&["x"])), ("time", numbers(&[time]))];
        vec![("interactions.parquet", batch(columns))]
    };
    let read = |time: i64, json: &str| {
        let rows = load(table(time), json).unwrap();
        (rows.times[0], rows.time_kind)
    };
    assert_eq!(read(1_588_615_855_070, "{}"), (1_588_615_855, TimeKind::Timestamp));
    assert_eq!(read(5_000, r#"{ "time_unit": "milliseconds" }"#), (5, TimeKind::Timestamp));
    assert_eq!(read(5_000, r#"{ "time_unit": "seconds" }"#), (5_000, TimeKind::Timestamp));
    assert_eq!(read(3, r#"{ "time_unit": "position" }"#), (3, TimeKind::Ordinal));
}

#[test]
fn what_is_missing_is_named_with_its_file_and_the_key() {
    let table = || batch(vec![("who", ids(&["a", "b"])), ("item", numbers(&[1, 2]))]);
    let files = || vec![("ratings.parquet", table())];
    assert_eq!(
        load(files(), "{}").unwrap_err(),
        "data.columns.user = null: expected one of the columns \"who\", \"item\" of ratings.parquet"
    );
    assert_eq!(
        load(files(), r#"{ "columns": { "user": "who", "time": "when" } }"#).unwrap_err(),
        "data.columns.time = when: expected one of the columns \"who\", \"item\" of ratings.parquet"
    );
    let message = load(files(), r#"{ "files": { "interactions": "x.parquet" } }"#).unwrap_err();
    assert!(message.starts_with("no x.parquet, plain"), "{message}");
    let message = load(Vec::new(), "{}").unwrap_err();
    assert!(message.starts_with("no interactions.parquet or ratings.parquet (or data.files"), "{message}");
}

#[test]
fn a_null_is_an_error_with_file_and_row_or_is_counted() {
    let users: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]));
    let ratings: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), Some(2.0), None]));
    let table = batch(vec![("user", users), ("item", ids(&["x", "y", "z"])), ("rating", ratings)]);
    let message = load(vec![("ratings.parquet", table.clone())], "{}").unwrap_err();
    assert_eq!(
        message,
        "ratings.parquet, row group 0: column \"user\" is null in row 1: fill in the value, or set data.on_bad_row: \
         skip to leave such rows out and count them"
    );
    let data_dir = written(vec![("ratings.parquet", table)]);
    let data = Dataset::load(&config(r#"{ "on_bad_row": "skip" }"#), data_dir.path()).unwrap();
    assert_eq!((data.cleaning.kept, data.cleaning.missing), (1, 2));
}

#[test]
fn a_file_that_is_cut_or_none_is_refused() {
    let table = batch(vec![("user", ids(&["a"])), ("item", ids(&["x"]))]);
    let data_dir = written(vec![("ratings.parquet", table)]);
    let path = data_dir.path().join("parquet/ratings.parquet");
    let bytes = fs::read(&path).unwrap();
    for content in [&bytes[..bytes.len() / 2], b"user,item\na,x\n"] {
        fs::write(&path, content).unwrap();
        let config = config("{}");
        let message = config.source.read(&config, data_dir.path()).unwrap_err().to_string();
        assert!(message.contains("ratings.parquet: not a whole Parquet file ("), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn interactions_written_and_read_back_are_equal(
        rows in prop::collection::vec(("\\PC{1,4}", 0u16..50, 0u8..=10, prop::option::of(0i64..2_000_000_000)), 1..40),
    ) {
        let empty = || Interactions { time_kind: TimeKind::Timestamp, ..Interactions::default() };
        let (mut written, mut expected) = (empty(), empty());
        for (user, item, halves, time) in rows {
            let (rating, time) = (f32::from(halves) / 2.0, time.unwrap_or(NO_TIME));
            written.push(&user, &item.to_string(), rating, time);
            expected.push(user.trim_ascii(), &item.to_string(), rating, time);
        }
        prop_assume!(!expected.users.names().iter().any(str::is_empty));
        if expected.times.iter().all(|&time| time == NO_TIME) {
            expected.time_kind = TimeKind::Absent;
        }
        let files = vec![("ratings.parquet", written.into_batch())];
        prop_assert_eq!(load(files, "{}").unwrap(), expected);
    }
}
