//! What can be wrong with Parquet files.

use std::path::{Path, PathBuf};

use parquet::errors::ParquetError as Cause;

use crate::arrow::{BatchPlace, ColumnError};
use crate::error::DataError;
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

    /// A row group with more or fewer rows than the end of its file announces.
    #[error(
        "{place}: {found} rows where {expected} are announced: replace the file by a complete copy, or write it again"
    )]
    RowCount {
        /// File and row group.
        place: BatchPlace,
        /// Rows found, up to the first too many.
        found: usize,
        /// Rows announced.
        expected: usize,
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

impl ParquetError {
    /// The error in the words of who asked for the file, which name another remedy.
    ///
    /// `tell` gets the file and what is wrong with it, row group included; a file that cannot be opened or written at
    /// all is told as everywhere.
    pub(crate) fn told_by<E: From<FileError>>(self, tell: impl FnOnce(&Path, String) -> E) -> E {
        let in_group = |place: &BatchPlace, fault: String| match place.row_group {
            Some(group) => format!("row group {group}: {fault}"),
            None => fault,
        };
        let (place, fault) = match self {
            Self::File(error) => return error.into(),
            Self::Broken { file, cause } => return tell(&file, cause.to_string()),
            Self::EmptyFolder { folder } => return tell(&folder, "no Parquet file in the folder".to_owned()),
            Self::Partitions { file, found, expected } => {
                let fault = format!("it has the partition columns {found}, other files have {expected}");
                return tell(&file, fault);
            }
            Self::Column(error) => (error.place().clone(), error.fault()),
            Self::BrokenColumn { place, column, cause } => {
                (place, format!("column \"{column}\" cannot be decoded ({cause})"))
            }
            Self::RowCount { place, found, expected } => {
                (place, format!("{found} rows where {expected} are announced"))
            }
        };
        tell(place.file.as_deref().unwrap_or(Path::new("record batch")), in_group(&place, fault))
    }
}

impl DataError {
    /// As [`ParquetError::told_by`], for whatever ended the reading of a table; other errors stay.
    pub(crate) fn parquet_told_by(self, tell: impl FnOnce(&Path, String) -> Self) -> Self {
        match self {
            Self::Parquet(error) => error.told_by(tell),
            Self::Column(error) => ParquetError::from(error).told_by(tell),
            other => other,
        }
    }
}
