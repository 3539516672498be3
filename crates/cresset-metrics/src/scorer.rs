//! The seam between models and their evaluation.

use crate::{BlockRanks, BlockRequest};

/// Gives every item of the catalogue a score for a user; the higher, the better.
///
/// The evaluation calls it from one thread, block of users by block, and does its own work in parallel
/// afterwards. That is why nothing here asks for `Sync`: a model may live on a device or behind a cell.
///
/// The methods cannot fail. A score that could not be computed is `NaN`, which the evaluation reports as an
/// error with user and item.
pub trait Scorer {
    /// Number of items in the catalogue.
    fn n_items(&self) -> usize;

    /// Writes the score of every item for each of `users`.
    ///
    /// # Shapes
    ///
    /// - users: `[block]`, dense user ids
    /// - scores: `[block, n_items]`, row-major, to be overwritten whole
    fn score_block(&self, users: &[u32], scores: &mut [f32]);

    /// What the evaluation needs of a block's scores, if it can be had without handing them over.
    ///
    /// A model whose scores lie on a device counts there, and what crosses the bus is a few numbers for each
    /// relevant item instead of one for each item of the catalogue. None, as by default, means that the
    /// scores are asked for.
    fn rank_block(&self, request: &BlockRequest<'_>) -> Option<BlockRanks> {
        let _ = request;
        None
    }
}

/// Predicts the rating that a user would give an item.
pub trait RatingPredictor {
    /// Predictions in the unit of the ratings, paired by position.
    ///
    /// They are for ids the model never saw too, such as a new user: a fallback, never a failure.
    ///
    /// # Shapes
    ///
    /// - users, items: `[n]`, dense ids
    /// - output: `[n]`
    ///
    /// # Panics
    ///
    /// If `users` and `items` differ in length.
    fn predict_pairs(&self, users: &[u32], items: &[u32]) -> Vec<f32>;

    /// As [`predict_pairs`](Self::predict_pairs), of ratings whose times are known; a model that learnt nothing of time
    /// ignores them, as by default.
    ///
    /// # Shapes
    ///
    /// - times: `[n]`, seconds since 1970-01-01 UTC, `i64::MIN` where unknown
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    fn predict_pairs_at(&self, users: &[u32], items: &[u32], times: &[i64]) -> Vec<f32> {
        assert_eq!(users.len(), times.len(), "one time for each pair");
        self.predict_pairs(users, items)
    }
}
