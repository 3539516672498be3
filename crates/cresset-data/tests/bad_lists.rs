//! A source's own lists of items and users: a line that cannot be read is named, or left out and reported.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

use std::fs;

use cresset_data::{DataConfig, Dataset, ItemFileReport, OnBadRow, SourceKind};

const COMPLETE: &str = "complete or delete the line";
const DELETE: &str = "correct or delete the line";

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

/// Holds a list with one line at fault against both ways to deal with it; the other lines are `n_records`.
fn check(source: SourceKind, rows: &[(&str, &[u8])], list: (&str, &[u8]), n_records: u64, expected: &str) {
    let files = [rows, &[list]].concat();
    assert_eq!(load(source, &files, OnBadRow::Error).unwrap_err(), expected);
    let data = load(source, &files, OnBadRow::Skip).unwrap();
    assert_eq!(data.cleaning.read, data.cleaning.kept, "no row is at fault: {}", data.cleaning);
    let [report] = &data.item_files[..] else { panic!("one report: {:?}", data.item_files) };
    let ItemFileReport { file, n_unreadable, first_unreadable, .. } = report;
    assert_eq!((file.as_str(), *n_unreadable, report.n_records), (list.0, 1, n_records));
    assert!(first_unreadable.as_ref().unwrap().ends_with(expected), "{first_unreadable:?}");
}

#[test]
fn lists_of_movielens_100k() {
    let rows: [(&str, &[u8]); 2] = [("u.data", b"1\t10\t5\t7\n"), ("u.genre", b"unknown|0\nComedy|1\n")];
    let check = |file: &str, content: &[u8], expected: &str| {
        check(SourceKind::MovieLens100k, &rows, (file, content), 1, expected);
    };
    check("u.item", b"10|Ten||||0|1\n20|Tw", &format!("u.item:2: 2 of 5 fields in \"20|Tw\": {COMPLETE}"));
    check(
        "u.item",
        b"10|Ten||||0|1\n20|T||||1\n",
        &format!("u.item:2: 6 of 7 fields in \"20|T||||1\": {COMPLETE}"),
    );
    check(
        "u.item",
        b"10,Ten\n10|Ten||||0|1\n",
        &format!("u.item:1: 1 of 5 fields in \"10,Ten\": {COMPLETE}"),
    );
    check(
        "u.user",
        b"1|24|M|writer|40206\n2|53|F",
        &format!("u.user:2: 3 of 5 fields in \"2|53|F\": {COMPLETE}"),
    );
}

#[test]
fn genres_are_needed_whole_since_items_are_read_by_them() {
    let files: [(&str, &[u8]); 3] =
        [("u.data", b"1\t10\t5\t7\n"), ("u.genre", b"unknown|0\nCom"), ("u.item", b"10|Ten||||0|1\n")];
    for on_bad_row in [OnBadRow::Error, OnBadRow::Skip] {
        let message = load(SourceKind::MovieLens100k, &files, on_bad_row).unwrap_err();
        assert_eq!(message, format!("u.genre:2: 1 of 2 fields in \"Com\": {COMPLETE}"));
    }
}

#[test]
fn lists_of_movielens_1m() {
    let rows: [(&str, &[u8]); 1] = [("ratings.dat", b"1::10::5::7\n")];
    let check = |file: &str, content: &[u8], expected: &str| {
        check(SourceKind::MovieLens1m, &rows, (file, content), 1, expected);
    };
    check(
        "movies.dat",
        b"10::Ten::Drama\n20::T",
        &format!("movies.dat:2: 2 of 3 fields in \"20::T\": {COMPLETE}"),
    );
    check(
        "users.dat",
        b"1|F|1\n1::F::1::10::48067\n",
        &format!("users.dat:1: 1 of 5 fields in \"1|F|1\": {COMPLETE}"),
    );
}

#[test]
fn lists_of_the_csv_editions() {
    let rows: [(&str, &[u8]); 1] = [("ratings.csv", b"userId,movieId,rating\n1,10,5\n")];
    let check = |file: &str, content: &[u8], expected: &str| {
        check(SourceKind::MovieLensCsv, &rows, (file, content), 1, expected);
    };
    let header = |rows: &[u8]| [b"movieId,title,genres\n10,Ten,Drama\n", rows].concat();
    check("movies.csv", &header(b"20,T"), &format!("movies.csv:3: 2 of 3 fields in \"20,T\": {COMPLETE}"));
    let open = "movies.csv:3: row \"20,\"Two, The\" is not one whose quotes are closed";
    check("movies.csv", &header(b"20,\"Two, The"), &format!("{open}: {DELETE}"));
    let title = "movies.csv:3: title \"Am\u{fffd}lie\" is not UTF-8 text";
    check("movies.csv", &header(b"20,Am\xe9lie,\n"), &format!("{title}: {DELETE}"));
}

#[test]
fn a_list_whose_header_lacks_a_column_is_refused_whatever_the_configuration_says() {
    let ratings = ("ratings.csv", b"userId,movieId,rating\n1,10,5\n".as_slice());
    for on_bad_row in [OnBadRow::Error, OnBadRow::Skip] {
        let refused = |list| load(SourceKind::MovieLensCsv, &[ratings, list], on_bad_row).unwrap_err();
        let remedy = "name the columns in the first line";
        assert_eq!(
            refused(("movies.csv", b"movieId;title;genres\n10;Ten;Drama\n")),
            format!("movies.csv:1: no column \"movieId\" in the header \"movieId;title;genres\": {remedy}")
        );
        assert_eq!(
            refused(("movies.csv", b"movieId,name\n10,Ten\n")),
            format!("movies.csv:1: no column \"title\" in the header \"movieId,name\": {remedy}")
        );
        assert_eq!(
            refused(("links.csv", b"imdbId,tmdbId\n0114709,862\n")),
            format!("links.csv:1: no column \"movieId\" in the header \"imdbId,tmdbId\": {remedy}")
        );
    }
}

#[test]
fn lists_of_recbole() {
    let rows: [(&str, &[u8]); 1] = [("set.inter", b"user_id:token\titem_id:token\n1\t10\n")];
    let check = |file: &str, content: &[u8], expected: &str| {
        check(SourceKind::RecBole, &rows, (file, content), 1, expected);
    };
    let items = |rows: &[u8]| [b"item_id:token\ttitle:token_seq\n10\tTen\n", rows].concat();
    check("set.item", &items(b"20"), &format!("set.item:3: 1 of 2 fields in \"20\": {COMPLETE}"));
    check("set.item", &items(b"\tTwo\n"), &format!("set.item:3: id \"\" is not an id: {DELETE}"));
    let title = "set.item:3: title \"Am\u{fffd}lie\" is not UTF-8 text";
    check("set.item", &items(b"20\tAm\xe9lie\n"), &format!("{title}: {DELETE}"));
    let users = b"user_id:token\tage:token\n2,24\n1\t24\n";
    check("set.user", users, &format!("set.user:2: 1 of 2 fields in \"2,24\": {COMPLETE}"));
}

#[test]
fn lists_of_kgat_kgcn_and_mmrec() {
    let kgat: [(&str, &[u8]); 2] = [("train.txt", b"0 0\n"), ("test.txt", b"0 1\n")];
    let items = b"org_id remap_id\nA film 0\nB 1\n";
    let expected = format!("item_list.txt:2: id \"film\" is not a whole number from 0: {DELETE}");
    check(SourceKind::Kgat, &kgat, ("item_list.txt", items), 1, &expected);
    let users = b"org_id remap_id\nA 0\nB";
    let expected = format!("user_list.txt:3: 1 of 2 fields in \"B\": {COMPLETE}");
    check(SourceKind::Kgat, &kgat, ("user_list.txt", users), 1, &expected);
    let kgcn: [(&str, &[u8]); 1] = [("ratings_final.txt", b"1\t2\t1\n")];
    let items = b"1193\t2\n661\tx\n";
    let expected =
        format!("item_index2entity_id.txt:2: entity id \"x\" is not a whole number from 0: {DELETE}");
    check(SourceKind::Kgcn, &kgcn, ("item_index2entity_id.txt", items), 1, &expected);
    let mmrec: [(&str, &[u8]); 1] = [("set.inter", b"userID\titemID\n0\t0\n")];
    let items = b"asin\titemID\nB00A\t0\nB00B\t-1\n";
    let expected = format!("i_id_mapping.csv:3: id \"-1\" is not a whole number from 0: {DELETE}");
    check(SourceKind::MmRec, &mmrec, ("i_id_mapping.csv", items), 1, &expected);
    let users = b"user_id\tuserID\nA1X\t0\nA2X";
    let expected = format!("u_id_mapping.csv:3: 1 of 2 fields in \"A2X\": {COMPLETE}");
    check(SourceKind::MmRec, &mmrec, ("u_id_mapping.csv", users), 1, &expected);
}

#[test]
fn lists_of_the_multimodal_folder() {
    let rows: [(&str, &[u8]); 1] = [("ratings.dat", b"1::10::5::7\n")];
    let check = |file: &str, content: &[u8], expected: &str| {
        check(SourceKind::Multimodal, &rows, (file, content), 1, expected);
    };
    check(
        "movies.dat",
        b"10::Ten::\n20|T|\n",
        &format!("movies.dat:2: 1 of 3 fields in \"20|T|\": {COMPLETE}"),
    );
    check(
        "user.dat",
        b"1::24::M::x::y\n2::53",
        &format!("user.dat:2: 2 of 5 fields in \"2::53\": {COMPLETE}"),
    );
    check("text.csv", b"id,text\n10,x\n,y\n", &format!("text.csv:3: item id \"\" is not an id: {DELETE}"));
    check(
        "text.csv",
        b"id,text\n10,x\n20,\xe9\n",
        &format!("text.csv:3: text \"\u{fffd}\" is not UTF-8 text: {DELETE}"),
    );
}
