//! What the loop keeps, when it ends, and how it fails.

use std::fs;
use std::path::Path;

use cresset_data::{Batches, RatingBatches};
use cresset_metrics::{MetricError, Metrics, RatingPredictor};
use cresset_nn::weights::{self, NamedTensors, named_tensors};
use cresset_trainers::config::{EvaluationConfig, TrainingConfig};
use cresset_trainers::{EvaluationPart, Judged, Measured, TrainError, Trained};
use tempfile::tempdir;

use crate::support::{CHECKPOINT, Run, Served, WEIGHTS, bytes, metric, ratings};

/// Trains while the validation says `values`, epoch by epoch; also the model's weights at each of them.
fn fit_scripted(run: &Run, folder: &Path, values: &[f64]) -> (Trained<Served>, Vec<NamedTensors>) {
    let mut seen = Vec::new();
    let mut validate = |model: &Served| {
        seen.push(named_tensors(model));
        Ok(metric("rmse", values[seen.len() - 1]))
    };
    let trained = run.fit(folder, &mut validate).unwrap();
    (trained, seen)
}

fn with_config(change: impl FnOnce(&mut TrainingConfig)) -> Run {
    let mut run = Run::default();
    change(&mut run.config);
    run
}

#[test]
fn the_weights_of_the_best_epoch_are_returned_and_saved() {
    let folder = tempdir().unwrap();
    let run = with_config(|config| config.epochs = 3);
    let (trained, seen) = fit_scripted(&run, folder.path(), &[3.0, 1.0, 2.0]);
    assert_eq!(trained.progress.early_stop.best, Some((2, Some(1.0))));
    assert_eq!(named_tensors(&trained.model), seen[1]);
    assert_eq!(weights::load(&folder.path().join(WEIGHTS)).unwrap(), seen[1]);
    assert_ne!(seen[2], seen[1]);
    assert!(trained.examples_per_second > 0.0);
}

#[test]
fn training_lowers_the_loss_and_writes_its_history() {
    let folder = tempdir().unwrap();
    let trained = Run::default().fit_and_validate(folder.path()).unwrap();
    let losses: Vec<f64> = trained.progress.history.epochs.iter().map(|epoch| epoch.losses[0].1).collect();
    assert_eq!(losses.len(), 4);
    assert!(losses[3] < losses[0] / 2.0, "{losses:?}");
    assert_eq!(bytes(folder.path(), "history.csv"), trained.progress.history.to_csv().as_bytes());
}

#[test]
fn training_stops_after_as_many_worse_epochs_as_patience_says() {
    let folder = tempdir().unwrap();
    let run = with_config(|config| (config.epochs, config.patience) = (9, Some(2)));
    let (trained, _) = fit_scripted(&run, folder.path(), &[5.0, 4.0, 4.5, 3.0, 3.0, 3.5]);
    assert_eq!(trained.progress.epoch, 6);
    assert_eq!(trained.progress.early_stop.best, Some((4, Some(3.0))));
}

#[test]
fn training_never_stops_early_without_patience() {
    let folder = tempdir().unwrap();
    let run = with_config(|config| config.epochs = 6);
    let (trained, _) = fit_scripted(&run, folder.path(), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(trained.progress.epoch, 6);
}

#[test]
fn without_a_validation_part_every_epoch_is_trained_and_the_last_is_kept() {
    let folder = tempdir().unwrap();
    let run = with_config(|config| (config.epochs, config.patience) = (5, Some(1)));
    let mut last = NamedTensors::new();
    let mut validate = |model: &Served| {
        last = named_tensors(model);
        Ok(Metrics::new())
    };
    let trained = run.fit(folder.path(), &mut validate).unwrap();
    assert_eq!(trained.progress.epoch, 5);
    assert_eq!(trained.progress.early_stop.best, Some((5, None)));
    assert_eq!(named_tensors(&trained.model), last);
    let csv = String::from_utf8(bytes(folder.path(), "history.csv")).unwrap();
    assert!(
        csv.starts_with("epoch,train_loss,train_squared_error,learning_rate,seconds,examples_per_second\n"),
        "{csv}"
    );
}

/// Must not be asked: what it would be asked about is empty.
struct Unasked;

impl RatingPredictor for Unasked {
    fn predict_pairs(&self, _: &[u32], _: &[u32]) -> Vec<f32> {
        unreachable!("there is no pair to predict")
    }
}

#[test]
fn a_part_without_ratings_measures_nothing() {
    let part = EvaluationPart::new(ratings(0), &ratings(9), 7, &EvaluationConfig::default());
    let measured = part.measure(Judged { predictor: Some(&Unasked), scorer: None }).unwrap();
    assert_eq!(measured, Measured::default());
}

/// Trains until these metrics end the run.
fn failure_of(run: &Run, metrics: &Metrics) -> String {
    let folder = tempdir().unwrap();
    run.fit(folder.path(), &mut |_| Ok(metrics.clone())).unwrap_err().to_string()
}

#[test]
fn a_monitor_that_is_not_measured_is_named_with_what_is() {
    let mut metrics = metric("rmse", 1.0);
    metrics.insert("ndcg@10", 0.5);
    metrics.insert_undefined("r2", "no variance");
    let run = with_config(|config| config.monitor = "ndcg@5".to_owned());
    assert_eq!(
        failure_of(&run, &metrics),
        "training.monitor = ndcg@5: not measured on the validation part, expected one of rmse, ndcg@10"
    );
}

#[test]
fn a_monitor_without_a_value_is_an_error_with_the_reason() {
    let mut metrics = metric("rmse", 1.0);
    metrics.insert_undefined("r2", "all 9 targets equal 4, which leaves no variance");
    let run = with_config(|config| config.monitor = "r2".to_owned());
    assert_eq!(
        failure_of(&run, &metrics),
        "training.monitor = r2: undefined on the validation part (all 9 targets equal 4, which leaves no variance), \
         expected one of rmse"
    );
}

#[test]
fn a_validation_that_fails_ends_the_run_with_its_error() {
    let folder = tempdir().unwrap();
    let mut validate = |_: &Served| Err(MetricError::EmptyCatalogue);
    let error = Run::default().fit(folder.path(), &mut validate).unwrap_err();
    assert!(matches!(&error, TrainError::Metric(MetricError::EmptyCatalogue)), "{error}");
    assert!(error.to_string().starts_with("the validation part cannot be measured: "), "{error}");
}

#[test]
fn a_loss_that_is_not_a_number_ends_the_run_and_names_epoch_step_and_learning_rate() {
    let folder = tempdir().unwrap();
    let mut run = Run::default();
    run.ratings.rating[17] = f32::NAN;
    let batches = RatingBatches::new(run.ratings.clone(), run.config.batch_size, run.config.seed);
    let place = batches.order(0).examples.iter().position(|&row| row == 17).unwrap();
    let error = run.fit_and_validate(folder.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the loss became NaN in epoch 1, step {}; lower training.learning_rate (now 0.1)",
            place / run.config.batch_size + 1
        )
    );
    assert!(!folder.path().join(WEIGHTS).exists());
    assert!(!folder.path().join(CHECKPOINT).exists());
}

#[test]
fn a_gradient_that_is_not_a_number_ends_the_run_and_names_the_parameter_the_step_and_what_to_do() {
    let folder = tempdir().unwrap();
    let run = Run { root_of_zero_at: Some((0, 3)), ..Run::default() };
    let error = run.fit_and_validate(folder.path()).unwrap_err();
    assert!(matches!(&error, TrainError::Gradient(_)), "{error}");
    assert_eq!(
        error.to_string(),
        "the gradient of item_bias has norm NaN at step 4, which was not taken; lower the learning rate, or look for \
         values in the data that are not finite"
    );
    assert!(!folder.path().join(WEIGHTS).exists());
    assert!(!folder.path().join(CHECKPOINT).exists());
}

#[test]
fn steps_that_are_too_long_end_the_run() {
    let folder = tempdir().unwrap();
    let mut run = with_config(|config| (config.epochs, config.learning_rate) = (50, 30.0));
    run.config.optimizer.kind = cresset_nn::optim::OptimizerKind::Sgd;
    let error = run.fit(folder.path(), &mut |_| Ok(Metrics::new())).unwrap_err();
    assert!(matches!(error, TrainError::Diverged { loss, .. } if !loss.is_finite()), "{error}");
}

#[test]
#[should_panic(expected = "at least one example to train on")]
fn an_empty_training_part_is_refused() {
    let folder = tempdir().unwrap();
    let run = Run { ratings: ratings(0), ..Run::default() };
    let _ = run.fit_and_validate(folder.path());
}

#[test]
#[should_panic(expected = "a config within its documented ranges")]
fn a_config_outside_its_ranges_is_refused() {
    let folder = tempdir().unwrap();
    let _ = with_config(|config| config.epochs = 0).fit_and_validate(folder.path());
}

#[test]
fn equal_seeds_give_equal_bytes_and_another_seed_others() {
    let weights_of = |seed| {
        let folder = tempdir().unwrap();
        with_config(|config| config.seed = seed).fit_and_validate(folder.path()).unwrap();
        bytes(folder.path(), WEIGHTS)
    };
    let first = weights_of(42);
    assert_eq!(weights_of(42), first);
    assert_ne!(weights_of(43), first);
}

#[test]
fn a_folder_that_vanishes_is_an_error_that_names_the_file() {
    let folder = tempdir().unwrap();
    let mut validate = |_: &Served| {
        let _ = fs::remove_dir_all(folder.path().join("best_model"));
        Ok(metric("rmse", 1.0))
    };
    let error = Run::default().fit(folder.path(), &mut validate).unwrap_err();
    assert!(matches!(error, TrainError::Unsaved { .. }), "{error}");
    assert!(error.to_string().contains("weights.safetensors"), "{error}");
}
