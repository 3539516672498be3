//! Parquet: a column of lists, or one column a dimension, from a file or a folder of part files.
//!
//! Row groups are read by all cores at a time, each into its own part of the matrix.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::arrow::{ArrowWriter, ProjectionMask};
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::file::properties::WriterProperties;
use ::parquet::schema::types::ColumnPath;
use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::{RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use rayon::prelude::*;

use super::config::VectorsConfig;
use super::error::VectorsError;
use super::{Found, Vectors};
use crate::error::DataError;
use crate::files::FileError;
use columns::{Columns, RowFault};

mod columns;

/// Values decoded at a time.
const BATCH_VALUES: usize = 1 << 19;
/// Values in a row group that we write: 32 MB, so that a reader has something for each core.
const GROUP_VALUES: usize = 1 << 23;

/// The vectors of a file, or of the part files below a folder in order of their names.
pub(super) fn read(path: &Path, config: &VectorsConfig) -> Result<Found, DataError> {
    let parts: Vec<Part> =
        part_files(path)?.into_iter().map(|file| Part::open(file, config)).collect::<Result<_, _>>()?;
    let n_rows = parts.iter().map(Part::n_rows).sum::<usize>();
    let Some(dim) = parts.iter().find_map(|part| part.dim().transpose()).transpose()? else {
        return Err(DataError::EmptyFile { file: path.to_owned() });
    };
    let mut values = vec![0.0; n_rows * dim];
    let mut groups = Vec::new();
    let mut rest = values.as_mut_slice();
    for part in &parts {
        for group in 0..part.metadata.metadata().num_row_groups() {
            let (out, tail) = rest.split_at_mut(part.n_rows_of(group) * dim);
            groups.push(Group { part, group, dim, out });
            rest = tail;
        }
    }
    let ids: Vec<Result<Vec<String>, DataError>> = groups.into_par_iter().map(Group::read).collect();
    let mut all_ids = Vec::with_capacity(n_rows);
    for ids in ids {
        all_ids.extend(ids?);
    }
    // Parts without a column of ids have none in any row.
    let ids = parts.iter().all(|part| part.columns.id.is_some()).then_some(all_ids);
    Ok(Found { ids, dim, values })
}

/// The file itself, or the part files of a folder and the folders in it, in order of their paths.
fn part_files(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(|cause| FileError::read(path, cause))? {
        let entry = entry.map_err(|cause| FileError::read(path, cause))?;
        let name = entry.file_name();
        // Spark leaves `_SUCCESS` and hidden checksums beside the parts.
        let is_note = name.to_str().is_some_and(|name| name.starts_with(['_', '.']));
        let file = entry.path();
        let is_part = file.extension().is_some_and(|end| end.eq_ignore_ascii_case("parquet"));
        if !is_note && (file.is_dir() || is_part) {
            files.extend(part_files(&file)?);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// One file, its footer read.
struct Part {
    file: PathBuf,
    metadata: ArrowReaderMetadata,
    columns: Columns,
}

impl Part {
    fn open(file: PathBuf, config: &VectorsConfig) -> Result<Self, DataError> {
        let opened = File::open(&file).map_err(|cause| FileError::read(&file, cause))?;
        let metadata = ArrowReaderMetadata::load(&opened, ArrowReaderOptions::new())
            .map_err(|cause| fault(&file, cause.to_string()))?;
        let columns = Columns::find(&file, metadata.schema(), config)?;
        Ok(Self { file, metadata, columns })
    }

    fn n_rows(&self) -> usize {
        (0..self.metadata.metadata().num_row_groups()).map(|group| self.n_rows_of(group)).sum()
    }

    fn n_rows_of(&self, group: usize) -> usize {
        usize::try_from(self.metadata.metadata().row_group(group).num_rows()).unwrap_or_default()
    }

    /// The width of the first vector, if there is one.
    fn dim(&self) -> Result<Option<usize>, DataError> {
        let Some(group) = (0..self.metadata.metadata().num_row_groups()).find(|&it| self.n_rows_of(it) > 0)
        else {
            return Ok(None);
        };
        let first = self.batches(group, 1)?.next().transpose();
        let first = first.map_err(|cause| self.group_fault(group, &cause.to_string()))?;
        // An empty vector is refused with its place when it is read; until then it counts as one of width 1.
        Ok(first.map(|batch| self.columns.width_of_first(&batch).max(1)))
    }

    /// Reads the columns needed of one row group.
    fn batches(&self, group: usize, batch_size: usize) -> Result<ParquetRecordBatchReader, DataError> {
        // A file handle has one position; row groups that are read at the same time need one each.
        let file = File::open(&self.file).map_err(|cause| FileError::read(&self.file, cause))?;
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), self.columns.all());
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(batch_size)
            .build()
            .map_err(|cause| self.group_fault(group, &cause.to_string()).into())
    }

    fn group_fault(&self, group: usize, cause: &str) -> VectorsError {
        fault(&self.file, format!("row group {group}: {cause}"))
    }
}

fn fault(file: &Path, fault: String) -> VectorsError {
    VectorsError::NotOfFormat { file: file.to_owned(), format: "Parquet", fault }
}

/// A row group and the part of the matrix that it fills.
struct Group<'a> {
    part: &'a Part,
    group: usize,
    dim: usize,
    out: &'a mut [f32],
}

impl Group<'_> {
    /// Fills the values and gives back the ids.
    fn read(self) -> Result<Vec<String>, DataError> {
        let Self { part, group, dim, out } = self;
        let mut ids = Vec::new();
        let mut n_done = 0;
        for batch in part.batches(group, (BATCH_VALUES / dim).clamp(1, 8192))? {
            let batch = batch.map_err(|cause| part.group_fault(group, &cause.to_string()))?;
            let in_file = |fault: RowFault| fault.at(&part.file, group, n_done);
            ids.extend(part.columns.ids(&batch).map_err(in_file)?);
            let end = (n_done + batch.num_rows()) * dim;
            let out = out
                .get_mut(n_done * dim..end)
                .ok_or_else(|| part.group_fault(group, "it has more rows than its footer says"))?;
            part.columns.values(&batch, dim, out).map_err(in_file)?;
            n_done += batch.num_rows();
        }
        if n_done * dim == out.len() {
            Ok(ids)
        } else {
            Err(part.group_fault(group, "it has fewer rows than its footer says").into())
        }
    }
}

/// Writes the columns `id` (text) and `embedding` (list of float), packed with zstd.
pub(super) fn write(out: &mut (impl Write + Send), vectors: &Vectors) -> std::io::Result<()> {
    let item = Arc::new(Field::new("element", DataType::Float32, false));
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("embedding", DataType::List(Arc::clone(&item)), false),
    ]));
    let rows_at_once = (GROUP_VALUES / vectors.dim.max(1)).max(1);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(rows_at_once))
        // Numbers of an encoder hardly repeat: a dictionary of them only costs time.
        .set_column_dictionary_enabled(
            ColumnPath::from(["embedding", "list", "element"].map(str::to_owned).to_vec()),
            false,
        )
        .build();
    let mut writer =
        ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties)).map_err(std::io::Error::other)?;
    for start in (0..vectors.len()).step_by(rows_at_once) {
        let end = (start + rows_at_once).min(vectors.len());
        let ids = StringArray::from_iter_values(&vectors.ids[start..end]);
        let mut lists = ListBuilder::new(Float32Builder::new()).with_field(Arc::clone(&item));
        for row in start..end {
            lists.values().append_slice(vectors.row(row));
            lists.append(true);
        }
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(ids), Arc::new(lists.finish())]);
        writer.write(&batch.map_err(std::io::Error::other)?).map_err(std::io::Error::other)?;
    }
    writer.close().map(|_| ()).map_err(std::io::Error::other)
}
