//! What the text formats of other recommender libraries can get wrong, and the sentence that each mistake gets.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

use std::fs;
use std::path::Path;

use cresset_data::{DataConfig, Dataset, OnBadRow, SourceKind};

const DELETE: &str = "correct or delete the line";
const COMPLETE: &str = "complete or delete the line";

/// Loads files, under `set/`, as a source; paths in the message are cut to the file's name.
fn load(source: SourceKind, files: &[(&str, &[u8])], on_bad_row: OnBadRow) -> Result<Dataset, String> {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("set");
    fs::create_dir(&folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    let config = DataConfig { source, name: Some("set".to_owned()), on_bad_row, ..DataConfig::default() };
    let prefix = format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR);
    Dataset::load(&config, data_dir.path()).map_err(|error| error.to_string().replace(&prefix, ""))
}

fn check_files(source: SourceKind, files: &[(&str, &[u8])], expected: &str) {
    assert_eq!(load(source, files, OnBadRow::Error).unwrap_err(), expected);
}

/// The file of interactions that each source is tested with.
fn interactions_of(source: SourceKind) -> &'static str {
    match source {
        SourceKind::RecBole | SourceKind::MmRec => "set.inter",
        SourceKind::Kgat => "train.txt",
        SourceKind::Kgcn => "ratings_final.txt",
        _ => "set.txt",
    }
}

fn check(source: SourceKind, content: &str, expected: &str) {
    check_files(source, &[(interactions_of(source), content.as_bytes())], expected);
}

/// A row at fault on the third line is an error, and left out and counted where the configuration says so.
fn check_row(source: SourceKind, content: &str, expected: &str) {
    check(source, content, expected);
    let files = [(interactions_of(source), content.as_bytes()), ("test.txt", b"1 9\n".as_slice())];
    let data = load(source, &files, OnBadRow::Skip).unwrap();
    assert_eq!(data.cleaning.unreadable, 1, "{}", data.cleaning);
    assert!(data.cleaning.first_unreadable.unwrap().ends_with(expected));
}

#[test]
fn a_missing_folder_is_told_what_was_looked_for() {
    for (source, looked_for) in [
        (SourceKind::RecBole, "recbole.inter"),
        (SourceKind::SasRec, "sasrec.txt"),
        (SourceKind::Sequences, "sequences.txt"),
        (SourceKind::Kgat, "train.txt"),
        (SourceKind::Kgcn, "ratings_final.txt"),
        (SourceKind::MmRec, "mmrec.inter"),
    ] {
        let config = DataConfig { source, ..DataConfig::default() };
        let message = Dataset::load(&config, Path::new("nowhere")).unwrap_err().to_string();
        let folder = Path::new("nowhere").join(source.name());
        let start = format!("no {looked_for}, plain, .gz or .zst, in the folder {}: ", folder.display());
        assert!(message.starts_with(&start), "{message}");
    }
}

#[test]
fn an_empty_file_is_refused() {
    for source in [
        SourceKind::RecBole,
        SourceKind::SasRec,
        SourceKind::Sequences,
        SourceKind::Kgat,
        SourceKind::Kgcn,
        SourceKind::MmRec,
    ] {
        let file = interactions_of(source);
        check(source, "", &format!("{file} has no rows: replace it by a complete copy of the file"));
    }
    let header = "user_id:token\titem_id:token\n";
    check(SourceKind::RecBole, header, "set.inter has no rows: replace it by a complete copy of the file");
}

#[test]
fn a_header_without_a_needed_column_is_refused() {
    let remedy = "name the columns in the first line";
    check(
        SourceKind::RecBole,
        "user_id:token\trating:float\n1\t2\n",
        &format!("set.inter:1: no column \"item_id\" in the header \"user_id:token,rating:float\": {remedy}"),
    );
    check(
        SourceKind::RecBole,
        "196\t242\t3\n",
        &format!("set.inter:1: no column \"user_id\" in the header \"196,242,3\": {remedy}"),
    );
    check(
        SourceKind::MmRec,
        "user\titemID\n1\t2\n",
        &format!("set.inter:1: no column \"userID\" in the header \"user,itemID\": {remedy}"),
    );
    let train = ("train.txt", b"0 0\n".as_slice());
    let files = [train, ("test.txt", b"0 1\n"), ("item_list.txt", b"B00A 0\nB00B 1\n")];
    let expected = format!("item_list.txt:1: no column \"remap_id\" in the header \"B00A,0\": {remedy}");
    check_files(SourceKind::Kgat, &files, &expected);
}

#[test]
fn a_type_that_there_is_not_is_refused() {
    check(
        SourceKind::RecBole,
        "user_id:token\titem_id:tokn\n1\t2\n",
        "set.inter:1: column \"item_id:tokn\" has no known type: write token, token_seq, float or float_seq behind the \
         colon",
    );
}

#[test]
fn histories_in_a_column_are_refused_for_they_would_lose_the_first_item_of_each() {
    for column in ["item_id_list:token_seq", "item_id:token_seq"] {
        check(
            SourceKind::RecBole,
            &format!("session_id:token\t{column}\titem_id:token\n1\t2 3\t4\n"),
            &format!(
                "set.inter:1: column \"{column}\" holds histories: give the file from before they were cut, one \
                 interaction a row"
            ),
        );
    }
}

#[test]
fn a_wrong_separator_is_refused() {
    check(
        SourceKind::RecBole,
        "user_id:token,item_id:token\n1,2\n",
        "set.inter:1: no column \"user_id\" in the header \"user_id:token,item_id:token\": name the columns in the \
         first line",
    );
    let commas = "1,2\n";
    check(SourceKind::SasRec, commas, &format!("set.txt:1: 1 of 2 fields in \"1,2\": {COMPLETE}"));
    check(
        SourceKind::Sequences,
        commas,
        &not("set.txt:1: user id \"1,2\"", "one of words between spaces or tabs"),
    );
    check(
        SourceKind::Sequences,
        "1 2, 3\n",
        &not("set.txt:1: item id \"2,\"", "one of words between spaces or tabs"),
    );
    check(SourceKind::Kgat, commas, &not("train.txt:1: user id \"1,2\"", "a whole number from 0"));
    check(
        SourceKind::Kgcn,
        "1,2,1\n",
        &format!("ratings_final.txt:1: 1 of 3 fields in \"1,2,1\": {COMPLETE}"),
    );
}

fn not(what: &str, expected: &str) -> String {
    format!("{what} is not {expected}: {DELETE}")
}

#[test]
fn a_truncated_row_is_refused_or_counted() {
    let header = "user_id:token\titem_id:token\trating:float";
    let short = format!("set.inter:3: 2 of 3 fields in \"1\t3\": {COMPLETE}");
    check_row(SourceKind::RecBole, &format!("{header}\n1\t2\t3\n1\t3"), &short);
    let header = "userID\titemID\tx_label";
    check_row(SourceKind::MmRec, &format!("{header}\n1\t2\t0\n1\t3"), &short);
    check_row(SourceKind::SasRec, "1 2\n1 3\n1", &format!("set.txt:3: 1 of 2 fields in \"1\": {COMPLETE}"));
    check_row(
        SourceKind::Sequences,
        "1 2\n2 3\n3",
        &format!("set.txt:3: 1 of 2 fields in \"3\": {COMPLETE}"),
    );
    let short = format!("ratings_final.txt:3: 2 of 3 fields in \"1\t4\": {COMPLETE}");
    check_row(SourceKind::Kgcn, "1\t2\t1\n1\t3\t1\n1\t4", &short);
}

#[test]
fn a_row_with_a_word_too_many_is_refused_or_counted() {
    check_row(
        SourceKind::SasRec,
        "1 2\n1 3\n1 4 5\n",
        &not("set.txt:3: row \"1 4 5\"", "a user and an item alone"),
    );
    check_row(
        SourceKind::Kgcn,
        "1\t2\t1\n1\t3\t1\n1\t4\t1\t9\n",
        &not("ratings_final.txt:3: row \"1\t4\t1\t9\"", "a user, an item and a label alone"),
    );
}

#[test]
fn ids_that_are_no_numbers_are_refused_or_counted_where_the_format_has_numbers() {
    let (from_0, from_1) = ("a whole number from 0", "a whole number from 1");
    check_row(SourceKind::SasRec, "1 2\n1 3\n1 x\n", &not("set.txt:3: item id \"x\"", from_1));
    check_row(SourceKind::SasRec, "1 2\n1 3\n0 4\n", &not("set.txt:3: user id \"0\"", from_1));
    check_row(SourceKind::Kgat, "1 2\n2 3\n3 4 1.5 6\n", &not("train.txt:3: item id \"1.5\"", from_0));
    let label = not("ratings_final.txt:3: user id \"-1\"", from_0);
    check_row(SourceKind::Kgcn, "1\t2\t1\n1\t3\t1\n-1\t4\t1\n", &label);
    check_row(
        SourceKind::MmRec,
        "userID\titemID\n1\t2\nA1X\t3\n",
        &not("set.inter:3: user id \"A1X\"", from_0),
    );
}

#[test]
fn numbers_and_labels_that_are_none_are_refused_or_counted() {
    let recbole = |row: &str| {
        format!("user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t3\t4\n{row}\n")
    };
    check_row(
        SourceKind::RecBole,
        &recbole("1\t3\tgood\t4"),
        &not("set.inter:3: rating \"good\"", "a number"),
    );
    for time in ["soon", "NaN", "1e300"] {
        check_row(
            SourceKind::RecBole,
            &recbole(&format!("1\t3\t4\t{time}")),
            &not(
                &format!("set.inter:3: time \"{time}\""),
                "a whole number or a date like 2005-04-02 23:53:47",
            ),
        );
    }
    check_row(
        SourceKind::MmRec,
        "userID\titemID\tx_label\n1\t2\t0\n1\t3\t3\n",
        &not("set.inter:3: x_label \"3\"", "train, valid or test, or 0, 1 or 2"),
    );
    check_row(
        SourceKind::Kgcn,
        "1\t2\t1\n1\t3\t0\n1\t4\t2\n",
        &not("ratings_final.txt:3: label \"2\"", "1 for an interaction or 0 for a sampled negative"),
    );
}

#[test]
fn a_missing_id_or_rating_is_refused_or_counted() {
    let remedy = "correct the row, or set data.on_bad_row: skip to leave such rows out and count them";
    let header = "user_id:token\titem_id:token\trating:float\n1\t2\t3";
    for (row, what) in [("\t2\t3", "user id \"\""), ("1\t \t3", "item id \"\""), ("1\t3\t", "rating \"\"")] {
        let content = format!("{header}\n{row}\n");
        check(SourceKind::RecBole, &content, &format!("set.inter:3: {what} is missing: {remedy}"));
        let data = load(SourceKind::RecBole, &[("set.inter", content.as_bytes())], OnBadRow::Skip).unwrap();
        assert_eq!(data.cleaning.missing, 1);
    }
}

#[test]
fn a_rating_that_is_infinite_is_refused_or_counted_where_no_scale_refuses_it() {
    let remedy = "correct the row, or set data.on_bad_row: skip to leave such rows out and count them";
    for rating in ["inf", "-Infinity", "1e39"] {
        let content = format!("user_id:token\titem_id:token\trating:float\n1\t2\t3\n1\t3\t{rating}\n");
        let expected = format!("set.inter:3: rating \"{rating}\" is not a finite number: {remedy}");
        check(SourceKind::RecBole, &content, &expected);
        let data = load(SourceKind::RecBole, &[("set.inter", content.as_bytes())], OnBadRow::Skip).unwrap();
        assert_eq!((data.cleaning.kept, data.cleaning.out_of_range, data.rating_range), (1, 1, (3.0, 3.0)));
    }
}

#[test]
fn another_encoding_is_refused() {
    let latin1 = b"user_id:token\titem_id:token\nAm\xe9lie\t2\n";
    check_files(
        SourceKind::RecBole,
        &[("set.inter", latin1)],
        &not("set.inter:2: user id \"Am\u{fffd}lie\"", "UTF-8 text"),
    );
    let items = b"item_id:token\ttitle:token_seq\n2\tAm\xe9lie\n";
    check_files(
        SourceKind::RecBole,
        &[("set.inter", b"user_id:token\titem_id:token\n1\t2\n"), ("set.item", items)],
        &not("set.item:2: title \"Am\u{fffd}lie\"", "UTF-8 text"),
    );
    check_files(
        SourceKind::Sequences,
        &[("set.txt", b"1 \xe9\n")],
        &not("set.txt:1: item id \"\u{fffd}\"", "UTF-8 text"),
    );
    let utf16: Vec<u8> = "1 2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for source in [SourceKind::SasRec, SourceKind::Kgat, SourceKind::Kgcn] {
        let message = load(source, &[(interactions_of(source), &utf16)], OnBadRow::Error).unwrap_err();
        assert!(message.starts_with(&format!("{}:1: ", interactions_of(source))), "{message}");
    }
}

#[test]
fn a_description_at_fault_is_refused() {
    let inter = ("set.inter", b"user_id:token\titem_id:token\n1\t2\n".as_slice());
    let items = |content: &'static [u8], expected: &str| {
        check_files(SourceKind::RecBole, &[inter, ("set.item", content)], expected);
    };
    items(b"item_id:token\ttitle:token\n\tx\n", &not("set.item:2: id \"\"", "an id"));
    items(b"item_id:token\ttitle:token\n2\n", &format!("set.item:2: 1 of 2 fields in \"2\": {COMPLETE}"));
    items(
        b"id:token\ttitle:token\n2\tx\n",
        "set.item:1: no column \"item_id\" in the header \"id:token,title:token\": name the columns in the first line",
    );
    let kgcn =
        [("ratings_final.txt", b"1\t2\t1\n".as_slice()), ("item_index2entity_id.txt", b"1193\t2\n661\tx\n")];
    let expected = not("item_index2entity_id.txt:2: entity id \"x\"", "a whole number from 0");
    check_files(SourceKind::Kgcn, &kgcn, &expected);
    let kgat = [
        ("train.txt", b"0 0\n".as_slice()),
        ("test.txt", b"0 1\n"),
        ("item_list.txt", b"org_id remap_id\nA film 0\n"),
    ];
    check_files(SourceKind::Kgat, &kgat, &not("item_list.txt:2: id \"film\"", "a whole number from 0"));
}

#[test]
fn a_part_that_is_missing_is_named() {
    let message =
        |source, file: &str, content: &[u8]| load(source, &[(file, content)], OnBadRow::Error).unwrap_err();
    let train = b"user_id:token\titem_id:token\n1\t2\n";
    let found = message(SourceKind::RecBole, "set.train.inter", train);
    assert!(found.starts_with("no set.test.inter, plain, .gz or .zst, in the folder "), "{found}");
    let found = message(SourceKind::RecBole, "set.test.inter", train);
    assert!(
        found.starts_with("no set.inter or set.train.inter, plain, .gz or .zst, in the folder "),
        "{found}"
    );
    let found = message(SourceKind::Kgat, "train.txt", b"1 2\n");
    assert!(found.starts_with("no test.txt, plain, .gz or .zst, in the folder "), "{found}");
}

#[test]
fn of_several_data_sets_in_a_folder_none_is_chosen() {
    let inter = b"user_id:token\titem_id:token\n1\t2\n".as_slice();
    let found =
        load(SourceKind::RecBole, &[("a.inter", inter), ("b.inter", inter)], OnBadRow::Error).unwrap_err();
    let end = "has the data sets a, b, and none is called \"set\" as the folder is: rename the folder like one of \
               them, or leave one there";
    assert!(found.ends_with(end), "{found}");
}

#[test]
fn an_archive_that_was_cut_is_refused() {
    // Ids without a pattern, so that half of the archive still holds many lines.
    let lines: String =
        (0..4000_u64).map(|line| format!("{} {}\n", line + 1, line * line % 3989 + 1)).collect();
    let whole = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, lines.as_bytes()).unwrap();
    for (ending, whole) in [(".zst", whole), (".gz", gz.finish().unwrap())] {
        for source in [SourceKind::SasRec, SourceKind::Sequences, SourceKind::Kgat, SourceKind::Kgcn] {
            let file = format!("{}{ending}", interactions_of(source));
            for cut in [&whole[..whole.len() / 2], &b"not compressed"[..]] {
                let message = load(source, &[(&file, cut)], OnBadRow::Skip).unwrap_err();
                assert!(message.starts_with(&format!("cannot read {file} (")), "{message}");
                assert!(message.ends_with("check that the file is there, whole and readable"), "{message}");
            }
        }
    }
}
