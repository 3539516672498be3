//! What a step is: batches taken together, gradients held to a length, a loss that is scaled.

use cresset_nn::Precision;
use cresset_nn::optim::{LossScalerConfig, OptimizerConfig, OptimizerKind};
use cresset_nn::weights::{NamedTensors, named_tensors};
use cresset_trainers::config::TrainingConfig;
use cresset_trainers::{TrainError, Trained};
use tempfile::tempdir;

use crate::duo::run_with;
use crate::support::{Run, Served};

fn sgd(config: &mut TrainingConfig) {
    config.optimizer = OptimizerConfig { kind: OptimizerKind::Sgd, ..OptimizerConfig::default() };
}

fn fitted(run: &Run) -> Trained<Served> {
    run.fit_and_validate(tempdir().unwrap().path()).unwrap()
}

fn values(tensors: &NamedTensors) -> Vec<f32> {
    tensors.values().flat_map(|data| data.to_vec::<f32>().unwrap()).collect()
}

/// A run of 42 ratings in batches of that size, so many of them a step.
fn accumulated(batch_size: usize, accumulate: usize) -> Trained<Served> {
    fitted(&run_with(|config| {
        sgd(config);
        (config.batch_size, config.accumulate) = (batch_size, accumulate);
        config.max_grad_norm = Some(2.0);
    }))
}

#[test]
fn batches_taken_together_are_one_large_batch_also_where_the_last_are_fewer_and_smaller() {
    // 42 ratings: 3 times 12 and 6, in fours that is three batches a step and a last step of 4 and 2; in threes, four
    // batches a step and a last step of two.
    for (batch_size, accumulate) in [(4, 3), (3, 4), (6, 2)] {
        let (parts, whole) = (accumulated(batch_size, accumulate), accumulated(12, 1));
        assert_eq!(parts.progress.optimizer_steps, 4 * 4);
        assert_eq!(parts.progress.passes, 4 * 42u64.div_ceil(batch_size as u64));
        let (found, expected) = (values(&named_tensors(&parts.model)), values(&named_tensors(&whole.model)));
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}\n{expected:?}");
        for (part, whole) in parts.progress.history.epochs.iter().zip(&whole.progress.history.epochs) {
            assert!((part.losses[0].1 - whole.losses[0].1).abs() < 1e-4, "{part:?}\n{whole:?}");
        }
    }
}

#[test]
fn a_step_is_no_longer_than_the_length_that_gradients_are_held_to() {
    let trained = fitted(&run_with(|config| {
        sgd(config);
        (config.learning_rate, config.epochs, config.max_grad_norm) = (1.0, 1, Some(1e-3));
        config.schedule = Default::default();
    }));
    let before = values(&named_tensors(&crate::support::Tiny::<crate::support::Cpu>::new(11, 42)));
    let after = values(&named_tensors(&trained.model));
    let way: f32 = before.iter().zip(&after).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    // Eleven steps, in nearly one direction.
    assert!(way > 4e-3 && way < 11.5e-3, "{way}");
}

fn half(initial: f64, double_after: u64) -> Run {
    run_with(|config| {
        config.precision = Precision::F16;
        config.loss_scale = LossScalerConfig { initial, double_after };
    })
}

#[test]
fn a_loss_scaled_by_a_power_of_two_changes_no_bit_of_a_model_without_products() {
    let (scaled, plain) = (fitted(&half(65_536.0, 7)), fitted(&Run::default()));
    assert_eq!(named_tensors(&scaled.model), named_tensors(&plain.model));
    let scaler = scaled.progress.scaler.unwrap();
    // 44 steps are six times seven and two.
    assert_eq!((scaler.scale, scaler.good_steps, scaler.skipped), (65_536.0 * 64.0, 2, 0));
    assert_eq!(plain.progress.scaler, None);
}

#[test]
fn a_step_whose_gradient_overflows_is_skipped_and_counted() {
    let trained = fitted(&half(1e30, 1_000));
    let (scaler, progress) = (trained.progress.scaler.clone().unwrap(), &trained.progress);
    assert!(scaler.skipped > 10 && scaler.scale < 1e20, "{scaler:?}");
    assert_eq!((progress.passes, progress.optimizer_steps), (44, 44 - scaler.skipped));
    // The first epochs went to finding the scale.
    let losses: Vec<f64> = progress.history.epochs.iter().map(|epoch| epoch.losses[0].1).collect();
    assert!(losses[3] < losses[0], "{losses:?}");
}

#[test]
fn one_bad_gradient_in_half_precision_costs_its_step_and_no_more() {
    let run = Run { root_of_zero_at: Some((0, 3)), ..half(1_024.0, 1_000) };
    let scaler = fitted(&run).progress.scaler.unwrap();
    assert_eq!((scaler.scale, scaler.skipped), (512.0, 1));
}

#[test]
fn a_gradient_that_no_scale_can_mend_ends_the_run_and_names_the_parameter() {
    let run = Run { root_of_zero_at: Some((0, 3)), ..half(1.0, 1_000) };
    let error = run.fit_and_validate(tempdir().unwrap().path()).unwrap_err();
    assert!(matches!(&error, TrainError::Gradient(error) if error.parameter == "item_bias"), "{error}");
}
