//! EASE: each item as a linear function of all others, in closed form.

mod config;
mod inverse;
#[cfg(test)]
mod tests;

use cresset_metrics::Scorer;
use rayon::prelude::*;

pub use config::EaseConfig;

use crate::histories::{Histories, Places};
use crate::history_scorer::check_lengths;
use crate::{BaselineError, HistoryScorer, TrainingSet};

/// A shallow autoencoder without a hidden layer: the score of an item is a sum of learnt weights of the items that the
/// user has, and no item explains itself.
///
/// With `X` the users' items as zeros and ones, the weights `B` minimise `|X - X B|^2 + l2 |B|^2` under a zero diagonal:
/// `B = I - P diag(1 / P_ii)`, with `P` the inverse of `X^T X + l2 I`. Ratings are not looked at; an item nobody has
/// scores 0 everywhere, and so does every item for a user without history.
///
/// Fitting takes `n_items^3` operations, and 12 bytes for each pair of items: `P` is found in double precision, `B` kept
/// in single.
///
/// # Source
///
/// Steck, WWW 2019, <https://doi.org/10.1145/3308558.3313710>, equation 8.
#[derive(Debug, Clone, PartialEq)]
pub struct Ease {
    /// `[n_items, n_items]`: what an item of the history adds to each item's score.
    pub(crate) weights: Vec<f32>,
    pub(crate) n_items: usize,
    pub(crate) histories: Histories,
}

/// Bytes for each pair of items: the matrix that is inverted, and the weights.
const BYTES_PER_PAIR: u128 = (size_of::<f64>() + size_of::<f32>()) as u128;

impl EaseConfig {
    /// The weights that explain a training set best.
    ///
    /// # Errors
    ///
    /// If a parameter or the training set fails its check, the catalogue is too large for the memory allowed, or `l2` is
    /// too small for the matrix to have an inverse.
    pub fn fit(&self, training: &TrainingSet<'_>) -> Result<Ease, BaselineError> {
        self.validate()?;
        self.check_memory(training.n_items)?;
        let histories = Histories::by_item(training)?;
        let n_items = training.n_items;
        let mut gram = gram(&histories, &histories.places(n_items), n_items);
        (0..n_items).for_each(|item| gram[item * n_items + item] += self.l2);
        let (mut weights, diagonal) = inverse::inverse(&mut gram, n_items)
            .map_err(|item| BaselineError::Singular { item, l2: self.l2 })?;
        weights.par_chunks_exact_mut(n_items).enumerate().for_each(|(item, row)| {
            for (weight, diagonal) in row.iter_mut().zip(&diagonal) {
                *weight = (-f64::from(*weight) / diagonal) as f32;
            }
            row[item] = 0.0;
        });
        Ok(Ease { weights, n_items, histories })
    }

    fn check_memory(&self, n_items: usize) -> Result<(), BaselineError> {
        let bytes = (n_items as u128).pow(2) * BYTES_PER_PAIR;
        let limit = u128::from(self.memory_limit_mb) << 20;
        if bytes > limit {
            return Err(BaselineError::TooLarge { n_items, bytes, limit });
        }
        Ok(())
    }
}

/// How many users have both of two items: `[n_items, n_items]`, by columns, the lower half.
///
/// Counts are whole numbers, so that no order of summing can change them.
fn gram(histories: &Histories, places: &Places, n_items: usize) -> Vec<f64> {
    let mut gram = vec![0.0; n_items * n_items];
    gram.par_chunks_exact_mut(n_items).enumerate().for_each(|(item, column)| {
        for (row, user) in places.of(item) {
            // Items are in order, so those from this one on are the lower half.
            for &other in &histories.items[row..histories.offsets[user as usize + 1]] {
                column[other as usize] += 1.0;
            }
        }
    });
    gram
}

impl Ease {
    /// What an item of the history adds to the score of each item: `[n_items]`, its own 0.
    ///
    /// # Panics
    ///
    /// If there is no such item.
    pub fn weights_of(&self, item: u32) -> &[f32] {
        &self.weights[item as usize * self.n_items..][..self.n_items]
    }

    fn score(&self, items: &[u32], scores: &mut [f32]) {
        scores.fill(0.0);
        for &item in items.iter().filter(|&&item| (item as usize) < self.n_items) {
            scores.iter_mut().zip(self.weights_of(item)).for_each(|(score, weight)| *score += weight);
        }
    }
}

impl Scorer for Ease {
    fn n_items(&self) -> usize {
        self.n_items
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        self.histories.score_each(users, self.n_items, scores, |items, _, scores| self.score(items, scores));
    }
}

impl HistoryScorer for Ease {
    fn score_history(&self, items: &[u32], ratings: &[f32], scores: &mut [f32]) {
        check_lengths(self.n_items, items, ratings, scores);
        self.score(items, scores);
    }
}
