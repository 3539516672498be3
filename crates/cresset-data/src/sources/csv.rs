//! Tables of text whose columns the configuration names.

use std::path::Path;

use super::listing::{DataFile, files_of, missing};
use crate::catalogue::Catalogue;
use crate::columns::{ColumnRef, ColumnsConfig, TimeUnit, part_of};
use crate::config::DataConfig;
use crate::error::DataError;
use crate::files::open_text;
use crate::interactions::TimeKind;
use crate::source::RawData;
use crate::text::{At, Dialect, Header, RatingRow, RatingSink, Row, Rows, Separator};

/// Files that are looked for where the configuration names none.
const DEFAULT_FILES: [&str; 2] = ["interactions.csv", "ratings.csv"];

/// Interactions from the files of `data.files.interactions`, their columns as `data.columns` says.
///
/// Without a column of ratings every row is rated 1; without one of times rows have none. Folders such as
/// `part=train` around a file are columns of it.
///
/// # Errors
///
/// [`DataError`] when a file or a column is missing, a file is empty, or a row is not of its format.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut sink = RatingSink::new(None, config);
    for file in files(folder, config)? {
        push_file(&file, &mut sink, config)?;
    }
    Ok(sink.finish(Catalogue::default()))
}

fn files(folder: &Path, config: &DataConfig) -> Result<Vec<DataFile>, DataError> {
    if let Some(names) = &config.files.interactions {
        return files_of(folder, names.names());
    }
    for name in DEFAULT_FILES {
        if let Some(file) = open_text(&folder.join(name))? {
            return Ok(vec![DataFile { path: file.path, partitions: Vec::new() }]);
        }
    }
    Err(missing(folder, &format!("{} (or data.files.interactions)", DEFAULT_FILES.join(" or "))))
}

fn push_file(file: &DataFile, sink: &mut RatingSink, config: &DataConfig) -> Result<(), DataError> {
    let separator = Separator::of(&config.separator).unwrap_or(Separator::byte(b','));
    let dialect = Dialect::of(separator);
    let mut has_time = false;
    if config.header {
        let columns = |header: &Header| {
            let fields = RatingFields::of(header, &file.partitions, &config.columns)?;
            has_time = fields.time.is_some();
            Ok(fields)
        };
        sink.read_table(file.open()?, dialect, columns, |at, fields, row, rows| fields.push(at, row, rows))?;
    } else {
        let fields = RatingFields::without_header(&file.partitions, &config.columns)?;
        has_time = fields.time.is_some();
        let n_columns = fields.n_columns();
        sink.read_headless(file.open()?, dialect, n_columns, |at, row, rows| fields.push(at, row, rows))?;
    }
    if has_time {
        let is_position = config.time_unit == Some(TimeUnit::Position);
        sink.interactions.time_kind = if is_position { TimeKind::Ordinal } else { TimeKind::Timestamp };
    }
    Ok(())
}

/// The columns that the folders around a file name.
type Partitions = [(String, String)];

/// Where a field of a row is: in a column of its file, or the same for the whole file.
enum Field {
    Column(usize),
    Fixed(String),
}

impl Field {
    fn of<'r>(&'r self, row: &'r Row) -> &'r [u8] {
        match self {
            Self::Column(column) => &row[*column],
            Self::Fixed(text) => text.as_bytes(),
        }
    }
}

struct RatingFields {
    user: Field,
    item: Field,
    rating: Option<Field>,
    time: Option<Field>,
    part: Option<Field>,
}

impl RatingFields {
    fn of(header: &Header, partitions: &Partitions, columns: &ColumnsConfig) -> Result<Self, DataError> {
        let lookup = Lookup { header: Some(header), partitions };
        Ok(Self {
            user: lookup.required("data.columns.user", columns.user.as_ref(), ColumnsConfig::USER)?,
            item: lookup.required("data.columns.item", columns.item.as_ref(), ColumnsConfig::ITEM)?,
            rating: lookup.optional("data.columns.rating", columns.rating.as_ref(), ColumnsConfig::RATING)?,
            time: lookup.optional("data.columns.time", columns.time.as_ref(), ColumnsConfig::TIME)?,
            part: lookup.optional("data.columns.part", columns.part.as_ref(), &[])?,
        })
    }

    /// Columns by their numbers, or partitions by their names.
    fn without_header(partitions: &Partitions, columns: &ColumnsConfig) -> Result<Self, DataError> {
        let lookup = Lookup { header: None, partitions };
        Ok(Self {
            user: lookup.required("data.columns.user", columns.user.as_ref(), &[])?,
            item: lookup.required("data.columns.item", columns.item.as_ref(), &[])?,
            rating: lookup.optional("data.columns.rating", columns.rating.as_ref(), &[])?,
            time: lookup.optional("data.columns.time", columns.time.as_ref(), &[])?,
            part: lookup.optional("data.columns.part", columns.part.as_ref(), &[])?,
        })
    }

    /// The number of columns that a row must have.
    fn n_columns(&self) -> usize {
        let optional = [&self.rating, &self.time, &self.part].into_iter().flatten();
        let columns = [&self.user, &self.item].into_iter().chain(optional);
        let end =
            |field: &Field| if let Field::Column(column) = field { column.saturating_add(1) } else { 0 };
        columns.map(end).max().unwrap_or(0)
    }

    fn push(&self, at: At<'_>, row: &Row, rows: &mut Rows) -> Result<(), DataError> {
        let part = self.part.as_ref().map(|field| part_of(at, "part", field.of(row))).transpose()?;
        rows.push(
            at,
            &RatingRow {
                user: self.user.of(row),
                item: self.item.of(row),
                rating: self.rating.as_ref().map(|field| field.of(row)),
                time: self.time.as_ref().map(|field| field.of(row)),
                part,
            },
        )
    }
}

/// What fields may be found by.
struct Lookup<'f> {
    header: Option<&'f Header>,
    partitions: &'f Partitions,
}

impl Lookup<'_> {
    /// The column that the configuration names, which must be there, else one of the usual `names`, if any is there.
    fn optional(
        &self,
        key: &'static str,
        column: Option<&ColumnRef>,
        names: &[&str],
    ) -> Result<Option<Field>, DataError> {
        match column {
            None => Ok(self.find(names)),
            Some(ColumnRef::Number(number)) if self.has(*number) => Ok(Some(Field::Column(*number))),
            Some(ColumnRef::Number(number)) => Err(self.missing(key, &number.to_string())),
            Some(ColumnRef::Name(name)) => {
                self.find(&[name]).map(Some).ok_or_else(|| self.missing(key, name))
            }
        }
    }

    fn required(
        &self,
        key: &'static str,
        column: Option<&ColumnRef>,
        names: &[&str],
    ) -> Result<Field, DataError> {
        self.optional(key, column, names)?.ok_or_else(|| self.missing(key, "null"))
    }

    fn has(&self, number: usize) -> bool {
        self.header.is_none_or(|header| number < header.names().len())
    }

    fn find(&self, names: &[&str]) -> Option<Field> {
        if let Some(column) = self.header.and_then(|header| header.find(names)) {
            return Some(Field::Column(column));
        }
        let is_named = |column: &str| names.iter().any(|name| name.eq_ignore_ascii_case(column));
        let partition = self.partitions.iter().find(|(column, _)| is_named(column));
        partition.map(|(_, value)| Field::Fixed(value.clone()))
    }

    fn missing(&self, key: &'static str, value: &str) -> DataError {
        let expected = match self.header {
            None => "the number of a column from 0, since data.header is false".to_owned(),
            Some(header) => {
                let columns = header.names().join("\", \"");
                format!("one of the columns \"{columns}\" of {}", header.at().place())
            }
        };
        DataError::Config { key, value: value.to_owned(), expected }
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
