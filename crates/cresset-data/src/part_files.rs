//! Which files make up a table: those of a folder and of the partitions in it, as Hive and Spark lay them out.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::FileError;

/// What Hive and Spark name the folder of rows whose partition column is null.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// A file, and the columns that the folders around it name (`part=train/`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartFile {
    pub(crate) path: PathBuf,
    /// Column and value of each such folder, the outermost first; no value where the column is null.
    pub(crate) partitions: Vec<(String, Option<String>)>,
}

impl PartFile {
    /// A file that no folder says anything of.
    pub(crate) fn single(path: &Path) -> Self {
        Self { path: path.to_owned(), partitions: Vec::new() }
    }
}

/// What counts below a folder of part files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartRule {
    /// How names of files end, in lower case; none where any name will do.
    pub(crate) endings: &'static [&'static str],
    /// Whether folders that name no column are searched too.
    pub(crate) plain_folders: bool,
}

impl PartRule {
    fn takes(self, path: &Path) -> bool {
        let name = name_of(path).to_ascii_lowercase();
        self.endings.is_empty() || self.endings.iter().any(|ending| name.ends_with(ending))
    }
}

/// The part files below a folder in order of their paths.
pub(crate) fn part_files(folder: &Path, rule: PartRule) -> Result<Vec<PartFile>, FileError> {
    let mut files = Vec::new();
    push_folder(folder, &[], rule, &mut files)?;
    Ok(files)
}

fn push_folder(
    folder: &Path,
    partitions: &[(String, Option<String>)],
    rule: PartRule,
    files: &mut Vec<PartFile>,
) -> Result<(), FileError> {
    for path in entries(folder)? {
        let partition = partition_of(&name_of(&path));
        match (path.is_dir(), partition) {
            (true, None) if !rule.plain_folders => {}
            (true, partition) => {
                let partitions: Vec<_> = partitions.iter().cloned().chain(partition).collect();
                push_folder(&path, &partitions, rule, files)?;
            }
            (false, _) if rule.takes(&path) => files.push(PartFile { path, partitions: partitions.to_vec() }),
            (false, _) => {}
        }
    }
    Ok(())
}

/// What is in a folder, by name, without names that begin with `_` or `.`: Spark's `_SUCCESS` is no data.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
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

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The column and the value that a folder `name=value` stands for.
fn partition_of(folder: &str) -> Option<(String, Option<String>)> {
    let (column, value) = folder.split_once('=')?;
    Some((unescaped(column), (value != NO_VALUE).then(|| unescaped(value))))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A file's name below the folder, and what its folders say.
    type Listed = (String, Vec<(String, Option<String>)>);

    fn list(names: &[&str], rule: PartRule) -> Vec<Listed> {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let short =
            |path: &Path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().replace('\\', "/");
        let files = part_files(folder.path(), rule).unwrap();
        files.into_iter().map(|file| (short(&file.path), file.partitions)).collect()
    }

    #[test]
    fn folders_name_partition_columns_and_their_values() {
        let rule = PartRule { endings: &[".parquet"], plain_folders: true };
        let found = list(
            &["split=train/day=2005%2F04/plain/b.PARQUET", "split=__HIVE_DEFAULT_PARTITION__/c.parquet"],
            rule,
        );
        let pair = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        assert_eq!(found[0].1, [pair("split", None)]);
        assert_eq!(found[1].1, [pair("split", Some("train")), pair("day", Some("2005/04"))]);
    }

    #[test]
    fn other_endings_and_where_they_are_not_wanted_other_folders_are_left_out() {
        let names = ["old/b.csv", "a.txt", "c.csv", "_d.csv", ".e.csv", "day=1/f.csv"];
        let names_by = |rule| list(&names, rule).into_iter().map(|file| file.0).collect::<Vec<_>>();
        let any = PartRule { endings: &[], plain_folders: false };
        assert_eq!(names_by(any), ["a.txt", "c.csv", "day=1/f.csv"]);
        let csv = PartRule { endings: &[".csv"], plain_folders: true };
        assert_eq!(names_by(csv), ["c.csv", "day=1/f.csv", "old/b.csv"]);
    }

    #[test]
    fn a_percent_sign_that_escapes_nothing_is_a_percent_sign() {
        assert_eq!(
            ["5%", "50%z", "a%zzb", "%41", "%zz%20é"].map(unescaped),
            ["5%", "50%z", "a%zzb", "A", "%zz é"]
        );
    }
}
