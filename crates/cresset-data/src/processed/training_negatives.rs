//! The negatives of a folder that training sets against its positives.

use std::path::Path;

use super::error::FolderError;
use super::index::FolderIndex;
use super::negatives::{Lists, Sections, length};
use super::{ITEMS, NEGATIVES, USERS};
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::ragged::Ragged;
use crate::split::Part;
use crate::vocabulary::Vocabulary;

/// The negatives that `negatives.json` lists for each training row, under the indices of the data.
///
/// They are lists of users, shared by all rows of a user, or one for each training row in the order of the table. A file
/// may have them under the key `train` beside those of the test part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingNegatives {
    lists: Ragged,
    /// The list of each training row.
    list_of_row: Vec<u32>,
}

impl TrainingNegatives {
    /// One list for each training row, in their order.
    pub fn from_rows(rows: impl IntoIterator<Item = Vec<u32>>) -> Self {
        let lists = Ragged::from_lists(rows);
        let list_of_row = (0..lists.len() as u32).collect();
        Self { lists, list_of_row }
    }

    /// Reads the file of a folder, none where it is not there or has the negatives of other parts alone; `train` are the
    /// training rows of `data`, which were read from the same folder.
    ///
    /// Items that cleaning left out of the data are left out of the lists.
    ///
    /// # Errors
    ///
    /// [`DataError::Folder`] when the file is of another shape, names a user or an item that the folder does not have, has
    /// a list too few or too many, or has none or an empty one for a training row.
    pub fn read(folder: &Path, data: &Dataset, train: &[u32]) -> Result<Option<Self>, DataError> {
        let path = folder.join(NEGATIVES);
        let Some(sections) = Sections::read(&path)? else { return Ok(None) };
        let is_only_of_train = sections.train.is_some();
        let Some(raw) = sections.train.or(sections.any) else { return Ok(None) };
        let (users, items) = (FolderIndex::load(folder, USERS)?, FolderIndex::load(folder, ITEMS)?);
        let item_of = indices_in(&items.vocabulary, &data.items);
        let kept = |list: Vec<u32>| -> Vec<u32> {
            list.into_iter().filter_map(|item| item_of[item as usize]).collect()
        };
        match raw.indexed(&path, &users, &items)? {
            Lists::ByRow(rows) if rows.len() != train.len() => {
                let is_of_test = !is_only_of_train && rows.len() == n_test(data);
                let wrong = || length(&path, rows.len(), train.len(), "training rows");
                if is_of_test { Ok(None) } else { Err(wrong().into()) }
            }
            Lists::ByRow(rows) => {
                let lists = Ragged::from_lists(rows.into_iter().map(kept));
                let list_of_row = (0..train.len() as u32).collect();
                let whose = |place: usize| format!("training row {place}");
                Ok(Some(Self { lists, list_of_row }.without_empty(&path, whose)?))
            }
            Lists::ByUser(entries) => {
                let user_of = indices_in(&users.vocabulary, &data.users);
                let entries = entries
                    .into_iter()
                    .filter_map(|(user, list)| Some((user_of[user as usize]?, kept(list))));
                Ok(Some(Self::of_users(entries, data, train, &path)?))
            }
        }
    }

    /// Lists that all training rows of a user share.
    fn of_users(
        entries: impl Iterator<Item = (u32, Vec<u32>)>,
        data: &Dataset,
        train: &[u32],
        path: &Path,
    ) -> Result<Self, FolderError> {
        let mut list_of_user = vec![NONE; data.n_users()];
        let mut lists = Ragged::default();
        for (user, list) in entries {
            list_of_user[user as usize] = lists.len() as u32;
            lists.push(list);
        }
        let user = |place: usize| data.ratings.user_id[train[place] as usize];
        let list_of_row = (0..train.len()).map(|place| list_of_user[user(place) as usize]).collect();
        let whose =
            |place: usize| format!("user \"{}\", who has training rows", data.users.id_of(user(place)));
        Self { lists, list_of_row }.without_empty(path, whose)
    }

    /// The negatives of the training row at a place among the training rows: items by index, in the order of the file.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn of(&self, place: usize) -> &[u32] {
        self.lists.of(self.list_of_row[place])
    }

    /// The number of training rows.
    pub fn len(&self) -> usize {
        self.list_of_row.len()
    }

    /// Whether there is no training row.
    pub fn is_empty(&self) -> bool {
        self.list_of_row.is_empty()
    }

    fn without_empty(self, path: &Path, whose: impl Fn(usize) -> String) -> Result<Self, FolderError> {
        let is_empty = |&list: &u32| list == NONE || self.lists.range(list).is_empty();
        match self.list_of_row.iter().position(is_empty) {
            Some(place) => Err(FolderError::EmptyNegatives { file: path.to_owned(), whose: whose(place) }),
            None => Ok(self),
        }
    }
}

/// The rows that the folder gives to the test part.
fn n_test(data: &Dataset) -> usize {
    let parts = data.ratings.parts.iter().flatten();
    parts.filter(|&&part| part == Part::Test).count()
}

/// Stands for no list.
const NONE: u32 = u32::MAX;

/// The index in `to` of each id of `from`.
fn indices_in(from: &Vocabulary, to: &Vocabulary) -> Vec<Option<u32>> {
    from.ids().iter().map(|id| to.index_of(id)).collect()
}
