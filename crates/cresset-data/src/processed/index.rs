//! Indices of a processed folder, checked against its vocabularies.

use std::path::Path;

use super::error::FolderError;
use crate::arrow::column::Column;
use crate::arrow::ids::is_text;
use crate::error::DataError;
use crate::interactions::IdColumn;
use crate::vocabulary::Vocabulary;

/// A vocabulary as a folder spells it.
pub(super) struct FolderIndex {
    pub(super) vocabulary: Vocabulary,
    /// The index of the first id: 1 where 0 stands for padding, else 0.
    base: u32,
    /// `uid2idx.json` or `iid2idx.json`.
    file: &'static str,
}

impl FolderIndex {
    pub(super) fn load(folder: &Path, file: &'static str) -> Result<Self, DataError> {
        let path = folder.join(file);
        if !path.is_file() {
            return Err(DataError::Missing { folder: folder.to_owned(), looked_for: file.to_owned() });
        }
        let (vocabulary, base) = Vocabulary::load_foreign(&path)?;
        Ok(Self { vocabulary, base, file })
    }

    /// The rows before that of the first id in a matrix with so many rows: one where its indices begin at 1 and it has a row
    /// for the padding.
    pub(super) fn n_padding(&self, n_rows: usize) -> usize {
        usize::from(self.base == 1 && n_rows == self.vocabulary.len() + 1)
    }

    /// Our index of an index in a file of the folder.
    pub(super) fn checked(&self, index: i64) -> Option<u32> {
        let index = u32::try_from(index.checked_sub(self.base.into())?).ok()?;
        ((index as usize) < self.vocabulary.len()).then_some(index)
    }

    /// The index of each row, from a column of indices or of external ids.
    pub(super) fn indices_of(&self, column: &Column<'_>) -> Result<Vec<u32>, DataError> {
        column.refuse_nulls()?;
        if is_text(&column.array) { self.of_ids(column) } else { self.of_indices(column) }
    }

    fn of_indices(&self, column: &Column<'_>) -> Result<Vec<u32>, DataError> {
        let indices = column.i64s("a whole number")?;
        let index = |(row, &index): (usize, &i64)| {
            self.checked(index).ok_or_else(|| FolderError::IndexBeyond {
                place: column.place.clone(),
                column: column.name.to_owned(),
                row: column.place.first_row + row,
                index,
                vocabulary: self.file,
                first: self.base,
                last: (self.vocabulary.len() as u64 + u64::from(self.base)).saturating_sub(1),
            })
        };
        Ok(indices.values().iter().enumerate().map(index).collect::<Result<_, _>>()?)
    }

    fn of_ids(&self, column: &Column<'_>) -> Result<Vec<u32>, DataError> {
        let mut ids = IdColumn::default();
        column.append_ids(&mut ids)?;
        let of_code: Vec<Option<u32>> = ids.names().iter().map(|id| self.vocabulary.index_of(id)).collect();
        let index = |(row, &code): (usize, &u32)| {
            of_code[code as usize].ok_or_else(|| FolderError::UnknownId {
                place: column.place.clone(),
                column: column.name.to_owned(),
                row: column.place.first_row + row,
                id: ids.name_at(row).to_owned(),
                vocabulary: self.file,
            })
        };
        Ok(ids.codes().iter().enumerate().map(index).collect::<Result<_, _>>()?)
    }
}
