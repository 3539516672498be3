//! Two-tower retrieval: users and items as unit vectors of one space, each computed by a tower from all that is known of
//! it, so that what a user may like lies close by, and any index finds it.
//!
//! A tower reads an id, categories, lists of categories, numbers and ready-made vectors, such as those of a text encoder;
//! embeds or projects each; and passes them through layers to a vector of length 1 ([`TwoTower`]). The score of a pair is
//! the cosine of its two vectors over a temperature. What a tower reads is in [`SideData`]; which of it, in
//! [`TwoTowerConfig`].
//!
//! The towers learn from pairs of users and items and from items that stand against them. What is minimised ([`Loss`])
//! and where those items come from ([`NegativesConfig`]) are chosen apart: drawn for each pair, for the whole batch, the
//! other pairs' own, all of the catalogue, or the hardest of a pool under the model as it is.
//!
//! A user or item that training never saw has no id to be known by: it shares one learnt row with all such, and is found
//! through what else is known of it ([`OutOfRange::Unknown`]).
//!
//! ```
//! use burn::backend::{Autodiff, Flex};
//! use cresset_data::{Batches, Ratings, TimeKind};
//! use cresset_nn::optim::{Optimizer, OptimizerConfig};
//! use cresset_nn::{StepKey, TrainModel};
//! use cresset_two_tower::{SideData, TwoTower, TwoTowerBatches, TwoTowerConfig, TwoTowerData};
//!
//! // Even users have even items, odd users odd ones.
//! let pairs = (0..12u32).flat_map(|user| (0..4).map(move |nth| (user, (user % 2 + 2 * nth) % 8)));
//! let (user_id, item_id): (Vec<u32>, Vec<u32>) = pairs.unzip();
//! let n = user_id.len();
//! let rating = vec![1.0; n];
//! let train = Ratings { user_id, item_id, rating, time: vec![0; n], time_kind: TimeKind::Ordinal, parts: None };
//!
//! let config: TwoTowerConfig = serde_json::from_str(
//!     r#"{ "embedding_dim": 8, "user_mlp_hidden": [16], "item_mlp_hidden": [16], "temperature": 0.2 }"#,
//! )?;
//! let data = TwoTowerData::new(SideData::of_ids(12), SideData::of_ids(8)).known_from(&train);
//! let mut model: TwoTower<Autodiff<Flex>> = config.init(&data, 42, &Default::default())?;
//! let batches = TwoTowerBatches::new(&config, &data, &train, 16, 42)?;
//! let mut optimizer = Optimizer::new(OptimizerConfig::default());
//! for epoch in 0..60 {
//!     let order = batches.order(epoch);
//!     for step in 0..batches.n_steps() {
//!         let key = StepKey { seed: 42, step: optimizer.steps_taken() };
//!         let pass = model.forward_loss(&batches.batch(&order, step), key);
//!         model = optimizer.step(model, pass, 0.01);
//!     }
//! }
//!
//! let users = model.user_embeddings(&data.users, &[3])?;
//! let items = model.item_embeddings(&data.items, &[0, 1, 2, 5])?;
//! let scores: Vec<f32> = model.compute_similarity(users, items).into_data().to_vec()?;
//! assert!(scores[1] > scores[0] && scores[3] > scores[2]); // odd items are closer to an odd user
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A loop with validation and checkpoints is `cresset-trainers`' work, which knows this model by
//! [`TrainModel`](cresset_nn::TrainModel) alone. Once trained, all vectors are computed once ([`TwoTower::embed`]), written
//! to files or searched, and [`Embeddings`] ranks the catalogue by them for evaluation.
//!
//! The crate has no features: it is generic over a backend, which the program that uses it chooses.

// The types of Burn's graphs nest deeper than the compiler follows by default.
#![recursion_limit = "256"]

mod batch;
mod config;
mod embeddings;
mod error;
mod frozen;
mod loss;
mod model;
mod negatives;
mod side;
mod side_data;
mod training;

pub use batch::{TwoTowerBatch, TwoTowerBatches};
pub use config::{CodeShape, Loss, NegativesConfig, NegativesKind, OutOfRange, SideShape, TwoTowerConfig};
pub use embeddings::{Embeddings, mean_cosine};
pub use error::TwoTowerError;
pub use frozen::FrozenPairs;
pub use model::TwoTower;
pub use side_data::{SideData, SideVectors, TwoTowerData};
