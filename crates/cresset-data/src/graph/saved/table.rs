//! Tables of a saved graph as Parquet.

use std::path::Path;

use arrow_array::{ArrayRef, LargeStringArray};
use arrow_schema::Metadata;

use super::RELATION;
use crate::arrow::batch_of;
use crate::arrow::column::Column;
use crate::error::DataError;
use crate::files::FileError;
use crate::graph::error::GraphError;
use crate::parquet_io::{
    ColumnEncoding, ParquetError, ParquetOptions, ParquetTable, PartBatch, write_parquet,
};

/// Writes columns of equal length.
pub(super) fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) -> Result<(), FileError> {
    // Of relations there are few.
    let encodings = [(RELATION.to_owned(), ColumnEncoding::Dictionary)].into();
    let options = ParquetOptions { encodings, ..ParquetOptions::default() };
    write_parquet(path, &batch_of(columns, Metadata::default()), &options)
}

/// Calls `each` with the rows, some at a time.
pub(super) fn read(
    path: &Path,
    columns: &[&str],
    mut each: impl FnMut(&PartBatch) -> Result<(), DataError> + Send,
) -> Result<(), DataError> {
    let opened = ParquetTable::open(path).map_err(DataError::from);
    let read = opened.and_then(|table| table.for_each(columns, |part| each(&part)));
    read.map_err(|error| {
        let is_of_a_column =
            matches!(error, DataError::Column(_) | DataError::Parquet(ParquetError::Column(_)));
        error.parquet_told_by(|file, fault| {
            let fault =
                if is_of_a_column { fault } else { format!("it cannot be read as Parquet ({fault})") };
            GraphError::BadSavedGraph { file: file.to_owned(), fault }.into()
        })
    })
}

/// A column of texts without nulls.
pub(super) fn texts(part: &PartBatch, name: &str) -> Result<LargeStringArray, DataError> {
    let column = Column::of(&part.batch, name, &part.place)?;
    column.refuse_nulls()?;
    Ok(column.texts()?)
}

/// A column of indices without nulls.
pub(super) fn codes(part: &PartBatch, name: &str) -> Result<Vec<u32>, DataError> {
    Ok(Column::of(&part.batch, name, &part.place)?.into_u32s()?)
}
