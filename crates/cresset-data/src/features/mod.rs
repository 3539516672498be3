//! What is known of users, items and moments, as arrays under the indices of the vocabularies.
//!
//! - [`Genome`]: how relevant each tag of the tag genome is to each item, with a mask;
//! - [`UserTags`]: the tags that users wrote, counted for each item;
//! - [`Genres`]: the genres of each item, as lists or as a matrix of zeros and ones;
//! - [`Features`]: attributes of users or items as codes, lists of codes and numbers, as a configuration names them, and
//!   the [`FeatureEncoder`] that does the same to those who come later;
//! - [`Calendar`]: month, season, weekday and hour of a timestamp.
//!
//! Text and image vectors are in [`vectors`](crate::vectors).

mod calendar;
mod column;
mod config;
mod described;
mod encoded;
mod encoder;
mod error;
mod fit;
mod genome;
mod genres;
mod tags;
#[cfg(test)]
mod tests;

pub use crate::ragged::Ragged;
pub use calendar::{Calendar, utc_date_time};
pub use column::ColumnEncoder;
pub use config::{FeatureConfig, FeatureKind};
pub use described::Described;
pub use encoded::{EncodedColumn, EncodedFeatures};
pub use encoder::{FeatureEncoder, Features};
pub use error::FeatureError;
pub use genome::{Genome, IncompleteRow};
pub use genres::Genres;
pub use tags::{ItemTags, TagsConfig, UserTags};
