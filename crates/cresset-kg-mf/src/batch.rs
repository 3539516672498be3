//! From a loader's batch of plain arrays to tensors.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset_data::RatingBatch;
use cresset_nn::RowIndex;

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
