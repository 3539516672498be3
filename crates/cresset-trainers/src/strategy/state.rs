//! What a strategy remembers from step to step.

use serde::{Deserialize, Serialize};

use super::alternation::{Alternation, AlternationSeries};

/// Where a strategy stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StrategyState {
    /// The stage that learns, from 0.
    pub stage: usize,
    /// Epochs finished when it began.
    pub epochs_before: u64,
    /// Steps that the optimiser had taken when it began.
    pub steps_before: u64,
    /// Whose turn it is, where modules alternate.
    pub alternation: Alternation,
    /// How that came to be, over all stages.
    pub series: AlternationSeries,
}

impl StrategyState {
    /// Begins the next stage, in which nobody has had a turn.
    pub(crate) fn next_stage(&mut self, epochs_before: u64, steps_before: u64) {
        self.stage += 1;
        (self.epochs_before, self.steps_before) = (epochs_before, steps_before);
        self.alternation = Alternation::default();
    }
}
