//! A run that was stopped goes on as if it had not been.

use std::fs;
use std::path::Path;

use cresset_data::{Batches, RatingBatches};
use cresset_metrics::Metrics;
use cresset_nn::optim::{LossScaler, OptimizerKind};
use cresset_nn::weights::{self, NamedTensors};
use cresset_trainers::config::CheckpointConfig;
use cresset_trainers::strategy::StrategyState;
use cresset_trainers::{CheckpointError, EarlyStop, TrainError, Trained};
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use crate::support::{CHECKPOINT, N_ITEMS, Run, Served, WEIGHTS, bytes, copy_folder, metric, ratings};

/// Losses, learning rate and metrics of an epoch, to the bit; seconds may differ.
type Epoch = (u64, Vec<(String, u64)>, u64, Vec<(String, Option<u64>)>);

/// Everything of a finished run that must not depend on how often it was stopped.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    best_weights: Vec<u8>,
    /// Weights and moments at the end.
    state: NamedTensors,
    early_stop: EarlyStop,
    optimizer_steps: u64,
    group_steps: Vec<u64>,
    scaler: Option<LossScaler>,
    strategy: StrategyState,
    epochs: Vec<Epoch>,
}

pub(crate) fn outcome<M>(folder: &Path, trained: &Trained<M>) -> Outcome {
    let progress = &trained.progress;
    let epoch = |epoch: &cresset_trainers::EpochRecord| {
        let losses = epoch.losses.iter().map(|(name, loss)| (name.clone(), loss.to_bits())).collect();
        let valid = epoch.valid.iter().map(|(name, value)| (name.clone(), value.map(f64::to_bits))).collect();
        (epoch.epoch, losses, epoch.learning_rate.to_bits(), valid)
    };
    Outcome {
        best_weights: bytes(folder, WEIGHTS),
        state: weights::load(&folder.join(CHECKPOINT)).unwrap(),
        early_stop: progress.early_stop.clone(),
        optimizer_steps: progress.optimizer_steps,
        group_steps: progress.group_steps.clone(),
        scaler: progress.scaler.clone(),
        strategy: progress.strategy.clone(),
        epochs: progress.history.epochs.iter().map(epoch).collect(),
    }
}

fn uninterrupted(run: &Run) -> Outcome {
    let folder = tempdir().unwrap();
    let trained = run.fit_and_validate(folder.path()).unwrap();
    outcome(folder.path(), &trained)
}

/// The run stopped after each of `stops` (epoch and step, from 0, ascending), and resumed to its end.
fn interrupted(stops: impl IntoIterator<Item = (u64, usize)>) -> Outcome {
    let folder = tempdir().unwrap();
    for (epoch, step) in stops {
        let error = Run { stop_at: Some((epoch, step)), ..Run::default() }
            .fit_and_validate(folder.path())
            .unwrap_err();
        let expected = format!(
            "interrupted in epoch {} after {} steps, all saved; continue with --resume --output {}",
            epoch + 1,
            step + 1,
            folder.path().display()
        );
        assert_eq!(error.to_string(), expected);
    }
    let trained = Run::default().fit_and_validate(folder.path()).unwrap();
    outcome(folder.path(), &trained)
}

#[test]
fn a_run_stopped_at_the_borders_of_epochs_ends_as_an_uninterrupted_one() {
    let run = Run::default();
    let (last_step, last_epoch) = (run.n_steps() - 1, run.config.epochs - 1);
    assert_eq!(interrupted([(0, 0), (0, last_step), (1, 0), (last_epoch, last_step)]), uninterrupted(&run));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_run_stopped_at_any_steps_ends_as_an_uninterrupted_one(
        stops in prop::collection::btree_set((0u64..4, 0usize..11), 1..5),
    ) {
        prop_assert_eq!(interrupted(stops), uninterrupted(&Run::default()));
    }
}

#[test]
fn a_run_killed_in_any_epoch_ends_as_an_uninterrupted_one() {
    let (folder, copies) = (tempdir().unwrap(), tempdir().unwrap());
    let run = Run::default();
    let valid = ratings(9);
    let mut n_copies = 0;
    // While epoch n is validated, nothing of it is saved yet.
    let mut validate = |model: &Served| {
        copy_folder(folder.path(), &copies.path().join(n_copies.to_string()));
        n_copies += 1;
        Ok(metric("rmse", model.rmse(&valid)))
    };
    run.fit(folder.path(), &mut validate).unwrap();
    let expected = uninterrupted(&run);
    for copy in (0..n_copies).map(|copy| copies.path().join(copy.to_string())) {
        let trained = run.fit_and_validate(&copy).unwrap();
        assert_eq!(outcome(&copy, &trained), expected);
    }
    // Killed after the best weights were written, and before the checkpoint that knows of them.
    let copy = copies.path().join("between");
    copy_folder(folder.path(), &copy);
    fs::write(copy.join(CHECKPOINT), checkpoint_after(1)).unwrap();
    let trained = run.fit_and_validate(&copy).unwrap();
    assert_eq!(outcome(&copy, &trained), expected);
}

/// The checkpoint after `epochs` epochs of the default run.
fn checkpoint_after(epochs: u64) -> Vec<u8> {
    bytes(trained_for(epochs).path(), CHECKPOINT)
}

fn trained_for(epochs: u64) -> TempDir {
    let folder = tempdir().unwrap();
    let mut run = Run::default();
    run.config.epochs = epochs;
    run.fit_and_validate(folder.path()).unwrap();
    folder
}

#[test]
fn a_finished_run_can_be_given_more_epochs() {
    let folder = trained_for(2);
    let trained = Run::default().fit_and_validate(folder.path()).unwrap();
    assert_eq!(outcome(folder.path(), &trained), uninterrupted(&Run::default()));
}

#[test]
fn a_finished_run_is_returned_without_training() {
    let folder = trained_for(4);
    let before = bytes(folder.path(), CHECKPOINT);
    let mut validate = |_: &Served| unreachable!("there is no epoch left to validate");
    let trained = Run::default().fit(folder.path(), &mut validate).unwrap();
    assert_eq!(trained.progress.epoch, 4);
    assert_eq!(bytes(folder.path(), CHECKPOINT), before);
}

#[test]
fn a_run_without_a_validation_part_resumes_too() {
    let run = Run { stop_at: Some((2, 5)), ..Run::default() };
    let folder = tempdir().unwrap();
    let nothing = |_: &Served| Ok(Metrics::new());
    run.fit(folder.path(), &mut nothing.clone()).unwrap_err();
    let trained = Run::default().fit(folder.path(), &mut nothing.clone()).unwrap();
    let whole = tempdir().unwrap();
    let expected = Run::default().fit(whole.path(), &mut nothing.clone()).unwrap();
    assert_eq!(outcome(folder.path(), &trained), outcome(whole.path(), &expected));
}

#[test]
fn what_a_killed_write_left_behind_does_no_harm() {
    let folder = trained_for(2);
    for leftover in
        ["checkpoints/last/.checkpoint.safetensors.7-0.tmp", "best_model/.weights.safetensors.7-1.tmp"]
    {
        fs::write(folder.path().join(leftover), b"half a file").unwrap();
    }
    let trained = Run::default().fit_and_validate(folder.path()).unwrap();
    assert_eq!(outcome(folder.path(), &trained), uninterrupted(&Run::default()));
}

/// Resumes from a checkpoint with these bytes, which must fail and name the file.
fn resume_from(checkpoint: &[u8], run: &Run) -> CheckpointError {
    let folder = tempdir().unwrap();
    let file = folder.path().join(CHECKPOINT);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, checkpoint).unwrap();
    match run.fit_and_validate(folder.path()) {
        Err(TrainError::Weights(error)) => {
            assert!(error.to_string().contains(&file.display().to_string()), "{error}");
            error
        }
        other => panic!("expected a checkpoint error, not {:?}", other.map(|trained| trained.progress)),
    }
}

#[test]
fn a_checkpoint_cut_short_is_refused() {
    let whole = checkpoint_after(1);
    for length in [0, 1, 8, 100, whole.len() / 2, whole.len() - 1] {
        let error = resume_from(&whole[..length], &Run::default());
        assert!(matches!(error, CheckpointError::Damaged { .. }), "{length}: {error}");
    }
}

#[test]
fn a_checkpoint_with_one_changed_bit_is_refused_wherever_the_bit_is() {
    let whole = checkpoint_after(1);
    for at in (0..whole.len()).step_by(13) {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        let _ = resume_from(&changed, &Run::default());
    }
}

#[test]
fn a_checkpoint_of_another_model_is_refused() {
    let other = Run { n_items: N_ITEMS + 1, ..Run::default() };
    let error = resume_from(&checkpoint_after(1), &other);
    assert!(matches!(error, CheckpointError::Foreign { .. }), "{error}");
    assert!(error.to_string().contains("[11, 1]") && error.to_string().contains("[12, 1]"), "{error}");
}

#[test]
fn a_checkpoint_of_another_optimiser_is_refused() {
    let mut other = Run::default();
    other.config.optimizer.kind = OptimizerKind::Adagrad;
    let error = resume_from(&checkpoint_after(1), &other);
    assert!(matches!(error, CheckpointError::Changed { .. }), "{error}");
    assert!(error.to_string().contains("training.optimizer.kind (`adam` then, `adagrad` now)"), "{error}");
}

#[test]
fn a_checkpoint_of_other_data_is_refused() {
    let other = Run { ratings: ratings(43), ..Run::default() };
    let error = resume_from(&checkpoint_after(1), &other).to_string();
    assert!(error.contains("training part (42 examples in 11 steps then, 43 in 11 now)"), "{error}");
}

#[test]
fn a_changed_bit_of_a_tensor_is_named_with_the_tensor() {
    let mut changed = checkpoint_after(1);
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let error = resume_from(&changed, &Run::default()).to_string();
    assert!(error.contains("`optimizer:rows/item_bias/moment_2` has checksum"), "{error}");
}

#[test]
fn a_run_that_failed_within_an_epoch_goes_on_from_the_last_step_that_was_saved() {
    let folder = tempdir().unwrap();
    let mut run = Run::default();
    run.config.checkpoint.every_steps = Some(3);
    let batches = RatingBatches::new(run.ratings.clone(), run.config.batch_size, run.config.seed);
    let (good, last_row) = (run.ratings.clone(), batches.order(0).examples[run.ratings.len() - 1]);
    run.ratings.rating[last_row as usize] = f32::NAN;
    run.fit_and_validate(folder.path()).unwrap_err();
    let (_, note) = weights::load_with_note(&folder.path().join(CHECKPOINT)).unwrap();
    let note: serde_json::Value = serde_json::from_str(&note).unwrap();
    let step = note["progress"]["step"].as_u64().unwrap();
    assert!((3..11).contains(&step), "{note}");

    run.ratings = good;
    let trained = run.fit_and_validate(folder.path()).unwrap();
    assert_eq!(outcome(folder.path(), &trained), uninterrupted(&Run::default()));
}

#[test]
fn how_often_a_run_is_saved_changes_nothing_of_it() {
    let mut run = Run::default();
    for (every_steps, every_epochs) in [(Some(1), 1), (Some(4), 3), (None, 100)] {
        run.config.checkpoint = CheckpointConfig { every_steps, every_epochs };
        assert_eq!(uninterrupted(&run), uninterrupted(&Run::default()));
    }
}

/// A run of four epochs, the second of which is the best, and what each finds in its folder.
fn fit_with(folder: &Path, mut before_validation: impl FnMut(usize)) -> Result<Trained<Served>, TrainError> {
    let mut epoch = 0;
    Run::default().fit(folder, &mut |_| {
        epoch += 1;
        before_validation(epoch);
        Ok(metric("rmse", [3.0, 1.0, 2.0, 2.5][epoch - 1]))
    })
}

/// Puts a file in the place of a folder, so that nothing can be written there; or the folder back.
fn obstruct(folder: &Path, is_obstructed: bool) {
    let aside = folder.with_extension("aside");
    if is_obstructed {
        fs::rename(folder, aside).unwrap();
        fs::write(folder, "in the way").unwrap();
    } else {
        fs::remove_file(folder).unwrap();
        fs::rename(aside, folder).unwrap();
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_one_before_it_and_the_run_goes_on() {
    let whole = tempdir().unwrap();
    let expected = fit_with(whole.path(), |_| ()).unwrap();
    let expected = outcome(whole.path(), &expected);
    let folder = tempdir().unwrap();
    let last = folder.path().join("checkpoints/last");
    let mut before = Vec::new();
    let trained = fit_with(folder.path(), |epoch| match epoch {
        2 => {
            // The first checkpoint is under way or written.
            wait_for(&folder.path().join(CHECKPOINT));
            before = bytes(folder.path(), CHECKPOINT);
            obstruct(&last, true);
        }
        4 => obstruct(&last, false),
        _ => {}
    });
    assert_eq!(outcome(folder.path(), &trained.unwrap()), expected);
    assert_ne!(bytes(folder.path(), CHECKPOINT), before, "the last one found room again");
    let never = tempdir().unwrap();
    let trained = fit_with(never.path(), |epoch| {
        if epoch == 1 {
            obstruct(&never.path().join("checkpoints/last"), true);
        }
    });
    assert_eq!(trained.unwrap().progress.epoch, 4);
    assert_eq!(bytes(never.path(), WEIGHTS), expected.best_weights);
}

fn wait_for(file: &Path) {
    for _ in 0..1_000 {
        if file.exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    panic!("{} does not appear", file.display());
}

#[test]
fn best_weights_that_cannot_be_written_are_kept_until_they_can() {
    let whole = tempdir().unwrap();
    let expected = fit_with(whole.path(), |_| ()).unwrap();
    let folder = tempdir().unwrap();
    let best = folder.path().join("best_model");
    let trained = fit_with(folder.path(), |epoch| match epoch {
        2 => {
            wait_for(&best.join("weights.safetensors"));
            obstruct(&best, true);
        }
        // The save of epoch 2 has ended: that of epoch 3 waited for it.
        4 => obstruct(&best, false),
        _ => {}
    });
    assert_eq!(outcome(folder.path(), &trained.unwrap()), outcome(whole.path(), &expected));
}

#[test]
fn best_weights_that_can_never_be_written_end_the_run_and_a_resume_goes_on_from_them() {
    let whole = tempdir().unwrap();
    let expected = fit_with(whole.path(), |_| ()).unwrap();
    let folder = tempdir().unwrap();
    let best = folder.path().join("best_model");
    let failed = fit_with(folder.path(), |epoch| {
        if epoch == 2 {
            wait_for(&best.join("weights.safetensors"));
            obstruct(&best, true);
        }
    });
    let error = failed.unwrap_err();
    assert!(matches!(error, TrainError::Unsaved { .. }), "{error}");
    let message = error.to_string();
    for part in ["weights.safetensors", "make room there", "--resume --output"] {
        assert!(message.contains(part), "{message}");
    }
    obstruct(&best, false);
    // The checkpoint is that of epoch 2, and the weights of epoch 2 are written from it.
    let mut epoch = 2;
    let resumed = Run::default().fit(folder.path(), &mut |_| {
        epoch += 1;
        Ok(metric("rmse", [3.0, 1.0, 2.0, 2.5][epoch - 1]))
    });
    assert_eq!(outcome(folder.path(), &resumed.unwrap()), outcome(whole.path(), &expected));
}

#[test]
fn best_weights_of_the_epoch_that_the_checkpoint_ends_are_written_again_from_it() {
    let folder = trained_for(4);
    let (file, whole) = (folder.path().join(WEIGHTS), bytes(folder.path(), WEIGHTS));
    fs::write(&file, &whole[..50]).unwrap();
    Run::default().fit_and_validate(folder.path()).unwrap();
    assert_eq!(bytes(folder.path(), WEIGHTS), whole);
    fs::remove_file(&file).unwrap();
    Run::default().fit_and_validate(folder.path()).unwrap();
    assert_eq!(bytes(folder.path(), WEIGHTS), whole);
}

#[test]
fn best_weights_that_are_gone_or_damaged_are_named() {
    let folder = tempdir().unwrap();
    fit_with(folder.path(), |_| ()).unwrap();
    let file = folder.path().join(WEIGHTS);
    fs::write(&file, &bytes(folder.path(), WEIGHTS)[..50]).unwrap();
    let error = Run::default().fit_and_validate(folder.path()).unwrap_err().to_string();
    assert!(error.contains(&format!("{} is damaged", file.display())), "{error}");
    fs::remove_file(&file).unwrap();
    let error = Run::default().fit_and_validate(folder.path()).unwrap_err().to_string();
    assert!(error.contains(&format!("cannot read {}", file.display())), "{error}");
}
