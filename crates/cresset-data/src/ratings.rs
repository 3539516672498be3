//! Ratings under dense indices.

use crate::interactions::TimeKind;
use crate::split::Part;
use crate::timelines::timelines;

/// Ratings in columns of equal length, one row each.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratings {
    /// User index of each row.
    pub user_id: Vec<u32>,
    /// Item index of each row.
    pub item_id: Vec<u32>,
    /// Rating of each row, on the source's scale.
    pub rating: Vec<f32>,
    /// Time of each row, in the unit that `time_kind` names; [`NO_TIME`](crate::NO_TIME) where unknown.
    pub time: Vec<i64>,
    /// What `time` counts.
    pub time_kind: TimeKind,
    /// The part that the source gives each row; `None` where it gives none.
    pub parts: Option<Vec<Part>>,
}

impl Ratings {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rating.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rating.is_empty()
    }

    /// One more than the highest user index, 0 without a row; the data may have more users than these.
    pub fn n_users(&self) -> usize {
        self.user_id.iter().max().map_or(0, |&user| user as usize + 1)
    }

    /// All rows by user, each user's oldest first; rows of equal time by item, then by row.
    pub fn in_time_order(&self) -> Vec<u32> {
        let (_, rows) = timelines(self, self.n_users(), 0..self.len() as u32).into_parts();
        rows
    }

    /// The number of rows of each of `n_items`.
    ///
    /// # Panics
    ///
    /// If an item index is not below `n_items`.
    pub fn item_counts(&self, n_items: usize) -> Vec<u32> {
        let mut counts = vec![0; n_items];
        for &item in &self.item_id {
            counts[item as usize] += 1;
        }
        counts
    }

    /// The given rows, in the given order.
    ///
    /// # Panics
    ///
    /// If a row number is not below [`len`](Self::len).
    pub fn select(&self, rows: &[u32]) -> Self {
        let ids = || rayon::join(|| pick(&self.user_id, rows), || pick(&self.item_id, rows));
        let values = || rayon::join(|| pick(&self.rating, rows), || pick(&self.time, rows));
        let ((user_id, item_id), (rating, time)) = rayon::join(ids, values);
        Self {
            user_id,
            item_id,
            rating,
            time,
            time_kind: self.time_kind,
            parts: self.parts.as_ref().map(|parts| pick(parts, rows)),
        }
    }
}

/// The lowest and the highest of some ratings that are finite; 1 and 1 when there is none.
pub(crate) fn range_of(ratings: &[f32]) -> (f32, f32) {
    let finite = || ratings.iter().copied().filter(|rating| rating.is_finite());
    let (low, high) = (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max));
    if low <= high { (low, high) } else { (1.0, 1.0) }
}

fn pick<T: Copy>(column: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|&row| column[row as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_selected_in_the_order_asked_for() {
        let ratings = Ratings {
            user_id: vec![0, 1, 2],
            item_id: vec![5, 6, 7],
            rating: vec![1.0, 2.0, 3.0],
            time: vec![10, 20, 30],
            time_kind: TimeKind::Timestamp,
            parts: Some(vec![Part::Train, Part::Valid, Part::Test]),
        };
        let selected = ratings.select(&[2, 0, 2]);
        assert_eq!(selected.user_id, [2, 0, 2]);
        assert_eq!(selected.item_id, [7, 5, 7]);
        assert_eq!(selected.rating, [3.0, 1.0, 3.0]);
        assert_eq!(selected.time, [30, 10, 30]);
        assert_eq!(selected.parts, Some(vec![Part::Test, Part::Train, Part::Test]));
    }
}
