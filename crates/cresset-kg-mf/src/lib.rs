//! Knowledge-graph matrix factorisation: what a user would give an item, from what users gave items before and from what
//! items are made of; and why.
//!
//! [`KgMf`] predicts `mean + user bias + item bias + user vector . item vector`. The biases say who rates kindly and
//! what is liked by all; the product of the vectors says who likes what. It learns by squared error with a penalty
//! on the length of what it uses ([`loss`]), one batch of ratings at a time, and moves only the rows of the users and
//! items in that batch. With a ranking loss ([`KgMfLoss::Bpr`], [`KgMfLoss::Softmax`]) it learns from what users have
//! instead of how they rated it, and ranks.
//!
//! Three parts may add to that, each off unless the config has it: [`GraphConfig`], the neighbours of an item in a
//! knowledge graph, which users weigh by relation; [`GenomeConfig`], attention over an item's tags; [`TimeConfig`], the
//! time of a rating. What they read is in [`Knowledge`]. A trained model as plain arrays ([`KgMfInference`]) answers for one
//! pair or a whole catalogue, and [`explain`] asks it why.
//!
//! Six ratings are enough to see it learn:
//!
//! ```
//! use burn::backend::{Autodiff, Flex};
//! use cresset_data::{NO_TIME, RatingBatch, UniqueRows};
//! use cresset_kg_mf::{KgMf, KgMfConfig, RatingScale};
//! use cresset_nn::{StepKey, TrainModel};
//! use cresset_nn::optim::{Optimizer, OptimizerConfig};
//!
//! // Users 0 and 1 love item 0 and not item 1; user 2 has it the other way round.
//! let (users, items) = ([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]);
//! let batch = RatingBatch {
//!     users: UniqueRows::of(&users),
//!     items: UniqueRows::of(&items),
//!     ratings: vec![5.0, 1.0, 4.5, 1.5, 1.0, 5.0],
//!     times: vec![NO_TIME; 6],
//! }
//! .into();
//!
//! let config = KgMfConfig { embedding_dim: 4, ..KgMfConfig::default() };
//! let scale = RatingScale { mean: 3.0, min: 0.5, max: 5.0 };
//! let mut model: KgMf<Autodiff<Flex>> = config.init(3, 2, scale, 42, &Default::default())?;
//! let mut optimizer = Optimizer::new(OptimizerConfig::default());
//! for step in 0..200 {
//!     let pass = model.forward_loss(&batch, StepKey { seed: 42, step });
//!     model = optimizer.step(model, pass, 0.05);
//! }
//!
//! let ratings = model.try_predict(&[1, 1, 2], &[0, 1, 1])?;
//! assert!(ratings[0] > 4.0 && ratings[1] < 2.0 && ratings[2] > 4.0);
//!
//! let unknown = model.try_predict(&[3], &[0]).unwrap_err();
//! assert_eq!(unknown.to_string(), "user 3 is unknown to the model, expected an index below 3");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A loop with validation, checkpoints and early stopping is `cresset-trainers`' work; it knows this model by
//! [`TrainModel`](cresset_nn::TrainModel) alone. Evaluation knows it by
//! [`RatingPredictor`](cresset_metrics::RatingPredictor) and [`Scorer`](cresset_metrics::Scorer), where a user or item
//! that training never saw is no failure: its prediction falls back on what is known of the other
//! ([`KgMf::with_cold_rows_at_zero`] sees to those that have a row but no training rating).
//!
//! What a model brings forward for a score, [`explain`] makes into paths, sentences and drawings.
//!
//! The crate has no features: it is generic over a backend, which the program that uses it chooses.

// The types of Burn's graphs nest deeper than the compiler follows by default.
#![recursion_limit = "256"]

mod batch;
mod config;
mod error;
pub mod explain;
mod fold_in;
mod inference;
mod knowledge;
pub mod loss;
mod model;
mod parts;
mod scores;
mod serving;
mod training;

pub use batch::{KgMfBatches, KgMfExamples, KgMfPairs, PairExamples, RatingExamples, Reader};
pub use config::{KgMfConfig, KgMfLoss, RatingScale};
pub use error::{KgMfError, KnowledgeError};
pub use inference::KgMfInference;
pub use knowledge::Knowledge;
pub use model::KgMf;
pub use parts::genome::GenomeConfig;
pub use parts::graph::GraphConfig;
pub use parts::time::{RatingTimes, TimeConfig};
