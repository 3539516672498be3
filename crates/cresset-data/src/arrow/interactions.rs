//! Interactions under their external ids, as record batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, RecordBatch};
use serde::{Deserialize, Serialize};

use super::column::Column;
use super::ids::IdImport;
use super::ratings::{batch_of, part_dictionary, time_array};
use super::times::{named_kind, time_metadata, to_seconds};
use super::{BatchPlace, ColumnError, ITEM_ID, RATING, SPLIT, TIMESTAMP, USER_ID};
use crate::columns::TimeUnit;
use crate::config::OnBadRow;
use crate::interactions::{Interactions, NO_TIME, TimeKind};

/// Which column of a table is what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InteractionColumns {
    /// Column of user ids: text or whole numbers. Default: `user_id`.
    pub user: String,
    /// Column of item ids: text or whole numbers. Default: `item_id`.
    pub item: String,
    /// Column of ratings: numbers. Without one each rating is 1. Default: `rating`.
    pub rating: Option<String>,
    /// Column of times: dates, or seconds, milli-, micro- or nanoseconds since 1970 UTC, told apart by their size.
    /// Default: `timestamp`.
    pub time: Option<String>,
    /// Column of the parts of a given split: `train`, `valid`, `test`, or 0, 1, 2. Default: null, no split is given.
    pub part: Option<String>,
    /// What becomes of a row without a user, an item or a rating. Default: `error`.
    #[serde(skip)]
    pub on_null: OnBadRow,
}

impl Default for InteractionColumns {
    fn default() -> Self {
        Self {
            user: USER_ID.to_owned(),
            item: ITEM_ID.to_owned(),
            rating: Some(RATING.to_owned()),
            time: Some(TIMESTAMP.to_owned()),
            part: None,
            on_null: OnBadRow::default(),
        }
    }
}

impl InteractionColumns {
    /// The names of the columns, for a reader that takes no others.
    pub fn names(&self) -> Vec<&str> {
        let optional = [self.rating.as_deref(), self.time.as_deref(), self.part.as_deref()];
        [self.user.as_str(), self.item.as_str()].into_iter().chain(optional.into_iter().flatten()).collect()
    }
}

impl Interactions {
    /// The rows as one record batch: `user_id` and `item_id` (dictionaries of text), `rating` (`Float32`), `timestamp`
    /// (`Int64`, null where there is no time) and, where the rows have parts, `split` (a dictionary of `train`, `valid`,
    /// `test`).
    ///
    /// Codes, ratings and times are moved; the distinct ids are copied.
    ///
    /// # Panics
    ///
    /// If the columns are not equally long.
    pub fn into_batch(self) -> RecordBatch {
        let metadata = time_metadata(self.time_kind);
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            (USER_ID, Arc::new(self.users.into_array())),
            (ITEM_ID, Arc::new(self.items.into_array())),
            (RATING, Arc::new(Float32Array::from(self.ratings))),
            (TIMESTAMP, Arc::new(time_array(self.times))),
        ];
        if let Some(parts) = self.parts {
            let keys = parts.into_iter().map(|part| part as u8).collect();
            columns.push((SPLIT, Arc::new(part_dictionary(keys))));
        }
        batch_of(columns, metadata)
    }

    /// The rows of record batches, one batch after another.
    ///
    /// Ids may be `Utf8`, `LargeUtf8`, `Utf8View`, whole numbers of any width, or dictionaries of these. A null
    /// rating is NaN, a null id empty: under [`OnBadRow::Skip`] the cleaning counts both as missing.
    ///
    /// # Errors
    ///
    /// [`ColumnError`] when a column is missing or of a type that cannot be meant, a value is none of its kind, or,
    /// under [`OnBadRow::Error`], an id or a rating is null.
    pub fn from_batches(
        batches: impl IntoIterator<Item = (BatchPlace, RecordBatch)>,
        columns: &InteractionColumns,
    ) -> Result<Self, ColumnError> {
        let mut import = InteractionImport::new(columns);
        for (place, batch) in batches {
            import.append(&batch, &place)?;
        }
        Ok(import.finish())
    }
}

/// Collects interactions from record batches that come one by one.
pub(crate) struct InteractionImport<'c> {
    columns: &'c InteractionColumns,
    users: IdImport,
    items: IdImport,
    rows: Interactions,
    named_kind: Option<TimeKind>,
}

impl<'c> InteractionImport<'c> {
    pub(crate) fn new(columns: &'c InteractionColumns) -> Self {
        let import = || IdImport::new(columns.on_null);
        let (users, items) = (import(), import());
        Self { columns, users, items, rows: Interactions::default(), named_kind: None }
    }

    /// Appends the rows of a batch.
    pub(crate) fn append(&mut self, batch: &RecordBatch, place: &BatchPlace) -> Result<(), ColumnError> {
        let InteractionColumns { user, item, rating, time, part, .. } = self.columns;
        self.users.append(&mut self.rows.users, &Column::of(batch, user, place)?)?;
        self.items.append(&mut self.rows.items, &Column::of(batch, item, place)?)?;
        match rating {
            Some(name) => self.append_ratings(Column::of(batch, name, place)?)?,
            None => self.rows.ratings.extend(std::iter::repeat_n(1.0, batch.num_rows())),
        }
        match time {
            Some(name) => append_or_move(&mut self.rows.times, Column::of(batch, name, place)?.into_times()?),
            None => self.rows.times.extend(std::iter::repeat_n(NO_TIME, batch.num_rows())),
        }
        if let Some(name) = part {
            let parts = Column::of(batch, name, place)?.parts()?;
            append_or_move(self.rows.parts.get_or_insert_default(), parts);
        }
        self.named_kind = named_kind(batch.schema_ref().metadata());
        Ok(())
    }

    fn append_ratings(&mut self, column: Column<'_>) -> Result<(), ColumnError> {
        if self.columns.on_null == OnBadRow::Error {
            column.refuse_nulls()?;
        }
        append_or_move(&mut self.rows.ratings, column.into_f32s()?);
        Ok(())
    }

    /// The rows, their times in seconds.
    pub(crate) fn finish(self) -> Interactions {
        self.finish_as(None)
    }

    /// As [`finish`](Self::finish), where it is said what whole numbers in the column of times count.
    pub(crate) fn finish_as(self, unit: Option<TimeUnit>) -> Interactions {
        let mut rows = self.rows;
        match unit {
            None if self.named_kind.is_none() => to_seconds(&mut rows.times),
            Some(unit) => {
                let known = rows.times.iter_mut().filter(|time| **time != NO_TIME);
                known.for_each(|time| *time = unit.seconds(*time));
            }
            None => {}
        }
        rows.time_kind = super::times::time_kind_or(self.named_kind, &rows.times);
        rows
    }
}

/// Appends `more`, without a copy where there was nothing before.
fn append_or_move<T: Copy>(all: &mut Vec<T>, more: Vec<T>) {
    if all.is_empty() {
        *all = more;
    } else {
        all.extend_from_slice(&more);
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::types::{Int8Type, UInt16Type};
    use arrow_array::{
        Array, DictionaryArray, Float64Array, Int64Array, LargeStringArray, StringArray, StringViewArray,
        TimestampMillisecondArray, UInt64Array,
    };
    use arrow_schema::Metadata;
    use proptest::prelude::*;

    use super::*;
    use crate::split::Part;

    fn three_rows() -> Interactions {
        let mut rows = Interactions { time_kind: TimeKind::Timestamp, ..Interactions::default() };
        rows.push("196", "242", 3.0, 881_250_949);
        rows.push("22", "242", 1.0, NO_TIME);
        rows.push("196", "50", 5.0, 878_887_116);
        rows
    }

    fn read(columns: Vec<(&str, ArrayRef)>, names: &InteractionColumns) -> Result<Interactions, ColumnError> {
        let batch = batch_of(columns, Metadata::default());
        Interactions::from_batches([(BatchPlace::default(), batch)], names)
    }

    /// Reads ids of that type as both users and items of three rows.
    fn ids(array: ArrayRef) -> Vec<String> {
        let names = InteractionColumns { rating: None, time: None, ..InteractionColumns::default() };
        let rows = read(vec![(USER_ID, array.clone()), (ITEM_ID, array)], &names).unwrap();
        assert_eq!(rows.users, rows.items);
        assert_eq!((&rows.ratings[..], rows.time_kind), (&[1.0; 3][..], TimeKind::Absent));
        (0..rows.len()).map(|row| rows.users.name_at(row).to_owned()).collect()
    }

    #[test]
    fn ids_of_every_type_are_the_same_text() {
        let expected = ["7", "-3", "7"];
        assert_eq!(ids(Arc::new(StringArray::from(expected.to_vec()))), expected);
        assert_eq!(ids(Arc::new(LargeStringArray::from(expected.to_vec()))), expected);
        assert_eq!(ids(Arc::new(StringViewArray::from(expected.to_vec()))), expected);
        assert_eq!(ids(Arc::new(Int64Array::from(vec![7, -3, 7]))), expected);
        assert_eq!(ids(Arc::new(expected.into_iter().collect::<DictionaryArray<Int8Type>>())), expected);
        let numbers = DictionaryArray::<UInt16Type>::new(
            vec![1u16, 0, 1].into(),
            Arc::new(Int64Array::from(vec![-3, 7])) as ArrayRef,
        );
        assert_eq!(ids(Arc::new(numbers)), expected);
        let large = u64::MAX;
        assert_eq!(
            ids(Arc::new(UInt64Array::from(vec![large, 0, 1]))),
            [large.to_string().as_str(), "0", "1"]
        );
    }

    #[test]
    fn codes_are_in_order_of_first_sight_whatever_the_order_of_the_dictionary() {
        let keys = vec![2u16, 0, 2].into();
        let values: ArrayRef = Arc::new(StringArray::from(vec!["b", "never", "a"]));
        let users: ArrayRef = Arc::new(DictionaryArray::<UInt16Type>::new(keys, values));
        let names = InteractionColumns { rating: None, time: None, ..InteractionColumns::default() };
        let rows = read(vec![(USER_ID, users.clone()), (ITEM_ID, users)], &names).unwrap();
        assert_eq!(rows.users.names().iter().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(rows.users.codes(), [0, 1, 0]);
    }

    #[test]
    fn columns_are_moved_and_not_copied() {
        let rows = three_rows();
        let (ratings, times) = (rows.ratings.as_ptr(), rows.times.as_ptr());
        let codes = rows.users.codes().as_ptr();
        let batch = rows.into_batch();
        let keys = batch.column(0).to_data().buffers()[0].as_ptr();
        assert_eq!((keys.cast(), batch.column(2).to_data().buffers()[0].as_ptr().cast()), (codes, ratings));
        assert_eq!(batch.column(3).to_data().buffers()[0].as_ptr().cast(), times);
    }

    #[test]
    fn columns_have_the_names_that_the_config_gives_and_times_their_unit() {
        let names = InteractionColumns {
            user: "reviewer".to_owned(),
            item: "asin".to_owned(),
            rating: Some("stars".to_owned()),
            time: Some("when".to_owned()),
            ..InteractionColumns::default()
        };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("when", Arc::new(TimestampMillisecondArray::from(vec![Some(1_500), None]).with_timezone("UTC"))),
            ("stars", Arc::new(Float64Array::from(vec![3.5, 4.0]))),
            ("asin", Arc::new(StringArray::from(vec!["B0", "B1"]))),
            ("reviewer", Arc::new(Int64Array::from(vec![1, 2]))),
        ];
        let rows = read(columns, &names).unwrap();
        assert_eq!(
            (rows.times, rows.ratings, rows.time_kind),
            (vec![1, NO_TIME], vec![3.5, 4.0], TimeKind::Timestamp)
        );
    }

    #[test]
    fn dates_as_text_and_whole_seconds_as_decimals_are_times() {
        let names = InteractionColumns { rating: None, ..InteractionColumns::default() };
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let times = |times: ArrayRef| {
            read(vec![(USER_ID, ids.clone()), (ITEM_ID, ids.clone()), (TIMESTAMP, times)], &names)
                .unwrap()
                .times
        };
        let dates = StringArray::from(vec![None, Some("2005-04-02 23:53:47")]);
        assert_eq!(times(Arc::new(dates)), [NO_TIME, 1_112_486_027]);
        assert_eq!(
            times(Arc::new(Float64Array::from(vec![Some(881_250_949.0), None]))),
            [881_250_949, NO_TIME]
        );
        assert_eq!(times(Arc::new(StringArray::from(vec!["881250949", "5"]))), [881_250_949, 5]);
    }

    fn check(columns: Vec<(&str, ArrayRef)>, expected: &str) {
        let error = read(columns, &InteractionColumns::default()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_is_wrong_with_a_column_is_said_with_its_row_and_the_remedy() {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let with =
            |ratings: ArrayRef| vec![(USER_ID, ids.clone()), (ITEM_ID, ids.clone()), (RATING, ratings)];
        check(
            vec![(USER_ID, ids.clone())],
            "record batch: no column \"item_id\" among \"user_id\": rename a column, or name the right one in the config",
        );
        check(
            with(Arc::new(Float64Array::from(vec![Some(1.0), None]))),
            "record batch: column \"rating\" is null in row 1: fill in the value, or set data.on_bad_row: skip to leave \
             such rows out and count them",
        );
        check(
            with(Arc::new(StringArray::from(vec!["4", "good"]))),
            "record batch: column \"rating\" is \"good\" in row 1, not a number: correct or delete the row",
        );
        let decimals: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
        check(
            vec![(USER_ID, decimals)],
            "record batch: column \"user_id\" is of the type Float64, expected text or whole numbers, plain or in a \
             dictionary: convert the column, or name another in the config",
        );
    }

    #[test]
    fn under_skip_what_is_null_is_left_for_the_cleaning_to_count() {
        let names =
            InteractionColumns { time: None, on_null: OnBadRow::Skip, ..InteractionColumns::default() };
        let users: ArrayRef = Arc::new(StringArray::from(vec![None, Some("a")]));
        let items: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        let ratings: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None]));
        let rows = read(vec![(USER_ID, users), (ITEM_ID, items), (RATING, ratings)], &names).unwrap();
        assert_eq!((rows.users.name_at(0), rows.items.name_at(1)), ("", ""));
        assert!(rows.ratings[1].is_nan());
    }

    proptest! {
        #[test]
        fn any_interactions_are_the_same_again_in_one_batch_or_several(
            rows in prop::collection::vec((0u8..9, "\\PC{0,3}", any::<i16>(), prop::option::of(any::<i32>())), 0..40),
            has_parts: bool,
            cut in any::<prop::sample::Index>(),
        ) {
            let mut all = Interactions { time_kind: TimeKind::Ordinal, ..Interactions::default() };
            for (user, item, rating, time) in rows {
                let part = has_parts.then_some([Part::Train, Part::Valid, Part::Test][usize::from(user % 3)]);
                let time = time.map_or(NO_TIME, i64::from);
                all.push_in_part(&user.to_string(), &item, f32::from(rating) / 2.0, time, part);
            }
            let batch = all.clone().into_batch();
            let cut = cut.index(all.len() + 1);
            let parts = [batch.slice(0, cut), batch.slice(cut, all.len() - cut)];
            let parts = parts.map(|batch| (BatchPlace::default(), batch));
            let part = all.parts.is_some().then(|| SPLIT.to_owned());
            let columns = InteractionColumns { part, ..InteractionColumns::default() };
            let again = Interactions::from_batches(parts, &columns).unwrap();
            prop_assert_eq!(again, all);
        }
    }
}
