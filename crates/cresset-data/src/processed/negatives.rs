//! `negatives.json`: items that users did not choose.

use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::error::FolderError;
use super::index::FolderIndex;
use crate::error::DataError;
use crate::files::read_bytes;

const EXPECTED: &str = "{\"USER\": [items], ...}, or a list of items for each test row";

/// Negatives as a folder gives them, under our indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Negatives {
    /// User index and item indices, in the order of the file.
    ByUser(Vec<(u32, Vec<u32>)>),
    /// Item indices for each row of the test part, in its order.
    ByTestRow(Vec<Vec<u32>>),
}

impl Negatives {
    /// Reads the file, none where it is not there.
    ///
    /// A number is an index. Text is an external id where the vocabulary has it; where every key of users is an index
    /// as well as an id, as in data whose ids are numbers from 0, keys are indices.
    pub(super) fn read(
        path: &Path,
        users: &FolderIndex,
        items: &FolderIndex,
        n_test: Option<usize>,
    ) -> Result<Option<Self>, DataError> {
        if !path.is_file() {
            return Ok(None);
        }
        let raw: Raw = serde_json::from_slice(&read_bytes(path)?).map_err(|cause| FolderError::Json {
            file: path.to_owned(),
            cause: cause.to_string(),
            expected: EXPECTED,
        })?;
        let indexed = |list: Vec<Value>| {
            let index = |item: Value| index_of(items, &item).ok_or_else(|| unknown(path, "item", &item));
            list.into_iter().map(index).collect::<Result<Vec<u32>, FolderError>>()
        };
        match raw {
            Raw::List(rows) => {
                let found = rows.len();
                if let Some(expected) = n_test.filter(|&n_test| n_test != found) {
                    return Err(FolderError::Length {
                        file: path.to_owned(),
                        found,
                        expected,
                        of: "test rows",
                    }
                    .into());
                }
                Ok(Some(Self::ByTestRow(rows.into_iter().map(indexed).collect::<Result<_, _>>()?)))
            }
            Raw::Map(entries) => {
                let are_indices =
                    entries.iter().all(|(user, _)| number(user).and_then(|it| users.checked(it)).is_some());
                let user_of = |user: &str| match are_indices {
                    true => number(user).and_then(|index| users.checked(index)),
                    false => users.vocabulary.index_of(user),
                };
                let entry = |(user, list): (String, Vec<Value>)| {
                    let index = user_of(&user).ok_or_else(|| unknown(path, "user", &Value::from(user)))?;
                    Ok((index, indexed(list)?))
                };
                Ok(Some(Self::ByUser(entries.into_iter().map(entry).collect::<Result<_, FolderError>>()?)))
            }
        }
    }
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// The index of an item: numbers are indices, text is an id.
fn index_of(items: &FolderIndex, item: &Value) -> Option<u32> {
    match item {
        Value::String(id) => items.vocabulary.index_of(id),
        _ => items.checked(item.as_i64()?),
    }
}

fn unknown(path: &Path, what: &'static str, id: &Value) -> FolderError {
    FolderError::UnknownNegative { file: path.to_owned(), what, id: id.to_string() }
}

/// The file as it is written.
enum Raw {
    List(Vec<Vec<Value>>),
    Map(Vec<(String, Vec<Value>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of users, or a list with the items of each test row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = list.next_element()? {
            rows.push(row);
        }
        Ok(Raw::List(rows))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                // Sets stored with how they were drawn, or those of the test part alone.
                "negatives" | "test" => return finish(map.next_value()?, map),
                "protocol" | "seed" | "valid" | "val" | "validation" | "train" => {
                    map.next_value::<IgnoredAny>()?;
                }
                _ => entries.push((key, map.next_value()?)),
            }
        }
        if entries.is_empty() {
            Err(A::Error::custom("no negatives are there"))
        } else {
            Ok(Raw::Map(entries))
        }
    }
}

/// The value found, once what follows it has been passed over.
fn finish<'de, A: MapAccess<'de>>(found: Raw, mut map: A) -> Result<Raw, A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(found)
}
