//! The files of a table: one, or those of a folder and its partitions.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, DictionaryArray, Int64Array, StringArray, UInt8Array, new_null_array};
use arrow_schema::{DataType, Field};

use super::error::ParquetError;
use crate::files::FileError;

/// What Hive and Spark name the folder of rows whose partition column is null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// A file, and the values that the folders above it give to partition columns.
pub(super) struct PartFile {
    pub(super) path: PathBuf,
    /// Value of each partition column, in order of the folders.
    pub(super) values: Vec<Option<String>>,
}

/// Files in order of their names, and the partition columns that they share.
pub(super) struct Parts {
    pub(super) files: Vec<PartFile>,
    pub(super) partitions: Vec<Partition>,
}

/// A column whose value is spelt in the names of folders.
pub(super) struct Partition {
    pub(super) name: String,
    /// Whether each value is a whole number.
    is_number: bool,
}

impl Parts {
    /// The file at `path`, or the files below the folder there.
    pub(super) fn list(path: &Path) -> Result<Self, ParquetError> {
        let metadata = fs::metadata(path).map_err(|cause| FileError::read(path, cause))?;
        let mut files = Vec::new();
        if metadata.is_dir() {
            collect(path, &mut files)?;
        } else {
            files.push(path.to_owned());
        }
        if files.is_empty() {
            return Err(ParquetError::EmptyFolder { folder: path.to_owned() });
        }
        files.sort_unstable();
        Self::with_partitions(path, files)
    }

    fn with_partitions(root: &Path, paths: Vec<PathBuf>) -> Result<Self, ParquetError> {
        let mut files = Vec::with_capacity(paths.len());
        let mut names: Option<Vec<String>> = None;
        for path in paths {
            let (found, values): (Vec<String>, Vec<Option<String>>) =
                folders_of(root, &path).into_iter().unzip();
            let expected = names.get_or_insert_with(|| found.clone());
            if found != *expected {
                let (found, expected) = (listed(&found), listed(expected));
                return Err(ParquetError::Partitions { file: path, found, expected });
            }
            files.push(PartFile { path, values });
        }
        let is_number = |column: usize| {
            let values: BTreeSet<_> = files.iter().filter_map(|file| file.values[column].as_ref()).collect();
            !values.is_empty() && values.iter().all(|value| is_number(value))
        };
        let names = names.unwrap_or_default();
        let partitions = names.into_iter().enumerate();
        let partitions = partitions.map(|(column, name)| Partition { name, is_number: is_number(column) });
        Ok(Self { partitions: partitions.collect(), files })
    }
}

impl Partition {
    /// `n_rows` times the same value: `Int64` where all values are numbers, else a dictionary of text.
    pub(super) fn array(&self, value: Option<&str>, n_rows: usize) -> ArrayRef {
        match (value, value.and_then(|value| value.parse().ok())) {
            (None, _) => new_null_array(&self.data_type(), n_rows),
            (_, Some(number)) if self.is_number => Arc::new(Int64Array::from_value(number, n_rows)),
            (Some(text), _) => {
                let keys = UInt8Array::from_value(0, n_rows);
                Arc::new(DictionaryArray::new(keys, Arc::new(StringArray::from(vec![text]))))
            }
        }
    }

    pub(super) fn field(&self) -> Field {
        Field::new(&self.name, self.data_type(), true)
    }

    fn data_type(&self) -> DataType {
        if self.is_number {
            return DataType::Int64;
        }
        DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8))
    }
}

/// Every Parquet file below a folder, but for names that begin with `_` or `.`, as Spark's `_SUCCESS` does.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), ParquetError> {
    let fail = |cause| FileError::read(folder, cause);
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(['_', '.']) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if [".parquet", ".parq", ".pq"].iter().any(|end| name.to_ascii_lowercase().ends_with(end)) {
            files.push(path);
        }
    }
    Ok(())
}

/// The `name=value` folders between the root and a file.
fn folders_of(root: &Path, file: &Path) -> Vec<(String, Option<String>)> {
    let below = file.strip_prefix(root).ok().and_then(Path::parent).unwrap_or(Path::new(""));
    let folders = below.iter().filter_map(|folder| {
        let folder = folder.to_string_lossy();
        let (name, value) = folder.split_once('=')?;
        Some((unescaped(name), (value != NULL).then(|| unescaped(value))))
    });
    folders.collect()
}

/// The text with `%41` as `A`, as Hive writes what a path may not hold.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let code = code.filter(|_| first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a value is a whole number written as one would write it: `007` is text.
fn is_number(value: &str) -> bool {
    value.parse::<i64>().is_ok_and(|number| number.to_string() == value)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { format!("\"{}\"", names.join("\", \"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_name_partition_columns_and_their_values() {
        let file = Path::new("/data/ratings/split=train/day=2005%2F04/plain/part-0.parquet");
        let found = folders_of(Path::new("/data/ratings"), file);
        let expected = [("split", Some("train")), ("day", Some("2005/04"))];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_percent_sign_that_escapes_nothing_is_a_percent_sign() {
        assert_eq!(unescaped("5%"), "5%");
        assert_eq!(unescaped("%zz%20é"), "%zz é");
    }

    #[test]
    fn ids_with_leading_zeros_are_no_numbers() {
        assert!(is_number("-7") && is_number("0"));
        assert!(!is_number("007") && !is_number("+7") && !is_number("a"));
    }
}
