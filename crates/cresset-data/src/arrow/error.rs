//! What can be wrong with a column.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Why a column could not be taken from a record batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// A column that is needed and not there.
    Missing {
        /// Where.
        place: BatchPlace,
        /// The column's name.
        column: String,
        /// The columns that are there.
        there: String,
    },

    /// None of the names under which a column is known.
    NoneOf {
        /// The file.
        place: BatchPlace,
        /// What the column holds.
        what: &'static str,
        /// The names that would do.
        names: String,
        /// The columns that are there.
        there: String,
    },

    /// A column of a type that cannot hold what is asked for.
    WrongType {
        /// Where.
        place: BatchPlace,
        /// The column's name.
        column: String,
        /// Its type.
        found: String,
        /// What would be right.
        expected: &'static str,
    },

    /// A row without a value where each must have one.
    Null {
        /// Where.
        place: BatchPlace,
        /// The column's name.
        column: String,
        /// The row, counted from 0 within the row group or the batch.
        row: usize,
    },

    /// A value that is none of its kind.
    BadValue {
        /// Where.
        place: BatchPlace,
        /// The column's name.
        column: String,
        /// The row, counted from 0 within the row group or the batch.
        row: usize,
        /// The value.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
}

impl ColumnError {
    /// The file and the row group.
    pub fn place(&self) -> &BatchPlace {
        match self {
            Self::Missing { place, .. }
            | Self::NoneOf { place, .. }
            | Self::WrongType { place, .. }
            | Self::Null { place, .. }
            | Self::BadValue { place, .. } => place,
        }
    }

    /// What is wrong, without place and remedy.
    pub(crate) fn fault(&self) -> String {
        match self {
            Self::Missing { column, there, .. } => format!("no column \"{column}\" among {there}"),
            Self::NoneOf { names, there, .. } => {
                format!("none of the columns {names} is there, only {there}")
            }
            Self::WrongType { column, found, expected, .. } => {
                format!("column \"{column}\" is of the type {found}, expected {expected}")
            }
            Self::Null { column, row, .. } => format!("column \"{column}\" is null in row {row}"),
            Self::BadValue { column, row, value, expected, .. } => {
                format!("column \"{column}\" is \"{value}\" in row {row}, not {expected}")
            }
        }
    }
}

impl fmt::Display for ColumnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: ", self.place(), self.fault())?;
        match self {
            Self::Missing { .. } => f.write_str("rename a column, or name the right one in the config"),
            Self::NoneOf { what, .. } => write!(f, "rename the column of {what}"),
            Self::WrongType { .. } => f.write_str("convert the column, or name another in the config"),
            Self::Null { .. } => f.write_str(
                "fill in the value, or set data.on_bad_row: skip to leave such rows out and count them",
            ),
            Self::BadValue { .. } => f.write_str("correct or delete the row"),
        }
    }
}

/// Where a record batch came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchPlace {
    /// Its file; none where it was made in memory.
    pub file: Option<Arc<Path>>,
    /// Its row group in the file, from 0.
    pub row_group: Option<u32>,
    /// The number of its first row within the row group.
    pub first_row: usize,
}

impl BatchPlace {
    /// A row group of a file, from its row `first_row` on.
    pub fn row_group(file: &Path, row_group: u32, first_row: usize) -> Self {
        Self { file: Some(file.into()), row_group: Some(row_group), first_row }
    }

    /// A file as a whole.
    pub fn file(file: &Path) -> Self {
        Self { file: Some(file.into()), ..Self::default() }
    }

    /// The error for a column that is not among `there`.
    pub(crate) fn missing<'n>(&self, column: &str, there: impl Iterator<Item = &'n str>) -> ColumnError {
        let there = there.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let there = if there.is_empty() { "none".to_owned() } else { there };
        ColumnError::Missing { place: self.clone(), column: column.to_owned(), there }
    }
}

impl fmt::Display for BatchPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.row_group) {
            (Some(file), Some(group)) => write!(f, "{}, row group {group}", file.display()),
            (Some(file), None) => write!(f, "{}", file.display()),
            _ => f.write_str("record batch"),
        }
    }
}
