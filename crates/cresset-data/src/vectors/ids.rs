//! The ids of vectors whose file has none.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::VectorsError;
use super::format::open;
use crate::error::DataError;
use crate::files::{FileError, Packing};
use crate::text::for_each_line;

/// The ids of `n_rows` vectors: those of the file asked for, else of the one beside, else none.
pub(super) fn beside(
    path: &Path,
    asked: Option<&Path>,
    n_rows: usize,
) -> Result<Option<Vec<String>>, DataError> {
    let Some(ids_file) = asked.map(Path::to_owned).or_else(|| find_beside(path)) else { return Ok(None) };
    let ids = read(&ids_file)?;
    if ids.len() != n_rows {
        let file = path.to_owned();
        return Err(VectorsError::IdCount { file, ids_file, n_ids: ids.len(), n_rows }.into());
    }
    Ok(Some(ids))
}

/// `NAME.ids.txt` for the longest beginning of the file's name that has such a file.
fn find_beside(path: &Path) -> Option<PathBuf> {
    let mut stem = path.file_name()?.to_str()?;
    while let Some((shorter, _)) = stem.rsplit_once('.') {
        let candidate = path.with_file_name(format!("{shorter}.ids.txt"));
        if candidate.is_file() {
            return Some(candidate);
        }
        stem = shorter;
    }
    None
}

/// Where the ids of vectors are written, beside a file without room for them.
pub(super) fn path_beside(path: &Path) -> PathBuf {
    path.with_extension("ids.txt")
}

fn read(path: &Path) -> Result<Vec<String>, DataError> {
    let end = if Packing::of(path) == Packing::Plain { path.extension() } else { None };
    if end.is_some_and(|end| end.eq_ignore_ascii_case("json")) {
        let ids: Vec<JsonId> =
            serde_json::from_reader(open(path)?.reader).map_err(|cause| FileError::read(path, cause))?;
        return Ok(ids.into_iter().map(JsonId::text).collect());
    }
    let mut ids = Vec::new();
    for_each_line(open(path)?, |at, line| {
        ids.push(at.utf8("id", line)?.to_owned());
        Ok(())
    })?;
    Ok(ids)
}

/// An id as JSON writes it, with quotes or without.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum JsonId {
    Text(String),
    Number(serde_json::Number),
}

impl JsonId {
    pub(super) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Takes away the blanks around ids, which are no part of them.
pub(super) fn trim(ids: &mut [String]) {
    for id in ids.iter_mut().filter(|id| id.trim_ascii().len() < id.len()) {
        *id = id.trim_ascii().to_owned();
    }
}

/// Refuses ids that are empty or occur twice.
pub(super) fn refuse_repeated(path: &Path, ids: &[String]) -> Result<(), VectorsError> {
    let mut row_of = HashMap::with_capacity(ids.len());
    for (row, id) in ids.iter().enumerate() {
        if id.is_empty() {
            return Err(VectorsError::NoId { file: path.to_owned(), row });
        }
        if let Some(first) = row_of.insert(id.as_str(), row) {
            let (file, id) = (path.to_owned(), id.clone());
            return Err(VectorsError::RepeatedId { file, id, first, second: row });
        }
    }
    Ok(())
}
