//! What recommender models share on Burn: embedding tables that train at the cost of a batch, the optimisers that
//! move them, layers, losses, weight files, and the traits at the seams.
//!
//! A recommender spends its parameters on tables, a row for each user and each item, and a batch touches few of the
//! rows. So an [`EmbeddingTable`] hands the distinct rows of a batch to the model as the leaf of the autodiff graph,
//! and the [`Optimizer`](optim::Optimizer) writes those rows back in place, with their moments. What a batch does
//! not touch is neither read nor written: it keeps its bits, whatever the rule. Dense parameters, such as those of
//! an [`Mlp`], take their step by the same rules.
//!
//! A model says what it learns from by [`TrainModel`]: it turns a batch into a [`ForwardPass`], the loss beside the
//! rows that it gathered. The smallest such model learns what each film is rated on average:
//!
//! ```
//! use burn::backend::{Autodiff, Flex};
//! use burn::module::Module;
//! use burn::tensor::backend::Backend;
//! use burn::tensor::{Tensor, TensorData};
//! use cresset_data::UniqueRows;
//! use cresset_nn::optim::{Optimizer, OptimizerConfig};
//! use cresset_nn::{AutodiffRecommender, EmbeddingTable, ForwardPass, RowIndex, StepKey, TrainModel};
//!
//! #[derive(Module, Debug)]
//! struct FilmMeans<B: Backend> {
//!     film_mean: EmbeddingTable<B>,
//! }
//!
//! impl<B: AutodiffRecommender> TrainModel<B> for FilmMeans<B> {
//!     type Batch = (Vec<u32>, Vec<f32>); // films and their ratings
//!
//!     fn forward_loss(&self, (films, ratings): &Self::Batch, _key: StepKey) -> ForwardPass<B> {
//!         let device = self.film_mean.device();
//!         let rows = self.film_mean.gather(&RowIndex::new(&UniqueRows::of(films), &device));
//!         let ratings = Tensor::from_data(TensorData::new(ratings.clone(), [films.len(), 1]), &device);
//!         let loss = (rows.per_example() - ratings).powi_scalar(2).mean();
//!         ForwardPass { terms: vec![("loss", loss)], n_examples: films.len(), rows: vec![rows] }
//!     }
//!
//!     fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
//!         vec![&mut self.film_mean]
//!     }
//! }
//!
//! let film_mean = EmbeddingTable::zeros("film_mean", [4, 1], &Default::default());
//! let mut model = FilmMeans::<Autodiff<Flex>> { film_mean };
//! let mut optimizer = Optimizer::new(OptimizerConfig::default());
//! let batch = (vec![0, 2, 2], vec![4.0, 1.0, 2.0]);
//! for step in 0..200 {
//!     let pass = model.forward_loss(&batch, StepKey { seed: 42, step });
//!     model = optimizer.step(model, pass, 0.1);
//! }
//!
//! let means: Vec<f32> = model.film_mean.weight().into_data().to_vec()?;
//! assert!((means[0] - 4.0).abs() < 0.01 && (means[2] - 1.5).abs() < 0.01);
//! assert_eq!((means[1], means[3]), (0.0, 0.0)); // films of no batch never moved
//! # Ok::<(), burn::tensor::DataError>(())
//! ```
//!
//! # What there is
//!
//! - **Tables**: [`EmbeddingTable`], what a batch gathers from it ([`RowIndex`], [`GatheredRows`]), and bags over ragged
//!   lists of rows ([`Selection::bags`]).
//! - **Layers**: [`Linear`], [`Mlp`], [`Tower`], [`LayerNorm`], [`FeedForward`], [`MultiHeadSelfAttention`],
//!   [`Transformer`], [`MixtureOfExperts`]. Whatever is random in them is a function of a [`StepKey`]: a mask of
//!   [`Dropout`] is computed, not drawn, and is the same on every backend.
//! - **Losses**: [`loss`]. Those over candidates, from the softmax of a whole catalogue to BPR with drawn negatives, never
//!   store the matrix of scores.
//! - **Optimisers**: [`optim`], over rows and dense parameters together, with gradients that can be added up and clipped.
//! - **Files**: [`weights`] saves and restores parameters by name, with a checksum of each, and refuses what does not fit
//!   before it changes anything.
//!
//! Everything is generic over a backend. [`RecommenderBackend`] is a Burn backend with the operations that
//! recommenders spend their time in; [`AutodiffRecommender`] is what training needs. Initial values ([`init`]) are a
//! function of a seed and a name, so that models of one process do not disturb each other.
//!
//! # Features
//!
//! No backend is chosen here. A feature adds the fast bodies of [`RecommenderBackend`] for one backend, and that
//! backend to Burn:
//!
//! - `flex`: the pure-Rust CPU backend, by kernels of our own on slices.
//! - `cuda`, `rocm`, `wgpu`, `vulkan`, `metal`: the backends of CubeCL, by one set of kernels.
//! - `tch`: LibTorch, which writes rows in place and has fused layers of its own.

// The types of Burn's graphs nest deeper than the compiler follows by default.
#![recursion_limit = "256"]

mod activation;
mod backend;
mod dropout;
mod error;
pub mod init;
mod kernels;
mod layers;
mod lists;
pub mod loss;
mod neighbourhoods;
pub mod optim;
mod path;
mod precision;
mod ranking;
mod rounding;
mod table;
mod train_model;
pub mod weights;

pub use activation::Activation;
pub use backend::{AutodiffRecommender, RecommenderBackend};
pub use dropout::{Dropout, DropoutKey};
pub use error::ConfigError;
pub use kernels::spec::*;
pub use layers::*;
pub use lists::Pooling;
pub use neighbourhoods::Neighbourhoods;
pub use precision::Precision;
pub use ranking::{NO_CANDIDATE, RankedRows, RowLists, rank_rows};
pub use table::{EmbeddingTable, GatheredRows, RowIndex, id_tensor};
pub use train_model::{ExpertShares, ForwardPass, StepKey, TrainModel, scalar};
