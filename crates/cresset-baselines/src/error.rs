//! What can be wrong with the interactions a baseline is fitted to.

/// Why a baseline could not be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BaselineError {
    /// There is nothing to learn from.
    #[error("no interactions to fit a baseline to, expected at least one")]
    NoInteractions,
    /// The columns differ in length.
    #[error("{n_users} user ids, {n_items} item ids and {n_ratings} ratings, expected one of each a row")]
    LengthMismatch {
        /// Number of user ids.
        n_users: usize,
        /// Number of item ids.
        n_items: usize,
        /// Number of ratings.
        n_ratings: usize,
    },
    /// An id that is not below its count.
    #[error("row {row} has {what} id {id}, expected one below {count}")]
    IdOutOfRange {
        /// Row of the interaction, from 0.
        row: usize,
        /// Whose id: `user` or `item`.
        what: &'static str,
        /// The id.
        id: u32,
        /// Number of such ids.
        count: usize,
    },
    /// A rating that is NaN or infinite.
    #[error("row {row} has the rating {value}, expected a finite number")]
    RatingNotFinite {
        /// Row of the interaction, from 0.
        row: usize,
        /// The rating.
        value: f32,
    },
    /// A pseudo-count that is negative, NaN or infinite.
    #[error("shrinkage = {value}, expected a finite number from 0 up")]
    Shrinkage {
        /// The pseudo-count.
        value: f64,
    },
}
