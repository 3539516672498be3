//! The row groups of a file, each decoded by itself, some rows at a time.

use std::fs::File;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use super::error::ParquetError;
use super::footer::guarded;
use super::read::PartBatch;
use crate::arrow::BatchPlace;
use crate::files::FileError;

/// One file of a table, its footer read.
#[derive(Clone, Copy)]
pub(crate) struct TableFile<'t> {
    pub(crate) path: &'t Path,
    pub(super) footer: &'t ArrowReaderMetadata,
}

impl<'t> TableFile<'t> {
    /// The columns that the file itself has.
    pub(crate) fn schema(self) -> &'t Schema {
        self.footer.schema()
    }

    /// The row groups in order.
    pub(crate) fn row_groups(self) -> impl Iterator<Item = RowGroup<'t>> {
        (0..self.footer.metadata().num_row_groups()).map(move |number| RowGroup { file: self, number })
    }
}

/// A row group of a file.
#[derive(Clone, Copy)]
pub(crate) struct RowGroup<'t> {
    pub(crate) file: TableFile<'t>,
    number: usize,
}

impl RowGroup<'_> {
    /// The number of rows that the footer announces.
    pub(crate) fn n_rows(self) -> usize {
        // Not negative: `footer_of` has looked.
        self.file.footer.metadata().row_group(self.number).num_rows() as usize
    }

    /// Passes columns of the file, by number and in the order given, to `each`, at most `batch_rows` rows at a time.
    ///
    /// # Errors
    ///
    /// What `each` returns, or [`ParquetError`] with file, row group and the first column that cannot be decoded; also
    /// when there are more or fewer rows than the footer announces.
    pub(crate) fn for_each<E: From<ParquetError>>(
        self,
        columns: &[usize],
        batch_rows: usize,
        mut each: impl FnMut(PartBatch) -> Result<(), E>,
    ) -> Result<(), E> {
        let expected = self.n_rows();
        let mut batches = Batches::open(self, columns, batch_rows)?;
        let mut n_rows = 0;
        while let Some(batch) = batches.next()? {
            let place = self.place(n_rows);
            n_rows += batch.num_rows();
            if n_rows > expected {
                return Err(self.wrong_count(n_rows).into());
            }
            each(PartBatch { place, batch })?;
        }
        if n_rows == expected { Ok(()) } else { Err(self.wrong_count(n_rows).into()) }
    }

    /// The first row; none where there is no row.
    ///
    /// # Errors
    ///
    /// [`ParquetError`] as of [`for_each`](Self::for_each).
    pub(crate) fn first_row(self, columns: &[usize]) -> Result<Option<PartBatch>, ParquetError> {
        let batch = Batches::open(self, columns, 1)?.next()?;
        Ok(batch.map(|batch| PartBatch { place: self.place(0), batch }))
    }

    fn place(self, first_row: usize) -> BatchPlace {
        BatchPlace::row_group(self.file.path, self.number as u32, first_row)
    }

    fn reader(self, columns: &[usize], batch_rows: usize) -> Result<ParquetRecordBatchReader, Fault> {
        let TableFile { path, footer } = self.file;
        // A handle has one position: row groups that are read at the same time need one each.
        let file = File::open(path).map_err(|cause| FileError::read(path, cause))?;
        let build = || {
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer.clone())
                .with_row_groups(vec![self.number])
                .with_projection(ProjectionMask::roots(footer.parquet_schema(), columns.iter().copied()))
                .with_batch_size(batch_rows.min(self.n_rows()).max(1))
                .build()
        };
        Ok(guarded(build)??)
    }

    /// The error of a row group, with the first of some columns that fails alone.
    fn blame(self, columns: &[usize], fault: Fault) -> ParquetError {
        let cause = match fault {
            Fault::File(error) => return error.into(),
            Fault::Decoder(cause) => cause,
        };
        let failing = columns.iter().find(|&&column| self.decode_alone(column).is_err());
        let name = failing.map(|&column| self.file.schema().field(column).name().clone());
        ParquetError::BrokenColumn {
            place: self.place(0),
            column: name.unwrap_or_else(|| "all".to_owned()),
            cause,
        }
    }

    fn decode_alone(self, column: usize) -> Result<(), Fault> {
        let mut reader = self.reader(&[column], BLAME_ROWS)?;
        while next_of(&mut reader)?.is_some() {}
        Ok(())
    }

    fn wrong_count(self, found: usize) -> ParquetError {
        ParquetError::RowCount { place: self.place(0), found, expected: self.n_rows() }
    }
}

/// Rows decoded at a time where only their damage is looked for.
const BLAME_ROWS: usize = 1 << 12;

/// Columns of a row group on their way from the disk.
struct Batches<'t> {
    group: RowGroup<'t>,
    reader: ParquetRecordBatchReader,
    /// The columns that are read, ascending and each once, as the decoder hands them over.
    stored: Vec<usize>,
    /// Where each column asked for is among those.
    order: Vec<usize>,
}

impl<'t> Batches<'t> {
    fn open(group: RowGroup<'t>, columns: &[usize], batch_rows: usize) -> Result<Self, ParquetError> {
        let mut stored = columns.to_vec();
        stored.sort_unstable();
        stored.dedup();
        let order = columns.iter().map(|column| stored.partition_point(|other| other < column)).collect();
        let reader = group.reader(&stored, batch_rows).map_err(|fault| group.blame(&stored, fault))?;
        Ok(Self { group, reader, stored, order })
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, ParquetError> {
        let batch = next_of(&mut self.reader).and_then(|batch| {
            let arranged = batch.map(|batch| batch.project(&self.order)).transpose();
            arranged.map_err(|cause| Fault::Decoder(cause.to_string()))
        });
        batch.map_err(|fault| self.group.blame(&self.stored, fault))
    }
}

fn next_of(reader: &mut ParquetRecordBatchReader) -> Result<Option<RecordBatch>, Fault> {
    Ok(guarded(|| reader.next().transpose())??)
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

impl From<String> for Fault {
    fn from(panic: String) -> Self {
        Self::Decoder(panic)
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
