//! The loss: by hand, against its written formula, and its gradient.

use burn::backend::Flex;
use cresset_kg_mf::loss::mean_square_length;
use cresset_kg_mf::{KgMf, KgMfConfig, KgMfExamples};
use cresset_nn::optim::{Optimizer, OptimizerConfig, OptimizerKind};
use cresset_nn::weights::{NamedTensors, named_tensors, restore};
use cresset_nn::{RowIndex, StepKey, TrainModel, scalar};
use proptest::prelude::*;

use crate::small::{Cpu, SCALE, assert_close, batch, by_hand, drawn, rating_batch};

/// The loss and its terms.
fn losses(model: &KgMf<Cpu>, batch: &KgMfExamples) -> [f32; 3] {
    let pass = model.forward_loss(batch, StepKey::default());
    let [(_, error), (_, penalty)] = <[_; 2]>::try_from(pass.values()).unwrap();
    [scalar(pass.loss().inner()), error, penalty]
}

#[test]
fn the_loss_by_hand_penalises_a_row_once_for_each_of_its_ratings() {
    // Predictions 4.25, 4.5, 1.75 (see `predictions`): errors 0.25, 0.5 and -1.25, squares 0.0625, 0.25 and 1.5625,
    // mean 0.625. Squared lengths: user 0 twice 1, user 1 1.25, item 0 0.3125, item 1 twice 5: 13.5625 / 3.
    // Squared biases: twice 0.25, 0.0625, 0.0625, twice 1: 2.625 / 3 = 0.875.
    let model = by_hand(&KgMfConfig { l2: 0.3, l2_bias: 0.5, ..KgMfConfig::default() });
    let penalty = 0.3 * 13.5625 / 3.0 + 0.5 * 0.875;
    let found = losses(&model, &batch(&[(0, 0, 4.0), (0, 1, 4.0), (1, 1, 3.0)]));
    assert_close(&found, &[0.625 + penalty, 0.625, penalty], 1e-6);
}

fn batches() -> impl Strategy<Value = Vec<(u32, u32, f32)>> {
    prop::collection::vec((0u32..5, 0u32..4, 1.0f32..5.0), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_loss_equals_its_sum_over_the_ratings(ratings in batches(), seed in 0u64..1000) {
        let model = drawn(5, 4, seed);
        let tensors = named_tensors(&model);
        let row = |name: &str, id: u32| {
            let data = &tensors[&format!("{name}.weight")];
            let dim = data.shape[1];
            data.to_vec::<f32>().unwrap()[id as usize * dim..][..dim].to_vec()
        };
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let (mut error, mut penalty) = (0.0, 0.0);
        for &(user, item, rating) in &ratings {
            let (p, q) = (row("user_embedding", user), row("item_embedding", item));
            let (b_u, b_i) = (row("user_bias", user), row("item_bias", item));
            error += (SCALE.mean + b_u[0] + b_i[0] + dot(&p, &q) - rating).powi(2);
            penalty += 0.05 * (dot(&p, &p) + dot(&q, &q)) + 0.01 * (dot(&b_u, &b_u) + dot(&b_i, &b_i));
        }
        let n = ratings.len() as f32;
        let expected = [(error + penalty) / n, error / n, penalty / n];
        assert_close(&losses(&model, &batch(&ratings)), &expected, 1e-5);
    }

    #[test]
    fn squares_weighted_by_counts_equal_squares_example_by_example(ratings in batches()) {
        let batch = batch(&ratings);
        let model = drawn(5, 4, 1);
        let index = RowIndex::<Flex>::new(&rating_batch(&ratings).users, &Default::default());
        let rows = model.forward_loss(&batch, StepKey::default()).rows.into_iter().nth(2).unwrap();
        let examples = rows.per_example().inner().powi_scalar(2).sum() / ratings.len() as f64;
        let weighted = mean_square_length(rows.leaf.inner(), index.counts, ratings.len());
        assert_close(&[scalar(weighted)], &[scalar(examples)], 1e-5);
    }
}

#[test]
fn the_gradient_of_the_whole_loss_equals_finite_differences() {
    let model = drawn(3, 3, 5);
    let batch = batch(&[(0, 0, 4.0), (0, 2, 1.5), (2, 0, 5.0), (0, 0, 3.0)]);
    let before = named_tensors(&model);
    // A step of plain gradient descent is the gradient.
    let rule = OptimizerConfig { kind: OptimizerKind::Sgd, ..OptimizerConfig::default() };
    let pass = model.forward_loss(&batch, StepKey::default());
    let after = named_tensors(&Optimizer::new(rule).step(model.clone(), pass, 1.0));
    let values = |tensors: &NamedTensors| -> Vec<f32> {
        tensors.values().flat_map(|data| data.to_vec::<f32>().unwrap()).collect()
    };
    let found: Vec<f32> =
        values(&before).iter().zip(values(&after)).map(|(before, after)| before - after).collect();

    let mut expected = Vec::new();
    for (name, data) in &before {
        for at in 0..data.num_elements() {
            let moved = |by: f32| {
                let mut tensors = before.clone();
                tensors.get_mut(name).unwrap().as_mut_slice::<f32>().unwrap()[at] += by;
                losses(&restore::<Cpu, _>(model.clone(), tensors).unwrap(), &batch)[0]
            };
            expected.push((moved(1e-2) - moved(-1e-2)) / 2e-2);
        }
    }
    assert_close(&found, &expected, 1e-3);
    // Users 0 and 2, items 0 and 2, a bias and four values each, and what no rating touches does not move.
    assert_eq!(found.iter().filter(|&&gradient| gradient != 0.0).count(), 4 * (1 + 4));
}

#[test]
#[should_panic(expected = "id 5 is beyond the 5 rows of table user_bias")]
fn a_batch_with_a_user_beyond_the_table_panics() {
    drawn(5, 4, 0).forward_loss(&batch(&[(5, 0, 3.0)]), StepKey::default());
}
