//! What is shown, whoever finds it relevant.
//!
//! All of it is taken from the lists of the top k, in which equal scores come by item id.

mod diversity;
mod exposure;
mod facts;
mod list_values;

pub use facts::{ItemFacts, ItemVectors};

pub(crate) use exposure::Exposure;
pub(crate) use list_values::{ListValue, Shown};

/// No item: the end of a list that is shorter than its row, or a place that an item outside the catalogue
/// holds.
pub const NO_ITEM: u32 = u32::MAX;
