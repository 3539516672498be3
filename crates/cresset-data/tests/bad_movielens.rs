//! MovieLens cut short, in another dialect or in another encoding: what each edition says.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

use std::fs;
use std::io::Write;
use std::path::Path;

use cresset_data::features::{Genome, UserTags};
use cresset_data::{DataConfig, Dataset, OnBadRow, SourceKind, Vocabulary};
use flate2::{Compression, write::GzEncoder};

const EDITIONS: [(SourceKind, &str, &str); 3] = [
    (SourceKind::MovieLens100k, "u.data", ""),
    (SourceKind::MovieLens1m, "ratings.dat", ""),
    (SourceKind::MovieLensCsv, "ratings.csv", "userId,movieId,rating,timestamp\n"),
];

/// What `read` makes of a folder with one file; paths in the message are cut to the file's name.
fn in_folder<T>(
    files: &[(&str, &[u8])],
    read: impl FnOnce(&Path) -> Result<T, cresset_data::DataError>,
) -> Result<T, String> {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("set");
    fs::create_dir(&folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    let prefix = format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR);
    read(&folder).map_err(|error| error.to_string().replace(&prefix, ""))
}

fn load(source: SourceKind, file: &str, content: &[u8], on_bad_row: OnBadRow) -> Result<Dataset, String> {
    let config = DataConfig { source, name: Some("set".to_owned()), on_bad_row, ..DataConfig::default() };
    in_folder(&[(file, content)], |folder| Dataset::load(&config, folder.parent().unwrap()))
}

/// Two hundred rows of an edition, their fields between `separator`.
fn rows(header: &str, separator: &str) -> String {
    let row =
        |row: u32| [row * 7919 % 997, row * 31 % 89, row % 5 + 1, row * 65_537].map(|it| it.to_string());
    (0..200).map(|number| row(number).join(separator) + "\n").fold(header.to_owned(), |all, row| all + &row)
}

fn separator_of(source: SourceKind) -> &'static str {
    match source {
        SourceKind::MovieLens100k => "\t",
        SourceKind::MovieLens1m => "::",
        _ => ",",
    }
}

/// The text packed, and the same cut in the middle.
fn packed_and_cut(text: &str) -> [(&'static str, Vec<u8>); 4] {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(text.as_bytes()).unwrap();
    let (gz, zst) = (gz.finish().unwrap(), zstd::encode_all(text.as_bytes(), 3).unwrap());
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    [
        (".gz", half(&gz)),
        (".zst", half(&zst)),
        (".gz", text.as_bytes().to_vec()),
        (".zst", text.as_bytes().to_vec()),
    ]
}

#[test]
fn archives_that_are_cut_or_none_are_refused_by_name() {
    for (source, file, header) in EDITIONS {
        let text = rows(header, separator_of(source));
        assert!(load(source, file, text.as_bytes(), OnBadRow::Error).is_ok());
        for (ending, bytes) in packed_and_cut(&text) {
            let file = format!("{file}{ending}");
            for on_bad_row in [OnBadRow::Error, OnBadRow::Skip] {
                let message = load(source, &file, &bytes, on_bad_row).unwrap_err();
                assert!(message.starts_with(&format!("cannot read {file} (")), "{message}");
                assert!(message.ends_with("check that the file is there, whole and readable"), "{message}");
            }
        }
    }
}

#[test]
fn a_last_row_that_was_cut_is_refused_or_counted() {
    for (source, file, header) in EDITIONS {
        let separator = separator_of(source);
        let cut = ["7", "8", "3"].join(separator);
        let text = rows(header, separator) + &cut;
        let line = 201 + header.lines().count();
        let expected = format!("{file}:{line}: 3 of 4 fields in \"{cut}\": complete or delete the line");
        assert_eq!(load(source, file, text.as_bytes(), OnBadRow::Error).unwrap_err(), expected);
        let cleaning = load(source, file, text.as_bytes(), OnBadRow::Skip).unwrap().cleaning;
        assert_eq!((cleaning.read, cleaning.unreadable), (201, 1));
        assert!(cleaning.first_unreadable.unwrap().ends_with(&expected));
    }
}

#[test]
fn another_separator_is_refused() {
    let complete = "complete or delete the line";
    for (source, file) in [(SourceKind::MovieLens100k, "u.data"), (SourceKind::MovieLens1m, "ratings.dat")] {
        let message = load(source, file, b"1,2,3,4\n", OnBadRow::Error).unwrap_err();
        assert_eq!(message, format!("{file}:1: 1 of 4 fields in \"1,2,3,4\": {complete}"));
    }
    for separator in [";", "\t", "::"] {
        let header = ["userId", "movieId", "rating"].join(separator);
        let content = format!("{header}\n{}\n", ["1", "2", "3"].join(separator));
        let message =
            load(SourceKind::MovieLensCsv, "ratings.csv", content.as_bytes(), OnBadRow::Skip).unwrap_err();
        let remedy = "name the columns in the first line";
        assert_eq!(
            message,
            format!("ratings.csv:1: no column \"userId\" in the header \"{header}\": {remedy}")
        );
    }
}

#[test]
fn another_encoding_is_refused_with_its_line() {
    for (source, file, header) in EDITIONS {
        let separator = separator_of(source);
        let row = ["1", "\u{e9}", "3", "4"].join(separator);
        let latin1: Vec<u8> = format!("{header}{row}\n").chars().map(|it| it as u8).collect();
        let line = 1 + header.lines().count();
        let expected =
            format!("{file}:{line}: item id \"\u{fffd}\" is not UTF-8 text: correct or delete the line");
        assert_eq!(load(source, file, &latin1, OnBadRow::Error).unwrap_err(), expected);
        let wide: Vec<u8> = rows(header, separator).encode_utf16().flat_map(u16::to_le_bytes).collect();
        let message = load(source, file, &wide, OnBadRow::Error).unwrap_err();
        assert!(message.starts_with(&format!("{file}:1: ")), "{message}");
    }
}

const TAGS: &[u8] = b"tagId,tag\n1,007\n2,spies\n";

fn read_tags(file: &str, content: &[u8]) -> Result<UserTags, String> {
    in_folder(&[(file, content)], |folder| UserTags::read(folder, OnBadRow::Error))
}

fn read_genome(file: &str, content: &[u8]) -> Result<Genome, String> {
    let tags = if file.starts_with("genome-tags") { vec![] } else { vec![("genome-tags.csv", TAGS)] };
    let scores: (&str, &[u8]) = ("genome-scores.csv", b"movieId,tagId,relevance\n7,1,0.5\n");
    let scores = if file.starts_with("genome-scores") { vec![] } else { vec![scores] };
    let files = [tags, scores, vec![(file, content)]].concat();
    in_folder(&files, |folder| Genome::read(folder, &Vocabulary::from_ids(["7"]), OnBadRow::Error))
}

#[test]
fn tags_and_genome_that_are_cut_are_refused() {
    let complete = "complete or delete the line";
    assert_eq!(
        read_tags("tags.csv", b"userId,movieId,tag,timestamp\n1,2,x,3\n1,3").unwrap_err(),
        format!("tags.csv:3: 2 of 4 fields in \"1,3\": {complete}")
    );
    assert_eq!(
        read_genome("genome-scores.csv", b"movieId,tagId,relevance\n7,1,0.5\n7,").unwrap_err(),
        format!("genome-scores.csv:3: 2 of 3 fields in \"7,\": {complete}")
    );
    assert_eq!(
        read_genome("genome-tags.csv", b"tagId,tag\n1").unwrap_err(),
        format!("genome-tags.csv:2: 1 of 2 fields in \"1\": {complete}")
    );
    for (ending, bytes) in packed_and_cut(&rows("userId,movieId,tag,timestamp\n", ",")) {
        let message = read_tags(&format!("tags.csv{ending}"), &bytes).unwrap_err();
        assert!(message.starts_with(&format!("cannot read tags.csv{ending} (")), "{message}");
        let message = read_genome(&format!("genome-scores.csv{ending}"), &bytes).unwrap_err();
        assert!(message.starts_with(&format!("cannot read genome-scores.csv{ending} (")), "{message}");
    }
}

#[test]
fn tags_and_genome_of_another_separator_or_encoding_are_refused() {
    let remedy = "name the columns in the first line";
    assert_eq!(
        read_tags("tags.csv", b"userId;movieId;tag\n1;2;x\n").unwrap_err(),
        format!("tags.csv:1: no column \"userId\" in the header \"userId;movieId;tag\": {remedy}")
    );
    assert_eq!(
        read_genome("genome-scores.csv", b"movieId\ttagId\trelevance\n7\t1\t0.5\n").unwrap_err(),
        format!(
            "genome-scores.csv:1: no column \"movieId\" in the header \"movieId\ttagId\trelevance\": {remedy}"
        )
    );
    assert_eq!(
        read_genome("genome-tags.csv", b"id,tag\n1,x\n").unwrap_err(),
        format!("genome-tags.csv:1: no column \"tagId\" in the header \"id,tag\": {remedy}")
    );
    let delete = "is not UTF-8 text: correct or delete the line";
    assert_eq!(
        read_tags("tags.csv", b"userId,movieId,tag\n1,2,Am\xe9lie\n").unwrap_err(),
        format!("tags.csv:2: tag \"Am\u{fffd}lie\" {delete}")
    );
    assert_eq!(
        read_genome("genome-tags.csv", b"tagId,tag\n1,\xe9\n").unwrap_err(),
        format!("genome-tags.csv:2: tag \"\u{fffd}\" {delete}")
    );
}
