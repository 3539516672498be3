//! The interactions a baseline is fitted to.

use cresset_data::{NO_TIME, Ratings, TimedRows};

use crate::BaselineError;

/// A view of training interactions in columns, one row each, and the sizes of both id spaces.
#[derive(Debug, Clone, Copy)]
pub struct TrainingSet<'a> {
    /// Dense user ids, each below `n_users`.
    pub user_ids: &'a [u32],
    /// Dense item ids, each below `n_items`.
    pub item_ids: &'a [u32],
    /// Ratings on their own scale; 1 in each row where feedback is implicit.
    pub ratings: &'a [f32],
    /// When, in any unit, [`NO_TIME`](cresset_data::NO_TIME) in a row where it is not known; none where no row has a
    /// time.
    pub times: Option<&'a [i64]>,
    /// Number of users, those without a row too.
    pub n_users: usize,
    /// Number of items, those without a row too: the catalogue.
    pub n_items: usize,
}

impl<'a> TrainingSet<'a> {
    /// A view of ratings as `cresset-data` reads them; without times where no row has one.
    pub fn from_ratings(ratings: &'a Ratings, n_users: usize, n_items: usize) -> Self {
        let Ratings { user_id, item_id, rating, time, .. } = ratings;
        let has_times = time.iter().any(|&time| time != NO_TIME);
        Self {
            user_ids: user_id,
            item_ids: item_id,
            ratings: rating,
            times: has_times.then_some(time),
            n_users,
            n_items,
        }
    }

    /// That there are rows, that they are whole, and that their values are in range.
    ///
    /// Every `fit` asks this first.
    ///
    /// # Errors
    ///
    /// If there is no row, the columns differ in length, an id is not below its count, or a rating is NaN or
    /// infinite.
    pub fn check(&self) -> Result<(), BaselineError> {
        let (n_users, n_items, n_ratings) = (self.user_ids.len(), self.item_ids.len(), self.ratings.len());
        if n_users != n_items || n_items != n_ratings {
            return Err(BaselineError::LengthMismatch { n_users, n_items, n_ratings });
        }
        let n_times = self.times.map_or(n_ratings, <[i64]>::len);
        if n_times != n_ratings {
            return Err(BaselineError::TimesMismatch { n_times, n_rows: n_ratings });
        }
        if n_ratings == 0 {
            return Err(BaselineError::NoInteractions);
        }
        check_ids("user", self.user_ids, self.n_users)?;
        check_ids("item", self.item_ids, self.n_items)?;
        match self.ratings.iter().position(|rating| !rating.is_finite()) {
            Some(row) => Err(BaselineError::RatingNotFinite { row, value: self.ratings[row] }),
            None => Ok(()),
        }
    }

    pub(crate) fn timed_rows(&self) -> TimedRows<'a> {
        TimedRows { user_ids: self.user_ids, item_ids: self.item_ids, times: self.times }
    }
}

fn check_ids(what: &'static str, ids: &[u32], count: usize) -> Result<(), BaselineError> {
    match ids.iter().position(|&id| id as usize >= count) {
        Some(row) => Err(BaselineError::IdOutOfRange { row, what, id: ids[row], count }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(user_ids: &[u32], item_ids: &[u32], ratings: &[f32]) -> Result<(), BaselineError> {
        TrainingSet { user_ids, item_ids, ratings, times: None, n_users: 2, n_items: 3 }.check()
    }

    #[test]
    fn whole_rows_with_ids_below_their_counts_pass() {
        assert_eq!(check(&[0, 1], &[2, 0], &[5.0, -1.0]), Ok(()));
    }

    #[test]
    fn no_rows_are_an_error() {
        assert_eq!(check(&[], &[], &[]), Err(BaselineError::NoInteractions));
    }

    #[test]
    fn columns_of_different_length_are_an_error_with_all_lengths() {
        let expected =
            |n_users, n_items, n_ratings| Err(BaselineError::LengthMismatch { n_users, n_items, n_ratings });
        assert_eq!(check(&[0], &[0, 1], &[1.0]), expected(1, 2, 1));
        assert_eq!(check(&[0, 1], &[0, 1], &[1.0]), expected(2, 2, 1));
    }

    #[test]
    fn an_id_beyond_its_count_is_an_error_that_names_row_and_id() {
        let message = |result: Result<(), BaselineError>| result.unwrap_err().to_string();
        assert_eq!(message(check(&[0, 2], &[0, 0], &[1.0; 2])), "row 1 has user id 2, expected one below 2");
        assert_eq!(message(check(&[0], &[3], &[1.0])), "row 0 has item id 3, expected one below 3");
    }

    #[test]
    fn a_nan_rating_is_an_error_that_names_its_row() {
        let error = check(&[0, 1], &[0, 0], &[1.0, f32::NAN]).unwrap_err();
        assert_eq!(error.to_string(), "row 1 has the rating NaN, expected a finite number");
    }

    #[test]
    fn times_that_are_not_one_a_row_are_an_error() {
        let training = TrainingSet {
            user_ids: &[0, 1],
            item_ids: &[0, 1],
            ratings: &[1.0; 2],
            times: Some(&[7]),
            n_users: 2,
            n_items: 3,
        };
        assert_eq!(training.check(), Err(BaselineError::TimesMismatch { n_times: 1, n_rows: 2 }));
    }

    #[test]
    fn ratings_of_which_none_has_a_time_make_a_set_without_times() {
        let mut ratings = Ratings {
            user_id: vec![0, 1],
            item_id: vec![2, 0],
            rating: vec![3.0, 4.0],
            time: vec![NO_TIME; 2],
            time_kind: cresset_data::TimeKind::Absent,
            parts: None,
        };
        assert_eq!(TrainingSet::from_ratings(&ratings, 2, 3).times, None);
        ratings.time[1] = 5;
        assert_eq!(TrainingSet::from_ratings(&ratings, 2, 3).times, Some(&[NO_TIME, 5][..]));
    }
}
