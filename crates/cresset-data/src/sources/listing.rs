//! Which files make up the interactions: single files, lists of them, and folders as Spark writes them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::files::{FileError, TextFile, open_text};

/// How Hive spells a partition without a value.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// A file, and the columns that the folders above it name (`part=train/`).
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
            push_folder(&path, &[], &mut files)?;
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

/// Appends the files of a folder by name, and those below folders such as `part=train`.
///
/// Names that begin with `_` or `.` are left out, as Spark's `_SUCCESS` is no data, and so are other folders.
fn push_folder(
    folder: &Path,
    partitions: &[(String, String)],
    files: &mut Vec<DataFile>,
) -> Result<(), DataError> {
    for path in entries(folder)? {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        match (path.is_dir(), name.split_once('=')) {
            (false, _) => files.push(DataFile { partitions: partitions.to_vec(), path }),
            (true, Some((column, value))) => {
                let mut partitions = partitions.to_vec();
                partitions.push((
                    unescaped(column),
                    if value == NO_VALUE { String::new() } else { unescaped(value) },
                ));
                push_folder(&path, &partitions, files)?;
            }
            (true, None) => {}
        }
    }
    Ok(())
}

/// What is in a folder, by name, without what is hidden or no data.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = |cause| FileError::read(folder, cause);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(b"_") && !name.as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

/// A partition's text with `%3A` and the like as the characters that they stand for.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code =
            after.get(..2).filter(|_| byte == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(escaped) => {
                bytes.push(escaped);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_percent_sign_that_escapes_nothing_stays() {
        assert_eq!(
            (unescaped("50%"), unescaped("a%zzb"), unescaped("%41")),
            ("50%".into(), "a%zzb".into(), "A".into())
        );
    }
}
