//! Which training a checkpoint is of: going on with another would end in neither.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::{TrainingConfig, differences};

/// The config and the amount of data of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Origin {
    training: Value,
    n_examples: usize,
    n_steps: usize,
}

/// Keys of `training` that a run may be resumed with another value of: they lengthen it or change none of its numbers.
const MAY_CHANGE: [&str; 5] = ["epochs", "patience", "baselines", "checkpoint", "alerts"];

impl Origin {
    pub(crate) fn new(training: &TrainingConfig, n_examples: usize, n_steps: usize) -> Self {
        let follows_epochs = training.schedule.follows_epochs();
        let mut training = serde_json::to_value(training).expect("plain numbers and text");
        if let Some(section) = training.as_object_mut() {
            let is_kept = |key: &str| !MAY_CHANGE.contains(&key) || key == "epochs" && follows_epochs;
            section.retain(|key, _| is_kept(key));
        }
        Self { training, n_examples, n_steps }
    }

    /// What is not as it was, each with its value then and now.
    pub(super) fn changes(&self, now: &Self) -> Vec<String> {
        let change =
            |(key, then, now): (String, String, String)| format!("training.{key} ({then} then, {now} now)");
        let mut changes: Vec<String> =
            differences(&self.training, &now.training).into_iter().map(change).collect();
        if changes.is_empty() && (self.n_examples, self.n_steps) != (now.n_examples, now.n_steps) {
            changes.push(format!(
                "training part ({} examples in {} steps then, {} in {} now)",
                self.n_examples, self.n_steps, now.n_examples, now.n_steps
            ));
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ScheduleConfig, ScheduleKind};

    #[test]
    fn what_changed_is_named_with_both_values_and_what_may_change_is_not() {
        let before = TrainingConfig::default();
        let mut now = TrainingConfig { epochs: 99, patience: None, seed: 7, ..before.clone() };
        now.checkpoint.every_steps = Some(5);
        now.optimizer.beta_1 = 0.5;
        let origin = |config| Origin::new(config, 10, 2);
        assert_eq!(
            origin(&before).changes(&origin(&now)),
            ["training.optimizer.beta_1 (`0.9` then, `0.5` now)", "training.seed (`42` then, `7` now)"]
        );
        assert_eq!(origin(&before).changes(&origin(&before)), Vec::<String>::new());
    }

    #[test]
    fn epochs_may_not_change_where_the_shape_of_the_schedule_is_theirs() {
        let schedule = ScheduleConfig { kind: ScheduleKind::Cosine, ..ScheduleConfig::default() };
        let before = TrainingConfig { schedule, epochs: 10, ..TrainingConfig::default() };
        let origin = |epochs| Origin::new(&TrainingConfig { epochs, ..before.clone() }, 10, 2);
        assert_eq!(origin(10).changes(&origin(20)), ["training.epochs (`10` then, `20` now)"]);
    }

    #[test]
    fn more_data_are_another_training() {
        let config = TrainingConfig::default();
        assert_eq!(
            Origin::new(&config, 10, 2).changes(&Origin::new(&config, 11, 3)),
            ["training part (10 examples in 2 steps then, 11 in 3 now)"]
        );
    }
}
