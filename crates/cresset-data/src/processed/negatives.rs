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
    /// Those of the file to evaluate with, none where it is not there or has training's alone.
    pub(super) fn read(
        path: &Path,
        users: &FolderIndex,
        items: &FolderIndex,
        n_rows: Option<PartSizes>,
    ) -> Result<Option<Self>, DataError> {
        let Some(sections) = Sections::read(path)? else { return Ok(None) };
        let Some(lists) = sections.test.or(sections.any) else { return Ok(None) };
        Ok(match lists.indexed(path, users, items)? {
            Lists::ByUser(entries) => Some(Self::ByUser(entries)),
            Lists::ByRow(rows) => match n_rows {
                // Of the training rows, which are no concern of an evaluation.
                Some(PartSizes { train, test }) if rows.len() == train && train != test => None,
                Some(PartSizes { test, .. }) if rows.len() != test => {
                    return Err(length(path, rows.len(), test, "test rows").into());
                }
                _ => Some(Self::ByTestRow(rows)),
            },
        })
    }
}

/// How many rows the parts have for which negatives may be listed.
#[derive(Clone, Copy)]
pub(super) struct PartSizes {
    pub(super) train: usize,
    pub(super) test: usize,
}

/// A list that is not as long as it must be.
pub(super) fn length(path: &Path, found: usize, expected: usize, of: &'static str) -> FolderError {
    FolderError::Length { file: path.to_owned(), found, expected, of }
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
#[derive(Default)]
pub(super) struct Sections {
    /// Negatives of the training part alone.
    pub(super) train: Option<RawLists>,
    /// Those of the test part alone.
    pub(super) test: Option<RawLists>,
    /// Those of which the file does not say the part.
    pub(super) any: Option<RawLists>,
}

/// Lists of items as the file spells them.
pub(super) enum RawLists {
    ByRow(Vec<Vec<Value>>),
    ByUser(Vec<(String, Vec<Value>)>),
}

/// Lists of items under the folder's indices.
pub(super) enum Lists {
    ByRow(Vec<Vec<u32>>),
    ByUser(Vec<(u32, Vec<u32>)>),
}

impl Sections {
    /// Reads the file, none where it is not there.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, DataError> {
        if !path.is_file() {
            return Ok(None);
        }
        let json = |cause: serde_json::Error| FolderError::Json {
            file: path.to_owned(),
            cause: cause.to_string(),
            expected: EXPECTED,
        };
        Ok(Some(serde_json::from_slice(&read_bytes(path)?).map_err(json)?))
    }
}

impl RawLists {
    /// The lists under the folder's indices.
    ///
    /// A number is an index. Text is an external id where the vocabulary has it; where every key of users is an index
    /// as well as an id, as in data whose ids are numbers from 0, keys are indices.
    pub(super) fn indexed(
        self,
        path: &Path,
        users: &FolderIndex,
        items: &FolderIndex,
    ) -> Result<Lists, FolderError> {
        let indexed = |list: Vec<Value>| {
            let index = |item: Value| index_of(items, &item).ok_or_else(|| unknown(path, "item", &item));
            list.into_iter().map(index).collect::<Result<Vec<u32>, FolderError>>()
        };
        let entries = match self {
            Self::ByRow(rows) => {
                return Ok(Lists::ByRow(rows.into_iter().map(indexed).collect::<Result<_, _>>()?));
            }
            Self::ByUser(entries) => entries,
        };
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
        Ok(Lists::ByUser(entries.into_iter().map(entry).collect::<Result<_, FolderError>>()?))
    }
}

impl<'de> Deserialize<'de> for Sections {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SectionsVisitor)
    }
}

struct SectionsVisitor;

impl<'de> Visitor<'de> for SectionsVisitor {
    type Value = Sections;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of users, or a list with the items of each test row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Sections, A::Error> {
        Ok(Sections { any: Some(ListsVisitor.visit_seq(list)?), ..Sections::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sections, A::Error> {
        let mut sections = Sections::default();
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "train" => sections.train = Some(map.next_value()?),
                "test" => sections.test = Some(map.next_value()?),
                // Sets stored with how they were drawn.
                "negatives" => {
                    let Sections { train, test, any } = map.next_value()?;
                    let Sections { train: train_before, test: test_before, .. } = sections;
                    sections = Sections { train: train.or(train_before), test: test.or(test_before), any };
                }
                "protocol" | "seed" | "valid" | "val" | "validation" => {
                    map.next_value::<IgnoredAny>()?;
                }
                _ => entries.push((key, map.next_value()?)),
            }
        }
        if !entries.is_empty() {
            sections.any = Some(RawLists::ByUser(entries));
        }
        match &sections {
            Sections { train: None, test: None, any: None } => {
                Err(A::Error::custom("no negatives are there"))
            }
            _ => Ok(sections),
        }
    }
}

impl<'de> Deserialize<'de> for RawLists {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListsVisitor)
    }
}

struct ListsVisitor;

impl<'de> Visitor<'de> for ListsVisitor {
    type Value = RawLists;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of users, or a list with the items of each row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RawLists, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = list.next_element()? {
            rows.push(row);
        }
        Ok(RawLists::ByRow(rows))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawLists, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(RawLists::ByUser(entries))
    }
}
