//! The state of a run in one file, so that a kill leaves the old state or the new one and never a mixture.

mod best;
mod content;
mod origin;
mod saver;

use std::path::Path;

use cresset_data::files::FileError;
use cresset_nn::optim::LossScaler;
use cresset_nn::weights::WeightsError;
use serde::{Deserialize, Serialize};

pub(crate) use self::best::{load_best, mend_best};
pub(crate) use self::content::{Checkpoint, fill, note};
pub(crate) use self::origin::Origin;
pub(crate) use self::saver::{BEST_WEIGHTS, CHECKPOINT, Saver};
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
    /// The checkpoint is whole and belongs to another training.
    #[error("{file} was written with another {changes}; put back what changed or choose another --output")]
    Changed {
        /// The file.
        file: String,
        /// What differs, with its value then and now.
        changes: String,
    },
}

impl CheckpointError {
    /// The error with the file it is about.
    pub(crate) fn of(file: &Path) -> impl Fn(WeightsError) -> Self {
        let file = file.display().to_string();
        move |error| match error {
            WeightsError::File(error) => Self::File(error),
            WeightsError::Format { cause, .. } | WeightsError::Damaged { cause, .. } => {
                Self::Damaged { file: file.clone(), cause }
            }
            cause => Self::Foreign { file: file.clone(), cause },
        }
    }
}
