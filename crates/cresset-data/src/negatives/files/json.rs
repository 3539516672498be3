//! Candidate sets as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserializer, Serialize, Serializer};

use super::{PROTOCOL, Parsed, SEED, damaged};
use crate::files::{FileError, atomic_write_with, read_bytes};
use crate::negatives::{CandidateSets, NegativesError, Origin};

const SETS: &str = "negatives";

pub(super) fn write(file: &Path, sets: &CandidateSets) -> Result<(), FileError> {
    atomic_write_with(file, |writer| Ok(serde_json::to_writer(writer, &AsJson(sets))?))
}

pub(super) fn read(file: &Path) -> Result<Parsed, NegativesError> {
    let bytes = read_bytes(file)?;
    let mut json = serde_json::Deserializer::from_slice(&bytes);
    let parsed = Level::File.deserialize(&mut json).and_then(|parsed| json.end().map(|()| parsed));
    parsed.map_err(|cause| damaged(file, cause))
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

/// Which object of lists is read; a key that is there twice is refused, of which a plain map would keep the last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The whole file, where protocol, seed and an object of lists may be too.
    File,
    /// The object of lists in it.
    Sets,
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Parsed;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Parsed, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of lists of item indices by user index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
        let mut parsed = Parsed::default();
        while let Some(key) = map.next_key::<String>()? {
            match (self, key.as_str()) {
                (Self::File, PROTOCOL) => parsed.protocol = Some(map.next_value()?),
                (Self::File, SEED) => parsed.seed = Some(map.next_value()?),
                (Self::File, SETS) => parsed.sets.append(&mut map.next_value_seed(Self::Sets)?.sets),
                (_, user) => add_set(&mut parsed.sets, user, &mut map)?,
            }
        }
        Ok(parsed)
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
