//! Tables read a row group at a time, decoded on all threads, handed over in order.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Metadata, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;

use super::error::ParquetError;
use super::footer::{footer_of, guarded};
use super::parts::{PartFile, Parts};
use crate::arrow::BatchPlace;
use crate::files::FileError;

/// More rows than this come as several batches of one row group.
const MAX_BATCH_ROWS: usize = 1 << 20;

/// Rows of a table, and where they came from.
#[derive(Debug, Clone)]
pub struct PartBatch {
    /// File and row group.
    pub place: BatchPlace,
    /// The columns asked for, in the order asked for.
    pub batch: RecordBatch,
}

/// A Parquet file, or a folder of them, opened: names and sizes are known, nothing is decoded.
pub struct ParquetTable {
    parts: Parts,
    footers: Vec<ArrowReaderMetadata>,
}

impl std::fmt::Debug for ParquetTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetTable").field("columns", &self.columns()).finish_non_exhaustive()
    }
}

/// One row group of one file.
#[derive(Clone, Copy)]
struct Task {
    part: usize,
    row_group: usize,
}

/// The given columns of the file at `path` or, where that is a folder, of all files below it.
///
/// Files are read in order of their names. A folder named `split=train` gives its files a column `split`.
///
/// # Errors
///
/// [`ParquetError`] with the file and, where there is one, the row group and the column.
pub fn read_parquet(path: &Path, columns: &[&str]) -> Result<Vec<PartBatch>, ParquetError> {
    let mut batches = Vec::new();
    ParquetTable::open(path)?.for_each(columns, |part| -> Result<(), ParquetError> {
        batches.push(part);
        Ok(())
    })?;
    Ok(batches)
}

impl ParquetTable {
    /// The table at `path`, its footers read.
    ///
    /// # Errors
    ///
    /// [`ParquetError`] when a file is not there or not a whole Parquet file, or a folder holds none.
    pub fn open(path: &Path) -> Result<Self, ParquetError> {
        let parts = Parts::list(path)?;
        let footers = parts.files.iter().map(|part| footer_of(&part.path)).collect::<Result<_, _>>()?;
        Ok(Self { parts, footers })
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.footers.iter().map(|footer| footer.metadata().file_metadata().num_rows() as usize).sum()
    }

    /// The names of the columns: those of the first file, then those of partition folders.
    pub fn columns(&self) -> Vec<&str> {
        let stored = self.footers[0].schema().fields().iter().map(|field| field.name().as_str());
        let partitions = self.parts.partitions.iter().map(|partition| partition.name.as_str());
        let partitions = partitions.filter(|name| self.footers[0].schema().index_of(name).is_err());
        stored.chain(partitions).collect()
    }

    /// The type of a column as the first file stores it; none for columns of partition folders.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.footers[0].schema().field_with_name(name).ok()
    }

    /// The key-value pairs of the first file's schema.
    pub fn metadata(&self) -> &Metadata {
        self.footers[0].schema().metadata()
    }

    /// Passes the given columns, a row group at a time and in order, to `each`.
    ///
    /// While `each` works on some row groups, as many as there are threads, the next ones are decoded.
    ///
    /// # Errors
    ///
    /// What `each` returns, or [`ParquetError`] with file, row group and column.
    pub fn for_each<E: From<ParquetError> + Send>(
        &self,
        columns: &[&str],
        mut each: impl FnMut(PartBatch) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let plans = self.parts.files.iter().zip(&self.footers);
        let plans: Vec<Plan<'_>> =
            plans.map(|(part, footer)| Plan::new(self, part, footer, columns)).collect::<Result<_, _>>()?;
        let tasks = self.tasks();
        let decode = |tasks: &[Task]| -> Result<Vec<Vec<PartBatch>>, ParquetError> {
            tasks.par_iter().map(|task| plans[task.part].decode(task.row_group)).collect()
        };
        let mut ready = Vec::new();
        for window in tasks.chunks(rayon::current_num_threads().max(1)) {
            let consume = || std::mem::take(&mut ready).into_iter().flatten().try_for_each(&mut each);
            let (consumed, next) = rayon::join(consume, || decode(window));
            consumed?;
            ready = next?;
        }
        ready.into_iter().flatten().try_for_each(each)
    }

    #[cfg(test)]
    pub(super) fn footers_for_tests(&self) -> &[ArrowReaderMetadata] {
        &self.footers
    }

    fn tasks(&self) -> Vec<Task> {
        let of_part = |(part, footer): (usize, &ArrowReaderMetadata)| {
            (0..footer.metadata().num_row_groups()).map(move |row_group| Task { part, row_group })
        };
        self.footers.iter().enumerate().flat_map(of_part).collect()
    }
}

/// How the columns asked for are found in one file.
struct Plan<'t> {
    path: &'t Path,
    footer: &'t ArrowReaderMetadata,
    sources: Vec<Source<'t>>,
}

/// Where a column comes from.
enum Source<'t> {
    /// A root column of the file, by its number.
    Stored { name: &'t str, root: usize },
    /// A partition folder: its column and the value there.
    Folder { field: Field, make: Box<dyn Fn(usize) -> ArrayRef + Send + Sync + 't> },
}

impl<'t> Plan<'t> {
    fn new(
        table: &'t ParquetTable,
        part: &'t PartFile,
        footer: &'t ArrowReaderMetadata,
        columns: &[&str],
    ) -> Result<Self, ParquetError> {
        let source = |&name: &&str| match footer.schema().index_of(name) {
            Ok(root) => Ok(Source::Stored { name: footer.schema().field(root).name(), root }),
            Err(_) => {
                let folder = table.parts.partitions.iter().position(|partition| partition.name == name);
                let column = folder.ok_or_else(|| {
                    let there = footer.schema().fields().iter().map(|field| field.name().as_str());
                    let folders = table.parts.partitions.iter().map(|partition| partition.name.as_str());
                    BatchPlace::file(&part.path).missing(name, there.chain(folders))
                })?;
                let (partition, value) = (&table.parts.partitions[column], part.values[column].as_deref());
                let make = Box::new(move |n_rows| partition.array(value, n_rows));
                Ok(Source::Folder { field: partition.field(), make })
            }
        };
        let sources = columns.iter().map(source).collect::<Result<_, ParquetError>>()?;
        Ok(Self { path: &part.path, footer, sources })
    }

    fn decode(&self, row_group: usize) -> Result<Vec<PartBatch>, ParquetError> {
        let place = |first_row| BatchPlace::row_group(self.path, row_group as u32, first_row);
        let roots = self.sources.iter().filter_map(|source| match source {
            Source::Stored { root, .. } => Some(*root),
            Source::Folder { .. } => None,
        });
        let batches =
            self.read(row_group, roots.collect()).map_err(|fault| self.blame(row_group, &place(0), fault))?;
        let mut first_row = 0;
        let arranged = batches.into_iter().map(|batch| {
            let part = PartBatch { place: place(first_row), batch: self.arrange(&batch) };
            first_row += batch.num_rows();
            part
        });
        Ok(arranged.collect())
    }

    /// Decodes some columns of a row group; they come in the order of the file.
    fn read(&self, row_group: usize, roots: Vec<usize>) -> Result<Vec<RecordBatch>, Fault> {
        guarded(|| self.read_unguarded(row_group, roots)).unwrap_or_else(|cause| Err(Fault::Decoder(cause)))
    }

    fn read_unguarded(&self, row_group: usize, roots: Vec<usize>) -> Result<Vec<RecordBatch>, Fault> {
        // Each task opens the file for itself: copies of one handle would share its position.
        let file = File::open(self.path).map_err(|cause| FileError::read(self.path, cause))?;
        let n_rows = self.footer.metadata().row_group(row_group).num_rows() as usize;
        let mask = ProjectionMask::roots(self.footer.parquet_schema(), roots);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.footer.clone())
            .with_row_groups(vec![row_group])
            .with_projection(mask)
            .with_batch_size(n_rows.clamp(1, MAX_BATCH_ROWS))
            .build()?;
        Ok(reader.collect::<Result<_, _>>()?)
    }

    /// The error of a row group, with the first column that fails alone.
    fn blame(&self, row_group: usize, place: &BatchPlace, fault: Fault) -> ParquetError {
        let cause = match fault {
            Fault::File(error) => return error.into(),
            Fault::Decoder(cause) => cause,
        };
        let fails = |source: &&Source<'_>| match source {
            Source::Stored { root, .. } => self.read(row_group, vec![*root]).is_err(),
            Source::Folder { .. } => false,
        };
        let column = match self.sources.iter().find(fails) {
            Some(Source::Stored { name, .. }) => (*name).to_owned(),
            _ => "all".to_owned(),
        };
        ParquetError::BrokenColumn { place: place.clone(), column, cause }
    }

    /// The columns in the order asked for, those of folders made.
    fn arrange(&self, batch: &RecordBatch) -> RecordBatch {
        let n_rows = batch.num_rows();
        let columns = self.sources.iter().map(|source| match source {
            Source::Stored { name, .. } => {
                let column = batch.schema_ref().index_of(name).expect("a column that was projected is there");
                (batch.schema_ref().field(column).clone(), batch.column(column).clone())
            }
            Source::Folder { field, make } => (field.clone(), make(n_rows)),
        });
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.unzip();
        let schema: SchemaRef =
            Arc::new(Schema::new_with_metadata(fields, batch.schema_ref().metadata().clone()));
        let rows = arrow_array::RecordBatchOptions::new().with_row_count(Some(n_rows));
        RecordBatch::try_new_with_options(schema, arrays, &rows)
            .expect("columns of a row group are equally long")
    }
}

/// Why a row group cannot be read.
enum Fault {
    File(FileError),
    Decoder(String),
}

impl From<FileError> for Fault {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<parquet::errors::ParquetError> for Fault {
    fn from(cause: parquet::errors::ParquetError) -> Self {
        Self::Decoder(cause.to_string())
    }
}

impl From<arrow_schema::ArrowError> for Fault {
    fn from(cause: arrow_schema::ArrowError) -> Self {
        Self::Decoder(cause.to_string())
    }
}
