//! Parquet files read and written: one file, a folder of part files, or Hive partitions.
//!
//! Columns of a row group are compressed and decoded on all threads, and only a few row groups are in memory at a
//! time, besides what the caller keeps.
//!
//! ```
//! use cresset_data::parquet_io::{ParquetOptions, read_parquet, write_parquet};
//! use cresset_data::{Ratings, TimeKind};
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("ratings.parquet");
//! let ratings = Ratings {
//!     user_id: vec![0, 1],
//!     item_id: vec![7, 4],
//!     rating: vec![5.0, 4.0],
//!     time: vec![10, 20],
//!     time_kind: TimeKind::Timestamp,
//!     parts: None,
//! };
//! write_parquet(&file, &ratings.into_batch(None), &ParquetOptions::default())?;
//!
//! let parts = read_parquet(&file, &["item_id", "rating"])?;
//! assert_eq!(parts[0].batch.num_columns(), 2);
//! assert_eq!(parts[0].batch.num_rows(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod footer;
mod parts;
mod read;
mod row_group;
#[cfg(test)]
mod tests;
mod write;

pub use error::ParquetError;
pub use read::{ParquetTable, PartBatch, read_parquet};
pub(crate) use row_group::{RowGroup, TableFile};
pub use write::{ColumnEncoding, ParquetOptions, write_parquet, write_parquet_batches};
