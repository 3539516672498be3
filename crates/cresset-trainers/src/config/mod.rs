//! The config of a run: sections with documented defaults, read strictly.
//!
//! `docs/config.md` lists every key with its default and range; `--set` goes over the file, and the file over the
//! defaults.

mod alias;
mod checkpoint;
mod error;
mod layer;
mod resume;
mod sections;
mod strict;
mod tree;

pub use crate::evaluation::EvaluationConfig;
pub use crate::schedule::{ScheduleConfig, ScheduleKind};
pub use crate::strategy::{
    AlternatingConfig, Curriculum, ModuleConfig, StageConfig, StrategyConfig, StrategyKind,
};
pub use alias::{ALIASES, Alias};
pub use checkpoint::CheckpointConfig;
pub use error::ConfigFileError;
pub use resume::{may_change, trains_on};
pub use sections::{ModelSection, OutputConfig, RunConfig, TrainingConfig};
pub use strict::load;
pub(crate) use tree::differences;
pub use tree::{Change, changed_keys, changes};
