//! A line of a file, for the errors that name it.

use std::path::Path;

use crate::error::{DataError, Place};

/// A line of a file, counted from 1.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) file: &'a Path,
    pub(crate) line: u64,
}

impl At<'_> {
    pub(crate) fn place(self) -> Place {
        Place::Line { file: self.file.to_owned(), line: self.line }
    }

    pub(crate) fn too_few_fields(self, found: usize, expected: usize, row: &[u8]) -> DataError {
        let row = String::from_utf8_lossy(row).chars().take(80).collect();
        DataError::TooFewFields { place: self.place(), found, expected, row }
    }

    pub(crate) fn bad_field(self, field: &'static str, value: &[u8], expected: &'static str) -> DataError {
        let value = String::from_utf8_lossy(value).into_owned();
        DataError::BadField { place: self.place(), field, value, expected }
    }

    /// The field as text, without the spaces around it.
    pub(crate) fn utf8<'f>(self, field: &'static str, bytes: &'f [u8]) -> Result<&'f str, DataError> {
        std::str::from_utf8(bytes.trim_ascii()).map_err(|_| self.bad_field(field, bytes, "UTF-8 text"))
    }
}
