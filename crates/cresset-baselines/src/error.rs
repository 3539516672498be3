//! What can be wrong with a baseline's parameters and with the interactions it is fitted to.

use std::fmt::Display;

/// A parameter outside its documented range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} = {value}, expected {expected}")]
pub struct ParameterError {
    /// The key.
    pub field: &'static str,
    /// What it was set to.
    pub value: String,
    /// What it may be.
    pub expected: &'static str,
}

impl ParameterError {
    /// That `value` is allowed.
    pub(crate) fn check(
        field: &'static str,
        value: &dyn Display,
        is_allowed: bool,
        expected: &'static str,
    ) -> Result<(), Self> {
        if is_allowed {
            return Ok(());
        }
        Err(Self { field, value: value.to_string(), expected })
    }

    /// That `value` is finite and not negative.
    pub(crate) fn check_from_0(field: &'static str, value: f64) -> Result<(), Self> {
        Self::check(field, &value, value.is_finite() && value >= 0.0, "a finite number from 0 up")
    }
}

/// Why a baseline could not be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BaselineError {
    /// A parameter is outside its range.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
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
    /// There are times, and not one for each row.
    #[error("{n_times} times for {n_rows} rows, expected one for each row, or none at all")]
    TimesMismatch {
        /// Number of times.
        n_times: usize,
        /// Number of rows.
        n_rows: usize,
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
    /// A rating below 0 where ratings are taken as how often or how much.
    #[error(
        "row {row} has the rating {value}, expected 0 or more: implicit ALS takes ratings for amounts; shift them, or \
         set use_ratings to false"
    )]
    RatingNegative {
        /// Row of the interaction, from 0.
        row: usize,
        /// The rating.
        value: f32,
    },
    /// What needs times was asked for where there are none.
    #[error("{field} is set and the interactions have no times, expected data with times: leave {field} out")]
    NoTimes {
        /// The parameter that needs them.
        field: &'static str,
    },
    /// The regularised Gram matrix has no inverse.
    #[error(
        "the item-item matrix has no inverse at l2 = {l2} (item {item} adds nothing to the items before it), expected \
         a larger l2, such as 100"
    )]
    Singular {
        /// The first item whose column depends on those before it.
        item: usize,
        /// The regulariser.
        l2: f64,
    },
    /// A dense matrix of the catalogue is larger than allowed.
    #[error(
        "{n_items} items need {bytes} bytes for dense item-item matrices, over the limit of {limit}: raise \
         memory_limit_mb, keep fewer items (data.min_item_ratings), or use item-neighbours, whose memory is sparse"
    )]
    TooLarge {
        /// Number of items.
        n_items: usize,
        /// Bytes needed while fitting.
        bytes: u128,
        /// Bytes allowed.
        limit: u128,
    },
}
