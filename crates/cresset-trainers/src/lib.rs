#![recursion_limit = "256"]
//! stub
mod checkpoint;
pub mod config;
mod early_stop;
mod evaluation;
mod history;
pub mod manifest;
pub mod memory;
pub mod plot;
mod progress;
pub mod results;
mod run_dir;
mod saved_data;
mod stop;
mod trainer;

pub use checkpoint::Progress;
pub use early_stop::EarlyStop;
pub use evaluation::{EvaluationPart, Judged, RankingCounts};
pub use history::{EpochRecord, History};
pub use run_dir::{RunDir, RunDirError};
pub use saved_data::{SavedData, SavedDataError};
pub use stop::StopFlag;
pub use trainer::{TrainError, Trained, Trainer};
