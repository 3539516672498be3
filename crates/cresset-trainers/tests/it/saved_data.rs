//! The data beside a saved model: what goes in comes out, and what is damaged is named.

use std::fs;

use cresset_data::{NO_TIME, Ratings, Split, SplitNote, TimeKind, Vocabulary};
use cresset_trainers::{RunDir, SavedData, SavedDataError};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use tempfile::{TempDir, tempdir};

/// Three users, two items, five ratings, one of them in no part.
fn data(time_kind: TimeKind) -> SavedData {
    SavedData {
        users: Vocabulary::from_ids(["7", "007", "x y"]),
        items: Vocabulary::from_ids(["50", "242"]),
        // What an ISO-8859-1 file may hold: a letter, and a control character that YAML would refuse.
        genres: vec![vec!["Drama".to_owned()], vec![]],
        titles: vec!["Mis\u{e9}rables, \"Les\" (1995)".to_owned(), "dash \u{96} and\ttab: #1".to_owned()],
        rating_range: (0.5, 5.0),
        ratings: Ratings {
            user_id: vec![0, 1, 2, 0, 1],
            item_id: vec![0, 0, 1, 1, 1],
            rating: vec![0.5, 5.0, 3.3, 1.0, 4.0],
            time: vec![3, NO_TIME, -1, i64::MAX, 0],
            time_kind,
            parts: None,
        },
        split: Split {
            train: vec![0, 4],
            valid: vec![],
            test: vec![1, 2],
            note: SplitNote {
                method: "by hand: yes".to_owned(),
                rows_without_time: 1,
                ..SplitNote::default()
            },
        },
    }
}

fn saved() -> (TempDir, RunDir) {
    let folder = tempdir().unwrap();
    let run = RunDir::create(folder.path(), false).unwrap();
    data(TimeKind::Timestamp).save(&run).unwrap();
    (folder, run)
}

#[test]
fn loading_is_the_inverse_of_saving_for_every_kind_of_time() {
    for time_kind in [TimeKind::Timestamp, TimeKind::Ordinal, TimeKind::Absent] {
        let folder = tempdir().unwrap();
        let run = RunDir::create(folder.path(), false).unwrap();
        let data = data(time_kind);
        data.save(&run).unwrap();
        assert_eq!(SavedData::load(&run).unwrap(), data);
    }
}

#[test]
fn equal_data_give_equal_files() {
    let ((_a, a), (_b, b)) = (saved(), saved());
    for file in FILES {
        assert_eq!(fs::read(a.file(file)).unwrap(), fs::read(b.file(file)).unwrap(), "{file}");
    }
}

const RATINGS: &str = "best_model/ratings.safetensors";
const TITLES: &str = "best_model/titles.json";
const FILES: [&str; 5] =
    ["best_model/uid2idx.json", "best_model/iid2idx.json", TITLES, "best_model/data.yaml", RATINGS];

#[test]
fn a_missing_file_is_named() {
    for file in FILES {
        let (_folder, run) = saved();
        fs::remove_file(run.file(file)).unwrap();
        let message = SavedData::load(&run).unwrap_err().to_string();
        assert!(message.contains(&format!("cannot read {}", run.file(file).display())), "{file}: {message}");
    }
}

#[test]
fn a_file_cut_short_is_named() {
    for file in FILES {
        let (_folder, run) = saved();
        let whole = fs::read(run.file(file)).unwrap();
        fs::write(run.file(file), &whole[..whole.len() - 5]).unwrap();
        let message = SavedData::load(&run).unwrap_err().to_string();
        assert!(message.contains(&run.file(file).display().to_string()), "{file}: {message}");
    }
}

type Column = (String, Dtype, Vec<u8>);

/// Why the data are refused when their rating columns are changed.
fn refused(change: impl FnOnce(&mut Vec<Column>)) -> String {
    let (_folder, run) = saved();
    let file = run.file(RATINGS);
    let bytes = fs::read(&file).unwrap();
    let parsed = SafeTensors::deserialize(&bytes).unwrap();
    let mut columns: Vec<Column> =
        parsed.iter().map(|(name, view)| (name.to_owned(), view.dtype(), view.data().to_vec())).collect();
    columns.sort_by(|a, b| a.0.cmp(&b.0));
    change(&mut columns);
    let views = columns.iter().map(|(name, dtype, bytes)| {
        let shape = vec![bytes.len() * 8 / dtype.bitsize()];
        (name, TensorView::new(*dtype, shape, bytes).unwrap())
    });
    fs::write(&file, safetensors::serialize(views, None).unwrap()).unwrap();
    let error = SavedData::load(&run).unwrap_err();
    assert!(matches!(error, SavedDataError::Damaged { .. }), "{error}");
    error.to_string().replace(&file.display().to_string(), "FILE")
}

fn column<'a>(columns: &'a mut [Column], name: &str) -> &'a mut Column {
    columns.iter_mut().find(|column| column.0 == name).unwrap()
}

fn check(change: impl FnOnce(&mut Vec<Column>), cause: &str) {
    assert_eq!(refused(change), format!("FILE is damaged ({cause}): restore it from a copy, or train again"));
}

#[test]
fn a_missing_column_is_named() {
    for (name, dtype) in
        [("user_id", "U32"), ("item_id", "U32"), ("rating", "F32"), ("time", "I64"), ("part", "U8")]
    {
        let cause = format!("column `{name}` of type {dtype} is missing");
        check(|columns| columns.retain(|column| column.0 != name), &cause);
    }
}

#[test]
fn a_column_of_another_type_is_as_good_as_missing() {
    check(|columns| column(columns, "rating").1 = Dtype::I32, "column `rating` of type F32 is missing");
}

#[test]
fn columns_of_different_lengths_are_refused() {
    let shorten = |columns: &mut Vec<Column>| column(columns, "part").2.truncate(3);
    check(shorten, "its columns have lengths 5 and [5, 5, 5, 3]");
}

#[test]
fn an_id_beyond_its_vocabulary_is_refused() {
    let set = |name: &'static str| move |columns: &mut Vec<Column>| column(columns, name).2[4] = 3;
    check(set("user_id"), "user 3 is beyond the 3 of uid2idx.json");
    check(set("item_id"), "item 3 is beyond the 2 of iid2idx.json");
}

#[test]
fn a_part_that_does_not_exist_is_refused() {
    check(|columns| column(columns, "part").2[0] = 4, "a rating is marked 4, expected 0 to 3");
}

#[test]
fn titles_are_counted_against_the_items() {
    let (_folder, run) = saved();
    fs::write(run.file(TITLES), r#"["only one"]"#).unwrap();
    let error = SavedData::load(&run).unwrap_err();
    assert!(matches!(error, SavedDataError::Damaged { .. }));
    assert!(error.to_string().contains("titles.json is damaged (1 titles for 2 items)"), "{error}");
}

#[test]
fn an_unknown_kind_of_time_is_refused() {
    let (_folder, run) = saved();
    let file = run.file("best_model/data.yaml");
    let text = fs::read_to_string(&file).unwrap().replace("timestamp", "sundial");
    fs::write(&file, text).unwrap();
    let message = SavedData::load(&run).unwrap_err().to_string();
    assert!(message.contains("data.yaml cannot be understood") && message.contains("sundial"), "{message}");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let (_folder, run) = saved();
    fs::remove_dir_all(run.file("best_model")).unwrap();
    fs::write(run.file("best_model"), "a file").unwrap();
    let message = data(TimeKind::Absent).save(&run).unwrap_err().to_string();
    assert!(message.contains("cannot write") && message.contains("uid2idx.json"), "{message}");
}
