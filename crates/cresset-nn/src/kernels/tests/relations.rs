//! Attention of users over the relations of items.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use super::neighbours::{GRAPHS, Graph, ends, is_choice};
use super::{
    Differentiable, NEAR, Reference, assert_near, assert_values_near, check_against_autodiff,
    check_against_differences, drawn, host, next, normal, normal_values, on_every_backend, tensor,
};
use crate::kernels::plain;
use crate::{Neighbourhoods, RecommenderBackend, RelationAttention, RelationWeights, Selection, id_tensor};

on_every_backend! {
    an_output_is_the_users_mean_over_slots_times_their_number,
    outputs_and_weights_equal_the_plain_ones,
    gradients_equal_the_plain_ones,
    gradients_equal_those_of_ordinary_operations,
    gradients_equal_finite_differences,
    logits_far_apart_give_weights_that_sum_to_one,
    an_item_without_slots_gives_zero_and_takes_nothing,
    what_is_not_a_number_shows_in_its_own_examples_alone,
}

/// Examples over the items of a graph.
#[derive(Debug, Clone, Copy)]
struct Examples {
    batch: usize,
    n_users: usize,
    graph: Graph,
}

/// Batches of none, of one, of few and of enough to wake other threads, over every graph that has items.
fn examples() -> impl Iterator<Item = Examples> {
    let graphs = GRAPHS.into_iter().filter(|graph| graph.n_items > 0);
    graphs.flat_map(|graph| {
        let batches = if graph.dim == 64 { [(0, 3), (1, 1), (1_500, 40)] } else { [(0, 3), (1, 1), (9, 4)] };
        batches.map(|(batch, n_users)| Examples { batch, n_users, graph })
    })
}

impl Examples {
    fn users(&self) -> Vec<u32> {
        drawn("users", self.batch, self.n_users)
    }

    fn items(&self) -> Vec<u32> {
        drawn("items", self.batch, self.graph.n_items)
    }

    fn attention<B: RecommenderBackend>(&self) -> RelationAttention<B> {
        let device = B::Device::default();
        RelationAttention {
            users: Selection::one_each(&self.users(), self.n_users, &device),
            items: Selection::one_each(&self.items(), self.graph.n_items, &device),
            neighbours: self.graph.neighbourhoods(),
        }
    }

    fn is_choice(&self) -> bool {
        let offsets = self.graph.item_offsets();
        let n_slots = |item: u32| offsets[item as usize + 1] - offsets[item as usize];
        is_choice(&ends(self.items().into_iter().map(n_slots)))
    }

    /// Shapes of tastes, logits and pooled rows.
    fn shapes(&self) -> [[usize; 2]; 3] {
        let Graph { n_relations, dim, .. } = self.graph;
        [[self.batch, dim], [self.n_users, n_relations], [self.graph.relations().len(), dim]]
    }

    fn inputs<B: Backend>(&self) -> [Tensor<B, 2>; 3] {
        let [tastes, logits, pooled] = self.shapes();
        [normal("tastes", tastes), normal("logits", logits), normal("pooled", pooled)]
    }

    /// 1 where a slot is of the item of an example, `[batch, n_slots]`.
    fn has_slot(&self) -> Vec<f32> {
        let offsets = self.graph.item_offsets();
        let of_example = |item: u32| {
            let slots = offsets[item as usize]..offsets[item as usize + 1];
            let n_slots = self.graph.relations().len() as u32;
            (0..n_slots).map(move |slot| if slots.contains(&slot) { 1.0 } else { 0.0 })
        };
        self.items().into_iter().flat_map(of_example).collect()
    }
}

impl Differentiable for Examples {
    fn parents(&self) -> Vec<Vec<f32>> {
        let [tastes, logits, pooled] = self.shapes().map(|shape| shape.iter().product());
        vec![
            normal_values("tastes", tastes),
            normal_values("logits", logits),
            normal_values("pooled", pooled),
        ]
    }

    fn operation<B: RecommenderBackend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let mut parents = parents.into_iter();
        let [tastes, logits, pooled] = self.shapes().map(|shape| next(&mut parents, shape));
        let RelationAttention { users, items, neighbours } = self.attention();
        let output = B::attend_relations(tastes, logits, pooled, &users, &items, &neighbours);
        assert_eq!(output.dims(), [self.batch]);
        output
    }

    fn ordinary<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let device = B::Device::default();
        let mut parents = parents.into_iter();
        let [tastes, logits, pooled] = self.shapes().map(|shape| next::<B, 2>(&mut parents, shape));
        let n_slots = pooled.dims()[0];
        if self.batch * n_slots == 0 {
            return tastes.sum_dim(1).mul_scalar(0.0).squeeze_dim(1);
        }
        let has_slot = TensorData::new(self.has_slot(), [self.batch, n_slots]);
        let has_slot = Tensor::<B, 2>::from_data(has_slot, &device);
        let counts = has_slot.clone().sum_dim(1);
        let scores = logits.select(0, id_tensor(&self.users(), &device));
        let shares = scores.select(1, id_tensor(&self.graph.relations(), &device)).exp() * has_slot;
        let sums = shares.clone().sum_dim(1) + counts.clone().equal_elem(0.0).float();
        let products = tastes.matmul(pooled.transpose());
        ((shares * products).sum_dim(1) / sums * counts).squeeze_dim(1)
    }
}

fn an_output_is_the_users_mean_over_slots_times_their_number<B: RecommenderBackend>() {
    // Item 0 has the relations 0 and 2, item 1 has none. User 0 has logits 0 and ln 3 for them: weights 1/4 and 3/4.
    let device = B::Device::default();
    let neighbours = Neighbourhoods::<B>::new(&[0, 2, 2], &[0, 2], &[0, 1, 2], &[0, 0], 1, 3, &device);
    let tastes = tensor(&[1.0, 2.0, 5.0, 5.0], [2, 2]);
    let logits = tensor(&[0.0, 9.0, 3.0_f32.ln()], [1, 3]);
    let pooled = tensor(&[3.0, 0.5, -1.0, 0.0], [2, 2]);
    let (users, items) = (Selection::one_each(&[0, 0], 1, &device), Selection::one_each(&[0, 1], 2, &device));
    // Products 4 and -1: 2 * (4 / 4 - 3 / 4).
    let output = B::attend_relations(tastes, logits, pooled, &users, &items, &neighbours);
    assert_values_near(&host(output), &[0.5, 0.0], NEAR, "outputs");
}

fn outputs_and_weights_equal_the_plain_ones<B: RecommenderBackend>() {
    for case in examples() {
        let [tastes, logits, pooled] = case.inputs();
        let found = B::attend_relations_forward(tastes, logits, pooled, &case.attention());
        let [tastes, logits, pooled] = case.inputs();
        let expected =
            plain::attend_relations_forward::<Reference>(tastes, logits, pooled, &case.attention());
        assert_near(found.0, expected.0, ("outputs", case));
        assert_near(found.1.weights, expected.1.weights, ("weights", case));
        assert_near(found.1.products, expected.1.products, ("products", case));
    }
}

fn gradients_equal_the_plain_ones<B: RecommenderBackend>() {
    for case in examples() {
        let found = gradients::<B>(&case, B::attend_relations_backward);
        let expected = gradients::<Reference>(&case, plain::attend_relations_backward);
        assert_near(found.0, expected.0, ("by tastes", case));
        assert_near(found.1, expected.1, ("by logits", case));
        assert_near(found.2, expected.2, ("by pooled rows", case));
    }
}

type Gradients<B> = (Tensor<B, 2>, Tensor<B, 2>, Tensor<B, 2>);

/// Gradients by a body, after the plain way forward.
fn gradients<B: RecommenderBackend>(
    case: &Examples,
    body: impl Fn(
        Tensor<B, 1>,
        Tensor<B, 2>,
        Tensor<B, 2>,
        RelationWeights<B>,
        &RelationAttention<B>,
    ) -> Gradients<B>,
) -> Gradients<B> {
    let attention = case.attention();
    let [tastes, logits, pooled] = case.inputs();
    let (output, kept) = plain::attend_relations_forward(tastes.clone(), logits, pooled.clone(), &attention);
    body(normal("grad", output.dims()), tastes, pooled, kept, &attention)
}

fn gradients_equal_those_of_ordinary_operations<B: RecommenderBackend>() {
    examples().filter(Examples::is_choice).for_each(|case| check_against_autodiff::<B>(&case));
}

fn gradients_equal_finite_differences<B: RecommenderBackend>() {
    let few = |case: &Examples| case.graph.n_items < 6 && case.graph.dim < 9;
    examples().filter(few).for_each(|case| check_against_differences::<B>(&case));
}

fn logits_far_apart_give_weights_that_sum_to_one<B: RecommenderBackend>() {
    for (case, scale) in examples().flat_map(|case| [(case, 30.0), (case, 1_000.0)]) {
        let [tastes, logits, pooled] = case.inputs();
        let found = B::attend_relations_forward(tastes, logits * scale, pooled, &case.attention());
        let [tastes, logits, pooled] = case.inputs();
        let expected =
            plain::attend_relations_forward::<Reference>(tastes, logits * scale, pooled, &case.attention());
        let n_places = found.1.weights.dims()[1];
        let weights = host(found.1.weights);
        let offsets = case.graph.item_offsets();
        for (example, item) in case.items().into_iter().enumerate() {
            let has_slots = offsets[item as usize + 1] > offsets[item as usize];
            let sum: f32 = weights[example * n_places..][..n_places].iter().sum();
            let expected = if has_slots { 1.0 } else { 0.0 };
            assert!((sum - expected).abs() < 1e-5, "{sum} in {case:?}");
        }
        assert_near(found.0, expected.0, (scale, case));
    }
}

fn an_item_without_slots_gives_zero_and_takes_nothing<B: RecommenderBackend>() {
    let device = B::Device::default();
    // Once the only item of the graph has no slot, once another item has one.
    for (offsets, relations, links) in [(&[0, 0][..], &[][..], &[0][..]), (&[0, 0, 1], &[1], &[0, 1])] {
        let entities = vec![0; relations.len()];
        let n_items = offsets.len() - 1;
        let attention = RelationAttention::<B> {
            users: Selection::one_each(&[1, 0], 2, &device),
            items: Selection::one_each(&[0, 0], n_items, &device),
            neighbours: Neighbourhoods::new(offsets, relations, links, &entities, 1, 2, &device),
        };
        let tastes: Tensor<B, 2> = normal("tastes", [2, 3]);
        let pooled: Tensor<B, 2> = normal("pooled", [relations.len(), 3]);
        let logits = normal("logits", [2, 2]);
        let (output, kept) = B::attend_relations_forward(tastes.clone(), logits, pooled.clone(), &attention);
        assert_eq!(host(output.clone()), [0.0, 0.0]);
        let (by_tastes, by_logits, by_pooled) =
            B::attend_relations_backward(output.ones_like(), tastes, pooled, kept, &attention);
        assert_eq!((host(by_tastes), host(by_logits)), (vec![0.0; 6], vec![0.0; 4]));
        assert_eq!(host(by_pooled), vec![0.0; 3 * relations.len()]);
    }
}

fn what_is_not_a_number_shows_in_its_own_examples_alone<B: RecommenderBackend>() {
    // Item 0 has the relations 0 and 1, item 1 the relation 1, item 2 none; each user has rated one of them.
    let device = B::Device::default();
    let neighbours =
        Neighbourhoods::<B>::new(&[0, 2, 3, 3], &[0, 1, 1], &[0, 1, 2, 3], &[0, 0, 0], 1, 2, &device);
    let is_nan = |tastes: &[f32], logits: &[f32], pooled: &[f32]| -> Vec<bool> {
        let each = Selection::one_each(&[0, 1, 2], 3, &device);
        let (tastes, logits) = (tensor(tastes, [3, 1]), tensor(logits, [3, 2]));
        let output = B::attend_relations(tastes, logits, tensor(pooled, [3, 1]), &each, &each, &neighbours);
        host(output).iter().map(|value| value.is_nan()).collect()
    };
    let (nan, zeros) = (f32::NAN, [0.0; 6]);
    assert_eq!(is_nan(&[1.0, nan, nan], &zeros, &[1.0; 3]), [false, true, false]);
    assert_eq!(is_nan(&[1.0; 3], &zeros, &[1.0, nan, 1.0]), [true, false, false]);
    // A logit of a relation that the item has, and one of a relation that it has not.
    assert_eq!(is_nan(&[1.0; 3], &[nan, 0.0, nan, 0.0, nan, nan], &[1.0; 3]), [true, false, false]);
}
