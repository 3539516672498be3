//! What everybody takes.

use cresset_metrics::Scorer;

use crate::{BaselineError, TrainingSet};

/// Ranks items by their number of training interactions, alike for every user.
///
/// An item without one scores 0 and ties with all its like. Counts are exact up to 2^24 interactions an
/// item.
#[derive(Debug, Clone, PartialEq)]
pub struct Popularity {
    counts: Vec<f32>,
}

impl Popularity {
    /// Counts the interactions of each item, whatever their rating.
    ///
    /// # Errors
    ///
    /// If the training set fails its [`check`](TrainingSet::check).
    pub fn fit(training: &TrainingSet<'_>) -> Result<Self, BaselineError> {
        training.check()?;
        let mut counts = vec![0_u32; training.n_items];
        for &item in training.item_ids {
            counts[item as usize] += 1;
        }
        Ok(Self { counts: counts.into_iter().map(|count| count as f32).collect() })
    }

    /// Number of training interactions by item: `[n_items]`.
    pub fn counts(&self) -> &[f32] {
        &self.counts
    }
}

impl Scorer for Popularity {
    fn n_items(&self) -> usize {
        self.counts.len()
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        same_for_all(&self.counts, users, scores);
    }
}

/// Gives every user the same row of scores.
pub(crate) fn same_for_all(row: &[f32], users: &[u32], scores: &mut [f32]) {
    assert_eq!(scores.len(), users.len() * row.len(), "one score for each user and item");
    for scores in scores.chunks_exact_mut(row.len()) {
        scores.copy_from_slice(row);
    }
}

#[cfg(test)]
mod tests {
    use cresset_metrics::{ItemLists, RankingPlan, RankingTask, rank_catalogue};

    use super::*;

    /// Item 1 has three interactions, item 0 one, items 2 and 3 none.
    const TRAINING: TrainingSet<'static> = TrainingSet {
        user_ids: &[0, 1, 2, 2],
        item_ids: &[1, 1, 1, 0],
        ratings: &[1.0, 1.0, 1.0, 5.0],
        n_users: 3,
        n_items: 4,
    };

    #[test]
    fn an_item_scores_its_interactions_whatever_their_rating() {
        let model = Popularity::fit(&TRAINING).unwrap();
        assert_eq!(model.counts(), [1.0, 3.0, 0.0, 0.0]);
        let mut scores = [f32::NAN; 8];
        model.score_block(&[0, 99], &mut scores);
        assert_eq!(scores, [1.0, 3.0, 0.0, 0.0, 1.0, 3.0, 0.0, 0.0]);
    }

    #[test]
    fn an_item_that_nobody_has_is_ranked_by_chance_among_its_like() {
        // User 0 has item 1; item 0 comes first, and then items 2 and 3 in either order.
        let relevant = ItemLists { offsets: &[0, 1], items: &[3] };
        let task = RankingTask { users: &[0], relevant, seen: ItemLists { offsets: &[0, 1], items: &[1] } };
        let plan = RankingPlan::at_cutoffs(&[1, 2, 3]).unwrap();
        let report = rank_catalogue(&Popularity::fit(&TRAINING).unwrap(), &task, &plan).unwrap();
        let hit_rates = ["hit_rate@1", "hit_rate@2", "hit_rate@3"].map(|key| report.metrics.get(key));
        assert_eq!(hit_rates, [Some(0.0), Some(0.5), Some(1.0)]);
        assert_eq!(report.n_tied, 1);
    }

    #[test]
    fn no_interactions_are_an_error() {
        let none = TrainingSet { user_ids: &[], item_ids: &[], ratings: &[], ..TRAINING };
        assert_eq!(Popularity::fit(&none), Err(BaselineError::NoInteractions));
    }
}
