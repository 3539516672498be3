//! The items of each user.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::groups::Groups;
use crate::ragged::Ragged;
use crate::ratings::Ratings;

/// The distinct items of each user, ascending, in one array.
///
/// ```
/// use cresset_data::{Ratings, TimeKind, UserItems};
///
/// let ratings = Ratings {
///     user_id: vec![0, 2, 0],
///     item_id: vec![7, 4, 3],
///     rating: vec![5.0, 4.0, 2.0],
///     time: vec![1, 2, 3],
///     time_kind: TimeKind::Timestamp,
///     parts: None,
/// };
/// let seen = UserItems::from_ratings(&ratings, 3);
/// assert_eq!(seen.of(0), [3, 7]);
/// assert!(seen.of(1).is_empty());
/// let liked = UserItems::from_ratings_at_least(&ratings, 3, 4.0);
/// assert_eq!(liked.of(0), [7]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Columns")]
pub struct UserItems {
    of_user: Ragged,
}

impl UserItems {
    /// The items that each of `n_users` rated.
    ///
    /// # Panics
    ///
    /// If a user index is not below `n_users`.
    pub fn from_ratings(ratings: &Ratings, n_users: usize) -> Self {
        Self::from_ratings_at_least(ratings, n_users, f32::NEG_INFINITY)
    }

    /// The items that each of `n_users` rated `min_rating` or higher.
    ///
    /// # Panics
    ///
    /// If a user index is not below `n_users`.
    pub fn from_ratings_at_least(ratings: &Ratings, n_users: usize, min_rating: f32) -> Self {
        let rows = (0..ratings.len() as u32).filter(|&row| ratings.rating[row as usize] >= min_rating);
        let mut of_user = Groups::by(&ratings.user_id, n_users, rows);
        let mut offsets = vec![0];
        let mut items = Vec::new();
        for group in of_user.each_mut() {
            let start = items.len();
            items.extend(group.iter().map(|&row| ratings.item_id[row as usize]));
            items[start..].sort_unstable();
            dedup_from(&mut items, start);
            offsets.push(items.len());
        }
        Self { of_user: Ragged::from_parts(offsets, items) }
    }

    /// The number of users.
    pub fn n_users(&self) -> usize {
        self.of_user.len()
    }

    /// The items of one user, ascending.
    ///
    /// # Panics
    ///
    /// If `user` is not below [`n_users`](Self::n_users).
    pub fn of(&self, user: u32) -> &[u32] {
        self.of_user.of(user)
    }

    /// Whether a user has an item.
    ///
    /// # Panics
    ///
    /// If `user` is not below [`n_users`](Self::n_users).
    pub fn contains(&self, user: u32, item: u32) -> bool {
        self.of(user).binary_search(&item).is_ok()
    }

    /// Where each user's items begin in [`items`](Self::items), and last the end: `[users + 1]`.
    pub fn offsets(&self) -> &[usize] {
        self.of_user.offsets()
    }

    /// The items of all users, one user after another.
    pub fn items(&self) -> &[u32] {
        self.of_user.codes()
    }
}

/// Removes repeats among the sorted values from `start` on.
fn dedup_from(values: &mut Vec<u32>, start: usize) {
    let mut end = start;
    for at in start..values.len() {
        if end == start || values[at] != values[end - 1] {
            values[end] = values[at];
            end += 1;
        }
    }
    values.truncate(end);
}

impl Serialize for UserItems {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut columns = serializer.serialize_struct("UserItems", 2)?;
        columns.serialize_field("offsets", self.offsets())?;
        columns.serialize_field("items", self.items())?;
        columns.end()
    }
}

/// The columns as a file has them, not yet checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    offsets: Vec<usize>,
    items: Vec<u32>,
}

impl TryFrom<Columns> for UserItems {
    type Error = &'static str;

    fn try_from(Columns { offsets, items }: Columns) -> Result<Self, Self::Error> {
        let spans = offsets.first() == Some(&0) && offsets.last() == Some(&items.len());
        if !spans || !offsets.is_sorted() {
            return Err("offsets must rise from 0 to the number of items");
        }
        let ascends = |user: &[usize]| items[user[0]..user[1]].is_sorted_by(|a, b| a < b);
        if !offsets.windows(2).all(ascends) {
            return Err("the items of a user must ascend");
        }
        Ok(Self { of_user: Ragged::from_parts(offsets, items) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::interactions::TimeKind;

    fn ratings(rows: &[(u32, u32, f32)]) -> Ratings {
        Ratings {
            user_id: rows.iter().map(|row| row.0).collect(),
            item_id: rows.iter().map(|row| row.1).collect(),
            rating: rows.iter().map(|row| row.2).collect(),
            time: vec![0; rows.len()],
            time_kind: TimeKind::Timestamp,
            parts: None,
        }
    }

    #[test]
    fn damaged_columns_are_refused() {
        for (json, expected) in [
            (r#"{"offsets": [], "items": []}"#, "offsets must rise"),
            (r#"{"offsets": [0, 1], "items": []}"#, "offsets must rise"),
            (r#"{"offsets": [0, 2, 1, 2], "items": [1, 2]}"#, "offsets must rise"),
            (r#"{"offsets": [0, 2], "items": [2, 1]}"#, "must ascend"),
            (r#"{"offsets": [0, 2], "items": [2, 2]}"#, "must ascend"),
        ] {
            let message = serde_json::from_str::<UserItems>(json).unwrap_err().to_string();
            assert!(message.contains(expected), "{json}: {message}");
        }
    }

    proptest! {
        #[test]
        fn each_user_has_exactly_the_items_rated_high_enough(
            rows in prop::collection::vec((0u32..5, 0u32..9, 1u8..6), 0..60),
        ) {
            let rows: Vec<_> = rows.into_iter().map(|(user, item, rating)| (user, item, f32::from(rating))).collect();
            let liked = UserItems::from_ratings_at_least(&ratings(&rows), 5, 4.0);
            for user in 0..5 {
                let of_user = rows.iter().filter(|row| row.0 == user && row.2 >= 4.0);
                let expected: BTreeSet<u32> = of_user.map(|row| row.1).collect();
                prop_assert_eq!(liked.of(user), expected.iter().copied().collect::<Vec<_>>());
                prop_assert!((0..9).all(|item| liked.contains(user, item) == expected.contains(&item)));
            }
            let saved = serde_json::to_string(&liked).unwrap();
            prop_assert_eq!(serde_json::from_str::<UserItems>(&saved).unwrap(), liked);
        }
    }
}
