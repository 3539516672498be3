//! Which files make up the interactions: single files, lists of them, and folders as Spark writes them.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::files::{FileError, TextFile, open_text};
use crate::part_files::{PartFile, PartRule, part_files};

/// Every file counts, but folders such as `_temporary` or `old` do not.
const PARTS: PartRule = PartRule { endings: &[], plain_folders: false };

/// A file, and the columns that the folders above it name (`part=train/`), empty where one has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    pub(crate) path: PathBuf,
    pub(crate) partitions: Vec<(String, String)>,
}

impl DataFile {
    pub(crate) fn open(&self) -> Result<TextFile, DataError> {
        let gone = || FileError::read(&self.path, std::io::ErrorKind::NotFound);
        Ok(open_text(&self.path)?.ok_or_else(gone)?)
    }
}

/// The files of these names in `folder`: a file stands for itself, plain or compressed, a folder for all in it.
///
/// # Errors
///
/// [`DataError::Missing`] when a name is not there or a folder holds no file; a folder that cannot be read.
pub(crate) fn files_of(folder: &Path, names: &[String]) -> Result<Vec<DataFile>, DataError> {
    let mut files = Vec::new();
    for name in names {
        let path = folder.join(name);
        let n_before = files.len();
        if path.is_dir() {
            files.extend(part_files(&path, PARTS)?.into_iter().map(DataFile::from));
        } else if let Some(file) = open_text(&path)? {
            files.push(DataFile { path: file.path, partitions: Vec::new() });
        }
        if files.len() == n_before {
            return Err(missing(folder, name));
        }
    }
    Ok(files)
}

pub(crate) fn missing(folder: &Path, looked_for: &str) -> DataError {
    DataError::Missing { folder: folder.to_owned(), looked_for: looked_for.to_owned() }
}

impl From<PartFile> for DataFile {
    fn from(PartFile { path, partitions }: PartFile) -> Self {
        let of_text = |(column, value): (String, Option<String>)| (column, value.unwrap_or_default());
        Self { path, partitions: partitions.into_iter().map(of_text).collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        folder
    }

    /// A file's name and its folder's values.
    type Listed = (String, Vec<(String, String)>);

    fn list(folder: &Path, names: &[&str]) -> Result<Vec<Listed>, DataError> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let short = |path: &Path| path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
        let files = files_of(folder, &names)?;
        Ok(files.into_iter().map(|file| (short(&file.path), file.partitions)).collect())
    }

    #[test]
    fn a_folder_of_spark_stands_for_its_parts_in_order() {
        let folder = tree(&[
            "out/part-2.csv",
            "out/part-1.csv",
            "out/_SUCCESS",
            "out/.part-1.csv.crc",
            "out/_temporary/x",
        ]);
        let plain = |name: &str| (name.to_owned(), Vec::new());
        assert_eq!(
            list(folder.path(), &["out"]).unwrap(),
            [plain("out/part-1.csv"), plain("out/part-2.csv")]
        );
    }

    #[test]
    fn folders_of_partitions_become_columns() {
        let folder = tree(&["out/part=train/day=2020-01-01%3A5/a", "out/part=__HIVE_DEFAULT_PARTITION__/b"]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let found = list(folder.path(), &["out"]).unwrap();
        assert_eq!(found[0].1, [pair("part", "")]);
        assert_eq!(found[1].1, [pair("part", "train"), pair("day", "2020-01-01:5")]);
    }

    #[test]
    fn files_are_found_compressed_and_read_in_the_order_asked_for() {
        let folder = tree(&["b.csv.gz", "a.csv"]);
        let found = list(folder.path(), &["b.csv", "a.csv"]).unwrap();
        assert_eq!((found[0].0.as_str(), found[1].0.as_str()), ("b.csv.gz", "a.csv"));
        let message = list(folder.path(), &["a.csv", "c.csv"]).unwrap_err().to_string();
        assert!(message.starts_with("no c.csv, plain, .gz or .zst, in the folder "), "{message}");
    }
}
