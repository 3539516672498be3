//! Archives that are cut, encodings that are wrong, files that are of another kind: what each source of tables says.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

use std::fs;
use std::io::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use cresset_data::parquet_io::{ParquetOptions, write_parquet};
use cresset_data::{DataConfig, Dataset};
use flate2::{Compression, write::GzEncoder};

fn load(file: &str, content: &[u8], json: &str) -> Result<Dataset, String> {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("set");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(file), content).unwrap();
    let config: DataConfig = serde_json::from_str(json).unwrap();
    let config = DataConfig { name: Some("set".to_owned()), ..config };
    let prefix = format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR);
    Dataset::load(&config, data_dir.path()).map_err(|error| error.to_string().replace(&prefix, ""))
}

fn gz(content: &str) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(content.as_bytes()).unwrap();
    gz.finish().unwrap()
}

fn zst(content: &str) -> Vec<u8> {
    zstd::encode_all(content.as_bytes(), 3).unwrap()
}

/// Each source of tables with the name of its file, its rows, and what else it needs to be told.
fn sources() -> [(&'static str, &'static str, String, &'static str); 4] {
    let rows = |row: &dyn Fn(u32) -> String| (0..500).map(|user| row(user * 7919)).collect::<String>();
    let reviews = rows(&|user| format!("{{\"user_id\": \"{user}\", \"asin\": \"B1\", \"rating\": 4}}\n"));
    [
        ("amazon", "a.jsonl", reviews, ""),
        ("amazon", "a.csv", rows(&|user| format!("{user},B1,4.0,7\n")), r#", "id_order": "user_first""#),
        ("multimodal", "ratings.dat", rows(&|user| format!("{user}::1::4::7\n")), ""),
        ("csv", "ratings.csv", format!("user,item\n{}", rows(&|user| format!("{user},x\n"))), ""),
    ]
}

#[test]
fn whole_archives_are_read_and_cut_ones_are_refused_by_name() {
    for (source, file, content, more) in sources() {
        let json = format!("{{ \"source\": \"{source}\"{more} }}");
        for (ending, bytes) in [("gz", gz(&content)), ("zst", zst(&content))] {
            let file = format!("{file}.{ending}");
            assert_eq!(load(&file, &bytes, &json).unwrap().ratings.len(), 500, "{source} {file}");
            let message = load(&file, &bytes[..bytes.len() / 2], &json).unwrap_err();
            assert!(message.starts_with(&format!("cannot read {file} (")), "{source}: {message}");
            assert!(message.ends_with("check that the file is there, whole and readable"), "{message}");
        }
    }
}

#[test]
fn empty_files_are_refused_by_name() {
    for (source, file, _, more) in sources() {
        let json = format!("{{ \"source\": \"{source}\"{more} }}");
        let message = load(file, b"\n", &json).unwrap_err();
        assert_eq!(message, format!("{file} has no rows: replace it by a complete copy of the file"));
    }
}

#[test]
fn text_of_two_bytes_a_letter_is_refused_with_its_line() {
    for (source, file, content, more) in sources() {
        let json = format!("{{ \"source\": \"{source}\"{more} }}");
        let wide: Vec<u8> = content.bytes().flat_map(|byte| [byte, 0]).collect();
        let message = load(file, &wide, &json).unwrap_err();
        assert!(message.contains(&format!("{file}:1")), "{source}: {message:?}");
    }
}

#[test]
fn ids_that_are_no_utf_8_are_refused_with_their_line_and_value() {
    let wrong = "item id \"\u{fffd}\" is not UTF-8 text: correct or delete the line";
    let check = |json: &str, file: &str, content: &[u8], line: u32| {
        let message = load(file, content, json).unwrap_err();
        assert_eq!(message, format!("{file}:{line}: {wrong}"));
    };
    check(r#"{ "source": "csv" }"#, "ratings.csv", b"user,item\na,\xe9\n", 2);
    check(r#"{ "source": "multimodal" }"#, "ratings.dat", b"1::\xe9::4::7\n", 1);
    check(r#"{ "source": "amazon", "id_order": "user_first" }"#, "a.csv", b"U,\xe9,4,7\n", 1);
}

#[test]
fn a_csv_cut_in_the_middle_of_a_row_or_of_quotes_is_refused() {
    let json = r#"{ "source": "csv" }"#;
    assert_eq!(
        load("ratings.csv", b"user,item,rating\na,x,4\nb,", json).unwrap_err(),
        "ratings.csv:3: 2 of 3 fields in \"b,\": complete or delete the line"
    );
    assert_eq!(
        load("ratings.csv", b"user,item,rating\na,x,4\nb,\"y", json).unwrap_err(),
        "ratings.csv:3: row \"b,\"y\" is not one whose quotes are closed: correct or delete the line"
    );
}

#[test]
fn rows_that_cannot_be_read_are_counted_where_they_may_be_skipped() {
    let json = r#"{ "source": "csv", "on_bad_row": "skip" }"#;
    let data =
        load("ratings.csv", b"user,item,rating,time\na,x,4,1\nb,y\nc,z,?,1\nd,z,3,soon\n", json).unwrap();
    assert_eq!((data.cleaning.kept, data.cleaning.unreadable), (1, 3));
    assert!(
        data.cleaning
            .first_unreadable
            .unwrap()
            .ends_with("2 of 4 fields in \"b,y\": complete or delete the line")
    );
}

/// A table of more than one block, some of whose rows have a quote within a field or one that stays open.
fn table_with_stray_quotes(n_rows: usize) -> (String, usize) {
    let (mut text, mut n_bad) = ("user,item,rating,time,note\n".to_owned(), 0);
    for row in 0..n_rows {
        let (note, is_bad) = match row {
            _ if row % 9973 == 10 => ("7\" single", true),
            _ if row % 9973 == 20 => ("\"7\" single", true),
            _ if row % 9973 == 30 => ("\"the quote stays open", true),
            _ if row % 3 == 0 => ("\"a, \"\"b\"\"\nc\"", false),
            _ => ("plain", false),
        };
        n_bad += usize::from(is_bad);
        text += &format!("u{},i{row},4,7,{note}\n", row / 100);
    }
    (text, n_bad)
}

#[test]
fn a_line_with_a_stray_quote_takes_no_other_with_it() {
    let (text, n_bad) = table_with_stray_quotes(400_000);
    assert!(text.len() > 8 << 20 && n_bad > 100);
    for (file, bytes) in [("ratings.csv", text.clone().into_bytes()), ("ratings.csv.gz", gz(&text))] {
        let data = load(file, &bytes, r#"{ "source": "csv", "on_bad_row": "skip" }"#).unwrap();
        assert_eq!((data.cleaning.kept, data.cleaning.unreadable), (400_000 - n_bad as u64, n_bad as u64));
        let expected = format!(
            "{file}:16: field \"7\" single\" is not free of quotes, or all in quotes with each of its own doubled: \
             correct or delete the line"
        );
        assert_eq!(load(file, &bytes, r#"{ "source": "csv" }"#).unwrap_err(), expected);
        assert!(data.cleaning.first_unreadable.unwrap().ends_with(&expected));
    }
}

#[test]
fn blanks_around_ids_are_no_part_of_them_in_any_table() {
    let text =
        load("ratings.csv", b"user,item\n ann , x y\nann,\" x y \"\n", r#"{ "source": "csv" }"#).unwrap();
    let rows = arrow_array::RecordBatch::try_from_iter([
        ("user", Arc::new(StringArray::from(vec![" ann ", "ann"])) as ArrayRef),
        ("item", Arc::new(StringArray::from(vec!["x y", " x y "])) as ArrayRef),
    ])
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ratings.parquet");
    write_parquet(&path, &rows, &ParquetOptions::default()).unwrap();
    let binary = load("ratings.parquet", &fs::read(&path).unwrap(), r#"{ "source": "parquet" }"#).unwrap();
    for data in [text, binary] {
        assert_eq!((data.users.ids(), data.items.ids()), (&["ann".to_owned()][..], &["x y".to_owned()][..]));
        assert_eq!(data.cleaning.duplicates, 1);
    }
}
