#![recursion_limit = "256"]
//! Training loops for recommender models: epochs, early stopping, checkpoints, run directories, plots.
//!
//! Nothing here knows a concrete model. [`Trainer`] takes whatever implements
//! [`TrainModel`](cresset_nn::TrainModel), batches from whatever implements [`Batches`](cresset_data::Batches), and a
//! closure that measures the model on its validation part; the weights of the best epoch come back, and lie in the
//! run directory beside the history. Here is all of it for the smallest model there is, one number for each item:
//!
//! ```
//! use burn::backend::{Autodiff, Flex};
//! use burn::prelude::*;
//! use cresset_data::{DataConfig, Dataset, RatingBatch, RatingBatches, Split, WorldConfig};
//! use cresset_metrics::RatingPredictor;
//! use cresset_nn::{AutodiffRecommender, EmbeddingTable, ForwardPass, RecommenderBackend, RowIndex, StepKey, TrainModel};
//! use cresset_trainers::config::{EvaluationConfig, TrainingConfig};
//! use cresset_trainers::{EvaluationPart, Judged, RunDir, StopFlag, Trainer};
//!
//! #[derive(Module, Debug)]
//! struct ItemRatings<B: Backend> {
//!     item: EmbeddingTable<B>,
//! }
//!
//! impl<B: AutodiffRecommender> TrainModel<B> for ItemRatings<B> {
//!     type Batch = RatingBatch;
//!
//!     fn forward_loss(&self, batch: &RatingBatch, _key: StepKey) -> ForwardPass<B> {
//!         let device = self.item.device();
//!         let item = self.item.gather(&RowIndex::new(&batch.items, &device));
//!         let ratings = TensorData::new(batch.ratings.clone(), [batch.len(), 1]);
//!         let error = item.per_example() - Tensor::from_data(ratings, &device);
//!         let loss = error.powi_scalar(2).mean();
//!         ForwardPass { terms: vec![("loss", loss)], n_examples: batch.len(), rows: vec![item] }
//!     }
//!
//!     fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
//!         vec![&mut self.item]
//!     }
//! }
//!
//! impl<B: RecommenderBackend> RatingPredictor for ItemRatings<B> {
//!     fn predict_pairs(&self, _: &[u32], items: &[u32]) -> Vec<f32> {
//!         self.item.lookup(items).into_data().to_vec().expect("32-bit floats")
//!     }
//! }
//!
//! let world = WorldConfig { n_users: 200, n_items: 50, n_ratings: 4_000, ..WorldConfig::default() };
//! let data_config = DataConfig { synthetic: world, ..DataConfig::default() };
//! let data = Dataset::load(&data_config, "data".as_ref())?;
//! let split = Split::of(&data.ratings, &data_config, 0)?;
//! let (train, valid) = (data.ratings.select(&split.train), data.ratings.select(&split.valid));
//! let valid = EvaluationPart::new(valid, &train, data.n_users(), &EvaluationConfig::default());
//!
//! let config = TrainingConfig { epochs: 10, batch_size: 256, learning_rate: 0.1, ..TrainingConfig::default() };
//! let device = Default::default();
//! let item = EmbeddingTable::zeros("item", [data.n_items(), 1], &device);
//! let model = ItemRatings::<Autodiff<Flex>> { item };
//! let batches = RatingBatches::new(train, config.batch_size, config.seed);
//!
//! let folder = tempfile::tempdir()?;
//! let run = RunDir::create(folder.path(), false)?;
//! let (stop, loader) = (StopFlag::default(), data_config.loader());
//! let trainer = Trainer { config: &config, run: &run, stop, show_progress: false, loader };
//! let mut validate = |model: &ItemRatings<Flex>| {
//!     Ok(valid.measure(Judged { predictor: Some(model), scorer: None })?.metrics)
//! };
//! let trained = trainer.fit(model, &batches, &mut validate, &device)?;
//!
//! let (best_epoch, rmse) = trained.progress.early_stop.best.expect("an epoch was trained");
//! assert!(rmse.expect("there is a validation part") < 1.1, "{rmse:?} in epoch {best_epoch}");
//! assert!(run.file("best_model/weights.safetensors").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A run can be stopped at any moment
//!
//! After each epoch, every so many steps ([`CheckpointConfig`](config::CheckpointConfig)) and when a [`StopFlag`] is
//! raised, everything that the run is made of goes into one file; a kill leaves the old file or the new one.
//! [`Trainer::fit`] goes on from it where it lies in the run directory, and on the CPU a resumed run equals the
//! uninterrupted one to the bit. A checkpoint that is damaged, or of another model or config, is an error that names
//! the file, the tensor or key, and both values.
//!
//! Steps wait only while tensors are copied in memory; a thread writes them. A checkpoint that finds no room leaves the one
//! before it in place and is told as a warning; the best weights are written in the end, or the run ends with an error.
//! A [`RunDir`] belongs to one process at a time.
//!
//! # The test part
//!
//! [`HeldOut`] keeps it until training has ended, and only [`Trainer::fit`] can say that it has.
//!
//! # What is in a run directory
//!
//! ```text
//! config.yaml              the effective config                                     config
//! manifest.yaml            data, split, protocol, seed, device, versions            manifest
//! history.csv              one row an epoch                                         History
//! alternation.csv          whose turn it was, where two modules alternate           strategy
//! alerts.csv               what went wrong in the run, where something did          watch
//! results.yaml             best epoch, speed, memory, metrics                       results
//! plots/                   history and alternation as pictures                      plot
//! best_model/              weights, vocabularies, titles, ratings and their split   SavedData
//! checkpoints/last/        all that resume needs                                    Progress
//! .lock                    held by the process that writes here; it stays           RunDir
//! ```
//!
//! # Modules
//!
//! - [`config`]: the sections of a config file and their strict reading; `docs/config.md` lists every key.
//! - [`strategy`]: which parameters learn when, and from which terms of the loss.
//! - [`EvaluationPart`]: rating and ranking metrics of anything that predicts or ranks, on one part of a split.
//! - [`results`] and [`manifest`]: what a run says of itself, also over folds.
//! - [`watch`]: alerts in words, while there is still time.
//! - [`plot`]: history and alternation, paths and heatmaps as PNG and SVG. [`memory`]: what the process holds, and its peak.

mod checkpoint;
pub mod config;
mod early_stop;
mod error;
mod evaluation;
mod held_out;
mod history;
pub mod manifest;
pub mod memory;
pub mod plot;
mod progress;
pub mod results;
mod run_dir;
mod run_lock;
mod saved_data;
mod schedule;
pub mod search;
mod session;
mod stop;
pub mod strategy;
mod trainer;
pub mod watch;

pub use checkpoint::{CheckpointError, Progress};
pub use early_stop::EarlyStop;
pub use error::TrainError;
pub use evaluation::{
    EvaluationPart, Judged, Measured, PerUser, PerUserError, RankingCounts, RatingBand, TrainingFacts,
};
pub use held_out::{Finished, HeldOut};
pub use history::{EpochRecord, History};
pub use run_dir::{RunDir, RunDirError};
pub use saved_data::{SavedData, SavedDataError};
pub use stop::StopFlag;
pub use trainer::{Trained, Trainer};
