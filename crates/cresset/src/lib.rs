#![recursion_limit = "256"]
//! Recommender models on the Burn framework: one code for training and serving, generic over the backend.
//!
//! This crate is the front door of the Cresset workspace. It re-exports the crates behind it, brings the names
//! that nearly every program needs in one [`prelude`], and chooses a [`device`] at run time. A program that
//! wants less depends on the crates themselves; each stands on its own.
//!
//! A whole training run as a library, on the built-in world of films (no download):
//!
//! ```
//! use cresset::prelude::*;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let config = DataConfig::default(); // the built-in world
//!     let data = Dataset::load(&config, "data".as_ref())?;
//!     let split = Split::of(&data.ratings, &config, 0)?;
//!     let (train, test) = (data.ratings.select(&split.train), data.ratings.select(&split.test));
//!     let scale = RatingScale::of(&train, data.rating_range);
//!     let device = Default::default();
//!     let mut model: KgMf<Cpu> = KgMfConfig::default().init(data.n_users(), data.n_items(), scale, 42, &device)?;
//!     let mut optimizer = Optimizer::new(OptimizerConfig::default());
//!     let batches = RatingBatches::new(train, 1024, 42);
//!     for epoch in 0..10 {
//!         let order = batches.order(epoch);
//!         for step in 0..batches.n_steps() {
//!             let key = StepKey { seed: 42, step: optimizer.steps_taken() };
//!             let pass = model.forward_loss(&batches.batch(&order, step).into(), key);
//!             model = optimizer.step(model, pass, 0.005);
//!         }
//!     }
//!     let predictions = model.predict_pairs(&test.user_id, &test.item_id);
//!     println!("test RMSE {:.3}", rmse(&test.rating, &predictions)?);
//!     # assert!(rmse(&test.rating, &predictions)? < 0.87);
//!     Ok(())
//! }
//! ```
//!
//! # Crates
//!
//! | module | crate | what it holds |
//! | --- | --- | --- |
//! | [`data`] | `cresset-data` | files, cleaning, vocabularies, splits, batches, the built-in world |
//! | [`metrics`] | `cresset-metrics` | rating and ranking metrics, safe under ties |
//! | [`baselines`] | `cresset-baselines` | means, popularity, item neighbours, EASE and ALS, printed beside every result |
//! | [`search`] | `cresset-search` | exact search of a catalogue of vectors by inner product |
//! | [`nn`] | `cresset-nn` | row-sparse embedding tables, optimisers, the seams |
//! | [`kg_mf`] | `cresset-kg-mf` | knowledge-graph matrix factorisation |
//! | [`two_tower`] | `cresset-two-tower` | two-tower retrieval with text and features |
//! | [`trainers`] | `cresset-trainers` | the training loop, checkpoints, run directories, plots |
//!
//! # Features
//!
//! - `flex` (default): the CPU, in pure Rust.

pub mod device;

pub use cresset_baselines as baselines;
pub use cresset_data as data;
pub use cresset_kg_mf as kg_mf;
pub use cresset_metrics as metrics;
pub use cresset_nn as nn;
pub use cresset_search as search;
pub use cresset_trainers as trainers;
pub use cresset_two_tower as two_tower;

/// The names that nearly every program needs.
pub mod prelude {
    #[cfg(feature = "flex")]
    pub use crate::device::Cpu;
    pub use crate::device::{DeviceSpec, OnBackend, on_device};
    pub use cresset_data::{Batches, DataConfig, Dataset, RatingBatches, Ratings, Split, UserItems};
    pub use cresset_kg_mf::{KgMf, KgMfConfig, RatingScale};
    pub use cresset_metrics::{RatingPredictor, Scorer, mae, rmse, top_k};
    pub use cresset_nn::optim::{Optimizer, OptimizerConfig, OptimizerKind};
    pub use cresset_nn::{AutodiffRecommender, ForwardPass, RecommenderBackend, StepKey, TrainModel};
    pub use cresset_trainers::{EvaluationPart, Judged, RunDir, Trainer};
}

/// Version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Version of Burn that the workspace is pinned to.
pub const BURN_VERSION: &str = "0.21.0";

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_of_burn_is_the_one_that_the_workspace_pins() {
        let pin = format!("burn = {{ version = \"={}\"", super::BURN_VERSION);
        assert!(include_str!("../../../Cargo.toml").contains(&pin));
    }
}
