//! The loss of a batch.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};
use cresset_data::PairBatch;
use cresset_nn::loss::{DrawnItems, bpr, bpr_drawn, sampled_softmax_drawn};
use cresset_nn::{
    AutodiffRecommender, EmbeddingTable, ForwardPass, GatheredRows, RowIndex, StepKey, TrainModel,
};

use crate::batch::{KgMfExamples, KgMfPairs, PairExamples, RatingExamples, ScoredPairs};
use crate::config::KgMfLoss;
use crate::loss::{mean_square_length, squared_error};
use crate::model::KgMf;
use crate::scores::GatheredPairs;

impl<B: AutodiffRecommender> TrainModel<B> for KgMf<B> {
    type Batch = KgMfExamples;

    /// # Panics
    ///
    /// If the examples are of another kind than the config's loss learns from, or lack what a part of the model reads.
    fn forward_loss(&self, batch: &KgMfExamples, _key: StepKey) -> ForwardPass<B> {
        match batch {
            KgMfExamples::Ratings(examples) => self.rating_loss(examples),
            KgMfExamples::Pairs(PairExamples { batch, pairs: None }) => self.ranking_loss(batch),
            KgMfExamples::Pairs(PairExamples { batch, pairs: Some(pairs) }) => {
                self.ranking_loss_of_scores(batch, pairs)
            }
        }
    }

    /// The users' biases and those of time are no part of a ranking loss: they learn nothing there.
    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        let is_ranking = self.config.loss.is_ranking();
        let mut tables = vec![&mut self.item_bias, &mut self.user_embedding, &mut self.item_embedding];
        if !is_ranking {
            tables.insert(0, &mut self.user_bias);
            tables.extend(self.time.as_mut().map(|part| &mut part.bias));
        }
        if let Some(graph) = &mut self.graph {
            tables.extend([&mut graph.taste, &mut graph.entity]);
        }
        tables
    }
}

impl<B: AutodiffRecommender> KgMf<B> {
    fn rating_loss(&self, examples: &RatingExamples) -> ForwardPass<B> {
        assert!(!self.config.loss.is_ranking(), "ratings are for the loss squared_error");
        let RatingExamples { ratings, pairs } = examples;
        let n = ratings.len();
        let gathered = GatheredPairs::of(self, pairs);
        let scored = self.score_pairs(pairs, gathered.rows());
        let ratings = Tensor::from_data(TensorData::new(ratings.clone(), [n, 1]), &self.device());
        let error = squared_error(scored.scores, ratings);
        let mut terms = vec![("squared_error", error)];
        self.add_penalties(&mut terms, &gathered, pairs, (scored.pooled, scored.fused), [n, n]);
        ForwardPass { terms, n_examples: n, rows: gathered.into_rows() }
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
        let vectors = match &self.genome {
            Some(genome) => item.leaf.clone() * genome.factors(&batch.items.ids),
            None => item.leaf.clone(),
        };
        let rows = Tensor::cat(vec![vectors, item_bias.leaf.clone()], 1);
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

    /// The same of scores that are no plain product, each positive's first and then the negatives'.
    fn ranking_loss_of_scores(&self, batch: &PairBatch, pairs: &ScoredPairs) -> ForwardPass<B> {
        let (n, n_negatives) = (batch.len(), batch.n_negatives);
        let gathered = GatheredPairs::of(self, pairs);
        let scored = self.score_pairs(pairs, gathered.rows());
        let (pooled, fused) = (scored.pooled, scored.fused);
        let positives = scored.scores.clone().narrow(0, 0, n);
        let negatives = scored.scores.narrow(0, n, n * n_negatives).reshape([n, n_negatives]);
        let term = match self.config.loss {
            KgMfLoss::Bpr => ("bpr", bpr(positives.repeat_dim(1, n_negatives), negatives)),
            KgMfLoss::Softmax => {
                let all = Tensor::cat(vec![positives, negatives], 1);
                ("softmax", log_softmax(all, 1).narrow(1, 0, 1).mean().neg())
            }
            KgMfLoss::SquaredError => panic!("pairs are for the losses bpr and softmax"),
        };
        let mut terms = vec![term];
        // A user's row is used once for each score, and counts once for each example.
        self.add_penalties(&mut terms, &gathered, pairs, (pooled, fused), [n * (1 + n_negatives), n]);
        ForwardPass { terms, n_examples: n, rows: gathered.into_rows() }
    }

    /// The penalty of the rows that were used, and the graph's own loss. Uses of a user's row are divided by `n_users`, those
    /// of an item's by `n_items`. `pooled` is what the graph says of the items, `fused` what fusion adds to tastes.
    fn add_penalties(
        &self,
        terms: &mut Vec<(&'static str, Tensor<B, 1>)>,
        gathered: &GatheredPairs<B>,
        pairs: &ScoredPairs,
        (pooled, fused): (Option<Tensor<B, 2>>, Option<Tensor<B, 2>>),
        [n_users, n_items]: [usize; 2],
    ) {
        let GatheredPairs { user_bias, item_bias, user, item, graph, time, users, items } = gathered;
        let of_items = square(item_bias, items, n_items);
        let biases = match user_bias {
            Some(bias) => square(bias, users, n_users) + of_items,
            None => of_items,
        };
        let vectors = square(user, users, n_users) + square(item, items, n_items);
        let mut penalty = self.penalty(vectors, biases);
        if let Some((rows, index)) = time {
            penalty =
                penalty + square(rows, index, n_items) * self.config.time.as_ref().map_or(0.0, |it| it.l2);
        }
        let of_graph = self.graph.as_ref().zip(graph.as_ref()).zip(pairs.graph.as_ref());
        let Some(((part, rows), batch)) = of_graph else { return terms.push(("penalty", penalty)) };
        penalty = penalty + square(&rows.taste, users, n_users) * part.config.l2_taste;
        if let Some(fused) = fused {
            let length = B::sum_of_squares(fused, None) / n_users as f64;
            penalty = penalty + length * part.config.l2_taste;
        }
        if let Some(pooled) = pooled {
            let item_of_slot = batch.neighbourhoods.item_of_slot();
            let uses: Vec<f32> =
                item_of_slot.iter().map(|&item| pairs.items.counts[item as usize] as f32).collect();
            let uses = TensorData::new(uses, [item_of_slot.len(), 1]);
            let uses = Tensor::from_data(uses, &self.device());
            penalty = penalty + mean_square_length(pooled, uses, n_items) * part.config.l2_entity;
        }
        terms.push(("penalty", penalty));
        let facts = batch.facts.as_ref();
        let own = facts.and_then(|facts| part.translation_loss(&rows.entity.leaf, facts));
        terms.extend(own.map(|loss| ("graph", loss)));
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
