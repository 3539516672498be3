//! The model: biases, vectors, and their product.

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset_data::{PairBatch, RatingBatch, Ratings};
use cresset_metrics::{BlockRanks, BlockRequest, NotFiniteScore, RatingPredictor, Scorer};
use cresset_nn::loss::{DrawnItems, bpr_drawn, sampled_softmax_drawn};
use cresset_nn::{
    AutodiffRecommender, EmbeddingTable, ForwardPass, GatheredRows, RecommenderBackend, RowIndex, RowLists,
    StepKey, TrainModel, rank_rows,
};

use crate::batch::{KgMfBatch, KgMfExamples, KgMfPairs};
use crate::config::{KgMfConfig, KgMfLoss, RatingScale};
use crate::error::KgMfError;
use crate::fold_in::{fold_in, mean_row};
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
    type Batch = KgMfExamples;

    /// # Panics
    ///
    /// If the examples are of another kind than the config's loss learns from.
    fn forward_loss(&self, batch: &KgMfExamples, _key: StepKey) -> ForwardPass<B> {
        match batch {
            KgMfExamples::Ratings(batch) => self.rating_loss(batch),
            KgMfExamples::Pairs(batch) => self.ranking_loss(batch),
        }
    }

    /// The users' biases are no part of a ranking loss: they learn nothing there.
    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        let mut tables = vec![&mut self.item_bias, &mut self.user_embedding, &mut self.item_embedding];
        if !self.config.loss.is_ranking() {
            tables.insert(0, &mut self.user_bias);
        }
        tables
    }
}

impl<B: AutodiffRecommender> KgMf<B> {
    fn rating_loss(&self, batch: &RatingBatch) -> ForwardPass<B> {
        assert!(!self.config.loss.is_ranking(), "ratings are for the loss squared_error");
        let n_examples = batch.ratings.len();
        let KgMfBatch { users, items, ratings } = KgMfBatch::<B::InnerBackend>::new(batch, &self.device());
        let user_bias = self.user_bias.gather(&users);
        let item_bias = self.item_bias.gather(&items);
        let user = self.user_embedding.gather(&users);
        let item = self.item_embedding.gather(&items);

        let product: Tensor<B, 2> = user.products(&item).unsqueeze_dim(1);
        let predictions = product + user_bias.per_example() + item_bias.per_example() + self.scale.mean;
        let error = squared_error(predictions, Tensor::from_inner(ratings));
        let biases = square(&user_bias, &users, n_examples) + square(&item_bias, &items, n_examples);
        let vectors = square(&user, &users, n_examples) + square(&item, &items, n_examples);
        ForwardPass {
            terms: vec![("squared_error", error), ("penalty", self.penalty(vectors, biases))],
            n_examples,
            rows: vec![user_bias, item_bias, user, item],
        }
    }

    /// The user's bias adds the same to every item, and has nothing to learn.
    fn ranking_loss(&self, batch: &PairBatch) -> ForwardPass<B> {
        let n_examples = batch.len();
        let KgMfPairs { users, items, positives, negatives } =
            KgMfPairs::<B::InnerBackend>::new(batch, &self.device());
        let item_bias = self.item_bias.gather(&items);
        let user = self.user_embedding.gather(&users);
        let item = self.item_embedding.gather(&items);

        // An item's bias is one more value of its vector, which every user has in full.
        let ones = Tensor::ones([n_examples, 1], &self.device());
        let queries = Tensor::cat(vec![user.per_example(), ones], 1);
        let rows = Tensor::cat(vec![item.leaf.clone(), item_bias.leaf.clone()], 1);
        let drawn = DrawnItems::new(rows, Tensor::from_inner(positives), Tensor::from_inner(negatives));
        let term = match self.config.loss {
            KgMfLoss::Bpr => ("bpr", bpr_drawn(queries, drawn, None)),
            KgMfLoss::Softmax => ("softmax", sampled_softmax_drawn(queries, drawn, None, None)),
            KgMfLoss::SquaredError => panic!("pairs are for the losses bpr and softmax"),
        };
        let vectors = square(&user, &users, n_examples) + square(&item, &items, n_examples);
        let penalty = self.penalty(vectors, square(&item_bias, &items, n_examples));
        ForwardPass { terms: vec![term, ("penalty", penalty)], n_examples, rows: vec![item_bias, user, item] }
    }

    fn penalty(&self, vectors: Tensor<B, 1>, biases: Tensor<B, 1>) -> Tensor<B, 1> {
        vectors * self.config.l2 + biases * self.config.l2_bias
    }
}

/// The squared length of the rows, once for each example that uses them, by example.
fn square<B: AutodiffRecommender>(
    rows: &GatheredRows<B>,
    index: &RowIndex<B::InnerBackend>,
    n_examples: usize,
) -> Tensor<B, 1> {
    mean_square_length(rows.leaf.clone(), Tensor::from_inner(index.counts.clone()), n_examples)
}

impl<B: Backend> KgMf<B> {
    /// What it was made with.
    pub fn config(&self) -> &KgMfConfig {
        &self.config
    }

    /// The model, not yet trained, with vectors of zero for users and items that have no rating in `train`.
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
        self
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
    /// Predicted rating of every item for each user, not held to the scale, so that the order is kept.
    ///
    /// A user that the model does not know is scored by what is known of the items.
    ///
    /// # Shapes
    ///
    /// - output: `[users.len(), n_items]`
    pub fn score_items(&self, users: &[u32]) -> Tensor<B, 2> {
        let vectors = self.user_embedding.lookup_or_zeros(users);
        let product = vectors.matmul(self.item_embedding.weight().transpose());
        let bias = self.user_bias.lookup_or_zeros(users) + self.item_bias.weight().transpose();
        product + bias + self.scale.mean
    }

    /// Predicted rating of each pair, held to the scale.
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
        assert_eq!(users.len(), items.len(), "one item for each user");
        let vectors = self.user_embedding.lookup_or_zeros(users) * self.item_embedding.lookup_or_zeros(items);
        let bias = self.user_bias.lookup_or_zeros(users) + self.item_bias.lookup_or_zeros(items);
        let ratings = vectors.sum_dim(1) + bias + self.scale.mean;
        ratings.clamp(self.scale.min, self.scale.max).squeeze_dim(1)
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
        let vectors = to_vec(self.item_embedding.lookup_or_zeros(items).into_data());
        let (bias, mut vector) = if self.config.loss.is_ranking() {
            (0.0, mean_row(&vectors, self.config.embedding_dim))
        } else {
            let biases = to_vec(self.item_bias.lookup_or_zeros(items).into_data());
            let residuals: Vec<f32> =
                ratings.iter().zip(biases).map(|(rating, bias)| rating - self.scale.mean - bias).collect();
            fold_in(&vectors, &residuals, self.config.l2, self.config.l2_bias)
        };
        vector.resize(self.config.embedding_dim, 0.0);
        let vector = TensorData::new(vector, [1, self.config.embedding_dim]);
        let user = Tensor::<B, 2>::from_data(vector, &self.device());
        let product = user.matmul(self.item_embedding.weight().transpose());
        let scores = product + self.item_bias.weight().transpose() + (self.scale.mean + bias);
        to_vec(scores.into_data())
    }
}

impl<B: RecommenderBackend> Scorer for KgMf<B> {
    fn n_items(&self) -> usize {
        self.dims().1
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        scores.copy_from_slice(&to_vec(self.score_items(users).into_data()));
    }

    fn rank_block(&self, request: &BlockRequest<'_>) -> Option<BlockRanks> {
        (!B::ON_HOST).then(|| self.rank_on_device(request))
    }
}

impl<B: RecommenderBackend> KgMf<B> {
    /// Ranks a block without handing out its scores.
    fn rank_on_device(&self, request: &BlockRequest<'_>) -> BlockRanks {
        let (relevant, seen) = (request.relevant_rows(), request.seen_rows());
        let asked = RowLists { offsets: &relevant.offsets, items: &relevant.items };
        let masked = RowLists { offsets: &seen.offsets, items: &seen.items };
        let ranked = rank_rows(self.score_items(request.users), asked, masked, request.top_k);
        let place = |(row, item, value)| NotFiniteScore { user: request.users[row], item, value };
        BlockRanks {
            above: ranked.above,
            equal: ranked.equal,
            top_items: ranked.top_items,
            not_finite: ranked.not_finite.map(place),
        }
    }
}

impl<B: RecommenderBackend> RatingPredictor for KgMf<B> {
    fn predict_pairs(&self, users: &[u32], items: &[u32]) -> Vec<f32> {
        to_vec(self.predict(users, items).into_data())
    }
}

fn to_vec(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().to_vec().expect("converted to f32 just before")
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use cresset_metrics::{ItemLists, RankingPlan, RankingTask, rank_catalogue};

    use super::*;

    /// As on a device: the scores are never handed out.
    struct Counting<'m>(&'m KgMf<Flex>);

    impl Scorer for Counting<'_> {
        fn n_items(&self) -> usize {
            self.0.n_items()
        }

        fn score_block(&self, _: &[u32], _: &mut [f32]) {
            unreachable!("scores are counted where they are")
        }

        fn rank_block(&self, request: &BlockRequest<'_>) -> Option<BlockRanks> {
            Some(self.0.rank_on_device(request))
        }
    }

    #[test]
    fn counts_on_the_device_give_the_report_of_the_scores_to_the_bit() {
        let scale = RatingScale { mean: 3.0, min: 1.0, max: 5.0 };
        let config = KgMfConfig { embedding_dim: 4, init_std: 1.0, ..KgMfConfig::default() };
        let model: KgMf<Flex> = config.init(3, 40, scale, 7, &Default::default()).unwrap();
        let task = RankingTask {
            users: &[0, 1, 2],
            relevant: ItemLists { offsets: &[0, 2, 3, 6], items: &[4, 30, 11, 0, 1, 39] },
            seen: ItemLists { offsets: &[0, 1, 1, 3], items: &[7, 1, 2] },
        };
        let plan = RankingPlan::parse(&["ndcg@20", "map@20", "auc", "coverage@5", "gini@3"]).unwrap();
        let counted = rank_catalogue(&Counting(&model), &task, &plan).unwrap();
        assert_eq!(counted, rank_catalogue(&model, &task, &plan).unwrap());
        assert!(counted.metrics.get("ndcg@20").is_some_and(|ndcg| ndcg > 0.0));
    }
}
