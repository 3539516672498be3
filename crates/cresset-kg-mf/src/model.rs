//! The model: biases, vectors, their product, and what its parts add.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset_data::{Ratings, UniqueRows};
use cresset_metrics::RatingPredictor;
use cresset_nn::{EmbeddingTable, RecommenderBackend};

use crate::batch::{Facts, Reader};
use crate::config::{KgMfConfig, RatingScale};
use crate::error::KgMfError;
use crate::fold_in::{fold_in, mean_row};
use crate::parts::genome::TagAttention;
use crate::parts::graph::GraphPart;
use crate::parts::time::TimePart;
use crate::serving::to_vec;

/// Biased matrix factorisation with what a knowledge graph, a tag genome and the time of a rating add to it:
///
/// ```text
/// rating(u, i, t) = mean + b_u + b_i + f_i p_u . q_i + graph(u, i) + time(u, t)
/// ```
///
/// `f_i` is the attention over the item's tags, 1 without. Without parts this is the plain factorisation, to the bit.
///
/// # Source
///
/// Koren, Bell and Volinsky, IEEE Computer 42(8), 2009, equation 4, for the plain model.
#[derive(Module, Debug)]
pub struct KgMf<B: Backend> {
    pub(crate) user_bias: EmbeddingTable<B>,
    pub(crate) item_bias: EmbeddingTable<B>,
    pub(crate) user_embedding: EmbeddingTable<B>,
    pub(crate) item_embedding: EmbeddingTable<B>,
    pub(crate) graph: Option<GraphPart<B>>,
    pub(crate) genome: Option<TagAttention<B>>,
    pub(crate) time: Option<TimePart<B>>,
    #[module(skip)]
    pub(crate) config: KgMfConfig,
    #[module(skip)]
    pub(crate) scale: RatingScale,
}

impl<B: Backend> KgMf<B> {
    /// What it was made with.
    pub fn config(&self) -> &KgMfConfig {
        &self.config
    }

    /// The model, not yet trained, with vectors of zero for users and items that have no rating in `train`, and for
    /// entities that none of those items is linked to.
    ///
    /// No step will ever move those rows: without this they would keep the chance they were drawn with, and add it to
    /// every prediction.
    ///
    /// # Panics
    ///
    /// If a rating names a user or item beyond the tables.
    pub fn with_cold_rows_at_zero(mut self, train: &Ratings) -> Self {
        self.user_embedding = self.user_embedding.with_zeros_but(&train.user_id);
        self.item_embedding = self.item_embedding.with_zeros_but(&train.item_id);
        self.graph = self.graph.map(|part| part.with_cold_rows_at_zero(&train.user_id, &train.item_id));
        self
    }

    /// What reads for a batch what the parts of this model know: batches are made by it
    /// ([`KgMfBatches::read_by`](crate::KgMfBatches::read_by)).
    pub fn reader(&self) -> Reader {
        let graph = self.graph.as_ref().map(|part| {
            let n_drawn = part.config.translation_facts;
            let facts = part.facts.as_ref().map(|all| Facts { all: Arc::clone(all), n_drawn });
            (Arc::clone(&part.neighbourhoods), facts)
        });
        let time = self.time.as_ref().map(|part| (part.config.clone(), Arc::clone(&part.times)));
        Reader { graph, time }
    }

    /// Where the model lives.
    pub fn device(&self) -> B::Device {
        self.user_bias.device()
    }

    /// Users and items that the model has vectors for.
    pub fn dims(&self) -> (usize, usize) {
        (self.user_bias.dims()[0], self.item_bias.dims()[0])
    }

    /// The scale that predictions are held to.
    pub fn scale(&self) -> RatingScale {
        self.scale
    }
}

impl<B: RecommenderBackend> KgMf<B> {
    /// Predicted rating of every item for each user, not held to the scale, so that the order is kept. The time of a
    /// rating adds nothing here: it is not known, and the same for all items.
    ///
    /// A user that the model does not know is scored by what is known of the items.
    ///
    /// # Shapes
    ///
    /// - output: `[users.len(), n_items]`
    pub fn score_items(&self, users: &[u32]) -> Tensor<B, 2> {
        let vectors = self.user_embedding.lookup_or_zeros(users);
        let of_items = self.item_embedding.weight();
        let product = vectors.clone().matmul(self.weighed(of_items.clone()).transpose());
        let bias = self.user_bias.lookup_or_zeros(users) + self.item_bias.weight().transpose();
        let scores = product + bias + self.scale.mean;
        match &self.graph {
            Some(graph) => scores + graph.score_all(users, &vectors, &of_items),
            None => scores,
        }
    }

    /// The vectors of all items, each times what its tags make of it: `[n_items, embedding_dim]`.
    pub(crate) fn weighed(&self, vectors: Tensor<B, 2>) -> Tensor<B, 2> {
        let Some(genome) = &self.genome else { return vectors };
        let all: Vec<u32> = (0..vectors.dims()[0] as u32).collect();
        vectors * genome.factors(&all)
    }

    /// Predicted rating of each pair, held to the scale, at a time that is not known.
    ///
    /// A user or item that the model does not know has neither bias nor vector: the prediction is what is left, in
    /// the end the mean. [`try_predict`](Self::try_predict) refuses such ids.
    ///
    /// # Shapes
    ///
    /// - users, items: equal lengths
    /// - output: `[users.len()]`
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn predict(&self, users: &[u32], items: &[u32]) -> Tensor<B, 1> {
        self.predict_when(users, items, None)
    }

    /// As [`predict`](Self::predict), each at its time: seconds since 1970-01-01 UTC, or
    /// [`NO_TIME`](cresset_data::NO_TIME).
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn predict_at(&self, users: &[u32], items: &[u32], times: &[i64]) -> Tensor<B, 1> {
        assert_eq!(users.len(), times.len(), "one time for each pair");
        self.predict_when(users, items, Some(times))
    }

    fn predict_when(&self, users: &[u32], items: &[u32], times: Option<&[i64]>) -> Tensor<B, 1> {
        assert_eq!(users.len(), items.len(), "one item for each user");
        if users.is_empty() {
            return Tensor::zeros([0], &self.device());
        }
        let pairs = self.reader().read(UniqueRows::of(users), UniqueRows::of(items), times, None);
        let scored = self.score_pairs(&pairs, self.look_up(&pairs));
        scored.scores.clamp(self.scale.min, self.scale.max).squeeze_dim(1)
    }

    /// As [`predict`](Self::predict), for ids that come from outside and may be wrong.
    ///
    /// # Errors
    ///
    /// The first user or item that the model does not know, or lengths that differ.
    pub fn try_predict(&self, users: &[u32], items: &[u32]) -> Result<Vec<f32>, KgMfError> {
        if users.len() != items.len() {
            return Err(KgMfError::Unpaired { n_users: users.len(), n_items: items.len() });
        }
        let (n_users, n_items) = self.dims();
        if let Some(&user_id) = users.iter().find(|&&id| id as usize >= n_users) {
            return Err(KgMfError::UnknownUser { user_id, n_users });
        }
        if let Some(&item_id) = items.iter().find(|&&id| id as usize >= n_items) {
            return Err(KgMfError::UnknownItem { item_id, n_items });
        }
        Ok(self.predict_pairs(users, items))
    }
}

impl<B: RecommenderBackend> KgMf<B> {
    /// Predicted rating of every item for a user known by a few ratings alone, not held to the scale.
    ///
    /// The user's bias and vector are those that training would settle on with the items held still; an item that
    /// the model does not know says something of the user's bias alone. With a ranking loss, which knows no ratings, the
    /// vector is the mean of the items' vectors.
    ///
    /// # Shapes
    ///
    /// - items, ratings: equal lengths
    /// - output: `[n_items]`
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn score_history(&self, items: &[u32], ratings: &[f32]) -> Vec<f32> {
        assert_eq!(items.len(), ratings.len(), "one rating for each item");
        // What a user of whom nothing is known would give each item.
        let known = to_vec(self.score_items(&[u32::MAX]).into_data());
        let of_items = self.weighed(self.item_embedding.weight());
        let dim = self.config.embedding_dim;
        let all = to_vec(of_items.clone().into_data());
        let vectors: Vec<f32> = items
            .iter()
            .flat_map(|&item| match all.get(item as usize * dim..) {
                Some(rest) if rest.len() >= dim => rest[..dim].to_vec(),
                _ => vec![0.0; dim],
            })
            .collect();
        let (bias, mut vector) = if self.config.loss.is_ranking() {
            (0.0, mean_row(&vectors, dim))
        } else {
            let residuals: Vec<f32> = items
                .iter()
                .zip(ratings)
                .map(|(&item, rating)| {
                    // Of an item that the model does not know, the mean alone is known.
                    rating - known.get(item as usize).unwrap_or(&self.scale.mean)
                })
                .collect();
            fold_in(&vectors, &residuals, self.config.l2, self.config.l2_bias)
        };
        vector.resize(dim, 0.0);
        let user = Tensor::<B, 2>::from_data(TensorData::new(vector, [1, dim]), &self.device());
        let products = to_vec(user.matmul(of_items.transpose()).into_data());
        products.into_iter().zip(known).map(|(product, known)| product + known + bias).collect()
    }
}
