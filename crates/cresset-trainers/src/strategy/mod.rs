//! Strategies: which groups of parameters learn in a step, at which rate, and from which terms of the loss.
//!
//! Every strategy is a list of stages. Training everything jointly is one stage without a name; two modules that
//! alternate are a rule within a stage, and a curriculum is a factor on the weights of all of them. What a strategy
//! remembers is a [`StrategyState`], a field of the run's progress, so that a resumed run knows whose turn it is.

mod alternation;
mod check;
mod config;
mod curriculum;
mod error;
mod plan;
mod state;

pub use alternation::{Alternation, AlternationRow, AlternationSeries};
pub use check::check;
pub(crate) use config::prefix;
pub use config::{AlternatingConfig, ModuleConfig, StageConfig, StrategyConfig, StrategyKind};
pub use curriculum::Curriculum;
pub use error::StrategyError;
pub(crate) use plan::Plan;
pub use state::StrategyState;
