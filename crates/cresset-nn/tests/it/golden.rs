//! The update rules against PyTorch 2.9.0; `../golden/optimizers.py` trains the same and prints these numbers.

use burn::tensor::TensorData;
use cresset_nn::Mlp;
use cresset_nn::optim::{Optimizer, OptimizerConfig, OptimizerKind};
use cresset_nn::weights::{named_tensors, restore};

use crate::models::{Cpu, Examples, Layers, Pulls, Rows, assert_close, rule, train};

const TOLERANCE: f32 = 2e-6;

#[track_caller]
fn check_rows(kind: OptimizerKind, expected: [f32; 8]) {
    let batches = [
        Pulls::new(&[0, 1, 0], &[1., -1., 0.5]),
        Pulls::new(&[2], &[0.25]),
        Pulls::new(&[1, 1, 0, 2], &[2., 0., -1., 1.]),
        Pulls::new(&[2, 0], &[-0.5, 0.5]),
        Pulls::new(&[1, 1, 1], &[1., 1.5, -0.5]),
    ];
    let model = Rows::new(&[0.5, -0.25, 1., 0.75, -1.5, 2., 0.125, -2.], [4, 2]);
    assert_close(&train(&mut Optimizer::new(rule(kind)), model, &batches).values(), &expected, TOLERANCE);
}

#[track_caller]
fn check_layer(rule: &OptimizerConfig, expected: [f32; 6]) {
    let batch = || Examples {
        n: 3,
        inputs: vec![1., 2., -1., 0.5, 0.5, -1.5],
        targets: vec![1., -1., 0., 2., -0.5, 0.5],
    };
    let model = Layers { layers: Mlp::new("layers", &[2, 2], 0, &Default::default()).unwrap() };
    let weight = ("layers.layers.0.weight".to_owned(), TensorData::from([[0.5f32, -1.], [0.25, 0.75]]));
    let bias = ("layers.layers.0.bias".to_owned(), TensorData::from([0.1f32, -0.2]));
    let model: Layers<Cpu> = restore(model, [weight.clone(), bias.clone()].into()).unwrap();
    let rule = OptimizerConfig { weight_decay: 0.01, ..rule.clone() };
    let after = named_tensors(&train(&mut Optimizer::new(rule), model, &[(); 5].map(|()| batch())));
    let found: Vec<f32> =
        [weight.0, bias.0].iter().flat_map(|name| after[name].to_vec::<f32>().unwrap()).collect();
    assert_close(&found, &expected, TOLERANCE);
}

#[test]
fn rows_move_as_under_sgd_with_sparse_gradients() {
    let expected = [0.461, -0.09474999, 0.8373333, 0.6693333, -0.98825, 1.40575, 0.125, -2.];
    check_rows(OptimizerKind::Sgd, expected);
}

#[test]
fn rows_move_as_under_adagrad_with_sparse_gradients() {
    let expected = [0.5068048, -0.1366455, 0.8735898, 0.6767536, -1.344739, 1.831215, 0.125, -2.];
    check_rows(OptimizerKind::Adagrad, expected);
}

#[test]
fn rows_move_as_under_sparse_adam() {
    let expected = [0.528806, -0.06467929, 0.7941435, 0.5899066, -1.277206, 1.783339, 0.125, -2.];
    check_rows(OptimizerKind::Adam, expected);
}

#[test]
fn a_layer_moves_as_under_sgd_with_momentum_and_decay() {
    let rule = OptimizerConfig { momentum: 0.9, ..rule(OptimizerKind::Sgd) };
    check_layer(&rule, [0.1007052, -1.329501, 0.4795848, -0.8378411, -0.08016309, 1.256502]);
}

#[test]
fn a_layer_moves_as_under_adagrad_with_decay() {
    let expected = [0.259913, -1.258477, 0.3917629, 0.4497423, -0.009641793, 0.1056366];
    check_layer(&rule(OptimizerKind::Adagrad), expected);
}

#[test]
fn a_layer_moves_as_under_adam_with_decay() {
    let expected = [0.08136426, -1.448889, 0.4536077, 0.2592515, -0.05145047, 0.2940467];
    check_layer(&rule(OptimizerKind::Adam), expected);
}

#[test]
fn a_layer_moves_as_under_adamw() {
    let expected = [0.08128485, -1.446225, 0.4556278, 0.256578, -0.05136652, 0.2941172];
    check_layer(&rule(OptimizerKind::Adamw), expected);
}
