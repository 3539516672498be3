//! The loop's side of the watch: gathers facts, says alerts, keeps them in a file.

use std::path::PathBuf;
use std::time::Instant;

use cresset_data::files::{FileError, atomic_write, read_bytes};
use cresset_metrics::direction;
use cresset_nn::{AutodiffRecommender, StepKey, TrainModel};

use super::{Alert, Alerts, EpochFacts, Monitored, StepFacts, Watch};
use crate::checkpoint::Progress;
use crate::config::TrainingConfig;
use crate::memory::resident_memory_mb;
use crate::progress::EpochBar;
use crate::run_dir::RunDir;
use crate::session::Session;

/// Times in an epoch that gradients and routers are looked at: a look waits for the device.
const LOOKS: usize = 4;

/// Watches one run, where its config asks for it.
#[derive(Debug)]
pub(crate) struct Observer<'a> {
    config: &'a TrainingConfig,
    watch: Option<Watch<'a>>,
    alerts: Alerts,
    file: PathBuf,
    n_steps: usize,
    /// Seconds of the running epoch that were steps of the model.
    seconds_in_steps: f64,
    /// When the last epoch's steps ended.
    steps_ended: Option<Instant>,
}

impl<'a> Observer<'a> {
    /// An observer of a run that stands at `progress`, with the alerts that were told up to there.
    pub(crate) fn start(
        config: &'a TrainingConfig,
        run: &RunDir,
        progress: &Progress,
        n_steps: usize,
    ) -> Result<Self, FileError> {
        let file = run.file("alerts.csv");
        let mut alerts = Alerts::default();
        if file.exists() {
            let text = String::from_utf8_lossy(&read_bytes(&file)?).into_owned();
            alerts = Alerts::from_csv(&text, progress.epoch, progress.step);
            atomic_write(&file, alerts.to_csv().as_bytes())?;
        }
        let watch = config.alerts.then(|| Watch::new(config));
        Ok(Self { config, watch, alerts, file, n_steps, seconds_in_steps: 0.0, steps_ended: None })
    }

    /// Takes a step that was just finished: its loss, the seconds of the model in it, and those since the step before.
    pub(crate) fn step<B, M>(
        &mut self,
        session: &mut Session<'_, B, M>,
        batch: &M::Batch,
        loss: f32,
        seconds: StepSeconds,
        bar: &EpochBar,
    ) where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        self.seconds_in_steps += seconds.model;
        let Some(watch) = &mut self.watch else { return };
        let Progress { epoch, step, ref strategy, passes, .. } = session.progress;
        let facts = StepFacts { epoch: epoch + 1, step, stage: strategy.stage, loss, seconds: seconds.all };
        if is_looked_at(step, self.n_steps) && session.is_between_steps() {
            let key = StepKey { seed: self.config.seed, step: passes - 1 };
            let experts = session.model().expert_shares(batch, key);
            watch.look(&session.gradient_norms(), &experts);
        }
        let alerts = watch.step(&facts);
        self.tell(alerts, Some(bar));
    }

    /// Notes that the steps of an epoch are done and what lies between two epochs begins.
    pub(crate) fn begin_between(&mut self) {
        self.steps_ended = Some(Instant::now());
    }

    /// Seconds since then: what a validation and its checkpoint cost; 0 where none was seen yet.
    pub(crate) fn seconds_between(&self) -> f64 {
        self.steps_ended.map_or(0.0, |ended| ended.elapsed().as_secs_f64())
    }

    /// Takes an epoch that was just written to the history.
    pub(crate) fn epoch(&mut self, progress: &Progress, is_validated: bool) {
        let seconds = std::mem::take(&mut self.seconds_in_steps);
        if let Some(last) = progress.history.epochs.last() {
            let share = 100.0 * seconds / last.seconds;
            tracing::debug!("{share:.2}% of the epoch's {:.3} s were steps of the model", last.seconds);
        }
        let Some(watch) = &mut self.watch else { return };
        let name = self.config.monitor.as_str();
        let monitored =
            direction(name).filter(|_| is_validated).map(|direction| Monitored { name, direction });
        let resident_mb = resident_memory_mb();
        let alerts = watch.epoch(&EpochFacts { history: &progress.history.epochs, monitored, resident_mb });
        self.tell(alerts, None);
    }

    fn tell(&mut self, alerts: Vec<Alert>, bar: Option<&EpochBar>) {
        if alerts.is_empty() {
            return;
        }
        let say = || alerts.iter().for_each(|alert| tracing::warn!("{alert}"));
        match bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
        self.alerts.0.extend(alerts);
        // A full disk ends no training; the next alert tries again.
        if let Err(error) = atomic_write(&self.file, self.alerts.to_csv().as_bytes()) {
            tracing::warn!("{error}; the alerts are in the log");
        }
    }
}

/// How long a step took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepSeconds {
    /// Forward, backward, and the optimiser.
    pub(crate) model: f64,
    /// Since the step before ended, waiting for the batch included.
    pub(crate) all: f64,
}

/// Whether a step, from 1, ends one of the equal parts of its epoch.
fn is_looked_at(step: usize, n_steps: usize) -> bool {
    step * LOOKS / n_steps != (step - 1) * LOOKS / n_steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_steps_of_an_epoch_are_looked_at_and_the_last_is_one_of_them() {
        let looks = |n_steps| (1..=n_steps).filter(|&step| is_looked_at(step, n_steps)).collect::<Vec<_>>();
        assert_eq!(looks(100), [25, 50, 75, 100]);
        assert_eq!(looks(6), [2, 3, 5, 6]);
        assert_eq!(looks(3), [1, 2, 3]);
        assert_eq!(looks(1), [1]);
    }
}
