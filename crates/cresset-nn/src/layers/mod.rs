//! Layers: what stands between the tables and the loss. Dense parameters, drawn by seed and path.
//!
//! Whatever is random in a layer is a function of an `Option<StepKey>`: `None` stands for inference, where nothing is
//! dropped.

mod attention;
mod experts;
mod feed_forward;
mod linear;
mod mlp;
mod norm;
mod routing;
mod site;
mod tower;
mod transformer;

pub use attention::MultiHeadSelfAttention;
pub use experts::{MixtureOfExperts, MixtureOfExpertsConfig, RouterStatistics};
pub use feed_forward::FeedForward;
pub use linear::Linear;
pub use mlp::Mlp;
pub use norm::{LayerNorm, l2_normalize};
pub use site::DropoutSite;
pub use tower::{Tower, TowerInput};
pub use transformer::{Transformer, TransformerBlock, TransformerConfig};
