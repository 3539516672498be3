//! Stopping and going on: what an optimiser remembers, and what it refuses to remember.

use burn::tensor::TensorData;
use cresset_nn::optim::{Optimizer, OptimizerConfig, OptimizerKind};
use cresset_nn::weights::{NamedTensors, WeightsError, load, named_tensors, restore, save};

use crate::models::{Cpu, Pulls, Tower, every_rule, rule, train};

fn batches() -> [Pulls; 6] {
    [
        Pulls::new(&[0, 1, 0], &[1., -1., 0.5]),
        Pulls::new(&[2], &[0.25]),
        Pulls::new(&[1, 1, 0, 2], &[2., 0., -1., 1.]),
        Pulls::new(&[2, 4], &[-0.5, 0.5]),
        Pulls::new(&[1, 1, 1], &[1., 1.5, -0.5]),
        Pulls::new(&[4, 0, 2], &[0., 1., 2.]),
    ]
}

#[test]
fn stopping_and_going_on_equals_never_having_stopped() {
    let folder = tempfile::tempdir().unwrap();
    for rule in every_rule() {
        let mut straight = Optimizer::<Cpu>::new(rule.clone());
        let unbroken = train(&mut straight, Tower::new(1), &batches());

        let mut first = Optimizer::new(rule.clone());
        let stopped = train(&mut first, Tower::new(1), &batches()[..3]);
        let file = |name| folder.path().join(name);
        save(&named_tensors(&stopped), &file("model")).unwrap();
        save(&first.state(), &file("state")).unwrap();

        // Another seed: everything must come from the files.
        let mut model = restore::<Cpu, _>(Tower::new(2), load(&file("model")).unwrap()).unwrap();
        let state = load(&file("state")).unwrap();
        let mut second =
            Optimizer::resume(rule, first.steps_taken(), state, &mut model, &Default::default()).unwrap();
        let resumed = train(&mut second, model, &batches()[3..]);
        assert_eq!(named_tensors(&resumed), named_tensors(&unbroken));
        assert_eq!(second.state(), straight.state());
        assert_eq!(second.steps_taken(), 6);
    }
}

#[test]
fn the_state_is_named_after_tables_and_parameters() {
    let mut optimizer = Optimizer::<Cpu>::new(rule(OptimizerKind::Adagrad));
    train(&mut optimizer, Tower::new(1), &batches());
    let names: Vec<String> = optimizer.state().into_keys().collect();
    let expected = [
        "dense/layers.layers.0.bias/sum_of_squares",
        "dense/layers.layers.0.weight/sum_of_squares",
        "dense/layers.layers.1.bias/sum_of_squares",
        "dense/layers.layers.1.weight/sum_of_squares",
        "rows/films/sum_of_squares",
    ];
    assert_eq!(names, expected);
}

/// What comes of a state of Adam that was tampered with.
fn tampered(rule: OptimizerConfig, tamper: impl Fn(&mut NamedTensors)) -> String {
    let mut optimizer = Optimizer::<Cpu>::new(crate::models::rule(OptimizerKind::Adam));
    let mut model = train(&mut optimizer, Tower::new(1), &batches());
    let mut state = optimizer.state();
    tamper(&mut state);
    match Optimizer::<Cpu>::resume(rule, 6, state, &mut model, &Default::default()) {
        Ok(_) => "no error".to_owned(),
        Err(error @ (WeightsError::Missing(_) | WeightsError::Surplus(_) | WeightsError::Shape { .. })) => {
            error.to_string()
        }
        Err(other) => panic!("{other:?} is no error of a state"),
    }
}

#[track_caller]
fn check_refused(tamper: impl Fn(&mut NamedTensors), expected: &str) {
    let message = tampered(rule(OptimizerKind::Adam), tamper);
    assert!(message.contains(expected), "{message}");
}

fn zeros(shape: &[usize]) -> TensorData {
    TensorData::zeros::<f32, _>(shape.to_vec())
}

#[test]
fn a_moment_without_its_companion_is_refused_by_name() {
    check_refused(|state| drop(state.remove("rows/films/moment_2")), "lack `rows/films/moment_2`");
    check_refused(
        |state| drop(state.remove("dense/layers.layers.0.bias/moment_1")),
        "lack `dense/layers.layers.0.bias/moment_1`",
    );
}

#[test]
fn a_moment_that_the_rule_does_not_keep_is_refused_by_name() {
    for surplus in ["rows/films/moment_3", "rows/films/", "rows/films", "films"] {
        let message = tampered(rule(OptimizerKind::Adam), |state| {
            drop(state.insert(surplus.to_owned(), zeros(&[5, 3])));
        });
        assert!(message.contains(&format!("hold `{surplus}`")), "{surplus}: {message}");
    }
}

#[test]
fn moments_of_what_the_model_does_not_have_are_refused_by_name() {
    for parameter in ["rows/people", "dense/layers.layers.7.bias", "towers/films"] {
        check_refused(
            |state| {
                state.insert(format!("{parameter}/moment_1"), zeros(&[1, 1]));
                state.insert(format!("{parameter}/moment_2"), zeros(&[1, 1]));
            },
            &format!("hold `{parameter}/moment_1`"),
        );
    }
}

#[test]
fn a_moment_of_another_shape_is_refused_with_both_shapes() {
    let put = |name: &'static str, shape: &'static [usize]| {
        move |state: &mut NamedTensors| drop(state.insert(name.to_owned(), zeros(shape)))
    };
    let name = "rows/films/moment_1";
    check_refused(put(name, &[5, 2]), "`rows/films/moment_1` has shape [5, 2] in the weights and [5, 3]");
    check_refused(put(name, &[15]), "`rows/films/moment_1` has shape [15] in the weights and [5, 3]");
    let name = "dense/layers.layers.0.weight/moment_2";
    check_refused(put(name, &[1, 11]), "has shape [1, 11] in the weights and [1, 12]");
}

#[test]
fn the_state_of_one_rule_is_refused_by_another() {
    let unchanged = |_: &mut NamedTensors| ();
    assert_eq!(tampered(rule(OptimizerKind::Adamw), unchanged), "no error");
    for other in [
        rule(OptimizerKind::Sgd),
        OptimizerConfig { momentum: 0.9, ..rule(OptimizerKind::Sgd) },
        rule(OptimizerKind::Adagrad),
    ] {
        let message = tampered(other, unchanged);
        assert!(message.contains("hold `dense/layers.layers.0.bias/moment_1`"), "{message}");
    }
}

#[test]
fn numbers_of_a_rule_out_of_range_are_named_with_value_and_range() {
    let check = |config: OptimizerConfig, expected: &str| {
        assert_eq!(config.validate().unwrap_err().to_string(), expected);
    };
    let default = OptimizerConfig::default;
    assert_eq!(default().validate(), Ok(()));
    check(
        OptimizerConfig { weight_decay: -0.1, ..default() },
        "weight_decay = -0.1, expected a finite number of at least 0",
    );
    check(
        OptimizerConfig { weight_decay: f64::INFINITY, ..default() },
        "weight_decay = inf, expected a finite number of at least 0",
    );
    check(OptimizerConfig { momentum: 1.0, ..default() }, "momentum = 1, expected at least 0 and below 1");
    check(OptimizerConfig { beta_1: f64::NAN, ..default() }, "beta_1 = NaN, expected at least 0 and below 1");
    check(OptimizerConfig { beta_2: -0.5, ..default() }, "beta_2 = -0.5, expected at least 0 and below 1");
    check(OptimizerConfig { epsilon: 0.0, ..default() }, "epsilon = 0, expected a finite number above 0");
}
