//! Each format in a few lines of our own, what it gets wrong, and that what is written is read back.

use std::fs::{self, File};
use std::io::Write;
use std::path::{MAIN_SEPARATOR, Path};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow_array::builder::{FixedSizeListBuilder, Float16Builder, Float64Builder, LargeListBuilder};
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{ArrayRef, Float32Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use half::f16;
use proptest::prelude::*;

use super::*;
use crate::parquet_io::{ParquetOptions, write_parquet};

fn default() -> VectorsConfig {
    VectorsConfig::default()
}

fn vectors(ids: &[&str], dim: usize, values: &[f32]) -> Vectors {
    Vectors { ids: ids.iter().map(|&id| id.to_owned()).collect(), dim, values: values.to_vec() }
}

fn named(id: &str) -> VectorsConfig {
    VectorsConfig { vector_column: Some(id.to_owned()), ..default() }
}

/// Reads the first of some files; paths in the message are cut to their names.
fn read(files: &[(&str, &[u8])], config: &VectorsConfig) -> Result<Vectors, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let prefix = format!("{}{MAIN_SEPARATOR}", folder.path().display());
    let path = folder.path().join(files[0].0);
    Vectors::read(&path, config).map_err(|error| error.to_string().replace(&prefix, ""))
}

#[track_caller]
fn check(name: &str, content: impl AsRef<[u8]>, expected: &Vectors) {
    assert_eq!(&read(&[(name, content.as_ref())], &default()).unwrap(), expected, "{name}");
}

#[track_caller]
fn refused(name: &str, content: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(read(&[(name, content.as_ref())], &default()).unwrap_err(), expected);
}

fn npy(descr: &str, order: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

fn bytes_of<const N: usize>(values: &[f64], bytes: impl Fn(f64) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| bytes(value)).collect()
}

const SIX: [f64; 6] = [0.5, -1.0, 2.0, 0.25, 0.0, 8.0];
const SIX_F32: [f32; 6] = [0.5, -1.0, 2.0, 0.25, 0.0, 8.0];

#[test]
fn a_numpy_matrix_of_any_width_is_read_with_its_row_numbers_as_ids() {
    let expected = vectors(&["0", "1"], 3, &SIX_F32);
    let f32s = bytes_of(&SIX, |value| (value as f32).to_le_bytes());
    check(
        "a.npy",
        npy("<f2", "False", "(2, 3)", &bytes_of(&SIX, |v| f16::from_f64(v).to_le_bytes())),
        &expected,
    );
    check("a.npy", npy("<f4", "False", "(2, 3)", &f32s), &expected);
    check("a.npy", npy("<f8", "False", "(2, 3)", &bytes_of(&SIX, f64::to_le_bytes)), &expected);
    let packed = zstd::encode_all(npy("<f4", "False", "(2, 3)", &f32s).as_slice(), 1).unwrap();
    check("a.npy.zst", packed, &expected);
}

#[test]
fn the_file_beside_a_matrix_gives_its_ids_and_one_asked_for_comes_before_it() {
    let matrix = npy("<f4", "False", "(2, 1)", &bytes_of(&[1.0, 2.0], |v| (v as f32).to_le_bytes()));
    let files: [(&str, &[u8]); 3] =
        [("ml-1m.mini.f4.npy", &matrix), ("ml-1m.ids.txt", b"17\r\nb\r\n"), ("x.json", b"[3, \"c\"]")];
    assert_eq!(read(&files, &default()).unwrap().ids, ["17", "b"]);

    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let config = VectorsConfig { ids: Some(folder.path().join("x.json")), ..default() };
    let found = Vectors::read(&folder.path().join("ml-1m.mini.f4.npy"), &config).unwrap();
    assert_eq!(found.ids, ["3", "c"]);
}

#[test]
fn as_many_ids_as_vectors_are_needed_each_once() {
    let matrix = npy("<f4", "False", "(2, 1)", &[0; 8]);
    assert_eq!(
        read(&[("a.npy", &matrix), ("a.ids.txt", b"1\n2\n3\n")], &default()).unwrap_err(),
        "a.ids.txt has 3 ids for the 2 vectors of a.npy: give the list that was made with the vectors"
    );
    assert_eq!(
        read(&[("a.npy", &matrix), ("a.ids.txt", b"1\n1\n")], &default()).unwrap_err(),
        "a.npy: rows 0 and 1 have the same id \"1\": delete one of them"
    );
}

#[test]
fn numpy_files_that_are_damaged_or_laid_out_otherwise_are_refused() {
    let remedy = "replace it by a complete copy";
    let name = "or give its format";
    refused(
        "a.npy",
        "hello, world",
        &format!("a.npy is no .npy file (it begins with \"hello,\"): {remedy}, {name}"),
    );
    refused(
        "a.npy",
        b"\x93NUM",
        &format!("a.npy is no .npy file (it ends within its header): {remedy}, {name}"),
    );
    refused(
        "a.npy",
        npy("<f4", "False", "(2, 3)", &[0; 23]),
        &format!("a.npy holds 23 bytes of values and announces 24: {remedy}"),
    );
    refused(
        "a.npy",
        npy("<f4", "False", "(2, 3)", &[0; 25]),
        &format!("a.npy holds 25 bytes of values and announces 24: {remedy}"),
    );
    refused(
        "a.npy",
        npy("<f4", "False", "(2000000000, 300000000)", &[0; 8]),
        &format!("a.npy holds 8 bytes of values and announces 2400000000000000000: {remedy}"),
    );
    refused(
        "a.npy",
        npy("<f4", "True", "(2, 3)", &[0; 24]),
        "a.npy: Fortran order, expected C order, row after row: save it again as numpy.ascontiguousarray(array)",
    );
    refused(
        "a.npy",
        npy(">f4", "False", "(2, 3)", &[0; 24]),
        "a.npy: values of type >f4, expected <f2, <f4 or <f8: save it again as array.astype('<f4')",
    );
    refused(
        "a.npy",
        npy("<f4", "False", "(6,)", &[0; 24]),
        "a.npy: shape (6,), expected two axes, rows and width: save it again as array.reshape(n_rows, -1)",
    );
    refused(
        "a.npy",
        npy("<f4", "False", "(0, 3)", &[]),
        "a.npy has no rows: replace it by a complete copy of the file",
    );
}

#[test]
fn nan_is_refused_with_its_row_id_and_dimension() {
    let values = [1.0, 2.0, f32::NAN, 4.0].map(f32::to_le_bytes).concat();
    assert_eq!(
        read(&[("a.npy", &npy("<f4", "False", "(2, 2)", &values)), ("a.ids.txt", b"x\ny\n")], &default())
            .unwrap_err(),
        "a.npy, row 1, id \"y\": \"NaN\" in dimension 0 is not a finite number: correct it, or delete the vector"
    );
}

#[test]
fn a_value_that_is_not_finite_is_found_wherever_it_is() {
    let mut values = vec![1.0; 600_000];
    assert_eq!(raw::first_infinite(&values), None);
    for at in [599_999, 262_144, 0] {
        values[at] = f32::NEG_INFINITY;
        assert_eq!(raw::first_infinite(&values), Some(at));
    }
}

#[test]
fn json_is_read_in_each_of_its_forms() {
    let expected = vectors(&["17", "a\"b"], 2, &[0.5, -1.0, 0.25, 3.0]);
    check("a.json", r#"{"17": [0.5, -1], "a\"b": [2.5e-1, 3]}"#, &expected);
    check("a.json", "\u{feff}{\n\"17\":\n[\n0.5,\n-1\n],\r\n\"a\\\"b\":[0.25,3.0]}\n", &expected);
    check(
        "a.json",
        r#"[{"id": 17, "title": "x [1]", "embedding": [0.5, -1]}, {"vector": [0.25, 3], "tags": [{"a": [1]}, null], "item_id": "a\"b"}]"#,
        &expected,
    );
    check(
        "a.jsonl",
        "{\"id\": 17, \"embedding\": [0.5, -1]}\n{\"id\": \"a\\\"b\", \"embedding\": [0.25, 3]}\n",
        &expected,
    );
    check("a.json", "{\"17\": [0.5, -1]}\n{\"a\\\"b\": [0.25, 3]}\n", &expected);
    let renamed = br#"[{"id": 1, "embedding": [7], "clip": [0.5, -1]}]"#;
    assert_eq!(read(&[("a.json", renamed)], &named("clip")).unwrap(), vectors(&["1"], 2, &[0.5, -1.0]));
}

#[test]
fn json_that_is_damaged_or_holds_something_else_is_refused_with_its_line() {
    let remedy = "correct it, or replace the file by a complete copy";
    refused(
        "a.json",
        "{\"1\": [1, 2],\n\"2\": [1, 2",
        &format!("a.json:2: the end of the file where the end of a list of numbers should be: {remedy}"),
    );
    refused(
        "a.json",
        "{\"1\": [1, 2],\n\"2\"",
        &format!("a.json:2: the end of the file where a colon should be: {remedy}"),
    );
    refused(
        "a.json",
        "1, 2",
        &format!("a.json:1: \"1\" where an object, as {{\"17\": [0.1, 0.2]}} should be: {remedy}"),
    );
    refused(
        "a.json",
        "[{\"id\": 1}]",
        &format!(
            "a.json:1: an object where an object with a field `embedding`, or the vector_column asked for, should be: \
             {remedy}"
        ),
    );
    refused(
        "a.json",
        "[{\"embedding\": [1]}]",
        &format!(
            "a.json:1: an object where an object with a field `id`, or the id_column asked for, should be: {remedy}"
        ),
    );
    refused("a.json", "[] x", &format!("a.json:1: \"x\" where the end of the file should be: {remedy}"));
    refused("a.json", "{}", "a.json has no rows: replace it by a complete copy of the file");
    refused("a.json", "", "a.json has no rows: replace it by a complete copy of the file");
}

#[test]
fn json_vectors_of_another_width_or_with_nan_are_refused_with_line_and_id() {
    refused(
        "a.json",
        "{\"1\": [1, 2],\n\"2\": [1, 2, 3]}",
        "a.json:2, id \"2\" has 3 numbers, expected 2 as in the first vector: correct or delete it",
    );
    refused(
        "a.json",
        "{\"1\": [1, 2],\n\"2\": [1, NaN]}",
        "a.json:2, id \"2\": \"NaN\" in dimension 1 is not a finite number: correct it, or delete the vector",
    );
    refused("a.json", "{\"1\": []}", "a.json:1, id \"1\" has no numbers: fill it in or delete it");
    refused(
        "a.json",
        "{\"1\": [[1, 2]]}",
        "a.json:1: \"[\" where a number should be: correct it, or replace the file by a complete copy",
    );
    refused(
        "a.json",
        "{\"1\": [1], \"1\": [2]}",
        "a.json: rows 0 and 1 have the same id \"1\": delete one of them",
    );
}

#[test]
fn a_table_has_a_column_a_dimension_or_one_of_lists() {
    let expected = vectors(&["17", "b"], 2, &[0.5, -1.0, 0.25, 3.0]);
    check("a.csv", "movieId,h0,h1\r\n17,0.5,-1\r\nb,0.25,3\r\n", &expected);
    check("a.csv", ",h0,h1\n17,0.5,-1\nb,0.25,3\n", &expected);
    check("a.tsv", "h0\titem_id\th1\n0.5\t17\t-1\n0.25\tb\t3\n", &expected);
    check("a.csv", "id,embedding\n17,\"[0.5, -1]\"\nb,\"[0.25, 3]\"\n", &expected);
}

#[test]
fn a_table_with_a_bad_number_or_a_short_row_is_refused_with_its_line() {
    refused(
        "a.csv",
        "id,h0,h1\n1,2,3\n2,3,inf\n",
        "a.csv:3, id \"2\": \"inf\" in dimension 1 is not a finite number: correct it, or delete the vector",
    );
    refused("a.csv", "id,h0,h1\n1,2\n", "a.csv:2: 2 of 3 fields in \"1,2\": complete or delete the line");
    refused(
        "a.csv",
        "id\n1\n",
        "a.csv has the columns id, expected columns of numbers beside the ids: name it with id_column",
    );
    let config = VectorsConfig { id_column: Some("film".to_owned()), ..default() };
    assert_eq!(
        read(&[("a.csv", b"id,h0\n1,2\n")], &config).unwrap_err(),
        "a.csv has the columns id, h0, expected a column of ids: name it with id_column"
    );
}

fn parquet_of(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn two_ids() -> ArrayRef {
    Arc::new(Int64Array::from(vec![17, 18]))
}

fn lists(rows: [Vec<Option<f32>>; 2]) -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows.map(Some)))
}

#[test]
fn parquet_lists_of_any_kind_are_read() {
    let expected = vectors(&["17", "18"], 2, &[0.5, -1.0, 0.25, 3.0]);
    let rows = [[0.5, -1.0], [0.25, 3.0]];
    let list = lists(rows.map(|row| row.map(|it| Some(it as f32)).to_vec()));
    check("a.parquet", parquet_of(vec![("movieId", two_ids()), ("embedding", list)]), &expected);
    let list = rows.map(|row| Some(row.map(Some)));
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(list));
    check("a.parquet", parquet_of(vec![("vec", list), ("film", two_ids())]), &expected);
    let mut list = LargeListBuilder::new(Float64Builder::new());
    let mut fixed = FixedSizeListBuilder::new(Float16Builder::new(), 2);
    for row in rows {
        list.values().append_slice(&row);
        list.append(true);
        fixed.values().append_slice(&row.map(f16::from_f64));
        fixed.append(true);
    }
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["17", "18"]));
    let titles: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
    let (list, fixed): (ArrayRef, ArrayRef) = (Arc::new(list.finish()), Arc::new(fixed.finish()));
    check(
        "a.parquet",
        parquet_of(vec![("id", Arc::clone(&texts)), ("t", Arc::clone(&titles)), ("e", list)]),
        &expected,
    );
    check("a.parquet", parquet_of(vec![("t", titles), ("id", texts), ("e", fixed)]), &expected);
}

#[test]
fn parquet_with_a_column_a_dimension_is_read_in_the_order_of_the_columns() {
    let first: ArrayRef = Arc::new(Float32Array::from(vec![0.5, 0.25]));
    let second: ArrayRef = Arc::new(Float64Array::from(vec![-1.0, 3.0]));
    let file = parquet_of(vec![("d0", first), ("id", two_ids()), ("d1", second)]);
    check("a.parquet", file, &vectors(&["17", "18"], 2, &[0.5, -1.0, 0.25, 3.0]));
}

#[test]
fn parquet_without_ids_takes_row_numbers() {
    let list = lists([vec![Some(1.0)], vec![Some(2.0)]]);
    check("a.parquet", parquet_of(vec![("embedding", list)]), &vectors(&["0", "1"], 1, &[1.0, 2.0]));
}

#[test]
fn part_files_of_a_folder_are_joined_in_order_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let part = |ids: [i64; 2], rows: [f32; 2]| {
        let list = lists(rows.map(|value| vec![Some(value)]));
        parquet_of(vec![("id", Arc::new(Int64Array::from(ids.to_vec())) as ArrayRef), ("embedding", list)])
    };
    fs::write(folder.path().join("part-1.parquet"), part([3, 4], [0.3, 0.4])).unwrap();
    fs::write(folder.path().join("part-0.parquet"), part([9, 1], [0.9, 0.1])).unwrap();
    fs::write(folder.path().join("_SUCCESS"), "").unwrap();
    fs::write(folder.path().join(".part-0.parquet"), "hidden").unwrap();
    let found = Vectors::read(folder.path(), &default()).unwrap();
    assert_eq!(found, vectors(&["9", "1", "3", "4"], 1, &[0.9, 0.1, 0.3, 0.4]));
}

#[test]
fn parquet_vectors_of_another_width_or_with_nothing_in_them_are_refused() {
    let file = |rows| parquet_of(vec![("id", two_ids()), ("embedding", lists(rows))]);
    let place = "a.parquet, row 1 of row group 0, id \"18\"";
    refused(
        "a.parquet",
        file([vec![Some(1.0)], vec![Some(1.0), Some(2.0)]]),
        &format!("{place} has 2 numbers, expected 1 as in the first vector: correct or delete it"),
    );
    refused(
        "a.parquet",
        file([vec![Some(1.0)], vec![]]),
        &format!("{place} has no numbers: fill it in or delete it"),
    );
    refused(
        "a.parquet",
        file([vec![Some(1.0)], vec![None]]),
        &format!("{place}: \"null\" in dimension 0 is not a finite number: correct it, or delete the vector"),
    );
    let first = "a.parquet, row 0 of row group 0, id \"17\"";
    refused("a.parquet", file([vec![], vec![]]), &format!("{first} has no numbers: fill it in or delete it"));
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let list = lists([vec![Some(1.0)], vec![Some(2.0)]]);
    refused(
        "a.parquet",
        parquet_of(vec![("id", ids), ("embedding", list)]),
        "a.parquet: row 1 has no id: give it one, or delete it",
    );
}

#[test]
fn a_row_without_an_id_is_counted_from_the_beginning_of_the_file() {
    let ids: ArrayRef = Arc::new(StringArray::from(vec![Some("17"), None]));
    let list = lists([vec![Some(1.0)], vec![Some(2.0)]]);
    let batch = RecordBatch::try_from_iter([("id", ids), ("embedding", list)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let options = ParquetOptions { rows_per_group: 1, ..ParquetOptions::default() };
    write_parquet(&path, &batch, &options).unwrap();
    let message = Vectors::read(&path, &default()).unwrap_err().to_string();
    assert!(message.ends_with("a.parquet: row 1 has no id: give it one, or delete it"), "{message}");
}

#[test]
fn parquet_that_is_cut_or_has_other_columns_is_refused() {
    let file = parquet_of(vec![("id", two_ids()), ("embedding", lists([vec![Some(1.0)], vec![Some(2.0)]]))]);
    let message = read(&[("a.parquet", &file[..file.len() / 2])], &default()).unwrap_err();
    assert!(message.starts_with("a.parquet is no Parquet file ("), "{message}");
    refused(
        "a.parquet",
        parquet_of(vec![("id", two_ids())]),
        "a.parquet has the columns id (Int64), expected a column of lists, or one column of floating-point numbers a \
         dimension: name it with vector_column",
    );
    assert_eq!(
        read(&[("a.parquet", &file)], &named("clip")).unwrap_err(),
        "a.parquet has the columns id (Int64), embedding (List(Float32)), expected one column of lists of numbers: \
         name it with vector_column"
    );
}

fn safetensors_of(header: &str, values: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

#[test]
fn a_safetensors_matrix_is_found_among_other_tensors() {
    let header = r#"{"__metadata__": {"ids": "[7, \"b\"]"},
        "bias": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        "weight": {"dtype": "BF16", "shape": [2, 1], "data_offsets": [4, 8]},
        "scale": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]}}"#;
    let mut values = vec![0; 4];
    values.extend([1.5, -2.0].map(|value| half::bf16::from_f32(value).to_le_bytes()).concat());
    values.extend([0; 4]);
    check("a.safetensors", safetensors_of(header, &values), &vectors(&["7", "b"], 1, &[1.5, -2.0]));
    let cut = "a.safetensors holds 6 bytes of values and announces 8: replace it by a complete copy";
    refused("a.safetensors", safetensors_of(header, &values[..10]), cut);
}

#[test]
fn safetensors_of_other_shapes_types_or_none_are_refused() {
    let header = r#"{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}"#;
    refused(
        "a.safetensors",
        safetensors_of(header, &[0; 8]),
        "a.safetensors has the tensors a, expected one tensor of two axes: name it with vector_column",
    );
    let header = r#"{"a": {"dtype": "I32", "shape": [2, 1], "data_offsets": [0, 8]}}"#;
    refused(
        "a.safetensors",
        safetensors_of(header, &[0; 8]),
        "a.safetensors: values of type I32, expected F16, BF16, F32 or F64: save it again as tensor.float()",
    );
    let message = read(&[("a.safetensors", b"PK\x03\x04, a zip")], &default()).unwrap_err();
    assert!(message.starts_with("a.safetensors is no safetensors file (its header has "), "{message}");
}

#[test]
fn a_name_without_a_format_is_refused_and_a_format_asked_for_comes_before_the_name() {
    refused(
        "a.bin.gz",
        "",
        "a.bin.gz: the name ends in none of .npy, .parquet, .safetensors, .json, .jsonl, .csv and .tsv, plain, .gz or \
         .zst: rename the file, or give its format",
    );
    let config = VectorsConfig { format: Some(VectorsFormat::Csv), ..default() };
    assert_eq!(read(&[("a.txt", b"id,x\n1,2\n")], &config).unwrap(), vectors(&["1"], 1, &[2.0]));
}

#[test]
fn a_packed_file_is_found_under_its_plain_name() {
    let folder = tempfile::tempdir().unwrap();
    let gz = File::create(folder.path().join("a.csv.gz")).unwrap();
    let mut gz = flate2::write::GzEncoder::new(gz, flate2::Compression::fast());
    gz.write_all(b"id,x\n1,2\n").unwrap();
    gz.finish().unwrap();
    let found = Vectors::read(&folder.path().join("a.csv"), &default()).unwrap();
    assert_eq!(found, vectors(&["1"], 1, &[2.0]));
    let message = Vectors::read(&folder.path().join("b.csv"), &default()).unwrap_err().to_string();
    assert!(message.starts_with("cannot read ") && message.contains("b.csv"), "{message}");
}

#[test]
fn vectors_are_written_in_four_formats_and_no_other() {
    let found = vectors(&["1"], 1, &[2.0]);
    for name in ["a.csv", "a.npy.gz"] {
        let message = found.write(Path::new(name)).unwrap_err().to_string();
        assert!(
            message.ends_with("expected .npy, .parquet, .safetensors or .json: choose another name"),
            "{message}"
        );
    }
    let message = vectors(&["a\nb"], 1, &[2.0]).write(Path::new("a.npy")).unwrap_err().to_string();
    assert_eq!(
        message,
        "a.npy: id \"a\\nb\", expected ids that are a line of text each: choose another format"
    );
}

#[test]
fn what_is_written_is_laid_out_as_others_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let found = vectors(&["7", "a\"b"], 2, &[0.1, -1.0, 1e-30, 3.0]);
    found.write(&folder.path().join("a.json")).unwrap();
    let json = fs::read_to_string(folder.path().join("a.json")).unwrap();
    assert_eq!(json, "{\n\"7\": [0.1,-1.0],\n\"a\\\"b\": [1e-30,3.0]\n}\n");

    found.write(&folder.path().join("a.npy")).unwrap();
    let npy = fs::read(folder.path().join("a.npy")).unwrap();
    assert_eq!((npy.len(), &npy[126..128]), (128 + 16, b" \n".as_slice()));
    assert_eq!(fs::read_to_string(folder.path().join("a.ids.txt")).unwrap(), "7\na\"b\n");

    found.write(&folder.path().join("a.safetensors")).unwrap();
    let bytes = fs::read(folder.path().join("a.safetensors")).unwrap();
    let tensors = ::safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.tensor("embeddings").unwrap().shape(), [2, 2]);
}

fn any_vectors() -> impl Strategy<Value = Vectors> {
    let value = prop_oneof![-1f32..1.0, any::<f32>().prop_filter("finite", |value| value.is_finite())];
    (1usize..40, 1usize..20).prop_flat_map(move |(n_rows, dim)| {
        let ids = prop::collection::hash_set("[a-zA-Z0-9\"\\\\é,:\\[\\]]{1,8}", n_rows);
        let values = prop::collection::vec(value.clone(), n_rows * dim);
        (ids, values).prop_map(move |(ids, values)| Vectors { ids: ids.into_iter().collect(), dim, values })
    })
}

proptest! {
    // Each case writes four files down to the disk.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn reading_is_the_inverse_of_writing_in_each_format(vectors in any_vectors()) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.npy", "a.parquet", "a.safetensors", "a.json"] {
            let path = folder.path().join(name);
            vectors.write(&path).unwrap();
            prop_assert_eq!(&Vectors::read(&path, &default()).unwrap(), &vectors, "{}", name);
        }
    }

}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for name in ["a.npy", "a.parquet", "a.safetensors", "a.json", "a.csv", "a.json.gz"] {
            let _ = read(&[(name, &bytes)], &default());
        }
    }

    #[test]
    fn a_flipped_byte_of_a_parquet_file_never_brings_the_reader_down(
        at in any::<prop::sample::Index>(),
        mask in 1u8..=255,
    ) {
        let list = lists([vec![Some(1.0), Some(2.0)], vec![Some(3.0), Some(4.0)]]);
        let mut bytes = parquet_of(vec![("id", two_ids()), ("embedding", list)]);
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        let _ = read(&[("a.parquet", &bytes)], &default());
    }

    #[test]
    fn no_text_makes_the_json_reader_panic(text in "[\\[\\]{}\",:0-9eN \\\\.a-]{0,60}") {
        let _ = read(&[("a.json", text.as_bytes())], &default());
    }
}
