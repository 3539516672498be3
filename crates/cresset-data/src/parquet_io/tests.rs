//! Tables written and read back, whole, cut and scattered over folders.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type, UInt8Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, Float32Array, Int64Array, ListArray, RecordBatch, StringArray, UInt32Array,
};
use parquet::basic::Encoding;
use proptest::prelude::*;

use super::*;

fn table(n_rows: u32) -> RecordBatch {
    let columns: [(&str, ArrayRef); 3] = [
        ("user", Arc::new(UInt32Array::from_iter_values((0..n_rows).map(|row| row / 7)))),
        ("rating", Arc::new(Float32Array::from_iter_values((0..n_rows).map(|row| (row % 10) as f32 / 2.0)))),
        ("time", Arc::new(Int64Array::from_iter_values((0..n_rows).map(|row| i64::from(row) * 37)))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn options(rows_per_group: usize) -> ParquetOptions {
    ParquetOptions { rows_per_group, ..ParquetOptions::default() }
}

/// Writes a table of `n_rows` rows, three row groups of a hundred unless there are fewer.
fn write(path: &Path, n_rows: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    write_parquet(path, &table(n_rows), &options(100)).unwrap();
}

fn users(parts: &[PartBatch]) -> Vec<u32> {
    let of_part = |part: &PartBatch| part.batch["user"].as_primitive::<UInt32Type>().values().to_vec();
    parts.iter().flat_map(of_part).collect()
}

#[test]
fn row_groups_come_back_in_order_with_the_columns_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, 250);
    let parts = read_parquet(&path, &["time", "user"]).unwrap();
    assert_eq!(
        parts.iter().map(|part| part.place.row_group).collect::<Vec<_>>(),
        [Some(0), Some(1), Some(2)]
    );
    assert_eq!(parts[2].batch.schema().field(0).name(), "time");
    assert_eq!(parts[2].batch.column(0).as_primitive::<Int64Type>().value(49), 249 * 37);
    assert_eq!(users(&parts), (0..250).map(|row| row / 7).collect::<Vec<_>>());
    let table = ParquetTable::open(&path).unwrap();
    assert_eq!((table.n_rows(), table.columns()), (250, vec!["user", "rating", "time"]));
}

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = [1, 3].map(|n_threads| {
        let path = folder.path().join(n_threads.to_string());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| write(&path, 1234));
        fs::read(path).unwrap()
    });
    assert_eq!(bytes[0], bytes[1]);
}

#[test]
fn part_files_are_read_in_order_of_their_names_and_markers_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write(&path("part-00001-b.snappy.parquet"), 14);
    write(&path("part-00000-a.snappy.parquet"), 7);
    for marker in ["_SUCCESS", ".part-00000.parquet.crc", "_metadata.parquet", "notes.txt"] {
        fs::write(path(marker), "no table").unwrap();
    }
    let parts = read_parquet(folder.path(), &["user"]).unwrap();
    assert_eq!(users(&parts), [vec![0; 14], vec![1; 7]].concat());
}

#[test]
fn folders_of_partitions_become_columns() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("split=train/year=1998/part-0.parquet"), 2);
    write(&folder.path().join("split=test/year=__HIVE_DEFAULT_PARTITION__/part-0.parquet"), 1);
    let parts = read_parquet(folder.path(), &["split", "user", "year"]).unwrap();
    let splits: Vec<String> = parts
        .iter()
        .map(|part| {
            let names = part.batch["split"].as_dictionary::<UInt8Type>();
            names.downcast_dict::<StringArray>().unwrap().into_iter().flatten().collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(splits, ["test", "train train"]);
    let years = parts.iter().map(|part| part.batch["year"].as_primitive::<Int64Type>().clone());
    assert_eq!(
        years.map(|years| years.is_valid(0).then(|| years.value(0))).collect::<Vec<_>>(),
        [None, Some(1998)]
    );
    assert_eq!(
        ParquetTable::open(folder.path()).unwrap().columns(),
        ["user", "rating", "time", "split", "year"]
    );
}

#[test]
fn files_of_different_partitions_are_not_one_table() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("split=train/part-0.parquet"), 2);
    write(&folder.path().join("zone=1/part-0.parquet"), 2);
    let message = read_parquet(folder.path(), &["user"]).unwrap_err().to_string();
    assert!(
        message.contains("name the partition columns \"zone\", those of other files \"split\": move"),
        "{message}"
    );
}

#[test]
fn a_folder_without_a_table_says_what_would_be_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("_SUCCESS"), "").unwrap();
    let message = read_parquet(folder.path(), &["user"]).unwrap_err().to_string();
    assert!(
        message.starts_with("no Parquet file in the folder") && message.contains("end in .parquet"),
        "{message}"
    );
}

#[test]
fn a_missing_column_is_told_with_those_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, 3);
    assert_eq!(
        read_parquet(&path, &["item"]).unwrap_err().to_string(),
        format!(
            "{}: no column \"item\" among \"user\", \"rating\", \"time\": rename a column, or name the right one in the \
             config",
            path.display()
        )
    );
}

#[test]
fn a_file_cut_anywhere_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole.parquet"), folder.path().join("cut.parquet"));
    write(&whole, 250);
    let bytes = fs::read(&whole).unwrap();
    for len in [0, 3, 11, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&cut, &bytes[..len]).unwrap();
        let message = read_parquet(&cut, &["user"]).unwrap_err().to_string();
        assert!(message.starts_with(&cut.display().to_string()), "{message}");
        assert!(
            message.contains("not a whole Parquet file") && message.contains("complete copy"),
            "{message}"
        );
    }
}

#[test]
fn a_damaged_row_group_is_named_with_its_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, 250);
    let table = ParquetTable::open(&path).unwrap();
    let (start, len) = table.footers_for_tests()[0].metadata().row_group(1).column(2).byte_range();
    let mut bytes = fs::read(&path).unwrap();
    bytes[start as usize..(start + len) as usize].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    let message = read_parquet(&path, &["user", "rating", "time"]).unwrap_err().to_string();
    let expected = format!("{}, row group 1: column \"time\" cannot be decoded", path.display());
    assert!(message.starts_with(&expected), "{message}");
    // What is whole can still be read.
    assert_eq!(users(&read_parquet(&path, &["user"]).unwrap()).len(), 250);
}

#[test]
fn a_large_row_group_comes_in_batches_that_know_their_first_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let n_rows = (1 << 20) + 5;
    write_parquet(&path, &table(n_rows), &options(usize::MAX)).unwrap();
    let parts = read_parquet(&path, &["user"]).unwrap();
    let places = parts.iter().map(|part| (part.place.row_group, part.place.first_row, part.batch.num_rows()));
    assert_eq!(places.collect::<Vec<_>>(), [(Some(0), 0, 1 << 20), (Some(0), 1 << 20, 5)]);
}

#[test]
fn the_encoding_of_a_list_is_that_of_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let vectors = ListArray::from_iter_primitive::<Float32Type, _, _>([Some([0.5, 0.5].map(Some))]);
    let items = ListArray::from_iter_primitive::<UInt32Type, _, _>([Some([7, 8].map(Some))]);
    let columns: [(&str, ArrayRef); 2] = [("embedding", Arc::new(vectors)), ("candidates", Arc::new(items))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    write_parquet(&path, &batch, &ParquetOptions::default()).unwrap();
    let table = ParquetTable::open(&path).unwrap();
    let group = table.footers_for_tests()[0].metadata().row_group(0);
    let encodings = [0, 1].map(|leaf| group.column(leaf).encodings().collect::<Vec<_>>());
    assert!(encodings[0].contains(&Encoding::PLAIN) && !encodings[0].contains(&Encoding::RLE_DICTIONARY));
    assert!(encodings[1].contains(&Encoding::DELTA_BINARY_PACKED), "{:?}", encodings[1]);
    assert_eq!(read_parquet(&path, &["candidates"]).unwrap()[0].batch.column(0), batch.column(1));
}

#[test]
fn an_error_among_the_batches_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let failed = || ParquetError::EmptyFolder { folder: path.clone() };
    let batches = [Ok(table(5)), Err(failed())];
    let error = write_parquet_batches(&path, &table(0).schema(), batches, &options(2)).unwrap_err();
    assert_eq!(error.to_string(), failed().to_string());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_table_without_rows_keeps_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, 0);
    assert_eq!(ParquetTable::open(&path).unwrap().columns(), ["user", "rating", "time"]);
    assert!(read_parquet(&path, &["user"]).unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_numbers_are_the_same_again_in_any_encoding(
        rows in prop::collection::vec((any::<u32>(), any::<f32>(), prop::option::of(any::<i64>())), 0..300),
        rows_per_group in 1usize..200,
        zstd_level in 1i32..4,
        encoding in prop::sample::select(vec![ColumnEncoding::Plain, ColumnEncoding::Delta, ColumnEncoding::Dictionary]),
    ) {
        let columns: [(&str, ArrayRef); 3] = [
            ("user", Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.0)))),
            ("rating", Arc::new(Float32Array::from_iter_values(rows.iter().map(|row| row.1)))),
            ("time", Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>())),
        ];
        let nullable = columns.map(|(name, array)| (name, array, true));
        let batch = RecordBatch::try_from_iter_with_nullable(nullable).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let encodings = ["user", "time"].map(|name| (name.to_owned(), encoding)).into();
        let options = ParquetOptions { rows_per_group, zstd_level, encodings };
        write_parquet(&path, &batch, &options).unwrap();
        let mut start = 0;
        for part in read_parquet(&path, &["user", "rating", "time"]).unwrap() {
            let n_rows = part.batch.num_rows();
            let slice = batch.slice(start, n_rows);
            prop_assert_eq!(part.batch.column(0), slice.column(0));
            prop_assert_eq!(part.batch.column(2), slice.column(2));
            let bits = |batch: &RecordBatch| -> Vec<u32> {
                batch["rating"].as_primitive::<Float32Type>().values().iter().map(|value| value.to_bits()).collect()
            };
            prop_assert_eq!(bits(&part.batch), bits(&slice));
            start += n_rows;
        }
        prop_assert_eq!(start, rows.len());
    }

    #[test]
    fn a_flipped_byte_never_brings_the_reader_down(at in any::<prop::sample::Index>(), mask in 1u8..=255) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        write(&path, 250);
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        fs::write(&path, &bytes).unwrap();
        // Whether the damage is noticed depends on the place: Parquet's checksums are optional.
        let _ = read_parquet(&path, &["user", "rating", "time"]);
    }
}
