//! How the learning rate changes over a run.

use std::f64::consts::PI;

use cresset_nn::ConfigError;
use serde::{Deserialize, Serialize};

/// The shape of a schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// The same throughout.
    #[default]
    Constant,
    /// Times `gamma` after every `every` epochs.
    Step,
    /// Times `gamma` after each epoch.
    Exponential,
    /// Down to `floor` along half a cosine.
    Cosine,
    /// Down to `floor` along a line.
    Linear,
}

/// What the learning rate is multiplied by, as a function of epoch and step alone: a resumed run needs nothing else.
///
/// ```
/// use cresset_trainers::config::{ScheduleConfig, ScheduleKind};
///
/// let halved = ScheduleConfig { kind: ScheduleKind::Step, every: 5, gamma: 0.5, ..ScheduleConfig::default() };
/// assert_eq!([0, 4, 5, 10].map(|epoch| halved.factor(epoch, 0, 20)), [1.0, 1.0, 0.5, 0.25]);
/// ```
///
/// # Source
///
/// Those of `torch.optim.lr_scheduler` under the same names, `floor` being a share of the learning rate and held once
/// it is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleConfig {
    /// The shape. Default: `constant`.
    pub kind: ScheduleKind,
    /// Epochs between two falls of `step`, at least 1. Default: 10.
    pub every: u64,
    /// What `step` and `exponential` multiply by, above 0 and at most 1. Default: 0.5.
    pub gamma: f64,
    /// Epochs in which `cosine` and `linear` come down, at least 1; `None` is all of them. Default: none.
    pub epochs: Option<u64>,
    /// Share of the learning rate that `cosine` and `linear` come down to, at least 0 and below 1. Default: 0.
    pub floor: f64,
    /// Steps in which the learning rate rises to its full size, along a line. Default: 0.
    pub warmup_steps: u64,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self {
            kind: ScheduleKind::Constant,
            every: 10,
            gamma: 0.5,
            epochs: None,
            floor: 0.0,
            warmup_steps: 0,
        }
    }
}

impl ScheduleConfig {
    /// Checks every number against its documented range, and that the schedule gets somewhere in a run of `epochs`
    /// epochs.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self, epochs: u64) -> Result<(), ConfigError> {
        let comes_down = matches!(self.kind, ScheduleKind::Cosine | ScheduleKind::Linear);
        let down_in = self.epochs.unwrap_or(epochs);
        let falls = self.kind != ScheduleKind::Step || epochs == 1 || self.every < epochs;
        let ends = !comes_down || down_in <= epochs;
        let (every, within) = (self.every as f64, down_in as f64);
        ConfigError::first_of(&[
            ("every", every, self.every >= 1, "at least 1"),
            ("every", every, falls, "fewer epochs than are trained: the learning rate would never fall"),
            ("gamma", self.gamma, self.gamma > 0.0 && self.gamma <= 1.0, "above 0 and at most 1"),
            ("epochs", within, down_in >= 1, "at least 1, or null for all epochs"),
            (
                "epochs",
                within,
                ends,
                "at most the epochs that are trained, or null: it would never come down",
            ),
            ("floor", self.floor, (0.0..1.0).contains(&self.floor), "at least 0 and below 1"),
        ])
    }

    /// Whether its shape is that of the whole run: with more epochs it would have been another from the beginning.
    pub fn follows_epochs(&self) -> bool {
        matches!(self.kind, ScheduleKind::Cosine | ScheduleKind::Linear) && self.epochs.is_none()
    }

    /// What the learning rate is multiplied by at `epoch` and `step`, both from 0, of a run of `epochs` epochs.
    pub fn factor(&self, epoch: u64, step: u64, epochs: u64) -> f64 {
        self.decay(epoch, epochs) * self.warmup(step)
    }

    fn decay(&self, epoch: u64, epochs: u64) -> f64 {
        let within = self.epochs.unwrap_or(epochs).max(1);
        let way = epoch.min(within) as f64 / within as f64;
        let above_floor = |share: f64| self.floor + (1.0 - self.floor) * share;
        match self.kind {
            ScheduleKind::Constant => 1.0,
            ScheduleKind::Step => self.gamma.powf((epoch / self.every.max(1)) as f64),
            ScheduleKind::Exponential => self.gamma.powf(epoch as f64),
            ScheduleKind::Cosine => above_floor((1.0 + (PI * way).cos()) / 2.0),
            ScheduleKind::Linear => above_floor(1.0 - way),
        }
    }

    fn warmup(&self, step: u64) -> f64 {
        if step >= self.warmup_steps { 1.0 } else { (step + 1) as f64 / self.warmup_steps as f64 }
    }
}
