//! Candidate sets as JSON and as Parquet.

mod json;
mod parquet;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::{CandidateSets, NegativesError, Origin, Protocol};
use crate::files::FileError;

// Under these names protocol and seed are in both formats.
const PROTOCOL: &str = "protocol";
const SEED: &str = "seed";

impl CandidateSets {
    /// Writes `{"protocol": "uni100", "seed": 42, "negatives": {"0": [3, 7], ...}}`, user and item indices.
    ///
    /// # Errors
    ///
    /// [`FileError`] when the file cannot be written.
    pub fn save_json(&self, file: &Path) -> Result<(), FileError> {
        json::write(file, self)
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
        json::read(file)?.into_sets(file)
    }

    /// Writes the columns `user_id` and `candidates`, a list, one row for each user; protocol and seed are in the
    /// file's metadata.
    ///
    /// # Errors
    ///
    /// [`FileError`] when the file cannot be written.
    pub fn save_parquet(&self, file: &Path) -> Result<(), FileError> {
        parquet::write(file, self)
    }

    /// Reads what [`save_parquet`](Self::save_parquet) wrote.
    ///
    /// # Errors
    ///
    /// As [`load_json`](Self::load_json).
    pub fn load_parquet(file: &Path) -> Result<Self, NegativesError> {
        parquet::read(file)?.into_sets(file)
    }
}

fn damaged(file: &Path, cause: impl fmt::Display) -> NegativesError {
    NegativesError::Damaged { file: file.to_owned(), cause: format!("no candidate sets ({cause})") }
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
