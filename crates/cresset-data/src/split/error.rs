//! Why rows could not be divided.

/// Why ratings could not be split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A part without a row.
    #[error("the {part} part of the split would have no row, {n_rows} rows can be divided: {remedy}")]
    EmptyPart {
        /// `train`, `valid` or `test`.
        part: &'static str,
        /// Number of rows that could be put there.
        n_rows: usize,
        /// What to change.
        remedy: &'static str,
    },

    /// A split by time of rows without times.
    #[error("data.split = {split} needs times and no row has one: set data.split to random or k_fold")]
    NoTimes {
        /// Name of the split.
        split: &'static str,
    },

    /// A cut through the times of all users where times are positions in each user's own history.
    #[error(
        "data.split = global_time needs dates and the source has only the order of each user's rows: set \
         data.split to temporal or leave_one_out"
    )]
    NoCalendar,

    /// A given split of rows that come without their parts.
    #[error(
        "data.split = given needs the part of each row and the source does not give it: set data.split to another \
         method, or read a source that is split already"
    )]
    NoParts,
}
