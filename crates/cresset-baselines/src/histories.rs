//! What each user has, in order of time.

use cresset_data::TimedRows;
use rayon::prelude::*;

use crate::{BaselineError, TrainingSet};

/// The distinct items of each user, oldest first, in one array (compressed sparse rows).
///
/// Items of equal time are by item id, and so are all where there are no times. An item that a user has more than
/// once is there once, at its latest place, with its ratings added up.
///
/// ```
/// use cresset_baselines::{Histories, TrainingSet};
///
/// let training = TrainingSet {
///     user_ids: &[0, 0, 0, 0],
///     item_ids: &[7, 4, 5, 7],
///     ratings: &[1.0; 4],
///     times: Some(&[10, 20, 20, 30]),
///     n_users: 2,
///     n_items: 8,
/// };
/// let histories = Histories::of(&training)?;
/// assert_eq!(histories.items(0), [4, 5, 7]);
/// assert_eq!(histories.ratings(0), [1.0, 1.0, 2.0]);
/// assert!(histories.items(1).is_empty());
/// # Ok::<(), cresset_baselines::BaselineError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Histories {
    pub(crate) offsets: Vec<usize>,
    pub(crate) items: Vec<u32>,
    pub(crate) ratings: Vec<f32>,
}

impl Histories {
    /// The histories of a training set.
    ///
    /// # Errors
    ///
    /// If the training set fails its [`check`](TrainingSet::check).
    pub fn of(training: &TrainingSet<'_>) -> Result<Self, BaselineError> {
        training.check()?;
        let (offsets, rows) = training.timed_rows().by_user(training.n_users);
        Ok(Self::distinct(training, &offsets, &rows))
    }

    /// The same, each user's items by id, whatever their times.
    pub(crate) fn by_item(training: &TrainingSet<'_>) -> Result<Self, BaselineError> {
        Self::of(&TrainingSet { times: None, ..*training })
    }

    fn distinct(training: &TrainingSet<'_>, offsets: &[usize], rows: &[u32]) -> Self {
        let mut found = Self { offsets: vec![0], items: Vec::new(), ratings: Vec::new() };
        let (mut place_of, mut order) = (vec![NOWHERE; training.n_items], Vec::new());
        for bounds in offsets.windows(2) {
            let rows = &rows[bounds[0]..bounds[1]];
            let start = found.items.len();
            order.clear();
            for &row in rows.iter().rev() {
                let (item, rating) = (training.item_ids[row as usize], training.ratings[row as usize]);
                let place = &mut place_of[item as usize];
                if *place == NOWHERE {
                    *place = order.len() as u32;
                    order.push((item, rating));
                } else {
                    order[*place as usize].1 += rating;
                }
            }
            found.items.extend(order.iter().rev().map(|entry| entry.0));
            found.ratings.extend(order.iter().rev().map(|entry| entry.1));
            found.items[start..].iter().for_each(|&item| place_of[item as usize] = NOWHERE);
            found.offsets.push(found.items.len());
        }
        found
    }

    /// The number of users.
    pub fn n_users(&self) -> usize {
        self.offsets.len() - 1
    }

    /// A user's items, oldest first; none for a user there is not.
    pub fn items(&self, user: u32) -> &[u32] {
        &self.items[self.range(user)]
    }

    /// The ratings that go with [`items`](Self::items).
    pub fn ratings(&self, user: u32) -> &[f32] {
        &self.ratings[self.range(user)]
    }

    fn range(&self, user: u32) -> std::ops::Range<usize> {
        match self.offsets.get(user as usize + 1) {
            Some(&end) => self.offsets[user as usize]..end,
            None => 0..0,
        }
    }

    /// Where each of `n_items` stands: for every item its places among all rows, users in order.
    pub(crate) fn places(&self, n_items: usize) -> Places {
        let item_ids = &self.items;
        let same_user = TimedRows { user_ids: item_ids, item_ids, times: None };
        let (offsets, rows) = same_user.by_user(n_items);
        let mut user_of = vec![0; self.items.len()];
        for (user, bounds) in (0..).zip(self.offsets.windows(2)) {
            user_of[bounds[0]..bounds[1]].fill(user);
        }
        Places { offsets, rows, user_of }
    }

    /// Scores users side by side by what `score` makes of items and ratings; it is to overwrite its row.
    pub(crate) fn score_each(
        &self,
        users: &[u32],
        n_items: usize,
        scores: &mut [f32],
        score: impl Fn(&[u32], &[f32], &mut [f32]) + Sync,
    ) {
        assert_eq!(scores.len(), users.len() * n_items, "one score for each user and item");
        scores.par_chunks_exact_mut(n_items.max(1)).zip(users).for_each(|(scores, &user)| {
            score(self.items(user), self.ratings(user), scores);
        });
    }
}

/// Mark of an item that the user at hand has not.
const NOWHERE: u32 = u32::MAX;

/// For each item, the rows of the histories in which it stands.
#[derive(Debug)]
pub(crate) struct Places {
    offsets: Vec<usize>,
    rows: Vec<u32>,
    user_of: Vec<u32>,
}

impl Places {
    /// An item's rows and their users, ascending.
    pub(crate) fn of(&self, item: usize) -> impl Iterator<Item = (usize, u32)> {
        let rows = &self.rows[self.offsets[item]..self.offsets[item + 1]];
        rows.iter().map(|&row| (row as usize, self.user_of[row as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAINING: TrainingSet<'static> = TrainingSet {
        user_ids: &[1, 0, 1, 1, 1],
        item_ids: &[2, 0, 1, 0, 2],
        ratings: &[1.0, 5.0, 2.0, 3.0, 4.0],
        times: Some(&[9, 1, 9, 3, 2]),
        n_users: 3,
        n_items: 4,
    };

    #[test]
    fn items_are_by_time_then_id_and_a_second_row_of_an_item_moves_it_to_its_latest_place() {
        // User 1: item 2 at 2, item 0 at 3, items 1 and 2 at 9. Item 2's ratings are 1 and 4.
        let histories = Histories::of(&TRAINING).unwrap();
        assert_eq!(histories.items(1), [0, 1, 2]);
        assert_eq!(histories.ratings(1), [3.0, 2.0, 5.0]);
        assert_eq!(histories.items(0), [0]);
        assert!(histories.items(2).is_empty() && histories.items(99).is_empty());
    }

    #[test]
    fn without_times_items_are_by_id() {
        let histories = Histories::by_item(&TRAINING).unwrap();
        assert_eq!(histories.items(1), [0, 1, 2]);
        let times = Some(&[5, 5, 4, 3, 5][..]);
        assert_eq!(Histories::of(&TrainingSet { times, ..TRAINING }).unwrap().items(1), [0, 1, 2]);
    }

    #[test]
    fn the_places_of_an_item_name_its_users_in_order() {
        let places = Histories::of(&TRAINING).unwrap().places(4);
        assert_eq!(places.of(0).collect::<Vec<_>>(), [(0, 0), (1, 1)]);
        assert_eq!(places.of(2).collect::<Vec<_>>(), [(3, 1)]);
        assert_eq!(places.of(3).count(), 0);
    }
}
