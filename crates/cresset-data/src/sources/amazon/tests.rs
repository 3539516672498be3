//! Every edition in a few lines of our own.

use std::fs;
use std::io::Write;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::interactions::{Interactions, NO_TIME};
use crate::source::SourceKind;
use crate::split::Part;

fn load_bytes(files: &[(&str, &[u8])], json: &str) -> Result<RawData, String> {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("amazon");
    fs::create_dir(&folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    let config: DataConfig = serde_json::from_str(json).unwrap();
    let config = DataConfig { source: SourceKind::Amazon, ..config };
    let prefix = format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR);
    let read = config.source.read(&config, data_dir.path());
    read.map_err(|error| {
        error.to_string().replace(&prefix, "").replace(&folder.display().to_string(), "FOLDER")
    })
}

fn load(files: &[(&str, &str)], json: &str) -> Result<RawData, String> {
    let files: Vec<_> = files.iter().map(|&(name, content)| (name, content.as_bytes())).collect();
    load_bytes(&files, json)
}

fn check_rows(raw: &RawData, expected: &[(&str, &str, f32, i64)]) {
    let mut rows = Interactions { time_kind: TimeKind::Timestamp, ..Interactions::default() };
    expected.iter().for_each(|&(user, item, rating, time)| rows.push(user, item, rating, time));
    assert_eq!(raw.interactions, rows);
}

#[test]
fn reviews_of_2014_and_2018_are_read() {
    let json = "{\"reviewerID\": \"A1\", \"asin\": \"0001\", \"reviewerName\": \"x\", \"helpful\": [0, 1], \
                \"reviewText\": \"\\\"so\\\" \\u00e9\", \"overall\": 5.0, \"unixReviewTime\": 1252800000}\n";
    let python = "{'reviewerID': 'A2', 'asin': '0001', 'reviewText': \"it's\", 'overall': 3.0, 'unixReviewTime': 1363392000}\n";
    let raw = load(&[("reviews_Beauty_5.json", &format!("{json}{python}"))], "{}").unwrap();
    check_rows(&raw, &[("A1", "0001", 5.0, 1_252_800_000), ("A2", "0001", 3.0, 1_363_392_000)]);
    assert_eq!(raw.rating_range, (1.0, 5.0));
}

#[test]
fn reviews_of_2023_are_read_under_the_parent_and_in_seconds() {
    let line = json!({ "rating": 4.0, "title": "t", "text": "x", "images": [], "asin": "B1", "parent_asin": "P1",
                       "user_id": "U1", "timestamp": 1_588_615_855_070_i64, "helpful_vote": 0 });
    let alone = json!({ "rating": 2.0, "asin": "B2", "user_id": "U1" });
    let raw = load(&[("All_Beauty.jsonl", &format!("{line}\n{alone}\n"))], "{}").unwrap();
    check_rows(&raw, &[("U1", "P1", 4.0, 1_588_615_855), ("U1", "B2", 2.0, NO_TIME)]);
}

#[test]
fn ratings_with_a_header_are_in_milliseconds_and_name_their_part() {
    let header = "user_id,parent_asin,rating,timestamp,history\n";
    let file = |row: &str| format!("{header}{row}\n");
    let files = [
        ("Beauty.train.csv", file("U1,P1,5.0,1588615855070,")),
        ("Beauty.valid.csv", file("U1,P2,4.0,1588615856070,P1")),
        ("Beauty.test.csv", file("U1,P3,3.0,1588615857070,P1 P2")),
    ];
    let files: Vec<_> = files.iter().map(|(name, content)| (*name, content.as_str())).collect();
    let raw = load(&files, "{}").unwrap();
    // The files are read by name.
    assert_eq!(raw.interactions.times, [1_588_615_857, 1_588_615_855, 1_588_615_856]);
    assert_eq!(raw.interactions.parts, Some(vec![Part::Test, Part::Train, Part::Valid]));
    let train = load(&files, r#"{ "files": { "interactions": "Beauty.train.csv" } }"#).unwrap();
    assert_eq!(train.interactions.parts, Some(vec![Part::Train]));
}

#[test]
fn ratings_without_a_header_need_the_order_of_their_ids() {
    let files = [("ratings_Beauty.csv", "A1,0001,5.0,1252800000\n")];
    let first = |order: &str| load(&files, &format!(r#"{{ "id_order": "{order}" }}"#)).unwrap();
    check_rows(&first("user_first"), &[("A1", "0001", 5.0, 1_252_800_000)]);
    check_rows(&first("item_first"), &[("0001", "A1", 5.0, 1_252_800_000)]);
    assert_eq!(
        load(&files, "{}").unwrap_err(),
        "data.id_order = null: expected user_first (ratings of 2014) or item_first (of 2018), since ratings_Beauty.csv \
         has no header"
    );
}

const REVIEWS: &str = "{\"user_id\": \"U1\", \"asin\": \"B1\", \"rating\": 4.0, \"timestamp\": 1}\n\
                       {\"user_id\": \"U1\", \"asin\": \"B2\", \"rating\": 5.0, \"timestamp\": 2}\n";

#[test]
fn metadata_of_every_edition_become_titles_categories_and_attributes() {
    let of_2014 = "{'asin': 'B1', 'title': \"Kid's hat\", 'price': 3.17, 'imUrl': 'http://x/1.jpg', 'brand': 'Hats', \
                   'categories': [['Clothing', 'Hats'], ['Clothing', 'Kids']], 'description': 'Warm.'}\n";
    let of_2023 = json!({ "main_category": "All Beauty", "title": "Soap", "price": null, "store": "Soaps",
        "categories": [], "description": ["Round.", "Red."], "parent_asin": "B2",
        "images": [{ "thumb": "t", "large": "l", "hi_res": null }], "details": { "Size": "1" } });
    let unrated = json!({ "asin": "B9", "category": ["A", "A", "B"], "imageURL": ["http://x/9.jpg"] });
    let files =
        [("Beauty.jsonl", REVIEWS), ("meta_Beauty.jsonl", &format!("{of_2014}{of_2023}\n{unrated}\n"))];
    let raw = load(&files, "{}").unwrap();
    let [hat, soap] = &raw.catalogue.items[..] else { panic!("two items are rated") };
    assert_eq!(
        (hat.title.as_str(), &hat.genres[..]),
        ("Kid's hat", &["Clothing", "Hats", "Kids"].map(str::to_owned)[..])
    );
    assert_eq!((hat.attribute("price"), hat.attribute("image")), (Some("3.17"), Some("http://x/1.jpg")));
    assert_eq!((hat.attribute("brand"), hat.attribute("description")), (Some("Hats"), Some("Warm.")));
    assert_eq!((soap.attribute("brand"), soap.attribute("image")), (Some("Soaps"), Some("l")));
    assert_eq!((soap.attribute("main_category"), soap.attribute("price")), (Some("All Beauty"), None));
    assert_eq!(soap.attribute("description"), Some("Round.\nRed."));
    let report = &raw.item_files[0];
    assert_eq!((report.file.as_str(), report.n_records, report.n_unrated), ("meta_Beauty.jsonl", 3, 1));
    assert_eq!((report.fields["genres"], report.fields["image"]), (2, 3));
}

#[test]
fn several_files_that_are_no_parts_of_a_split_must_be_chosen_from() {
    let files =
        [("Beauty.jsonl", REVIEWS), ("Toys.jsonl", REVIEWS), ("meta_Toys.jsonl", "{\"asin\": \"B1\"}\n")];
    assert_eq!(
        load(&files, "{}").unwrap_err(),
        "data.files.interactions = null: expected the files to read, of Beauty.jsonl, Toys.jsonl in FOLDER"
    );
    let both = load(&files, r#"{ "files": { "interactions": ["Toys.jsonl", "Beauty.jsonl"] } }"#).unwrap();
    assert_eq!(both.interactions.len(), 4);
    let message = load(&[], "{}").unwrap_err();
    assert!(
        message.starts_with("no NAME.jsonl, NAME.json or NAME.csv (or data.files.interactions), plain"),
        "{message}"
    );
}

#[test]
fn a_line_that_is_cut_or_lacks_a_key_is_named_and_may_be_skipped() {
    let check = |line: &str, expected: &str| {
        let content = format!("{REVIEWS}{line}\n");
        let files = [("Beauty.jsonl", content.as_str())];
        assert_eq!(load(&files, "{}").unwrap_err(), expected);
        let raw = load(&files, r#"{ "on_bad_row": "skip" }"#).unwrap();
        assert_eq!((raw.interactions.len(), raw.unreadable.n_lines), (2, 1));
        assert!(raw.unreadable.first.unwrap().ends_with(expected));
    };
    let object = "correct the line to one JSON object, or delete it";
    let cut = r#"{"user_id": "U1", "asi"#;
    check(cut, &format!("Beauty.jsonl:3: EOF while parsing a string at column 22 of \"{cut}\": {object}"));
    let python = "{'user_id': 'U1', 'asi";
    check(
        python,
        &format!("Beauty.jsonl:3: EOF while parsing a string at column 22 of \"{python}\": {object}"),
    );
    let text = r#"{"user_id": "U1", "asin": "B1", "rating": "x"}"#;
    check(
        text,
        &format!(
            "Beauty.jsonl:3: invalid type: string \"x\", expected f32 at column 45 of \"{text}\": {object}"
        ),
    );
    check("U1,B1,4.0,1", &format!("Beauty.jsonl:3: expected value at column 1 of \"U1,B1,4.0,1\": {object}"));
    let key = "add the key to the line, or delete the line";
    check(
        r#"{"asin": "B1"}"#,
        &format!("Beauty.jsonl:3: no reviewerID or user_id in \"{{\"asin\": \"B1\"}}\": {key}"),
    );
    check(
        r#"{"user_id": "U1"}"#,
        &format!("Beauty.jsonl:3: no asin or parent_asin in \"{{\"user_id\": \"U1\"}}\": {key}"),
    );
}

#[test]
fn a_rating_off_the_scale_or_missing_is_named() {
    let remedy = "correct the row, or set data.on_bad_row: skip to leave such rows out and count them";
    let check = |line: &str, fault: &str| {
        assert_eq!(load(&[("a.json", line)], "{}").unwrap_err(), format!("a.json:1: {fault}: {remedy}"));
    };
    check(r#"{"user_id": "U", "asin": "B", "rating": 6.0}"#, "rating \"6\" is outside the scale 1 to 5");
    check(r#"{"user_id": "U", "asin": "B"}"#, "rating \"NaN\" is missing");
    check(r#"{"user_id": "", "asin": "B", "rating": 1}"#, "user id \"\" is missing");
}

#[test]
fn text_that_is_no_utf_8_and_an_archive_that_is_cut_are_refused() {
    let latin1 = b"{\"user_id\": \"U\xe9\", \"asin\": \"B\", \"rating\": 1}\n";
    let message = load_bytes(&[("a.json", latin1)], "{}").unwrap_err();
    assert!(message.starts_with("a.json:1: invalid unicode code point at column "), "{message}");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(REVIEWS.repeat(50).as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    assert_eq!(load_bytes(&[("a.json.gz", &gz)], "{}").unwrap().interactions.len(), 100);
    let message = load_bytes(&[("a.json.gz", &gz[..gz.len() / 2])], "{}").unwrap_err();
    assert!(message.starts_with("cannot read a.json.gz ("), "{message}");
}

#[test]
fn a_wrong_separator_or_a_header_without_a_column_is_refused() {
    assert_eq!(
        load(&[("a.csv", "A1\t0001\t5.0\t1\n")], r#"{ "id_order": "user_first" }"#).unwrap_err(),
        "a.csv:1: 1 of 4 fields in \"A1\t0001\t5.0\t1\": complete or delete the line"
    );
    assert_eq!(
        load(&[("a.csv", "user_id,rating,timestamp\nU,5,1\n")], "{}").unwrap_err(),
        "a.csv:1: no column \"parent_asin\" in the header \"user_id,rating,timestamp\": name the columns in the first line"
    );
}

proptest! {
    #[test]
    fn reviews_written_and_read_back_are_equal(
        rows in prop::collection::vec(("\\PC{1,5}", "[A-Z0-9]{1,3}", 2u8..=10, any::<i32>()), 1..30),
    ) {
        let mut expected = Interactions { time_kind: TimeKind::Timestamp, ..Interactions::default() };
        let mut text = String::new();
        for (user, item, halves, time) in rows {
            let user = format!("u{user}u");
            let rating = f32::from(halves) / 2.0;
            expected.push(&user, &item, rating, i64::from(time));
            let review = json!({ "asin": item, "reviewerID": user, "overall": rating, "unixReviewTime": time });
            text += &format!("{review}\n");
        }
        prop_assert_eq!(load(&[("a.json", &text)], "{}").unwrap().interactions, expected);
    }
}
