//! External ids and the dense indices that stand for them.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::DataError;
use crate::files::{FileError, atomic_write_with, read_bytes};
use crate::interactions::IdColumn;

/// A one-to-one map between external ids and the indices `0..len`.
///
/// ```
/// use cresset_data::Vocabulary;
///
/// let users = Vocabulary::from_ids(["10", "9", "196"]);
/// assert_eq!(users.index_of("9"), Some(0));
/// assert_eq!(users.id_of(2), "196");
/// assert_eq!(users.index_of("7"), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    ids: Vec<String>,
    index_of: HashMap<String, u32>,
}

impl Vocabulary {
    /// Indexes the distinct `ids` in natural order: by number when each is an unsigned integer, else by text.
    pub fn from_ids<S: Into<String>>(ids: impl IntoIterator<Item = S>) -> Self {
        let mut ids: Vec<String> = ids.into_iter().map(Into::into).collect();
        match ids.iter().map(|id| id.parse().ok()).collect::<Option<Vec<u64>>>() {
            Some(numbers) => {
                let mut numbered: Vec<(u64, String)> = numbers.into_iter().zip(ids).collect();
                numbered.sort_unstable();
                ids = numbered.into_iter().map(|(_, id)| id).collect();
            }
            None => ids.sort_unstable(),
        }
        ids.dedup();
        Self::in_order(ids)
    }

    /// Indexes the ids of a column that occur in `rows`, and gives each code its index (meaningless for the codes
    /// that do not occur).
    pub(crate) fn from_column(column: &IdColumn, rows: &[u32]) -> (Self, Vec<u32>) {
        let mut is_used = vec![false; column.names().len()];
        for &row in rows {
            is_used[column.codes()[row as usize] as usize] = true;
        }
        let used = column.names().iter().zip(is_used).filter(|(_, is_used)| *is_used);
        let vocabulary = Self::from_ids(used.map(|(name, _)| name));
        let indices = column.names().iter().map(|name| vocabulary.index_of(name).unwrap_or(u32::MAX));
        let indices = indices.collect();
        (vocabulary, indices)
    }

    /// Takes distinct ids as they are ordered.
    fn in_order(ids: Vec<String>) -> Self {
        let index_of = ids.iter().zip(0..).map(|(id, index)| (id.clone(), index)).collect();
        Self { ids, index_of }
    }

    /// The number of ids.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no id.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The index of an id, if it is known.
    pub fn index_of(&self, id: &str) -> Option<u32> {
        self.index_of.get(id).copied()
    }

    /// The id of an index.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`len`](Self::len).
    pub fn id_of(&self, index: u32) -> &str {
        &self.ids[index as usize]
    }

    /// All ids by index.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Writes the JSON object `{ "196": 0, ... }`, in order of index, as `uid2idx.json` and `iid2idx.json` are.
    ///
    /// # Errors
    ///
    /// [`DataError::File`] when the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), DataError> {
        let written = atomic_write_with(path, |file| Ok(serde_json::to_writer_pretty(file, self)?));
        Ok(written?)
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`DataError::File`] when the file cannot be read or is no JSON object; [`DataError::BadVocabulary`] when its
    /// indices are not `0..len`, each once.
    pub fn load(path: &Path) -> Result<Self, DataError> {
        read_json::<Entries>(path)?.into_vocabulary(path, 0)
    }

    /// Reads a map that another program made, and the index of its first id.
    ///
    /// The file may be a list of ids too, and its indices may begin at 1, where 0 stands for padding.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), and when an id is empty.
    pub(crate) fn load_foreign(path: &Path) -> Result<(Self, u32), DataError> {
        let ForeignEntries(entries) = read_json(path)?;
        let starts_at_1 = entries.0.iter().all(|(_, index)| index.as_u64().is_some_and(|index| index > 0));
        let base = u32::from(starts_at_1 && !entries.0.is_empty());
        if let Some(entry) = entries.0.iter().find(|(id, _)| id.is_empty()) {
            return Err(bad_entry(path, entry, "and an id is a text that is not empty".to_owned()));
        }
        Ok((entries.into_vocabulary(path, base)?, base))
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, DataError> {
    Ok(serde_json::from_slice(&read_bytes(path)?).map_err(|cause| FileError::read(path, cause))?)
}

impl Entries {
    /// The ids by index, where the first index is `base`.
    fn into_vocabulary(self, path: &Path, base: u32) -> Result<Vocabulary, DataError> {
        let fault = |entry: &(String, Value), fault| bad_entry(path, entry, fault);
        let index_in = |entry: &(String, Value)| entry.1.as_u64()?.checked_sub(base.into());
        let mut ids: Vec<Option<String>> = vec![None; self.0.len()];
        let mut index_of = HashMap::with_capacity(self.0.len());
        for entry in &self.0 {
            let index = index_in(entry).and_then(|index| u32::try_from(index).ok());
            let slot = index.and_then(|index| Some((index, ids.get_mut(index as usize)?)));
            let (index, slot) = slot.ok_or_else(|| fault(entry, outside(self.0.len(), base)))?;
            if let Some(other) = slot.replace(entry.0.clone()) {
                return Err(fault(entry, format!("which is that of id \"{other}\" too")));
            }
            if let Some(other) = index_of.insert(entry.0.clone(), index) {
                return Err(fault(entry, format!("and index {} too", other + base)));
            }
        }
        // As many entries as slots, and no slot twice: every slot is filled.
        Ok(Vocabulary { ids: ids.into_iter().flatten().collect(), index_of })
    }
}

fn bad_entry(path: &Path, (id, index): &(String, Value), fault: String) -> DataError {
    DataError::BadVocabulary { file: path.to_owned(), id: id.clone(), index: index.to_string(), fault }
}

fn outside(len: usize, base: u32) -> String {
    let last = len - 1 + base as usize;
    format!("and with {len} ids the indices are the whole numbers from {base} to {last}, each once")
}

impl Serialize for Vocabulary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (index, id) in self.ids.iter().enumerate() {
            map.serialize_entry(id, &index)?;
        }
        map.end()
    }
}

/// The entries of a JSON object, repeated keys included.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// The same, or a list of ids in order of their indices.
struct ForeignEntries(Entries);

impl<'de> Deserialize<'de> for ForeignEntries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntriesVisitor).map(Self)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of ids and their indices")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(id) = list.next_element::<Value>()? {
            let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            entries.push((id, Value::from(entries.len())));
        }
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_ordered_as_numbers_and_mixed_ids_as_text() {
        assert_eq!(Vocabulary::from_ids(["10", "9", "10", "1"]).ids(), ["1", "9", "10"]);
        assert_eq!(Vocabulary::from_ids(["10", "9", "b"]).ids(), ["10", "9", "b"]);
    }

    #[test]
    fn ids_that_are_one_number_stay_two_ids() {
        assert_eq!(Vocabulary::from_ids(["7", "007"]).ids(), ["007", "7"]);
    }

    #[test]
    fn ids_of_a_column_that_no_row_uses_are_left_out() {
        let mut column = IdColumn::default();
        ["b", "a", "c", "a"].into_iter().for_each(|id| column.push(id));
        let (vocabulary, indices) = Vocabulary::from_column(&column, &[0, 3]);
        assert_eq!(vocabulary.ids(), ["a", "b"]);
        assert_eq!(indices[..2], [1, 0]);
    }

    fn check_load(json: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uid2idx.json");
        std::fs::write(&path, json).unwrap();
        let message = Vocabulary::load(&path).unwrap_err().to_string();
        let start = format!("{}: ", path.display());
        assert_eq!(message.strip_prefix(&start).unwrap_or(&message), expected);
    }

    #[test]
    fn a_gap_is_refused() {
        check_load(
            r#"{ "196": 0, "22": 2 }"#,
            "id \"22\" has index 2, and with 2 ids the indices are the whole numbers from 0 to 1, each once: \
             restore the file that was saved with the model",
        );
    }

    #[test]
    fn a_repeated_index_a_repeated_id_and_an_index_that_is_none_are_refused() {
        let remedy = "restore the file that was saved with the model";
        check_load(
            r#"{"a": 0, "b": 0}"#,
            &format!("id \"b\" has index 0, which is that of id \"a\" too: {remedy}"),
        );
        check_load(r#"{"a": 0, "a": 1}"#, &format!("id \"a\" has index 1, and index 0 too: {remedy}"));
        let none = "and with 1 ids the indices are the whole numbers from 0 to 0, each once";
        check_load(r#"{"a": -1}"#, &format!("id \"a\" has index -1, {none}: {remedy}"));
        check_load(r#"{"a": "x"}"#, &format!("id \"a\" has index \"x\", {none}: {remedy}"));
    }

    #[test]
    fn what_is_no_json_object_is_refused_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("iid2idx.json");
        std::fs::write(&path, "[1, 2").unwrap();
        let message = Vocabulary::load(&path).unwrap_err().to_string();
        assert!(message.contains("iid2idx.json") && message.contains("an object of ids"), "{message}");
    }

    #[test]
    fn the_file_is_the_object_that_others_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uid2idx.json");
        Vocabulary::from_ids(["196", "22"]).save(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\n  \"22\": 0,\n  \"196\": 1\n}");
    }

    #[test]
    fn a_map_of_another_program_may_be_a_list_or_begin_at_1() {
        let folder = tempfile::tempdir().unwrap();
        let load = |json: &str| {
            let path = folder.path().join("iid2idx.json");
            std::fs::write(&path, json).unwrap();
            Vocabulary::load_foreign(&path).map(|(vocabulary, base)| (vocabulary.ids.join(" "), base))
        };
        assert_eq!(load(r#"{"b": 1, "a": 0}"#).unwrap(), ("a b".to_owned(), 0));
        assert_eq!(load(r#"{"b": 1, "a": 2}"#).unwrap(), ("b a".to_owned(), 1));
        assert_eq!(load(r#"["x", 7]"#).unwrap(), ("x 7".to_owned(), 0));
        let message = load(r#"["x", ""]"#).unwrap_err().to_string();
        assert!(message.contains("id \"\" has index 1, and an id is a text that is not empty"), "{message}");
        let message = load(r#"{"b": 1, "a": 3}"#).unwrap_err().to_string();
        assert!(message.contains("with 2 ids the indices are the whole numbers from 1 to 2"), "{message}");
    }

    proptest! {
        #[test]
        fn loading_is_the_inverse_of_saving(ids in prop::collection::vec(any::<String>(), 0..20)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("uid2idx.json");
            let vocabulary = Vocabulary::from_ids(ids);
            vocabulary.save(&path).unwrap();
            prop_assert_eq!(Vocabulary::load(&path).unwrap(), vocabulary);
        }

        #[test]
        fn every_id_is_found_at_its_index(ids in prop::collection::vec("[0-9a-c]{0,3}", 0..30)) {
            let vocabulary = Vocabulary::from_ids(ids.iter().map(String::as_str));
            for id in &ids {
                prop_assert_eq!(vocabulary.id_of(vocabulary.index_of(id).unwrap()), id);
            }
            let mut indices = 0..vocabulary.len() as u32;
            prop_assert!(indices.all(|index| vocabulary.index_of(vocabulary.id_of(index)) == Some(index)));
        }
    }
}
