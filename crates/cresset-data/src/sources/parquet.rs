//! Parquet whose columns the configuration names: one file, a folder of part files, or Hive partitions.

use std::path::{Path, PathBuf};

use arrow_schema::DataType;

use super::listing::missing;
use crate::arrow::{InteractionColumns, InteractionImport};
use crate::catalogue::Catalogue;
use crate::columns::{ColumnRef, ColumnsConfig, TimeUnit};
use crate::config::DataConfig;
use crate::error::DataError;
use crate::interactions::{Interactions, TimeKind};
use crate::parquet_io::{ParquetTable, PartBatch};
use crate::source::{RawData, Unreadable};

/// What is looked for where the configuration names nothing; else the folder itself is the table.
const DEFAULT_FILES: [&str; 4] = ["interactions.parquet", "ratings.parquet", "interactions", "ratings"];

/// Interactions from the files of `data.files.interactions`, their columns as `data.columns` says.
///
/// A name stands for a file or a folder of them, whose folders `part=train` are a column `part`. Ids are text, without
/// the blanks around it, or whole numbers. Times are dates, timestamps of any unit, or whole numbers whose unit is told by their size unless
/// `data.time_unit` says it. Without a column of ratings every row is rated 1; without one of times rows have none.
///
/// # Errors
///
/// [`DataError`] when a file or a column is missing, a file is damaged, or a value is null or none of its kind.
pub fn read(folder: &Path, config: &DataConfig) -> Result<RawData, DataError> {
    let mut interactions: Option<Interactions> = None;
    for path in paths(folder, config)? {
        let rows = read_table(&path, config)?;
        match &mut interactions {
            None => interactions = Some(rows),
            Some(all) => append(all, rows),
        }
    }
    let interactions = interactions.unwrap_or_default();
    let rating_range = config.rating_range.unwrap_or_else(|| interactions.rating_range());
    Ok(RawData {
        interactions,
        catalogue: Catalogue::default(),
        rating_range,
        unreadable: Unreadable::default(),
        sampled_negatives: 0,
        item_files: Vec::new(),
    })
}

/// Joins two tables; where only one of them has times, theirs is the kind.
fn append(all: &mut Interactions, more: Interactions) {
    if all.time_kind == TimeKind::Absent {
        all.time_kind = more.time_kind;
    }
    all.append(more);
}

fn paths(folder: &Path, config: &DataConfig) -> Result<Vec<PathBuf>, DataError> {
    if let Some(files) = &config.files.interactions {
        let path_of = |name: &String| {
            let path = folder.join(name);
            if path.exists() { Ok(path) } else { Err(missing(folder, name)) }
        };
        return files.names().iter().map(path_of).collect();
    }
    if let Some(path) = DEFAULT_FILES.iter().map(|name| folder.join(name)).find(|path| path.exists()) {
        return Ok(vec![path]);
    }
    if folder.is_dir() {
        return Ok(vec![folder.to_owned()]);
    }
    Err(missing(folder, &format!("{} (or data.files.interactions)", DEFAULT_FILES[..2].join(" or "))))
}

fn read_table(path: &Path, config: &DataConfig) -> Result<Interactions, DataError> {
    let table = ParquetTable::open(path)?;
    let columns = columns_of(&table, path, config)?;
    let unit = unit_of(&table, &columns, config);
    let mut import = InteractionImport::new(&columns);
    table.for_each(&columns.names(), |PartBatch { place, batch }| -> Result<(), DataError> {
        Ok(import.append(&batch, &place)?)
    })?;
    let mut rows = import.finish_as(unit);
    // As in files of text, blanks around an id are no part of it.
    rows.users.trim();
    rows.items.trim();
    if config.time_unit == Some(TimeUnit::Position) && columns.time.is_some() {
        rows.time_kind = TimeKind::Ordinal;
    }
    if rows.is_empty() {
        return Err(DataError::EmptyFile { file: path.to_owned() });
    }
    Ok(rows)
}

/// What numbers in the column of times count where the configuration says so; dates count for themselves.
fn unit_of(table: &ParquetTable, columns: &InteractionColumns, config: &DataConfig) -> Option<TimeUnit> {
    let unit = config.time_unit?;
    let field = table.field(columns.time.as_deref()?);
    let is_date = field.is_some_and(|field| {
        matches!(field.data_type(), DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
    });
    Some(if is_date { TimeUnit::Seconds } else { unit })
}

fn columns_of(
    table: &ParquetTable,
    path: &Path,
    config: &DataConfig,
) -> Result<InteractionColumns, DataError> {
    let ColumnsConfig { user, item, rating, time, part } = &config.columns;
    let lookup = Lookup { names: table.columns(), path };
    let required = |key: &'static str, column: &Option<ColumnRef>, names: &[&str]| {
        lookup.find(key, column.as_ref(), names)?.ok_or_else(|| lookup.missing(key, "null"))
    };
    Ok(InteractionColumns {
        user: required("data.columns.user", user, ColumnsConfig::USER)?,
        item: required("data.columns.item", item, ColumnsConfig::ITEM)?,
        rating: lookup.find("data.columns.rating", rating.as_ref(), ColumnsConfig::RATING)?,
        time: lookup.find("data.columns.time", time.as_ref(), ColumnsConfig::TIME)?,
        part: lookup.find("data.columns.part", part.as_ref(), &[])?,
        on_null: config.on_bad_row,
    })
}

/// The columns of a table, by name and by number.
struct Lookup<'t> {
    names: Vec<&'t str>,
    path: &'t Path,
}

impl Lookup<'_> {
    /// The column that the configuration names, which must be there, else one of the usual `names`, if any is there.
    fn find(
        &self,
        key: &'static str,
        column: Option<&ColumnRef>,
        names: &[&str],
    ) -> Result<Option<String>, DataError> {
        let named = |names: &[&str]| {
            let is_one = |column: &&&str| names.iter().any(|name| name.eq_ignore_ascii_case(column));
            self.names.iter().find(is_one).map(|name| (*name).to_owned())
        };
        let found = match column {
            None => return Ok(named(names)),
            Some(ColumnRef::Number(number)) => self.names.get(*number).map(|name| (*name).to_owned()),
            Some(ColumnRef::Name(name)) => named(&[name]),
        };
        let value = || column.map_or_else(String::new, ToString::to_string);
        found.map(Some).ok_or_else(|| self.missing(key, &value()))
    }

    fn missing(&self, key: &'static str, value: &str) -> DataError {
        let columns = self.names.join("\", \"");
        let expected = format!("one of the columns \"{columns}\" of {}", self.path.display());
        DataError::Config { key, value: value.to_owned(), expected }
    }
}

#[cfg(test)]
#[path = "parquet_tests.rs"]
mod tests;
