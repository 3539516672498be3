//! What can be wrong with Parquet files.

use std::path::PathBuf;

use parquet::errors::ParquetError as Cause;

use crate::arrow::{BatchPlace, ColumnError};
use crate::files::FileError;

/// Why a Parquet file or a folder of them could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParquetError {
    /// A file could not be opened or written.
    #[error(transparent)]
    File(#[from] FileError),

    /// A column is missing, or not as it must be.
    #[error(transparent)]
    Column(#[from] ColumnError),

    /// A file that is no Parquet file, or not the whole of one.
    #[error(
        "{}: not a whole Parquet file ({cause}): replace it by a complete copy, or write it again",
        file.display()
    )]
    Broken {
        /// The file.
        file: PathBuf,
        /// What the decoder said.
        cause: Cause,
    },

    /// A row group that cannot be decoded.
    #[error(
        "{place}: column \"{column}\" cannot be decoded ({cause}): replace the file by a complete copy, or write it \
         again"
    )]
    BrokenColumn {
        /// File and row group.
        place: BatchPlace,
        /// The first column that fails.
        column: String,
        /// What the decoder said.
        cause: String,
    },

    /// A folder without a Parquet file.
    #[error(
        "no Parquet file in the folder {}: put files that end in .parquet there; names that begin with _ or . do not \
         count",
        folder.display()
    )]
    EmptyFolder {
        /// The folder.
        folder: PathBuf,
    },

    /// Part files that lie in folders of different partition columns.
    #[error(
        "{}: its folders name the partition columns {found}, those of other files {expected}: move the file, or read \
         one of the folders",
        file.display()
    )]
    Partitions {
        /// The file.
        file: PathBuf,
        /// The partition columns of its path.
        found: String,
        /// The partition columns of the first file.
        expected: String,
    },
}
