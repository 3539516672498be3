//! Whatever a file holds, a reader returns rows or an error that is one sentence.

use std::fs;

use cresset_data::{DataConfig, OnBadRow, SourceKind};
use proptest::prelude::*;

/// Each source with the file that it is given bytes for, and those that it needs beside.
const SOURCES: [(SourceKind, &str); 11] = [
    (SourceKind::RecBole, "set.inter"),
    (SourceKind::RecBole, "set.train.inter"),
    (SourceKind::RecBole, "set.item"),
    (SourceKind::RecBole, "set.user"),
    (SourceKind::SasRec, "set.txt"),
    (SourceKind::Sequences, "set.txt"),
    (SourceKind::Kgat, "train.txt"),
    (SourceKind::Kgat, "item_list.txt"),
    (SourceKind::Kgcn, "ratings_final.txt"),
    (SourceKind::Kgcn, "item_index2entity_id.txt"),
    (SourceKind::MmRec, "set.inter"),
];
const BESIDE: [(&str, &str); 5] = [
    ("set.inter", "user_id:token\titem_id:token\n1\t2\n"),
    ("set.test.inter", "user_id:token\titem_id:token\n1\t2\n"),
    ("train.txt", "1 2\n"),
    ("test.txt", "1 2\n"),
    ("ratings_final.txt", "1\t2\t1\n"),
];

/// Reads a folder with a file made of `bytes`, which must not panic.
fn read(source: SourceKind, file: &str, bytes: &[u8]) {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("set");
    fs::create_dir(&folder).unwrap();
    // The whole `.inter` is read in place of pre-splits only while there is no file to train on.
    let is_beside = |name: &str| name != "set.test.inter" || file == "set.train.inter";
    for (name, content) in BESIDE.into_iter().filter(|&(name, _)| is_beside(name)) {
        fs::write(folder.join(name), content).unwrap();
    }
    fs::write(folder.join(file), bytes).unwrap();
    for on_bad_row in [OnBadRow::Error, OnBadRow::Skip] {
        let config = DataConfig { source, name: Some("set".to_owned()), on_bad_row, ..DataConfig::default() };
        if let Err(error) = source.read(&config, data_dir.path()) {
            assert!(error.to_string().contains(file), "{error}");
        }
    }
}

/// Pieces of all the formats, in no order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[0-9]{1,3}".prop_map(String::into_bytes),
        6 => prop::sample::select(&["\t", " ", "\n", "\r\n", ":", ",", "\0", "\u{feff}", "\""][..])
            .prop_map(|text| text.as_bytes().to_vec()),
        4 => prop::sample::select(
            &["user_id:token", "item_id:token", "userID", "itemID", "x_label", "remap_id", "rating:float"][..],
        )
        .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::sample::select(&["1e9", "NaN", "inf", "-1"][..]).prop_map(|text| text.as_bytes().to_vec()),
        2 => prop::sample::select(&["user_id:token\titem_id:token\n", "userID\titemID\tx_label\n"][..])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_bring_a_reader_down(bytes in pieces(), (source, file) in prop::sample::select(&SOURCES[..])) {
        read(source, file, &bytes);
    }
}
