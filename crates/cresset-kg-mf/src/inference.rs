//! The trained model as plain arrays: for answers to one user at a time, and for what each entity has in them.

use std::ops::Range;
use std::sync::Arc;

use cresset_data::NO_TIME;
use cresset_data::graph::ItemNeighbourhoods;
use cresset_metrics::{MetricError, RatingPredictor, Scorer, top_k};
use cresset_nn::RecommenderBackend;
use rayon::prelude::*;

use crate::config::RatingScale;
use crate::explain::{EntityContribution, Reasons};
use crate::model::KgMf;
use crate::parts::graph::GraphPart;
use crate::parts::time::{RatingTimes, TimeConfig};
use crate::serving::to_vec;

/// Items that one task of the thread pool scores.
const ITEMS_AT_ONCE: usize = 1_024;

/// A trained [`KgMf`] on the host, as fast at one pair as at a whole catalogue. What is the same for all users is
/// worked out when it is made; scores are computed without allocating.
///
/// ```
/// use burn::backend::Flex;
/// use cresset_kg_mf::{KgMf, KgMfConfig, RatingScale};
///
/// let scale = RatingScale { mean: 3.0, min: 0.5, max: 5.0 };
/// let model: KgMf<Flex> = KgMfConfig::default().init(10, 200, scale, 42, &Default::default())?;
/// let inference = model.inference();
/// let mut scores = vec![0.0; 200];
/// inference.score_all(7, &mut scores);
/// assert_eq!(scores[31], inference.score(7, 31));
/// let best = inference.recommend(7, &[31], 10, &mut scores)?;
/// assert!(best.len() == 10 && best.iter().all(|&(item, _)| item != 31));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct KgMfInference {
    scale: RatingScale,
    dim: usize,
    /// `[n_users]`, `[n_items]`.
    user_bias: Vec<f32>,
    item_bias: Vec<f32>,
    /// `[n_users, dim]`.
    users: Vec<f32>,
    /// Times what the tags make of them, `[n_items, dim]`.
    items: Vec<f32>,
    graph: Option<GraphArrays>,
    time: Option<TimeArrays>,
}

/// The graph's part; users beyond those of the model have the last row.
#[derive(Debug, Clone)]
struct GraphArrays {
    neighbourhoods: Arc<ItemNeighbourhoods>,
    dim: usize,
    /// Own taste and that of all, `[n_users + 1, dim]`.
    tastes: Vec<f32>,
    /// Exponentials of the attention to each relation, the largest 1: `[n_users + 1, n_relations]`.
    relations: Vec<f32>,
    /// `[n_entities, dim]`.
    entities: Vec<f32>,
    /// Attention to each link within its slot, `[n_links]`.
    links: Vec<f32>,
    /// What each slot says, `[n_slots, dim]`.
    pooled: Vec<f32>,
    fusion: Option<FusionArrays>,
}

#[derive(Debug, Clone)]
struct FusionArrays {
    /// `[embedding_dim, dim]`.
    weight: Vec<f32>,
    /// The items' vectors without what the tags make of them, `[n_items, embedding_dim]`.
    items: Vec<f32>,
}

#[derive(Debug, Clone)]
struct TimeArrays {
    config: TimeConfig,
    times: Arc<RatingTimes>,
    bias: Vec<f32>,
}

impl<B: RecommenderBackend> KgMf<B> {
    /// The model as plain arrays.
    pub fn inference(&self) -> KgMfInference {
        let flat = |table: burn::tensor::Tensor<B, 2>| to_vec(table.into_data());
        let items = self.item_embedding.weight();
        let time = self.time.as_ref().map(|part| TimeArrays {
            config: part.config.clone(),
            times: Arc::clone(&part.times),
            bias: flat(part.bias.weight()),
        });
        KgMfInference {
            scale: self.scale,
            dim: self.config.embedding_dim,
            user_bias: flat(self.user_bias.weight()),
            item_bias: flat(self.item_bias.weight()),
            users: flat(self.user_embedding.weight()),
            graph: self.graph.as_ref().map(|part| GraphArrays::of(part, || flat(items.clone()))),
            items: flat(self.weighed(items.clone())),
            time,
        }
    }
}

impl GraphArrays {
    fn of<B: RecommenderBackend>(part: &GraphPart<B>, items: impl FnOnce() -> Vec<f32>) -> Self {
        let neighbourhoods = Arc::clone(&part.neighbourhoods);
        let entities = part.entity.weight();
        let [_, dim] = entities.dims();
        let all: Vec<u32> = (0..neighbourhoods.n_items() as u32).collect();
        let batch = neighbourhoods.batch(&all, &[]);
        let known = part.entity.lookup(&batch.entities);
        let logits = part.neighbour_logits(&known);
        let (pooled, links) = B::attend_neighbours_forward(known, logits, &part.neighbours(&batch));
        let tastes = part.taste.weight();
        let nobody = burn::tensor::Tensor::zeros([1, dim], &tastes.device());
        let tastes = burn::tensor::Tensor::cat(vec![tastes, nobody], 0);
        Self {
            dim,
            relations: to_vec(part.relation_weights(&tastes).into_data()),
            tastes: to_vec((tastes + part.common_taste.val()).into_data()),
            entities: to_vec(entities.into_data()),
            links: to_vec(links.into_data()),
            pooled: to_vec(pooled.into_data()),
            fusion: part
                .fusion
                .as_ref()
                .map(|weight| FusionArrays { weight: to_vec(weight.val().into_data()), items: items() }),
            neighbourhoods,
        }
    }

    /// The row of a user; of one that is not known, the last.
    fn row_of(&self, user: u32) -> usize {
        (user as usize).min(self.tastes.len() / self.dim - 1)
    }

    fn relations_of(&self, user: u32) -> &[f32] {
        let n = self.neighbourhoods.n_relations();
        &self.relations[self.row_of(user) * n..][..n]
    }

    fn taste_of(&self, user: u32) -> &[f32] {
        &self.tastes[self.row_of(user) * self.dim..][..self.dim]
    }

    fn entity(&self, entity: u32) -> &[f32] {
        &self.entities[entity as usize * self.dim..][..self.dim]
    }

    /// Relation and row of each slot of an item.
    fn slots(&self, item: u32) -> impl Iterator<Item = (u32, &[f32])> {
        let slots = self.neighbourhoods.slots_of(item);
        let relations = self.neighbourhoods.relations_of_slots(slots.clone());
        relations.iter().copied().zip(self.pooled[slots.start * self.dim..].chunks_exact(self.dim))
    }

    /// What a user looks for in what the graph says of an item: own taste and that of all, and for fusion what the product
    /// of the vectors adds, which is written into `room`, `[dim]`.
    fn wanted<'a>(&'a self, user: u32, vector: Option<&[f32]>, item: u32, room: &'a mut [f32]) -> &'a [f32] {
        let taste = self.taste_of(user);
        let (Some(fusion), Some(vector)) = (&self.fusion, vector) else { return taste };
        let item = &fusion.items[item as usize * vector.len()..][..vector.len()];
        room.copy_from_slice(taste);
        add_fused(room, vector, item, &fusion.weight);
        room
    }

    /// The graph's part of one score. `room` is that of [`with_room`].
    fn score(&self, user: u32, vector: Option<&[f32]>, item: u32, room: &mut [f32]) -> f32 {
        let weights = self.relations_of(user);
        let (said, room) = room.split_at_mut(self.dim);
        let (mut total, mut n) = (0.0, 0.0);
        said.fill(0.0);
        for (relation, row) in self.slots(item) {
            let weight = weights[relation as usize];
            total += weight;
            n += 1.0;
            add_times(said, weight, row);
        }
        if total == 0.0 {
            return 0.0;
        }
        dot(self.wanted(user, vector, item, room), said) * n / total
    }

    /// What each link of an item adds to a score, `removed` left out as if the item had no link to it.
    fn contributions(
        &self,
        user: u32,
        vector: Option<&[f32]>,
        item: u32,
        removed: Option<u32>,
    ) -> Vec<EntityContribution> {
        let weights = self.relations_of(user);
        let mut found = Vec::new();
        let (mut total, mut n) = (0.0, 0.0);
        for slot in self.neighbourhoods.slots_of(item) {
            let relation = self.neighbourhoods.relations_of_slots(slot..slot + 1)[0];
            let links = self.neighbourhoods.link_range(slot);
            let entities = self.neighbourhoods.entities_at(links.clone());
            let kept =
                || entities.iter().zip(&self.links[links.clone()]).filter(|link| Some(*link.0) != removed);
            let left: f32 = kept().map(|(_, attention)| attention).sum();
            if left == 0.0 {
                continue;
            }
            total += weights[relation as usize];
            n += 1.0;
            found.extend(kept().map(|(&entity, attention)| EntityContribution {
                entity,
                relation,
                relation_attention: weights[relation as usize],
                neighbour_attention: attention / left,
                contribution: 0.0,
            }));
        }
        let mut room = vec![0.0; self.dim];
        let wanted = self.wanted(user, vector, item, &mut room);
        for link in &mut found {
            link.relation_attention /= total;
            let agreement = dot(wanted, self.entity(link.entity));
            link.contribution = n * link.relation_attention * link.neighbour_attention * agreement;
        }
        found
    }
}

impl KgMfInference {
    /// Users and items that the model has vectors for.
    pub fn dims(&self) -> (usize, usize) {
        (self.user_bias.len(), self.item_bias.len())
    }

    /// The predicted rating of one pair, not held to the scale; of a user or item that the model does not know by what is
    /// left.
    pub fn score(&self, user: u32, item: u32) -> f32 {
        let plain = self.plain(user, item);
        match &self.graph {
            Some(graph) if (item as usize) < self.item_bias.len() => {
                with_room(graph.dim, |room| plain + graph.score(user, self.vector(user), item, room))
            }
            _ => plain,
        }
    }

    fn plain(&self, user: u32, item: u32) -> f32 {
        let bias = |of: &[f32], id: u32| of.get(id as usize).copied().unwrap_or(0.0);
        let product = match (self.vector(user), row(&self.items, self.dim, item)) {
            (Some(user), Some(item)) => dot(user, item),
            _ => 0.0,
        };
        product + bias(&self.user_bias, user) + bias(&self.item_bias, item) + self.scale.mean
    }

    fn vector(&self, user: u32) -> Option<&[f32]> {
        row(&self.users, self.dim, user)
    }

    /// Writes the score of every item for a user, as [`score`](Self::score).
    ///
    /// # Shapes
    ///
    /// - scores: `[n_items]`
    ///
    /// # Panics
    ///
    /// If `scores` has another length.
    pub fn score_all(&self, user: u32, scores: &mut [f32]) {
        assert_eq!(scores.len(), self.item_bias.len(), "one score for each item");
        scores.par_chunks_mut(ITEMS_AT_ONCE).enumerate().for_each(|(chunk, scores)| {
            let first = chunk * ITEMS_AT_ONCE;
            self.score_range(user, first..first + scores.len(), scores);
        });
    }

    fn score_range(&self, user: u32, items: Range<usize>, scores: &mut [f32]) {
        for (score, item) in scores.iter_mut().zip(items.clone()) {
            *score = self.plain(user, item as u32);
        }
        let Some(graph) = &self.graph else { return };
        let vector = self.vector(user);
        with_room(graph.dim, |room| {
            for (score, item) in scores.iter_mut().zip(items) {
                *score += graph.score(user, vector, item as u32, room);
            }
        });
    }

    /// The `k` items of highest score but those in `seen`, which rise, best first. `scores` is room for one for each item.
    ///
    /// # Errors
    ///
    /// A score that is no finite number: the model was not trained to an end.
    ///
    /// # Panics
    ///
    /// If `scores` has another length, or `seen` is not sorted.
    pub fn recommend(
        &self,
        user: u32,
        seen: &[u32],
        k: usize,
        scores: &mut [f32],
    ) -> Result<Vec<(u32, f32)>, MetricError> {
        self.score_all(user, scores);
        top_k(scores, seen, k)
    }

    /// The predicted rating of one pair, held to the scale, at a time: seconds since 1970-01-01 UTC, or
    /// [`NO_TIME`].
    pub fn predict(&self, user: u32, item: u32, time: i64) -> f32 {
        let of_time = self.time.as_ref().map_or(0.0, |part| part.score(user, time));
        (self.score(user, item) + of_time).clamp(self.scale.min, self.scale.max)
    }

    /// Whether there is a graph to explain by.
    pub fn has_graph(&self) -> bool {
        self.graph.is_some()
    }

    fn contributions_without(&self, user: u32, item: u32, removed: Option<u32>) -> Vec<EntityContribution> {
        let graph = self.graph.as_ref().filter(|_| (item as usize) < self.item_bias.len());
        graph.map_or(vec![], |graph| graph.contributions(user, self.vector(user), item, removed))
    }
}

/// Without a graph there are no relations and no links.
impl Reasons for KgMfInference {
    fn score(&self, user: u32, item: u32) -> f32 {
        Self::score(self, user, item)
    }

    fn relation_attention(&self, user: u32) -> Vec<f32> {
        let Some(graph) = &self.graph else { return vec![] };
        let weights = graph.relations_of(user);
        let total: f32 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    }

    fn contributions(&self, user: u32, item: u32) -> Vec<EntityContribution> {
        self.contributions_without(user, item, None)
    }

    fn score_without(&self, user: u32, item: u32, entity: u32) -> f32 {
        let left = self.contributions_without(user, item, Some(entity));
        self.plain(user, item) + left.iter().map(|link| link.contribution).sum::<f32>()
    }
}

impl TimeArrays {
    fn score(&self, user: u32, time: i64) -> f32 {
        self.times.rows_of(&self.config, user, time).map(|row| self.bias[row as usize]).sum()
    }
}

impl RatingPredictor for KgMfInference {
    fn predict_pairs(&self, users: &[u32], items: &[u32]) -> Vec<f32> {
        assert_eq!(users.len(), items.len(), "one item for each user");
        users.par_iter().zip(items).map(|(&user, &item)| self.predict(user, item, NO_TIME)).collect()
    }

    fn predict_pairs_at(&self, users: &[u32], items: &[u32], times: &[i64]) -> Vec<f32> {
        assert!(users.len() == items.len() && users.len() == times.len(), "one item and time for each user");
        let pairs = users.par_iter().zip(items).zip(times);
        pairs.map(|((&user, &item), &time)| self.predict(user, item, time)).collect()
    }
}

impl Scorer for KgMfInference {
    fn n_items(&self) -> usize {
        self.item_bias.len()
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        let n_items = self.item_bias.len();
        if n_items == 0 {
            return;
        }
        scores
            .par_chunks_mut(n_items)
            .zip(users)
            .for_each(|(scores, &user)| self.score_range(user, 0..n_items, scores));
    }
}

/// The row of an id, if there is one.
fn row(rows: &[f32], dim: usize, id: u32) -> Option<&[f32]> {
    let start = id as usize * dim;
    rows.get(start..start + dim)
}

/// Room for what the graph says of an item, and for what a user looks for in it, `[2 * dim]`: on the stack up to the
/// widths in use.
fn with_room<T>(dim: usize, run: impl FnOnce(&mut [f32]) -> T) -> T {
    const ON_STACK: usize = 128;
    let size = 2 * dim;
    if size <= ON_STACK { run(&mut [0.0; ON_STACK][..size]) } else { run(&mut vec![0.0; size]) }
}

/// Sums that the processor keeps in registers.
const LANES: usize = 16;

/// Adds `factor` times a row to the sums, place by place.
fn add_times(sums: &mut [f32], factor: f32, row: &[f32]) {
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += factor * value);
}

/// Adds to the sums, place by place, each row of `weight` times the product of both vectors there.
///
/// # Shapes
///
/// - user, item: `[embedding_dim]`
/// - weight: `[embedding_dim, sums.len()]`
fn add_fused(sums: &mut [f32], user: &[f32], item: &[f32], weight: &[f32]) {
    let dim = sums.len();
    for (first, sums) in (0..).step_by(LANES).zip(sums.chunks_mut(LANES)) {
        let mut lanes = [0.0; LANES];
        for ((p, q), row) in user.iter().zip(item).zip(weight.chunks_exact(dim)) {
            match row[first..].first_chunk::<LANES>() {
                Some(row) => (0..LANES).for_each(|lane| lanes[lane] += p * q * row[lane]),
                None => add_times(&mut lanes[..dim - first], p * q, &row[first..]),
            }
        }
        sums.iter_mut().zip(lanes).for_each(|(sum, lane)| *sum += lane);
    }
}

/// The inner product in eight sums, which the processor adds side by side.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const SUMS: usize = 8;
    let mut sums = [0.0f32; SUMS];
    let (of_a, of_b) = (a.chunks_exact(SUMS), b.chunks_exact(SUMS));
    let rest: f32 = of_a.remainder().iter().zip(of_b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in of_a.zip(of_b) {
        for lane in 0..SUMS {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}
