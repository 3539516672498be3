//! Which epoch is best so far, and when to give up on a better one.

use cresset_metrics::Direction;
use serde::{Deserialize, Serialize};

/// The best epoch so far by one validation metric, or the newest where nothing is validated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EarlyStop {
    /// The best epoch, from 1, and its value; without a value where nothing is validated.
    pub best: Option<(u64, Option<f64>)>,
    /// Epochs since then.
    pub waited: u64,
}

impl EarlyStop {
    /// Takes the value of an epoch; true if it is the best so far. Equal values keep the older epoch.
    pub fn observe(&mut self, epoch: u64, value: f64, direction: Direction) -> bool {
        let best = self.best.and_then(|(_, best)| best);
        if best.is_none_or(|best| direction.is_better(value, best)) {
            self.best = Some((epoch, Some(value)));
            self.waited = 0;
            return true;
        }
        self.waited += 1;
        false
    }

    /// Keeps an epoch after which nothing was measured: without a validation part the newest is the best, always.
    pub fn keep(&mut self, epoch: u64) -> bool {
        *self = Self { best: Some((epoch, None)), waited: 0 };
        true
    }

    /// Whether as many epochs as `patience` have passed without a better one.
    pub fn is_exhausted(&self, patience: Option<u64>) -> bool {
        patience.is_some_and(|patience| self.waited >= patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(values: &[f64], direction: Direction) -> EarlyStop {
        let mut stop = EarlyStop::default();
        for (epoch, &value) in (1..).zip(values) {
            stop.observe(epoch, value, direction);
        }
        stop
    }

    #[test]
    fn the_lowest_error_is_best_and_the_first_of_equals_is_kept() {
        let stop = after(&[0.95, 0.93, 0.94, 0.93], Direction::LowerIsBetter);
        assert_eq!(stop, EarlyStop { best: Some((2, Some(0.93))), waited: 2 });
    }

    #[test]
    fn the_highest_gain_is_best() {
        assert_eq!(after(&[0.1, 0.3, 0.2], Direction::HigherIsBetter).best, Some((2, Some(0.3))));
    }

    #[test]
    fn patience_ends_after_as_many_worse_epochs_and_never_when_it_is_off() {
        let stop = after(&[0.93, 0.94, 0.95], Direction::LowerIsBetter);
        assert!(stop.is_exhausted(Some(2)));
        assert!(!stop.is_exhausted(Some(3)));
        assert!(!stop.is_exhausted(None));
    }

    #[test]
    fn without_values_the_newest_epoch_is_kept_and_nobody_waits() {
        let mut stop = after(&[0.93, 0.94], Direction::LowerIsBetter);
        assert!(stop.keep(3));
        assert_eq!(stop, EarlyStop { best: Some((3, None)), waited: 0 });
        assert!(!stop.is_exhausted(Some(1)));
    }
}
