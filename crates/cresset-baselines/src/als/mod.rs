//! Implicit ALS: what users have as the product of two vectors, with confidence.

mod config;
mod factors;
mod kernels;
mod solve;
#[cfg(test)]
mod tests;

use cresset_metrics::Scorer;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

pub use config::ImplicitAlsConfig;
pub(crate) use factors::Factors;

use crate::histories::Histories;
use crate::history_scorer::check_lengths;
use crate::{BaselineError, HistoryScorer, TrainingSet};
use kernels::{BAND, bands, dots, rows_at};
use solve::{Equations, Scratch, Stop};

/// Matrix factorisation of implicit feedback by alternating least squares: the score of an item is the product of its
/// vector and the user's.
///
/// Minimises `sum c_ui (p_ui - x_u . y_i)^2 + l2 (sum |x_u|^2 + sum |y_i|^2)` over all pairs. The preference `p_ui` is 1
/// where the user has the item and 0 elsewhere. The confidence `c_ui` is `1 + alpha r_ui` where the user has the item and
/// 1 elsewhere, with `r` the rating, summed over rows, or 1; where ratings are used, one of 0 is no interaction. In turn
/// one side is solved for with the other held still. What all rows share of their equations, `Y^T Y`, is made once, so
/// that a pass costs as much as there are interactions, not pairs.
///
/// Rows are solved side by side, each by one thread and in one order, so that the vectors are the same on any number
/// of threads. An item nobody has and a user without history have a vector of zeros. Without a regulariser the
/// solution may not be unique; it is then the one that the solver reaches from the first vectors.
///
/// # Source
///
/// Hu, Koren and Volinsky, ICDM 2008, <https://doi.org/10.1109/ICDM.2008.22>; solved as in Takács, Pilászy and Tikk,
/// RecSys 2011, <https://doi.org/10.1145/2043932.2043987>.
#[derive(Debug, Clone, PartialEq)]
pub struct ImplicitAls {
    pub(crate) config: ImplicitAlsConfig,
    pub(crate) users: Factors,
    pub(crate) items: Factors,
    /// What all new users share of their equations.
    item_gram: Vec<f32>,
}

impl ImplicitAlsConfig {
    /// The vectors of a training set's users and items.
    ///
    /// # Errors
    ///
    /// If a parameter or the training set fails its check, or ratings are used and one is negative.
    pub fn fit(&self, training: &TrainingSet<'_>) -> Result<ImplicitAls, BaselineError> {
        self.fit_with(training, |_| ())
    }

    /// As [`fit`](Self::fit), and calls `after` with the number of each iteration, from 0, when it is done.
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit).
    pub fn fit_with(
        &self,
        training: &TrainingSet<'_>,
        mut after: impl FnMut(usize),
    ) -> Result<ImplicitAls, BaselineError> {
        self.validate()?;
        training.check()?;
        self.check_ratings(training)?;
        let of_users = Side::of_users(&Histories::by_item(training)?, self);
        let of_items = of_users.transposed(training.n_items);
        let dim = self.embedding_dim;
        let mut users = Factors::zeros(training.n_users, dim);
        let mut items = Factors::drawn(training.n_items, dim, self.seed, "implicit-als items");
        for iteration in 0..self.n_iterations {
            self.update(&mut users, &items, &of_users);
            self.update(&mut items, &users, &of_items);
            after(iteration);
        }
        Ok(ImplicitAls::new(self.clone(), users, items))
    }

    fn check_ratings(&self, training: &TrainingSet<'_>) -> Result<(), BaselineError> {
        match training.ratings.iter().position(|&rating| rating < 0.0) {
            Some(row) if self.use_ratings => {
                Err(BaselineError::RatingNegative { row, value: training.ratings[row] })
            }
            _ => Ok(()),
        }
    }

    /// What an interaction of this rating adds to the confidence; none where it is no interaction.
    fn weight(&self, rating: f32) -> Option<f32> {
        if !self.use_ratings {
            return Some(self.alpha as f32);
        }
        (rating > 0.0).then_some(self.alpha as f32 * rating)
    }

    /// Solves each row of `factors` with `others` held still.
    fn update(&self, factors: &mut Factors, others: &Factors, side: &Side) {
        let gram = others.gram(self.l2 as f32);
        let stride = factors.stride();
        let stop = Stop { n_steps: self.n_solver_steps, residual: 0.0 };
        let rows = factors.values.par_chunks_exact_mut(stride).enumerate();
        rows.for_each_init(
            || Scratch::new(stride),
            |scratch, (row, x)| {
                let (ids, weights) = side.row(row);
                Equations { others, gram: &gram, ids, weights }.solve(x, stop, scratch);
            },
        );
    }
}

/// The interactions of each row of one side (compressed sparse rows).
struct Side {
    offsets: Vec<usize>,
    ids: Vec<u32>,
    weights: Vec<f32>,
}

impl Side {
    fn of_users(histories: &Histories, config: &ImplicitAlsConfig) -> Self {
        let mut side = Self { offsets: vec![0], ids: Vec::new(), weights: Vec::new() };
        for user in 0..histories.n_users() as u32 {
            for (&item, &rating) in histories.items(user).iter().zip(histories.ratings(user)) {
                if let Some(weight) = config.weight(rating) {
                    side.ids.push(item);
                    side.weights.push(weight);
                }
            }
            side.offsets.push(side.ids.len());
        }
        side
    }

    /// The same interactions by the ids of the other side, of which there are `n`, this side's ids ascending.
    fn transposed(&self, n: usize) -> Self {
        let mut offsets = vec![0; n + 1];
        self.ids.iter().for_each(|&id| offsets[id as usize + 1] += 1);
        (0..n).for_each(|id| offsets[id + 1] += offsets[id]);
        let mut next = offsets.clone();
        let (mut ids, mut weights) = (vec![0; self.ids.len()], vec![0.0; self.ids.len()]);
        for (row, bounds) in (0..).zip(self.offsets.windows(2)) {
            for at in bounds[0]..bounds[1] {
                let slot = &mut next[self.ids[at] as usize];
                (ids[*slot], weights[*slot]) = (row, self.weights[at]);
                *slot += 1;
            }
        }
        Self { offsets, ids, weights }
    }

    fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.offsets[row]..self.offsets[row + 1];
        (&self.ids[range.clone()], &self.weights[range])
    }
}

impl ImplicitAls {
    pub(crate) fn new(config: ImplicitAlsConfig, users: Factors, items: Factors) -> Self {
        let item_gram = items.gram(config.l2 as f32);
        Self { config, users, items, item_gram }
    }

    /// A user's vector: `[embedding_dim]`.
    ///
    /// # Panics
    ///
    /// If there is no such user.
    pub fn user_vector(&self, user: u32) -> &[f32] {
        &self.users.row(user)[..self.users.dim]
    }

    /// An item's vector: `[embedding_dim]`.
    ///
    /// # Panics
    ///
    /// If there is no such item.
    pub fn item_vector(&self, item: u32) -> &[f32] {
        &self.items.row(item)[..self.items.dim]
    }

    fn score(&self, user: &[f32], scores: &mut [f32]) {
        Arch::new().dispatch(Score { items: &self.items, user, scores });
    }

    /// The vector of somebody with these items, solved for as if the items' vectors were final.
    fn fold_in(&self, items: &[u32], ratings: &[f32]) -> Vec<f32> {
        let mut known = (Vec::new(), Vec::new());
        for (&item, &rating) in
            items.iter().zip(ratings).filter(|(item, _)| (**item as usize) < self.items.len())
        {
            if let Some(weight) = self.config.weight(rating) {
                known.0.push(item);
                known.1.push(weight);
            }
        }
        let stride = self.items.stride();
        let mut vector = vec![0.0; stride];
        self.solve(&known.0, &known.1, &mut vector, &mut Scratch::new(stride));
        vector
    }

    /// One user's equations, solved to the end.
    fn solve(&self, ids: &[u32], weights: &[f32], vector: &mut [f32], scratch: &mut Scratch) {
        let stop = Stop { n_steps: 2 * self.items.dim, residual: 1e-12 };
        Equations { others: &self.items, gram: &self.item_gram, ids, weights }.solve(vector, stop, scratch);
    }

    /// The same items, and the vectors of users with these histories.
    pub(crate) fn knowing(&mut self, histories: &Histories) {
        let side = Side::of_users(histories, &self.config);
        let stride = self.items.stride();
        let mut users = Factors::zeros(histories.n_users(), self.items.dim);
        users.values.par_chunks_exact_mut(stride).enumerate().for_each_init(
            || Scratch::new(stride),
            |scratch, (user, vector)| {
                let (ids, weights) = side.row(user);
                self.solve(ids, weights, vector, scratch);
            },
        );
        self.users = users;
    }
}

/// The product of each item's vector with a user's.
struct Score<'a> {
    items: &'a Factors,
    user: &'a [f32],
    scores: &'a mut [f32],
}

impl WithSimd for Score<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (bands, rest) = bands(self.scores.len());
        for at in bands {
            self.score::<S, BAND>(simd, at);
        }
        for at in rest {
            self.score::<S, 1>(simd, at);
        }
    }
}

impl Score<'_> {
    #[inline(always)]
    fn score<S: Simd, const N: usize>(&mut self, simd: S, at: usize) {
        let rows = rows_at::<S, N>(&self.items.values, self.user.len(), at);
        self.scores[at..at + N].copy_from_slice(&dots(simd, rows, S::as_simd_f32s(self.user).0));
    }
}

impl Scorer for ImplicitAls {
    fn n_items(&self) -> usize {
        self.items.len()
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        let n_items = self.n_items();
        assert_eq!(scores.len(), users.len() * n_items, "one score for each user and item");
        scores.par_chunks_exact_mut(n_items.max(1)).zip(users).for_each(|(scores, &user)| {
            if (user as usize) < self.users.len() {
                self.score(self.users.row(user), scores);
            } else {
                scores.fill(0.0);
            }
        });
    }
}

impl HistoryScorer for ImplicitAls {
    fn score_history(&self, items: &[u32], ratings: &[f32], scores: &mut [f32]) {
        check_lengths(self.n_items(), items, ratings, scores);
        self.score(&self.fold_in(items, ratings), scores);
    }
}
