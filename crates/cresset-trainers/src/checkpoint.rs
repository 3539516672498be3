//! The state of a run in one file, so that a kill leaves the old state or the new one and never a mixture.

use std::path::Path;

use cresset_data::files::FileError;
use cresset_nn::optim::LossScaler;
use cresset_nn::weights::{self, NamedTensors, WeightsError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::early_stop::EarlyStop;
use crate::history::{EpochRecord, History};
use crate::strategy::StrategyState;

/// Where a run stands. All randomness is a function of seed, epoch and step, so no generator is saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs finished.
    pub epoch: u64,
    /// Steps finished in the epoch after those.
    pub step: usize,
    /// Passes in all; the chance of each is a function of its number.
    #[serde(default)]
    pub passes: u64,
    /// Steps that the optimiser has taken in all.
    pub optimizer_steps: u64,
    /// Of those, steps in which each group of parameters has learnt since its stage began, the rest last.
    #[serde(default)]
    pub group_steps: Vec<u64>,
    /// The scale of the loss, in half precision.
    #[serde(default)]
    pub scaler: Option<LossScaler>,
    /// Where the strategy stands.
    #[serde(default)]
    pub strategy: StrategyState,
    /// Sums of the running epoch: the loss and its terms by name, each times its examples.
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
    pub(crate) fn add_losses(&mut self, loss: f32, terms: &[(&str, f32)], n_examples: usize) {
        // A term called `loss` is all there is of it.
        let terms = terms.iter().copied().filter(|(name, _)| *name != "loss");
        let all = std::iter::once(("loss", loss)).chain(terms);
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
    pub(crate) fn close_epoch(
        &mut self,
        stage: Option<String>,
        learning_rate: f64,
        valid: Vec<(String, Option<f64>)>,
    ) {
        let examples = self.examples as f64;
        self.epoch += 1;
        self.history.epochs.push(EpochRecord {
            epoch: self.epoch,
            stage,
            losses: std::mem::take(&mut self.loss_sums)
                .into_iter()
                .map(|(name, sum)| (name, sum / examples))
                .collect(),
            learning_rate,
            seconds: self.epoch_seconds,
            examples_per_second: self.examples_per_second(),
            valid,
        });
        (self.step, self.examples, self.epoch_seconds) = (0, 0, 0.0);
    }
}

/// Why weights or a checkpoint could not be saved or taken up again.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is cut short, or a bit of it has changed.
    #[error("{file} is damaged ({cause}): restore it from a copy, or train again with another --output")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        cause: String,
    },
    /// The file is whole and does not fit the model or its optimiser.
    #[error("{file} does not fit: {cause}")]
    Foreign {
        /// The file.
        file: String,
        /// The first tensor that does not fit.
        cause: WeightsError,
    },
}

impl CheckpointError {
    /// The error with the file it is about.
    pub(crate) fn of(file: &Path) -> impl Fn(WeightsError) -> Self {
        let file = file.display().to_string();
        move |error| match error {
            WeightsError::File(error) => Self::File(error),
            WeightsError::Format { cause, .. } => Self::Damaged { file: file.clone(), cause },
            cause => Self::Foreign { file: file.clone(), cause },
        }
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
    pub(crate) fn save(self, file: &Path) -> Result<(), CheckpointError> {
        let prefixed = |prefix: &'static str, tensors: NamedTensors| {
            tensors.into_iter().map(move |(name, data)| (format!("{prefix}{name}"), data))
        };
        let tensors = prefixed(MODEL, self.model).chain(prefixed(OPTIMIZER, self.optimizer)).collect();
        let progress = serde_json::to_string(&self.progress).expect("plain numbers and text");
        let note = format!("{}\n{progress}", checksum(&tensors, &progress));
        weights::save_with_note(&tensors, &note, file).map_err(CheckpointError::of(file))
    }

    pub(crate) fn load(file: &Path) -> Result<Self, CheckpointError> {
        let (tensors, note) = weights::load_with_note(file).map_err(CheckpointError::of(file))?;
        let damaged = |cause: String| CheckpointError::Damaged { file: file.display().to_string(), cause };
        let (sum, progress) = note.split_once('\n').unwrap_or_default();
        if sum != checksum(&tensors, progress) {
            return Err(damaged("its checksum is not that of its content".to_owned()));
        }
        let progress = serde_json::from_str(progress).map_err(|e| damaged(e.to_string()))?;
        let (mut model, mut optimizer) = (NamedTensors::new(), NamedTensors::new());
        for (name, data) in tensors {
            if let Some(name) = name.strip_prefix(MODEL) {
                model.insert(name.to_owned(), data);
            } else if let Some(name) = name.strip_prefix(OPTIMIZER) {
                optimizer.insert(name.to_owned(), data);
            } else {
                return Err(damaged(format!("it holds `{name}`, which no checkpoint does")));
            }
        }
        Ok(Self { progress, model, optimizer })
    }
}

/// SHA-256 over everything in a checkpoint: safetensors itself does not notice a changed weight.
fn checksum(tensors: &NamedTensors, progress: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(progress);
    for (name, data) in tensors {
        hash.update(format!("{name}{:?}", data.shape.to_vec()));
        hash.update(data.as_bytes());
    }
    format!("{:x}", hash.finalize())
}
