//! Scores for somebody whom training never saw.

use cresset_metrics::Scorer;

/// Scores the catalogue for a history alone, such as that of a new user; nothing is trained again.
///
/// [`Scorer`] is for the users of the training set, or those of [`Baseline::knowing`](crate::Baseline::knowing); this is for
/// everybody else.
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

/// The lengths that every [`HistoryScorer::score_history`] asks for.
pub(crate) fn check_lengths(n_items: usize, items: &[u32], ratings: &[f32], scores: &[f32]) {
    assert_eq!(items.len(), ratings.len(), "one rating for each item");
    assert_eq!(scores.len(), n_items, "one score for each item of the catalogue");
}
