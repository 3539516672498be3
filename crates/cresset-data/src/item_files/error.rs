//! What can be wrong with files that describe items.

use std::path::PathBuf;

/// Why a file that describes items could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ItemFileError {
    /// A file that is not there.
    #[error(
        "no {}, plain, .gz or .zst: put the file there, or correct or remove its entry in {key}",
        file.display()
    )]
    Missing {
        /// The file.
        file: PathBuf,
        /// The key that names it.
        key: &'static str,
    },

    /// A workbook that cannot be read.
    #[error("cannot read {} ({fault}): save it again as .xlsx, or as .csv, and name that in data.text.file", file.display())]
    Workbook {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        fault: String,
    },

    /// A workbook without the sheet that is asked for.
    #[error("{}: no sheet \"{sheet}\" among {there}: correct data.text.sheet", file.display())]
    MissingSheet {
        /// The file.
        file: PathBuf,
        /// The sheet's name.
        sheet: String,
        /// The sheets that are there.
        there: String,
    },

    /// A table of texts without a column that is needed.
    #[error(
        "{}: no column {column} in the header \"{header}\": name the column in data.text",
        file.display()
    )]
    MissingColumn {
        /// The file.
        file: PathBuf,
        /// The column's name, or the names any of which would do.
        column: String,
        /// The header as it is.
        header: String,
    },
}
