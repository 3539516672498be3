//! Each user's rows in order of time.

use rayon::prelude::*;

use crate::groups::Groups;
use crate::ratings::Ratings;

/// The given rows of each of `n_users`, oldest first; rows of equal time by item index, then by row number.
///
/// Users are sorted side by side, each alone, so that the result does not depend on the number of threads. Beside
/// the groups it takes one user's keys for each thread.
pub(crate) fn timelines(
    ratings: &Ratings,
    n_users: usize,
    rows: impl Iterator<Item = u32> + Clone,
) -> Groups {
    let mut of_user = Groups::by(&ratings.user_id, n_users, rows);
    let groups: Vec<&mut [u32]> = of_user.each_mut().filter(|group| group.len() > 1).collect();
    groups.into_par_iter().for_each_init(Vec::new, |keys, group| sort_by_time(ratings, group, keys));
    of_user
}

/// Sorts through keys gathered once: comparing rows in place would go through three columns each time.
fn sort_by_time(ratings: &Ratings, group: &mut [u32], keys: &mut Vec<(i64, u32, u32)>) {
    keys.clear();
    keys.extend(group.iter().map(|&row| (ratings.time[row as usize], ratings.item_id[row as usize], row)));
    if keys.is_sorted() {
        return;
    }
    keys.sort_unstable();
    for (slot, key) in group.iter_mut().zip(keys) {
        *slot = key.2;
    }
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
