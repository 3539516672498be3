//! Mean ratings as predictions.

use cresset_metrics::{RatingPredictor, Scorer};

use crate::history_scorer::check_lengths;
use crate::popularity::same_for_all;
use crate::{BaselineError, HistoryScorer, ParameterError, TrainingSet};

/// Predicts the mean of all training ratings for everyone and everything.
#[derive(Debug, Clone, PartialEq)]
pub struct GlobalMean {
    pub(crate) mean: f32,
}

/// Predicts a user's mean rating in training, and the global mean for a user without one.
#[derive(Debug, Clone, PartialEq)]
pub struct UserMean {
    pub(crate) means: ShrunkMeans,
}

/// Predicts an item's mean rating in training, and the global mean for an item without one.
///
/// As a [`Scorer`] it ranks by that mean, alike for every user. Without shrinkage an item with a single top
/// rating then comes before all others.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemMean {
    pub(crate) means: ShrunkMeans,
}

impl GlobalMean {
    /// The mean rating of the training set.
    ///
    /// # Errors
    ///
    /// If the training set fails its [`check`](TrainingSet::check).
    pub fn fit(training: &TrainingSet<'_>) -> Result<Self, BaselineError> {
        training.check()?;
        Ok(Self { mean: mean(training.ratings) as f32 })
    }
}

impl UserMean {
    /// Each user's mean rating, shrunk towards the global mean.
    ///
    /// A mean of `n` ratings becomes `(sum + shrinkage * global) / (n + shrinkage)`: `shrinkage` is the
    /// number of ratings at the global mean that every user is given on top of their own. 0, the usual choice
    /// and what is meant by "user mean" in published tables, is the plain mean.
    ///
    /// # Errors
    ///
    /// If the training set fails its [`check`](TrainingSet::check), or `shrinkage` is negative, NaN or
    /// infinite.
    pub fn fit(training: &TrainingSet<'_>, shrinkage: f64) -> Result<Self, BaselineError> {
        training.check()?;
        let means = ShrunkMeans::fit(training.user_ids, training.ratings, training.n_users, shrinkage)?;
        Ok(Self { means })
    }
}

impl ItemMean {
    /// Each item's mean rating, shrunk towards the global mean as [`UserMean::fit`] shrinks.
    ///
    /// # Errors
    ///
    /// As [`UserMean::fit`].
    pub fn fit(training: &TrainingSet<'_>, shrinkage: f64) -> Result<Self, BaselineError> {
        training.check()?;
        let means = ShrunkMeans::fit(training.item_ids, training.ratings, training.n_items, shrinkage)?;
        Ok(Self { means })
    }
}

impl RatingPredictor for GlobalMean {
    fn predict_pairs(&self, users: &[u32], items: &[u32]) -> Vec<f32> {
        assert_eq!(users.len(), items.len(), "one item for each user");
        vec![self.mean; users.len()]
    }
}

impl RatingPredictor for UserMean {
    fn predict_pairs(&self, users: &[u32], items: &[u32]) -> Vec<f32> {
        assert_eq!(users.len(), items.len(), "one item for each user");
        self.means.of_each(users)
    }
}

impl RatingPredictor for ItemMean {
    fn predict_pairs(&self, users: &[u32], items: &[u32]) -> Vec<f32> {
        assert_eq!(users.len(), items.len(), "one item for each user");
        self.means.of_each(items)
    }
}

impl Scorer for ItemMean {
    fn n_items(&self) -> usize {
        self.means.by_id.len()
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        same_for_all(&self.means.by_id, users, scores);
    }
}

impl HistoryScorer for ItemMean {
    fn score_history(&self, items: &[u32], ratings: &[f32], scores: &mut [f32]) {
        check_lengths(self.n_items(), items, ratings, scores);
        scores.copy_from_slice(&self.means.by_id);
    }
}

/// Means by dense id, with the global mean for ids beyond.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShrunkMeans {
    pub(crate) by_id: Vec<f32>,
    pub(crate) global: f32,
}

impl ShrunkMeans {
    fn fit(ids: &[u32], ratings: &[f32], count: usize, shrinkage: f64) -> Result<Self, BaselineError> {
        ParameterError::check_from_0("shrinkage", shrinkage)?;
        let global = mean(ratings);
        let mut sums = vec![(0.0_f64, 0.0_f64); count];
        for (&id, &rating) in ids.iter().zip(ratings) {
            let (sum, n) = &mut sums[id as usize];
            *sum += f64::from(rating);
            *n += 1.0;
        }
        let shrunk = |(sum, n): (f64, f64)| {
            // Asked first, or no rating and no shrinkage would be 0 / 0.
            if n == 0.0 { global } else { (sum + shrinkage * global) / (n + shrinkage) }
        };
        Ok(Self { by_id: sums.into_iter().map(|sum| shrunk(sum) as f32).collect(), global: global as f32 })
    }

    fn of_each(&self, ids: &[u32]) -> Vec<f32> {
        ids.iter().map(|&id| self.by_id.get(id as usize).copied().unwrap_or(self.global)).collect()
    }
}

/// The mean of at least one rating.
fn mean(ratings: &[f32]) -> f64 {
    ratings.iter().map(|&rating| f64::from(rating)).sum::<f64>() / ratings.len() as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// User 0 rates 5 and 3, user 1 rates 1; user 2 and item 2 have no row. The global mean is 3.
    const TRAINING: TrainingSet<'static> = TrainingSet {
        user_ids: &[0, 0, 1],
        item_ids: &[0, 1, 0],
        ratings: &[5.0, 3.0, 1.0],
        times: None,
        n_users: 3,
        n_items: 3,
    };

    #[test]
    fn the_global_mean_is_predicted_for_everyone() {
        let model = GlobalMean::fit(&TRAINING).unwrap();
        assert_eq!(model.predict_pairs(&[0, 2, 99], &[0, 1, 99]), [3.0; 3]);
    }

    #[test]
    fn without_shrinkage_means_are_plain() {
        let user_mean = UserMean::fit(&TRAINING, 0.0).unwrap();
        assert_eq!(user_mean.predict_pairs(&[0, 1], &[2, 2]), [4.0, 1.0]);
        let item_mean = ItemMean::fit(&TRAINING, 0.0).unwrap();
        assert_eq!(item_mean.predict_pairs(&[2, 2], &[0, 1]), [3.0, 3.0]);
    }

    #[test]
    fn shrinkage_counts_as_so_many_ratings_at_the_global_mean() {
        // User 0: (5 + 3 + 2 * 3) / (2 + 2); user 1: (1 + 2 * 3) / (1 + 2).
        let model = UserMean::fit(&TRAINING, 2.0).unwrap();
        assert_eq!(model.predict_pairs(&[0, 1], &[0, 0]), [3.5, 7.0 / 3.0]);
    }

    #[test]
    fn ids_that_training_never_saw_get_the_global_mean() {
        for shrinkage in [0.0, 2.0] {
            let user_mean = UserMean::fit(&TRAINING, shrinkage).unwrap();
            assert_eq!(user_mean.predict_pairs(&[2, 99], &[0, 0]), [3.0, 3.0]);
            let item_mean = ItemMean::fit(&TRAINING, shrinkage).unwrap();
            assert_eq!(item_mean.predict_pairs(&[0, 0], &[2, 99]), [3.0, 3.0]);
        }
    }

    #[test]
    fn items_are_ranked_by_their_mean_alike_for_every_user() {
        let model = ItemMean::fit(&TrainingSet { ratings: &[5.0, 1.0, 3.0], ..TRAINING }, 0.0).unwrap();
        let mut scores = [0.0; 6];
        model.score_block(&[0, 99], &mut scores);
        assert_eq!(model.n_items(), 3);
        assert_eq!(scores, [4.0, 1.0, 3.0, 4.0, 1.0, 3.0]);
    }

    #[test]
    fn one_user_with_one_rating_is_enough() {
        let one = TrainingSet {
            user_ids: &[0],
            item_ids: &[0],
            ratings: &[2.0],
            times: None,
            n_users: 1,
            n_items: 1,
        };
        assert_eq!(UserMean::fit(&one, 0.0).unwrap().predict_pairs(&[0], &[0]), [2.0]);
    }

    #[test]
    fn no_interactions_are_an_error_for_every_mean() {
        let none = TrainingSet { user_ids: &[], item_ids: &[], ratings: &[], ..TRAINING };
        assert_eq!(GlobalMean::fit(&none), Err(BaselineError::NoInteractions));
        assert_eq!(UserMean::fit(&none, 0.0), Err(BaselineError::NoInteractions));
        assert_eq!(ItemMean::fit(&none, 0.0), Err(BaselineError::NoInteractions));
    }

    #[test]
    fn a_shrinkage_below_0_or_not_finite_is_an_error_with_the_value() {
        for shrinkage in [-1.0, f64::NAN, f64::INFINITY] {
            let error = ItemMean::fit(&TRAINING, shrinkage).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("shrinkage = {shrinkage}, expected a finite number from 0 up")
            );
        }
    }

    proptest! {
        #[test]
        fn shrinking_moves_a_mean_towards_the_global_mean_and_never_past_it(
            rows in prop::collection::vec((0_u32..4, 1_u8..6), 1..30),
            shrinkage in 0.0..50.0_f64,
        ) {
            let user_ids: Vec<u32> = rows.iter().map(|row| row.0).collect();
            let ratings: Vec<f32> = rows.iter().map(|row| f32::from(row.1)).collect();
            let item_ids = vec![0; rows.len()];
            let training =
                TrainingSet {
                    user_ids: &user_ids,
                    item_ids: &item_ids,
                    ratings: &ratings,
                    times: None,
                    n_users: 4,
                    n_items: 1,
                };
            let global = GlobalMean::fit(&training).unwrap().mean;
            let of_users = |shrinkage| {
                UserMean::fit(&training, shrinkage).unwrap().predict_pairs(&[0, 1, 2, 3], &[0; 4])
            };
            for (plain, shrunk) in of_users(0.0).into_iter().zip(of_users(shrinkage)) {
                let (low, high) = (plain.min(global), plain.max(global));
                prop_assert!((low - 1e-6..=high + 1e-6).contains(&shrunk), "{plain} {shrunk} {global}");
            }
        }
    }
}
