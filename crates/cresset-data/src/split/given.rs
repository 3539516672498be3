//! The parts that the source gives.

use super::assigned::{Assigned, Remedies};
use super::{Split, SplitError};
use crate::ratings::Ratings;

pub(super) const FULL_PARTS: &str =
    "cleaning may have removed its rows; lower the minimum counts, or set data.split to another method";

impl Split {
    /// The parts that the source gives each row; there may be no validation part.
    ///
    /// Rows without a time stay in the part that they are given, unlike in the other splits.
    ///
    /// # Errors
    ///
    /// [`SplitError::NoParts`] when the source gives none, [`SplitError::EmptyPart`] when no row is left of the
    /// training or of the test part.
    ///
    /// # Panics
    ///
    /// If there is not one part for each row.
    pub fn given(ratings: &Ratings) -> Result<Self, SplitError> {
        let part_of = ratings.parts.clone().ok_or(SplitError::NoParts)?;
        assert_eq!(part_of.len(), ratings.len(), "one part for each row");
        let remedies = Remedies { train: FULL_PARTS, valid: None, test: FULL_PARTS };
        Assigned::given(part_of).finish(ratings, "given by the source".to_owned(), &remedies)
    }
}
