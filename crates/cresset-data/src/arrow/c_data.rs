//! Arrays to and from the crate arrow2 without a copy, through the Arrow C data interface.
//!
//! Both crates lay an array out in memory as the Arrow format says, and both speak its C interface: two small
//! structures of pointers and a function that frees them. So an array changes hands while its memory stays where
//! it is, and is freed by the crate that made it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow_array::{Array, ArrayRef, Float32Array};
//! use cresset_data::arrow::c_data::{from_arrow2, to_arrow2};
//!
//! let ratings: ArrayRef = Arc::new(Float32Array::from(vec![3.0, 4.5]));
//! let theirs = to_arrow2(&ratings)?;
//! assert_eq!(theirs.len(), 2);
//! assert_eq!(&from_arrow2(theirs)?, &ratings);
//! # Ok::<(), cresset_data::arrow::c_data::ExchangeError>(())
//! ```
//!
//! # Source
//!
//! The Arrow C data interface, <https://arrow.apache.org/docs/format/CDataInterface.html>.

#![expect(
    unsafe_code,
    reason = "memory that changes hands between two libraries is described by raw pointers"
)]

use std::mem::transmute;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{ArrayRef, make_array};
use arrow2::array::Array as Arrow2Array;
use arrow2::datatypes::Field as Arrow2Field;
use arrow2::ffi as arrow2_ffi;

/// An array of a type that one of the two libraries does not know.
#[derive(Debug, thiserror::Error)]
#[error(
    "an array of the type {data_type} cannot be exchanged with arrow2 ({cause}): convert the column first"
)]
pub struct ExchangeError {
    /// The array's type.
    pub data_type: String,
    /// What the library said.
    pub cause: String,
}

/// The array for arrow2, its memory shared.
///
/// # Errors
///
/// [`ExchangeError`] for types that arrow2 does not know, such as `Utf8View`.
pub fn to_arrow2(array: &ArrayRef) -> Result<Box<dyn Arrow2Array>, ExchangeError> {
    let fail = |cause: String| ExchangeError { data_type: array.data_type().to_string(), cause };
    let (exported, schema) = to_ffi(&array.to_data()).map_err(|error| fail(error.to_string()))?;
    // SAFETY: both types are `repr(C)` structures of the Arrow C data interface, field by field the same, and moving
    // one hands over its `release` function, so that it is called once.
    let exported = unsafe { transmute::<FFI_ArrowArray, arrow2_ffi::ArrowArray>(exported) };
    // SAFETY: as above, for the structure that describes the type.
    let schema = unsafe { transmute::<FFI_ArrowSchema, arrow2_ffi::ArrowSchema>(schema) };
    // SAFETY: `schema` was filled by `to_ffi` just now and has not been released.
    let field =
        unsafe { arrow2_ffi::import_field_from_c(&schema) }.map_err(|error| fail(error.to_string()))?;
    // SAFETY: `exported` was filled by the same call, so the type read from `schema` is its type.
    unsafe { arrow2_ffi::import_array_from_c(exported, field.data_type) }
        .map_err(|error| fail(error.to_string()))
}

/// The array of arrow2, its memory shared.
///
/// # Errors
///
/// [`ExchangeError`] for types that the crate arrow-array does not know.
pub fn from_arrow2(array: Box<dyn Arrow2Array>) -> Result<ArrayRef, ExchangeError> {
    let data_type = array.data_type().clone();
    let schema = arrow2_ffi::export_field_to_c(&Arrow2Field::new("", data_type.clone(), true));
    let exported = arrow2_ffi::export_array_to_c(array);
    // SAFETY: both types are `repr(C)` structures of the Arrow C data interface, field by field the same, and moving
    // one hands over its `release` function, so that it is called once.
    let exported = unsafe { transmute::<arrow2_ffi::ArrowArray, FFI_ArrowArray>(exported) };
    // SAFETY: as above, for the structure that describes the type.
    let schema = unsafe { transmute::<arrow2_ffi::ArrowSchema, FFI_ArrowSchema>(schema) };
    // SAFETY: both structures were filled just now, from one array and its own type.
    let data = unsafe { from_ffi(exported, &schema) };
    let data = data
        .map_err(|cause| ExchangeError { data_type: format!("{data_type:?}"), cause: cause.to_string() })?;
    Ok(make_array(data))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::UInt32Type;
    use arrow_array::{
        Array, DictionaryArray, Float32Array, Int64Array, LargeStringArray, StringViewArray, UInt32Array,
    };
    use arrow2::array::{PrimitiveArray, Utf8Array};

    use super::*;

    fn there_and_back(array: &ArrayRef) -> ArrayRef {
        from_arrow2(to_arrow2(array).unwrap()).unwrap()
    }

    fn pointers(array: &ArrayRef) -> Vec<*const u8> {
        array.to_data().buffers().iter().map(arrow_buffer::Buffer::as_ptr).collect()
    }

    #[test]
    fn numbers_of_ours_are_read_by_arrow2_where_they_lie() {
        let ours: ArrayRef = Arc::new(Float32Array::from(vec![3.0, 4.5, -1.0]));
        let theirs = to_arrow2(&ours).unwrap();
        let values = theirs.as_any().downcast_ref::<PrimitiveArray<f32>>().unwrap().values();
        assert_eq!(values.as_slice(), [3.0, 4.5, -1.0]);
        assert_eq!(values.as_ptr().cast(), pointers(&ours)[0]);
    }

    #[test]
    fn numbers_of_arrow2_are_read_by_us_where_they_lie() {
        let theirs = PrimitiveArray::<i64>::from([Some(7), None, Some(9)]);
        let pointer = theirs.values().as_ptr();
        let ours = from_arrow2(Box::new(theirs)).unwrap();
        let expected: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(9)]));
        assert_eq!(&ours, &expected);
        assert_eq!(pointers(&ours)[0], pointer.cast());
    }

    #[test]
    fn text_dictionaries_and_slices_come_back_equal_from_the_same_memory() {
        let text: ArrayRef = Arc::new(LargeStringArray::from(vec![Some("Amélie"), None, Some("")]));
        let ids: ArrayRef = Arc::new(["a", "b", "a"].into_iter().collect::<DictionaryArray<UInt32Type>>());
        let slice = (Arc::new(UInt32Array::from(vec![1, 2, 3, 4])) as ArrayRef).slice(1, 2);
        for array in [text, ids, slice] {
            let again = there_and_back(&array);
            assert_eq!(&again, &array);
            assert_eq!(pointers(&again).last(), pointers(&array).last());
        }
    }

    #[test]
    fn memory_outlives_the_array_it_came_from() {
        let theirs = to_arrow2(&(Arc::new(UInt32Array::from(vec![5; 1000])) as ArrayRef)).unwrap();
        assert_eq!(theirs.len(), 1000);
        let ours = from_arrow2(Box::new(Utf8Array::<i64>::from_slice(["x"; 1000]))).unwrap();
        assert_eq!(ours.len(), 1000);
    }

    #[test]
    fn a_type_that_arrow2_does_not_know_is_refused() {
        let views: ArrayRef = Arc::new(StringViewArray::from(vec!["a"]));
        let message = to_arrow2(&views).unwrap_err().to_string();
        assert!(message.starts_with("an array of the type Utf8View cannot be exchanged"), "{message}");
    }
}
