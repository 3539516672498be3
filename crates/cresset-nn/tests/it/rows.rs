//! Rows of a table under every update rule, against the rules written out value by value.

use burn::tensor::{Tensor, TensorData};
use cresset_nn::optim::{Optimizer, OptimizerConfig, OptimizerKind};
use cresset_nn::weights::named_tensors;
use cresset_nn::{StepKey, TrainModel};
use proptest::prelude::*;

use crate::models::{Cpu, Pulls, Rows, Tower, assert_close, every_rule, rule, train};

const DIM: usize = 2;

/// A table and its optimiser in plain loops and 64 bits.
struct Written {
    rule: OptimizerConfig,
    steps: i32,
    table: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Written {
    fn new(rule: &OptimizerConfig, table: &[f32]) -> Self {
        let zeros = vec![0.0; table.len()];
        let table = table.iter().copied().map(f64::from).collect();
        Self { rule: rule.clone(), steps: 0, table, first: zeros.clone(), second: zeros }
    }

    /// Moves the rows of the batch and no others.
    fn lazy_step(&mut self, batch: &Pulls) {
        let grad = self.gradient(batch);
        self.steps += 1;
        for id in (0..grad.len() / DIM).filter(|&id| batch.ids.contains(&(id as u32))) {
            self.move_row(id, &grad);
        }
    }

    /// Moves every row, by a gradient of 0 where the batch does not touch it.
    fn dense_step(&mut self, batch: &Pulls) {
        let grad = self.gradient(batch);
        self.steps += 1;
        (0..grad.len() / DIM).for_each(|id| self.move_row(id, &grad));
    }

    fn gradient(&self, batch: &Pulls) -> Vec<f64> {
        let mut grad = vec![0.0; self.table.len()];
        for (&id, &target) in batch.ids.iter().zip(&batch.targets) {
            let row = id as usize * DIM..(id as usize + 1) * DIM;
            for (grad, value) in grad[row.clone()].iter_mut().zip(&self.table[row]) {
                *grad += 2.0 * (value - f64::from(target)) / batch.ids.len() as f64;
            }
        }
        grad
    }

    fn move_row(&mut self, id: usize, grad: &[f64]) {
        let row = id * DIM..(id + 1) * DIM;
        let coupled = |at: usize| grad[at] + self.rule.weight_decay * self.table[at];
        let mean_square = row.clone().map(|at| coupled(at).powi(2)).sum::<f64>() / DIM as f64;
        row.for_each(|at| self.move_value(at, grad[at], mean_square));
    }

    fn move_value(&mut self, at: usize, grad: f64, mean_square_of_row: f64) {
        let OptimizerConfig { kind, weight_decay, momentum, beta_1, beta_2, epsilon } = self.rule;
        let (value, first, second) = (&mut self.table[at], &mut self.first[at], &mut self.second[at]);
        let coupled = grad + weight_decay * *value;
        match kind {
            OptimizerKind::Sgd => {
                *first = momentum * *first + coupled;
                *value -= 0.1 * *first;
            }
            OptimizerKind::Adagrad => {
                *first += coupled * coupled;
                *value -= 0.1 * coupled / (first.sqrt() + epsilon);
            }
            OptimizerKind::RowwiseAdagrad => {
                *first += mean_square_of_row;
                *value -= 0.1 * coupled / (first.sqrt() + epsilon);
            }
            OptimizerKind::Adam | OptimizerKind::Adamw => {
                let grad = if kind == OptimizerKind::Adam { coupled } else { grad };
                if kind == OptimizerKind::Adamw {
                    *value *= 1.0 - 0.1 * weight_decay;
                }
                *first = beta_1 * *first + (1.0 - beta_1) * grad;
                *second = beta_2 * *second + (1.0 - beta_2) * grad * grad;
                let unbiased_first = *first / (1.0 - beta_1.powi(self.steps));
                let unbiased_second = *second / (1.0 - beta_2.powi(self.steps));
                *value -= 0.1 * unbiased_first / (unbiased_second.sqrt() + epsilon);
            }
        }
    }

    fn values(&self) -> Vec<f32> {
        self.table.iter().map(|&value| value as f32).collect()
    }
}

/// A rule of the given kind whose epsilon keeps a step from turning rounding errors of the gradient into signs.
fn smooth(rule: &OptimizerConfig) -> OptimizerConfig {
    OptimizerConfig { epsilon: 0.01, ..rule.clone() }
}

fn batches() -> impl Strategy<Value = Vec<Pulls>> {
    let batch = prop::collection::vec((0u32..6, -2.0f32..2.0), 1..9).prop_map(|pulls| Pulls {
        ids: pulls.iter().map(|p| p.0).collect(),
        targets: pulls.iter().map(|p| p.1).collect(),
    });
    prop::collection::vec(batch, 1..8)
}

fn tables() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-2.0f32..2.0, 6 * DIM)
}

fn trained(rule: &OptimizerConfig, table: &[f32], batches: &[Pulls]) -> Vec<f32> {
    let model = Rows::new(table, [table.len() / DIM, DIM]);
    train(&mut Optimizer::new(rule.clone()), model, batches).values()
}

#[test]
fn a_row_named_twice_moves_once_by_the_sum_of_its_gradients() {
    // Row 1 = (2, 4), targets 1 and 3 in a batch of two: gradient (2 - 1) + (2 - 3) = 0 and (4 - 1) + (4 - 3) = 4.
    let after = trained(&rule(OptimizerKind::Sgd), &[7., 7., 2., 4.], &[Pulls::new(&[1, 1], &[1., 3.])]);
    assert_close(&after, &[7., 7., 2., 3.6], 1e-6);
}

#[test]
fn the_bias_correction_counts_the_steps_of_the_optimiser_and_not_the_touches_of_the_row() {
    // Row 1 is first seen in step 2, with gradient g: 0.1 g / (1 - 0.9^2) over sqrt(0.001 g^2 / (1 - 0.999^2))
    // is 0.526316 / 0.707284 = 0.744137, times the learning rate of 0.1. Counted by touches it were 0.1.
    let batches = [Pulls::new(&[0], &[1.]), Pulls::new(&[1], &[1.])];
    let after = trained(&rule(OptimizerKind::Adam), &[0.; 4], &batches);
    assert_close(&after, &[0.1, 0.1, 0.0744137, 0.0744137], 1e-6);
}

#[test]
fn decoupled_decay_shrinks_the_touched_row_alone() {
    // Gradient 0, so that the decay is all there is: 4 (1 - 0.1 * 0.5) = 3.8.
    let rule = OptimizerConfig { weight_decay: 0.5, ..rule(OptimizerKind::Adamw) };
    let after = trained(&rule, &[4., 4., 4., 4.], &[Pulls::new(&[1], &[4.])]);
    assert_close(&after, &[4., 4., 3.8, 3.8], 1e-7);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sgd_and_adagrad_equal_a_dense_reference(table in tables(), batches in batches()) {
        for kind in [OptimizerKind::Sgd, OptimizerKind::Adagrad] {
            let rule = smooth(&rule(kind));
            let mut written = Written::new(&rule, &table);
            batches.iter().for_each(|batch| written.dense_step(batch));
            assert_close(&trained(&rule, &table, &batches), &written.values(), 1e-5);
        }
    }

    #[test]
    fn sgd_with_momentum_and_decay_equals_a_dense_reference_where_each_batch_touches_each_row(
        table in tables(),
        mut batches in batches(),
    ) {
        for batch in &mut batches {
            batch.ids.extend(0..6);
            batch.targets.extend([0.5; 6]);
        }
        let rule = OptimizerConfig { momentum: 0.9, weight_decay: 0.05, ..rule(OptimizerKind::Sgd) };
        let mut written = Written::new(&rule, &table);
        batches.iter().for_each(|batch| written.dense_step(batch));
        assert_close(&trained(&rule, &table, &batches), &written.values(), 1e-5);
    }

    #[test]
    fn every_rule_equals_its_lazy_form_written_out(table in tables(), batches in batches()) {
        for rule in every_rule().iter().map(smooth) {
            let mut written = Written::new(&rule, &table);
            batches.iter().for_each(|batch| written.lazy_step(batch));
            assert_close(&trained(&rule, &table, &batches), &written.values(), 1e-5);
        }
    }

    #[test]
    fn a_row_that_no_batch_touches_keeps_its_bits(table in tables(), batches in batches()) {
        for rule in every_rule() {
            let after = trained(&rule, &table, &batches);
            for id in (0u32..6).filter(|id| batches.iter().all(|batch| !batch.ids.contains(id))) {
                let row = id as usize * DIM..(id as usize + 1) * DIM;
                prop_assert_eq!(bits(&after[row.clone()]), bits(&table[row]));
            }
        }
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_row_that_rests_keeps_its_bits_and_those_of_its_moments() {
    for rule in every_rule() {
        let mut optimizer = Optimizer::<Cpu>::new(rule);
        let model = Rows::new(&[0.3, -0.7, 1.1, 0.9], [2, DIM]);
        let model = train(&mut optimizer, model, &[Pulls::new(&[0, 1], &[1., -1.]), Pulls::new(&[0], &[2.])]);
        let (values, moments) = (model.values(), first_rows(&optimizer));
        let model =
            train(&mut optimizer, model, &[Pulls::new(&[1], &[0.5]), Pulls::new(&[1, 1], &[0.5, 3.])]);
        assert_eq!(bits(&model.values()[..DIM]), bits(&values[..DIM]));
        assert_ne!(model.values()[DIM..], values[DIM..]);
        assert_eq!(first_rows(&optimizer), moments);
    }
}

/// The bits of the first row of every moment.
fn first_rows(optimizer: &Optimizer<Cpu>) -> Vec<Vec<u32>> {
    let first = |data: TensorData| bits(&data.to_vec::<f32>().unwrap()[..data.shape[1]]);
    optimizer.state().into_values().map(first).collect()
}

#[test]
fn a_table_that_the_loss_does_not_depend_on_stays_as_it_is() {
    let model = Tower::new(1);
    let before = named_tensors(&model);
    let mut pass = model.forward_loss(&Pulls::new(&[0, 4], &[1., 1.]), StepKey::default());
    pass.terms = vec![("loss", Tensor::from_floats([1.0], &Default::default()).require_grad())];
    let mut optimizer = Optimizer::<Cpu>::new(every_rule().pop().unwrap());
    assert_eq!(named_tensors(&optimizer.step(model, pass, 0.1)), before);
}

#[test]
#[should_panic(expected = "a pass gathers once from each table, but twice from films")]
fn a_table_gathered_twice_in_one_pass_panics() {
    let model = Rows::new(&[0.; 4], [2, DIM]);
    let batch = Pulls::new(&[0], &[1.]);
    let mut pass = model.forward_loss(&batch, StepKey::default());
    pass.rows.extend(model.forward_loss(&batch, StepKey::default()).rows);
    Optimizer::<Cpu>::new(rule(OptimizerKind::Sgd)).step(model, pass, 0.1);
}
