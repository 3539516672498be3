//! Folders written and read back, folders as other programs write them, and folders whose files do not go together.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array,
};
use proptest::prelude::*;

use super::*;
use crate::catalogue::{Catalogue, ItemInfo, UserInfo};
use crate::config::{DataConfig, OnBadRow};
use crate::dataset::Dataset;
use crate::interactions::{Interactions, NO_TIME, TimeKind};
use crate::parquet_io::{ParquetOptions, write_parquet};
use crate::source::{RawData, SourceKind, Unreadable};
use crate::split::Part;
use crate::split::Split;
use crate::split::SplitNote;
use crate::vectors::{Vectors, of_dataset};

/// The table that most tests start from: three rows of two users and two items.
fn columns() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("user_idx", Arc::new(Int64Array::from(vec![0, 1, 0]))),
        ("item_idx", Arc::new(Int64Array::from(vec![0, 0, 1]))),
        ("score", Arc::new(Float64Array::from(vec![4.0, 5.0, 2.0]))),
        ("ts", Arc::new(Int64Array::from(vec![1_400_000_000_000, 1_400_000_001_500, 1_400_000_002_000]))),
    ]
}

fn write_foreign(folder: &Path, columns: Vec<(&str, ArrayRef)>, files: &[(&str, &str)]) {
    let table = RecordBatch::try_from_iter(columns).unwrap();
    write_parquet(&folder.join(INTERACTIONS), &table, &ParquetOptions::default()).unwrap();
    fs::write(folder.join(USERS), r#"{"A1": 0, "A2": 1}"#).unwrap();
    fs::write(folder.join(ITEMS), r#"{"B1": 0, "B2": 1}"#).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

fn read(columns: Vec<(&str, ArrayRef)>, files: &[(&str, &str)]) -> Result<ProcessedFolder, String> {
    let folder = tempfile::tempdir().unwrap();
    write_foreign(folder.path(), columns, files);
    let place = format!("{}/", folder.path().display());
    ProcessedFolder::read(folder.path()).map_err(|error| error.to_string().replace(&place, ""))
}

fn read_raw(folder: &Path, on_bad_row: OnBadRow) -> Result<RawData, String> {
    let config = DataConfig {
        source: SourceKind::TwoTowerFolder,
        name: Some(String::new()),
        on_bad_row,
        ..DataConfig::default()
    };
    let raw = SourceKind::TwoTowerFolder.read(&config, folder).map_err(|error| error.to_string())?;
    Ok(raw)
}

#[test]
fn columns_are_known_by_other_names_and_milliseconds_become_seconds() {
    let folder = read(columns(), &[]).unwrap();
    assert_eq!((folder.ratings.user_id, folder.ratings.item_id), (vec![0, 1, 0], vec![0, 0, 1]));
    assert_eq!(folder.ratings.rating, [4.0, 5.0, 2.0]);
    assert_eq!(folder.ratings.time, [1_400_000_000, 1_400_000_001, 1_400_000_002]);
    assert_eq!((folder.rating_range, folder.parts, folder.catalogue), ((2.0, 5.0), None, None));
}

#[test]
fn ids_stand_for_indices_and_missing_ratings_for_ones() {
    let table: Vec<(&str, ArrayRef)> = vec![
        ("userId", Arc::new(StringArray::from(vec!["A2", "A1"]))),
        ("IID", Arc::new(StringArray::from(vec!["B1", "B2"]))),
        ("timestamp", Arc::new(TimestampMicrosecondArray::from(vec![Some(2_000_000), None]))),
    ];
    let folder = read(table, &[]).unwrap();
    assert_eq!((folder.ratings.user_id, folder.ratings.item_id), (vec![1, 0], vec![0, 1]));
    assert_eq!((folder.ratings.rating, folder.ratings.time), (vec![1.0, 1.0], vec![2, NO_TIME]));
}

#[test]
fn indices_from_1_are_shifted_in_the_table_and_in_the_negatives() {
    let mut table = columns();
    table[0].1 = Arc::new(Int64Array::from(vec![1, 2, 1]));
    let files = [(USERS, r#"{"A1": 1, "A2": 2}"#), (NEGATIVES, r#"{"2": [1], "1": []}"#)];
    let folder = read(table, &files).unwrap();
    assert_eq!(folder.ratings.user_id, [0, 1, 0]);
    assert_eq!(folder.negatives, Some(Negatives::ByUser(vec![(1, vec![1]), (0, vec![])])));
}

#[test]
fn negatives_are_by_user_index_by_user_id_or_by_test_row() {
    let negatives = |json: &str| {
        read(columns(), &[(SPLITS, r#"{"train": [0], "test": [1, 2]}"#), (NEGATIVES, json)])
            .map(|folder| folder.negatives.unwrap())
    };
    let expected = Ok(Negatives::ByUser(vec![(1, vec![1])]));
    assert_eq!(negatives(r#"{"1": [1]}"#), expected);
    assert_eq!(negatives(r#"{"A2": ["B2"]}"#), expected);
    assert_eq!(negatives(r#"{"protocol": "uni1", "seed": 7, "negatives": {"1": [1]}}"#), expected);
    assert_eq!(negatives("[[1], [0]]"), Ok(Negatives::ByTestRow(vec![vec![1], vec![0]])));
    assert_eq!(
        negatives("[[1], [0], [1]]").unwrap_err(),
        "negatives.json: a list of 3 for 2 test rows: use files that were written together"
    );
    assert_eq!(
        negatives(r#"{"A2": ["B9"]}"#).unwrap_err(),
        "negatives.json: item \"B9\" of the negatives is unknown: use files that were written together"
    );
}

/// The training negatives of each training row of the three-row table, whose last row tests.
fn training_negatives(json: &str) -> Result<Option<Vec<Vec<u32>>>, String> {
    let folder = tempfile::tempdir().unwrap();
    let files = [(SPLITS, r#"{"train": [0, 1], "test": [2]}"#), (NEGATIVES, json)];
    write_foreign(folder.path(), columns(), &files);
    let raw = read_raw(folder.path(), OnBadRow::Error)?;
    let data = Dataset::from_raw(raw, &DataConfig::default()).unwrap();
    let place = format!("{}/", folder.path().display());
    let read = TrainingNegatives::read(folder.path(), &data, &[0, 1]);
    let read = read.map_err(|error| error.to_string().replace(&place, ""))?;
    Ok(read.map(|negatives| (0..negatives.len()).map(|row| negatives.of(row).to_vec()).collect()))
}

#[test]
fn training_negatives_are_lists_of_users_or_of_rows() {
    // The rows that train are of the users 0 and 1.
    let expected = Ok(Some(vec![vec![1], vec![0, 1]]));
    assert_eq!(training_negatives(r#"{"1": [0, 1], "0": [1]}"#), expected);
    assert_eq!(training_negatives(r#"{"A1": ["B2"], "A2": ["B1", "B2"]}"#), expected);
    assert_eq!(training_negatives("[[1], [0, 1]]"), expected);
    assert_eq!(training_negatives(r#"{"train": [[1], [0, 1]], "test": [[0]]}"#), expected);
    assert_eq!(training_negatives(r#"{"train": {"0": [1], "1": [0, 1]}, "test": {"0": [0]}}"#), expected);
}

#[test]
fn negatives_of_the_test_part_alone_are_none_to_train_with() {
    assert_eq!(training_negatives("[[1]]"), Ok(None));
    assert_eq!(training_negatives(r#"{"test": {"0": [1]}}"#), Ok(None));
}

#[test]
fn a_training_row_without_negatives_is_named() {
    let remedy = "list items for each, or take the file away and let training draw its own";
    let of_user = format!("negatives.json: no negatives for user \"A2\", who has training rows: {remedy}");
    assert_eq!(training_negatives(r#"{"0": [1], "1": []}"#), Err(of_user.clone()));
    assert_eq!(training_negatives(r#"{"0": [1]}"#), Err(of_user));
    let of_row = format!("negatives.json: no negatives for training row 0: {remedy}");
    assert_eq!(training_negatives("[[], [1]]"), Err(of_row));
    assert_eq!(
        training_negatives(r#"{"train": [[1]]}"#),
        Err("negatives.json: a list of 1 for 2 training rows: use files that were written together"
            .to_owned())
    );
}

#[test]
fn negatives_of_training_rows_do_not_keep_a_folder_from_being_read() {
    let files = [(SPLITS, r#"{"train": [0, 1], "test": [2]}"#), (NEGATIVES, "[[1], [0]]")];
    assert_eq!(read(columns(), &files).unwrap().negatives, None);
    let files = [(SPLITS, r#"{"train": [0, 1], "test": [2]}"#), (NEGATIVES, r#"{"train": [[1], [0]]}"#)];
    assert_eq!(read(columns(), &files).unwrap().negatives, None);
}

/// The vectors of a folder's items, whose matrix has no ids of its own.
fn text_rows(items: &str, json_or_rows: Result<&str, Vec<f32>>) -> Result<Vec<f32>, String> {
    let folder = tempfile::tempdir().unwrap();
    write_foreign(folder.path(), columns(), &[(ITEMS, items)]);
    let file = match json_or_rows {
        Ok(json) => {
            fs::write(folder.path().join("items_text_emb_1.json"), json).unwrap();
            "items_text_emb_1.json"
        }
        Err(values) => {
            let ids = (0..values.len()).map(|row| row.to_string()).collect();
            let path = folder.path().join("items_text_emb_1.npy");
            Vectors { ids, dim: 1, values }.write(&path).unwrap();
            fs::remove_file(folder.path().join("items_text_emb_1.ids.txt")).unwrap();
            "items_text_emb_1.npy"
        }
    };
    let vectors = serde_json::from_value(serde_json::json!([{ "name": "text", "file": file }])).unwrap();
    let config = DataConfig {
        source: SourceKind::TwoTowerFolder,
        name: Some(String::new()),
        vectors,
        ..DataConfig::default()
    };
    let data = Dataset::load(&config, folder.path()).map_err(|error| error.to_string())?;
    let place = format!("{}/", folder.path().display());
    let found = of_dataset(&config, folder.path(), &data);
    found.map(|found| found[0].vectors.values.clone()).map_err(|error| error.to_string().replace(&place, ""))
}

#[test]
fn a_matrix_without_ids_has_a_row_for_each_index_of_the_folder() {
    // The data's own order is B1, B2; the folder's is the other way round.
    let turned = r#"{"B2": 0, "B1": 1}"#;
    assert_eq!(text_rows(turned, Err(vec![0.5, 0.25])), Ok(vec![0.25, 0.5]));
    assert_eq!(text_rows(turned, Ok(r#"{"0": [0.5], "1": [0.25]}"#)), Ok(vec![0.25, 0.5]));
    assert_eq!(text_rows(turned, Ok(r#"{"B1": [0.5], "B2": [0.25]}"#)), Ok(vec![0.5, 0.25]));
    assert_eq!(
        text_rows(turned, Err(vec![0.5, 0.25, 0.75])),
        Err("items_text_emb_1.npy: a list of 3 for 2 items: use files that were written together".to_owned())
    );
}

#[test]
fn ids_that_are_numbers_are_not_taken_for_the_rows_of_a_matrix() {
    // Item "1" is index 0 of the folder, and row 0 is its row.
    assert_eq!(text_rows(r#"{"1": 0, "2": 1}"#, Err(vec![0.5, 0.25])), Ok(vec![0.5, 0.25]));
}

#[test]
fn categories_and_brands_become_what_is_known_of_items() {
    let mut table = columns();
    table.push(("category", Arc::new(Int64Array::from(vec![7, 7, 8]))));
    table.push(("brand", Arc::new(StringArray::from(vec![Some("Acme"), Some("Acme"), None]))));
    let items = read(table, &[]).unwrap().catalogue.unwrap().items;
    assert_eq!((&items[0].genres[..], items[0].attribute("brand")), (&["7".to_owned()][..], Some("Acme")));
    assert_eq!((&items[1].genres[..], items[1].attribute("brand")), (&["8".to_owned()][..], None));
}

#[track_caller]
fn check(columns: Vec<(&str, ArrayRef)>, files: &[(&str, &str)], expected: &str) {
    assert_eq!(read(columns, files).unwrap_err(), expected);
}

#[test]
fn an_index_or_an_id_that_the_vocabulary_does_not_have_is_named_with_its_row() {
    let mut table = columns();
    table[1].1 = Arc::new(Int64Array::from(vec![0, 2, 1]));
    check(
        table,
        &[],
        "interactions_mapped.parquet, row group 0: column \"item_idx\" is 2 in row 1, and iid2idx.json has the indices 0 \
         to 1: use files that were written together",
    );
    let mut table = columns();
    table[0].1 = Arc::new(StringArray::from(vec!["A1", "A1", "A3"]));
    check(
        table,
        &[],
        "interactions_mapped.parquet, row group 0: column \"user_idx\" is \"A3\" in row 2, which uid2idx.json does not \
         name: use files that were written together",
    );
}

#[test]
fn a_table_without_users_lists_the_names_that_would_do() {
    let message = read(columns()[1..].to_vec(), &[]).unwrap_err();
    assert!(
        message.starts_with("interactions_mapped.parquet: none of the columns user_idx, uid_idx"),
        "{message}"
    );
    assert!(message.ends_with("only item_idx, score, ts: rename the column of users"), "{message}");
}

#[test]
fn a_missing_or_cut_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write_foreign(folder.path(), columns(), &[]);
    fs::remove_file(folder.path().join(USERS)).unwrap();
    let message = ProcessedFolder::read(folder.path()).unwrap_err().to_string();
    assert!(message.starts_with("no uid2idx.json"), "{message}");
    check(
        columns(),
        &[(SPLITS, "{\"train\": [0, 1")],
        "splits.json: EOF while parsing a list at line 1 column 15: write \
         the file as {\"train\": [row numbers], \"valid\": [...], \"test\": [...]}",
    );
}

#[test]
fn rows_in_no_part_are_an_error_or_counted() {
    let folder = tempfile::tempdir().unwrap();
    write_foreign(folder.path(), columns(), &[(SPLITS, r#"{"train": [0], "test": [2]}"#)]);
    let message = read_raw(folder.path(), OnBadRow::Error).unwrap_err();
    assert!(
        message.ends_with(
            "row 1 is in no part: add it to one, or set data.on_bad_row: skip to leave such rows out \
         and count them"
        ),
        "{message}"
    );
    let raw = read_raw(folder.path(), OnBadRow::Skip).unwrap();
    assert_eq!((raw.interactions.len(), raw.unreadable.n_lines), (2, 1));
    assert_eq!(raw.interactions.parts, Some(vec![Part::Train, Part::Test]));
    assert_eq!(raw.interactions.items.name_at(1), "B2");
}

#[test]
fn what_is_known_of_items_and_users_comes_back_with_a_name_twice() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let catalogue = Catalogue {
        items: vec![ItemInfo {
            id: "B1".to_owned(),
            title: "Amélie \"2\"\n".to_owned(),
            genres: vec!["Drama".to_owned(), "Comedy".to_owned()],
            attributes: vec![pair("actor", "a"), pair("actor", "b")],
        }],
        users: vec![UserInfo { id: "A1".to_owned(), attributes: vec![pair("age", "30")] }],
    };
    let folder = tempfile::tempdir().unwrap();
    catalogue::write(folder.path(), &catalogue).unwrap();
    assert_eq!(catalogue::read(folder.path()).unwrap(), Some(catalogue));
    fs::write(folder.path().join(ITEM_INFO), "{\"id\": \"B1\"}\n{\"id\": 7}\n").unwrap();
    let message = catalogue::read(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains("items.jsonl:2: invalid type") && message.contains("one JSON object a line"),
        "{message}"
    );
}

#[test]
fn the_folder_of_another_program_and_its_indices_make_a_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let table: Vec<(&str, ArrayRef)> = vec![
        ("user_id", Arc::new(UInt32Array::from(vec![1, 0]))),
        ("item_id", Arc::new(UInt32Array::from(vec![1, 1]))),
    ];
    write_foreign(folder.path(), table, &[]);
    let data =
        Dataset::from_raw(read_raw(folder.path(), OnBadRow::Error).unwrap(), &DataConfig::default()).unwrap();
    assert_eq!(
        (data.users.ids().join(" "), data.items.ids().join(" ")),
        ("A1 A2".to_owned(), "B2".to_owned())
    );
}

/// Distinct pairs of a user and an item, with rating, time and part.
fn any_interactions() -> impl Strategy<Value = Interactions> {
    let row = (
        -4i8..5,
        prop::option::of(any::<i64>().prop_filter("not the mark", |&time| time != NO_TIME)),
        0usize..3,
    );
    let pairs = prop::collection::btree_map(("\\PC{1,3}", 0u8..9), row, 1..40);
    (pairs, any::<bool>()).prop_map(|(pairs, is_ordinal)| {
        let mut rows = Interactions { time_kind: TimeKind::Timestamp, ..Interactions::default() };
        for ((user, item), (rating, time, part)) in pairs {
            let part = [Part::Train, Part::Valid, Part::Test][part];
            rows.push_in_part(
                &user,
                &item.to_string(),
                f32::from(rating) / 2.0,
                time.unwrap_or(NO_TIME),
                Some(part),
            );
        }
        if is_ordinal {
            rows.time_kind = TimeKind::Ordinal;
        }
        rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_interactions_written_and_read_back_are_equal(rows in any_interactions()) {
        let parts = rows.parts.clone().unwrap();
        let raw = RawData {
            interactions: rows.clone(),
            catalogue: Catalogue::default(),
            rating_range: (-2.0, 2.5),
            unreadable: Unreadable::default(),
            sampled_negatives: 0,
            item_files: Vec::new(),
        };
        let data = Dataset::from_raw(raw, &DataConfig::default()).unwrap();
        let of = |part| (0..parts.len() as u32).filter(|&row| parts[row as usize] == part).collect();
        let split = Split {
            train: of(Part::Train),
            valid: of(Part::Valid),
            test: of(Part::Test),
            note: SplitNote::default(),
        };
        let folder = tempfile::tempdir().unwrap();
        write_folder(folder.path(), &data, &split).unwrap();
        let again = read_raw(folder.path(), OnBadRow::Error).unwrap();
        prop_assert_eq!(&again.interactions, &rows);
        prop_assert_eq!(again.rating_range, (-2.0, 2.5));
        let again = Dataset::from_raw(again, &DataConfig::default()).unwrap();
        prop_assert_eq!(again, data);
    }
}
