//! An unpacked data set: its key files verified, its files copied.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::DataError;
use super::pin::verify_size;
use super::sets::{DataSet, KeyFile, Known};
use crate::files::files_below;

/// What was seen of a folder's key files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verified {
    /// Files whose size and checksum are the owner's.
    exact: Vec<&'static str>,
    /// Files whose size is the owner's, of which no checksum is known.
    sized: Vec<&'static str>,
    /// Files that are there, of which nothing is known.
    present: Vec<&'static str>,
}

impl Verified {
    fn group_of(&mut self, known: Known) -> &mut Vec<&'static str> {
        match known {
            Known::Exactly(_) => &mut self.exact,
            Known::Bytes(_) => &mut self.sized,
            Known::Name => &mut self.present,
        }
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = [
            (&self.exact, "verified by size and SHA-256"),
            (&self.sized, "verified by size (no checksum of the unpacked file is known)"),
            (&self.present, "only seen to be there"),
        ];
        let filled = groups.iter().filter(|(files, _)| !files.is_empty());
        let parts: Vec<String> = filled.map(|(files, seen)| format!("{} {seen}", files.join(", "))).collect();
        formatter.write_str(&parts.join("; "))
    }
}

/// Looks for the key files of one of the data set's layouts.
///
/// # Errors
///
/// What is wrong with the layout of which most was found.
pub(crate) fn verify(set: &DataSet, folder: &Path) -> Result<Verified, DataError> {
    let is_there = |file: &&KeyFile| folder.join(file.name).is_file();
    let found = |layout: &&&[KeyFile]| layout.iter().filter(is_there).count();
    // The last of several equals wins, so the first layout comes last.
    let layout = set.layouts.iter().rev().max_by_key(found).expect("every data set has a layout");
    verify_layout(set.name, layout, folder)
}

fn verify_layout(name: &'static str, layout: &[KeyFile], folder: &Path) -> Result<Verified, DataError> {
    let mut verified = Verified::default();
    for file in layout {
        let path = folder.join(file.name);
        if !path.is_file() {
            return Err(DataError::MissingFile { folder: folder.into(), file: file.name, name });
        }
        match file.known {
            Known::Exactly(pin) => pin.verify(&path)?,
            Known::Bytes(bytes) => verify_size(&path, bytes)?,
            Known::Name => {}
        }
        verified.group_of(file.known).push(file.name);
    }
    Ok(verified)
}

/// Every file of the folder.
///
/// # Errors
///
/// If a folder cannot be read.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    files_below(folder).map_err(DataError::at(folder))
}

/// Copies `files`, which lie below `source`, to the same places below `target`.
///
/// # Errors
///
/// If a file cannot be read or written.
pub(crate) fn copy(source: &Path, files: &[PathBuf], target: &Path) -> Result<(), DataError> {
    for file in files {
        let below =
            file.strip_prefix(source).expect("listed files lie below the folder they were listed from");
        let copy = target.join(below);
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder).map_err(DataError::at(folder))?;
        }
        // By content only: the copy of a write-protected file may be changed and removed.
        let mut reader = File::open(file).map_err(DataError::at(file))?;
        let mut writer = File::create(&copy).map_err(DataError::at(&copy))?;
        io::copy(&mut reader, &mut writer).map_err(DataError::at(&copy))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::pin::Pin;
    use super::*;

    const ABC: Pin =
        Pin { bytes: 3, sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" };
    const SET: DataSet = DataSet {
        name: "letters",
        zip: ABC,
        layouts: &[
            &[
                KeyFile { name: "first.txt", known: Known::Exactly(ABC) },
                KeyFile { name: "common.txt", known: Known::Name },
            ],
            &[
                KeyFile { name: "second.txt", known: Known::Bytes(2) },
                KeyFile { name: "common.txt", known: Known::Name },
            ],
        ],
    };

    fn verify_files(files: &[(&str, &str)]) -> Result<Verified, DataError> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        verify(&SET, folder.path())
    }

    #[test]
    fn files_with_a_checksum_are_verified_and_the_others_only_seen() {
        let verified = verify_files(&[("first.txt", "abc"), ("common.txt", "x")]).unwrap();
        assert_eq!(
            verified,
            Verified { exact: vec!["first.txt"], sized: vec![], present: vec!["common.txt"] }
        );
        let sentence = "first.txt verified by size and SHA-256; common.txt only seen to be there";
        assert_eq!(verified.to_string(), sentence);
    }

    #[test]
    fn a_second_layout_does_as_well() {
        let verified = verify_files(&[("second.txt", "xx"), ("common.txt", "x")]).unwrap();
        assert_eq!((verified.sized, verified.present), (vec!["second.txt"], vec!["common.txt"]));
    }

    #[test]
    fn a_file_known_by_its_size_alone_must_have_it() {
        let sentence = verify_files(&[("second.txt", "x"), ("common.txt", "x")]).unwrap_err().to_string();
        assert!(sentence.contains("second.txt has 1 bytes, expected 2"), "{sentence}");
    }

    #[test]
    fn what_is_missing_is_named_from_the_first_layout() {
        let sentence = verify_files(&[]).unwrap_err().to_string();
        assert!(sentence.contains("has no first.txt, which is part of letters"), "{sentence}");
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let error = verify_files(&[("first.txt", "abd"), ("common.txt", "x")]).unwrap_err();
        assert!(matches!(error, DataError::Checksum { .. }), "{error}");
    }

    #[test]
    fn a_copy_has_the_same_files_and_may_be_written() {
        let source = tempfile::tempdir().unwrap();
        fs::create_dir(source.path().join("inner")).unwrap();
        let protected = source.path().join("inner/file");
        fs::write(&protected, "abc").unwrap();
        let mut permissions = fs::metadata(&protected).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&protected, permissions).unwrap();

        let target = tempfile::tempdir().unwrap();
        copy(source.path(), &list(source.path()).unwrap(), target.path()).unwrap();
        let copied = target.path().join("inner/file");
        assert_eq!(fs::read_to_string(&copied).unwrap(), "abc");
        assert!(!fs::metadata(copied).unwrap().permissions().readonly());
    }
}
