//! Exact search of a catalogue by inner product: the best items for one query, or for thousands at once.
//!
//! A retrieval model gives a vector to each user and to each item, and what is shown to a user are the items
//! whose vectors have the highest inner product with the user's. This crate finds them, on plain arrays,
//! without an approximation and without a framework:
//!
//! ```
//! use cresset_search::{FlatIndex, Hit, Masks, Searcher};
//!
//! // Three items in the plane.
//! let index = FlatIndex::try_new(vec![1.0, 0.0, 0.6, 0.8, 0.0, 1.0], 2)?;
//! let mut searcher = Searcher::new();
//!
//! let best = searcher.search(&index, &[1.0, 0.5], 2, &[])?;
//! assert_eq!(best, [Hit { item: 0, score: 1.0 }, Hit { item: 1, score: 1.0 }]);
//!
//! // Two users at once; the first has seen items 0 and 1.
//! let seen = Masks { offsets: &[0, 2, 2], items: &[0, 1] };
//! let best = searcher.search_batch(&index, &[1.0, 0.5, 0.0, 2.0], 2, seen)?;
//! assert_eq!(best.of(0), [Hit { item: 2, score: 0.5 }]);
//! assert_eq!(best.of(1), [Hit { item: 2, score: 2.0 }, Hit { item: 1, score: 1.6 }]);
//! # Ok::<(), cresset_search::SearchError>(())
//! ```
//!
//! # How it is fast and exact
//!
//! A [`FlatIndex`] holds each vector twice: as it is, and without what all vectors have in common in eight
//! bits for each number. The products of the short vectors are whole numbers that processors compute many
//! times faster, from a quarter of the memory. Of each item and each query it is known how far the short
//! vector is from the true one, and so between which scores the true one lies. An item that cannot reach the
//! `k` best seen so far is passed over, and at the end the few hundred that are left are scored from the
//! vectors as they are. The bound holds for any numbers, so the result is that of scoring everything.
//!
//! How many items are left depends on the vectors. Where scores lie nearer to one another than eight bits can
//! tell, as those of equal rows do, they are all scored, and a search takes longer than one that had scored
//! them at once.
//!
//! # Scores
//!
//! A score is the inner product summed in `f64`, column `c` into partial sum `c % 16`, the sums joined halves
//! with halves, and rounded to `f32` once. It has the same bits alone and in a batch, on any number of
//! threads and on any processor. Equal scores (-0 equals 0) come in the order of rising ids. Scores beyond
//! the range of `f32` are infinite and equal to one another.

mod bars;
mod best;
mod candidate;
mod centre;
mod codes;
mod encode;
mod error;
mod finish;
mod hit;
mod index;
mod kernels;
mod masks;
mod order;
mod queries;
mod scan;
mod score;
mod searcher;

#[cfg(test)]
mod tests;

pub use error::SearchError;
pub use hit::Hit;
pub use index::FlatIndex;
pub use masks::Masks;
pub use searcher::{BatchHits, Searcher};
