//! How a command fails: whose fault it is decides the exit code.

use std::error::Error;
use std::fmt;

use cresset::baselines::{BaselineError, SavedBaselineError};
use cresset::data::DataError;
use cresset::data::files::FileError;
use cresset::data::negatives::NegativesError;
use cresset::device::DeviceError;
use cresset::kg_mf::KnowledgeError;
use cresset::metrics::MetricError;
use cresset::metrics::statistics::StatisticsError;
use cresset::nn::ConfigError;
use cresset::nn::weights::WeightsError;
use cresset::trainers::config::ConfigFileError;
use cresset::trainers::plot::PlotError;
use cresset::trainers::strategy::StrategyError;
use cresset::trainers::{PerUserError, RunDir, RunDirError, SavedDataError, TrainError};
use cresset::two_tower::TwoTowerError;

/// One sentence about what went wrong, and the exit code that goes with it.
#[derive(Debug)]
pub struct Failure {
    cause: Box<dyn Error>,
    is_input: bool,
}

impl Failure {
    /// The arguments, the config or the data are at fault: exit code 2.
    pub fn input(cause: impl Into<Box<dyn Error>>) -> Self {
        Self { cause: cause.into(), is_input: true }
    }

    /// Anything else: exit code 1.
    pub fn other(cause: impl Into<Box<dyn Error>>) -> Self {
        Self { cause: cause.into(), is_input: false }
    }

    /// The same, telling to resume `run` where one of its folds or trials was interrupted.
    #[must_use]
    pub fn in_fold_of(mut self, run: &RunDir) -> Self {
        if let Some(TrainError::Interrupted { run: named, .. } | TrainError::Unsaved { run: named, .. }) =
            self.cause.downcast_mut()
        {
            *named = run.path().display().to_string();
        }
        self
    }

    /// Why the training itself failed, where its config is at fault and not the data or the machine: a trial like that is
    /// no reason to end a search.
    pub fn of_training(&self) -> Option<&TrainError> {
        let cause = self.cause.downcast_ref();
        cause.filter(|error| matches!(error, TrainError::Diverged { .. } | TrainError::Gradient(_)))
    }

    /// 2 for bad arguments, config or data, 1 for anything else.
    pub fn exit_code(&self) -> u8 {
        if self.is_input { 2 } else { 1 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

macro_rules! fails_as {
    ($make:ident: $($error:ty),+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Failure::$make(error)
            }
        })+
    };
}

fails_as!(input: ConfigError, ConfigFileError, DataError, DeviceError, FileError, RunDirError, SavedDataError);
fails_as!(input: WeightsError, StrategyError, TwoTowerError);
fails_as!(input: BaselineError, SavedBaselineError);
fails_as!(input: KnowledgeError);
fails_as!(input: NegativesError, PerUserError, StatisticsError);
fails_as!(other: MetricError, PlotError);

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Diverged { .. }
            | TrainError::Gradient(_)
            | TrainError::Interrupted { .. }
            | TrainError::Unsaved { .. }
            | TrainError::Metric(_) => Self::other(error),
            TrainError::Monitor { .. }
            | TrainError::Strategy(_)
            | TrainError::Precision { .. }
            | TrainError::Weights(_)
            | TrainError::File(_) => Self::input(error),
        }
    }
}
