//! How a strategy does not fit its model.

use cresset_nn::optim::GroupError;

/// A strategy, a group or a schedule that names what the model does not have, or cannot be followed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StrategyError {
    /// Groups that do not fit the model.
    #[error("training.groups: {0}")]
    Groups(#[from] GroupError),
    /// A group that there is not.
    #[error("{key} names the group `{group}`, expected one of: {known}")]
    UnknownGroup {
        /// The key.
        key: String,
        /// The group.
        group: String,
        /// The groups there are.
        known: String,
    },
    /// A term of the loss that there is not.
    #[error("{key} names the term `{term}` of the loss, expected one of: {known}")]
    UnknownTerm {
        /// The key.
        key: String,
        /// The term.
        term: String,
        /// The terms there are.
        known: String,
    },
    /// A module that is to learn in turn, in a stage in which it must not learn.
    #[error(
        "training.strategy: stage {stage} alternates and does not list the group `{group}` under `learns`; add it"
    )]
    StillModule {
        /// The stage.
        stage: String,
        /// The module's group.
        group: String,
    },
    /// An epoch with nothing to minimise.
    #[error(
        "training.strategy leaves no term of the loss to minimise in epoch {epoch}: all of {terms} have weight 0 then, or \
         in the turn of a module; give one a weight above 0"
    )]
    NoTerm {
        /// The epoch, from 1.
        epoch: u64,
        /// The terms.
        terms: String,
    },
    /// A warm-up that lasts as long as what it comes before.
    #[error(
        "training.schedule.warmup_steps = {warmup}, expected fewer than the {steps} steps of {what}: the learning rate \
         would never reach its full size"
    )]
    Warmup {
        /// Steps of the warm-up.
        warmup: u64,
        /// Steps of the run or stage.
        steps: u64,
        /// The run or the stage.
        what: String,
    },
    /// A checkpoint of a run with other groups.
    #[error(
        "the checkpoint has {found} groups of parameters, and training.groups makes {expected}; resume with the config \
         that it was trained with"
    )]
    OtherGroups {
        /// Groups of the checkpoint.
        found: usize,
        /// Groups of the config.
        expected: usize,
    },
}
