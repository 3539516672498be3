//! Columns of ids: external ids in, as text or as whole numbers, and out as a dictionary.

use std::fmt::Write;
use std::hash::Hash;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowDictionaryKeyType, ArrowPrimitiveType, UInt32Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, LargeStringArray, PrimitiveArray, UInt32Array,
    downcast_dictionary_array, downcast_integer_array,
};
use arrow_buffer::ArrowNativeType;
use arrow_schema::DataType;
use hashbrown::HashMap;

use super::column::Column;
use super::error::ColumnError;
use crate::config::OnBadRow;
use crate::interactions::IdColumn;

const EXPECTED: &str = "text or whole numbers, plain or in a dictionary";

impl IdColumn {
    /// The column as a dictionary array: the codes are moved, the distinct ids are copied.
    ///
    /// ```
    /// use arrow_array::Array;
    /// use cresset_data::Interactions;
    ///
    /// let mut rows = Interactions::default();
    /// rows.push("196", "242", 3.0, 7);
    /// rows.push("22", "242", 1.0, 8);
    /// let items = rows.items.into_array();
    /// assert_eq!((items.len(), items.values().len()), (2, 1));
    /// ```
    pub fn into_array(self) -> DictionaryArray<UInt32Type> {
        let (names, codes) = self.into_parts();
        let names = LargeStringArray::from_iter_values(names.iter());
        DictionaryArray::new(UInt32Array::from(codes), Arc::new(names))
    }
}

/// Appends the columns of one record batch after another to an [`IdColumn`].
pub(crate) struct IdImport {
    on_null: OnBadRow,
    /// The code of each whole number seen, so that its digits are written once.
    code_of: HashMap<i128, u32>,
}

impl IdImport {
    /// Under [`OnBadRow::Skip`] a null becomes an empty id, which the cleaning counts as missing.
    pub(crate) fn new(on_null: OnBadRow) -> Self {
        Self { on_null, code_of: HashMap::new() }
    }

    pub(crate) fn append(&mut self, ids: &mut IdColumn, column: &Column<'_>) -> Result<(), ColumnError> {
        if self.on_null == OnBadRow::Error {
            column.refuse_nulls()?;
        }
        let array = &column.array;
        downcast_dictionary_array!(
            array => {
                let names = names_of(&Column { array: array.values().clone(), ..*column })?;
                append_dictionary(ids, array, &names);
            }
            DataType::Utf8 => append_text(ids, array.as_string::<i32>().iter()),
            DataType::LargeUtf8 => append_text(ids, array.as_string::<i64>().iter()),
            DataType::Utf8View => append_text(ids, array.as_string_view().iter()),
            _ => self.append_integers(ids, column)?,
        );
        Ok(())
    }

    fn append_integers(&mut self, ids: &mut IdColumn, column: &Column<'_>) -> Result<(), ColumnError> {
        let array = &column.array;
        downcast_integer_array!(
            array => self.append_numbers(ids, array),
            _ => return Err(column.wrong_type(EXPECTED)),
        );
        Ok(())
    }

    fn append_numbers<T: ArrowPrimitiveType>(&mut self, ids: &mut IdColumn, array: &PrimitiveArray<T>)
    where
        T::Native: Into<i128> + Hash,
    {
        let mut text = String::new();
        for number in array {
            let Some(number) = number.map(Into::<i128>::into) else {
                ids.push("");
                continue;
            };
            let code = *self.code_of.entry(number).or_insert_with(|| {
                text.clear();
                // Writing to a string cannot fail.
                let _ = write!(text, "{number}");
                ids.code_for(&text)
            });
            ids.push_code(code);
        }
    }
}

fn append_text<'t>(ids: &mut IdColumn, values: impl Iterator<Item = Option<&'t str>>) {
    values.for_each(|value| ids.push(value.unwrap_or_default()));
}

/// The values of a dictionary as text.
fn names_of(values: &Column<'_>) -> Result<Vec<Option<String>>, ColumnError> {
    let mut distinct = IdColumn::default();
    IdImport::new(OnBadRow::Skip).append(&mut distinct, values)?;
    let name = |row| values.array.is_valid(row).then(|| distinct.name_at(row).to_owned());
    Ok((0..values.array.len()).map(name).collect())
}

fn append_dictionary<K: ArrowDictionaryKeyType>(
    ids: &mut IdColumn,
    array: &DictionaryArray<K>,
    names: &[Option<String>],
) {
    // Codes are in order of first sight, which the dictionary need not be.
    let mut code_of: Vec<Option<u32>> = vec![None; names.len()];
    for key in array.keys() {
        let Some(key) = key.map(ArrowNativeType::as_usize) else {
            ids.push("");
            continue;
        };
        let code =
            *code_of[key].get_or_insert_with(|| ids.code_for(names[key].as_deref().unwrap_or_default()));
        ids.push_code(code);
    }
}

/// Whether the array holds external ids as text, not numbers.
pub(crate) fn is_text(array: &ArrayRef) -> bool {
    let values = match array.data_type() {
        DataType::Dictionary(_, values) => values.as_ref(),
        plain => plain,
    };
    matches!(values, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}
