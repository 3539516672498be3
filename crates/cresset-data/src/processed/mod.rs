//! The two-tower processed folder: indexed interactions, their vocabularies, splits and negatives.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `interactions_mapped.parquet` | `user_id`, `item_id`: indices; `rating`; `timestamp`: seconds, null where unknown |
//! | `uid2idx.json`, `iid2idx.json` | `{"196": 0, ...}`: external id to index |
//! | `splits.json` | `{"train": [0, 1, ...], "valid": [...], "test": [...]}`: row numbers from 0 |
//! | `items_text_emb_*.json` | `{"242": [0.1, ...], ...}`: external item id to vector |
//! | `negatives.json` | optional: `{"0": [3, 7], ...}`, user index to item indices; for training see [`TrainingNegatives`] |
//! | `items.jsonl`, `users.jsonl` | optional: what is known of each, one object a line |
//!
//! No schema of the folder was ever published, so reading takes the obvious variants: other column names, ids in
//! place of indices, indices from 1, times in milliseconds, a list of ids for a map, parts by name for each row, by
//! ranges or by moments. The page `docs/data-formats.md` lists them all. What is written is always the table above.
//!
//! ```
//! use cresset_data::processed::{ProcessedFolder, write_folder};
//! use cresset_data::{DataConfig, Dataset, Split};
//!
//! let config = DataConfig::default();
//! let data = Dataset::load(&config, "".as_ref())?;
//! let split = Split::of(&data.ratings, &config, 0)?;
//! let folder = tempfile::tempdir()?;
//! write_folder(folder.path(), &data, &split)?;
//!
//! let read = ProcessedFolder::read(folder.path())?;
//! assert_eq!(read.ratings, data.ratings);
//! assert_eq!(read.users, data.users);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod catalogue;
mod embeddings;
mod error;
mod folder;
mod index;
mod negatives;
mod source;
mod splits;
mod table;
#[cfg(test)]
mod tests;
mod training_negatives;
mod write;

pub(crate) use embeddings::under_external_ids;
pub use embeddings::{external_ids, text_embedding_files};
pub use error::FolderError;
pub use folder::ProcessedFolder;
pub use negatives::Negatives;
pub(crate) use source::read_two_tower_folder;
pub use training_negatives::TrainingNegatives;
pub use write::write_folder;

/// Name of the table of interactions.
pub const INTERACTIONS: &str = "interactions_mapped.parquet";
/// Name of the map of users.
pub const USERS: &str = "uid2idx.json";
/// Name of the map of items.
pub const ITEMS: &str = "iid2idx.json";
/// Name of the file of parts.
pub const SPLITS: &str = "splits.json";
/// Name of the file of negatives.
pub const NEGATIVES: &str = "negatives.json";
const ITEM_INFO: &str = "items.jsonl";
const USER_INFO: &str = "users.jsonl";
/// Key of the table's metadata that holds the scale of the ratings.
const RATING_RANGE: &str = "cresset.rating_range";
