//! What those who have an item also have.

mod config;
mod similarity;
#[cfg(test)]
mod tests;

use cresset_metrics::Scorer;

pub use config::ItemNeighboursConfig;
pub(crate) use similarity::Similarities;

use crate::history_scorer::check_lengths;
use crate::{BaselineError, Histories, HistoryScorer, TrainingSet};

/// Scores an item by how near it is to the items that the user has.
///
/// The similarity of a neighbour `i` to an item `j` is
/// `(sum / (count(j) ^ source_exponent * count(i) ^ popularity_exponent + shrinkage)) ^ amplification`, where `sum` runs
/// over the histories that hold both, and `count` over those that hold one. At the defaults of
/// [`ItemNeighboursConfig`] it is the shrunk cosine of the two items' columns of users; with a window and powers of
/// distance and age it looks at sequences. The score of `i` is the sum over the items of the history, each times its
/// recency. Ratings are not looked at.
///
/// Fitting takes one sparse row at a time; memory is `n_items * n_neighbours`. A user without history scores 0
/// everywhere.
///
/// # Source
///
/// Sarwar et al., WWW 2001, <https://doi.org/10.1145/371920.372071>, for the cosine of items; Deshpande and Karypis, ACM
/// TOIS 22(1), 2004, <https://doi.org/10.1145/963770.963776>, for powers of counts and the weight of long histories;
/// Aiolli, RecSys 2013, <https://doi.org/10.1145/2507157.2507189>, for unequal powers and amplification; Ludewig and
/// Jannach, UMUAI 28, 2018, <https://doi.org/10.1007/s11257-018-9209-6>, for weights by distance and recency.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemNeighbours {
    pub(crate) config: ItemNeighboursConfig,
    pub(crate) similarities: Similarities,
    pub(crate) histories: Histories,
}

impl ItemNeighboursConfig {
    /// The neighbours of all items in a training set.
    ///
    /// # Errors
    ///
    /// If a parameter or the training set fails its check, or the order of histories matters and there are no times.
    pub fn fit(&self, training: &TrainingSet<'_>) -> Result<ItemNeighbours, BaselineError> {
        self.validate()?;
        if let (Some(field), None) = (self.needs_order(), training.times) {
            return Err(BaselineError::NoTimes { field });
        }
        let histories = Histories::of(training)?;
        let similarities = Similarities::of(&histories, training.n_items, self);
        Ok(ItemNeighbours { config: self.clone(), similarities, histories })
    }
}

impl ItemNeighbours {
    /// The neighbours of an item in order of their ids, and how near each is; none for an item there is not.
    pub fn of(&self, item: u32) -> (&[u32], &[f32]) {
        self.similarities.row(item)
    }

    fn score(&self, items: &[u32], scores: &mut [f32]) {
        scores.fill(0.0);
        for (age, &item) in items.iter().rev().enumerate() {
            let recency = ((1 + age) as f64).powf(-self.config.recency_exponent) as f32;
            let (neighbours, weights) = self.of(item);
            for (&neighbour, &weight) in neighbours.iter().zip(weights) {
                scores[neighbour as usize] += recency * weight;
            }
        }
    }
}

impl Scorer for ItemNeighbours {
    fn n_items(&self) -> usize {
        self.similarities.offsets.len() - 1
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        self.histories
            .score_each(users, self.n_items(), scores, |items, _, scores| self.score(items, scores));
    }
}

impl HistoryScorer for ItemNeighbours {
    fn score_history(&self, items: &[u32], ratings: &[f32], scores: &mut [f32]) {
        check_lengths(self.n_items(), items, ratings, scores);
        self.score(items, scores);
    }
}
