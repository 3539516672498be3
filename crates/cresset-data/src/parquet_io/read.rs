//! Tables read a row group at a time, decoded on all threads, handed over in order.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Metadata, Schema};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use rayon::prelude::*;

use super::error::ParquetError;
use super::footer::footer_of;
use super::parts::Parts;
use super::row_group::{RowGroup, TableFile};
use crate::arrow::{BatchPlace, ColumnError};
use crate::part_files::PartFile;

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

/// One row group, and how its file gives the columns asked for.
#[derive(Clone, Copy)]
struct Task<'p> {
    plan: &'p Plan<'p>,
    row_group: RowGroup<'p>,
}

/// The given columns of the file at `path` or, where that is a folder, of all files below it.
///
/// Files are read in order of their names. A folder named `split=train` gives its files a column `split`.
///
/// # Errors
///
/// [`ParquetError`] with the file and, where there is one, the row group and the column.
pub fn read_parquet(path: &Path, columns: &[&str]) -> Result<Vec<PartBatch>, ParquetError> {
    ParquetTable::open(path)?.read(columns)
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

    /// The given columns of all rows.
    ///
    /// # Errors
    ///
    /// As [`for_each`](Self::for_each).
    pub fn read(&self, columns: &[&str]) -> Result<Vec<PartBatch>, ParquetError> {
        let mut batches = Vec::new();
        self.for_each(columns, |part| -> Result<(), ParquetError> {
            batches.push(part);
            Ok(())
        })?;
        Ok(batches)
    }

    /// The files in order of their names, for whoever reads their row groups himself.
    pub(crate) fn files(&self) -> impl Iterator<Item = TableFile<'_>> {
        let files = self.parts.files.iter().zip(&self.footers);
        files.map(|(part, footer)| TableFile { path: &part.path, footer })
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
        let plans: Vec<Plan<'_>> = self
            .files()
            .zip(&self.parts.files)
            .map(|(file, part)| Plan::new(self, part, file, columns))
            .collect::<Result<_, _>>()?;
        let tasks: Vec<Task<'_>> = plans.iter().flat_map(Plan::tasks).collect();
        let decode = |tasks: &[Task<'_>]| -> Result<Vec<Vec<PartBatch>>, ParquetError> {
            tasks.par_iter().map(|task| task.plan.decode(task.row_group)).collect()
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

    /// The error for a column that neither a file nor its folders have.
    fn missing(&self, file: TableFile<'_>, name: &str) -> ColumnError {
        let stored = file.schema().fields().iter().map(|field| field.name().as_str());
        let folders = self.parts.partitions.iter().map(|partition| partition.name.as_str());
        BatchPlace::file(file.path).missing(name, stored.chain(folders))
    }

    #[cfg(test)]
    pub(super) fn footers_for_tests(&self) -> &[ArrowReaderMetadata] {
        &self.footers
    }
}

/// How the columns asked for are found in one file.
struct Plan<'t> {
    file: TableFile<'t>,
    /// Numbers of the columns that the file has.
    stored: Vec<usize>,
    sources: Vec<Source<'t>>,
}

/// Where a column comes from.
enum Source<'t> {
    /// The next of the columns that the file has.
    Stored,
    /// A partition folder: its column and the value there.
    Folder { field: Field, make: Box<dyn Fn(usize) -> ArrayRef + Send + Sync + 't> },
}

impl<'t> Plan<'t> {
    fn new(
        table: &'t ParquetTable,
        part: &'t PartFile,
        file: TableFile<'t>,
        columns: &[&str],
    ) -> Result<Self, ParquetError> {
        let mut stored = Vec::new();
        let mut sources = Vec::with_capacity(columns.len());
        for name in columns {
            if let Ok(column) = file.schema().index_of(name) {
                stored.push(column);
                sources.push(Source::Stored);
                continue;
            }
            let folder = table.parts.partitions.iter().position(|partition| partition.name == *name);
            let column = folder.ok_or_else(|| table.missing(file, name))?;
            let (partition, value) = (&table.parts.partitions[column], part.partitions[column].1.as_deref());
            let make = Box::new(move |n_rows| partition.array(value, n_rows));
            sources.push(Source::Folder { field: partition.field(), make });
        }
        Ok(Self { file, stored, sources })
    }

    fn tasks(&self) -> impl Iterator<Item = Task<'_>> {
        self.file.row_groups().map(move |row_group| Task { plan: self, row_group })
    }

    fn decode(&self, row_group: RowGroup<'_>) -> Result<Vec<PartBatch>, ParquetError> {
        let mut batches = Vec::new();
        row_group.for_each(&self.stored, MAX_BATCH_ROWS, |part| -> Result<(), ParquetError> {
            batches.push(PartBatch { batch: self.with_folders(part.batch), ..part });
            Ok(())
        })?;
        Ok(batches)
    }

    /// The columns in the order asked for, those of folders made.
    fn with_folders(&self, batch: RecordBatch) -> RecordBatch {
        if self.stored.len() == self.sources.len() {
            return batch;
        }
        let (n_rows, schema) = (batch.num_rows(), batch.schema());
        let mut stored = schema.fields().iter().zip(batch.columns());
        let columns = self.sources.iter().filter_map(|source| match source {
            Source::Stored => stored.next().map(|(field, array)| (field.as_ref().clone(), array.clone())),
            Source::Folder { field, make } => Some((field.clone(), make(n_rows))),
        });
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.unzip();
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        let rows = RecordBatchOptions::new().with_row_count(Some(n_rows));
        RecordBatch::try_new_with_options(schema, arrays, &rows)
            .expect("columns of a row group are equally long")
    }
}
