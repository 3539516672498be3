//! stub
pub mod device;

pub use cresset_baselines as baselines;
pub use cresset_data as data;
pub use cresset_kg_mf as kg_mf;
pub use cresset_metrics as metrics;
pub use cresset_nn as nn;
pub use cresset_trainers as trainers;

/// Version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Version of Burn that the workspace is pinned to.
pub const BURN_VERSION: &str = "0.21.0";
