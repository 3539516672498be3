//! Which of a folder's files are the data set's, where their names begin with its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::error::SourceError;
use crate::error::DataError;
use crate::files::{FileError, TextFile, open_text};
use crate::source::open_required;

/// The name that a folder's data set has: the folder's, or that of the only one which is there.
///
/// Its files are those that end in `ending`, or in `ending` behind one of `parts`, plain or compressed.
///
/// # Errors
///
/// [`DataError::Missing`] when there is none, [`SourceError::SeveralDataSets`] when none of many is called like the
/// folder, or a failed read of the folder.
pub(super) fn data_set_name(folder: &Path, ending: &str, parts: &[&str]) -> Result<String, DataError> {
    let wanted = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut found = BTreeSet::new();
    for file in names_in(folder)? {
        let plain = [".gz", ".zst"].iter().find_map(|it| file.strip_suffix(it)).unwrap_or(&file);
        let Some(name) = plain.strip_suffix(ending) else { continue };
        let name = parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
        found.insert(name.to_owned());
    }
    if found.contains(&wanted) {
        return Ok(wanted);
    }
    match found.len() {
        0 => Err(DataError::Missing { folder: folder.to_owned(), looked_for: format!("{wanted}{ending}") }),
        1 => Ok(found.into_iter().collect()),
        _ => {
            let found = found.into_iter().collect();
            Err(SourceError::SeveralDataSets { folder: folder.to_owned(), found, wanted }.into())
        }
    }
}

/// The one file of a data set, itself at `folder` or called like it in there, ending in `ending`.
///
/// # Errors
///
/// As [`data_set_name`], and when the file cannot be opened.
pub(super) fn open_only(folder: &Path, ending: &str) -> Result<TextFile, DataError> {
    if !folder.is_dir()
        && let Some(file) = open_text(folder)?
    {
        return Ok(file);
    }
    let name = data_set_name(folder, ending, &[])?;
    open_required(folder, &[&format!("{name}{ending}")])
}

/// The names of a folder's files, without hidden ones; none where there is no folder.
fn names_in(folder: &Path) -> Result<Vec<String>, FileError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |cause| FileError::read(folder, cause);
    let entries = fs::read_dir(folder).map_err(failed)?;
    let name = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    let mut names = entries.map(name).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    names.retain(|name| !name.starts_with('.'));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_among(files: &[&str]) -> Result<String, String> {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("ml");
        fs::create_dir(&folder).unwrap();
        files.iter().for_each(|file| fs::write(folder.join(file), "").unwrap());
        let found = data_set_name(&folder, ".inter", &[".train", ".test"]);
        found.map_err(|error| error.to_string().replace(&format!("{}", folder.display()), "FOLDER"))
    }

    #[test]
    fn a_data_set_is_called_like_its_folder_or_like_the_only_one_there() {
        assert_eq!(name_among(&["ml.inter", "b.inter"]).unwrap(), "ml");
        assert_eq!(name_among(&["b.inter.gz", "b.item", "._b.inter", "notes.txt"]).unwrap(), "b");
        assert_eq!(name_among(&["b.train.inter.zst", "b.test.inter"]).unwrap(), "b");
    }

    #[test]
    fn of_several_others_none_is_chosen() {
        assert_eq!(
            name_among(&["b.inter", "a.inter"]).unwrap_err(),
            "FOLDER has the data sets a, b, and none is called \"ml\" as the folder is: rename the folder like one of \
             them, or leave one there"
        );
    }

    #[test]
    fn none_at_all_is_told_what_was_looked_for() {
        let message = name_among(&["ml.item"]).unwrap_err();
        assert!(message.starts_with("no ml.inter, plain, .gz or .zst, in the folder FOLDER: "), "{message}");
    }
}
