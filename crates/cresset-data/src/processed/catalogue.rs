//! `items.jsonl` and `users.jsonl`: what is known of each item and user, one JSON object a line.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::path::Path;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::error::FolderError;
use super::{ITEM_INFO, USER_INFO};
use crate::catalogue::{Catalogue, ItemInfo, UserInfo};
use crate::error::DataError;
use crate::files::{atomic_write_with, open_text};
use crate::text::for_each_line;

/// A line of `items.jsonl`.
#[derive(Serialize, Deserialize)]
#[serde(default)]
struct ItemLine<'a> {
    id: Cow<'a, str>,
    title: Cow<'a, str>,
    genres: Cow<'a, [String]>,
    attributes: Attributes<'a>,
}

/// A line of `users.jsonl`.
#[derive(Serialize, Deserialize)]
#[serde(default)]
struct UserLine<'a> {
    id: Cow<'a, str>,
    attributes: Attributes<'a>,
}

impl Default for ItemLine<'_> {
    fn default() -> Self {
        Self { id: "".into(), title: "".into(), genres: Vec::new().into(), attributes: Attributes::default() }
    }
}

impl Default for UserLine<'_> {
    fn default() -> Self {
        Self { id: "".into(), attributes: Attributes::default() }
    }
}

/// Writes both files.
pub(super) fn write(folder: &Path, catalogue: &Catalogue) -> Result<(), DataError> {
    write_lines(&folder.join(ITEM_INFO), &catalogue.items, |item| ItemLine {
        id: item.id.as_str().into(),
        title: item.title.as_str().into(),
        genres: item.genres.as_slice().into(),
        attributes: Attributes(item.attributes.as_slice().into()),
    })?;
    write_lines(&folder.join(USER_INFO), &catalogue.users, |user| UserLine {
        id: user.id.as_str().into(),
        attributes: Attributes(user.attributes.as_slice().into()),
    })
}

/// Reads the files that are there; none where neither is.
pub(super) fn read(folder: &Path) -> Result<Option<Catalogue>, DataError> {
    let items = read_lines(&folder.join(ITEM_INFO), |line: ItemLine<'static>| ItemInfo {
        id: line.id.into_owned(),
        title: line.title.into_owned(),
        genres: line.genres.into_owned(),
        attributes: line.attributes.0.into_owned(),
    })?;
    let users = read_lines(&folder.join(USER_INFO), |line: UserLine<'static>| UserInfo {
        id: line.id.into_owned(),
        attributes: line.attributes.0.into_owned(),
    })?;
    if items.is_none() && users.is_none() {
        return Ok(None);
    }
    Ok(Some(Catalogue { items: items.unwrap_or_default(), users: users.unwrap_or_default() }))
}

fn write_lines<'a, T, L: Serialize>(
    path: &Path,
    entries: &'a [T],
    line: impl Fn(&'a T) -> L,
) -> Result<(), DataError> {
    let written = atomic_write_with(path, |file| {
        for entry in entries {
            serde_json::to_writer(&mut *file, &line(entry))?;
            file.write_all(b"\n")?;
        }
        Ok(())
    });
    Ok(written?)
}

fn read_lines<L: DeserializeOwned, T>(
    path: &Path,
    entry: impl Fn(L) -> T,
) -> Result<Option<Vec<T>>, DataError> {
    let Some(file) = open_text(path)? else { return Ok(None) };
    let mut entries = Vec::new();
    let read = for_each_line(file, |at, line| {
        let parsed = serde_json::from_slice(line).map_err(|cause| FolderError::Json {
            file: format!("{}:{}", at.file.display(), at.line).into(),
            cause: cause.to_string(),
            expected: "one JSON object a line, such as {\"id\": \"242\", \"title\": \"Kolya (1996)\"}",
        })?;
        entries.push(entry(parsed));
        Ok(())
    });
    match read {
        // A data set of which nothing is known has files without a line.
        Ok(()) | Err(DataError::EmptyFile { .. }) => Ok(Some(entries)),
        Err(error) => Err(error),
    }
}

/// Names and values as a JSON object, in their order, a name twice where it is there twice.
#[derive(Default)]
struct Attributes<'a>(Cow<'a, [(String, String)]>);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Attributes<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AttributesVisitor;

        impl<'de> Visitor<'de> for AttributesVisitor {
            type Value = Vec<(String, String)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names and texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }

        Ok(Self(deserializer.deserialize_map(AttributesVisitor)?.into()))
    }
}
