//! The part of every row, while a method decides.

use super::note::SplitNote;
use super::{Part, Split, SplitError};
use crate::interactions::{NO_TIME, TimeKind};
use crate::ratings::Ratings;

pub(super) const MORE_TEST: &str = "raise data.test_ratio, or give more rows";
pub(super) const MORE_VALID: &str =
    "raise data.valid_ratio, set it to 0 for no validation, or give more rows";
pub(super) const MORE_TRAIN: &str = "lower data.valid_ratio and data.test_ratio, or give more rows";

/// What to change when a part is empty.
pub(super) struct Remedies {
    pub(super) train: &'static str,
    /// `None` where no validation part was asked for.
    pub(super) valid: Option<&'static str>,
    pub(super) test: &'static str,
}

impl Remedies {
    /// Those of a method that divides by ratios.
    pub(super) fn of_ratios(valid_ratio: f64, test: &'static str) -> Self {
        Self { train: MORE_TRAIN, valid: (valid_ratio > 0.0).then_some(MORE_VALID), test }
    }
}

/// The part of every row, one byte each; a row that nothing was said of trains.
pub(super) struct Assigned {
    part_of: Vec<Part>,
    /// Rows that train because they have no time.
    n_timeless: usize,
}

impl Assigned {
    pub(super) fn new(n_rows: usize, n_timeless: usize) -> Self {
        Self { part_of: vec![Part::Train; n_rows], n_timeless }
    }

    pub(super) fn given(part_of: Vec<Part>) -> Self {
        Self { part_of, n_timeless: 0 }
    }

    pub(super) fn give(&mut self, rows: &[u32], part: Part) {
        for &row in rows {
            self.part_of[row as usize] = part;
        }
    }

    /// The split, once every row that is not for training has its part.
    pub(super) fn finish(
        self,
        ratings: &Ratings,
        method: String,
        remedies: &Remedies,
    ) -> Result<Split, SplitError> {
        let n_rows = self.part_of.len() - self.n_timeless;
        let require = |part: Part, is_there: bool, remedy: Option<&'static str>| match remedy {
            Some(remedy) if !is_there => Err(SplitError::EmptyPart { part: part.name(), n_rows, remedy }),
            _ => Ok(()),
        };
        let held_out = || (self.rows_of(Part::Valid), self.rows_of(Part::Test));
        let (train, (valid, test)) = rayon::join(|| self.rows_of(Part::Train), held_out);
        require(Part::Test, !test.is_empty(), Some(remedies.test))?;
        require(Part::Valid, !valid.is_empty(), remedies.valid)?;
        require(Part::Train, !train.is_empty(), Some(remedies.train))?;
        let note = SplitNote::new(method, ratings, &train, &test, self.n_timeless);
        Ok(Split { train, valid, test, note })
    }

    /// The rows of a part, ascending.
    fn rows_of(&self, wanted: Part) -> Vec<u32> {
        let n_rows = self.part_of.iter().filter(|&&part| part == wanted).count();
        let mut rows = Vec::with_capacity(n_rows);
        rows.extend((0u32..).zip(&self.part_of).filter(|&(_, &part)| part == wanted).map(|(row, _)| row));
        rows
    }
}

/// The rows that may be tested: all but those without a time where others have one.
pub(super) fn testable(ratings: &Ratings) -> impl Iterator<Item = u32> + Clone + '_ {
    let has_times = ratings.time_kind != TimeKind::Absent;
    (0..ratings.len() as u32).filter(move |&row| !has_times || ratings.time[row as usize] != NO_TIME)
}

/// The numbers of validation and test rows among `n`, rounded to whole rows, leaving one at least where there is one.
pub(super) fn part_sizes(n: usize, valid_ratio: f64, test_ratio: f64) -> (usize, usize) {
    sizes(n, |ratio| (n as f64 * ratio).round(), valid_ratio, test_ratio)
}

/// The same for the rows of one user, rounded down: the training part has what is left over, as in RecBole, so that
/// figures can be set beside its published ones.
pub(super) fn part_sizes_within_user(n: usize, valid_ratio: f64, test_ratio: f64) -> (usize, usize) {
    // A whole number of rows may come out of the product a little below it.
    sizes(n, |ratio| (n as f64 * ratio + 1e-9).floor(), valid_ratio, test_ratio)
}

fn sizes(n: usize, share: impl Fn(f64) -> f64, valid_ratio: f64, test_ratio: f64) -> (usize, usize) {
    let n_test = (share(test_ratio) as usize).min(n.saturating_sub(1));
    let n_valid = (share(valid_ratio) as usize).min(n.saturating_sub(1) - n_test);
    (n_valid, n_test)
}
