//! Attention over the links of a knowledge graph, all links of all slots side by side.

use burn::tensor::{IndexingUpdateOp, Int, Tensor};

use crate::kernels::spec::CsrMatrix;
use crate::neighbourhoods::NeighbourTensors;
use crate::{Neighbourhoods, RecommenderBackend};

pub(crate) fn attend_neighbours_forward<B: RecommenderBackend>(
    entities: Tensor<B, 2>,
    logits: Tensor<B, 2>,
    neighbours: &Neighbourhoods<B>,
) -> (Tensor<B, 2>, Tensor<B, 1>) {
    neighbours.check_entities(entities.dims(), logits.dims());
    let (device, dim) = (entities.device(), entities.dims()[1]);
    if neighbours.n_links() == 0 || dim == 0 {
        let weights = Tensor::zeros([neighbours.n_links()], &device);
        return (Tensor::zeros([neighbours.n_slots(), dim], &device), weights);
    }
    let at = neighbours.tensors(&device);
    let scores = logits.select(0, at.entities.clone()).gather(1, relations(&at));
    let largest = largest_of_slots(scores.clone(), neighbours, &at);
    let shares = (scores - largest).exp();
    let order = Tensor::arange(0..neighbours.n_links() as i64, &device);
    let sums = B::sum_rows(shares.clone(), &by_slot(order, None, &at));
    let weights: Tensor<B, 1> = (shares / sums.select(0, at.slots.clone())).squeeze_dim(1);
    let of_slots = by_slot(at.entities.clone(), Some(weights.clone()), &at);
    (B::sum_rows(entities, &of_slots), weights)
}

pub(crate) fn attend_neighbours_backward<B: RecommenderBackend>(
    grad: Tensor<B, 2>,
    entities: Tensor<B, 2>,
    output: Tensor<B, 2>,
    weights: Tensor<B, 1>,
    neighbours: &Neighbourhoods<B>,
) -> (Tensor<B, 2>, Tensor<B, 2>) {
    let device = entities.device();
    let [n_entities, dim] = entities.dims();
    let n_relations = neighbours.n_relations();
    if neighbours.n_links() == 0 || dim == 0 {
        return (entities.zeros_like(), Tensor::zeros([n_entities, n_relations], &device));
    }
    let at = neighbours.tensors(&device);
    let of_links = by_entity(
        at.slots.clone().select(0, at.links.clone()),
        weights.clone().select(0, at.links.clone()),
        &at,
    );
    let by_entities = B::sum_rows(grad.clone(), &of_links);

    let along: Tensor<B, 1> = (grad.clone() * output).sum_dim(1).squeeze_dim(1);
    let by_weight = B::pair_products_forward(grad, entities, at.slots.clone(), at.entities.clone());
    let by_score = weights * (by_weight - along.select(0, at.slots.clone()));
    // A row for each link with one value in it, so that sums over the links of an entity need no atomic additions.
    let rows = Tensor::zeros([neighbours.n_links(), n_relations], &device);
    let rows = rows.scatter(1, relations(&at), by_score.unsqueeze_dim(1), IndexingUpdateOp::Add);
    let of_links = CsrMatrix { columns: at.links.clone(), values: None, ..of_links };
    (by_entities, B::sum_rows(rows, &of_links))
}

/// The relation of each link, `[n_links, 1]`.
fn relations<B: RecommenderBackend>(at: &NeighbourTensors<B>) -> Tensor<B, 2, Int> {
    at.relations.clone().select(0, at.slots.clone()).unsqueeze_dim(1)
}

/// For each slot the sum of the rows `columns` of its links, each times its value.
fn by_slot<B: RecommenderBackend>(
    columns: Tensor<B, 1, Int>,
    values: Option<Tensor<B, 1>>,
    at: &NeighbourTensors<B>,
) -> CsrMatrix<B> {
    CsrMatrix {
        offsets: Some(at.slot_offsets.clone()),
        columns,
        values,
        entry_rows: Some(at.slots.clone()),
        n_rows: at.relations.dims()[0],
    }
}

/// As [`by_slot`], for each entity; columns and values are by entity too.
fn by_entity<B: RecommenderBackend>(
    columns: Tensor<B, 1, Int>,
    values: Tensor<B, 1>,
    at: &NeighbourTensors<B>,
) -> CsrMatrix<B> {
    CsrMatrix {
        offsets: Some(at.entity_offsets.clone()),
        columns,
        values: Some(values),
        entry_rows: Some(at.entities.clone().select(0, at.links.clone())),
        n_rows: at.entity_offsets.dims()[0] - 1,
    }
}

/// For each link the largest score in its slot, `[n_links, 1]`.
///
/// Each link looks back within its slot by 1, 2, 4 ... links, so that the last one of a slot has seen all of them:
/// no slot is padded to the length of the longest, which in a graph may have a thousand times the links of the others.
fn largest_of_slots<B: RecommenderBackend>(
    scores: Tensor<B, 2>,
    neighbours: &Neighbourhoods<B>,
    at: &NeighbourTensors<B>,
) -> Tensor<B, 2> {
    let (n_links, n_slots) = (neighbours.n_links(), neighbours.n_slots());
    let starts = at.slot_offsets.clone().narrow(0, 0, n_slots).select(0, at.slots.clone());
    let places: Tensor<B, 2, Int> =
        (Tensor::arange(0..n_links as i64, &scores.device()) - starts).unsqueeze_dim(1);
    let longest = neighbours.lists.slot_offsets.windows(2).map(|slot| slot[1] - slot[0]).max();
    let mut largest = scores;
    let mut back = 1;
    while back < longest.unwrap_or(0) as usize {
        let kept = largest.clone().narrow(0, 0, n_links - back);
        let before = Tensor::cat(vec![largest.clone().narrow(0, 0, back), kept], 0);
        let is_larger = before.clone().greater(largest.clone());
        let same_slot = places.clone().greater_equal_elem(back as i64);
        largest = largest.mask_where(is_larger.bool_and(same_slot), before);
        back *= 2;
    }
    let ends = at.slot_offsets.clone().narrow(0, 1, n_slots).select(0, at.slots.clone());
    largest.select(0, ends - 1)
}
