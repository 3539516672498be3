//! A processed folder, read and checked.

use std::path::Path;

use super::error::FolderError;
use super::index::FolderIndex;
use super::negatives::{Negatives, PartSizes};
use super::splits::Splits;
use super::table::{Table, read_table};
use super::{INTERACTIONS, ITEMS, NEGATIVES, SPLITS, USERS, catalogue};
use crate::catalogue::Catalogue;
use crate::error::DataError;
use crate::ratings::{Ratings, range_of};
use crate::split::Part;
use crate::vocabulary::Vocabulary;

/// What a processed folder holds, under its own indices.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessedFolder {
    /// Every user of `uid2idx.json`, those without a row too.
    pub users: Vocabulary,
    /// Every item of `iid2idx.json`, those without a row too.
    pub items: Vocabulary,
    /// The rows of `interactions_mapped.parquet`; a table without ratings has 1 in every row.
    pub ratings: Ratings,
    /// The part of each row, none for a row in no part; none at all where no file gives a split.
    pub parts: Option<Vec<Option<Part>>>,
    /// What the folder says of items and users, none where it says nothing.
    pub catalogue: Option<Catalogue>,
    /// Lowest and highest rating: of the scale where the table names it, else of the rows.
    pub rating_range: (f32, f32),
    /// Items that users did not choose, where the folder has them.
    pub negatives: Option<Negatives>,
}

impl ProcessedFolder {
    /// Reads a folder and checks that its files go together.
    ///
    /// # Errors
    ///
    /// [`DataError`] when a file is missing or damaged, an index is beyond its vocabulary, a row is in two parts, or
    /// negatives name what is not there.
    pub fn read(folder: &Path) -> Result<Self, DataError> {
        let path = folder.join(INTERACTIONS);
        if !path.exists() {
            return Err(DataError::Missing {
                folder: folder.to_owned(),
                looked_for: INTERACTIONS.to_owned(),
            });
        }
        let (indices, catalogue) = rayon::join(
            || rayon::join(|| FolderIndex::load(folder, USERS), || FolderIndex::load(folder, ITEMS)),
            || catalogue::read(folder),
        );
        let (users, items) = (indices.0?, indices.1?);
        let Table { ratings, parts, items: described, rating_range } = read_table(&path, &users, &items)?;
        let parts = read_parts(folder, &ratings, parts)?;
        let size = |parts: &[Option<Part>], part| parts.iter().filter(|&&it| it == Some(part)).count();
        let n_rows = parts
            .as_ref()
            .map(|parts| PartSizes { train: size(parts, Part::Train), test: size(parts, Part::Test) });
        let negatives = Negatives::read(&folder.join(NEGATIVES), &users, &items, n_rows)?;
        let of_columns = || described.map(|items| Catalogue { items, users: Vec::new() });
        let catalogue = catalogue?.or_else(of_columns);
        let rating_range = rating_range.unwrap_or_else(|| range_of(&ratings.rating));
        let (users, items) = (users.vocabulary, items.vocabulary);
        Ok(Self { users, items, ratings, parts, catalogue, rating_range, negatives })
    }
}

/// The part of each row by `splits.json` or, without that file, by a column of the table.
fn read_parts(
    folder: &Path,
    ratings: &Ratings,
    of_column: Option<Vec<Part>>,
) -> Result<Option<Vec<Option<Part>>>, DataError> {
    let path = folder.join(SPLITS);
    match Splits::read(&path)? {
        Some(splits) => Ok(Some(splits.assign(&path, &ratings.time)?)),
        None => Ok(of_column.map(|parts| parts.into_iter().map(Some).collect())),
    }
}

impl ProcessedFolder {
    /// The part of each row and the rows that have one.
    ///
    /// # Errors
    ///
    /// [`FolderError::NoPart`] at the first row without one, unless `may_skip`.
    pub(super) fn rows_with_part(&self, folder: &Path, may_skip: bool) -> Result<Vec<u32>, FolderError> {
        let n_rows = self.ratings.len() as u32;
        let Some(parts) = &self.parts else { return Ok((0..n_rows).collect()) };
        if let Some(row) = parts.iter().position(Option::is_none).filter(|_| !may_skip) {
            return Err(FolderError::NoPart { file: folder.join(SPLITS), row });
        }
        Ok((0..n_rows).filter(|&row| parts[row as usize].is_some()).collect())
    }
}
