//! Searching hyperparameters: which configs are tried, for how long, and what became of them.
//!
//! A [`SearchConfig`] names keys of the config and the values that each may have. From it and nothing else follow the
//! [`Trial`]s, each a few `key=value` over the config, and the [`Rung`]s they climb: all of them at once where every trial
//! is trained to its end, and in successive halving the best few again and again with more epochs. What became of each
//! trial is a [`TrialRecord`]; together they make the table, and say who climbs on. Who trains the trials is not known
//! here.
//!
//! ```
//! use cresset_metrics::Direction;
//! use cresset_trainers::search::{SearchConfig, TrialRecord, survivors};
//!
//! let config: SearchConfig = yaml_serde::from_str(
//!     "
//! method: halving
//! n_trials: 9
//! min_epochs: 2
//! space:
//!   - key: training.learning_rate
//!     min: 0.0001
//!     max: 0.1
//!     scale: log
//!   - key: model.embedding_dim
//!     values: [16, 32, 64]
//! ",
//! )?;
//! config.validate()?;
//! let trials = config.trials();
//! assert_eq!(trials.len(), 9);
//! let epochs: Vec<u64> = config.rungs(trials.len(), 18).iter().map(|rung| rung.epochs).collect();
//! assert_eq!(epochs, [2, 6, 18]);
//!
//! // After two epochs a third of them goes on.
//! let mut records: Vec<TrialRecord> = trials.into_iter().map(TrialRecord::new).collect();
//! for record in &mut records {
//!     let value = 1.0 + record.trial.number as f64 / 10.0;
//!     record.reached(2, 2, Some(value), 0.5);
//! }
//! assert_eq!(survivors(&records, 2, Direction::LowerIsBetter, 3), [1, 2, 3]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//!
//! Successive halving: Jamieson and Talwalkar, AISTATS 2016, <https://arxiv.org/abs/1502.07943>.

mod config;
mod record;
mod space;

pub use config::{Rung, SearchConfig, SearchMethod};
pub use record::{Climbed, TrialRecord, best, survivors, table_csv};
pub use space::{Dimension, Scale, Trial};
