//! Columns out as Arrow arrays and record batches, and in again.
//!
//! Columns of numbers are moved, not copied, both ways: a [`Vec`] becomes the memory of an array, and an array
//! that nobody else holds becomes a [`Vec`]. [`Ratings`](crate::Ratings) travel under their indices,
//! [`Interactions`](crate::Interactions) under their external ids, as text, whole numbers or dictionaries of either.
//!
//! ```
//! use cresset_data::Interactions;
//! use cresset_data::arrow::{BatchPlace, InteractionColumns};
//!
//! let mut rows = Interactions::default();
//! rows.push("196", "242", 3.0, 881_250_949);
//! rows.push("22", "242", 1.0, 878_887_116);
//! let batch = rows.clone().into_batch();
//! assert_eq!((batch.num_rows(), batch.num_columns()), (2, 4));
//!
//! let columns = InteractionColumns::default();
//! let again = Interactions::from_batches([(BatchPlace::default(), batch)], &columns)?;
//! assert_eq!(again.users, rows.users);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With the feature `arrow2`, `c_data` exchanges arrays with that crate without a copy.

#[cfg(feature = "arrow2")]
pub mod c_data;
pub(crate) mod column;
mod error;
pub(crate) mod ids;
mod interactions;
pub(crate) mod lists;
pub(crate) mod parts;
mod ratings;
pub(crate) mod times;

pub use error::{BatchPlace, ColumnError};
pub use interactions::InteractionColumns;
pub(crate) use interactions::InteractionImport;
pub(crate) use ratings::batch_of;
pub use ratings::part_column;

/// Name of the column of users.
pub const USER_ID: &str = "user_id";
/// Name of the column of items.
pub const ITEM_ID: &str = "item_id";
/// Name of the column of ratings.
pub const RATING: &str = "rating";
/// Name of the column of times.
pub const TIMESTAMP: &str = "timestamp";
/// Name of the column that says which part of a split a row is in.
pub const SPLIT: &str = "split";
