//! Watching a run: facts of steps and epochs in, sentences out.
//!
//! [`Watch`] is told what each step and each epoch did, and answers with an [`Alert`] where something goes wrong that
//! a person would want to know before the run ends: what was seen, in numbers, and which key to change. It reads no
//! clock and no file, so the same facts give the same alerts; a trainer feeds it, says them and keeps them in
//! `alerts.csv`. Nothing that it finds changes a run.
//!
//! ```
//! use cresset_trainers::config::TrainingConfig;
//! use cresset_trainers::watch::{AlertKind, StepFacts, Watch};
//!
//! let config = TrainingConfig::default();
//! let mut watch = Watch::new(&config);
//! let loss_of = |step: usize| if step <= 200 { 0.7 } else { 0.9 };
//! let facts = |step| StepFacts { epoch: 1, step, stage: 0, loss: loss_of(step), seconds: 0.01 };
//! let alerts: Vec<_> = (1..=400).flat_map(|step| watch.step(&facts(step))).collect();
//!
//! assert_eq!((alerts[0].kind, alerts[0].step), (AlertKind::LossRises, Some(301)));
//! assert!(alerts[0].message.contains("lower training.learning_rate (now 0.005)"));
//! ```

mod alert;
mod epochs;
mod gradients;
mod loss;
mod memory;
mod observer;
mod pace;
mod routers;
mod thresholds;
mod words;

use std::collections::BTreeMap;

use cresset_nn::ExpertShares;

pub use self::alert::{Alert, AlertKind, Alerts};
pub use self::epochs::Monitored;
use self::epochs::StageView;
use self::gradients::ZeroGradients;
use self::loss::LossTrend;
use self::memory::MemoryTrend;
pub(crate) use self::observer::{Observer, StepSeconds};
use self::pace::Pace;
use self::routers::Routers;
pub use self::thresholds::Thresholds;
use crate::config::TrainingConfig;
use crate::history::EpochRecord;

/// What a step did.
#[derive(Debug, Clone, Copy)]
pub struct StepFacts {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The step in it, from 1.
    pub step: usize,
    /// The stage, from 0: losses of two stages are not compared.
    pub stage: usize,
    /// The loss.
    pub loss: f32,
    /// Seconds since the step before ended.
    pub seconds: f64,
}

/// What an epoch did.
#[derive(Debug, Clone, Copy)]
pub struct EpochFacts<'a> {
    /// All epochs so far, this one last.
    pub history: &'a [EpochRecord],
    /// The metric that decides; `None` where nothing is validated.
    pub monitored: Option<Monitored<'a>>,
    /// Memory that the process holds, in MiB, where the system tells.
    pub resident_mb: Option<f64>,
}

/// What has been seen of a run, and when what was told of it.
#[derive(Debug)]
pub struct Watch<'a> {
    config: &'a TrainingConfig,
    bounds: Thresholds,
    stage: usize,
    loss: LossTrend,
    pace: Pace,
    gradients: ZeroGradients,
    routers: Routers,
    memory: MemoryTrend,
    /// The epoch in which each kind was last told.
    told: BTreeMap<AlertKind, u64>,
    /// The best epoch since which overfitting was told.
    overfit_since: Option<u64>,
}

impl<'a> Watch<'a> {
    /// A watch that has seen nothing yet.
    pub fn new(config: &'a TrainingConfig) -> Self {
        Self {
            config,
            bounds: Thresholds::default(),
            stage: 0,
            loss: LossTrend::default(),
            pace: Pace::default(),
            gradients: ZeroGradients::default(),
            routers: Routers::default(),
            memory: MemoryTrend::default(),
            told: BTreeMap::new(),
            overfit_since: None,
        }
    }

    /// The watch with other bounds.
    pub fn with_thresholds(self, bounds: Thresholds) -> Self {
        Self { bounds, ..self }
    }

    /// The alerts of a step.
    pub fn step(&mut self, facts: &StepFacts) -> Vec<Alert> {
        let mut alerts = vec![];
        if facts.stage != self.stage {
            (self.stage, self.loss) = (facts.stage, LossTrend::default());
        }
        let place = (facts.epoch, Some(facts.step));
        if self.losses_compare()
            && let Some(rise) = self.loss.observe(facts, &self.bounds)
        {
            let (window, config) = (self.bounds.loss_window, self.config);
            self.tell(&mut alerts, place, AlertKind::LossRises, || words::loss_rises(&rise, window, config));
        }
        if let Some(slow) = self.pace.observe(facts.seconds, &self.bounds) {
            let (kind, message) = words::slow(&slow);
            self.tell(&mut alerts, place, kind, || message);
        }
        alerts
    }

    /// Takes a close look at one step, a few times an epoch: the norms of its gradients by parameter, and how its batch was
    /// divided among experts. What it shows is told at the end of the epoch.
    pub fn look(&mut self, gradient_norms: &[(String, f32)], experts: &[ExpertShares]) {
        self.gradients.observe(gradient_norms);
        self.routers.observe(experts);
    }

    /// The alerts of an epoch.
    pub fn epoch(&mut self, facts: &EpochFacts<'_>) -> Vec<Alert> {
        let mut alerts = vec![];
        let (Some(stage), Some(last)) = (StageView::of(facts.history), facts.history.last()) else {
            return alerts;
        };
        let place = (last.epoch, None);
        if let Some(monitored) = facts.monitored {
            self.progress(&mut alerts, place, &stage, monitored);
        }
        if let Some(slow) = stage.slow(&self.bounds) {
            self.tell(&mut alerts, place, AlertKind::SlowSteps, || words::slow_epoch(&slow));
        }
        let zeros = self.gradients.take(&self.bounds);
        if !zeros.is_empty() {
            self.tell(&mut alerts, place, AlertKind::ZeroGradient, || words::zero_gradients(&zeros));
        }
        let collapsed = self.routers.take(&self.bounds);
        if !collapsed.is_empty() {
            self.tell(&mut alerts, place, AlertKind::RouterCollapse, || words::collapse(&collapsed));
        }
        if let Some(growth) = facts.resident_mb.and_then(|mb| self.memory.observe(mb, &self.bounds)) {
            self.tell(&mut alerts, place, AlertKind::MemoryGrowth, || words::memory(&growth));
        }
        alerts
    }

    fn progress(&mut self, alerts: &mut Vec<Alert>, place: Place, stage: &StageView<'_>, by: Monitored<'_>) {
        if let Some(nothing) = stage.no_progress(by, &self.bounds) {
            let rate = self.config.learning_rate;
            self.tell(alerts, place, AlertKind::NoProgress, || words::no_progress(&nothing, by.name, rate));
        }
        let Some(overfit) = stage.overfit(by, &self.bounds) else { return };
        if self.overfit_since.replace(overfit.best_epoch) != Some(overfit.best_epoch) {
            self.tell(alerts, place, AlertKind::Overfitting, || words::overfit(&overfit, by.name));
        }
    }

    /// Whether the loss of one step means what that of another does.
    fn losses_compare(&self) -> bool {
        self.config.strategy.curriculum.is_none() && !self.config.strategy.alternates()
    }

    /// Adds an alert, unless one of its kind was told in this epoch.
    fn tell(
        &mut self,
        alerts: &mut Vec<Alert>,
        (epoch, step): Place,
        kind: AlertKind,
        message: impl FnOnce() -> String,
    ) {
        if self.told.insert(kind, epoch) != Some(epoch) {
            alerts.push(Alert { epoch, step, kind, message: message() });
        }
    }
}

/// Epoch, and step where there is one.
type Place = (u64, Option<usize>);
