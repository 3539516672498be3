//! The ids of one data set under those of another.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::VectorsError;
use super::format::{VectorsFormat, open};
use crate::config::OnBadRow;
use crate::error::DataError;
use crate::text::{Dialect, Header, for_each_row};

/// Which columns of a file are mapped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdMapConfig {
    /// Column of the ids that the interactions have. Default: null, the first.
    pub item_column: Option<String>,
    /// Column of the ids that the vectors have. Default: null, the second.
    pub vector_column: Option<String>,
}

/// For ids of the interactions, the ids that vectors have.
///
/// ```
/// use cresset_data::vectors::IdMap;
///
/// let map = IdMap::from_pairs([("1", "17"), ("2", "17")]);
/// assert_eq!(map.get("2"), Some("17"));
/// assert_eq!(map.get("3"), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdMap {
    vector_id_of: HashMap<String, String>,
}

impl IdMap {
    /// The map of some pairs of item id and vector id; of pairs with the same item the last counts.
    pub fn from_pairs<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Self {
        let owned = pairs.into_iter().map(|(item, vector)| (item.to_owned(), vector.to_owned()));
        Self { vector_id_of: owned.collect() }
    }

    /// The map of a CSV or TSV file with a header; rows without one of the ids are left out.
    ///
    /// # Errors
    ///
    /// [`DataError`] when the file cannot be read or lacks a column, and [`VectorsError::AmbiguousMap`] when an item
    /// has two vectors.
    pub fn read(path: &Path, config: &IdMapConfig) -> Result<Self, DataError> {
        let separator = match VectorsFormat::of(path) {
            Ok(VectorsFormat::Tsv) => b'\t',
            _ => b',',
        };
        let file = open(path)?;
        let path = file.path.clone();
        let mut map = Self::default();
        for_each_row(
            file,
            Dialect::quoted(separator),
            OnBadRow::Error,
            |header| {
                let item = find(&path, header, config.item_column.as_deref(), 0, "item_column")?;
                Ok((item, find(&path, header, config.vector_column.as_deref(), 1, "vector_column")?))
            },
            |at, &(item, vector), row| {
                let (item, vector) = (at.utf8("id", &row[item])?, at.utf8("id", &row[vector])?);
                if item.is_empty() || vector.is_empty() {
                    return Ok(());
                }
                match map.vector_id_of.insert(item.to_owned(), vector.to_owned()) {
                    Some(first) if first != vector => Err(VectorsError::AmbiguousMap {
                        place: at.place(),
                        id: item.into(),
                        first: first.into(),
                        second: vector.into(),
                    }
                    .into()),
                    _ => Ok(()),
                }
            },
        )?;
        Ok(map)
    }

    /// The id under which an item's vector is found.
    pub fn get(&self, item: &str) -> Option<&str> {
        self.vector_id_of.get(item).map(String::as_str)
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.vector_id_of.len()
    }

    /// Whether no item is mapped.
    pub fn is_empty(&self) -> bool {
        self.vector_id_of.is_empty()
    }
}

/// The column asked for, else the one at `default`.
fn find(
    file: &Path,
    header: &Header,
    asked: Option<&str>,
    default: usize,
    key: &'static str,
) -> Result<usize, VectorsError> {
    let column = asked.map_or(Some(default), |name| header.find(&[name]));
    column.filter(|&column| column < header.names().len()).ok_or_else(|| VectorsError::NoColumn {
        file: file.to_owned(),
        found: format!("the columns {}", header.names().join(", ")),
        expected: "a column for each of the two ids",
        key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, config: &IdMapConfig) -> Result<IdMap, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.csv");
        std::fs::write(&path, text).unwrap();
        let shown = format!("{}", path.display());
        IdMap::read(&path, config).map_err(|error| error.to_string().replace(&shown, "map.csv"))
    }

    #[test]
    fn the_first_two_columns_are_mapped_unless_others_are_asked_for() {
        let text = "a,b,c\n1,2,3\n4,,6\n";
        assert_eq!(read(text, &IdMapConfig::default()).unwrap(), IdMap::from_pairs([("1", "2")]));
        let config = IdMapConfig { item_column: Some("c".to_owned()), vector_column: Some("a".to_owned()) };
        assert_eq!(read(text, &config).unwrap(), IdMap::from_pairs([("3", "1"), ("6", "4")]));
    }

    #[test]
    fn an_item_with_two_vectors_is_refused_with_its_line() {
        assert_eq!(
            read("a,b\n1,2\n1,2\n1,3\n", &IdMapConfig::default()).unwrap_err(),
            "map.csv:4: id \"1\" is mapped to \"3\", and to \"2\" above: delete one of the lines"
        );
    }

    #[test]
    fn a_column_that_is_not_there_is_named_with_those_that_are() {
        assert_eq!(
            read("a\n1\n", &IdMapConfig::default()).unwrap_err(),
            "map.csv has the columns a, expected a column for each of the two ids: name it with vector_column"
        );
    }
}
