//! Where the values lie: training writes tables and moments in place.

use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use cresset_data::UniqueRows;

use super::*;
use crate::{RowIndex, StepKey};

type Cpu = Autodiff<Flex>;

#[derive(Module, Debug)]
struct Films<B: Backend> {
    films: EmbeddingTable<B>,
}

impl<B: AutodiffRecommender> TrainModel<B> for Films<B> {
    type Batch = Vec<u32>;

    fn forward_loss(&self, ids: &Vec<u32>, _key: StepKey) -> ForwardPass<B> {
        let rows = self.films.gather(&RowIndex::new(&UniqueRows::of(ids), &self.films.device()));
        let loss = rows.per_example().powi_scalar(2).mean();
        ForwardPass { terms: vec![("loss", loss)], n_examples: ids.len(), rows: vec![rows] }
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![&mut self.films]
    }
}

fn address(matrix: Tensor<Flex, 2>) -> usize {
    matrix.into_primitive().tensor().storage::<f32>().as_ptr() as usize
}

fn table_address(model: &Films<Cpu>) -> usize {
    address(model.films.weight().inner())
}

fn moment_addresses(optimizer: &Optimizer<Cpu>) -> Vec<usize> {
    optimizer.moments["rows/films"].iter().cloned().map(address).collect()
}

fn films() -> Films<Cpu> {
    Films { films: EmbeddingTable::normal("films", [50, 8], 1.0, 1, &Default::default()) }
}

fn every_rule() -> [Optimizer<Cpu>; 5] {
    use OptimizerKind::{Adagrad, Adam, Adamw, RowwiseAdagrad, Sgd};
    [Sgd, Adagrad, RowwiseAdagrad, Adam, Adamw].map(|kind| {
        Optimizer::new(OptimizerConfig {
            kind,
            momentum: 0.9,
            weight_decay: 0.1,
            ..OptimizerConfig::default()
        })
    })
}

fn step(optimizer: &mut Optimizer<Cpu>, model: Films<Cpu>, ids: &[u32]) -> Films<Cpu> {
    let pass = model.forward_loss(&ids.to_vec(), StepKey::default());
    optimizer.step(model, pass, 0.1)
}

#[test]
fn tables_and_moments_stay_where_they_lie_from_step_to_step() {
    for mut optimizer in every_rule() {
        let model = films();
        let before = table_address(&model);
        let mut model = step(&mut optimizer, model, &[7, 3, 7]);
        let moments = moment_addresses(&optimizer);
        assert_eq!(moments.len(), optimizer.rule.moments().len());
        for ids in [&[0, 49][..], &[3], &[7, 8, 9, 7]] {
            model = step(&mut optimizer, model, ids);
            assert_eq!(table_address(&model), before);
            assert_eq!(moment_addresses(&optimizer), moments);
        }
    }
}

#[test]
fn a_table_is_copied_once_while_a_copy_of_the_model_lives_and_that_copy_sees_no_change() {
    for mut optimizer in every_rule() {
        let model = films();
        let before = table_address(&model);
        let validated = model.valid();
        let model = step(&mut optimizer, model, &[7, 3]);
        let after = table_address(&model);
        assert_ne!(after, before);
        let model = step(&mut optimizer, model, &[7, 4]);
        assert_eq!(table_address(&model), after);
        assert_eq!(address(validated.films.weight()), before);
        assert_eq!(validated.films.weight().into_data(), films().films.weight().into_data());
    }
}

#[test]
fn a_copy_of_the_model_that_was_dropped_costs_nothing() {
    let mut optimizer = every_rule().into_iter().next_back().unwrap();
    let model = films();
    let before = table_address(&model);
    drop(model.valid());
    assert_eq!(table_address(&step(&mut optimizer, model, &[7, 3])), before);
}

#[test]
fn a_step_on_every_row_writes_table_and_moments_where_they_lie() {
    for mut optimizer in every_rule() {
        let mut model = films();
        let before = table_address(&model);
        let mut moments = vec![];
        for n_steps in 0..3 {
            let rows = model.films.gather_all();
            let loss = rows.leaf.clone().powi_scalar(2).mean();
            let pass = ForwardPass { terms: vec![("loss", loss)], n_examples: 50, rows: vec![rows] };
            model = optimizer.step(model, pass, 0.1);
            assert_eq!(table_address(&model), before);
            if n_steps > 0 {
                assert_eq!(moment_addresses(&optimizer), moments);
            }
            moments = moment_addresses(&optimizer);
        }
    }
}
