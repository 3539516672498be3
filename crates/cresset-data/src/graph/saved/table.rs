//! Tables of a saved graph as Parquet.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, LargeStringArray, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::error::DataError;
use crate::files::{FileError, atomic_write_with};
use crate::graph::error::GraphError;

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 1 << 16;

/// Writes columns of equal length, compressed by zstd.
pub(super) fn write(path: &Path, columns: &[(&str, &dyn Array)]) -> Result<(), DataError> {
    let field = |(name, column): &(&str, &dyn Array)| Field::new(*name, column.data_type().clone(), false);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let arrays = columns.iter().map(|(_, column)| column.slice(0, column.len())).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(|cause| unwritten(path, cause))?;
    let options =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let written = atomic_write_with(path, |file| {
        let mut writer = ArrowWriter::try_new(file, schema, Some(options)).map_err(io::Error::other)?;
        writer.write(&batch).map_err(io::Error::other)?;
        writer.close().map(|_| ()).map_err(io::Error::other)
    });
    Ok(written?)
}

fn unwritten(path: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> FileError {
    FileError::write(path, io::Error::other(cause))
}

/// Calls `each` with the rows, some at a time.
pub(super) fn read(
    path: &Path,
    mut each: impl FnMut(&RecordBatch) -> Result<(), GraphError>,
) -> Result<(), DataError> {
    let file = File::open(path).map_err(|cause| FileError::read(path, cause))?;
    let broken = |cause: &dyn std::fmt::Display| GraphError::BadSavedGraph {
        file: path.to_owned(),
        fault: format!("it cannot be read as Parquet ({cause})"),
    };
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.with_batch_size(BATCH_ROWS).build())
        .map_err(|cause| broken(&cause))?;
    for batch in reader {
        each(&batch.map_err(|cause| broken(&cause))?)?;
    }
    Ok(())
}

/// A column of texts without nulls.
pub(super) fn texts<'b>(
    path: &Path,
    batch: &'b RecordBatch,
    name: &str,
) -> Result<&'b LargeStringArray, GraphError> {
    let column = column(batch, name).and_then(|column| column.as_string_opt::<i64>());
    column.ok_or_else(|| not_there(path, name, &DataType::LargeUtf8))
}

/// A column of indices without nulls.
pub(super) fn numbers<'b>(
    path: &Path,
    batch: &'b RecordBatch,
    name: &str,
) -> Result<&'b UInt32Array, GraphError> {
    let column = column(batch, name).and_then(|column| column.as_primitive_opt::<UInt32Type>());
    column.ok_or_else(|| not_there(path, name, &DataType::UInt32))
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Option<&'b dyn Array> {
    batch.column_by_name(name).map(AsRef::as_ref).filter(|column| column.null_count() == 0)
}

fn not_there(path: &Path, name: &str, kind: &DataType) -> GraphError {
    let fault = format!("it has no column \"{name}\" of type {kind} without nulls");
    GraphError::BadSavedGraph { file: path.to_owned(), fault }
}
