//! A line of a file, for the errors that name it.

use std::path::Path;

use crate::error::{DataError, Place};

/// Characters of a line or a field that an error quotes: a quote left open makes a field of a whole file.
const QUOTED: usize = 80;

/// The beginning of a line or a field as errors quote it, with a replacement character for what is no text.
pub(crate) fn beginning(bytes: &[u8]) -> String {
    // A character has four bytes at most, and no more than those are looked at.
    let start = &bytes[..bytes.len().min(4 * QUOTED)];
    String::from_utf8_lossy(start).chars().take(QUOTED).collect()
}

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
        let row = beginning(row);
        DataError::TooFewFields { place: self.place(), found, expected, row }
    }

    pub(crate) fn bad_field(self, field: &'static str, value: &[u8], expected: &'static str) -> DataError {
        let value = beginning(value);
        DataError::BadField { place: self.place(), field, value, expected }
    }

    /// The field as text, without the spaces around it.
    pub(crate) fn utf8<'f>(self, field: &'static str, bytes: &'f [u8]) -> Result<&'f str, DataError> {
        std::str::from_utf8(bytes.trim_ascii()).map_err(|_| self.bad_field(field, bytes, "UTF-8 text"))
    }
}
