//! The cells of a sheet as text.

use std::panic::catch_unwind;
use std::path::Path;

use calamine::{Data, Range, Reader, open_workbook_auto};

use crate::error::DataError;
use crate::item_files::ItemFileError;

/// The rows of a sheet that have a value, as text, each with its number in the sheet, from 1.
///
/// # Errors
///
/// [`ItemFileError::Workbook`] when the file is no workbook or damaged, [`ItemFileError::MissingSheet`].
pub(super) fn rows_of(path: &Path, sheet: Option<&str>) -> Result<Vec<(u64, Vec<String>)>, DataError> {
    let range = range_of(path, sheet)?;
    let first = range.start().map_or(0, |(row, _)| u64::from(row)) + 1;
    let numbered = (first..).zip(range.rows().map(|row| row.iter().map(text_of).collect::<Vec<_>>()));
    Ok(numbered.filter(|(_, row)| row.iter().any(|cell| !cell.is_empty())).collect())
}

/// As [`read_range`], also where a damaged workbook makes calamine panic, as cut ones of the old format do.
fn range_of(path: &Path, sheet: Option<&str>) -> Result<Range<Data>, DataError> {
    let damaged = || ItemFileError::Workbook { file: path.to_owned(), fault: "it is damaged".to_owned() };
    catch_unwind(|| read_range(path, sheet)).unwrap_or_else(|_| Err(damaged().into()))
}

fn read_range(path: &Path, sheet: Option<&str>) -> Result<Range<Data>, DataError> {
    let failed = |fault: String| ItemFileError::Workbook { file: path.to_owned(), fault };
    let mut book = open_workbook_auto(path).map_err(|cause| failed(cause.to_string()))?;
    let names = book.sheet_names();
    let name = match sheet {
        None => names.first().cloned().ok_or_else(|| failed("it has no sheet".to_owned()))?,
        Some(sheet) if names.iter().any(|name| name == sheet) => sheet.to_owned(),
        Some(sheet) => {
            let there = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            let (file, sheet) = (path.to_owned(), sheet.to_owned());
            return Err(ItemFileError::MissingSheet { file, sheet, there }.into());
        }
    };
    Ok(book.worksheet_range(&name).map_err(|cause| failed(cause.to_string()))?)
}

/// A cell as a person reads it: a number without a point where it is whole, since ids are.
fn text_of(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}
