//! Files become ratings that a recommender model can learn from: read, cleaned, indexed, split and batched.
//!
//! A rating travels one way. A reader ([`source`], [`movielens`], [`sources`]) turns a file into [`Interactions`],
//! columns under the ids that the file spells. Cleaning leaves out what cannot be learnt from and counts it
//! ([`CleaningReport`]). A [`Vocabulary`] gives each user and item an index from 0, and the result is a
//! [`Dataset`]. A [`Split`] divides its rows into training, validation and test parts, and [`RatingBatches`] hands
//! the training part out as plain arrays, each batch with the distinct table rows that it touches ([`UniqueRows`]).
//! Nothing here knows a tensor or a model.
//!
//! Say a folder `films` holds a small file of ratings, in the format of the MovieLens CSV editions:
//!
//! ```
//! use cresset_data::{Batches, DataConfig, Dataset, RatingBatches, SourceKind, Split};
//!
//! let data_dir = tempfile::tempdir()?;
//! std::fs::create_dir(data_dir.path().join("films"))?;
//! let mut csv = String::from("userId,movieId,rating,timestamp\n");
//! for user in 1..=4 {
//!     for film in 1..=10 {
//!         csv += &format!("{user},{film},{}.5,{}\n", (user + film) % 5, 1000 + film);
//!     }
//! }
//! csv += "4,10,5.0,2000\n"; // rated again, later: the last one counts
//! std::fs::write(data_dir.path().join("films").join("ratings.csv"), csv)?;
//!
//! let config = DataConfig {
//!     source: SourceKind::MovieLensCsv,
//!     name: Some("films".to_owned()),
//!     ..DataConfig::default()
//! };
//! let data = Dataset::load(&config, data_dir.path())?;
//! assert_eq!((data.n_users(), data.n_items(), data.ratings.len()), (4, 10, 40));
//! assert_eq!(data.cleaning.duplicates, 1);
//!
//! let split = Split::of(&data.ratings, &config, 0)?;
//! assert_eq!((split.train.len(), split.valid.len(), split.test.len()), (32, 4, 4));
//!
//! let batches = RatingBatches::new(data.ratings.select(&split.train), 20, 42);
//! let order = batches.order(0);
//! let batch = batches.batch(&order, 1);
//! assert_eq!(batch.ratings.len(), 12);
//! assert!(batch.users.ids.len() <= 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Models that rank learn from [`PairBatches`] or [`SequenceBatches`], with items that the user does not have beside
//! those that the user has ([`negatives`]). A [`Loader`] makes the batches of any of them ahead on threads.
//!
//! What a file or a configuration can get wrong is a [`DataError`]: one sentence with the file and line, or the key,
//! the value found and the remedy. All chance comes from [`random`], where a draw is a function of a seed, the place
//! that draws and a count; so a run that is resumed or repeated draws the same without any state saved. Files are
//! written through [`files::atomic_write`], whole or not at all.
//!
//! No file at hand is no hindrance: the default source is [`world`], films and their users made up from a seed, with
//! a truth that tests can ask for.
//!
//! Columns leave and come in as Arrow record batches ([`arrow`]), lie in Parquet files ([`parquet_io`]), and whole data
//! sets in the two-tower processed folder ([`processed`]), which [`prepare`](prepare::prepare) writes together with
//! the sequence and the graph form.
//!
//! A new source is a reader that returns [`RawData`] and one line in [`source`].

mod alias;
pub mod arrow;
mod batches;
pub mod catalogue;
mod cleaning;
mod columns;
mod config;
mod dataset;
mod error;
pub mod features;
pub mod files;
pub mod graph;
mod groups;
pub mod interactions;
pub mod item_files;
mod json;
mod loader;
pub mod movielens;
mod names;
pub mod negatives;
mod pairs;
pub mod parquet_io;
mod part_files;
pub mod predictions;
pub mod prepare;
pub mod processed;
mod ragged;
pub mod random;
mod ratings;
mod sequences;
pub mod source;
pub mod sources;
mod split;
mod text;
mod timelines;
mod unique;
mod user_items;
pub mod vectors;
mod vocabulary;
pub mod world;

pub use batches::{Batches, EpochOrder, RatingBatch, RatingBatches};
pub use catalogue::{Catalogue, ItemInfo, Side, UserInfo};
pub use cleaning::CleaningReport;
pub use columns::{ColumnRef, ColumnsConfig, FileNames, FilesConfig, IdOrder, TextConfig, TimeUnit};
pub use config::{DataConfig, OnBadRow, SplitKind};
pub use dataset::Dataset;
pub use error::{DataError, Place, RowFault};
pub use files::FileError;
pub use graph::{GraphConfig, GraphError, KnowledgeGraph};
pub use interactions::{IdColumn, Interactions, NO_TIME, TimeKind};
pub use item_files::{ItemFileConfig, ItemFileReport, ItemFormat};
pub use json::JsonError;
pub use loader::{Loader, LoaderConfig};
pub use names::Names;
pub use pairs::{PairBatch, PairBatches};
pub use ratings::Ratings;
pub use sequences::{HistoryBatch, HistoryBatches, SequenceBatch, SequenceBatches, Sequences, Windows};
pub use source::{RawData, SourceKind, Unreadable};
pub use split::{Moment, Part, Split, SplitError, SplitNote, TimeCuts};
pub use timelines::TimedRows;
pub use unique::UniqueRows;
pub use user_items::UserItems;
pub use vectors::{AlignedVectors, Vectors, VectorsConfig};
pub use vocabulary::Vocabulary;
pub use world::{World, WorldConfig, WorldFilms};
