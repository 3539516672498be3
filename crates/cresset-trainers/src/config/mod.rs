//! The config of a run: sections with documented defaults, read strictly.

mod sections;
mod strict;

pub use sections::{EvaluationConfig, ModelSection, OutputConfig, RunConfig, TrainingConfig};
pub use strict::{ALIASES, Alias, ConfigFileError, changed_keys, load};
