//! The score of a pair, from the rows of its user and item: the one formula of training and of predictions.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use cresset_nn::{AutodiffRecommender, GatheredRows, RecommenderBackend, RowIndex, Selection};

use crate::batch::ScoredPairs;
use crate::model::KgMf;
use crate::parts::graph::GraphRows;
use crate::parts::time::time_scores;

/// The distinct rows that pairs are scored by, and which of them each pair has.
pub(crate) struct PairRows<B: Backend> {
    /// `[n_users, 1]`; none where scores are compared for one user alone.
    pub(crate) user_bias: Option<Tensor<B, 2>>,
    /// `[n_items, 1]`.
    pub(crate) item_bias: Tensor<B, 2>,
    /// `[n_users, embedding_dim]`.
    pub(crate) user: Tensor<B, 2>,
    /// `[n_items, embedding_dim]`.
    pub(crate) item: Tensor<B, 2>,
    pub(crate) users: Selection<B>,
    pub(crate) items: Selection<B>,
    pub(crate) graph: Option<GraphRows<B>>,
    /// `[n_biases, 1]`.
    pub(crate) time: Option<Tensor<B, 2>>,
}

/// Scores, and what a penalty needs beside the rows.
pub(crate) struct Scored<B: Backend> {
    /// `[n_pairs, 1]`.
    pub(crate) scores: Tensor<B, 2>,
    /// What the graph says of each item by relation, `[n_slots, dim]`.
    pub(crate) pooled: Option<Tensor<B, 2>>,
    /// What fusion adds to each pair's taste, `[n_pairs, dim]`.
    pub(crate) fused: Option<Tensor<B, 2>>,
}

impl<B: RecommenderBackend> KgMf<B> {
    /// The score of each pair by the rows given.
    pub(crate) fn score_pairs(&self, pairs: &ScoredPairs, rows: PairRows<B>) -> Scored<B> {
        let PairRows { user_bias, item_bias, user, item, users, items, graph, time } = rows;
        let per_pair = |rows: &Tensor<B, 2>, of: &Selection<B>| B::select_rows(rows.clone(), of);
        let product = B::pair_products(user.clone(), item.clone(), &users, &items);
        let mut scores: Tensor<B, 2> = product.unsqueeze_dim(1);
        if let Some(genome) = &self.genome {
            scores = scores * per_pair(&genome.factors(&pairs.items.ids), &items);
        }
        if let Some(bias) = &user_bias {
            scores = scores + per_pair(bias, &users);
        }
        scores = scores + per_pair(&item_bias, &items) + self.scale.mean;
        let (mut pooled, mut fused) = (None, None);
        if let (Some(part), Some(rows), Some(batch)) = (&self.graph, graph, &pairs.graph) {
            let products = || per_pair(&user, &users) * per_pair(&item, &items);
            let found = part.scores(rows, &batch.neighbourhoods, &users, &items, products);
            scores = scores + found.scores.unsqueeze_dim(1);
            (pooled, fused) = (Some(found.pooled), found.fused);
        }
        if let (Some(bias), Some(batch)) = (time, &pairs.time) {
            scores = scores + time_scores(bias, batch);
        }
        Scored { scores, pooled, fused }
    }

    /// The rows of pairs, without a gradient; zeros for ids that the model does not know.
    pub(crate) fn look_up(&self, pairs: &ScoredPairs) -> PairRows<B> {
        let device = self.device();
        let (users, items) = (&pairs.users.ids, &pairs.items.ids);
        let graph = self.graph.as_ref().zip(pairs.graph.as_ref()).map(|(part, batch)| GraphRows {
            tastes: part.taste.lookup_or_zeros(users),
            entities: part.entity.lookup(&batch.neighbourhoods.entities),
        });
        let time = self.time.as_ref().zip(pairs.time.as_ref());
        PairRows {
            user_bias: Some(self.user_bias.lookup_or_zeros(users)),
            item_bias: self.item_bias.lookup_or_zeros(items),
            user: self.user_embedding.lookup_or_zeros(users),
            item: self.item_embedding.lookup_or_zeros(items),
            users: Selection::one_each(&pairs.users.positions, users.len(), &device),
            items: Selection::one_each(&pairs.items.positions, items.len(), &device),
            graph,
            time: time.map(|(part, batch)| part.bias.lookup(&batch.rows.ids)),
        }
    }
}

/// The rows of a batch as leaves of the graph that gradients go back by.
pub(crate) struct GatheredPairs<B: AutodiffRecommender> {
    pub(crate) user_bias: Option<GatheredRows<B>>,
    pub(crate) item_bias: GatheredRows<B>,
    pub(crate) user: GatheredRows<B>,
    pub(crate) item: GatheredRows<B>,
    pub(crate) graph: Option<GatheredGraph<B>>,
    pub(crate) time: Option<(GatheredRows<B>, RowIndex<B::InnerBackend>)>,
    pub(crate) users: RowIndex<B::InnerBackend>,
    pub(crate) items: RowIndex<B::InnerBackend>,
}

pub(crate) struct GatheredGraph<B: AutodiffRecommender> {
    pub(crate) taste: GatheredRows<B>,
    pub(crate) entity: GatheredRows<B>,
}

impl<B: AutodiffRecommender> GatheredPairs<B> {
    /// Of a ranking, without the users' biases, which add the same to all items.
    ///
    /// # Panics
    ///
    /// If a part of the model finds nothing to read: the examples were not made by its reader.
    pub(crate) fn of(model: &KgMf<B>, pairs: &ScoredPairs) -> Self {
        let device = model.device();
        let users = RowIndex::new(&pairs.users, &device);
        let items = RowIndex::new(&pairs.items, &device);
        let is_ranking = model.config.loss.is_ranking();
        let graph = model.graph.as_ref().map(|part| {
            let batch = pairs.graph.as_ref().expect("examples are made by the model's reader");
            GatheredGraph {
                taste: part.taste.gather(&users),
                entity: part.entity.gather(&RowIndex::distinct(&batch.neighbourhoods.entities, &device)),
            }
        });
        let time = model.time.as_ref().filter(|_| !is_ranking).map(|part| {
            let batch = pairs.time.as_ref().expect("examples are made by the model's reader");
            let index = RowIndex::new(&batch.rows, &device);
            (part.bias.gather(&index), index)
        });
        Self {
            user_bias: (!is_ranking).then(|| model.user_bias.gather(&users)),
            item_bias: model.item_bias.gather(&items),
            user: model.user_embedding.gather(&users),
            item: model.item_embedding.gather(&items),
            graph,
            time,
            users,
            items,
        }
    }

    /// The rows, to be scored.
    pub(crate) fn rows(&self) -> PairRows<B> {
        let graph = self
            .graph
            .as_ref()
            .map(|graph| GraphRows { tastes: graph.taste.leaf.clone(), entities: graph.entity.leaf.clone() });
        PairRows {
            user_bias: self.user_bias.as_ref().map(|rows| rows.leaf.clone()),
            item_bias: self.item_bias.leaf.clone(),
            user: self.user.leaf.clone(),
            item: self.item.leaf.clone(),
            users: self.user.selection(),
            items: self.item.selection(),
            graph,
            time: self.time.as_ref().map(|(rows, _)| rows.leaf.clone()),
        }
    }

    /// What the optimiser updates.
    pub(crate) fn into_rows(self) -> Vec<GatheredRows<B>> {
        let mut rows: Vec<GatheredRows<B>> = self.user_bias.into_iter().collect();
        rows.extend([self.item_bias, self.user, self.item]);
        rows.extend(self.graph.into_iter().flat_map(|graph| [graph.taste, graph.entity]));
        rows.extend(self.time.map(|(rows, _)| rows));
        rows
    }
}
