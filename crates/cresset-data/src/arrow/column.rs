//! One column of a record batch, with its name and place for the errors that speak of it.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Float32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt32Type,
};
use arrow_array::{Array, ArrayRef, LargeStringArray, PrimitiveArray, RecordBatch};
use arrow_cast::display::array_value_to_string;
use arrow_cast::{CastOptions, can_cast_types, cast_with_options};
use arrow_schema::{DataType, TimeUnit};

use super::error::{BatchPlace, ColumnError};
use super::ids::IdImport;
use super::lists::Lists;
use crate::config::OnBadRow;
use crate::interactions::{IdColumn, NO_TIME};

const DAY: i64 = 86_400;

/// A column and what errors say of it.
pub(crate) struct Column<'a> {
    pub(crate) array: ArrayRef,
    pub(crate) name: &'a str,
    pub(crate) place: &'a BatchPlace,
}

impl<'a> Column<'a> {
    /// The column of that name.
    pub(crate) fn of(batch: &RecordBatch, name: &'a str, place: &'a BatchPlace) -> Result<Self, ColumnError> {
        match batch.column_by_name(name) {
            Some(array) => Ok(Self { array: array.clone(), name, place }),
            None => {
                Err(place
                    .missing(name, batch.schema_ref().fields().iter().map(|field| field.name().as_str())))
            }
        }
    }

    /// Every value as a `u32`, none of them null.
    pub(crate) fn into_u32s(self) -> Result<Vec<u32>, ColumnError> {
        self.refuse_nulls()?;
        let values = self.cast_to::<UInt32Type>(&DataType::UInt32, "a whole number from 0 to 4294967295")?;
        drop(self);
        Ok(into_vec(values))
    }

    /// Every value as an `i64`.
    pub(crate) fn i64s(&self, expected: &'static str) -> Result<PrimitiveArray<Int64Type>, ColumnError> {
        self.cast_to(&DataType::Int64, expected)
    }

    /// Appends every value as an id, null as an empty one.
    pub(crate) fn append_ids(&self, ids: &mut IdColumn) -> Result<(), ColumnError> {
        IdImport::new(OnBadRow::Skip).append(ids, self)
    }

    /// Every value as text, null where it is null.
    pub(crate) fn texts(&self) -> Result<LargeStringArray, ColumnError> {
        Ok(self.checked_cast(&DataType::LargeUtf8, "text")?.as_string::<i64>().clone())
    }

    /// Every value as an `f32`, null where it is null.
    pub(crate) fn f32s(&self) -> Result<PrimitiveArray<Float32Type>, ColumnError> {
        self.cast_to(&DataType::Float32, "a number")
    }

    /// The lists of the rows.
    pub(crate) fn lists(&self) -> Result<Lists, ColumnError> {
        Lists::of(&self.array).ok_or_else(|| self.wrong_type("a list"))
    }

    /// Every value as an `f32`, null as NaN.
    pub(crate) fn into_f32s(self) -> Result<Vec<f32>, ColumnError> {
        let values = self.f32s()?;
        drop(self);
        Ok(fill_nulls(values, f32::NAN))
    }

    /// Every value as a time: seconds where the type says what it counts, else the number as it is; null as
    /// [`NO_TIME`].
    pub(crate) fn into_times(self) -> Result<Vec<i64>, ColumnError> {
        let expected = "a whole number or a date";
        let column = self.without_dictionary(expected)?;
        let kind = column.array.data_type().clone();
        let times = match kind {
            DataType::Timestamp(unit, _) => column.timestamps(unit),
            DataType::Date32 => column.array.as_primitive::<Date32Type>().unary(|day| i64::from(day) * DAY),
            DataType::Date64 => seconds::<Date64Type>(&column.array, 1_000),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if column.is_dates() => {
                let to = DataType::Timestamp(TimeUnit::Second, None);
                let dates: PrimitiveArray<TimestampSecondType> = column.cast_to(&to, expected)?;
                dates.reinterpret_cast()
            }
            _ => column.cast_to::<Int64Type>(&DataType::Int64, expected)?,
        };
        drop(column);
        Ok(fill_nulls(times, NO_TIME))
    }

    fn timestamps(&self, unit: TimeUnit) -> PrimitiveArray<Int64Type> {
        match unit {
            TimeUnit::Second => self.array.as_primitive::<TimestampSecondType>().clone().reinterpret_cast(),
            TimeUnit::Millisecond => seconds::<TimestampMillisecondType>(&self.array, 1_000),
            TimeUnit::Microsecond => seconds::<TimestampMicrosecondType>(&self.array, 1_000_000),
            TimeUnit::Nanosecond => seconds::<TimestampNanosecondType>(&self.array, 1_000_000_000),
        }
    }

    /// Whether the first text that is there is no number.
    fn is_dates(&self) -> bool {
        let first = (0..self.array.len()).find(|&row| self.array.is_valid(row));
        first.is_some_and(|row| self.value_at(row).trim().parse::<f64>().is_err())
    }

    /// The first row that is null, as an error.
    pub(crate) fn refuse_nulls(&self) -> Result<(), ColumnError> {
        let Some(nulls) = self.array.logical_nulls() else { return Ok(()) };
        match nulls.iter().position(|is_valid| !is_valid) {
            None => Ok(()),
            Some(row) => Err(self.null(row)),
        }
    }

    /// The same column with the values of its dictionary in place of their keys.
    pub(crate) fn without_dictionary(self, expected: &'static str) -> Result<Self, ColumnError> {
        let DataType::Dictionary(_, values) = self.array.data_type() else { return Ok(self) };
        let array = self.checked_cast(&values.as_ref().clone(), expected)?;
        Ok(Self { array, ..self })
    }

    fn cast_to<T: ArrowPrimitiveType>(
        &self,
        to: &DataType,
        expected: &'static str,
    ) -> Result<PrimitiveArray<T>, ColumnError> {
        Ok(self.checked_cast(to, expected)?.as_primitive::<T>().clone())
    }

    /// The column as another type; a value that does not survive is an error that names it.
    pub(crate) fn checked_cast(
        &self,
        to: &DataType,
        expected: &'static str,
    ) -> Result<ArrayRef, ColumnError> {
        let from = self.array.data_type();
        if from == to {
            return Ok(self.array.clone());
        }
        if !can_cast_types(from, to) {
            return Err(self.wrong_type(expected));
        }
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let cast = cast_with_options(&self.array, to, &options).map_err(|_| self.wrong_type(expected))?;
        if cast.null_count() > self.array.logical_null_count() {
            let lost = (0..cast.len()).find(|&row| cast.is_null(row) && !self.is_null(row));
            return Err(self.bad_value(lost.unwrap_or_default(), expected));
        }
        Ok(cast)
    }

    fn is_null(&self, row: usize) -> bool {
        self.array.logical_nulls().is_some_and(|nulls| nulls.is_null(row))
    }

    /// The value of one row, as a person would write it.
    pub(crate) fn value_at(&self, row: usize) -> String {
        array_value_to_string(&self.array, row).unwrap_or_default()
    }

    pub(crate) fn wrong_type(&self, expected: &'static str) -> ColumnError {
        let found = self.array.data_type().to_string();
        ColumnError::WrongType { place: self.place.clone(), column: self.name.to_owned(), found, expected }
    }

    fn null(&self, row: usize) -> ColumnError {
        let (place, column) = (self.place.clone(), self.name.to_owned());
        ColumnError::Null { row: place.first_row + row, place, column }
    }

    pub(crate) fn bad_value(&self, row: usize, expected: &'static str) -> ColumnError {
        let (place, column, value) = (self.place.clone(), self.name.to_owned(), self.value_at(row));
        let row = place.first_row + row;
        ColumnError::BadValue { place, column, row, value, expected }
    }
}

fn seconds<T: ArrowPrimitiveType<Native = i64>>(
    array: &ArrayRef,
    per_second: i64,
) -> PrimitiveArray<Int64Type> {
    array.as_primitive::<T>().unary(|time| time.div_euclid(per_second))
}

/// The values without a copy where nobody else holds them.
pub(crate) fn into_vec<T: ArrowPrimitiveType>(array: PrimitiveArray<T>) -> Vec<T::Native> {
    let (_, values, _) = array.into_parts();
    let values = values.into_inner();
    values.into_vec().unwrap_or_else(|shared| shared.typed_data::<T::Native>().to_vec())
}

/// The values, `missing` where there is none.
fn fill_nulls<T: ArrowPrimitiveType>(array: PrimitiveArray<T>, missing: T::Native) -> Vec<T::Native> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
    let mut values = into_vec(array);
    if let Some(nulls) = nulls {
        for (value, _) in values.iter_mut().zip(nulls.iter()).filter(|(_, is_valid)| !is_valid) {
            *value = missing;
        }
    }
    values
}
