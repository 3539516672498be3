//! CSV and TSV: a header, a column of ids, and one column a dimension or one of lists.

use std::path::Path;

use super::Found;
use super::config::VectorsConfig;
use super::error::{Position, VectorPlace, VectorsError};
use super::format::open;
use super::json::{NumberFault, parse_numbers};
use crate::config::OnBadRow;
use crate::error::DataError;
use crate::text::{At, Dialect, Header, Row, for_each_row};

/// The rows of a table.
pub(super) fn read(path: &Path, separator: u8, config: &VectorsConfig) -> Result<Found, DataError> {
    let file = open(path)?;
    let path = file.path.clone();
    let mut ids = Vec::new();
    let mut values: Vec<f32> = Vec::new();
    let mut dim = None;
    for_each_row(
        file,
        Dialect::quoted(separator),
        OnBadRow::Error,
        |header| Ok(Columns::find(&path, header, config)?),
        |at, columns, row| {
            let id = at.utf8("id", &row[columns.id])?;
            let start = values.len();
            columns.append(row, &mut values).map_err(|fault| fault.of(place(at, id)))?;
            let found = values.len() - start;
            if found == 0 {
                return Err(VectorsError::Empty { place: place(at, id) }.into());
            }
            let expected = *dim.get_or_insert(found);
            if found != expected {
                return Err(VectorsError::Width { place: place(at, id), found, expected }.into());
            }
            ids.push(id.to_owned());
            Ok(())
        },
    )?;
    Ok(Found { ids: Some(ids), dim: dim.unwrap_or_default(), values })
}

fn place(at: At<'_>, id: &str) -> VectorPlace {
    VectorPlace::new(at.file, Position::Line(at.line), id)
}

/// Where a table has its fields.
struct Columns {
    id: usize,
    /// One a dimension, or a single one that may hold lists.
    values: Vec<usize>,
}

impl Columns {
    fn find(file: &Path, header: &Header, config: &VectorsConfig) -> Result<Self, VectorsError> {
        let names = header.names();
        let missing = |expected, key| VectorsError::NoColumn {
            file: file.to_owned(),
            found: format!("the columns {}", names.join(", ")),
            expected,
            key,
        };
        let id = match names.iter().position(|name| config.is_id(name)) {
            Some(id) => id,
            // An index that a data frame wrote has any name or none, and comes first.
            None if config.id_column.is_none() => 0,
            None => return Err(missing("a column of ids", "id_column")),
        };
        let values: Vec<usize> = match names.iter().position(|name| config.is_vector(name)) {
            Some(values) if values != id => vec![values],
            _ if config.vector_column.is_some() => {
                return Err(missing("a column of lists", "vector_column"));
            }
            _ => (0..names.len()).filter(|&column| column != id).collect(),
        };
        if values.is_empty() {
            return Err(missing("columns of numbers beside the ids", "id_column"));
        }
        Ok(Self { id, values })
    }

    fn append(&self, row: &Row, values: &mut Vec<f32>) -> Result<(), NumberFault> {
        for (dimension, &column) in self.values.iter().enumerate() {
            let field = row[column].trim_ascii();
            let list = field.strip_prefix(b"[").and_then(|field| field.strip_suffix(b"]"));
            parse_numbers(list.unwrap_or(field), |value| values.push(value))
                .map_err(|fault| NumberFault { dimension: dimension + fault.dimension, ..fault })?;
        }
        Ok(())
    }
}
