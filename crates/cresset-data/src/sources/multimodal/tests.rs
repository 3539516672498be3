//! The folder in a few lines of our own, its workbook written by hand.

use std::fs;
use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::source::SourceKind;

const RATINGS: &str = "1::10::5::881250949\n2::20::3::878887116\n";

fn load(files: &[(&str, &[u8])], json: &str) -> Result<RawData, String> {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("M_ML-100K");
    let ratings = ("ratings.dat", RATINGS.as_bytes());
    for (name, content) in [ratings].iter().chain(files) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let config: DataConfig = serde_json::from_str(json).unwrap();
    let config = DataConfig { source: SourceKind::Multimodal, ..config };
    let prefix = format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR);
    let read = config.source.read(&config, data_dir.path());
    read.map_err(|error| error.to_string().replace(&prefix, ""))
}

/// A cell of the workbooks below.
enum Cell<'c> {
    Text(&'c str),
    Number(f64),
}

const TABLE: [[Cell<'_>; 3]; 3] = [
    [Cell::Text("movie_id"), Cell::Text("name"), Cell::Text("overview")],
    [Cell::Number(10.0), Cell::Text("Ten"), Cell::Text("Rain, & wind.")],
    [Cell::Text("30"), Cell::Text("Thirty"), Cell::Text("Sun.")],
];

/// A workbook of two sheets, the second of them the table: the five parts that every reader asks for, zipped.
fn xlsx(table: &[[Cell<'_>; 3]]) -> Vec<u8> {
    let row = |cells: &[Cell<'_>; 3]| {
        let cell = |cell: &Cell<'_>| match cell {
            Cell::Text(text) => {
                format!("<c t=\"inlineStr\"><is><t>{}</t></is></c>", text.replace('&', "&amp;"))
            }
            Cell::Number(number) => format!("<c><v>{number}</v></c>"),
        };
        format!("<row>{}</row>", cells.iter().map(cell).collect::<String>())
    };
    let sheet = |rows: String| {
        format!(
            "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}\
             </sheetData></worksheet>"
        )
    };
    let types = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    let relations = |targets: &[(&str, &str)]| {
        let one = |(at, (kind, target)): (usize, &(&str, &str))| {
            format!(
                "<Relationship Id=\"rId{}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/\
                 relationships/{kind}\" Target=\"{target}\"/>",
                at + 1
            )
        };
        let list: String = targets.iter().enumerate().map(one).collect();
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{list}\
             </Relationships>"
        )
    };
    let book = "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
                xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>\
                <sheet name=\"Notes\" sheetId=\"1\" r:id=\"rId1\"/><sheet name=\"Texts\" sheetId=\"2\" r:id=\"rId2\"/>\
                </sheets></workbook>";
    let sheets = [("worksheet", "worksheets/sheet1.xml"), ("worksheet", "worksheets/sheet2.xml")];
    let parts = [
        ("[Content_Types].xml", types.to_owned()),
        ("_rels/.rels", relations(&[("officeDocument", "xl/workbook.xml")])),
        ("xl/workbook.xml", book.to_owned()),
        ("xl/_rels/workbook.xml.rels", relations(&sheets)),
        ("xl/worksheets/sheet1.xml", sheet(String::new())),
        ("xl/worksheets/sheet2.xml", sheet(table.iter().map(row).collect())),
    ];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A record of the old format: its kind, its length, its bytes.
fn record(kind: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    [&kind.to_le_bytes()[..], &length.to_le_bytes(), content].concat()
}

/// The old format's stream of records with one sheet.
fn biff8(table: &[[Cell<'_>; 3]]) -> Vec<u8> {
    let bof = |kind: u16| record(0x0809, &[&[0x00, 0x06][..], &kind.to_le_bytes(), &[0; 12]].concat());
    let code_page = record(0x0042, &1200_u16.to_le_bytes());
    let name = b"Texts";
    let sheet_entry =
        |start: u32| record(0x0085, &[&start.to_le_bytes()[..], &[0, 0, name.len() as u8, 0], name].concat());
    let globals = |start| [bof(0x0005), code_page.clone(), sheet_entry(start), record(0x000A, &[])].concat();
    let mut stream = globals(globals(0).len() as u32);
    stream.extend(bof(0x0010));
    for (row, cells) in (0_u16..).zip(table) {
        for (column, cell) in (0_u16..).zip(cells) {
            let place = [row.to_le_bytes(), column.to_le_bytes(), [0, 0]].concat();
            stream.extend(match cell {
                Cell::Number(number) => record(0x0203, &[&place[..], &number.to_le_bytes()].concat()),
                Cell::Text(text) => {
                    let length = u16::try_from(text.len()).unwrap().to_le_bytes();
                    record(0x0204, &[&place[..], &length, &[0], text.as_bytes()].concat())
                }
            });
        }
    }
    stream.extend(record(0x000A, &[]));
    stream
}

/// The old format: a compound file of one stream, padded to the 4,096 bytes from which streams have sectors of their own.
fn xls(table: &[[Cell<'_>; 3]]) -> Vec<u8> {
    const SECTOR: usize = 512;
    const END: u32 = 0xFFFF_FFFE;
    const FREE: u32 = 0xFFFF_FFFF;
    let mut stream = biff8(table);
    stream.resize(stream.len().max(4096).next_multiple_of(SECTOR), 0);
    let n_sectors = (stream.len() / SECTOR) as u32;

    let mut header = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    header.resize(24, 0);
    for field in [0x003E_u16, 3, 0xFFFE, 9, 6] {
        header.extend(field.to_le_bytes());
    }
    header.resize(44, 0);
    // One sector of allocation table, the directory in sector 1, no transactions, small streams below 4,096 bytes, none
    // of them there, no further tables.
    for field in [1, 1, 0, 4096, END, 0, END, 0, 0] {
        header.extend(u32::to_le_bytes(field));
    }
    header.resize(SECTOR, 0xFF);

    let mut allocation: Vec<u32> = vec![0xFFFF_FFFD, END];
    allocation.extend((0..n_sectors).map(|at| if at + 1 == n_sectors { END } else { at + 3 }));
    allocation.resize(SECTOR / 4, FREE);

    let entry = |name: &str, kind: u8, child: u32, start: u32, size: u32| {
        let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entry.resize(64, 0);
        entry.extend(((name.len() as u16 + 1) * 2).to_le_bytes());
        entry.extend([kind, 1]);
        for link in [FREE, FREE, child] {
            entry.extend(link.to_le_bytes());
        }
        entry.resize(116, 0);
        entry.extend(start.to_le_bytes());
        entry.extend(u64::from(size).to_le_bytes());
        entry
    };
    let mut directory = entry("Root Entry", 5, 1, END, 0);
    directory.extend(entry("Workbook", 2, FREE, 2, stream.len() as u32));
    directory.resize(SECTOR, 0);
    let allocation: Vec<u8> = allocation.into_iter().flat_map(u32::to_le_bytes).collect();
    [header, allocation, directory, stream].concat()
}

fn check_texts(raw: &RawData) {
    let items = &raw.catalogue.items;
    assert_eq!((items[0].id.as_str(), items[0].title.as_str()), ("10", "Ten"));
    assert_eq!(items[0].attribute("text"), Some("Rain, & wind."));
    assert_eq!(items.len(), 1);
    assert_eq!((raw.item_files[0].n_records, raw.item_files[0].n_unrated), (2, 1));
}

#[test]
fn the_files_of_dat_are_read_in_either_encoding_and_either_order_of_users() {
    let raw = load(
        &[
            ("movies.dat", b"10::Am\xe9lie (2001)::Comedy|Romance\n20::K\xc3\xb6nig::\n"),
            ("user.dat", b"1::24::M::technician::85711\n2::F::30::other::94043\n"),
        ],
        "{}",
    );
    let RawData { interactions, catalogue, .. } = raw.unwrap();
    assert_eq!((interactions.times[0], interactions.ratings[1]), (881_250_949, 3.0));
    assert_eq!(
        (catalogue.items[0].title.as_str(), catalogue.items[1].title.as_str()),
        ("Amélie (2001)", "König")
    );
    assert_eq!(catalogue.items[0].genres, ["Comedy", "Romance"]);
    assert_eq!(catalogue.users[0].attributes[0], ("age".to_owned(), "24".to_owned()));
    assert_eq!(catalogue.users[1].attributes[1], ("age".to_owned(), "30".to_owned()));
}

#[test]
fn texts_of_a_workbook_of_the_old_format_are_read() {
    check_texts(&load(&[("text.xls", &xls(&TABLE))], "{}").unwrap());
}

#[test]
fn texts_are_read_from_the_sheet_and_the_columns_asked_for() {
    let json = r#"{ "text": { "file": "books/all.xlsx", "sheet": "Texts", "id": 0, "title": "Name", "text": "overview" } }"#;
    check_texts(&load(&[("books/all.xlsx", &xlsx(&TABLE))], json).unwrap());
}

#[test]
fn texts_of_a_csv_are_read() {
    let csv = "movie_id,name,overview\n10,Ten,\"Rain, & wind.\"\n30,Thirty,Sun.\n";
    check_texts(&load(&[("text.csv", csv.as_bytes())], "{}").unwrap());
}

#[test]
fn pictures_are_listed_by_their_paths_unless_they_are_not_wanted() {
    let files: [(&str, &[u8]); 4] =
        [("image/10.jpg", b""), ("image/20.PNG", b""), ("image/30.jpg", b""), ("image/notes.txt", b"")];
    let raw = load(&files, "{}").unwrap();
    let images: Vec<_> = raw.catalogue.items.iter().map(|item| item.attribute("image").unwrap()).collect();
    assert_eq!(images, ["image/10.jpg", "image/20.PNG"]);
    assert_eq!((raw.item_files[0].n_records, raw.item_files[0].n_unrated), (3, 1));
    let without = load(&files, r#"{ "load_images": false }"#).unwrap();
    assert!(without.catalogue.items.is_empty() && without.item_files.is_empty());
}

#[test]
fn a_workbook_that_is_none_or_lacks_a_sheet_or_a_column_is_refused() {
    let message = load(&[("text.xls", b"no workbook")], "{}").unwrap_err();
    assert!(message.starts_with("cannot read text.xls ("), "{message}");
    assert!(
        message.ends_with("): save it again as .xlsx, or as .csv, and name that in data.text.file"),
        "{message}"
    );
    let cut = &xlsx(&TABLE)[..900];
    let message = load(&[("text.xlsx", cut)], "{}").unwrap_err();
    assert!(message.starts_with("cannot read text.xlsx ("), "{message}");
    let book = [("text.xlsx", &xlsx(&TABLE)[..])];
    assert_eq!(
        load(&book, r#"{ "text": { "sheet": "Text" } }"#).unwrap_err(),
        "text.xlsx: no sheet \"Text\" among \"Notes\", \"Texts\": correct data.text.sheet"
    );
    assert_eq!(
        load(&book, r#"{ "text": { "sheet": "Texts", "text": "plot" } }"#).unwrap_err(),
        "text.xlsx: no column plot in the header \"movie_id,name,overview\": name the column in data.text"
    );
    assert_eq!(
        load(&book, "{}").unwrap_err(),
        "text.xlsx has no rows: replace it by a complete copy of the file"
    );
    let message = load(&[], r#"{ "text": { "file": "a.xls" } }"#).unwrap_err();
    assert_eq!(
        message,
        "no a.xls, plain, .gz or .zst: put the file there, or correct or remove its entry in data.text.file"
    );
}

#[test]
fn a_cut_or_wrong_line_is_named() {
    let check = |name: &str, content: &[u8], expected: &str| {
        assert_eq!(load(&[(name, content)], "{}").unwrap_err(), expected);
    };
    check(
        "ratings.dat",
        b"1::10::5\n",
        "ratings.dat:1: 3 of 4 fields in \"1::10::5\": complete or delete the line",
    );
    check(
        "ratings.dat",
        b"1\t10\t5\t8\n",
        "ratings.dat:1: 1 of 4 fields in \"1\t10\t5\t8\": complete or delete the line",
    );
    check(
        "movies.dat",
        b"10::Ten\n",
        "movies.dat:1: 2 of 3 fields in \"10::Ten\": complete or delete the line",
    );
    check("user.dat", b"1::24\n", "user.dat:1: 2 of 5 fields in \"1::24\": complete or delete the line");
    check("text.csv", b"id,text\n,x\n", "text.csv:2: item id \"\" is not an id: correct or delete the line");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_damaged_workbook_never_brings_the_reader_down(
        is_old in any::<bool>(),
        at in any::<prop::sample::Index>(),
        mask in 1u8..=255,
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (name, mut book) = if is_old { ("text.xls", xls(&TABLE)) } else { ("text.xlsx", xlsx(&TABLE)) };
        let flipped = at.index(book.len());
        book[flipped] ^= mask;
        if let Some(cut) = cut {
            book.truncate(cut.index(book.len()));
        }
        if let Err(message) = load(&[(name, &book)], r#"{ "text": { "text": "overview" } }"#) {
            prop_assert!(message.contains(name), "{}", message);
        }
    }
}
