//! What can be wrong with a folder or a header of another library's files.

use std::path::PathBuf;

/// Why a source's files could not be told apart, or their columns not understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Several data sets lie side by side.
    #[error(
        "{} has the data sets {}, and none is called \"{wanted}\" as the folder is: rename the folder like one of \
         them, or leave one there",
        folder.display(),
        found.join(", ")
    )]
    SeveralDataSets {
        /// The folder.
        folder: PathBuf,
        /// Names of the data sets, in order.
        found: Vec<String>,
        /// The name that would have been taken.
        wanted: String,
    },

    /// A header with a type that there is not.
    #[error(
        "{}:1: column \"{column}\" has no known type: write token, token_seq, float or float_seq behind the colon",
        file.display()
    )]
    ColumnType {
        /// The file.
        file: PathBuf,
        /// The column as the header has it.
        column: String,
    },

    /// A column of histories in a file of interactions.
    ///
    /// Where histories are cut into prefixes every item is there many times, and each history's first item only
    /// there.
    #[error(
        "{}:1: column \"{column}\" holds histories: give the file from before they were cut, one interaction a row",
        file.display()
    )]
    Histories {
        /// The file.
        file: PathBuf,
        /// The column as the header has it.
        column: String,
    },
}
