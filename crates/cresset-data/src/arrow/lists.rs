//! Columns of lists, in whichever way their ends are stored.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_schema::DataType;

/// The lists of a column, one after another.
pub(crate) struct Lists {
    /// The values of all rows.
    pub(crate) values: ArrayRef,
    /// Where each row's values begin, last the end.
    offsets: Vec<usize>,
    nulls: Option<NullBuffer>,
}

impl Lists {
    /// The lists of a `List`, a `LargeList` or a `FixedSizeList`, whatever they hold; none of another type.
    pub(crate) fn of(array: &ArrayRef) -> Option<Self> {
        let (offsets, values) = match array.data_type() {
            DataType::List(_) => {
                let lists = array.as_list::<i32>();
                (as_usize(lists.offsets()), lists.values())
            }
            DataType::LargeList(_) => {
                let lists = array.as_list::<i64>();
                (as_usize(lists.offsets()), lists.values())
            }
            DataType::FixedSizeList(_, width) => {
                let (lists, width) = (array.as_fixed_size_list(), width.as_usize());
                let start = if lists.is_empty() { 0 } else { lists.value_offset_at(0) };
                ((0..=lists.len()).map(|row| start + row * width).collect(), lists.values())
            }
            _ => return None,
        };
        Some(Self { values: values.clone(), offsets, nulls: array.nulls().cloned() })
    }

    /// Where the values of a row are; nowhere if the row is null.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub(crate) fn range(&self, row: usize) -> Range<usize> {
        let start = self.offsets[row];
        let is_null = self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        start..if is_null { start } else { self.offsets[row + 1] }
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }
}

fn as_usize<O: ArrowNativeType>(offsets: &[O]) -> Vec<usize> {
    offsets.iter().map(|end| end.as_usize()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::UInt32Type;
    use arrow_array::{FixedSizeListArray, LargeListArray, ListArray, UInt32Array};

    use super::*;

    fn rows(array: &ArrayRef) -> Vec<Vec<u32>> {
        let lists = Lists::of(array).unwrap();
        let values = lists.values.as_primitive::<UInt32Type>().values();
        (0..lists.len()).map(|row| values[lists.range(row)].to_vec()).collect()
    }

    #[test]
    fn lists_of_every_kind_have_the_same_rows_also_from_the_middle_on() {
        let lists = || [Some([1, 2].map(Some)), None, Some([3, 4].map(Some))];
        let arrays: [ArrayRef; 3] = [
            Arc::new(ListArray::from_iter_primitive::<UInt32Type, _, _>(lists())),
            Arc::new(LargeListArray::from_iter_primitive::<UInt32Type, _, _>(lists())),
            Arc::new(FixedSizeListArray::from_iter_primitive::<UInt32Type, _, _>(lists(), 2)),
        ];
        for array in arrays {
            assert_eq!(rows(&array), [vec![1, 2], vec![], vec![3, 4]]);
            assert_eq!(rows(&array.slice(1, 2)), [vec![], vec![3, 4]]);
            assert!(rows(&array.slice(3, 0)).is_empty());
        }
        assert!(Lists::of(&(Arc::new(UInt32Array::from(vec![1])) as ArrayRef)).is_none());
    }
}
