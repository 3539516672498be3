//! Histories in order of time, and batches cut from them.
//!
//! In every batch of this module an item is a row of a table whose row 0 is padding: item `i` has row `i + 1`.

mod histories;
#[cfg(test)]
mod tests;
mod windows;

pub use histories::{HistoryBatch, HistoryBatches};
pub use windows::{SequenceBatch, SequenceBatches, Windows};

use crate::ragged::Ragged;
use crate::ratings::Ratings;
use crate::timelines::timelines;

/// Row of the item table that stands for no item; item `i` has row `i + 1` in every batch of this module.
const PADDING: u32 = 0;

/// The items of each user in order of time, in one array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequences {
    of_user: Ragged,
}

impl Sequences {
    /// The histories of `n_users` in the given rows, oldest first; items of equal time by their index.
    ///
    /// Rows without a time come first. An item that a user has twice is there twice.
    ///
    /// ```
    /// use cresset_data::{Ratings, Sequences, TimeKind};
    ///
    /// let ratings = Ratings {
    ///     user_id: vec![0, 1, 0, 0],
    ///     item_id: vec![7, 4, 3, 5],
    ///     rating: vec![5.0; 4],
    ///     time: vec![30, 10, 20, 20],
    ///     time_kind: TimeKind::Timestamp,
    ///     parts: None,
    /// };
    /// let histories = Sequences::of_rows(&ratings, &[0, 1, 2, 3], 3);
    /// assert_eq!(histories.of(0), [3, 5, 7]);
    /// assert!(histories.of(2).is_empty());
    /// ```
    ///
    /// # Panics
    ///
    /// If a row or user number is beyond those there are.
    pub fn of_rows(ratings: &Ratings, rows: &[u32], n_users: usize) -> Self {
        let (offsets, mut items) = timelines(ratings, n_users, rows.iter().copied()).into_parts();
        items.iter_mut().for_each(|row| *row = ratings.item_id[*row as usize]);
        Self { of_user: Ragged::from_parts(offsets, items) }
    }

    /// The number of users.
    pub fn n_users(&self) -> usize {
        self.of_user.len()
    }

    /// The items of a user, oldest first.
    ///
    /// # Panics
    ///
    /// If `user` is not below [`n_users`](Self::n_users).
    pub fn of(&self, user: u32) -> &[u32] {
        self.of_user.of(user)
    }

    /// The number of items in all histories together.
    pub fn n_rows(&self) -> usize {
        self.of_user.codes().len()
    }
}

/// Writes the latest of `items` to the right end of a row, as rows of the table, and says how many.
fn pad_left(items: &[u32], row: &mut [u32], mask_pad: &mut [bool]) -> usize {
    let n = items.len().min(row.len());
    let start = row.len() - n;
    shift(&items[items.len() - n..], &mut row[start..]);
    mask_pad[start..].fill(false);
    n
}

/// Item indices as rows of a table whose row 0 is padding.
fn shift(items: &[u32], rows: &mut [u32]) {
    for (row, &item) in rows.iter_mut().zip(items) {
        *row = item + 1;
    }
}
