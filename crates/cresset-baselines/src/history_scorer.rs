//! Scores for somebody whom training never saw.

use cresset_metrics::Scorer;

use crate::Histories;

/// Scores the catalogue for a history alone, such as that of a new user; nothing is trained again.
///
/// [`Scorer`] is for the users of the training set; this is for everybody else, and for users whose history has
/// grown since.
pub trait HistoryScorer: Scorer + Sync {
    /// Writes a score of every item for the owner of these items.
    ///
    /// Without items every score is the same, or that of an unknown user where the model has one. Items that the model
    /// does not know say nothing. An item is to be named once.
    ///
    /// # Shapes
    ///
    /// - items: `[n]`, dense ids, oldest first
    /// - ratings: `[n]`, on the scale of the training set
    /// - scores: `[n_items]`, to be overwritten whole
    ///
    /// # Panics
    ///
    /// If a length is wrong.
    fn score_history(&self, items: &[u32], ratings: &[f32], scores: &mut [f32]);
}

/// A model as the [`Scorer`] of users whose histories are given, not those it was fitted to.
///
/// In leave-one-out the history at test holds the validation item, which training has not:
///
/// ```
/// use cresset_baselines::{Histories, HistoryScorer, ItemNeighboursConfig, OfHistories, TrainingSet};
/// use cresset_metrics::Scorer;
///
/// let training = TrainingSet {
///     user_ids: &[0, 0, 1, 1, 2],
///     item_ids: &[0, 1, 1, 2, 0],
///     ratings: &[1.0; 5],
///     times: None,
///     n_users: 3,
///     n_items: 3,
/// };
/// let model = ItemNeighboursConfig::default().fit(&training)?;
/// // User 2 has item 1 now, too.
/// let later = TrainingSet { user_ids: &[2, 2], item_ids: &[0, 1], ratings: &[1.0; 2], ..training };
/// let later = OfHistories { model: &model, histories: Histories::of(&later)? };
/// let mut scores = [0.0; 3];
/// later.score_block(&[2], &mut scores);
/// let mut expected = [0.0; 3];
/// model.score_history(&[0, 1], &[1.0; 2], &mut expected);
/// assert_eq!(scores, expected);
/// # Ok::<(), cresset_baselines::BaselineError>(())
/// ```
#[derive(Debug)]
pub struct OfHistories<'a, M: ?Sized> {
    /// The model.
    pub model: &'a M,
    /// What its users have now.
    pub histories: Histories,
}

impl<M: HistoryScorer + ?Sized> Scorer for OfHistories<'_, M> {
    fn n_items(&self) -> usize {
        self.model.n_items()
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        self.histories.score_each(users, self.n_items(), scores, |items, ratings, scores| {
            self.model.score_history(items, ratings, scores);
        });
    }
}

/// The lengths that every [`HistoryScorer::score_history`] asks for.
pub(crate) fn check_lengths(n_items: usize, items: &[u32], ratings: &[f32], scores: &[f32]) {
    assert_eq!(items.len(), ratings.len(), "one rating for each item");
    assert_eq!(scores.len(), n_items, "one score for each item of the catalogue");
}
