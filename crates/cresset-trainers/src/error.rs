//! How training fails.

use cresset_data::files::FileError;
use cresset_metrics::MetricError;
use cresset_nn::Precision;
use cresset_nn::optim::NonFiniteGradient;

use crate::checkpoint::CheckpointError;
use crate::strategy::StrategyError;

/// Why training ended without a model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The loss is not a number any more.
    #[error(
        "the loss became {loss} in epoch {epoch}, step {step}; lower training.learning_rate (now {learning_rate})"
    )]
    Diverged {
        /// Epoch, from 1.
        epoch: u64,
        /// Step in it, from 1.
        step: usize,
        /// The loss.
        loss: f32,
        /// The learning rate.
        learning_rate: f64,
    },
    /// The loss is a number, but its gradient is not.
    #[error(transparent)]
    Gradient(#[from] NonFiniteGradient),
    /// The strategy, a group or the schedule does not fit the model or the data.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// The device cannot reckon in the precision that is asked for.
    #[error("training.precision = {precision}: this device lacks it; set f32, or choose another --device")]
    Precision {
        /// The precision.
        precision: Precision,
    },
    /// Somebody asked to stop.
    #[error(
        "interrupted in epoch {epoch} after {step} steps, all saved; continue with --resume --output {run}"
    )]
    Interrupted {
        /// Epoch, from 1.
        epoch: u64,
        /// Steps finished in it.
        step: usize,
        /// The run directory.
        run: String,
    },
    /// The monitored metric has no value to tell a better epoch by.
    #[error("training.monitor = {monitor}: {cause}, expected one of {known}")]
    Monitor {
        /// The key's value.
        monitor: String,
        /// Why it has none.
        cause: String,
        /// What has a value.
        known: String,
    },
    /// The validation could not be measured.
    #[error("the validation part cannot be measured: {0}")]
    Metric(#[from] MetricError),
    /// A checkpoint or the weights could not be saved or restored.
    #[error(transparent)]
    Weights(#[from] CheckpointError),
    /// What must be kept of the run could not be written.
    #[error("{cause}; make room there, then go on from the last checkpoint with --resume --output {run}")]
    Unsaved {
        /// The file, and what the system said.
        cause: CheckpointError,
        /// The run directory.
        run: String,
    },
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}
