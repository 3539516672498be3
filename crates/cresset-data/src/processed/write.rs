//! A processed folder written from a data set.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::{INTERACTIONS, ITEMS, RATING_RANGE, SPLITS, USERS, catalogue};
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::files::{FileError, atomic_write_with};
use crate::parquet_io::{ParquetOptions, write_parquet_batches};
use crate::split::Split;

/// Writes `interactions_mapped.parquet`, `uid2idx.json`, `iid2idx.json`, `splits.json`, `items.jsonl` and `users.jsonl`,
/// replacing what is there; the folder is made if it is not.
///
/// # Errors
///
/// [`DataError::File`] when a file cannot be written.
pub fn write_folder(folder: &Path, data: &Dataset, split: &Split) -> Result<(), DataError> {
    std::fs::create_dir_all(folder).map_err(|cause| FileError::write(folder, cause))?;
    write_table(&folder.join(INTERACTIONS), data)?;
    data.users.save(&folder.join(USERS))?;
    data.items.save(&folder.join(ITEMS))?;
    write_splits(&folder.join(SPLITS), split)?;
    catalogue::write(folder, &data.catalogue)
}

fn write_table(path: &Path, data: &Dataset) -> Result<(), DataError> {
    let options = ParquetOptions::default();
    // A second copy of a few row groups at a time, not of all rows.
    let n_rows = options.rows_per_group * rayon::current_num_threads().max(1);
    let (low, high) = data.rating_range;
    let mut schema = data.ratings.select(&[]).into_batch(None).schema().as_ref().clone();
    schema.metadata.insert(RATING_RANGE, format!("{low} {high}"));
    let batches = data.ratings.batches(n_rows).map(Ok);
    write_parquet_batches(path, &Arc::new(schema), batches, &options)
}

fn write_splits(path: &Path, split: &Split) -> Result<(), DataError> {
    let written = atomic_write_with(path, |file| {
        let mut parts = file;
        write_part(&mut parts, "{\n", "train", &split.train)?;
        write_part(&mut parts, ",\n", "valid", &split.valid)?;
        write_part(&mut parts, ",\n", "test", &split.test)?;
        parts.write_all(b"\n}\n")
    });
    Ok(written?)
}

fn write_part(file: &mut impl Write, before: &str, name: &str, rows: &[u32]) -> io::Result<()> {
    write!(file, "{before}\"{name}\": ")?;
    Ok(serde_json::to_writer(file, rows)?)
}
