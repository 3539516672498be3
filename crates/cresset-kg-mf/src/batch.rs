//! What a step learns from, in plain arrays, and from there to tensors.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use cresset_data::{Batches, EpochOrder, PairBatch, PairBatches, RatingBatch, RatingBatches};
use cresset_nn::RowIndex;

/// What a step learns from.
#[derive(Debug, Clone)]
pub enum KgMfExamples {
    /// Ratings, to be predicted.
    Ratings(RatingBatch),
    /// What users have, and drawn items that they have not, to be told apart.
    Pairs(PairBatch),
}

impl From<RatingBatch> for KgMfExamples {
    fn from(batch: RatingBatch) -> Self {
        Self::Ratings(batch)
    }
}

impl From<PairBatch> for KgMfExamples {
    fn from(batch: PairBatch) -> Self {
        Self::Pairs(batch)
    }
}

/// Batches of either kind.
#[derive(Debug, Clone)]
pub enum KgMfBatches {
    /// For a loss of ratings.
    Ratings(RatingBatches),
    /// For a loss of rankings.
    Pairs(PairBatches),
}

impl Batches for KgMfBatches {
    type Batch = KgMfExamples;
    type Order = EpochOrder;

    fn n_examples(&self) -> usize {
        match self {
            Self::Ratings(batches) => batches.n_examples(),
            Self::Pairs(batches) => batches.n_examples(),
        }
    }

    fn n_steps(&self) -> usize {
        match self {
            Self::Ratings(batches) => batches.n_steps(),
            Self::Pairs(batches) => batches.n_steps(),
        }
    }

    fn order(&self, epoch: u64) -> EpochOrder {
        match self {
            Self::Ratings(batches) => batches.order(epoch),
            Self::Pairs(batches) => batches.order(epoch),
        }
    }

    fn batch(&self, order: &EpochOrder, step: usize) -> KgMfExamples {
        match self {
            Self::Ratings(batches) => batches.batch(order, step).into(),
            Self::Pairs(batches) => batches.batch(order, step).into(),
        }
    }
}

/// A batch of ratings on a device.
#[derive(Debug, Clone)]
pub struct KgMfBatch<B: Backend> {
    /// The users of the batch.
    pub users: RowIndex<B>,
    /// The items of the batch.
    pub items: RowIndex<B>,
    /// The ratings, `[batch, 1]`.
    pub ratings: Tensor<B, 2>,
}

impl<B: Backend> KgMfBatch<B> {
    /// Moves a batch to `device`.
    pub fn new(batch: &RatingBatch, device: &B::Device) -> Self {
        let ratings = TensorData::new(batch.ratings.clone(), [batch.ratings.len(), 1]);
        Self {
            users: RowIndex::new(&batch.users, device),
            items: RowIndex::new(&batch.items, device),
            ratings: Tensor::from_data(ratings, device),
        }
    }
}

/// A batch of pairs on a device.
#[derive(Debug, Clone)]
pub struct KgMfPairs<B: Backend> {
    /// The users of the batch.
    pub users: RowIndex<B>,
    /// The items of the batch, positives and negatives.
    pub items: RowIndex<B>,
    /// Where each positive is among the distinct items, `[batch]`.
    pub positives: Tensor<B, 1, Int>,
    /// Where the negatives are, `[batch, n_negatives]`.
    pub negatives: Tensor<B, 2, Int>,
}

impl<B: Backend> KgMfPairs<B> {
    /// Moves a batch to `device`.
    pub fn new(batch: &PairBatch, device: &B::Device) -> Self {
        let places = |places: &[u32]| places.iter().map(|&place| i64::from(place)).collect::<Vec<_>>();
        let negatives = TensorData::new(places(batch.neg_items()), [batch.len(), batch.n_negatives]);
        Self {
            users: RowIndex::new(&batch.users, device),
            items: RowIndex::new(&batch.items, device),
            positives: Tensor::from_data(TensorData::new(places(batch.pos_items()), [batch.len()]), device),
            negatives: Tensor::from_data(negatives, device),
        }
    }
}
