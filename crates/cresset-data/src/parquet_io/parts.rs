//! The files of a table: one, or those of a folder and its partitions.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, DictionaryArray, Int64Array, StringArray, UInt8Array, new_null_array};
use arrow_schema::{DataType, Field};

use super::error::ParquetError;
use crate::part_files::{PartFile, PartRule, part_files};

/// Names of files as data frames and Spark give them, in folders of any name.
const PARTS: PartRule = PartRule { endings: &[".parquet", ".parq", ".pq"], plain_folders: true };

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
        let files = if path.is_dir() { part_files(path, PARTS)? } else { vec![PartFile::single(path)] };
        let Some(first) = files.first() else {
            return Err(ParquetError::EmptyFolder { folder: path.to_owned() });
        };
        let expected = columns_of(first);
        if let Some(other) = files.iter().find(|file| columns_of(file) != expected) {
            let (found, expected) = (listed(&columns_of(other)), listed(&expected));
            return Err(ParquetError::Partitions { file: other.path.clone(), found, expected });
        }
        let is_number = |column: usize| {
            let values = files.iter().filter_map(|file| file.partitions[column].1.as_deref());
            let values: BTreeSet<&str> = values.collect();
            !values.is_empty() && values.into_iter().all(is_number)
        };
        let partitions = expected.iter().enumerate();
        let partitions = partitions
            .map(|(column, &name)| Partition { name: name.to_owned(), is_number: is_number(column) });
        Ok(Self { partitions: partitions.collect(), files })
    }
}

/// The partition columns of a file's path.
fn columns_of(file: &PartFile) -> Vec<&str> {
    file.partitions.iter().map(|(column, _)| column.as_str()).collect()
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

/// Whether a value is a whole number written as one would write it: `007` is text.
fn is_number(value: &str) -> bool {
    value.parse::<i64>().is_ok_and(|number| number.to_string() == value)
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { format!("\"{}\"", names.join("\", \"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_with_leading_zeros_are_no_numbers() {
        assert!(is_number("-7") && is_number("0"));
        assert!(!is_number("007") && !is_number("+7") && !is_number("a"));
    }
}
