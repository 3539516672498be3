//! The data beside a saved model, so that it serves without the files it was trained on.

use std::path::Path;

use cresset_data::files::{FileError, atomic_write, atomic_write_with, read_bytes};
use cresset_data::{DataError, Ratings, Split, SplitNote, TimeKind, Vocabulary};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::run_dir::{RunDir, RunDirError};

/// Users, items, titles, ratings and their split, as a model saw them.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedData {
    /// User ids.
    pub users: Vocabulary,
    /// Item ids.
    pub items: Vocabulary,
    /// Titles by item index.
    pub titles: Vec<String>,
    /// Genres by item index; none where the data name none.
    pub genres: Vec<Vec<String>>,
    /// Lowest and highest rating there is.
    pub rating_range: (f32, f32),
    /// All ratings.
    pub ratings: Ratings,
    /// Which of them are for what.
    pub split: Split,
}

/// Why saved data could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SavedDataError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file of the run directory could not be read or written.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// A vocabulary is damaged.
    #[error(transparent)]
    Vocabulary(#[from] DataError),
    /// A file holds something else than was written to it.
    #[error("{file} is damaged ({cause}): restore it from a copy, or train again")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        cause: String,
    },
}

/// `best_model/data.yaml`.
#[derive(Serialize, Deserialize)]
struct Scale {
    rating_min: f32,
    rating_max: f32,
    time: TimeKind,
    split_note: SplitNote,
}

const RATINGS: &str = "best_model/ratings.safetensors";
const TITLES: &str = "best_model/titles.json";
const GENRES: &str = "best_model/genres.json";
const SCALE: &str = "best_model/data.yaml";
const USERS: &str = "best_model/uid2idx.json";
const ITEMS: &str = "best_model/iid2idx.json";

impl SavedData {
    /// Writes everything below `best_model/`.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn save(&self, run: &RunDir) -> Result<(), SavedDataError> {
        self.users.save(&run.file(USERS))?;
        self.items.save(&run.file(ITEMS))?;
        atomic_write_with(&run.file(TITLES), |file| Ok(serde_json::to_writer(file, &self.titles)?))?;
        atomic_write_with(&run.file(GENRES), |file| Ok(serde_json::to_writer(file, &self.genres)?))?;
        let (rating_min, rating_max) = self.rating_range;
        let (time, split_note) = (self.ratings.time_kind, self.split.note.clone());
        run.write_yaml(SCALE, &Scale { rating_min, rating_max, time, split_note })?;
        self.save_ratings(&run.file(RATINGS))
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// If a file is missing or damaged, or the files do not fit together.
    pub fn load(run: &RunDir) -> Result<Self, SavedDataError> {
        let users = Vocabulary::load(&run.file(USERS))?;
        let items = Vocabulary::load(&run.file(ITEMS))?;
        let titles = load_list(&run.file(TITLES), "titles", items.len())?;
        let genres = load_list(&run.file(GENRES), "lists of genres", items.len())?;
        let scale: Scale = run.read_yaml(SCALE)?;
        let file = run.file(RATINGS);
        let columns = Columns::load(&file)?;
        columns.check(users.len(), items.len()).map_err(|cause| damaged(&file, cause))?;
        let (ratings, split) = columns.into_ratings(scale.time, scale.split_note);
        let rating_range = (scale.rating_min, scale.rating_max);
        Ok(Self { users, items, titles, genres, rating_range, ratings, split })
    }

    fn save_ratings(&self, file: &Path) -> Result<(), SavedDataError> {
        let Ratings { user_id, item_id, rating, time, .. } = &self.ratings;
        let mut part = vec![UNUSED; rating.len()];
        for (rows, mark) in [(&self.split.train, 0), (&self.split.valid, 1), (&self.split.test, 2)] {
            for &row in rows {
                part[row as usize] = mark;
            }
        }
        let users = bytes_of(user_id, u32::to_le_bytes);
        let items = bytes_of(item_id, u32::to_le_bytes);
        let ratings = bytes_of(rating, f32::to_le_bytes);
        let times = bytes_of(time, i64::to_le_bytes);
        let columns = [
            ("user_id", Dtype::U32, &users),
            ("item_id", Dtype::U32, &items),
            ("rating", Dtype::F32, &ratings),
            ("time", Dtype::I64, &times),
            ("part", Dtype::U8, &part),
        ];
        let views = columns
            .into_iter()
            .map(|(name, dtype, bytes)| Ok((name, TensorView::new(dtype, vec![rating.len()], bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(|e| damaged(file, e.to_string()))?;
        let bytes = safetensors::serialize(views, None).map_err(|e| damaged(file, e.to_string()))?;
        Ok(atomic_write(file, &bytes)?)
    }
}

/// A JSON list with an entry for each item.
fn load_list<T: DeserializeOwned>(file: &Path, what: &str, n_items: usize) -> Result<Vec<T>, SavedDataError> {
    let entries: Vec<T> =
        serde_json::from_slice(&read_bytes(file)?).map_err(|e| damaged(file, e.to_string()))?;
    if entries.len() != n_items {
        return Err(damaged(file, format!("{} {what} for {n_items} items", entries.len())));
    }
    Ok(entries)
}

/// Mark of a rating that no part of the split uses; training, validation and test are 0, 1 and 2.
const UNUSED: u8 = 3;

struct Columns {
    user_id: Vec<u32>,
    item_id: Vec<u32>,
    rating: Vec<f32>,
    time: Vec<i64>,
    part: Vec<u8>,
}

impl Columns {
    fn load(file: &Path) -> Result<Self, SavedDataError> {
        let bytes = read_bytes(file)?;
        let parsed = SafeTensors::deserialize(&bytes).map_err(|e| damaged(file, e.to_string()))?;
        let take = |name: &str, dtype: Dtype| match parsed.tensor(name) {
            Ok(view) if view.dtype() == dtype => Ok(view.data().to_vec()),
            _ => Err(damaged(file, format!("column `{name}` of type {dtype:?} is missing"))),
        };
        Ok(Self {
            user_id: values_of(&take("user_id", Dtype::U32)?, u32::from_le_bytes),
            item_id: values_of(&take("item_id", Dtype::U32)?, u32::from_le_bytes),
            rating: values_of(&take("rating", Dtype::F32)?, f32::from_le_bytes),
            time: values_of(&take("time", Dtype::I64)?, i64::from_le_bytes),
            part: take("part", Dtype::U8)?,
        })
    }

    fn check(&self, n_users: usize, n_items: usize) -> Result<(), String> {
        let n = self.rating.len();
        let lengths = [self.user_id.len(), self.item_id.len(), self.time.len(), self.part.len()];
        if lengths.iter().any(|&length| length != n) {
            return Err(format!("its columns have lengths {n} and {lengths:?}"));
        }
        let beyond = |ids: &[u32], n: usize| ids.iter().copied().find(|&id| id as usize >= n);
        if let Some(user) = beyond(&self.user_id, n_users) {
            return Err(format!("user {user} is beyond the {n_users} of uid2idx.json"));
        }
        if let Some(item) = beyond(&self.item_id, n_items) {
            return Err(format!("item {item} is beyond the {n_items} of iid2idx.json"));
        }
        match self.part.iter().find(|&&mark| mark > UNUSED) {
            Some(mark) => Err(format!("a rating is marked {mark}, expected 0 to {UNUSED}")),
            None => Ok(()),
        }
    }

    fn into_ratings(self, time_kind: TimeKind, note: SplitNote) -> (Ratings, Split) {
        let rows = |mark: u8| {
            let of_part = self.part.iter().zip(0u32..).filter(move |&(&part, _)| part == mark);
            of_part.map(|(_, row)| row).collect()
        };
        let split = Split { train: rows(0), valid: rows(1), test: rows(2), note };
        let Self { user_id, item_id, rating, time, .. } = self;
        // Parts that a source gave are in the split; they are not saved a second time.
        (Ratings { user_id, item_id, rating, time, time_kind, parts: None }, split)
    }
}

fn bytes_of<T: Copy, const N: usize>(values: &[T], to_bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| to_bytes(value)).collect()
}

fn values_of<T, const N: usize>(bytes: &[u8], from_bytes: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.chunks_exact(N).map(|chunk| from_bytes(chunk.try_into().expect("chunks of N bytes"))).collect()
}

fn damaged(file: &Path, cause: impl Into<String>) -> SavedDataError {
    SavedDataError::Damaged { file: file.display().to_string(), cause: cause.into() }
}
