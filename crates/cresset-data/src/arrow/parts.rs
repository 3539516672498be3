//! The column that says which part of a split a row is in.

use arrow_array::Array;
use arrow_schema::DataType;

use super::column::Column;
use super::error::ColumnError;
use super::ids::IdImport;
use crate::config::OnBadRow;
use crate::interactions::IdColumn;
use crate::split::Part;

impl Column<'_> {
    /// The part of each row, from text, whole numbers, or a dictionary of either.
    pub(crate) fn parts(&self) -> Result<Vec<Part>, ColumnError> {
        self.refuse_nulls()?;
        if matches!(self.array.data_type(), DataType::Boolean) {
            return Err(self.wrong_type(Part::EXPECTED));
        }
        let mut names = IdColumn::default();
        IdImport::new(OnBadRow::Error).append(&mut names, self)?;
        let parts: Vec<Option<Part>> = names.names().iter().map(|name| Part::named(name.trim())).collect();
        let part = |(row, &code): (usize, &u32)| {
            parts[code as usize].ok_or_else(|| self.bad_value(row, Part::EXPECTED))
        };
        names.codes().iter().enumerate().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, StringArray};

    use super::*;
    use crate::arrow::BatchPlace;

    fn parts(array: ArrayRef) -> Result<Vec<Part>, String> {
        let column = Column { array, name: "x_label", place: &BatchPlace::default() };
        column.parts().map_err(|error| error.to_string())
    }

    #[test]
    fn parts_are_known_by_all_their_names_and_by_number() {
        let expected = Ok(vec![Part::Test, Part::Valid, Part::Train]);
        assert_eq!(parts(Arc::new(StringArray::from(vec!["test", "Validation", "train"]))), expected);
        assert_eq!(parts(Arc::new(Int64Array::from(vec![2, 1, 0]))), expected);
    }

    #[test]
    fn what_is_no_part_is_named_with_its_row() {
        assert_eq!(
            parts(Arc::new(Int64Array::from(vec![2, 3]))).unwrap_err(),
            "record batch: column \"x_label\" is \"3\" in row 1, not train, valid or test, or 0, 1 or 2: correct or \
             delete the row"
        );
    }
}
