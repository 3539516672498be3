//! Candidate sets as JSON and as Parquet.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, UInt32Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CandidateSets, NegativesError, Origin, Protocol};
use crate::files::{FileError, atomic_write_with, read_bytes};

const USER: &str = "user_id";
const ITEMS: &str = "candidates";
const PROTOCOL: &str = "protocol";
const SEED: &str = "seed";
const SETS: &str = "negatives";
/// Users in a record batch when writing.
const USERS_AT_ONCE: usize = 16_384;

impl CandidateSets {
    /// Writes `{"protocol": "uni100", "seed": 42, "negatives": {"0": [3, 7], ...}}`, user and item indices.
    ///
    /// # Errors
    ///
    /// [`FileError`] when the file cannot be written.
    pub fn save_json(&self, file: &Path) -> Result<(), FileError> {
        atomic_write_with(file, |writer| Ok(serde_json::to_writer(writer, &AsJson(self))?))
    }

    /// Reads what [`save_json`](Self::save_json) wrote, or a bare `{"0": [3, 7], ...}`, which has no
    /// [`origin`](Self::origin).
    ///
    /// Whether users and items are those of the data at hand is for [`check`](Self::check) to say.
    ///
    /// # Errors
    ///
    /// [`NegativesError`] when the file cannot be read or is of another shape, and when a user or a user's candidate
    /// is there twice.
    pub fn load_json(file: &Path) -> Result<Self, NegativesError> {
        let bytes = read_bytes(file)?;
        let parsed: Parsed = serde_json::from_slice(&bytes).map_err(|cause| damaged(file, cause))?;
        parsed.into_sets(file)
    }

    /// Writes the columns `user_id` and `candidates`, a list, one row for each user; protocol and seed are in the
    /// file's metadata.
    ///
    /// # Errors
    ///
    /// [`FileError`] when the file cannot be written.
    pub fn save_parquet(&self, file: &Path) -> Result<(), FileError> {
        let schema = Arc::new(self.schema());
        let level = ZstdLevel::try_new(3).map_err(|cause| FileError::write(file, io::Error::other(cause)))?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        atomic_write_with(file, |writer| {
            let mut writer = ArrowWriter::try_new(writer, schema.clone(), Some(properties))?;
            let sets: Vec<(u32, &[u32])> = self.iter().collect();
            for sets in sets.chunks(USERS_AT_ONCE) {
                writer.write(&to_batch(&schema, sets).map_err(io::Error::other)?)?;
            }
            writer.close()?;
            Ok(())
        })
    }

    /// Reads what [`save_parquet`](Self::save_parquet) wrote.
    ///
    /// # Errors
    ///
    /// As [`load_json`](Self::load_json).
    pub fn load_parquet(file: &Path) -> Result<Self, NegativesError> {
        let opened = File::open(file).map_err(|cause| FileError::read(file, cause))?;
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|cause| damaged(file, cause))?;
        let metadata = builder.schema().metadata();
        let mut parsed = Parsed {
            protocol: metadata.get(PROTOCOL).cloned(),
            seed: match metadata.get(SEED) {
                Some(seed) => {
                    Some(seed.parse().map_err(|_| damaged(file, format!("its seed is \"{seed}\"")))?)
                }
                None => None,
            },
            sets: BTreeMap::new(),
        };
        for batch in builder.build().map_err(|cause| damaged(file, cause))? {
            let batch = batch.map_err(|cause| damaged(file, cause))?;
            take_batch(&batch, &mut parsed.sets).map_err(|cause| damaged(file, cause))?;
        }
        parsed.into_sets(file)
    }

    fn schema(&self) -> Schema {
        let items = Field::new("item", DataType::UInt32, true);
        let fields = vec![
            Field::new(USER, DataType::UInt32, false),
            Field::new(ITEMS, DataType::List(items.into()), false),
        ];
        let origin = self.origin().map(|Origin { protocol, seed }| {
            [(PROTOCOL.to_owned(), protocol.to_string()), (SEED.to_owned(), seed.to_string())]
        });
        Schema::new(fields).with_metadata(origin.into_iter().flatten().collect::<HashMap<_, _>>())
    }
}

fn damaged(file: &Path, cause: impl fmt::Display) -> NegativesError {
    NegativesError::Damaged { file: file.to_owned(), cause: format!("no candidate sets ({cause})") }
}

fn to_batch(schema: &Arc<Schema>, sets: &[(u32, &[u32])]) -> Result<RecordBatch, ArrowError> {
    let users: UInt32Array = sets.iter().map(|set| set.0).collect();
    let mut items = ListBuilder::new(UInt32Builder::new());
    for (_, of_user) in sets {
        items.values().append_slice(of_user);
        items.append(true);
    }
    RecordBatch::try_new(schema.clone(), vec![Arc::new(users) as ArrayRef, Arc::new(items.finish())])
}

/// Adds the rows of a batch, or says what is wrong with it.
fn take_batch(batch: &RecordBatch, sets: &mut BTreeMap<u32, Vec<u32>>) -> Result<(), String> {
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| format!("no column \"{name}\""));
    let users = column(USER)?.as_primitive_opt::<UInt32Type>().ok_or("user_id is not of type UInt32")?;
    let lists = column(ITEMS)?.as_list_opt::<i32>().ok_or("candidates is not of type List")?;
    for (user, items) in users.iter().zip(lists.iter()) {
        let (Some(user), Some(items)) = (user, items) else { return Err("a row is null".to_owned()) };
        let items = items.as_primitive_opt::<UInt32Type>().ok_or("candidates are not of type UInt32")?;
        let items: Option<Vec<u32>> = items.iter().collect();
        let items = items.ok_or_else(|| format!("a candidate of user {user} is null"))?;
        if sets.insert(user, items).is_some() {
            return Err(format!("user {user} is there twice"));
        }
    }
    Ok(())
}

/// Candidate sets in the JSON that is written.
struct AsJson<'a>(&'a CandidateSets);

impl Serialize for AsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(Origin { protocol, seed }) = self.0.origin() {
            map.serialize_entry(PROTOCOL, &protocol)?;
            map.serialize_entry(SEED, &seed)?;
        }
        map.serialize_entry(SETS, &OnlySets(self.0))?;
        map.end()
    }
}

struct OnlySets<'a>(&'a CandidateSets);

impl Serialize for OnlySets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

/// The content of a file, not yet checked.
#[derive(Default)]
struct Parsed {
    protocol: Option<String>,
    seed: Option<u64>,
    sets: BTreeMap<u32, Vec<u32>>,
}

impl Parsed {
    fn into_sets(self, file: &Path) -> Result<CandidateSets, NegativesError> {
        let origin = match (self.protocol, self.seed) {
            (Some(name), Some(seed)) => {
                let protocol: Protocol = name.parse().map_err(|cause| damaged(file, cause))?;
                Some(Origin { protocol, seed })
            }
            (None, None) => None,
            _ => return Err(damaged(file, "protocol and seed go together, and one is missing")),
        };
        let mut sets = self.sets;
        for (user, items) in &mut sets {
            items.sort_unstable();
            if let Some(twice) = items.windows(2).find(|pair| pair[0] == pair[1]) {
                let (file, user, item) = (file.to_owned(), *user, twice[0]);
                return Err(NegativesError::Candidate { file, user, item, fault: "twice".to_owned() });
            }
        }
        Ok(CandidateSets::from_sorted(origin, sets))
    }
}

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParsedVisitor)
    }
}

struct ParsedVisitor;

impl<'de> Visitor<'de> for ParsedVisitor {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of lists of item indices by user index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
        let mut parsed = Parsed::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                PROTOCOL => parsed.protocol = Some(map.next_value()?),
                SEED => parsed.seed = Some(map.next_value()?),
                SETS => parsed.sets.append(&mut map.next_value::<Sets>()?.0),
                user => add_set(&mut parsed.sets, user, &mut map)?,
            }
        }
        Ok(parsed)
    }
}

/// An object of lists, refusing a key that is there twice, of which a plain map would keep the last.
struct Sets(BTreeMap<u32, Vec<u32>>);

impl<'de> Deserialize<'de> for Sets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SetsVisitor)
    }
}

struct SetsVisitor;

impl<'de> Visitor<'de> for SetsVisitor {
    type Value = Sets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ParsedVisitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sets, A::Error> {
        let mut sets = BTreeMap::new();
        while let Some(user) = map.next_key::<String>()? {
            add_set(&mut sets, &user, &mut map)?;
        }
        Ok(Sets(sets))
    }
}

fn add_set<'de, A: MapAccess<'de>>(
    sets: &mut BTreeMap<u32, Vec<u32>>,
    user: &str,
    map: &mut A,
) -> Result<(), A::Error> {
    let index = user.parse().map_err(|_| A::Error::custom(format!("\"{user}\" is no user index")))?;
    match sets.insert(index, map.next_value()?) {
        Some(_) => Err(A::Error::custom(format!("user {index} is there twice"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn load(json: &str) -> Result<CandidateSets, NegativesError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("negatives.json");
        std::fs::write(&file, json).unwrap();
        CandidateSets::load_json(&file)
    }

    #[test]
    fn the_json_names_protocol_and_seed_before_the_sets() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("negatives.json");
        let origin = Some(Origin { protocol: Protocol::Uniform(2), seed: 42 });
        let sets = CandidateSets::from_sorted(origin, [(0, vec![3, 7]), (10, vec![])]);
        sets.save_json(&file).unwrap();
        let json = std::fs::read_to_string(&file).unwrap();
        assert_eq!(json, r#"{"protocol":"uni2","seed":42,"negatives":{"0":[3,7],"10":[]}}"#);
    }

    #[test]
    fn a_bare_object_of_lists_is_read_too() {
        let sets = load(r#"{"10": [7, 3], "9": [1]}"#).unwrap();
        assert_eq!((sets.origin(), sets.users(), sets.of(10)), (None, &[9, 10][..], Some(&[3, 7][..])));
    }

    #[test]
    fn a_damaged_file_says_what_is_wrong() {
        for (json, expected) in [
            (r#"{"negatives": {"0": [1, 2"#, "EOF"),
            (r#"{"negatives": {"0": [1], "0": [2]}}"#, "user 0 is there twice"),
            (r#"{"u7": [1]}"#, "\"u7\" is no user index"),
            (r#"{"0": [-1]}"#, "-1"),
            (r#"{"0": [4, 5, 4]}"#, "user 0 has the candidate 4, twice"),
            (r#"{"protocol": "uni7", "negatives": {}}"#, "protocol and seed go together"),
            (r#"{"protocol": "some7", "seed": 1, "negatives": {}}"#, "\"some7\" is no protocol"),
            (r"[1]", "an object of lists of item indices"),
        ] {
            let message = load(json).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("negatives.json"), "{json}: {message}");
        }
    }

    #[test]
    fn a_parquet_file_of_something_else_or_cut_in_the_middle_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("negatives.parquet");
        CandidateSets::from_sorted(None, [(0, vec![3, 7])]).save_parquet(&file).unwrap();
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        let message = CandidateSets::load_parquet(&file).unwrap_err().to_string();
        assert!(message.contains("negatives.parquet: no candidate sets"), "{message}");
        let message = CandidateSets::load_parquet(&folder.path().join("absent")).unwrap_err().to_string();
        assert!(message.starts_with("cannot read"), "{message}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn sets_written_and_read_back_are_equal(
            sets in prop::collection::btree_map(any::<u32>(), prop::collection::btree_set(any::<u32>(), 0..9), 0..9),
            origin in prop::option::of((1u32.., any::<u64>())),
        ) {
            let origin = origin.map(|(n, seed)| Origin { protocol: Protocol::Popularity(n), seed });
            let sets = sets.into_iter().map(|(user, items)| (user, items.into_iter().collect()));
            let sets = CandidateSets::from_sorted(origin, sets);
            let folder = tempfile::tempdir().unwrap();
            let (json, parquet) = (folder.path().join("a.json"), folder.path().join("a.parquet"));
            sets.save_json(&json).unwrap();
            sets.save_parquet(&parquet).unwrap();
            prop_assert_eq!(&CandidateSets::load_json(&json).unwrap(), &sets);
            prop_assert_eq!(CandidateSets::load_parquet(&parquet).unwrap(), sets);
        }
    }
}
