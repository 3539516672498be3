#![recursion_limit = "256"]
//! stub

mod batch;
mod config;
pub mod loss;
mod model;

pub use batch::KgMfBatch;
pub use config::{Knowledge, KgMfConfig, RatingScale};
pub use model::KgMf;
