//! The model: biases, vectors, and their product.

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset_data::RatingBatch;
use cresset_metrics::{RatingPredictor, Scorer};
use cresset_nn::{AutodiffRecommender, EmbeddingTable, ForwardPass, TrainModel, id_tensor};

use crate::batch::KgMfBatch;
use crate::config::{KgMfConfig, RatingScale};
use crate::loss::{mean_square_length, squared_error};

/// Biased matrix factorisation: `rating(u, i) = mean + b_u + b_i + p_u . q_i`.
///
/// # Source
///
/// Koren, Bell and Volinsky, IEEE Computer 42(8), 2009, equation 4.
#[derive(Module, Debug)]
pub struct KgMf<B: Backend> {
    pub(crate) user_bias: EmbeddingTable<B>,
    pub(crate) item_bias: EmbeddingTable<B>,
    pub(crate) user_embedding: EmbeddingTable<B>,
    pub(crate) item_embedding: EmbeddingTable<B>,
    #[module(skip)]
    pub(crate) config: KgMfConfig,
    #[module(skip)]
    pub(crate) scale: RatingScale,
}

impl<B: AutodiffRecommender> TrainModel<B> for KgMf<B> {
    type Batch = RatingBatch;

    fn forward_loss(&self, batch: &RatingBatch) -> ForwardPass<B> {
        let device = self.device();
        let n_examples = batch.ratings.len();
        let KgMfBatch { users, items, ratings } = KgMfBatch::<B::InnerBackend>::new(batch, &device);
        let user_bias = self.user_bias.gather(&users);
        let item_bias = self.item_bias.gather(&items);
        let user = self.user_embedding.gather(&users);
        let item = self.item_embedding.gather(&items);

        let product = (user.per_example() * item.per_example()).sum_dim(1);
        let predictions = product + user_bias.per_example() + item_bias.per_example() + self.scale.mean;
        let error = squared_error(predictions, Tensor::from_inner(ratings));

        let user_counts = Tensor::from_inner(users.counts);
        let item_counts = Tensor::from_inner(items.counts);
        let square = |rows: &Tensor<B, 2>, counts: &Tensor<B, 2>| {
            mean_square_length(rows.clone(), counts.clone(), n_examples)
        };
        let penalty = (square(&user.leaf, &user_counts) + square(&item.leaf, &item_counts)) * self.config.l2
            + (square(&user_bias.leaf, &user_counts) + square(&item_bias.leaf, &item_counts))
                * self.config.l2_bias;
        ForwardPass {
            parts: vec![("squared_error", error.clone().inner()), ("penalty", penalty.clone().inner())],
            loss: error + penalty,
            n_examples,
            rows: vec![user_bias, item_bias, user, item],
        }
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![&mut self.user_bias, &mut self.item_bias, &mut self.user_embedding, &mut self.item_embedding]
    }
}

impl<B: Backend> KgMf<B> {
    /// Where the model lives.
    pub fn device(&self) -> B::Device {
        self.user_bias.weight().device()
    }

    /// Users and items that the model has vectors for.
    pub fn dims(&self) -> (usize, usize) {
        (self.user_bias.dims()[0], self.item_bias.dims()[0])
    }

    /// The scale that predictions are held to.
    pub fn scale(&self) -> RatingScale {
        self.scale
    }

    /// Predicted rating of every item for each user, not held to the scale, so that the order is kept.
    ///
    /// # Shapes
    ///
    /// - output: `[users.len(), n_items]`
    ///
    /// # Panics
    ///
    /// If a user is beyond the table.
    pub fn score_items(&self, users: &[u32]) -> Tensor<B, 2> {
        let users = id_tensor(users, &self.device());
        let product =
            self.user_embedding.lookup(users.clone()).matmul(self.item_embedding.weight().transpose());
        product + self.user_bias.lookup(users) + self.item_bias.weight().transpose() + self.scale.mean
    }

    /// Predicted rating of each pair, held to the scale.
    ///
    /// # Shapes
    ///
    /// - users, items: equal lengths
    /// - output: `[users.len()]`
    ///
    /// # Panics
    ///
    /// If the lengths differ, or an id is beyond its table.
    pub fn predict(&self, users: &[u32], items: &[u32]) -> Tensor<B, 1> {
        assert_eq!(users.len(), items.len(), "one item for each user");
        let device = self.device();
        let (users, items) = (id_tensor(users, &device), id_tensor(items, &device));
        let vectors = self.user_embedding.lookup(users.clone()) * self.item_embedding.lookup(items.clone());
        let ratings = vectors.sum_dim(1) + self.user_bias.lookup(users) + self.item_bias.lookup(items);
        (ratings + self.scale.mean).clamp(self.scale.min, self.scale.max).squeeze_dim(1)
    }
}

impl<B: Backend> Scorer for KgMf<B> {
    fn n_items(&self) -> usize {
        self.dims().1
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        scores.copy_from_slice(&to_vec(self.score_items(users).into_data()));
    }
}

impl<B: Backend> RatingPredictor for KgMf<B> {
    fn predict_pairs(&self, users: &[u32], items: &[u32]) -> Vec<f32> {
        to_vec(self.predict(users, items).into_data())
    }
}

fn to_vec(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().to_vec().expect("converted to f32 just before")
}
