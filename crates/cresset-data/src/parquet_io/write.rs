//! Record batches written as Parquet, the columns of a few row groups at a time encoded on all threads.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema, SchemaRef};
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowLeafColumn, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError as Cause;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;

use crate::files::{FileError, atomic_write_with};

/// How a Parquet file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParquetOptions {
    /// Rows of a row group. Default: 1,048,576.
    pub rows_per_group: usize,
    /// Level of zstd, 1 to 22. Default: 1.
    pub zstd_level: i32,
    /// Encoding of columns by name; the others have the one that suits their type.
    pub encodings: HashMap<String, ColumnEncoding>,
}

impl Default for ParquetOptions {
    fn default() -> Self {
        Self { rows_per_group: 1 << 20, zstd_level: 1, encodings: HashMap::new() }
    }
}

/// How the values of a column are laid down before they are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnEncoding {
    /// As they are.
    Plain,
    /// Whole numbers as differences from one to the next: for columns that are sorted or grow.
    Delta,
    /// Distinct values once, rows as their numbers: for columns of few values.
    Dictionary,
}

/// Writes a record batch, replacing what is at `path`.
///
/// # Errors
///
/// [`FileError`] when the file cannot be written or a type of the schema has no Parquet form.
pub fn write_parquet(path: &Path, batch: &RecordBatch, options: &ParquetOptions) -> Result<(), FileError> {
    write_parquet_batches(path, &batch.schema(), std::iter::once(Ok(batch.clone())), options)
}

/// Writes record batches as they come, each cut into row groups, replacing what is at `path`.
///
/// Memory holds the batch at hand and the compressed form of as many row groups as there are threads.
///
/// # Errors
///
/// What the iterator returns, or [`FileError`] when the file cannot be written or a type of the schema has no Parquet
/// form.
pub fn write_parquet_batches<E: From<FileError>>(
    path: &Path,
    schema: &SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, E>>,
    options: &ParquetOptions,
) -> Result<(), E> {
    let mut failed = None;
    let written = atomic_write_with(path, |file| {
        let mut writer = GroupWriter::new(file, schema, options).map_err(io::Error::other)?;
        for batch in batches {
            match batch {
                Ok(batch) => writer.write(&batch).map_err(io::Error::other)?,
                Err(error) => {
                    failed = Some(error);
                    return Err(io::Error::other("the rows could not be read"));
                }
            }
        }
        writer.finish().map_err(io::Error::other)
    });
    match (failed, written) {
        (Some(error), _) => Err(error),
        (None, written) => Ok(written?),
    }
}

/// A file that takes row groups.
struct GroupWriter<'f> {
    file: SerializedFileWriter<&'f mut BufWriter<File>>,
    columns: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    rows_per_group: usize,
    n_groups: usize,
}

/// A leaf column of a row group on its way to bytes.
struct Job {
    writer: ArrowColumnWriter,
    leaf: ArrowLeafColumn,
}

impl<'f> GroupWriter<'f> {
    fn new(
        file: &'f mut BufWriter<File>,
        schema: &SchemaRef,
        options: &ParquetOptions,
    ) -> Result<Self, Cause> {
        let properties = properties(schema, options)?;
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
        let (file, columns) = writer.into_serialized_writer()?;
        let rows_per_group = options.rows_per_group.max(1);
        Ok(Self { file, columns, schema: schema.clone(), rows_per_group, n_groups: 0 })
    }

    /// Cuts a batch into row groups and writes them: a window of as many as there are threads is encoded while the one
    /// before it goes to the file.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Cause> {
        let starts: Vec<usize> = (0..batch.num_rows()).step_by(self.rows_per_group).collect();
        let (n_rows, at_once) = (batch.num_rows(), self.rows_per_group);
        let slice = |&start: &usize| batch.slice(start, at_once.min(n_rows - start));
        let mut encoded = Vec::new();
        for window in starts.chunks(rayon::current_num_threads().max(1)) {
            let groups: Vec<RecordBatch> = window.iter().map(slice).collect();
            let jobs =
                groups.iter().enumerate().map(|(group, batch)| self.jobs(self.n_groups + group, batch));
            let jobs: Vec<Vec<Job>> = jobs.collect::<Result<_, Cause>>()?;
            self.n_groups += groups.len();
            let (next, appended) = rayon::join(|| encode_all(jobs), || self.append(encoded));
            appended?;
            encoded = next?;
        }
        self.append(encoded)
    }

    /// Writes the columns of row groups.
    fn append(&mut self, groups: Vec<Vec<ArrowColumnChunk>>) -> Result<(), Cause> {
        for chunks in groups {
            let mut group = self.file.next_row_group()?;
            chunks.into_iter().try_for_each(|chunk| chunk.append_to_row_group(&mut group))?;
            group.close()?;
        }
        Ok(())
    }

    fn jobs(&self, group: usize, batch: &RecordBatch) -> Result<Vec<Job>, Cause> {
        let mut leaves = Vec::new();
        for (field, array) in self.schema.fields().iter().zip(batch.columns()) {
            leaves.extend(compute_leaves(field, array)?);
        }
        let writers = self.columns.create_column_writers(group)?;
        Ok(writers.into_iter().zip(leaves).map(|(writer, leaf)| Job { writer, leaf }).collect())
    }

    fn finish(self) -> Result<(), Cause> {
        self.file.close().map(|_| ())
    }
}

/// Encodes the columns of row groups, all in one list, so that a slow column does not hold a group up alone.
fn encode_all(groups: Vec<Vec<Job>>) -> Result<Vec<Vec<ArrowColumnChunk>>, Cause> {
    let n_leaves: Vec<usize> = groups.iter().map(Vec::len).collect();
    let jobs: Vec<Job> = groups.into_iter().flatten().collect();
    let chunks: Vec<ArrowColumnChunk> =
        jobs.into_par_iter().with_max_len(1).map(encode).collect::<Result<_, Cause>>()?;
    let mut chunks = chunks.into_iter();
    Ok(n_leaves.into_iter().map(|n| chunks.by_ref().take(n).collect()).collect())
}

fn encode(job: Job) -> Result<ArrowColumnChunk, Cause> {
    let Job { mut writer, leaf } = job;
    writer.write(&leaf)?;
    writer.close()
}

fn properties(schema: &Schema, options: &ParquetOptions) -> Result<WriterProperties, Cause> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(options.zstd_level)?))
        .set_created_by(format!("cresset {}", env!("CARGO_PKG_VERSION")))
        .set_max_row_group_row_count(Some(options.rows_per_group.max(1)))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    // Settings go by the path of a leaf, which in a column of lists is another than the column's name.
    let leaves = ArrowSchemaConverter::new().convert(schema)?;
    for leaf in 0..leaves.num_columns() {
        let field = schema.field(leaves.get_column_root_idx(leaf));
        let encoding = options.encodings.get(field.name()).copied();
        let encoding = encoding.unwrap_or_else(|| suited(field.data_type()));
        let path = leaves.column(leaf).path().clone();
        properties =
            properties.set_column_dictionary_enabled(path.clone(), encoding == ColumnEncoding::Dictionary);
        if encoding == ColumnEncoding::Delta {
            properties = properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    Ok(properties.build())
}

/// The encoding that suits a type where nothing is known of the values.
fn suited(data_type: &DataType) -> ColumnEncoding {
    match data_type {
        DataType::Int32 | DataType::Int64 | DataType::UInt32 | DataType::UInt64 | DataType::Timestamp(..) => {
            ColumnEncoding::Delta
        }
        // Numbers of an encoder hardly repeat: a dictionary of them only costs time.
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            if item.data_type().is_floating() { ColumnEncoding::Plain } else { suited(item.data_type()) }
        }
        _ => ColumnEncoding::Dictionary,
    }
}
