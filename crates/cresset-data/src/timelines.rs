//! Each user's rows in order of time.

use rayon::prelude::*;

use crate::groups::Groups;
use crate::ratings::Ratings;

/// The columns that rows are put in order by.
#[derive(Debug, Clone, Copy)]
pub struct TimedRows<'a> {
    /// User of each row.
    pub user_ids: &'a [u32],
    /// Item of each row.
    pub item_ids: &'a [u32],
    /// Time of each row; without them all rows are of equal time.
    pub times: Option<&'a [i64]>,
}

impl TimedRows<'_> {
    /// All rows of each of `n_users`, oldest first: where each user's begin, last the end, and the rows.
    ///
    /// Rows of equal time are by item, then by row number. Users are sorted side by side, each alone, so that the
    /// result does not depend on the number of threads.
    ///
    /// ```
    /// use cresset_data::TimedRows;
    ///
    /// let rows = TimedRows { user_ids: &[1, 0, 1], item_ids: &[4, 4, 3], times: Some(&[7, 7, 7]) };
    /// assert_eq!(rows.by_user(2), (vec![0, 1, 3], vec![1, 2, 0]));
    /// ```
    ///
    /// # Panics
    ///
    /// If the columns differ in length, or a user is not below `n_users`.
    pub fn by_user(self, n_users: usize) -> (Vec<usize>, Vec<u32>) {
        let n_rows = self.user_ids.len();
        assert_eq!(self.item_ids.len(), n_rows, "one item for each row");
        assert!(self.times.is_none_or(|times| times.len() == n_rows), "one time for each row");
        self.timelines(n_users, 0..n_rows as u32).into_parts()
    }

    fn timelines(self, n_users: usize, rows: impl Iterator<Item = u32> + Clone) -> Groups {
        let mut of_user = Groups::by(self.user_ids, n_users, rows);
        let groups: Vec<&mut [u32]> = of_user.each_mut().filter(|group| group.len() > 1).collect();
        groups.into_par_iter().for_each_init(Vec::new, |keys, group| self.sort_by_time(group, keys));
        of_user
    }

    /// Sorts through keys gathered once: comparing rows in place would go through three columns each time.
    fn sort_by_time(self, group: &mut [u32], keys: &mut Vec<(i64, u32, u32)>) {
        let time_of = |row: u32| self.times.map_or(0, |times| times[row as usize]);
        keys.clear();
        keys.extend(group.iter().map(|&row| (time_of(row), self.item_ids[row as usize], row)));
        if keys.is_sorted() {
            return;
        }
        keys.sort_unstable();
        for (slot, key) in group.iter_mut().zip(keys) {
            *slot = key.2;
        }
    }
}

/// The given rows of each of `n_users`, oldest first; rows of equal time by item index, then by row number.
///
/// Beside the groups it takes one user's keys for each thread.
pub(crate) fn timelines(
    ratings: &Ratings,
    n_users: usize,
    rows: impl Iterator<Item = u32> + Clone,
) -> Groups {
    let Ratings { user_id, item_id, time, .. } = ratings;
    TimedRows { user_ids: user_id, item_ids: item_id, times: Some(time) }.timelines(n_users, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interactions::TimeKind;

    #[test]
    fn rows_follow_by_time_then_item_then_row() {
        let ratings = Ratings {
            user_id: vec![1, 0, 1, 1, 1],
            item_id: vec![4, 0, 3, 9, 3],
            rating: vec![1.0; 5],
            time: vec![7, 0, 7, 2, 7],
            time_kind: TimeKind::Timestamp,
            parts: None,
        };
        let mut of_user = timelines(&ratings, 3, 0..5);
        let found: Vec<Vec<u32>> = of_user.each_mut().map(|group| group.to_vec()).collect();
        assert_eq!(found, [vec![1], vec![3, 2, 4, 0], vec![]]);
    }
}
