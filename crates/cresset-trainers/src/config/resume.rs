//! Which keys a run may be resumed with another value of.

use super::TrainingConfig;
use crate::strategy::StrategyKind;

/// Whether `key` lengthens a run, and `now` has more of it, or changes none of its numbers.
///
/// ```
/// use cresset_trainers::config::{ScheduleConfig, ScheduleKind, TrainingConfig, may_change};
///
/// let before = TrainingConfig::default();
/// let now = TrainingConfig { epochs: before.epochs + 1, ..before.clone() };
/// assert!(may_change("training.epochs", &before, &now));
/// assert!(!may_change("training.epochs", &now, &before));
/// assert!(!may_change("training.batch_size", &before, &now));
///
/// // Half a cosine over 21 epochs is another from the first of them than one over 20.
/// let cosine = ScheduleConfig { kind: ScheduleKind::Cosine, ..ScheduleConfig::default() };
/// assert!(!may_change("training.epochs", &TrainingConfig { schedule: cosine, ..before }, &now));
/// ```
pub fn may_change(key: &str, before: &TrainingConfig, now: &TrainingConfig) -> bool {
    match key {
        "training.epochs" => now.epochs > before.epochs && !before.schedule.follows_epochs(),
        "training.patience" => before.patience.is_some_and(|old| now.patience.is_none_or(|new| new > old)),
        "training.alerts" | "training.baselines" | "data.num_workers" | "data.prefetch" => true,
        _ => ["training.checkpoint.", "output.", "search."].iter().any(|section| key.starts_with(section)),
    }
}

/// Whether `now` lets a run that ended with `before` train on. Stages have epochs and patience of their own, which may not
/// change.
pub fn trains_on(before: &TrainingConfig, now: &TrainingConfig) -> bool {
    let keys = ["training.epochs", "training.patience"];
    before.strategy.kind != StrategyKind::Stages && keys.into_iter().any(|key| may_change(key, before, now))
}
