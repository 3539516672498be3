//! Attention over the links of a knowledge graph.

use burn::tensor::backend::Backend;
use burn::tensor::{IndexingUpdateOp, Tensor};

use super::{
    Differentiable, NEAR, Reference, assert_near, assert_values_near, check_against_autodiff,
    check_against_differences, drawn, host, next, normal, normal_values, on_every_backend, tensor,
};
use crate::kernels::plain;
use crate::{Neighbourhoods, RecommenderBackend, id_tensor};

on_every_backend! {
    a_slot_is_the_mean_of_its_neighbours_weighted_by_a_softmax,
    rows_and_weights_equal_the_plain_ones,
    gradients_equal_the_plain_ones,
    gradients_equal_those_of_ordinary_operations,
    gradients_equal_finite_differences,
    logits_far_apart_give_weights_that_sum_to_one,
    a_graph_without_links_has_rows_and_gradients_of_zeros,
    a_slot_without_links_has_a_row_of_zeros_and_disturbs_no_other,
    what_is_not_a_number_shows_in_its_own_slots_alone,
}

/// A graph drawn by chance: of every pair of item and relation about half are slots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Graph {
    pub(super) n_items: usize,
    pub(super) n_relations: usize,
    pub(super) n_entities: usize,
    /// At least one link in a slot, and at most so many.
    pub(super) longest: usize,
    pub(super) dim: usize,
}

/// From a graph without slots to enough links to wake other threads. One has slots of hundreds of links, one an entity
/// with thousands of them.
pub(super) const GRAPHS: [Graph; 8] = [
    Graph { n_items: 0, n_relations: 3, n_entities: 4, longest: 2, dim: 3 },
    Graph { n_items: 1, n_relations: 1, n_entities: 1, longest: 1, dim: 1 },
    Graph { n_items: 4, n_relations: 3, n_entities: 5, longest: 1, dim: 2 },
    Graph { n_items: 5, n_relations: 2, n_entities: 7, longest: 4, dim: 1 },
    Graph { n_items: 30, n_relations: 5, n_entities: 40, longest: 9, dim: 16 },
    Graph { n_items: 3, n_relations: 4, n_entities: 90, longest: 700, dim: 33 },
    Graph { n_items: 700, n_relations: 6, n_entities: 2, longest: 3, dim: 17 },
    Graph { n_items: 300, n_relations: 8, n_entities: 900, longest: 7, dim: 64 },
];

impl Graph {
    /// For each item the relations that it has.
    fn relations_of_items(&self) -> Vec<Vec<u32>> {
        let has = drawn("slots", self.n_items * self.n_relations, 2);
        let of_item = |item: usize| -> Vec<u32> {
            let has_relation = |&r: &u32| has[item * self.n_relations + r as usize] == 1;
            (0..self.n_relations as u32).filter(has_relation).collect()
        };
        (0..self.n_items).map(of_item).collect()
    }

    /// The relation of each slot.
    pub(super) fn relations(&self) -> Vec<u32> {
        self.relations_of_items().concat()
    }

    pub(super) fn item_offsets(&self) -> Vec<u32> {
        ends(self.relations_of_items().iter().map(|relations| relations.len() as u32))
    }

    pub(super) fn slot_offsets(&self) -> Vec<u32> {
        let lengths = drawn("links", self.relations().len(), self.longest);
        ends(lengths.into_iter().map(|length| length + 1))
    }

    fn entities(&self) -> Vec<u32> {
        let n_links = *self.slot_offsets().last().expect("offsets begin with 0");
        drawn("entities", n_links as usize, self.n_entities)
    }

    pub(super) fn neighbourhoods<B: RecommenderBackend>(&self) -> Neighbourhoods<B> {
        Neighbourhoods::new(
            &self.item_offsets(),
            &self.relations(),
            &self.slot_offsets(),
            &self.entities(),
            self.n_entities,
            self.n_relations,
            &B::Device::default(),
        )
    }

    fn n_slots(&self) -> usize {
        self.relations().len()
    }

    fn rows<B: Backend>(&self) -> Tensor<B, 2> {
        normal("rows", [self.n_entities, self.dim])
    }

    fn logits<B: Backend>(&self) -> Tensor<B, 2> {
        normal("logits", [self.n_entities, self.n_relations])
    }

    fn slot_of_links(&self) -> Vec<u32> {
        let offsets = self.slot_offsets();
        let of_slot = |slot: u32| {
            let bounds = &offsets[slot as usize..];
            std::iter::repeat_n(slot, (bounds[1] - bounds[0]) as usize)
        };
        (0..self.n_slots() as u32).flat_map(of_slot).collect()
    }
}

pub(super) fn ends(lengths: impl Iterator<Item = u32>) -> Vec<u32> {
    let ends = lengths.scan(0, |end, length| {
        *end += length;
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

/// Whether a list has more than one entry, or all are empty: else the gradient by logits is zero, and that of ordinary
/// operations a rounding error, which is nothing to be near to.
pub(super) fn is_choice(offsets: &[u32]) -> bool {
    let mut lengths = offsets.windows(2).map(|list| list[1] - list[0]);
    offsets.last() == Some(&0) || lengths.any(|length| length > 1)
}

impl Differentiable for Graph {
    fn parents(&self) -> Vec<Vec<f32>> {
        vec![
            normal_values("rows", self.n_entities * self.dim),
            normal_values("logits", self.n_entities * self.n_relations),
        ]
    }

    fn operation<B: RecommenderBackend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let mut parents = parents.into_iter();
        let rows = next(&mut parents, [self.n_entities, self.dim]);
        let logits = next(&mut parents, [self.n_entities, self.n_relations]);
        let pooled = B::attend_neighbours(rows, logits, &self.neighbourhoods());
        assert_eq!(pooled.dims(), [self.n_slots(), self.dim]);
        pooled.reshape([self.n_slots() * self.dim])
    }

    fn ordinary<B: Backend>(&self, parents: Vec<Tensor<B, 1>>) -> Tensor<B, 1> {
        let (device, n_slots) = (B::Device::default(), self.n_slots());
        let mut parents = parents.into_iter();
        let rows: Tensor<B, 2> = next(&mut parents, [self.n_entities, self.dim]);
        if n_slots == 0 {
            return Tensor::zeros([0], &device);
        }
        let (entities, slots, relations) = (self.entities(), self.slot_of_links(), self.relations());
        let cell =
            |(&entity, &slot): (&u32, &u32)| entity * self.n_relations as u32 + relations[slot as usize];
        let cells: Vec<u32> = entities.iter().zip(&slots).map(cell).collect();
        let logits = next::<B, 1>(&mut parents, [self.n_entities * self.n_relations]);
        let shares: Tensor<B, 2> = logits.select(0, id_tensor(&cells, &device)).exp().unsqueeze_dim(1);
        let sum = |of_links: Tensor<B, 2>| {
            let zeros = Tensor::zeros([n_slots, of_links.dims()[1]], &device);
            zeros.select_assign(0, id_tensor(&slots, &device), of_links, IndexingUpdateOp::Add)
        };
        let rows = rows.select(0, id_tensor(&entities, &device));
        (sum(rows * shares.clone()) / sum(shares)).reshape([n_slots * self.dim])
    }
}

fn a_slot_is_the_mean_of_its_neighbours_weighted_by_a_softmax<B: RecommenderBackend>() {
    // One item with two relations. Relation 0: entities 0 and 1 with logits 0 and ln 3, so weights 1/4 and 3/4;
    // relation 1: entity 1 alone.
    let device = B::Device::default();
    let graph = Neighbourhoods::<B>::new(&[0, 2], &[0, 1], &[0, 2, 3], &[0, 1, 1], 2, 2, &device);
    let rows = tensor(&[4.0, 0.0, 8.0, -4.0], [2, 2]);
    let logits = tensor(&[0.0, 7.0, 3.0_f32.ln(), -7.0], [2, 2]);
    let (pooled, weights) = B::attend_neighbours_forward(rows, logits, &graph);
    assert_values_near(&host(weights), &[0.25, 0.75, 1.0], NEAR, "weights");
    assert_values_near(&host(pooled), &[7.0, -3.0, 8.0, -4.0], NEAR, "rows");
}

fn rows_and_weights_equal_the_plain_ones<B: RecommenderBackend>() {
    for graph in GRAPHS {
        let found = B::attend_neighbours_forward(graph.rows(), graph.logits(), &graph.neighbourhoods());
        let expected = plain::attend_neighbours_forward::<Reference>(
            graph.rows(),
            graph.logits(),
            &graph.neighbourhoods(),
        );
        assert_near(found.0, expected.0, ("rows", graph));
        assert_near(found.1, expected.1, ("weights", graph));
    }
}

fn gradients_equal_the_plain_ones<B: RecommenderBackend>() {
    for graph in GRAPHS {
        let found = gradients::<B>(&graph, B::attend_neighbours_backward);
        let expected = gradients::<Reference>(&graph, plain::attend_neighbours_backward);
        assert_near(found.0, expected.0, ("by entities", graph));
        assert_near(found.1, expected.1, ("by logits", graph));
    }
}

/// Gradients by a body, after the plain way forward.
fn gradients<B: RecommenderBackend>(
    graph: &Graph,
    body: impl Fn(
        Tensor<B, 2>,
        Tensor<B, 2>,
        Tensor<B, 2>,
        Tensor<B, 1>,
        &Neighbourhoods<B>,
    ) -> (Tensor<B, 2>, Tensor<B, 2>),
) -> (Tensor<B, 2>, Tensor<B, 2>) {
    let lists = graph.neighbourhoods::<B>();
    let (output, weights) = plain::attend_neighbours_forward(graph.rows(), graph.logits(), &lists);
    let grad = normal("grad", output.dims());
    body(grad, graph.rows(), output, weights, &lists)
}

fn gradients_equal_those_of_ordinary_operations<B: RecommenderBackend>() {
    GRAPHS.iter().filter(|graph| is_choice(&graph.slot_offsets())).for_each(check_against_autodiff::<B>);
}

fn gradients_equal_finite_differences<B: RecommenderBackend>() {
    GRAPHS
        .iter()
        .filter(|graph| graph.n_items < 6 && graph.longest < 9)
        .for_each(check_against_differences::<B>);
}

fn logits_far_apart_give_weights_that_sum_to_one<B: RecommenderBackend>() {
    for (graph, scale) in GRAPHS.into_iter().flat_map(|graph| [(graph, 30.0), (graph, 1_000.0)]) {
        let (lists, reference) = (graph.neighbourhoods::<B>(), graph.neighbourhoods::<Reference>());
        let (pooled, weights) = B::attend_neighbours_forward(graph.rows(), graph.logits() * scale, &lists);
        let expected =
            plain::attend_neighbours_forward::<Reference>(graph.rows(), graph.logits() * scale, &reference);
        let weights = host(weights);
        for links in graph.slot_offsets().windows(2) {
            let sum: f32 = weights[links[0] as usize..links[1] as usize].iter().sum();
            assert!((sum - 1.0).abs() < 1e-5, "{sum} in {graph:?}");
        }
        assert_near(pooled, expected.0, (scale, graph));
    }
}

fn a_graph_without_links_has_rows_and_gradients_of_zeros<B: RecommenderBackend>() {
    let device = B::Device::default();
    // No item; an item without slots; no relation at all; an item with one slot that has no link.
    for (items, relations, slots, n_relations) in [
        (&[0][..], &[][..], &[0][..], 2),
        (&[0, 0], &[], &[0], 2),
        (&[0, 0], &[], &[0], 0),
        (&[0, 1], &[1], &[0, 0], 2),
    ] {
        let graph = Neighbourhoods::<B>::new(items, relations, slots, &[], 3, n_relations, &device);
        let (rows, logits) = (normal::<B, 2>("rows", [3, 4]), normal("logits", [3, n_relations]));
        let (pooled, weights) = B::attend_neighbours_forward(rows.clone(), logits, &graph);
        assert_eq!((pooled.dims(), weights.dims()), ([relations.len(), 4], [0]));
        assert!(host(pooled.clone()).iter().all(|&value| value == 0.0));
        let grad = pooled.ones_like();
        let (by_rows, by_logits) = B::attend_neighbours_backward(grad, rows, pooled, weights, &graph);
        assert_eq!((host(by_rows), host(by_logits)), (vec![0.0; 12], vec![0.0; 3 * n_relations]));
    }
}

fn a_slot_without_links_has_a_row_of_zeros_and_disturbs_no_other<B: RecommenderBackend>() {
    let device = B::Device::default();
    let graph = Neighbourhoods::<B>::new(&[0, 3], &[0, 1, 2], &[0, 1, 1, 2], &[1, 0], 2, 3, &device);
    let rows = tensor(&[1.0, 2.0, 3.0, 4.0], [2, 2]);
    let (pooled, weights) = B::attend_neighbours_forward(rows, normal("logits", [2, 3]), &graph);
    assert_eq!(host(pooled), [3.0, 4.0, 0.0, 0.0, 1.0, 2.0]);
    assert_eq!(host(weights), [1.0, 1.0]);
}

fn what_is_not_a_number_shows_in_its_own_slots_alone<B: RecommenderBackend>() {
    // Slot 0 has the entities 0 and 1, slot 1 the entity 1, slot 2 the entities 2 and 0 under another relation.
    let device = B::Device::default();
    let graph =
        Neighbourhoods::<B>::new(&[0, 2, 3], &[0, 1, 1], &[0, 2, 3, 5], &[0, 1, 1, 2, 0], 3, 2, &device);
    let is_nan = |rows: &[f32], logits: &[f32]| -> Vec<bool> {
        let pooled = B::attend_neighbours(tensor(rows, [3, 1]), tensor(logits, [3, 2]), &graph);
        host(pooled).iter().map(|value| value.is_nan()).collect()
    };
    assert_eq!(is_nan(&[f32::NAN, 1.0, 1.0], &[0.0; 6]), [true, false, true]);
    // The logit of entity 0 under relation 0, and that of entity 2 under relation 1.
    assert_eq!(is_nan(&[1.0; 3], &[f32::NAN, 0.0, 0.0, 0.0, 0.0, 0.0]), [true, false, false]);
    assert_eq!(is_nan(&[1.0; 3], &[0.0, 0.0, 0.0, 0.0, 0.0, f32::NAN]), [false, false, true]);
}
