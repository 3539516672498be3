//! Attention of users over the relations of items: for each example as many places as an item has slots at most.

use burn::tensor::{Bool, IndexingUpdateOp, Int, Tensor};

use crate::RecommenderBackend;
use crate::kernels::spec::{RelationAttention, RelationWeights};
use crate::neighbourhoods::NeighbourTensors;

/// Below every logit of a place that an item has.
const ABSENT: f32 = -1e30;

pub(crate) fn attend_relations_forward<B: RecommenderBackend>(
    tastes: Tensor<B, 2>,
    logits: Tensor<B, 2>,
    pooled: Tensor<B, 2>,
    attention: &RelationAttention<B>,
) -> (Tensor<B, 1>, RelationWeights<B>) {
    attention.check(tastes.dims(), logits.dims(), pooled.dims());
    let (device, [batch, dim]) = (tastes.device(), tastes.dims());
    let n_places = attention.neighbours.lists.most_slots;
    if batch * n_places * dim == 0 {
        let none = Tensor::zeros([batch, n_places], &device);
        return (Tensor::zeros([batch], &device), RelationWeights { weights: none.clone(), products: none });
    }
    let at = Places::of(attention, &attention.neighbours.tensors(&device));
    let scores = logits.select(0, attention.users.matrix.columns.clone()).gather(1, at.relations.clone());
    let scores = scores.mask_fill(at.absent.clone(), ABSENT);
    let shares = (scores.clone() - scores.max_dim(1)).exp().mask_fill(at.absent.clone(), 0.0);
    // Of an item without slots nothing is divided.
    let sums = shares.clone().sum_dim(1).mask_fill(at.counts.clone().equal_elem(0.0), 1.0);
    let weights = shares / sums;
    let products: Tensor<B, 2> = (tastes.unsqueeze_dim(1) * at.rows(pooled)).sum_dim(2).squeeze_dim(2);
    let products = products.mask_fill(at.absent, 0.0);
    let output = (weights.clone() * products.clone()).sum_dim(1) * at.counts;
    (output.squeeze_dim(1), RelationWeights { weights, products })
}

pub(crate) fn attend_relations_backward<B: RecommenderBackend>(
    grad: Tensor<B, 1>,
    tastes: Tensor<B, 2>,
    pooled: Tensor<B, 2>,
    kept: RelationWeights<B>,
    attention: &RelationAttention<B>,
) -> (Tensor<B, 2>, Tensor<B, 2>, Tensor<B, 2>) {
    let (device, [batch, dim]) = (tastes.device(), tastes.dims());
    let (n_relations, n_items) = (attention.neighbours.n_relations(), attention.neighbours.n_items());
    let n_places = attention.neighbours.lists.most_slots;
    if batch * n_places * dim == 0 {
        let by_logits = Tensor::zeros([attention.users.transposed.n_rows, n_relations], &device);
        return (tastes.zeros_like(), by_logits, pooled.zeros_like());
    }
    let lists = attention.neighbours.tensors(&device);
    let at = Places::of(attention, &lists);
    let RelationWeights { weights, products } = kept;
    let slopes =
        (grad.unsqueeze_dim(1) * at.counts.clone() * weights.clone()).mask_fill(at.absent.clone(), 0.0);

    let by_tastes = (slopes.clone().unsqueeze_dim::<3>(2) * at.rows(pooled)).sum_dim(1).squeeze_dim(1);

    // First for each example beside one another, then over the examples of each item: without atomic additions.
    let by_places: Tensor<B, 3> = slopes.clone().unsqueeze_dim(2) * tastes.unsqueeze_dim(1);
    let by_items = B::sum_rows(by_places.reshape([batch, n_places * dim]), &attention.items.transposed);
    let by_pooled = by_items.reshape([n_items * n_places, dim]).select(0, place_of_slots(&lists, n_places));

    let mean = (weights * products.clone()).sum_dim(1);
    let by_scores = (slopes * (products - mean)).mask_fill(at.absent, 0.0);
    let by_relations = Tensor::zeros([batch, n_relations], &device);
    let by_relations = by_relations.scatter(1, at.relations, by_scores, IndexingUpdateOp::Add);
    (by_tastes, B::sum_rows(by_relations, &attention.users.transposed), by_pooled)
}

/// The slots of each example's item.
struct Places<B: RecommenderBackend> {
    /// `[batch, places]`, the first slot of all where the item lacks one
    slots: Tensor<B, 2, Int>,
    /// Their relations, `[batch, places]`.
    relations: Tensor<B, 2, Int>,
    /// Where the item lacks a slot, `[batch, places]`.
    absent: Tensor<B, 2, Bool>,
    /// Slots of the item, `[batch, 1]`.
    counts: Tensor<B, 2>,
}

impl<B: RecommenderBackend> Places<B> {
    fn of(attention: &RelationAttention<B>, lists: &NeighbourTensors<B>) -> Self {
        let (n_items, n_places) = (attention.neighbours.n_items(), attention.neighbours.lists.most_slots);
        let items = &attention.items.matrix.columns;
        let [batch] = items.dims();
        let offsets = |first| lists.item_offsets.clone().narrow(0, first, n_items).select(0, items.clone());
        let starts: Tensor<B, 2, Int> = offsets(0).unsqueeze_dim(1);
        let counts: Tensor<B, 2, Int> = offsets(1).unsqueeze_dim(1) - starts.clone();
        let places = Tensor::<B, 1, Int>::arange(0..n_places as i64, &items.device());
        let places: Tensor<B, 2, Int> = places.expand([batch, n_places]);
        let absent = places.clone().greater_equal(counts.clone().expand([batch, n_places]));
        let slots = (places + starts.expand([batch, n_places])).mask_fill(absent.clone(), 0);
        let relations = lists.relations.clone().select(0, slots.clone().reshape([batch * n_places]));
        Self { slots, relations: relations.reshape([batch, n_places]), absent, counts: counts.float() }
    }

    /// The rows of the slots, `[batch, places, dim]`.
    fn rows(&self, pooled: Tensor<B, 2>) -> Tensor<B, 3> {
        let ([batch, n_places], dim) = (self.slots.dims(), pooled.dims()[1]);
        pooled.select(0, self.slots.clone().reshape([batch * n_places])).reshape([batch, n_places, dim])
    }
}

/// Where each slot is among the places of all items, `[n_slots]`.
fn place_of_slots<B: RecommenderBackend>(lists: &NeighbourTensors<B>, n_places: usize) -> Tensor<B, 1, Int> {
    let [n_slots] = lists.items.dims();
    let starts = lists.item_offsets.clone().select(0, lists.items.clone());
    let within = Tensor::arange(0..n_slots as i64, &starts.device()) - starts;
    lists.items.clone() * (n_places as i64) + within
}
