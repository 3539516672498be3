//! `splits.json`: which row is for what.

use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::error::FolderError;
use crate::error::DataError;
use crate::files::read_bytes;
use crate::split::Part;

const EXPECTED: &str = "{\"train\": [row numbers], \"valid\": [...], \"test\": [...]}";
const PARTS: [Part; 3] = [Part::Train, Part::Valid, Part::Test];

/// What a `splits.json` says, before it is held against the table.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Splits {
    /// Rows by part, in the order of the file.
    rows: Vec<(Part, Rows)>,
    /// A part for each row.
    by_row: Option<Vec<Part>>,
    /// First moments of the validation and of the test part.
    valid_from: Option<f64>,
    test_from: Option<f64>,
}

/// The rows of one part.
#[derive(Debug, PartialEq)]
enum Rows {
    List(Vec<u64>),
    Range { start: u64, end: u64 },
}

impl Splits {
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

    /// The part of each row; none for rows that no part names.
    pub(super) fn assign(self, path: &Path, times: &[i64]) -> Result<Vec<Option<Part>>, FolderError> {
        let n_rows = times.len();
        if let Some(parts) = self.by_row {
            let file = path.to_owned();
            return match parts.len() == n_rows {
                true => Ok(parts.into_iter().map(Some).collect()),
                false => Err(FolderError::Length { file, found: parts.len(), expected: n_rows, of: "rows" }),
            };
        }
        if self.rows.is_empty() {
            let part = |&time: &i64| Some(self.part_at(time));
            return Ok(times.iter().map(part).collect());
        }
        let mut assigned = vec![None; n_rows];
        for (part, rows) in &self.rows {
            let mut assign = |row| assign_row(path, &mut assigned, row, *part);
            match rows {
                Rows::List(rows) => rows.iter().try_for_each(|&row| assign(row))?,
                Rows::Range { start, end } => (*start..*end).try_for_each(assign)?,
            }
        }
        Ok(assigned)
    }

    /// The part of a row by its time; rows without a time lie before every moment, and train.
    fn part_at(&self, time: i64) -> Part {
        let is_from = |moment: Option<f64>| moment.is_some_and(|moment| time as f64 >= moment);
        match () {
            () if is_from(self.test_from) => Part::Test,
            () if is_from(self.valid_from) => Part::Valid,
            () => Part::Train,
        }
    }
}

fn assign_row(path: &Path, assigned: &mut [Option<Part>], row: u64, part: Part) -> Result<(), FolderError> {
    let n_rows = assigned.len();
    let slot = usize::try_from(row).ok().and_then(|row| assigned.get_mut(row));
    let slot =
        slot.ok_or_else(|| FolderError::RowBeyond { file: path.to_owned(), part: name(part), row, n_rows })?;
    match slot.replace(part) {
        None => Ok(()),
        Some(first) => {
            let (first, second) = (name(first), name(part));
            Err(FolderError::RowTwice { file: path.to_owned(), row, first, second })
        }
    }
}

/// What `splits.json` calls a part.
pub(super) fn name(part: Part) -> &'static str {
    match part {
        Part::Train => "train",
        Part::Valid => "valid",
        Part::Test => "test",
    }
}

impl<'de> Deserialize<'de> for Splits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SplitsVisitor)
    }
}

struct SplitsVisitor;

impl<'de> Visitor<'de> for SplitsVisitor {
    type Value = Splits;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of parts, or a list with the part of each row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Splits, A::Error> {
        let mut parts = Vec::new();
        while let Some(PartName(part)) = list.next_element()? {
            parts.push(part);
        }
        Ok(Splits { by_row: Some(parts), ..Splits::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Splits, A::Error> {
        let mut splits = Splits::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "valid_from" | "val_from" | "train_end" => splits.valid_from = Some(map.next_value()?),
                "test_from" | "valid_end" | "val_end" => splits.test_from = Some(map.next_value()?),
                // What a program notes about its split is no rows.
                "method" | "strategy" | "seed" | "note" | "ratios" | "sizes" | "counts" | "n_rows" => {
                    map.next_value::<IgnoredAny>()?;
                }
                name => {
                    let unknown = || A::Error::custom(format!("\"{name}\" is no part of a split"));
                    splits.rows.push((Part::named(name).ok_or_else(unknown)?, map.next_value()?));
                }
            }
        }
        if splits.rows.is_empty() && splits.test_from.is_none() {
            return Err(A::Error::custom("no part of a split is there"));
        }
        Ok(splits)
    }
}

/// A part by name or by number.
struct PartName(Part);

impl<'de> Deserialize<'de> for PartName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartVisitor;

        impl Visitor<'_> for PartVisitor {
            type Value = PartName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Part::EXPECTED)
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<PartName, E> {
                Part::named(name)
                    .map(PartName)
                    .ok_or_else(|| E::custom(format!("\"{name}\" is no part of a split")))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<PartName, E> {
                let part = usize::try_from(number).ok().and_then(|number| PARTS.get(number));
                part.copied()
                    .map(PartName)
                    .ok_or_else(|| E::custom(format!("{number} is no part of a split")))
            }
        }

        deserializer.deserialize_any(PartVisitor)
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RowsVisitor;

        impl<'de> Visitor<'de> for RowsVisitor {
            type Value = Rows;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of row numbers, or a start and an end")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Rows, A::Error> {
                let mut rows = Vec::with_capacity(list.size_hint().unwrap_or_default());
                while let Some(row) = list.next_element()? {
                    rows.push(row);
                }
                Ok(Rows::List(rows))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
                let (mut start, mut end) = (0, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "start" | "from" => start = map.next_value()?,
                        "end" | "stop" | "to" => end = Some(map.next_value()?),
                        other => return Err(A::Error::unknown_field(other, &["start", "end"])),
                    }
                }
                let end = end.ok_or_else(|| A::Error::missing_field("end"))?;
                Ok(Rows::Range { start, end })
            }
        }

        deserializer.deserialize_any(RowsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interactions::NO_TIME;

    /// The first letters of the parts of rows with the given times, a dash for rows in none.
    fn assign(json: &str, times: &[i64]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("splits.json");
        std::fs::write(&path, json).unwrap();
        let clean = |error: String| error.replace(&format!("{}: ", path.display()), "");
        let splits = Splits::read(&path).map_err(|error| clean(error.to_string()))?.unwrap();
        let parts = splits.assign(&path, times).map_err(|error| clean(error.to_string()))?;
        Ok(parts.into_iter().map(|part| part.map_or("-", |part| &name(part)[..1])).collect())
    }

    #[test]
    fn rows_are_assigned_by_every_shape_of_the_file() {
        let times = [5, 6, NO_TIME, 8, 9];
        let check =
            |json: &str, expected: &str| assert_eq!(assign(json, &times).as_deref(), Ok(expected), "{json}");
        check(r#"{"train": [0, 2], "valid": [3], "test": [4, 1]}"#, "tttvt");
        check(r#"{"val": [3], "train": [0], "seed": 42}"#, "t--v-");
        check(r#"{"train": {"start": 0, "end": 3}, "test": {"start": 3, "end": 5}}"#, "ttttt");
        check(r#"["train", "valid", "train", 1, 2]"#, "tvtvt");
        check(r#"{"train_end": 6, "val_end": 9}"#, "tvtvt");
        check(r#"{"test_from": 9}"#, "ttttt");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_row() {
        let check = |json: &str, expected: &str| assert_eq!(assign(json, &[1, 2]).unwrap_err(), expected);
        check(
            r#"{"train": [0, 7], "test": [1]}"#,
            "the train part names row 7, and the table has 2 rows: use files that were written together",
        );
        check(
            r#"{"train": [0, 1], "validation": [1]}"#,
            "row 1 is in the train part and in the valid part: take it out of one",
        );
        check(r#"["train"]"#, "a list of 1 for 2 rows: use files that were written together");
        check(
            r#"{"train": [0], "holdout": [1]}"#,
            "\"holdout\" is no part of a split at line 1 column 24: write the file as {\"train\": [row numbers], \"valid\": \
             [...], \"test\": [...]}",
        );
    }
}
