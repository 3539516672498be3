//! Rows divided into training, validation and test parts.

mod assigned;
mod error;
mod given;
mod global_time;
mod k_fold;
mod moment;
mod note;
mod part;
mod random;
#[cfg(test)]
mod tests;
mod within_users;

pub use error::SplitError;
pub use global_time::TimeCuts;
pub use moment::Moment;
pub use note::SplitNote;
pub use part::Part;

use crate::config::{DataConfig, SplitKind};
use crate::error::DataError;
use crate::ratings::Ratings;

/// Row numbers of the three parts, each ascending; every row is in exactly one part.
///
/// Where some rows have a time, those without one are always in `train`: nothing says that a model tested on them
/// had not seen their future. Where no row has a time, chance may put any row anywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Rows to learn from; never empty.
    pub train: Vec<u32>,
    /// Rows to select a model by; empty exactly when none was asked for or, of a given split, none was given.
    pub valid: Vec<u32>,
    /// Rows to report on; never empty.
    pub test: Vec<u32>,
    /// What must be known to read numbers from this split.
    pub note: SplitNote,
}

impl Split {
    /// The split that a configuration asks for; `fold` is below [`DataConfig::n_splits`] and counts for `k_fold` only.
    ///
    /// # Errors
    ///
    /// [`DataError`] when the configuration is out of range, or the rows cannot be divided so.
    pub fn of(ratings: &Ratings, config: &DataConfig, fold: usize) -> Result<Self, DataError> {
        config.validate()?;
        let DataConfig { valid_ratio, test_ratio, n_folds, split_seed, valid_from, test_from, .. } = *config;
        let split = match config.split {
            SplitKind::Random if config.per_user => {
                Self::random_per_user(ratings, valid_ratio, test_ratio, split_seed)
            }
            SplitKind::Random => Self::random(ratings, valid_ratio, test_ratio, split_seed),
            SplitKind::Temporal => Self::temporal(ratings, valid_ratio, test_ratio),
            SplitKind::LeaveOneOut => Self::leave_one_out(ratings),
            SplitKind::GlobalTime => {
                Self::global_time(ratings, &TimeCuts { valid_from, test_from, valid_ratio, test_ratio })
            }
            SplitKind::KFold => Self::k_fold(ratings, fold, n_folds, valid_ratio, split_seed),
            SplitKind::Given => Self::given(ratings),
        };
        Ok(split?)
    }

    /// Rows that come before the test part: what a model may know, and must not recommend again, when it is tested.
    pub fn before_test(&self) -> Vec<u32> {
        [&self.train[..], &self.valid[..]].concat()
    }

    /// The rows of a part.
    pub fn rows(&self, part: Part) -> &[u32] {
        match part {
            Part::Train => &self.train,
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        }
    }
}
