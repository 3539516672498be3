//! Texts of items, from a workbook or a CSV with named columns.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::workbook::rows_of;
use crate::catalogue::ItemInfo;
use crate::columns::{ColumnRef, TextConfig};
use crate::config::{DataConfig, OnBadRow};
use crate::error::{DataError, Place};
use crate::files::open_text;
use crate::item_files::{ItemFileError, ItemFileReport, ItemMerge};
use crate::source::Unreadable;
use crate::text::{At, Dialect, Header, Row, for_each_parsed_row};

const DEFAULT_FILES: [&str; 3] = ["text.xls", "text.xlsx", "text.csv"];
const ID: &[&str] = &["id", "item_id", "itemId", "movie_id", "movieId", "mid", "iid"];
const TITLE: &[&str] = &["title", "name", "movie_title"];
const TEXT: &[&str] = &["text", "description", "plot", "overview", "summary", "content"];

/// Adds the texts of the file that the configuration names, or of `text.xls` and the like where it is there.
pub(super) fn merge(folder: &Path, config: &DataConfig, merge: &mut ItemMerge<'_>) -> Result<(), DataError> {
    let mapping = &config.text;
    let Some(path) = path_of(folder, mapping)? else { return Ok(()) };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut report = ItemFileReport::new(&name);
    let each = |item| merge.add(item, &mut report);
    let unreadable = if is_csv(&path) {
        read_csv(&path, mapping, config.on_bad_row, each)?
    } else {
        read_workbook(&path, mapping, config.on_bad_row, each)?
    };
    report.add_unreadable(unreadable);
    merge.reports.push(report);
    Ok(())
}

fn path_of(folder: &Path, mapping: &TextConfig) -> Result<Option<PathBuf>, DataError> {
    if let Some(name) = &mapping.file {
        let path = folder.join(name);
        let is_there = path.is_file() || open_text(&path)?.is_some();
        let missing = || ItemFileError::Missing { file: path.clone(), key: "data.text.file" };
        return if is_there { Ok(Some(path)) } else { Err(missing().into()) };
    }
    Ok(DEFAULT_FILES.iter().map(|name| folder.join(name)).find(|path| path.is_file()))
}

fn is_csv(path: &Path) -> bool {
    !matches!(path.extension().and_then(OsStr::to_str), Some("xls" | "xlsx" | "xlsm" | "xlsb" | "ods"))
}

/// Where a row has its fields.
struct Columns {
    id: usize,
    title: Option<usize>,
    text: usize,
}

impl Columns {
    fn of(file: &Path, header: &[String], mapping: &TextConfig) -> Result<Self, DataError> {
        let find = |column: Option<&ColumnRef>, names: &[&str]| match column {
            Some(ColumnRef::Number(number)) => Some(*number).filter(|number| *number < header.len()),
            Some(ColumnRef::Name(name)) => position(header, &[name]),
            None => position(header, names),
        };
        let require = |column: Option<&ColumnRef>, names: &[&str]| {
            find(column, names).ok_or_else(|| missing(file, header, column, names))
        };
        let title = match &mapping.title {
            None => find(None, TITLE),
            title => Some(require(title.as_ref(), &[])?),
        };
        Ok(Self { id: require(mapping.id.as_ref(), ID)?, title, text: require(mapping.text.as_ref(), TEXT)? })
    }

    /// The item of one row, whose cells `cell` gives; without an id it is none.
    fn item<'r>(&self, cell: impl Fn(usize) -> &'r str) -> Option<ItemInfo> {
        let (id, text) = (cell(self.id).to_owned(), cell(self.text).to_owned());
        let title = self.title.map_or("", &cell).to_owned();
        let attributes = vec![("text".to_owned(), text)];
        (!id.is_empty()).then(|| ItemInfo { id, title, attributes, ..ItemInfo::default() })
    }
}

fn position(header: &[String], names: &[&str]) -> Option<usize> {
    header.iter().position(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name)))
}

fn missing(file: &Path, header: &[String], column: Option<&ColumnRef>, names: &[&str]) -> DataError {
    let column = column.map_or_else(|| names.join(", "), ToString::to_string);
    let (file, header) = (file.to_owned(), header.join(","));
    ItemFileError::MissingColumn { file, column, header }.into()
}

fn read_csv(
    path: &Path,
    mapping: &TextConfig,
    on_bad_row: OnBadRow,
    each: impl FnMut(ItemInfo),
) -> Result<Unreadable, DataError> {
    let gone = || ItemFileError::Missing { file: path.to_owned(), key: "data.text.file" };
    let file = open_text(path)?.ok_or_else(gone)?;
    let columns = |header: &Header| Columns::of(path, header.names(), mapping);
    let parse = |at: At<'_>, columns: &Columns, row: &Row| {
        (0..row.len()).try_for_each(|field| at.utf8("text", &row[field]).map(drop))?;
        // Every field has just been seen to be UTF-8.
        let cell = |field: usize| std::str::from_utf8(row[field].trim_ascii()).unwrap_or_default();
        columns.item(cell).ok_or_else(|| at.bad_field("item id", b"", "an id"))
    };
    for_each_parsed_row(file, Dialect::CSV, on_bad_row, columns, parse, each)
}

fn read_workbook(
    path: &Path,
    mapping: &TextConfig,
    on_bad_row: OnBadRow,
    mut each: impl FnMut(ItemInfo),
) -> Result<Unreadable, DataError> {
    let mut rows = rows_of(path, mapping.sheet.as_deref())?.into_iter();
    let empty = || DataError::EmptyFile { file: path.to_owned() };
    let (_, header) = rows.next().ok_or_else(empty)?;
    let columns = Columns::of(path, &header, mapping)?;
    let (mut unreadable, mut n_rows) = (Unreadable::default(), 0_u64);
    for (line, row) in rows {
        n_rows += 1;
        if let Some(item) = columns.item(|cell| row.get(cell).map_or("", String::as_str)) {
            each(item);
            continue;
        }
        let place = Place::Line { file: path.to_owned(), line };
        let error = DataError::BadField { place, field: "item id", value: String::new(), expected: "an id" };
        if on_bad_row == OnBadRow::Error {
            return Err(error);
        }
        unreadable.count(&error);
    }
    if n_rows == 0 { Err(empty()) } else { Ok(unreadable) }
}
