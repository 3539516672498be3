#![recursion_limit = "256"]
//! stub
mod backend;
mod error;
pub mod init;
mod kernels;
mod mlp;
pub mod optim;
mod path;
mod table;
mod train_model;
pub mod weights;

pub use backend::{AutodiffRecommender, RecommenderBackend};
pub use error::ConfigError;
pub use mlp::Mlp;
pub use table::{EmbeddingTable, GatheredRows, RowIndex, id_tensor};
pub use train_model::{ForwardPass, TrainModel, scalar};
