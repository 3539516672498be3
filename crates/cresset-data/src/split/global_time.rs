//! Rows by one cut through the times of all users.

use super::assigned::{Assigned, Remedies, part_sizes, testable};
use super::{Moment, Part, Split, SplitError};
use crate::interactions::{NO_TIME, TimeKind};
use crate::ratings::Ratings;

pub(super) const EARLIER_TEST: &str = "set data.test_from to an earlier time, or raise data.test_ratio";
pub(super) const EARLIER_VALID: &str = "set data.valid_from to an earlier time or raise data.valid_ratio, or set data.valid_ratio to 0 for no validation";
pub(super) const LATER_CUTS: &str =
    "set data.valid_from and data.test_from to later times, or lower data.valid_ratio and data.test_ratio";

/// Where a global split cuts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeCuts {
    /// First moment of the validation part; by `valid_ratio` where not given.
    pub valid_from: Option<Moment>,
    /// First moment of the test part; by `test_ratio` where not given.
    pub test_from: Option<Moment>,
    /// Share of all rows with a time that validate, read where `valid_from` is not given.
    pub valid_ratio: f64,
    /// Share of all rows with a time that test, read where `test_from` is not given.
    pub test_ratio: f64,
}

impl Split {
    /// Rows by time over all users: those from `test_from` on to test, those before but from `valid_from` on to
    /// validation, earlier ones and those without a time to training. No row tested is older than a training row.
    ///
    /// A cut that is not given is put by ratio of rows: at the time of the first row that the ratio, rounded to
    /// whole rows, would have in the part. All rows at the cut's very time go together, into the later part, which
    /// may so be larger than its ratio.
    ///
    /// # Errors
    ///
    /// [`SplitError::NoTimes`] when no row has a time, [`SplitError::NoCalendar`] when times are positions in each
    /// user's own history, [`SplitError::EmptyPart`] when no row lies on one side of a cut.
    pub fn global_time(ratings: &Ratings, cuts: &TimeCuts) -> Result<Self, SplitError> {
        match ratings.time_kind {
            TimeKind::Absent => return Err(SplitError::NoTimes { split: "global_time" }),
            TimeKind::Ordinal => return Err(SplitError::NoCalendar),
            TimeKind::Timestamp => {}
        }
        let mut times: Vec<i64> = testable(ratings).map(|row| ratings.time[row as usize]).collect();
        let (valid_from, test_from) = places_of(cuts, &mut times);
        let mut parts = Assigned::new(ratings.len(), ratings.len() - times.len());
        drop(times);
        for (row, &time) in (0u32..).zip(&ratings.time).filter(|&(_, &time)| time != NO_TIME) {
            if time >= test_from {
                parts.give(&[row], Part::Test);
            } else if time >= valid_from {
                parts.give(&[row], Part::Valid);
            }
        }
        let wants_valid = cuts.valid_from.is_some() || cuts.valid_ratio > 0.0;
        let method = if wants_valid {
            format!("global time, validation from {valid_from}, test from {test_from}")
        } else {
            format!("global time, test from {test_from}")
        };
        let valid = wants_valid.then_some(EARLIER_VALID);
        parts.finish(ratings, method, &Remedies { train: LATER_CUTS, valid, test: EARLIER_TEST })
    }
}

/// The first moments of validation and test.
fn places_of(cuts: &TimeCuts, times: &mut [i64]) -> (i64, i64) {
    let (n_valid, n_test) = part_sizes(times.len(), cuts.valid_ratio, cuts.test_ratio);
    let test_from = match cuts.test_from {
        Some(Moment(time)) => time,
        None => time_of_last(times, n_test),
    };
    let valid_from = match cuts.valid_from {
        Some(Moment(time)) => time,
        None => {
            let n_tested = times.iter().filter(|&&time| time >= test_from).count();
            time_of_last(times, (n_valid + n_tested).min(times.len())).min(test_from)
        }
    };
    (valid_from, test_from)
}

/// The time of the first of the `n` latest rows; later than all when `n` is 0.
fn time_of_last(times: &mut [i64], n: usize) -> i64 {
    if n == 0 {
        return i64::MAX;
    }
    let rank = times.len() - n;
    *times.select_nth_unstable(rank).1
}
