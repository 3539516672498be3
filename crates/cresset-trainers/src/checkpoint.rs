//! The state of a run in one file, so that a kill leaves the old state or the new one and never a mixture.

use std::path::Path;

use cresset_nn::weights::{self, NamedTensors, WeightsError};
use serde::{Deserialize, Serialize};

use crate::early_stop::EarlyStop;
use crate::history::{EpochRecord, History};

/// Where a run stands. All randomness is a function of seed, epoch and step, so no generator is saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs finished.
    pub epoch: u64,
    /// Steps finished in the epoch after those.
    pub step: usize,
    /// Steps that the optimiser has taken in all.
    pub optimizer_steps: u64,
    /// Sums of the running epoch: the loss and its parts by name, each times its examples.
    pub loss_sums: Vec<(String, f64)>,
    /// Examples in those sums.
    pub examples: usize,
    /// Seconds of training in the running epoch.
    pub epoch_seconds: f64,
    /// Seconds of the whole run before this session.
    pub seconds: f64,
    /// The best epoch so far.
    pub early_stop: EarlyStop,
    /// The epochs so far.
    pub history: History,
}

impl Progress {
    pub(crate) fn add_losses(&mut self, loss: f32, parts: &[(&str, f32)], n_examples: usize) {
        let all = std::iter::once(("loss", loss)).chain(parts.iter().copied());
        for (place, (name, value)) in all.enumerate() {
            if self.loss_sums.len() == place {
                self.loss_sums.push((name.to_owned(), 0.0));
            }
            self.loss_sums[place].1 += f64::from(value) * n_examples as f64;
        }
        self.examples += n_examples;
    }

    /// Mean loss of the running epoch.
    pub(crate) fn mean_loss(&self) -> f64 {
        self.loss_sums.first().map_or(f64::NAN, |(_, sum)| sum / self.examples as f64)
    }

    /// Examples in each second of the running epoch.
    pub(crate) fn examples_per_second(&self) -> f64 {
        self.examples as f64 / self.epoch_seconds
    }

    /// Turns the running epoch into a row of the history.
    pub(crate) fn close_epoch(&mut self, learning_rate: f64, valid: Vec<(String, Option<f64>)>) {
        let examples = self.examples as f64;
        self.epoch += 1;
        self.history.epochs.push(EpochRecord {
            epoch: self.epoch,
            losses: std::mem::take(&mut self.loss_sums).into_iter().map(|(name, sum)| (name, sum / examples)).collect(),
            learning_rate,
            seconds: self.epoch_seconds,
            examples_per_second: self.examples_per_second(),
            valid,
        });
        (self.step, self.examples, self.epoch_seconds) = (0, 0, 0.0);
    }
}

/// Everything that resume needs.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) progress: Progress,
    pub(crate) model: NamedTensors,
    pub(crate) optimizer: NamedTensors,
}

const MODEL: &str = "model:";
const OPTIMIZER: &str = "optimizer:";

impl Checkpoint {
    pub(crate) fn save(self, file: &Path) -> Result<(), WeightsError> {
        let prefixed = |prefix: &'static str, tensors: NamedTensors| {
            tensors.into_iter().map(move |(name, data)| (format!("{prefix}{name}"), data))
        };
        let tensors = prefixed(MODEL, self.model).chain(prefixed(OPTIMIZER, self.optimizer)).collect();
        let progress = serde_json::to_string(&self.progress).expect("plain numbers and text");
        weights::save_with_note(&tensors, &progress, file)
    }

    pub(crate) fn load(file: &Path) -> Result<Self, WeightsError> {
        let (tensors, note) = weights::load_with_note(file)?;
        let broken = |cause: String| WeightsError::Format { file: file.display().to_string(), cause };
        let progress = serde_json::from_str(&note).map_err(|e| broken(format!("its state is damaged: {e}")))?;
        let mut checkpoint =
            Self { progress, model: NamedTensors::new(), optimizer: NamedTensors::new() };
        for (name, data) in tensors {
            if let Some(name) = name.strip_prefix(MODEL) {
                checkpoint.model.insert(name.to_owned(), data);
            } else if let Some(name) = name.strip_prefix(OPTIMIZER) {
                checkpoint.optimizer.insert(name.to_owned(), data);
            } else {
                return Err(WeightsError::Surplus(name));
            }
        }
        Ok(checkpoint)
    }
}
