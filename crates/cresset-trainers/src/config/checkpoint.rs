//! How often a run is saved.

use cresset_nn::ConfigError;
use serde::{Deserialize, Serialize};

/// When a checkpoint is written, beside the best epochs so far, the end and Ctrl-C, where one always is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointConfig {
    /// Steps from one to the next, at least 1; null writes none within an epoch. Default: null.
    ///
    /// A step that finds the one before still being written leaves it to the next step.
    pub every_steps: Option<u64>,
    /// Epochs from one to the next, at least 1. Default: 1.
    pub every_epochs: u64,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self { every_steps: None, every_epochs: 1 }
    }
}

impl CheckpointConfig {
    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (steps, epochs) = (self.every_steps.unwrap_or(0) as f64, self.every_epochs as f64);
        ConfigError::first_of(&[
            (
                "every_steps",
                steps,
                self.every_steps != Some(0),
                "at least 1, or null for none within an epoch",
            ),
            ("every_epochs", epochs, self.every_epochs >= 1, "at least 1"),
        ])
    }

    /// Whether `steps` since the last one are enough.
    pub(crate) fn is_due_after(&self, steps: u64) -> bool {
        self.every_steps.is_some_and(|every| steps >= every)
    }
}
