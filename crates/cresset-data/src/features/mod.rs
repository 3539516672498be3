//! What is known of users, items and moments, as arrays under the indices of the vocabularies.
//!
//! - [`Genome`]: how relevant each tag of the tag genome is to each item, with a mask;
//! - [`UserTags`]: the tags that users wrote, counted for each item;
//! - [`Genres`]: the genres of each item, as lists or as a matrix of zeros and ones;
//! - [`AttributeEncoder`]: attributes of users and items as codes, 0 for what is unknown;
//! - [`Calendar`]: month, season, weekday and hour of a timestamp.
//!
//! Text and image vectors are in [`vectors`](crate::vectors).

mod attributes;
mod calendar;
mod genome;
mod genres;
mod tags;

pub use crate::ragged::Ragged;
pub use attributes::{AttributeCodes, AttributeEncoder, AttributesConfig, ColumnEncoder};
pub use calendar::{Calendar, utc_date_time};
pub use genome::{Genome, IncompleteRow};
pub use genres::Genres;
pub use tags::{ItemTags, TagsConfig, UserTags};
