//! Rows by chance into folds.

use super::assigned::{Assigned, Remedies, part_sizes, testable};
use super::{Part, Split, SplitError};
use crate::random::{shuffle, stream};
use crate::ratings::Ratings;

pub(super) const FEWER_FOLDS: &str = "lower data.n_folds, or give more rows";

impl Split {
    /// One of `n_folds` divisions by chance: fold `fold` is the test part, and of the rest `valid_ratio`, by chance
    /// again, is the validation part.
    ///
    /// With one seed, each row that may be tested is in the test part of exactly one fold, and folds differ in size
    /// by one row at most. As with [`random`](Self::random), few rows may all be away from `train`.
    ///
    /// # Errors
    ///
    /// [`SplitError::EmptyPart`] when there are fewer rows than folds, or rounding leaves a part without a row.
    ///
    /// # Panics
    ///
    /// If `fold` is not below `n_folds`.
    pub fn k_fold(
        ratings: &Ratings,
        fold: usize,
        n_folds: usize,
        valid_ratio: f64,
        seed: u64,
    ) -> Result<Self, SplitError> {
        assert!(fold < n_folds, "a fold is below the number of folds");
        let mut rows: Vec<u32> = testable(ratings).collect();
        shuffle(&mut rows, &mut stream(seed, "folds", 0));
        let (start, end) = (fold * rows.len() / n_folds, (fold + 1) * rows.len() / n_folds);
        let mut rest = [&rows[..start], &rows[end..]].concat();
        shuffle(&mut rest, &mut stream(seed, "fold validation", fold as u64));
        let (n_valid, _) = part_sizes(rest.len(), valid_ratio, 0.0);
        let mut parts = Assigned::new(ratings.len(), ratings.len() - rows.len());
        parts.give(&rows[start..end], Part::Test);
        parts.give(&rest[..n_valid], Part::Valid);
        let method = format!("fold {} of {n_folds}, valid_ratio {valid_ratio}, seed {seed}", fold + 1);
        parts.finish(ratings, method, &Remedies::of_ratios(valid_ratio, FEWER_FOLDS))
    }
}
