//! Data for recommender models: readers, cleaning, vocabularies, splits, batches, and a synthetic world.

pub mod catalogue;
pub mod interactions;
pub mod random;

pub use catalogue::{Catalogue, ItemInfo, UserInfo};
pub use interactions::{IdColumn, Interactions, NO_TIME, TimeKind};
