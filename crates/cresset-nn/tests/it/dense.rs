//! Dense parameters: the layers, their gradients, and the same rules as Burn's own.

use burn::module::Param;
use burn::optim::{AdamConfig, GradientsParams, Optimizer as _};
use burn::tensor::TensorData;
use cresset_nn::optim::{Optimizer, OptimizerKind};
use cresset_nn::weights::{NamedTensors, named_tensors, restore};
use cresset_nn::{Mlp, StepKey, TrainModel};

use crate::models::{
    Cpu, DenseRows, Examples, Layers, Pulls, Rows, Tower, assert_close, every_rule, loss, matrix, rule, train,
};

fn layers(widths: &[usize], seed: u64) -> Layers<Cpu> {
    Layers { layers: Mlp::new("layers", widths, seed, &Default::default()).unwrap() }
}

fn values(tensors: &NamedTensors) -> Vec<f32> {
    tensors.values().flat_map(|data| data.to_vec::<f32>().unwrap()).collect()
}

#[test]
fn layers_by_hand_are_linear_with_relu_between_them() {
    // (1, 2) gives 1 - 2 + 0.5 = -0.5 and 1 + 4 - 9 = -4, both cut to 0, and then the bias of -1.
    // (3, 2) gives 3 - 2 + 0.5 = 1.5 and 3 + 4 - 9 = -2, cut to 0, and then 1.5 * 2 + 0 * 5 - 1 = 2.
    let model = layers(&[2, 2, 1], 0);
    let set = [
        ("layers.layers.0.weight", vec![1., 1., -1., 2.], vec![2, 2]),
        ("layers.layers.0.bias", vec![0.5, -9.], vec![2]),
        ("layers.layers.1.weight", vec![2., 5.], vec![2, 1]),
        ("layers.layers.1.bias", vec![-1.], vec![1]),
    ];
    let tensors =
        set.into_iter().map(|(name, values, shape)| (name.to_owned(), TensorData::new(values, shape)));
    let model = restore::<Cpu, _>(model, tensors.collect()).unwrap();
    let output = model.layers.forward(matrix(&[1., 2., 3., 2.], [2, 2], &Default::default()), None);
    assert_eq!(output.into_data().to_vec::<f32>().unwrap(), [-1., 2.]);
}

#[test]
fn widths_that_make_no_layer_are_refused_by_name() {
    for widths in [&[][..], &[3], &[3, 0, 1]] {
        let error = Mlp::<Cpu>::new("tower", widths, 0, &Default::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("tower = {widths:?}, expected two or more widths, none of them 0")
        );
    }
}

#[test]
fn gradients_equal_finite_differences() {
    let model = layers(&[3, 5, 2], 4);
    let batch = Examples {
        n: 4,
        inputs: vec![0.3, -0.8, 1.2, -1.1, 0.4, 0.9, 0.7, 0.2, -0.6, -0.2, 1.4, 0.5],
        targets: vec![1., 0., -1., 0.5, 0.2, -0.4, 0.8, 1.1],
    };
    let before = named_tensors(&model);
    // A step of plain gradient descent is the gradient.
    let pass = model.forward_loss(&batch, StepKey::default());
    let after = Optimizer::new(rule(OptimizerKind::Sgd)).step(model.clone(), pass, 1.0);
    let found: Vec<f32> = values(&before)
        .iter()
        .zip(values(&named_tensors(&after)))
        .map(|(before, after)| before - after)
        .collect();

    let mut expected = Vec::new();
    for (name, data) in &before {
        for at in 0..data.num_elements() {
            let moved = |by: f32| {
                let mut tensors = before.clone();
                tensors.get_mut(name).unwrap().as_mut_slice::<f32>().unwrap()[at] += by;
                loss(&restore::<Cpu, _>(model.clone(), tensors).unwrap(), &batch)
            };
            expected.push((moved(5e-3) - moved(-5e-3)) / 1e-2);
        }
    }
    assert_close(&found, &expected, 2e-3);
}

#[test]
fn layers_learn_the_absolute_value() {
    let inputs: Vec<f32> = (-10..=10).map(|x| x as f32 / 10.0).collect();
    let targets = inputs.iter().map(|x| x.abs()).collect();
    let batch = Examples { n: inputs.len(), inputs, targets };
    let mut optimizer = Optimizer::new(rule(OptimizerKind::Adam));
    let mut model = layers(&[1, 16, 1], 7);
    assert!(loss(&model, &batch) > 0.05);
    for _ in 0..300 {
        let pass = model.forward_loss(&batch, StepKey::default());
        model = optimizer.step(model, pass, 0.02);
    }
    assert!(loss(&model, &batch) < 1e-3, "{}", loss(&model, &batch));
}

#[test]
fn adam_equals_that_of_burn() {
    let batch = Examples { n: 2, inputs: vec![0.5, -1., 2., 0.25], targets: vec![1., -1.] };
    let mut ours = layers(&[2, 3, 1], 2);
    let mut theirs = ours.clone();
    let mut our_adam = Optimizer::new(rule(OptimizerKind::Adam));
    let mut their_adam = AdamConfig::new().with_epsilon(1e-8).init::<Cpu, Layers<Cpu>>();
    for _ in 0..10 {
        let pass = ours.forward_loss(&batch, StepKey::default());
        ours = our_adam.step(ours, pass, 0.05);
        let grads = GradientsParams::from_grads(
            theirs.forward_loss(&batch, StepKey::default()).loss().backward(),
            &theirs,
        );
        theirs = their_adam.step(0.05, theirs, grads);
    }
    assert_close(&values(&named_tensors(&ours)), &values(&named_tensors(&theirs)), 1e-5);
}

#[test]
fn sgd_and_adagrad_move_a_table_as_they_move_the_same_values_as_a_dense_parameter() {
    let start = [0.5, -0.25, 1., 0.75, -1.5, 2., 0.125, -2.];
    let batches = [
        Pulls::new(&[0, 1, 0], &[1., -1., 0.5]),
        Pulls::new(&[2], &[0.25]),
        Pulls::new(&[1, 1, 0, 2], &[2., 0., -1., 1.]),
        Pulls::new(&[2, 0], &[-0.5, 0.5]),
    ];
    for kind in [OptimizerKind::Sgd, OptimizerKind::Adagrad] {
        let sparse = train(&mut Optimizer::new(rule(kind)), Rows::new(&start, [4, 2]), &batches);
        let films = Param::from_tensor(matrix(&start, [4, 2], &Default::default()));
        let dense = train(&mut Optimizer::new(rule(kind)), DenseRows::<Cpu> { films }, &batches);
        assert_close(&sparse.values(), &dense.films.val().into_data().to_vec::<f32>().unwrap(), 1e-6);
    }
}

#[test]
fn a_parameter_without_a_gradient_keeps_its_bits() {
    for rule in every_rule() {
        let model = Tower::new(3);
        let before = named_tensors(&model);
        let after =
            named_tensors(&train(&mut Optimizer::new(rule), model, &[Pulls::new(&[0, 2], &[1., 2.])]));
        for (name, data) in &after {
            assert_eq!(*data == before[name], name.starts_with("spare."), "{name}");
        }
    }
}
