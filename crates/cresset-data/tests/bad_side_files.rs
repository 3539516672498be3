//! Graphs, vectors and the files beside them, cut short or in another encoding: what each reader says.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop at what should not fail")]

use std::fs;
use std::io::Write;
use std::path::Path;

use cresset_data::processed::{ProcessedFolder, write_folder};
use cresset_data::vectors::{IdMap, IdMapConfig, Vectors, VectorsConfig};
use cresset_data::{Catalogue, DataConfig, DataError, Dataset, Split, Vocabulary, graph};
use flate2::{Compression, write::GzEncoder};

type Files<'f> = [(&'f str, &'f [u8])];

/// The error of reading a folder of files; paths in it are cut to the file's name.
fn refused<T>(files: &Files<'_>, read: impl FnOnce(&Path) -> Result<T, DataError>) -> String {
    let data_dir = tempfile::tempdir().unwrap();
    let folder = data_dir.path().join("set");
    fs::create_dir(&folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    let prefix = format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR);
    read(&folder).err().unwrap().to_string().replace(&prefix, "")
}

fn refused_graph(format: &str, files: &Files<'_>) -> String {
    let json = format!(r#"{{ "name": "set", "graph": {{ "sources": [{{ "format": "{format}" }}] }} }}"#);
    let config: DataConfig = serde_json::from_str(&json).unwrap();
    let items = Vocabulary::from_ids(["0", "1"]);
    refused(files, |folder| graph::read(&config, folder.parent().unwrap(), &items, &Catalogue::default()))
}

fn refused_vectors(file: &str, content: &[u8]) -> String {
    refused(&[(file, content)], |folder| Vectors::read(&folder.join(file), &VectorsConfig::default()))
}

fn gz(content: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(content).unwrap();
    gz.finish().unwrap()
}

fn zst(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 3).unwrap()
}

fn half(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len() / 2]
}

/// Lines without a pattern, so that half of their archive still holds many.
fn lines(line: impl Fn(u64) -> String) -> String {
    (0..500_u64).map(|number| line(number * number % 7919)).collect()
}

fn check_cut(file: &str, message: &str) {
    assert!(message.starts_with(&format!("cannot read {file} (")), "{message}");
    assert!(message.ends_with("check that the file is there, whole and readable"), "{message}");
}

#[test]
fn archives_of_graphs_that_are_cut_are_refused_by_name() {
    let triples = lines(|number| format!("{number}\tr\te{number}\n"));
    let links = lines(|number| format!("{number}\t{number}\n"));
    let list = format!("org_id remap_id\n{}", lines(|number| format!("m.{number} {number}\n")));
    for (ending, pack) in [(".gz", gz as fn(&[u8]) -> Vec<u8>), (".zst", zst)] {
        let packed = pack(triples.as_bytes());
        let file = format!("kg.txt{ending}");
        check_cut(&file, &refused_graph("triples", &[(&file, half(&packed))]));
        let packed = pack(links.as_bytes());
        let file = format!("item_index2entity_id.txt{ending}");
        let files: [(&str, &[u8]); 2] = [("kg.txt", triples.as_bytes()), (&file, half(&packed))];
        check_cut(&file, &refused_graph("kgcn", &files));
        let packed = pack(list.as_bytes());
        let file = format!("entity_list.txt{ending}");
        let items: (&str, &[u8]) = ("item_list.txt", b"org_id remap_id\na 0\n");
        check_cut(
            &file,
            &refused_graph("kgat", &[("kg_final.txt", b"0 0 1\n"), items, (&file, half(&packed))]),
        );
    }
}

#[test]
fn lists_of_a_graph_in_another_encoding_are_refused_with_their_line() {
    let skip = "or set data.on_bad_row: skip to leave such rows out and count them";
    let message = refused_graph(
        "kgat",
        &[("kg_final.txt", b"0 0 1\n"), ("item_list.txt", b"org_id remap_id\nAm\xe9lie 0\n")],
    );
    assert_eq!(
        message,
        format!("item_list.txt:2: \"Am\u{fffd}lie 0\" is not UTF-8 text: save the file as UTF-8, {skip}")
    );
    let wide: Vec<u8> = "head\trelation\ttail\n0\tr\t1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let message = refused_graph("triples", &[("kg.txt", &wide)]);
    assert!(message.contains("kg.txt"), "{message}");
}

#[test]
fn archives_of_vectors_that_are_cut_are_refused_by_name() {
    let json = format!("{{\"a\": [1]{}}}", lines(|number| format!(",\n\"{number}b\": [0.{number}]")));
    let csv = format!("id,x\n{}", lines(|number| format!("{number},0.{number}\n")));
    for (ending, pack) in [(".gz", gz as fn(&[u8]) -> Vec<u8>), (".zst", zst)] {
        for (name, content) in [("a.json", &json), ("a.csv", &csv)] {
            let file = format!("{name}{ending}");
            check_cut(&file, &refused_vectors(&file, half(&pack(content.as_bytes()))));
        }
    }
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2000, 1), }\n";
    let mut npy =
        [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
    npy.extend((0..2000_u32).flat_map(|number| (number.wrapping_mul(number) as f32).sqrt().to_le_bytes()));
    check_cut("a.npy.gz", &refused_vectors("a.npy.gz", half(&gz(&npy))));
    assert_eq!(
        refused_vectors("a.npy.gz", &gz(half(&npy))),
        format!(
            "a.npy.gz holds {} bytes of values and announces 8000: replace it by a complete copy",
            half(&npy).len() - 10 - header.len()
        )
    );
}

#[test]
fn vectors_of_another_separator_or_encoding_are_refused() {
    assert_eq!(
        refused_vectors("a.csv", b"id;x\n1;2\n"),
        "a.csv has the columns id;x, expected columns of numbers beside the ids: name it with id_column"
    );
    assert_eq!(
        refused_vectors("a.csv", b"id,x\nAm\xe9lie,2\n"),
        "a.csv:2: id \"Am\u{fffd}lie\" is not UTF-8 text: correct or delete the line"
    );
    let remedy = "correct it, or replace the file by a complete copy";
    assert_eq!(
        refused_vectors("a.json", b"{\"a\": [1],\n\"Am\xe9lie\": [2]}"),
        format!("a.json:2: \"Am\u{fffd}lie\" where a text in quotes should be: {remedy}")
    );
    // A form feed is a space to Rust and none to JSON.
    assert_eq!(
        refused_vectors("a.json", b"[{\"id\": 4, \"x\": [1\x0c2], \"vector\": [3]}]"),
        format!("a.json:1: \"\\x0c\" where a value should be: {remedy}")
    );
    let wide: Vec<u8> = "\u{feff}{\"a\": [1]}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        refused_vectors("a.json", &wide),
        format!("a.json:1: \"\\xff\" where an object, as {{\"17\": [0.1, 0.2]}} should be: {remedy}")
    );
}

#[test]
fn ids_and_maps_beside_vectors_are_refused_with_their_line() {
    let npy =
        b"\x93NUMPY\x01\x00\x3c\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }\n\0\0\x80?";
    let message = refused(&[("a.npy", npy), ("a.ids.txt", b"\xe9\n")], |folder| {
        Vectors::read(&folder.join("a.npy"), &VectorsConfig::default())
    });
    assert_eq!(message, "a.ids.txt:1: id \"\u{fffd}\" is not UTF-8 text: correct or delete the line");
    let map = |content| {
        refused(&[("map.csv", content)], |folder| {
            IdMap::read(&folder.join("map.csv"), &IdMapConfig::default())
        })
    };
    assert_eq!(map(b"a,b\n1,2\n3"), "map.csv:3: 1 of 2 fields in \"3\": complete or delete the line");
    assert_eq!(
        map(b"a,b\n1,\xe9\n"),
        "map.csv:2: id \"\u{fffd}\" is not UTF-8 text: correct or delete the line"
    );
    assert_eq!(
        map(b"a;b\n1;2\n"),
        "map.csv has the columns a;b, expected a column for each of the two ids: name it with vector_column"
    );
}

#[test]
fn the_table_of_a_processed_folder_cut_anywhere_is_refused_by_name() {
    let config: DataConfig =
        serde_json::from_str(r#"{ "synthetic": { "n_users": 20, "n_items": 30, "n_ratings": 200 } }"#)
            .unwrap();
    let data = Dataset::load(&config, Path::new("")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), &data, &Split::of(&data.ratings, &config, 0).unwrap()).unwrap();
    ProcessedFolder::read(folder.path()).unwrap();
    let table = folder.path().join("interactions_mapped.parquet");
    let whole = fs::read(&table).unwrap();
    for end in (0..whole.len()).step_by(whole.len() / 7) {
        fs::write(&table, &whole[..end]).unwrap();
        let message = ProcessedFolder::read(folder.path()).unwrap_err().to_string();
        assert!(message.contains("interactions_mapped.parquet: not a whole Parquet file ("), "{message}");
    }
}

#[test]
fn vocabularies_of_a_processed_folder_that_are_no_text_or_cut_are_named() {
    for content in [b"{\"a\": 0, \"b".as_slice(), b"{\"\xe9\": 0}", b"a,0\n"] {
        let files: [(&str, &[u8]); 2] = [("interactions_mapped.parquet", b""), ("uid2idx.json", content)];
        let message = refused(&files, ProcessedFolder::read);
        assert!(message.starts_with("cannot read uid2idx.json ("), "{message}");
        assert!(message.contains("at line 1 column "), "{message}");
    }
}
