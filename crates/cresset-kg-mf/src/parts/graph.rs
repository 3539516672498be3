//! What the knowledge graph says of an item, weighed by what the user cares for.
//!
//! With the entities `e` that item `i` is linked to by relation `r`, `N(i, r)`, the relations `R(i)` that it has, and the
//! taste `t_u = t + k_u` of a user among entities:
//!
//! ```text
//! beta(e | i, r)  = softmax over N(i, r) of  v_e . w_r                      attention over neighbours
//! g(i, r)         = sum over N(i, r) of  beta(e | i, r) v_e
//! alpha(r | u, i) = softmax over R(i) of  k_u . a_r + c_r                   attention over relations
//! c(u, i)         = t_u + W^T (p_u * q_i)                                   fusion by Hadamard product
//! graph(u, i)     = |R(i)| sum over R(i) of  alpha(r | u, i) c(u, i) . g(i, r)
//! ```
//!
//! It is linear in the entities once the attention is known, so each entity has a part of its own in a score: see
//! [`Reasons::contributions`](crate::explain::Reasons::contributions).

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::softplus;
use burn::tensor::backend::Backend;
use cresset_data::graph::{ItemNeighbourhoods, NeighbourhoodBatch, NeighbourhoodBounds};
use cresset_nn::{
    ConfigError, EmbeddingTable, Neighbourhoods, Pooling, RecommenderBackend, Selection, id_tensor, init,
};
use serde::{Deserialize, Serialize};

use crate::config::at_least_0;
use crate::error::KnowledgeError;
use crate::knowledge::Knowledge;

/// What the model reads in the knowledge graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GraphConfig {
    /// Width of the vectors of entities and tastes, 1 to 8,192. Default: 16.
    pub dim: usize,
    /// Standard deviation of their first values, at least 0. Default: 0.05.
    pub init_std: f64,
    /// The most neighbours of one relation that an item keeps, at least 1. Default: 32.
    pub max_neighbours: usize,
    /// The fewest items that an entity must be linked to, at least 1. Default: 2.
    pub min_items: usize,
    /// Whether users weigh relations differently; else all alike. Default: true.
    pub relation_attention: bool,
    /// Whether an item's neighbours of one relation weigh differently; else all alike. Default: true.
    pub neighbour_attention: bool,
    /// Whether the Hadamard product of the collaborative vectors is part of the taste. Default: false.
    pub fusion: bool,
    /// Penalty on the squared length of a user's taste, and of what fusion adds to it, once for each rating, at least 0. Default: 0.5.
    pub l2_taste: f64,
    /// Penalty on the squared length of what each relation says of an item, once for each rating, at least 0. Default: 0.02.
    pub l2_entity: f64,
    /// Weight of the loss of the graph alone, at least 0. Default: 0.
    pub translation_weight: f64,
    /// Facts drawn for that loss at each step, at least 1. Default: 1,024.
    pub translation_facts: usize,
}

impl Default for GraphConfig {
    fn default() -> Self {
        Self {
            dim: 16,
            init_std: 0.05,
            max_neighbours: 32,
            min_items: 2,
            relation_attention: true,
            neighbour_attention: true,
            fusion: false,
            l2_taste: 0.5,
            l2_entity: 0.02,
            translation_weight: 0.0,
            translation_facts: 1_024,
        }
    }
}

impl GraphConfig {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let dim = self.dim as f64;
        let count = |field, n: usize| (field, n as f64, n >= 1, "at least 1");
        ConfigError::first_of(&[
            ("graph.dim", dim, (1.0..=8192.0).contains(&dim), "1 to 8192"),
            at_least_0("graph.init_std", self.init_std),
            count("graph.max_neighbours", self.max_neighbours),
            count("graph.min_items", self.min_items),
            at_least_0("graph.l2_taste", self.l2_taste),
            at_least_0("graph.l2_entity", self.l2_entity),
            at_least_0("graph.translation_weight", self.translation_weight),
            count("graph.translation_facts", self.translation_facts),
        ])
    }

    /// Whether the graph has a loss of its own.
    pub fn has_translations(&self) -> bool {
        self.translation_weight > 0.0
    }

    pub(crate) fn n_parameters(
        &self,
        n_users: usize,
        embedding_dim: usize,
        [n_entities, n_relations]: [usize; 2],
    ) -> usize {
        let rows = n_users + n_entities + 1;
        let attention = n_relations * usize::from(self.relation_attention) * (self.dim + 1)
            + n_relations * usize::from(self.neighbour_attention) * self.dim;
        let fusion = embedding_dim * self.dim * usize::from(self.fusion);
        let translations = n_relations * self.dim * usize::from(self.has_translations());
        rows * self.dim + attention + fusion + translations
    }
}

/// Vectors of entities and tastes, and the attention between them.
#[derive(Module, Debug)]
pub(crate) struct GraphPart<B: Backend> {
    pub(crate) taste: EmbeddingTable<B>,
    pub(crate) entity: EmbeddingTable<B>,
    /// What all users have in common, `[1, dim]`.
    pub(crate) common_taste: Param<Tensor<B, 2>>,
    pub(crate) relation_attention: Option<RelationKeys<B>>,
    /// `[n_relations, dim]`.
    pub(crate) neighbour_keys: Option<Param<Tensor<B, 2>>>,
    /// `[embedding_dim, dim]`.
    pub(crate) fusion: Option<Param<Tensor<B, 2>>>,
    /// `[n_relations, dim]`.
    translations: Option<Param<Tensor<B, 2>>>,
    #[module(skip)]
    pub(crate) config: GraphConfig,
    #[module(skip)]
    pub(crate) neighbourhoods: Arc<ItemNeighbourhoods>,
    /// Where the graph has a loss of its own.
    #[module(skip)]
    pub(crate) facts: Option<Arc<[[u32; 3]]>>,
}

/// What a taste is held against to see how much a relation counts.
#[derive(Module, Debug)]
pub(crate) struct RelationKeys<B: Backend> {
    /// `[n_relations, dim]`.
    pub(crate) keys: Param<Tensor<B, 2>>,
    /// `[n_relations]`.
    pub(crate) bias: Param<Tensor<B, 1>>,
}

/// The rows that a batch needs, gathered or looked up.
pub(crate) struct GraphRows<B: Backend> {
    /// `[n_users, dim]`.
    pub(crate) tastes: Tensor<B, 2>,
    /// `[n_entities, dim]`.
    pub(crate) entities: Tensor<B, 2>,
}

/// What a batch says of its examples, and of its items relation by relation.
pub(crate) struct GraphScores<B: Backend> {
    /// `[batch]`.
    pub(crate) scores: Tensor<B, 1>,
    /// `[n_slots, dim]`.
    pub(crate) pooled: Tensor<B, 2>,
    /// What fusion adds to the taste of each example, `[batch, dim]`.
    pub(crate) fused: Option<Tensor<B, 2>>,
}

/// Facts of a step, each beside one that is made up, by place among the entities of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FactBatch {
    pub(crate) heads: Vec<u32>,
    pub(crate) relations: Vec<u32>,
    pub(crate) tails: Vec<u32>,
    /// Entities that stand in for the tails.
    pub(crate) others: Vec<u32>,
}

impl<B: Backend> GraphPart<B> {
    pub(crate) fn new(
        config: &GraphConfig,
        [n_users, n_items, embedding_dim]: [usize; 3],
        knowledge: &Knowledge,
        seed: u64,
        device: &B::Device,
    ) -> Result<Self, KnowledgeError> {
        let graph = knowledge.graph.as_ref().ok_or_else(KnowledgeError::no_graph)?;
        if graph.n_items() != n_items {
            let found = graph.n_items();
            return Err(KnowledgeError::OtherItems { what: "graph", found, n_items });
        }
        // Drawn by a seed of its own, so that runs of other seeds read the same neighbours.
        let GraphConfig { max_neighbours, min_items, dim, .. } = *config;
        let neighbourhoods =
            graph.item_neighbourhoods(NeighbourhoodBounds { max_neighbours, min_items, seed: 0 });
        if neighbourhoods.n_links() == 0 {
            let n_links = graph.all_links().len();
            return Err(KnowledgeError::NoLinks { n_links, n_items, min_items });
        }
        let std = config.init_std as f32;
        let n_relations = graph.n_relations();
        let normal = |name: &str, rows: usize, std: f32| {
            Param::from_tensor(init::normal(seed, name, [rows, dim], std, device))
        };
        let keys = || RelationKeys {
            keys: normal("relation_keys", n_relations, KEY_STD),
            bias: Param::from_tensor(Tensor::zeros([n_relations], device)),
        };
        Ok(Self {
            taste: EmbeddingTable::normal("taste", [n_users, dim], std, seed, device),
            entity: EmbeddingTable::normal("entity", [graph.n_entities(), dim], std, seed, device),
            common_taste: normal("common_taste", 1, std),
            relation_attention: config.relation_attention.then(keys),
            neighbour_keys: config
                .neighbour_attention
                .then(|| normal("neighbour_keys", n_relations, KEY_STD)),
            fusion: config.fusion.then(|| normal("fusion", embedding_dim, FUSION_STD)),
            translations: config.has_translations().then(|| normal("translations", n_relations, std)),
            config: config.clone(),
            neighbourhoods: Arc::new(neighbourhoods),
            facts: config.has_translations().then(|| graph.facts().collect()),
        })
    }

    /// The same, its tastes of users without a training rating and entities of no training item at zero, unless a loss of
    /// the graph moves them.
    pub(crate) fn with_cold_rows_at_zero(mut self, users: &[u32], items: &[u32]) -> Self {
        self.taste = self.taste.with_zeros_but(users);
        if !self.config.has_translations() {
            self.entity = self.entity.with_zeros_but(&self.neighbourhoods.entities_of(items));
        }
        self
    }
}

/// Standard deviation of the first keys: attention begins close to even.
const KEY_STD: f32 = 0.1;
/// Of the first fusion: it begins close to none.
const FUSION_STD: f32 = 0.01;

impl<B: RecommenderBackend> GraphPart<B> {
    /// The graph's part of each example's score.
    ///
    /// `products` is the Hadamard product of each example's collaborative vectors, `[batch, embedding_dim]`.
    pub(crate) fn scores(
        &self,
        rows: GraphRows<B>,
        batch: &NeighbourhoodBatch,
        users: &Selection<B>,
        items: &Selection<B>,
        products: impl FnOnce() -> Tensor<B, 2>,
    ) -> GraphScores<B> {
        let GraphRows { tastes, entities } = rows;
        let neighbours = self.neighbours(batch);
        let pooled = B::attend_neighbours(entities.clone(), self.neighbour_logits(&entities), &neighbours);
        let mut own = B::select_rows(tastes.clone(), users) + self.common_taste.val();
        let fused = self.fusion.as_ref().map(|fusion| products().matmul(fusion.val()));
        if let Some(fused) = &fused {
            own = own + fused.clone();
        }
        let logits = self.relation_logits(&tastes);
        let scores = B::attend_relations(own, logits, pooled.clone(), users, items, &neighbours);
        GraphScores { scores, pooled, fused }
    }

    /// The neighbours of a batch's items, for the attention over them.
    pub(crate) fn neighbours(&self, batch: &NeighbourhoodBatch) -> Neighbourhoods<B> {
        Neighbourhoods::new(
            &batch.item_offsets,
            &batch.relations,
            &batch.slot_offsets,
            &batch.links,
            batch.entities.len(),
            self.neighbourhoods.n_relations(),
            &self.entity.device(),
        )
    }

    /// The exponentials of the attention to each relation, the largest of a user 1: what an item's relations divide
    /// among them, `[n_users, n_relations]`.
    ///
    /// None is 0, for an item may have none but those that its user hardly looks at: beyond `e^-80` all are alike.
    pub(crate) fn relation_weights(&self, tastes: &Tensor<B, 2>) -> Tensor<B, 2> {
        let logits = self.relation_logits(tastes);
        (logits.clone() - logits.max_dim(1)).clamp_min(-80.0).exp()
    }

    /// `[n_users, n_relations]`.
    fn relation_logits(&self, tastes: &Tensor<B, 2>) -> Tensor<B, 2> {
        match &self.relation_attention {
            Some(RelationKeys { keys, bias }) => {
                tastes.clone().matmul(keys.val().transpose()) + bias.val().unsqueeze()
            }
            None => Tensor::zeros([tastes.dims()[0], self.neighbourhoods.n_relations()], &tastes.device()),
        }
    }

    /// `[n_entities, n_relations]`.
    pub(crate) fn neighbour_logits(&self, entities: &Tensor<B, 2>) -> Tensor<B, 2> {
        match &self.neighbour_keys {
            Some(keys) => entities.clone().matmul(keys.val().transpose()),
            None => {
                Tensor::zeros([entities.dims()[0], self.neighbourhoods.n_relations()], &entities.device())
            }
        }
    }

    /// How far facts are from standing out among those made up: the mean of `softplus(d(fact) - d(made up))` with
    /// `d = |v_head + x_relation - v_tail|^2`; nothing where the graph has no loss.
    ///
    /// # Source
    ///
    /// Bordes et al., NeurIPS 2013 (`TransE`), with the loss of Wang et al., KDD 2019 (KGAT), equation 2, and no projection.
    pub(crate) fn translation_loss(
        &self,
        entities: &Tensor<B, 2>,
        facts: &FactBatch,
    ) -> Option<Tensor<B, 1>> {
        let translations = self.translations.as_ref()?;
        let (device, n_rows) = (entities.device(), entities.dims()[0]);
        let pick =
            |places: &[u32]| B::select_rows(entities.clone(), &Selection::one_each(places, n_rows, &device));
        let moved = pick(&facts.heads) + translations.val().select(0, id_tensor(&facts.relations, &device));
        let distance = |tails: Tensor<B, 2>| {
            let rest = moved.clone() - tails;
            (rest.clone() * rest).sum_dim(1)
        };
        let ahead = distance(pick(&facts.tails)) - distance(pick(&facts.others));
        Some(softplus(ahead, 1.0).mean() * self.config.translation_weight)
    }

    /// What the graph adds to the score of every item for each user, `[users.len(), n_items]`.
    pub(crate) fn score_all(
        &self,
        users: &[u32],
        user_vectors: &Tensor<B, 2>,
        item_vectors: &Tensor<B, 2>,
    ) -> Tensor<B, 2> {
        let device = self.entity.device();
        let all: Vec<u32> = (0..self.neighbourhoods.n_items() as u32).collect();
        let batch = self.neighbourhoods.batch(&all, &[]);
        let entities = self.entity.lookup(&batch.entities);
        let logits = self.neighbour_logits(&entities);
        let pooled = B::attend_neighbours(entities, logits, &self.neighbours(&batch));
        let tastes = self.taste.lookup_or_zeros(users);
        let weights = self.relation_weights(&tastes);
        let own = tastes + self.common_taste.val();

        let slots = SlotsByRelation::of(&batch, self.neighbourhoods.n_relations());
        let shape = [users.len(), batch.n_items()];
        let (mut sum, mut total) = (Tensor::zeros(shape, &device), Tensor::zeros(shape, &device));
        for (relation, slots) in
            slots.places.iter().enumerate().filter(|(_, slots)| !slots.entries.is_empty())
        {
            let bags =
                Selection::bags(&slots.offsets, &slots.entries, batch.n_slots(), Pooling::Sum, &device);
            let rows = B::select_rows(pooled.clone(), &bags);
            let mut agreement = own.clone().matmul(rows.clone().transpose());
            if let Some(fusion) = &self.fusion {
                let fused = rows.matmul(fusion.val().transpose()) * item_vectors.clone();
                agreement = agreement + user_vectors.clone().matmul(fused.transpose());
            }
            let has_it = Tensor::<B, 1>::from_floats(slots.mask().as_slice(), &device).unsqueeze::<2>();
            let weight = weights.clone().narrow(1, relation, 1).matmul(has_it);
            sum = sum + agreement * weight.clone();
            total = total + weight;
        }
        let n_slots: Vec<f32> =
            batch.item_offsets.windows(2).map(|span| (span[1] - span[0]) as f32).collect();
        let n_slots = Tensor::<B, 1>::from_floats(n_slots.as_slice(), &device).unsqueeze::<2>();
        let is_empty = total.clone().equal_elem(0.0);
        sum * n_slots / total.mask_fill(is_empty, 1.0)
    }
}

/// For each relation the slot of each item that has it.
struct SlotsByRelation {
    places: Vec<OneSlotEach>,
}

/// A list of at most one slot for each item.
struct OneSlotEach {
    offsets: Vec<u32>,
    entries: Vec<u32>,
}

impl OneSlotEach {
    /// 1 for items that have a slot, `[n_items]`.
    fn mask(&self) -> Vec<f32> {
        self.offsets.windows(2).map(|span| (span[1] - span[0]) as f32).collect()
    }
}

impl SlotsByRelation {
    fn of(batch: &NeighbourhoodBatch, n_relations: usize) -> Self {
        let new = || OneSlotEach { offsets: vec![0], entries: Vec::new() };
        let mut places: Vec<OneSlotEach> = (0..n_relations).map(|_| new()).collect();
        for span in batch.item_offsets.windows(2) {
            for slot in span[0]..span[1] {
                places[batch.relations[slot as usize] as usize].entries.push(slot);
            }
            places.iter_mut().for_each(|place| place.offsets.push(place.entries.len() as u32));
        }
        Self { places }
    }
}
