//! What the history shows at the end of an epoch.

use cresset_metrics::Direction;

use super::Thresholds;
use super::pace::median;
use crate::history::EpochRecord;

/// The metric that decides, by its name, and which way.
#[derive(Debug, Clone, Copy)]
pub struct Monitored<'a> {
    /// Its name, as `ndcg@10`.
    pub name: &'a str,
    /// Whether more of it is better.
    pub direction: Direction,
}

/// The epochs of the stage that learns, oldest first; never empty.
pub(super) struct StageView<'a> {
    epochs: &'a [EpochRecord],
}

/// First and last value of the metric, and of the training loss, where nothing got better.
#[derive(Debug, PartialEq)]
pub(super) struct NoProgress {
    pub(super) metric: [f64; 2],
    pub(super) loss: [f64; 2],
    pub(super) epochs: [u64; 2],
}

/// The metric at its best and now, the training loss at the same times.
#[derive(Debug, PartialEq)]
pub(super) struct Overfit {
    pub(super) best_epoch: u64,
    pub(super) metric: [f64; 2],
    pub(super) loss: [f64; 2],
}

/// Examples a second of the last epoch, and the median of those before.
#[derive(Debug, PartialEq)]
pub(super) struct SlowEpoch {
    pub(super) speed: f64,
    pub(super) median: f64,
}

impl<'a> StageView<'a> {
    /// Those at the end of a history that are of one stage; `None` of an empty history.
    pub(super) fn of(history: &'a [EpochRecord]) -> Option<Self> {
        let stage = &history.last()?.stage;
        let others = history.iter().rposition(|epoch| epoch.stage != *stage).map_or(0, |place| place + 1);
        Some(Self { epochs: &history[others..] })
    }

    /// Whether the first epochs of a run brought nothing; asked of the epoch in which that is known, and of no other.
    pub(super) fn no_progress(&self, monitored: Monitored<'_>, bounds: &Thresholds) -> Option<NoProgress> {
        let is_first_stage = self.epochs[0].epoch == 1;
        if !is_first_stage || self.epochs.len() != bounds.first_epochs {
            return None;
        }
        let (first, last) = (self.epochs.first()?, self.epochs.last()?);
        let values: Option<Vec<f64>> = self.epochs.iter().map(|epoch| epoch.valid(monitored.name)).collect();
        let values = values?;
        let improved = values[1..].iter().any(|&value| monitored.direction.is_better(value, values[0]));
        (!improved).then(|| NoProgress {
            metric: [values[0], values[values.len() - 1]],
            loss: [loss(first), loss(last)],
            epochs: [first.epoch, last.epoch],
        })
    }

    /// Whether the training loss falls while the metric gets worse.
    pub(super) fn overfit(&self, monitored: Monitored<'_>, bounds: &Thresholds) -> Option<Overfit> {
        let n = bounds.overfit_epochs;
        let last = self.epochs.last()?;
        let now = last.valid(monitored.name)?;
        let (mut best, mut best_epoch) = (None, self.epochs.first()?);
        for epoch in self.epochs {
            let Some(value) = epoch.valid(monitored.name) else { continue };
            if best.is_none_or(|best| monitored.direction.is_better(value, best)) {
                (best, best_epoch) = (Some(value), epoch);
            }
        }
        let best = best?;
        let since = self.epochs.iter().filter(|epoch| epoch.epoch > best_epoch.epoch).count();
        let falls =
            self.epochs.windows(2).rev().take(n).filter(|pair| loss(&pair[1]) < loss(&pair[0])).count();
        let is_worse = (now - best).abs() >= bounds.overfit_loss * best.abs();
        (since >= n && falls == n && is_worse).then(|| Overfit {
            best_epoch: best_epoch.epoch,
            metric: [best, now],
            loss: [loss(best_epoch), loss(last)],
        })
    }

    /// Whether the last epoch's examples passed much slower than before.
    pub(super) fn slow(&self, bounds: &Thresholds) -> Option<SlowEpoch> {
        let (last, before) = self.epochs.split_last()?;
        if before.len() < 2 {
            return None;
        }
        let speeds: Vec<f64> = before.iter().map(|epoch| epoch.examples_per_second).collect();
        let (speed, median) = (last.examples_per_second, median(&speeds));
        let lost = last.seconds * (1.0 - speed / median);
        let is_slow = speed * bounds.slow_epoch_factor < median && lost >= bounds.slow_seconds;
        is_slow.then_some(SlowEpoch { speed, median })
    }
}

fn loss(epoch: &EpochRecord) -> f64 {
    epoch.losses.first().map_or(f64::NAN, |&(_, loss)| loss)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(losses: &[f64], rmse: &[f64]) -> Vec<EpochRecord> {
        let epochs = (1..).zip(losses.iter().zip(rmse));
        epochs
            .map(|(epoch, (&loss, &rmse))| EpochRecord {
                epoch,
                stage: None,
                losses: vec![("loss".to_owned(), loss)],
                learning_rate: 0.1,
                seconds: 10.0,
                examples_per_second: 1_000.0,
                valid: vec![("rmse".to_owned(), Some(rmse))],
            })
            .collect()
    }

    const RMSE: Monitored<'static> = Monitored { name: "rmse", direction: Direction::LowerIsBetter };

    fn no_progress(rmse: &[f64]) -> bool {
        let history = history(&[1.0; 9], rmse);
        StageView::of(&history).unwrap().no_progress(RMSE, &Thresholds::default()).is_some()
    }

    fn overfit(losses: &[f64], rmse: &[f64]) -> Option<u64> {
        let history = history(losses, rmse);
        let overfit = StageView::of(&history).unwrap().overfit(RMSE, &Thresholds::default());
        overfit.map(|overfit| overfit.best_epoch)
    }

    #[test]
    fn a_metric_that_is_never_better_than_in_epoch_1_is_told_in_epoch_3_and_only_then() {
        assert!(no_progress(&[1.0, 1.0, 1.01]));
        assert!(!no_progress(&[1.0, 1.0]));
        assert!(!no_progress(&[1.0, 1.0, 1.01, 1.02]));
        assert!(!no_progress(&[1.0, 1.1, 0.99]));
    }

    #[test]
    fn a_metric_that_worsens_for_three_epochs_while_the_loss_falls_is_overfitting() {
        assert_eq!(overfit(&[1.0, 0.9, 0.8, 0.7, 0.6], &[1.0, 0.9, 0.91, 0.92, 0.93]), Some(2));
    }

    #[test]
    fn a_metric_that_stays_or_a_loss_that_does_not_fall_is_not() {
        let falling = [1.0, 0.9, 0.8, 0.7, 0.6];
        // Patience is for this.
        assert_eq!(overfit(&falling, &[1.0, 0.9, 0.901, 0.902, 0.903]), None);
        assert_eq!(overfit(&falling, &[1.0, 0.95, 0.9, 0.92, 0.93]), None);
        assert_eq!(overfit(&[1.0, 0.9, 0.8, 0.81, 0.6], &[1.0, 0.9, 0.91, 0.92, 0.93]), None);
    }

    #[test]
    fn the_epochs_of_another_stage_do_not_count() {
        let mut history = history(&[1.0, 0.9, 0.8, 0.7, 0.6], &[1.0, 0.9, 0.91, 0.92, 0.93]);
        history[3].stage = Some("second".to_owned());
        history[4].stage = Some("second".to_owned());
        let stage = StageView::of(&history).unwrap();
        assert_eq!(stage.epochs.len(), 2);
        assert_eq!(stage.overfit(RMSE, &Thresholds::default()), None);
    }

    #[test]
    fn an_epoch_at_a_quarter_of_the_speed_is_slow_where_it_cost_some_seconds() {
        let mut history = history(&[1.0; 4], &[1.0; 4]);
        history[3].examples_per_second = 250.0;
        history[3].seconds = 40.0;
        let slow = |history: &[EpochRecord]| StageView::of(history).unwrap().slow(&Thresholds::default());
        assert_eq!(slow(&history), Some(SlowEpoch { speed: 250.0, median: 1_000.0 }));
        history[3].seconds = 4.0;
        assert_eq!(slow(&history), None);
    }
}
