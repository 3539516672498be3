//! Candidate sets written, read back and damaged.

use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, ListArray, RecordBatch, UInt32Array};
use proptest::prelude::*;

use super::*;
use crate::parquet_io::{ParquetOptions, write_parquet};

fn load(json: &str) -> Result<CandidateSets, NegativesError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("negatives.json");
    std::fs::write(&file, json).unwrap();
    CandidateSets::load_json(&file)
}

#[test]
fn the_json_names_protocol_and_seed_before_the_sets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("negatives.json");
    let origin = Some(Origin { protocol: Protocol::Uniform(2), seed: 42 });
    let sets = CandidateSets::from_sorted(origin, [(0, vec![3, 7]), (10, vec![])]);
    sets.save_json(&file).unwrap();
    let json = std::fs::read_to_string(&file).unwrap();
    assert_eq!(json, r#"{"protocol":"uni2","seed":42,"negatives":{"0":[3,7],"10":[]}}"#);
}

#[test]
fn a_bare_object_of_lists_is_read_too() {
    let sets = load(r#"{"10": [7, 3], "9": [1]}"#).unwrap();
    assert_eq!((sets.origin(), sets.users(), sets.of(10)), (None, &[9, 10][..], Some(&[3, 7][..])));
}

#[test]
fn a_damaged_file_says_what_is_wrong() {
    for (json, expected) in [
        (r#"{"negatives": {"0": [1, 2"#, "EOF"),
        (r#"{"negatives": {"0": [1], "0": [2]}}"#, "user 0 is there twice"),
        (r#"{"u7": [1]}"#, "\"u7\" is no user index"),
        (r#"{"0": [-1]}"#, "-1"),
        (r#"{"0": [4, 5, 4]}"#, "user 0 has the candidate 4, twice"),
        (r#"{"protocol": "uni7", "negatives": {}}"#, "protocol and seed go together"),
        (r#"{"protocol": "some7", "seed": 1, "negatives": {}}"#, "\"some7\" is no protocol"),
        (r"[1]", "an object of lists of item indices"),
    ] {
        let message = load(json).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains("negatives.json"), "{json}: {message}");
    }
}

#[test]
fn a_parquet_file_of_something_else_or_cut_in_the_middle_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("negatives.parquet");
    CandidateSets::from_sorted(None, [(0, vec![3, 7])]).save_parquet(&file).unwrap();
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let message = CandidateSets::load_parquet(&file).unwrap_err().to_string();
    assert!(message.contains("negatives.parquet: no candidate sets"), "{message}");
    let message = CandidateSets::load_parquet(&folder.path().join("absent")).unwrap_err().to_string();
    assert!(message.starts_with("cannot read"), "{message}");
}

#[test]
fn a_table_of_something_else_says_what_is_missing_or_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("negatives.parquet");
    let check = |columns: Vec<(&str, ArrayRef)>, expected: &str| {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        write_parquet(&file, &batch, &ParquetOptions::default()).unwrap();
        let message = CandidateSets::load_parquet(&file).unwrap_err().to_string();
        let expected =
            format!("negatives.parquet: no candidate sets ({expected}): restore the file, or delete it");
        assert!(message.contains(&expected), "{message}");
    };
    let users = || -> ArrayRef { Arc::new(UInt32Array::from(vec![0, 1])) };
    let lists = |lists: [Option<Vec<Option<u32>>>; 2]| -> ArrayRef {
        Arc::new(ListArray::from_iter_primitive::<UInt32Type, _, _>(lists))
    };
    check(vec![("user_id", users())], "no column \"candidates\" among \"user_id\"");
    check(
        vec![("user_id", users()), ("candidates", users())],
        "row group 0: column \"candidates\" is of the type UInt32, expected a list",
    );
    check(
        vec![("user_id", users()), ("candidates", lists([Some(vec![]), None]))],
        "row group 0: column \"candidates\" is null in row 1",
    );
    check(
        vec![("user_id", users()), ("candidates", lists([Some(vec![Some(3)]), Some(vec![Some(3), None])]))],
        "row group 0: column \"candidates\" is \"[3, ]\" in row 1, not a list without nulls",
    );
    let twice: ArrayRef = Arc::new(UInt32Array::from(vec![4, 4]));
    check(
        vec![("user_id", twice), ("candidates", lists([Some(vec![]), Some(vec![])]))],
        "user 4 is there twice",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn sets_written_and_read_back_are_equal(
        sets in prop::collection::btree_map(any::<u32>(), prop::collection::btree_set(any::<u32>(), 0..9), 0..9),
        origin in prop::option::of((1u32.., any::<u64>())),
    ) {
        let origin = origin.map(|(n, seed)| Origin { protocol: Protocol::Popularity(n), seed });
        let sets = sets.into_iter().map(|(user, items)| (user, items.into_iter().collect()));
        let sets = CandidateSets::from_sorted(origin, sets);
        let folder = tempfile::tempdir().unwrap();
        let (json, parquet) = (folder.path().join("a.json"), folder.path().join("a.parquet"));
        sets.save_json(&json).unwrap();
        sets.save_parquet(&parquet).unwrap();
        prop_assert_eq!(&CandidateSets::load_json(&json).unwrap(), &sets);
        prop_assert_eq!(CandidateSets::load_parquet(&parquet).unwrap(), sets);
    }
}
