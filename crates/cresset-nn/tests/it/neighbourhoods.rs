//! Neighbours in a knowledge graph: what their lists may be, and attention over them on a graph of autodiff.

use burn::tensor::{Tensor, TensorData};
use cresset_nn::{Neighbourhoods, RecommenderBackend, Selection};

use crate::models::{Cpu, assert_close};

/// `[item_offsets, relations, slot_offsets, entities]`, of 3 entities and 2 relations.
fn graph(lists: [&[u32]; 4]) -> Neighbourhoods<Cpu> {
    let [items, relations, slots, entities] = lists;
    Neighbourhoods::new(items, relations, slots, entities, 3, 2, &Default::default())
}

fn leaf(values: &[f32], shape: [usize; 2]) -> Tensor<Cpu, 2> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Default::default()).require_grad()
}

#[test]
fn neighbourhoods_know_how_many_there_are_of_each() {
    let graph = graph([&[0, 2, 2, 3], &[0, 1, 1], &[0, 2, 3, 4], &[0, 1, 1, 2]]);
    let found = (graph.n_items(), graph.n_slots(), graph.n_links(), graph.n_entities(), graph.n_relations());
    assert_eq!(found, (3, 3, 4, 3, 2));
}

#[test]
fn gradients_pass_both_attentions_by_hand() {
    // Item 0 is linked to the entities 0 and 1 by relation 0 and to entity 2 by relation 1, all with equal logits.
    let graph = graph([&[0, 2], &[0, 1], &[0, 2, 3], &[0, 1, 2]]);
    let (entities, links) = (leaf(&[1.0, 3.0, 6.0], [3, 1]), leaf(&[0.0; 6], [3, 2]));
    let (taste, relations) = (leaf(&[2.0], [1, 1]), leaf(&[0.0; 2], [1, 2]));
    let pooled = Cpu::attend_neighbours(entities.clone(), links.clone(), &graph);
    let only = Selection::one_each(&[0], 1, &Default::default());
    let output = Cpu::attend_relations(taste.clone(), relations.clone(), pooled, &only, &only, &graph);
    // Slots of 2 and 6, products 4 and 12: 2 * (4 + 12) / 2.
    assert_close(&output.to_data().to_vec::<f32>().unwrap(), &[16.0], 1e-6);
    let graph = output.sum().backward();
    let gradient =
        |leaf: Tensor<Cpu, 2>| -> Vec<f32> { leaf.grad(&graph).unwrap().into_data().to_vec().unwrap() };
    assert_close(&gradient(taste), &[8.0], 1e-6);
    // 2 * 1/2 * (product - 8)
    assert_close(&gradient(relations), &[-4.0, 4.0], 1e-6);
    // The taste, halved for the entities that share a slot.
    assert_close(&gradient(entities), &[1.0, 1.0, 2.0], 1e-6);
    // 2 * 1/2 * (entity - 2), and nothing where a slot has one link only.
    assert_close(&gradient(links), &[-1.0, 0.0, 1.0, 0.0, 0.0, 0.0], 1e-6);
}

#[test]
#[should_panic(expected = "offsets lead from 0 to the end of the entries")]
fn items_that_do_not_end_with_their_slots_panic() {
    graph([&[0, 1], &[0, 1], &[0, 1, 2], &[0, 1]]);
}

#[test]
#[should_panic(expected = "offsets ascend")]
fn slots_that_overlap_panic() {
    graph([&[0, 2], &[0, 1], &[0, 3, 2], &[0, 1]]);
}

#[test]
#[should_panic(expected = "one relation for each slot")]
fn a_slot_without_a_relation_panics() {
    graph([&[0, 1], &[0], &[0, 1, 2], &[0, 1]]);
}

#[test]
#[should_panic(expected = "relation 2 is beyond the 2 relations")]
fn a_relation_beyond_their_number_panics() {
    graph([&[0, 1], &[2], &[0, 1], &[0]]);
}

#[test]
#[should_panic(expected = "the relations of an item ascend strictly, and those of item 1 do not")]
fn an_item_with_the_same_relation_twice_panics() {
    graph([&[0, 1, 3], &[1, 0, 0], &[0, 1, 2, 3], &[0, 1, 2]]);
}

#[test]
#[should_panic(expected = "entry 3 is beyond the 3 gathered rows")]
fn an_entity_beyond_the_gathered_rows_panics() {
    graph([&[0, 1], &[0], &[0, 1], &[3]]);
}

#[test]
#[should_panic(expected = "one row for each entity of the neighbourhoods")]
fn rows_of_another_number_of_entities_panic() {
    let graph = graph([&[0, 1], &[0], &[0, 1], &[0]]);
    Cpu::attend_neighbours(leaf(&[0.0; 2], [2, 1]), leaf(&[0.0; 4], [2, 2]), &graph);
}
