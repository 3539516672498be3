//! Where a folder keeps text vectors, and what their keys mean.

use std::path::{Path, PathBuf};

use super::index::FolderIndex;
use super::negatives::length;
use super::{ITEMS, USERS};
use crate::catalogue::Side;
use crate::error::DataError;
use crate::part_files::entries;
use crate::vocabulary::Vocabulary;

/// The files `items_text_emb_*` of a folder, in order of their names, whatever their format.
///
/// # Errors
///
/// [`DataError::File`] when the folder cannot be read.
pub fn text_embedding_files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let is_vectors = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("items_text_emb"))
    };
    Ok(entries(folder)?.into_iter().filter(is_vectors).collect())
}

/// Keys of vectors as external ids of `items`.
///
/// Keys that are ids stay. Where some are not, and every key is an index of `items`, all are taken for indices.
///
/// ```
/// use cresset_data::Vocabulary;
/// use cresset_data::processed::external_ids;
///
/// let items = Vocabulary::from_ids(["B01", "B02"]);
/// let keys = |keys: [&str; 2]| external_ids(keys.map(str::to_owned).to_vec(), &items);
/// assert_eq!(keys(["B02", "B99"]), ["B02", "B99"]);
/// assert_eq!(keys(["1", "0"]), ["B02", "B01"]);
/// ```
pub fn external_ids(keys: Vec<String>, items: &Vocabulary) -> Vec<String> {
    if keys.iter().all(|key| items.index_of(key).is_some()) {
        return keys;
    }
    let index = |key: &String| key.parse().ok().filter(|&index: &u32| (index as usize) < items.len());
    match keys.iter().map(index).collect::<Option<Vec<u32>>>() {
        Some(indices) => indices.into_iter().map(|index| items.id_of(index).to_owned()).collect(),
        None => keys,
    }
}

/// Ids of vectors of a folder as external ids: of a file without ids, which has a row for each index of the folder's map,
/// and of one whose keys are such indices.
pub(crate) fn under_external_ids(
    folder: &Path,
    side: Side,
    file: &Path,
    ids: Vec<String>,
    are_row_numbers: bool,
) -> Result<Vec<String>, DataError> {
    let map = match side {
        Side::Items => ITEMS,
        Side::Users => USERS,
    };
    let index = FolderIndex::load(folder, map)?;
    if !are_row_numbers {
        return Ok(external_ids(ids, &index.vocabulary));
    }
    let n_padding = index.n_padding(ids.len());
    if ids.len() != index.vocabulary.len() + n_padding {
        return Err(length(file, ids.len(), index.vocabulary.len(), side.name()).into());
    }
    // The row of the padding stands for no id of the data.
    let padding = std::iter::repeat_n(String::from(PADDING), n_padding);
    Ok(padding.chain(index.vocabulary.ids().iter().cloned()).collect())
}

/// An id that no file can spell.
const PADDING: &str = "\0padding";
