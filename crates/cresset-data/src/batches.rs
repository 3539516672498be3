//! Batches as plain arrays, in an order that seed and epoch alone decide.

use crate::random::{permutation, stream};
use crate::ratings::Ratings;
use crate::unique::UniqueRows;

/// What hands out the batches of an epoch.
///
/// Any batch can be made at any time, on any thread, without those before it, so that a loader may work ahead and a
/// resumed run may start in the middle.
pub trait Batches: Sync {
    /// One batch.
    type Batch: Send;
    /// The order of an epoch.
    type Order: Send + Sync;

    /// The number of examples of an epoch.
    fn n_examples(&self) -> usize;

    /// The number of batches of an epoch.
    fn n_steps(&self) -> usize;

    /// The order of an epoch, counted from 0: always the same for the same epoch.
    fn order(&self, epoch: u64) -> Self::Order;

    /// The batch of a step, counted from 0, in the given order.
    fn batch(&self, order: &Self::Order, step: usize) -> Self::Batch;
}

/// The shuffled order of an epoch; batches that also draw negatives must know which epoch it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochOrder {
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// The examples in the order in which they are handed out.
    pub examples: Vec<u32>,
}

impl EpochOrder {
    /// The order of `n_examples` in an epoch, by a seeded permutation.
    pub(crate) fn shuffled(n_examples: usize, seed: u64, epoch: u64) -> Self {
        Self { epoch, examples: permutation(n_examples as u32, &mut stream(seed, "batches", epoch)) }
    }

    /// The examples of a step; the last one may have fewer.
    ///
    /// # Panics
    ///
    /// If there is no such step.
    pub(crate) fn of_step(&self, step: usize, batch_size: usize) -> &[u32] {
        step_of(&self.examples, step, batch_size)
    }
}

/// The part of an order that a step takes.
///
/// # Panics
///
/// If there is no such step.
pub(crate) fn step_of(order: &[u32], step: usize, batch_size: usize) -> &[u32] {
    assert!(step < order.len().div_ceil(batch_size), "a step is below the number of steps");
    let start = step * batch_size;
    &order[start..order.len().min(start + batch_size)]
}

/// Ratings of one step and the rows of the user and item tables that they touch.
#[derive(Debug, Clone, PartialEq)]
pub struct RatingBatch {
    /// Users: `[batch]` positions into `[unique users]`.
    pub users: UniqueRows,
    /// Items: `[batch]` positions into `[unique items]`.
    pub items: UniqueRows,
    /// Ratings, on the source's scale: `[batch]`.
    pub ratings: Vec<f32>,
    /// When they were given, as [`Ratings::time`]: `[batch]`.
    pub times: Vec<i64>,
}

impl RatingBatch {
    /// The batch of the given rows.
    ///
    /// # Panics
    ///
    /// If a row number is not below the number of ratings.
    pub fn of(ratings: &Ratings, rows: &[u32]) -> Self {
        let pick = |column: &[u32]| rows.iter().map(|&row| column[row as usize]).collect::<Vec<_>>();
        Self {
            users: UniqueRows::of(&pick(&ratings.user_id)),
            items: UniqueRows::of(&pick(&ratings.item_id)),
            ratings: rows.iter().map(|&row| ratings.rating[row as usize]).collect(),
            times: rows.iter().map(|&row| ratings.time[row as usize]).collect(),
        }
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.ratings.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.ratings.is_empty()
    }
}

/// Ratings in batches of one size, the last of an epoch perhaps smaller, newly shuffled in each epoch.
#[derive(Debug, Clone)]
pub struct RatingBatches {
    ratings: Ratings,
    batch_size: usize,
    seed: u64,
}

impl RatingBatches {
    /// Batches of `batch_size` rows; `seed` decides the order of every epoch.
    ///
    /// # Panics
    ///
    /// If `batch_size` is 0.
    pub fn new(ratings: Ratings, batch_size: usize, seed: u64) -> Self {
        assert!(batch_size > 0, "a batch has one row at least");
        Self { ratings, batch_size, seed }
    }

    /// The ratings that are handed out.
    pub fn ratings(&self) -> &Ratings {
        &self.ratings
    }
}

impl Batches for RatingBatches {
    type Batch = RatingBatch;
    type Order = EpochOrder;

    fn n_examples(&self) -> usize {
        self.ratings.len()
    }

    fn n_steps(&self) -> usize {
        self.ratings.len().div_ceil(self.batch_size)
    }

    fn order(&self, epoch: u64) -> EpochOrder {
        EpochOrder::shuffled(self.ratings.len(), self.seed, epoch)
    }

    /// # Panics
    ///
    /// If `step` is not below [`n_steps`](Batches::n_steps).
    fn batch(&self, order: &EpochOrder, step: usize) -> RatingBatch {
        RatingBatch::of(&self.ratings, order.of_step(step, self.batch_size))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::interactions::TimeKind;

    /// Row `r` is user `r % 7`, item `r % 11`, rated `r`.
    fn ratings(n_rows: u32) -> Ratings {
        Ratings {
            user_id: (0..n_rows).map(|row| row % 7).collect(),
            item_id: (0..n_rows).map(|row| row % 11).collect(),
            rating: (0..n_rows).map(|row| row as f32).collect(),
            time: vec![0; n_rows as usize],
            time_kind: TimeKind::Timestamp,
            parts: None,
        }
    }

    #[test]
    fn ten_rows_in_fours_are_three_batches_the_last_of_two() {
        let batches = RatingBatches::new(ratings(10), 4, 42);
        let order = batches.order(0);
        let sizes: Vec<usize> =
            (0..batches.n_steps()).map(|step| batches.batch(&order, step).len()).collect();
        assert_eq!(sizes, [4, 4, 2]);
    }

    #[test]
    fn an_order_depends_on_seed_and_epoch_alone() {
        let batches = RatingBatches::new(ratings(50), 4, 42);
        let third = batches.order(3);
        assert_ne!(batches.order(2).examples, third.examples);
        assert_ne!(RatingBatches::new(ratings(50), 4, 43).order(3), third);
        assert_eq!(RatingBatches::new(ratings(50), 9, 42).order(3), third);
    }

    #[test]
    fn nothing_to_train_on_is_no_batch() {
        assert_eq!(RatingBatches::new(ratings(0), 4, 42).n_steps(), 0);
    }

    #[test]
    #[should_panic(expected = "a batch has one row at least")]
    fn batches_of_nothing_are_refused() {
        let _ = RatingBatches::new(ratings(3), 0, 42);
    }

    proptest! {
        #[test]
        fn an_epoch_has_every_row_once(n_rows in 1u32..80, batch_size in 1usize..30, seed: u64, epoch in 0u64..5) {
            let batches = RatingBatches::new(ratings(n_rows), batch_size, seed);
            let order = batches.order(epoch);
            let mut seen = Vec::new();
            for batch in (0..batches.n_steps()).map(|step| batches.batch(&order, step)) {
                for (at, &rating) in batch.ratings.iter().enumerate() {
                    let row = rating as u32;
                    prop_assert_eq!(batch.users.ids[batch.users.positions[at] as usize], row % 7);
                    prop_assert_eq!(batch.items.ids[batch.items.positions[at] as usize], row % 11);
                    seen.push(row);
                }
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..n_rows).collect::<Vec<_>>());
        }
    }
}
