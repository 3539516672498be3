//! Attention over a knowledge graph: the kernels' view of its lists, rows and selections.

use burn::tensor::Tensor;
use burn_flex::{Flex, FlexTensor};

use super::{contiguous, ints, tensor, values};
use crate::kernels::cpu::neighbours::Links;
use crate::kernels::cpu::relations::{Chosen, Relations};
use crate::kernels::spec::{CsrMatrix, RelationAttention, RelationWeights, Selection};
use crate::neighbourhoods::Neighbourhoods;

pub(super) fn attend_neighbours_forward(
    entities: Tensor<Flex, 2>,
    logits: Tensor<Flex, 2>,
    neighbours: &Neighbourhoods<Flex>,
) -> (Tensor<Flex, 2>, Tensor<Flex, 1>) {
    neighbours.check_entities(entities.dims(), logits.dims());
    let (n_slots, n_links, dim) = (neighbours.n_slots(), neighbours.n_links(), entities.dims()[1]);
    let (entities, logits) = (contiguous(entities), contiguous(logits));
    let links = Links { lists: &neighbours.lists, entities: values(&entities), dim };
    let (mut out, mut weights) = (vec![0.0; n_slots * dim], vec![0.0; n_links]);
    links.forward(values(&logits), &mut out, &mut weights);
    (tensor(out, [n_slots, dim]), tensor(weights, [n_links]))
}

pub(super) fn attend_neighbours_backward(
    grad: Tensor<Flex, 2>,
    entities: Tensor<Flex, 2>,
    output: Tensor<Flex, 2>,
    weights: Tensor<Flex, 1>,
    neighbours: &Neighbourhoods<Flex>,
) -> (Tensor<Flex, 2>, Tensor<Flex, 2>) {
    let [n_entities, dim] = entities.dims();
    let [grad, entities, output] = [grad, entities, output].map(contiguous);
    let weights = contiguous(weights);
    let links = Links { lists: &neighbours.lists, entities: values(&entities), dim };
    let (by_entities, by_logits) = links.backward(values(&grad), values(&output), values(&weights));
    (tensor(by_entities, [n_entities, dim]), tensor(by_logits, [n_entities, neighbours.n_relations()]))
}

pub(super) fn attend_relations_forward(
    tastes: Tensor<Flex, 2>,
    logits: Tensor<Flex, 2>,
    pooled: Tensor<Flex, 2>,
    attention: &RelationAttention<Flex>,
) -> (Tensor<Flex, 1>, RelationWeights<Flex>) {
    attention.check(tastes.dims(), logits.dims(), pooled.dims());
    let batch = tastes.dims()[0];
    let (logits, inputs) = (contiguous(logits), Inputs::new(tastes, pooled, attention));
    let forward = inputs.relations().forward(values(&logits));
    let places = [batch, attention.neighbours.lists.most_slots];
    let kept = RelationWeights {
        weights: tensor(forward.weights, places),
        products: tensor(forward.products, places),
    };
    (tensor(forward.output, [batch]), kept)
}

pub(super) fn attend_relations_backward(
    grad: Tensor<Flex, 1>,
    tastes: Tensor<Flex, 2>,
    pooled: Tensor<Flex, 2>,
    kept: RelationWeights<Flex>,
    attention: &RelationAttention<Flex>,
) -> (Tensor<Flex, 2>, Tensor<Flex, 2>, Tensor<Flex, 2>) {
    let ([batch, dim], [n_slots, _]) = (tastes.dims(), pooled.dims());
    let logits = [attention.users.transposed.n_rows, attention.neighbours.n_relations()];
    let grad = contiguous(grad);
    let (weights, products) = (contiguous(kept.weights), contiguous(kept.products));
    let inputs = Inputs::new(tastes, pooled, attention);
    let gradients = inputs.relations().backward(values(&grad), values(&weights), values(&products));
    (
        tensor(gradients.tastes, [batch, dim]),
        tensor(gradients.logits, logits),
        tensor(gradients.pooled, [n_slots, dim]),
    )
}

/// The inputs of [`attend_relations`](crate::RecommenderBackend::attend_relations), laid out for the kernel.
struct Inputs<'a> {
    attention: &'a RelationAttention<Flex>,
    tastes: FlexTensor,
    pooled: FlexTensor,
    dim: usize,
    users: [Vec<i32>; 3],
    items: [Vec<i32>; 3],
}

impl<'a> Inputs<'a> {
    fn new(tastes: Tensor<Flex, 2>, pooled: Tensor<Flex, 2>, attention: &'a RelationAttention<Flex>) -> Self {
        let dim = tastes.dims()[1];
        let [tastes, pooled] = [tastes, pooled].map(contiguous);
        let (users, items) = (chosen(&attention.users), chosen(&attention.items));
        Self { attention, tastes, pooled, dim, users, items }
    }

    fn relations(&self) -> Relations<'_> {
        Relations {
            lists: &self.attention.neighbours.lists,
            users: view(&self.users),
            items: view(&self.items),
            tastes: values(&self.tastes),
            pooled: values(&self.pooled),
            dim: self.dim,
        }
    }
}

fn view([rows, offsets, examples]: &[Vec<i32>; 3]) -> Chosen<'_> {
    Chosen { rows, offsets, examples }
}

/// The row of each example, where the examples of each row begin, and these examples.
fn chosen(selection: &Selection<Flex>) -> [Vec<i32>; 3] {
    let CsrMatrix { offsets, columns, n_rows, .. } = &selection.transposed;
    let offsets = match offsets {
        Some(offsets) => ints(offsets.clone()),
        None => (0..=*n_rows as i32).collect(),
    };
    [ints(selection.matrix.columns.clone()), offsets, ints(columns.clone())]
}
