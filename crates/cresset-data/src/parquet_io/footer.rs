//! What stands at the end of a Parquet file, checked before it is believed.

use std::any::Any;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::ParquetError as Cause;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::error::ParquetError;
use crate::files::FileError;

/// The footer of a file, its row groups within the file.
pub(super) fn footer_of(path: &Path) -> Result<ArrowReaderMetadata, ParquetError> {
    let fail = |cause| FileError::read(path, cause);
    let file = File::open(path).map_err(fail)?;
    let n_bytes = file.metadata().map_err(fail)?.len();
    let loaded = guarded(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()));
    let loaded = loaded.unwrap_or_else(|cause| Err(Cause::General(cause)));
    let checked = loaded.and_then(|footer| check(footer.metadata(), n_bytes).map(|()| footer));
    checked.map_err(|cause| ParquetError::Broken { file: path.to_owned(), cause })
}

/// Refuses counts and places that cannot be, on which the decoder would stop or ask for any amount of memory.
fn check(footer: &ParquetMetaData, n_bytes: u64) -> Result<(), Cause> {
    let mut n_rows = 0_i64;
    for (number, group) in footer.row_groups().iter().enumerate() {
        let is_placed = group.columns().iter().all(|column| is_within(column, n_bytes));
        if group.num_rows() < 0 || !is_placed {
            let cause =
                format!("row group {number} is said to lie outside of the {n_bytes} bytes of the file");
            return Err(Cause::General(cause));
        }
        // A row is a value of each column at least, be it null or an empty list.
        if group.columns().iter().any(|column| column.num_values() < group.num_rows()) {
            return Err(Cause::General(format!("row group {number} is said to have more rows than values")));
        }
        n_rows = n_rows.saturating_add(group.num_rows());
    }
    let announced = footer.file_metadata().num_rows();
    if n_rows != announced {
        let cause = format!("{announced} rows are announced, and the row groups have {n_rows}");
        return Err(Cause::General(cause));
    }
    Ok(())
}

fn is_within(column: &ColumnChunkMetaData, n_bytes: u64) -> bool {
    let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
    let place = u64::try_from(start).ok().zip(u64::try_from(column.compressed_size()).ok());
    let end = place.and_then(|(start, len)| start.checked_add(len));
    end.is_some_and(|end| end <= n_bytes) && column.num_values() >= 0
}

/// What `decode` returns, or the message of its panic: some damage the decoder meets with an assertion.
pub(super) fn guarded<T>(decode: impl FnOnce() -> T) -> Result<T, String> {
    // Nothing that a panic could leave half done is used afterwards.
    catch_unwind(AssertUnwindSafe(decode)).map_err(|panic| message_of(panic.as_ref()))
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("the decoder gave up").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        assert_eq!(guarded(|| 7), Ok(7));
        assert_eq!(guarded(|| -> u8 { panic!("page {} is odd", 3) }), Err("page 3 is odd".to_owned()));
    }
}
