//! Ratings under their indices, as record batches.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::UInt8Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float32Array, Int64Array, RecordBatch, StringArray, UInt8Array, UInt32Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{Field, Metadata, Schema};

use super::column::Column;
use super::times::{time_kind, time_metadata};
use super::{BatchPlace, ColumnError, ITEM_ID, RATING, SPLIT, TIMESTAMP, USER_ID};
use crate::interactions::NO_TIME;
use crate::ratings::Ratings;
use crate::split::{Part, Split};

impl Ratings {
    /// The ratings as a record batch, their columns moved: `user_id` and `item_id` (`UInt32`), `rating` (`Float32`),
    /// `timestamp` (`Int64`, null where there is no time) and, where a split is given, `split` (a dictionary of
    /// `train`, `valid`, `test`).
    ///
    /// What the times count goes into the metadata of the schema.
    ///
    /// ```
    /// use cresset_data::arrow::BatchPlace;
    /// use cresset_data::{Ratings, TimeKind};
    ///
    /// let ratings = Ratings {
    ///     user_id: vec![0, 1],
    ///     item_id: vec![7, 4],
    ///     rating: vec![5.0, 4.0],
    ///     time: vec![10, 20],
    ///     time_kind: TimeKind::Timestamp,
    ///     parts: None,
    /// };
    /// let batch = ratings.clone().into_batch(None);
    /// assert_eq!(Ratings::from_batch(batch, &BatchPlace::default())?, ratings);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the columns are not equally long, or `split` names a row that is not there.
    pub fn into_batch(self, split: Option<&Split>) -> RecordBatch {
        let n_rows = self.len();
        let Self { user_id, item_id, rating, time, time_kind, parts: _ } = self;
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            (USER_ID, Arc::new(UInt32Array::from(user_id))),
            (ITEM_ID, Arc::new(UInt32Array::from(item_id))),
            (RATING, Arc::new(Float32Array::from(rating))),
            (TIMESTAMP, Arc::new(time_array(time))),
        ];
        if let Some(split) = split {
            columns.push((SPLIT, Arc::new(part_column(split, n_rows))));
        }
        batch_of(columns, time_metadata(time_kind))
    }

    /// The rows as record batches of `n_rows`, copied one batch at a time.
    pub(crate) fn batches(&self, n_rows: usize) -> impl Iterator<Item = RecordBatch> {
        let starts = (0..self.len()).step_by(n_rows.max(1));
        starts.map(move |start| self.copy_of(start..self.len().min(start + n_rows)).into_batch(None))
    }

    fn copy_of(&self, rows: Range<usize>) -> Self {
        Self {
            user_id: self.user_id[rows.clone()].to_vec(),
            item_id: self.item_id[rows.clone()].to_vec(),
            rating: self.rating[rows.clone()].to_vec(),
            time: self.time[rows].to_vec(),
            time_kind: self.time_kind,
            parts: None,
        }
    }

    /// The ratings of a record batch with the columns that [`into_batch`](Self::into_batch) gives, in any order; other
    /// columns are left.
    ///
    /// Columns of the very same types that nobody else holds are moved, others are converted.
    ///
    /// # Errors
    ///
    /// [`ColumnError`] with `place` when a column is missing, of another type or null where none may be.
    pub fn from_batch(batch: RecordBatch, place: &BatchPlace) -> Result<Self, ColumnError> {
        let take = |name| Column::of(&batch, name, place);
        let (users, items) = (take(USER_ID)?, take(ITEM_ID)?);
        let (ratings, times) = (take(RATING)?, take(TIMESTAMP)?);
        let metadata = batch.schema().metadata().clone();
        // From here on each column has one owner, and can be moved.
        drop(batch);
        let time = times.into_times()?;
        Ok(Self {
            user_id: users.into_u32s()?,
            item_id: items.into_u32s()?,
            rating: ratings.into_f32s()?,
            time_kind: time_kind(&metadata, &time),
            time,
            parts: None,
        })
    }
}

/// A record batch of named columns, those nullable that have a null.
pub(crate) fn batch_of(columns: Vec<(&str, ArrayRef)>, metadata: Metadata) -> RecordBatch {
    let field = |(name, array): &(&str, ArrayRef)| {
        let is_nullable = array.is_nullable() || *name == TIMESTAMP;
        Field::new(*name, array.data_type().clone(), is_nullable)
    };
    let schema = Schema::new_with_metadata(columns.iter().map(field).collect::<Vec<_>>(), metadata);
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(schema), arrays).expect("columns of a table are equally long")
}

/// Times as an array, null where there is none.
pub(crate) fn time_array(times: Vec<i64>) -> Int64Array {
    let nulls = times.contains(&NO_TIME).then(|| {
        let is_known = BooleanBuffer::collect_bool(times.len(), |row| times[row] != NO_TIME);
        NullBuffer::new(is_known)
    });
    Int64Array::new(times.into(), nulls)
}

/// The part of each of `n_rows` rows, as a dictionary of `train`, `valid` and `test`; null for a row in no part.
///
/// # Panics
///
/// If the split names a row that is not below `n_rows`.
pub fn part_column(split: &Split, n_rows: usize) -> DictionaryArray<UInt8Type> {
    let mut keys = vec![NO_PART; n_rows];
    for (part, rows) in [(Part::Train, &split.train), (Part::Valid, &split.valid), (Part::Test, &split.test)]
    {
        rows.iter().for_each(|&row| keys[row as usize] = part as u8);
    }
    part_dictionary(keys)
}

/// The key of a row that is in no part.
const NO_PART: u8 = 3;

/// Parts as numbers, with their names beside them.
pub(crate) fn part_dictionary(keys: Vec<u8>) -> DictionaryArray<UInt8Type> {
    let nulls = keys.contains(&NO_PART).then(|| {
        let is_known = BooleanBuffer::collect_bool(keys.len(), |row| keys[row] != NO_PART);
        NullBuffer::new(is_known)
    });
    let names = StringArray::from(vec!["train", "valid", "test"]);
    DictionaryArray::new(UInt8Array::new(keys.into(), nulls), Arc::new(names))
}

#[cfg(test)]
mod tests {
    use arrow_array::Int32Array;
    use arrow_array::cast::AsArray;
    use proptest::prelude::*;

    use super::*;
    use crate::interactions::TimeKind;

    fn ratings() -> Ratings {
        Ratings {
            user_id: vec![0, 1, 0],
            item_id: vec![7, 4, 3],
            rating: vec![5.0, 4.0, 2.5],
            time: vec![10, NO_TIME, 30],
            time_kind: TimeKind::Ordinal,
            parts: None,
        }
    }

    #[test]
    fn columns_are_moved_both_ways() {
        let before = ratings();
        let pointers =
            |it: &Ratings| (it.user_id.as_ptr(), it.item_id.as_ptr(), it.rating.as_ptr(), it.time.as_ptr());
        let expected = pointers(&before);
        let after = Ratings::from_batch(before.into_batch(None), &BatchPlace::default()).unwrap();
        assert_eq!(pointers(&after), expected);
        assert_eq!(after, ratings());
    }

    #[test]
    fn the_part_of_each_row_stands_beside_it() {
        let split = Split { train: vec![2], valid: vec![], test: vec![0], note: Default::default() };
        let batch = ratings().into_batch(Some(&split));
        let parts = batch.column_by_name(SPLIT).unwrap().as_dictionary::<UInt8Type>().clone();
        let parts: Vec<Option<&str>> = parts.downcast_dict::<StringArray>().unwrap().into_iter().collect();
        assert_eq!(parts, [Some("test"), None, Some("train")]);
    }

    #[test]
    fn other_types_that_hold_the_same_numbers_are_taken() {
        let batch = batch_of(
            vec![
                (TIMESTAMP, Arc::new(Int32Array::from(vec![Some(9), None])) as ArrayRef),
                (RATING, Arc::new(Int32Array::from(vec![4, 5]))),
                (ITEM_ID, Arc::new(Int32Array::from(vec![4, 5]))),
                (USER_ID, Arc::new(Int64Array::from(vec![0, 1]))),
            ],
            Metadata::default(),
        );
        let ratings = Ratings::from_batch(batch, &BatchPlace::default()).unwrap();
        assert_eq!((ratings.user_id, ratings.rating), (vec![0, 1], vec![4.0, 5.0]));
        assert_eq!((ratings.time, ratings.time_kind), (vec![9, NO_TIME], TimeKind::Timestamp));
    }

    #[test]
    fn an_index_that_is_negative_is_named() {
        let batch = batch_of(
            vec![(USER_ID, Arc::new(Int32Array::from(vec![0, -1])) as ArrayRef)],
            Metadata::default(),
        );
        let column = Column::of(&batch, USER_ID, &BatchPlace::default()).unwrap().into_u32s();
        assert_eq!(
            column.unwrap_err().to_string(),
            "record batch: column \"user_id\" is \"-1\" in row 1, not a whole number from 0 to 4294967295: correct or \
             delete the row"
        );
    }

    proptest! {
        #[test]
        fn any_ratings_are_the_same_again(
            rows in prop::collection::vec((any::<u32>(), any::<u32>(), any::<i16>(), any::<i64>()), 0..40),
        ) {
            let ratings = Ratings {
                user_id: rows.iter().map(|row| row.0).collect(),
                item_id: rows.iter().map(|row| row.1).collect(),
                rating: rows.iter().map(|row| f32::from(row.2)).collect(),
                time: rows.iter().map(|row| row.3).collect(),
                time_kind: TimeKind::Timestamp,
                parts: None,
            };
            let again = Ratings::from_batch(ratings.clone().into_batch(None), &BatchPlace::default()).unwrap();
            prop_assert_eq!(again, ratings);
        }
    }
}
