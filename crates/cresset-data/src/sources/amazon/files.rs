//! Which of a folder's files hold what.

use std::ffi::OsStr;
use std::path::Path;

use crate::config::DataConfig;
use crate::error::DataError;
use crate::part_files::entries;
use crate::sources::listing::{DataFile, files_of, missing};
use crate::split::Part;

const ENDINGS: [&str; 3] = [".json", ".jsonl", ".csv"];

/// The files of interactions, each with the part of a given split that its name says (`Beauty.train.csv`).
///
/// # Errors
///
/// [`DataError`] when none is there, or when several are and the configuration does not say which to read.
pub(super) fn interactions(
    folder: &Path,
    config: &DataConfig,
) -> Result<Vec<(DataFile, Option<Part>)>, DataError> {
    let files = match &config.files.interactions {
        Some(names) => files_of(folder, names.names())?,
        None => found(folder, false)?,
    };
    let parts: Vec<_> = files.iter().map(|file| part_of(&file.path)).collect();
    let are_parts = parts.iter().all(Option::is_some);
    if config.files.interactions.is_none() && files.len() > 1 && !are_parts {
        let names: Vec<_> = files.iter().map(|file| name_of(&file.path)).collect();
        return Err(DataError::Config {
            key: "data.files.interactions",
            value: "null".to_owned(),
            expected: format!("the files to read, of {} in {}", names.join(", "), folder.display()),
        });
    }
    // A file that names its part among others that name none is of no split.
    Ok(files.into_iter().zip(parts).map(|(file, part)| (file, part.filter(|_| are_parts))).collect())
}

/// The files of metadata; there may be none unless the configuration names them.
pub(super) fn metadata(folder: &Path, config: &DataConfig) -> Result<Vec<DataFile>, DataError> {
    match &config.files.metadata {
        Some(names) => files_of(folder, names.names()),
        None => Ok(list(folder, true)?),
    }
}

fn found(folder: &Path, is_meta: bool) -> Result<Vec<DataFile>, DataError> {
    let is_there = folder.is_dir();
    let files = if is_there { list(folder, is_meta)? } else { Vec::new() };
    if files.is_empty() {
        return Err(missing(folder, "NAME.jsonl, NAME.json or NAME.csv (or data.files.interactions)"));
    }
    Ok(files)
}

fn list(folder: &Path, is_meta: bool) -> Result<Vec<DataFile>, DataError> {
    let is_wanted = |path: &Path| {
        let name = name_of(path);
        let is_table = ENDINGS.iter().any(|ending| plain_name(&name).ends_with(ending));
        is_table && name.starts_with("meta") == is_meta && !path.is_dir()
    };
    let paths = entries(folder)?.into_iter().filter(|path| is_wanted(path));
    Ok(paths.map(|path| DataFile { path, partitions: Vec::new() }).collect())
}

pub(super) fn is_csv(path: &Path) -> bool {
    plain_name(&name_of(path)).ends_with(".csv")
}

/// The part of a given split that a file's name says.
fn part_of(path: &Path) -> Option<Part> {
    let name = name_of(path);
    let (stem, _ending) = plain_name(&name).rsplit_once('.')?;
    let (_, part) = stem.rsplit_once('.')?;
    Part::named(part)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A name without the ending of its compression.
fn plain_name(name: &str) -> &str {
    match Path::new(name).extension().and_then(OsStr::to_str) {
        Some(ending @ ("gz" | "zst")) => &name[..name.len() - ending.len() - 1],
        _ => name,
    }
}
