//! Ratings under dense indices.

use crate::interactions::TimeKind;

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

    /// The given rows, in the given order.
    ///
    /// # Panics
    ///
    /// If a row number is not below [`len`](Self::len).
    pub fn select(&self, rows: &[u32]) -> Self {
        Self {
            user_id: pick(&self.user_id, rows),
            item_id: pick(&self.item_id, rows),
            rating: pick(&self.rating, rows),
            time: pick(&self.time, rows),
            time_kind: self.time_kind,
        }
    }
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
        };
        let selected = ratings.select(&[2, 0, 2]);
        assert_eq!(selected.user_id, [2, 0, 2]);
        assert_eq!(selected.item_id, [7, 5, 7]);
        assert_eq!(selected.rating, [3.0, 1.0, 3.0]);
        assert_eq!(selected.time, [30, 10, 30]);
    }
}
