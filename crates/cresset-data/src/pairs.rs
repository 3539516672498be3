//! Batches of users with one item that they have and some that they do not.

use crate::batches::{Batches, EpochOrder};
use crate::negatives::NegativeSampler;
use crate::ratings::Ratings;
use crate::unique::UniqueRows;

/// Examples of one step: a user, an item of the user's, and negatives.
#[derive(Debug, Clone, PartialEq)]
pub struct PairBatch {
    /// Users: `[batch]` positions into `[unique users]`.
    pub users: UniqueRows,
    /// Items: `[batch + batch * n_negatives]` positions into `[unique items]`, the positive ones of all examples
    /// first, then the negative ones of the first example, of the second, and so on.
    pub items: UniqueRows,
    /// Negatives of each example; 0 where those of the other examples serve.
    pub n_negatives: usize,
}

impl PairBatch {
    /// The number of examples.
    pub fn len(&self) -> usize {
        self.users.positions.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.users.positions.is_empty()
    }

    /// Where each example's positive item is among the unique ones: `[batch]`.
    pub fn pos_items(&self) -> &[u32] {
        &self.items.positions[..self.len()]
    }

    /// Where each example's negatives are among the unique items: `[batch, n_negatives]`, row by row.
    pub fn neg_items(&self) -> &[u32] {
        &self.items.positions[self.len()..]
    }
}

/// Rows as pairs of user and item in batches of one size, newly shuffled in each epoch, for BPR, binary cross-entropy
/// or, without negatives of their own, the softmax within a batch.
///
/// ```
/// use cresset_data::negatives::{ItemDistribution, NegativeSampler};
/// use cresset_data::{Batches, PairBatches, Ratings, TimeKind, UserItems};
///
/// let ratings = Ratings {
///     user_id: vec![0, 0, 1],
///     item_id: vec![0, 2, 1],
///     rating: vec![5.0, 4.0, 2.0],
///     time: vec![1, 2, 3],
///     time_kind: TimeKind::Timestamp,
///     parts: None,
/// };
/// let own = UserItems::from_ratings(&ratings, 2);
/// let sampler = NegativeSampler::new(ItemDistribution::uniform(4), own, 42)?;
/// let batches = PairBatches::new(&ratings, 2, 42).with_negatives(sampler, 3);
/// let order = batches.order(0);
/// let last = batches.batch(&order, 1); // as it would be after the first
/// assert_eq!((last.len(), last.neg_items().len()), (1, 3));
/// # Ok::<(), cresset_data::negatives::NegativesError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PairBatches {
    /// User and item of each example, together, since examples are met in a shuffled order.
    pairs: Vec<(u32, u32)>,
    negatives: Option<(NegativeSampler, usize)>,
    batch_size: usize,
    seed: u64,
}

impl PairBatches {
    /// Batches of `batch_size` rows without negatives of their own; `seed` decides the order of every epoch.
    ///
    /// # Panics
    ///
    /// If `batch_size` is 0.
    pub fn new(ratings: &Ratings, batch_size: usize, seed: u64) -> Self {
        assert!(batch_size > 0, "a batch has one row at least");
        let pairs = ratings.user_id.iter().copied().zip(ratings.item_id.iter().copied()).collect();
        Self { pairs, negatives: None, batch_size, seed }
    }

    /// The same with `n_negatives` items for each example that its user does not have.
    #[must_use]
    pub fn with_negatives(self, sampler: NegativeSampler, n_negatives: usize) -> Self {
        Self { negatives: Some((sampler, n_negatives)), ..self }
    }

    /// Which rows a step's examples are.
    ///
    /// # Panics
    ///
    /// If `step` is not below [`n_steps`](Batches::n_steps).
    pub fn examples<'o>(&self, order: &'o EpochOrder, step: usize) -> &'o [u32] {
        order.of_step(step, self.batch_size)
    }

    /// The negatives of `examples`, `[examples, n_negatives]`, after the items that are there.
    fn add_negatives(&self, epoch: u64, examples: &[u32], users: &[u32], items: &mut Vec<u32>) -> usize {
        let Some((sampler, n_negatives)) = &self.negatives else { return 0 };
        let drawn = sampler.in_epoch(epoch);
        let start = items.len();
        items.resize(start + examples.len() * n_negatives, 0);
        if *n_negatives > 0 {
            let rows = items[start..].chunks_exact_mut(*n_negatives);
            for ((row, &example), &user) in rows.zip(examples).zip(users) {
                drawn.fill(user, u64::from(example), row);
            }
        }
        *n_negatives
    }
}

impl Batches for PairBatches {
    type Batch = PairBatch;
    type Order = EpochOrder;

    fn n_examples(&self) -> usize {
        self.pairs.len()
    }

    fn n_steps(&self) -> usize {
        self.pairs.len().div_ceil(self.batch_size)
    }

    fn order(&self, epoch: u64) -> EpochOrder {
        EpochOrder::shuffled(self.pairs.len(), self.seed, epoch)
    }

    /// # Panics
    ///
    /// If `step` is not below [`n_steps`](Batches::n_steps).
    fn batch(&self, order: &EpochOrder, step: usize) -> PairBatch {
        let examples = self.examples(order, step);
        let (users, mut items): (Vec<u32>, Vec<u32>) =
            examples.iter().map(|&example| self.pairs[example as usize]).unzip();
        let n_negatives = self.add_negatives(order.epoch, examples, &users, &mut items);
        PairBatch { users: UniqueRows::of(&users), items: UniqueRows::of(&items), n_negatives }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::interactions::TimeKind;
    use crate::negatives::ItemDistribution;
    use crate::user_items::UserItems;

    /// Row `r` is user `r % 7` and item `r % 11`, of 16 items.
    fn ratings(n_rows: u32) -> Ratings {
        Ratings {
            user_id: (0..n_rows).map(|row| row % 7).collect(),
            item_id: (0..n_rows).map(|row| row % 11).collect(),
            rating: vec![1.0; n_rows as usize],
            time: vec![0; n_rows as usize],
            time_kind: TimeKind::Timestamp,
            parts: None,
        }
    }

    fn batches(n_rows: u32, batch_size: usize, n_negatives: usize) -> PairBatches {
        let ratings = ratings(n_rows);
        let own = UserItems::from_ratings(&ratings, 7);
        let sampler = NegativeSampler::new(ItemDistribution::uniform(16), own, 42).unwrap();
        PairBatches::new(&ratings, batch_size, 42).with_negatives(sampler, n_negatives)
    }

    /// User, item and negatives of each example of a batch.
    fn examples(batch: &PairBatch) -> Vec<(u32, u32, Vec<u32>)> {
        let item = |&position: &u32| batch.items.ids[position as usize];
        (0..batch.len())
            .map(|at| {
                let user = batch.users.ids[batch.users.positions[at] as usize];
                let negatives = &batch.neg_items()[at * batch.n_negatives..(at + 1) * batch.n_negatives];
                (user, item(&batch.pos_items()[at]), negatives.iter().map(item).collect())
            })
            .collect()
    }

    fn epoch(batches: &PairBatches, epoch: u64) -> Vec<(u32, u32, Vec<u32>)> {
        let order = batches.order(epoch);
        (0..batches.n_steps()).flat_map(|step| examples(&batches.batch(&order, step))).collect()
    }

    #[test]
    fn without_a_sampler_there_are_no_negatives() {
        let batches = PairBatches::new(&ratings(10), 4, 42);
        let batch = batches.batch(&batches.order(0), 2);
        assert_eq!((batch.len(), batch.n_negatives, batch.neg_items().len()), (2, 0, 0));
    }

    #[test]
    fn an_example_has_the_same_negatives_in_batches_of_any_size() {
        assert_eq!(epoch(&batches(50, 7, 3), 2), epoch(&batches(50, 50, 3), 2));
    }

    #[test]
    fn negatives_are_drawn_anew_in_each_epoch() {
        let batches = batches(50, 50, 3);
        let sorted = |number| {
            let mut examples = epoch(&batches, number);
            examples.sort();
            examples
        };
        let pairs = |number| sorted(number).into_iter().map(|it| (it.0, it.1)).collect::<Vec<_>>();
        assert_eq!(pairs(0), pairs(1));
        assert_ne!(sorted(0), sorted(1));
    }

    proptest! {
        #[test]
        fn an_epoch_has_every_row_once_and_no_negative_of_the_users_own(
            n_rows in 1u32..90, batch_size in 1usize..40, n_negatives in 0usize..4, number in 0u64..3,
        ) {
            let own = UserItems::from_ratings(&ratings(n_rows), 7);
            let found = epoch(&batches(n_rows, batch_size, n_negatives), number);
            for (user, _, negatives) in &found {
                prop_assert_eq!(negatives.len(), n_negatives);
                prop_assert!(negatives.iter().all(|&item| item < 16 && !own.contains(*user, item)));
            }
            let mut pairs: Vec<(u32, u32)> = found.iter().map(|it| (it.0, it.1)).collect();
            pairs.sort_unstable();
            let mut expected: Vec<(u32, u32)> = (0..n_rows).map(|row| (row % 7, row % 11)).collect();
            expected.sort_unstable();
            prop_assert_eq!(pairs, expected);
        }
    }
}
