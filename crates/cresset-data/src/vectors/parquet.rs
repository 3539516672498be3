//! Parquet: a column of lists, or one column a dimension, from a file or a folder of part files.
//!
//! Row groups are read by all cores at a time, each into its own part of the matrix.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::{RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use rayon::prelude::*;

use super::config::VectorsConfig;
use super::error::VectorsError;
use super::{Found, Vectors};
use crate::error::DataError;
use crate::files::FileError;
use crate::parquet_io::{
    ParquetError, ParquetOptions, ParquetTable, RowGroup, TableFile, write_parquet_batches,
};
use columns::Columns;

mod columns;

/// Values decoded at a time.
const BATCH_VALUES: usize = 1 << 19;
/// Values in a row group that we write: 32 MB, so that a reader has something for each core.
const GROUP_VALUES: usize = 1 << 23;

/// The vectors of a file, or of the part files below a folder in order of their names.
pub(super) fn read(path: &Path, config: &VectorsConfig) -> Result<Found, DataError> {
    read_table(path, config).map_err(|error| match error {
        DataError::Parquet(ParquetError::EmptyFolder { .. }) => error,
        other => other.parquet_told_by(|file, fault| {
            VectorsError::NotOfFormat { file: file.to_owned(), format: "Parquet", fault }.into()
        }),
    })
}

fn read_table(path: &Path, config: &VectorsConfig) -> Result<Found, DataError> {
    let table = ParquetTable::open(path)?;
    let parts: Vec<Part<'_>> = table.files().map(|file| Part::new(file, config)).collect::<Result<_, _>>()?;
    let n_rows = table.n_rows();
    let Some(dim) = parts.iter().find_map(|part| part.dim().transpose()).transpose()? else {
        return Err(DataError::EmptyFile { file: path.to_owned() });
    };
    let mut values = zeros(path, n_rows, dim)?;
    let mut blocks = Vec::new();
    let mut rest = values.as_mut_slice();
    for part in &parts {
        let mut first_row = 0;
        for group in part.file.row_groups() {
            let (out, tail) = rest.split_at_mut(group.n_rows() * dim);
            blocks.push(Block { columns: &part.columns, group, first_row, dim, out });
            first_row += group.n_rows();
            rest = tail;
        }
    }
    let ids: Vec<Result<Vec<String>, DataError>> = blocks.into_par_iter().map(Block::read).collect();
    let mut all_ids = Vec::with_capacity(n_rows);
    for ids in ids {
        all_ids.extend(ids?);
    }
    // Parts without a column of ids have none in any row.
    let ids = parts.iter().all(|part| part.columns.has_ids()).then_some(all_ids);
    Ok(Found { ids, dim, values })
}

/// Room for all vectors, unless a damaged file announces more than there can be.
fn zeros(path: &Path, n_rows: usize, dim: usize) -> Result<Vec<f32>, VectorsError> {
    let n_values = n_rows.checked_mul(dim);
    let fits = |&n_values: &usize| Vec::<f32>::new().try_reserve_exact(n_values).is_ok();
    let n_values = n_values.filter(fits).ok_or_else(|| VectorsError::NotOfFormat {
        file: path.to_owned(),
        format: "Parquet",
        fault: format!("it announces {n_rows} vectors of {dim} numbers, more than fit into memory"),
    })?;
    Ok(vec![0.0; n_values])
}

/// One file and the columns to read of it.
struct Part<'t> {
    file: TableFile<'t>,
    columns: Columns,
}

impl<'t> Part<'t> {
    fn new(file: TableFile<'t>, config: &VectorsConfig) -> Result<Self, VectorsError> {
        Ok(Self { file, columns: Columns::find(file.path, file.schema(), config)? })
    }

    /// The width of the first vector, if there is one.
    fn dim(&self) -> Result<Option<usize>, DataError> {
        let Some(group) = self.file.row_groups().find(|group| group.n_rows() > 0) else { return Ok(None) };
        let Some(first) = group.first_row(&self.columns.all())? else { return Ok(None) };
        // An empty vector is refused with its place when it is read; until then it counts as one of width 1.
        Ok(Some(self.columns.width_of_first(&first)?.max(1)))
    }
}

/// A row group and the part of the matrix that it fills.
struct Block<'a> {
    columns: &'a Columns,
    group: RowGroup<'a>,
    /// Number of the row group's first row in its file.
    first_row: usize,
    dim: usize,
    out: &'a mut [f32],
}

impl Block<'_> {
    /// Fills the values and gives back the ids.
    fn read(self) -> Result<Vec<String>, DataError> {
        let Self { columns, group, first_row, dim, out } = self;
        let mut ids = Vec::new();
        let batch_rows = (BATCH_VALUES / dim).clamp(1, 8192);
        group.for_each(&columns.all(), batch_rows, |part| -> Result<(), DataError> {
            let start = part.place.first_row;
            let of_batch = columns.ids(&part, first_row + start)?;
            let out = &mut out[start * dim..(start + part.batch.num_rows()) * dim];
            columns.values(&part, &of_batch, dim, out)?;
            ids.extend(of_batch);
            Ok(())
        })?;
        Ok(ids)
    }
}

/// Writes the columns `id` (text) and `embedding` (list of float), packed with zstd.
pub(super) fn write(path: &Path, vectors: &Vectors) -> Result<(), FileError> {
    let item = Arc::new(Field::new("element", DataType::Float32, false));
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("embedding", DataType::List(Arc::clone(&item)), false),
    ]));
    let rows_per_group = (GROUP_VALUES / vectors.dim.max(1)).max(1);
    // As many row groups as are encoded at a time.
    let rows_at_once = rows_per_group * rayon::current_num_threads().max(1);
    let batches = (0..vectors.len()).step_by(rows_at_once).map(|start| {
        let end = (start + rows_at_once).min(vectors.len());
        batch(&schema, &item, vectors, start..end)
            .map_err(|cause| FileError::write(path, io::Error::other(cause)))
    });
    write_parquet_batches(
        path,
        &schema,
        batches,
        &ParquetOptions { rows_per_group, ..ParquetOptions::default() },
    )
}

fn batch(
    schema: &SchemaRef,
    item: &Arc<Field>,
    vectors: &Vectors,
    rows: Range<usize>,
) -> Result<RecordBatch, ArrowError> {
    let ids = StringArray::from_iter_values(&vectors.ids[rows.clone()]);
    let mut lists =
        ListBuilder::new(Float32Builder::with_capacity(rows.len() * vectors.dim)).with_field(item.clone());
    for row in rows {
        lists.values().append_slice(vectors.row(row));
        lists.append(true);
    }
    RecordBatch::try_new(schema.clone(), vec![Arc::new(ids), Arc::new(lists.finish())])
}
