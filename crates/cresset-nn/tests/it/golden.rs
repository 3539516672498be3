//! The update rules against PyTorch 2.9.0; `../golden/optimizers.py` trains the same and prints these numbers.

use burn::tensor::TensorData;
use cresset_nn::optim::{Groups, Optimizer, OptimizerConfig, OptimizerKind, ParameterGroup};
use cresset_nn::weights::{named_tensors, restore};
use cresset_nn::{Mlp, StepKey, TrainModel};

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

const WEIGHT: &str = "layers.layers.0.weight";
const BIAS: &str = "layers.layers.0.bias";

fn layer() -> Layers<Cpu> {
    let model = Layers { layers: Mlp::new("layers", &[2, 2], 0, &Default::default()).unwrap() };
    let weight = (WEIGHT.to_owned(), TensorData::from([[0.5f32, -1.], [0.25, 0.75]]));
    let bias = (BIAS.to_owned(), TensorData::from([0.1f32, -0.2]));
    restore(model, [weight, bias].into()).unwrap()
}

fn examples() -> Examples {
    Examples { n: 3, inputs: vec![1., 2., -1., 0.5, 0.5, -1.5], targets: vec![1., -1., 0., 2., -0.5, 0.5] }
}

#[track_caller]
fn assert_layer(model: &Layers<Cpu>, expected: [f32; 6]) {
    let after = named_tensors(model);
    let found: Vec<f32> =
        [WEIGHT, BIAS].iter().flat_map(|&name| after[name].to_vec::<f32>().unwrap()).collect();
    assert_close(&found, &expected, TOLERANCE);
}

#[track_caller]
fn check_layer(rule: &OptimizerConfig, expected: [f32; 6]) {
    let rule = OptimizerConfig { weight_decay: 0.01, ..rule.clone() };
    let after = train(&mut Optimizer::new(rule), layer(), &[(); 5].map(|()| examples()));
    assert_layer(&after, expected);
}

/// Weight and bias with rates of their own; in each step, whether they learn.
#[track_caller]
fn check_groups(rule: &OptimizerConfig, learns: [[bool; 2]; 5], expected: [f32; 6]) {
    let mut model = layer();
    let bias = ParameterGroup { weight_decay: Some(0.2), ..ParameterGroup::new("bias", &["*.bias"]) };
    let groups = Groups::of(&mut model, &[bias]).unwrap();
    let rule = OptimizerConfig { weight_decay: 0.01, ..rule.clone() };
    let mut optimizer = Optimizer::new(rule).with_groups(groups);
    for [weight_learns, bias_learns] in learns {
        let gradients = model.forward_loss(&examples(), StepKey::default()).backward(&model);
        let rates = [bias_learns.then_some(0.03), weight_learns.then_some(0.1)];
        model = optimizer.apply_by_group(model, gradients, &rates);
    }
    assert_layer(&model, expected);
}

const TOGETHER: [[bool; 2]; 5] = [[true, true]; 5];
const IN_TURN: [[bool; 2]; 5] = [[true, false], [true, false], [false, true], [false, true], [true, true]];

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

#[test]
fn groups_move_at_their_own_rates_and_decays_under_sgd_with_momentum() {
    let rule = OptimizerConfig { momentum: 0.9, ..rule(OptimizerKind::Sgd) };
    let together = [0.09136069, -1.262183, 0.4645299, -0.7275204, 0.01881369, 0.3922923];
    check_groups(&rule, TOGETHER, together);
    let in_turn = [0.2886722, -1.235809, 0.4202603, -0.6565228, 0.05969555, 0.1092586];
    check_groups(&rule, IN_TURN, in_turn);
}

#[test]
fn groups_move_at_their_own_rates_and_decays_under_adagrad() {
    let rule = rule(OptimizerKind::Adagrad);
    let together = [0.2555014, -1.246227, 0.3859475, 0.4525511, 0.02216185, -0.1020023];
    check_groups(&rule, TOGETHER, together);
    let in_turn = [0.3020244, -1.195927, 0.3748451, 0.5327117, 0.03992087, -0.1326391];
    check_groups(&rule, IN_TURN, in_turn);
}

#[test]
fn groups_move_at_their_own_rates_and_decays_under_adam_which_counts_the_steps_of_each() {
    let rule = rule(OptimizerKind::Adam);
    let together = [0.06953506, -1.431126, 0.4259347, 0.2610254, -0.03690872, -0.04972495];
    check_groups(&rule, TOGETHER, together);
    let in_turn = [0.2088215, -1.288807, 0.4519468, 0.4521874, 0.01211962, -0.1101634];
    check_groups(&rule, IN_TURN, in_turn);
}

#[test]
fn groups_move_at_their_own_rates_and_decays_under_adamw() {
    let rule = rule(OptimizerKind::Adamw);
    let together = [0.06932392, -1.42967, 0.4282116, 0.2583403, -0.03828432, -0.04554979];
    check_groups(&rule, TOGETHER, together);
    let in_turn = [0.2078124, -1.286157, 0.4530962, 0.4502535, 0.01086706, -0.1071175];
    check_groups(&rule, IN_TURN, in_turn);
}
