//! The sections of a config file.

use cresset_data::DataConfig;
use cresset_metrics::direction;
use cresset_nn::optim::{LossScalerConfig, OptimizerConfig, ParameterGroup};
use cresset_nn::{ConfigError, Precision};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::CheckpointConfig;
use crate::evaluation::EvaluationConfig;
use crate::plot::PlotFormats;
use crate::schedule::ScheduleConfig;
use crate::search::SearchConfig;
use crate::strategy::{StrategyConfig, StrategyKind, prefix};

/// The `model` section, one type for all the models that a program composes, told apart by the key `kind`.
pub trait ModelSection: Clone + Serialize + DeserializeOwned {
    /// Every `kind` there is.
    const KINDS: &'static [&'static str];

    /// The documented defaults of one kind; `None` if there is no such kind.
    fn defaults(kind: &str) -> Option<Self>;

    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    fn validate(&self) -> Result<(), ConfigError>;
}

/// A whole config file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig<M> {
    /// Which data, how it is cleaned and split.
    pub data: DataConfig,
    /// Which model, and its hyperparameters.
    pub model: M,
    /// How it is trained.
    pub training: TrainingConfig,
    /// How it is judged.
    pub evaluation: EvaluationConfig,
    /// What is written.
    pub output: OutputConfig,
    /// How hyperparameters are searched, which `tune` alone reads.
    #[serde(default)]
    pub search: SearchConfig,
}

impl<M: ModelSection> RunConfig<M> {
    /// Everything at its documented default, for one kind of model.
    pub fn defaults(model: M) -> Self {
        Self {
            data: DataConfig::default(),
            model,
            training: TrainingConfig::default(),
            evaluation: EvaluationConfig::default(),
            output: OutputConfig::default(),
            search: SearchConfig::default(),
        }
    }
}

/// How a model is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Seed of everything random but the split: first weights and the order of examples. Default: 42.
    pub seed: u64,
    /// Passes over the training part, at least 1. Default: 20.
    pub epochs: u64,
    /// Examples in a batch, at least 1. Default: 1024.
    pub batch_size: usize,
    /// Step size before the schedule, above 0. Default: 0.005.
    pub learning_rate: f64,
    /// How the learning rate changes. Default: not at all.
    pub schedule: ScheduleConfig,
    /// The update rule and its numbers.
    pub optimizer: OptimizerConfig,
    /// Tables and dense parameters with rates of their own. Default: none.
    pub groups: Vec<ParameterGroup>,
    /// The length that gradients are held to, above 0; null leaves them as they are. Default: null.
    pub max_grad_norm: Option<f64>,
    /// Batches whose gradients make one step together, at least 1. Default: 1.
    pub accumulate: usize,
    /// The precision of the products of layers. Default: `f32`.
    pub precision: Precision,
    /// How the loss is scaled in `f16`.
    pub loss_scale: LossScalerConfig,
    /// Which parameters learn when, and from which terms of the loss. Default: all, all the time.
    pub strategy: StrategyConfig,
    /// The validation metric that picks the best epoch; not read where there is no validation part. Default: `rmse`.
    pub monitor: String,
    /// Epochs without a better `monitor` before training stops, at least 1; null never stops early. Default: 3.
    pub patience: Option<u64>,
    /// When the run is saved.
    pub checkpoint: CheckpointConfig,
    /// Whether the run is watched, and told of what goes wrong in it. Default: true.
    pub alerts: bool,
    /// Whether simple recommenders are measured on the same split and printed beside. Default: true.
    pub baselines: bool,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            seed: 42,
            epochs: 20,
            batch_size: 1024,
            learning_rate: 0.005,
            schedule: ScheduleConfig::default(),
            optimizer: OptimizerConfig::default(),
            groups: vec![],
            max_grad_norm: None,
            accumulate: 1,
            precision: Precision::F32,
            loss_scale: LossScalerConfig::default(),
            strategy: StrategyConfig::default(),
            monitor: "rmse".to_owned(),
            patience: Some(3),
            checkpoint: CheckpointConfig::default(),
            alerts: true,
            baselines: true,
        }
    }
}

impl TrainingConfig {
    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let (epochs, batch) = (self.epochs as f64, self.batch_size as f64);
        let (rate, norm) = (self.learning_rate, self.max_grad_norm.unwrap_or(1.0));
        let patience = self.patience.unwrap_or(0) as f64;
        ConfigError::first_of(&[
            ("epochs", epochs, self.epochs >= 1, "at least 1"),
            ("batch_size", batch, self.batch_size >= 1, "at least 1"),
            ("learning_rate", rate, rate > 0.0 && rate.is_finite(), "a finite number above 0"),
            ("max_grad_norm", norm, norm > 0.0 && norm.is_finite(), "above 0, or null to clip nothing"),
            ("accumulate", self.accumulate as f64, self.accumulate >= 1, "at least 1"),
            ("patience", patience, self.patience != Some(0), "at least 1, or null to never stop early"),
        ])?;
        if direction(&self.monitor).is_none() {
            let (field, value) = ("monitor".to_owned(), self.monitor.clone());
            return Err(ConfigError { field, value, expected: "a metric, such as rmse or ndcg@10" });
        }
        self.checkpoint.validate().map_err(prefix("checkpoint".to_owned()))?;
        self.optimizer.validate().map_err(prefix("optimizer".to_owned()))?;
        self.schedule.validate(self.longest()).map_err(prefix("schedule".to_owned()))?;
        self.loss_scale.validate().map_err(prefix("loss_scale".to_owned()))?;
        for (place, group) in self.groups.iter().enumerate() {
            group.validate().map_err(prefix(format!("groups[{place}]")))?;
        }
        self.strategy.validate().map_err(prefix("strategy".to_owned()))
    }

    /// Epochs that the schedule has at most: those of the run, or of the longest stage.
    fn longest(&self) -> u64 {
        match self.strategy.kind {
            StrategyKind::Stages => self.strategy.stages.iter().map(|stage| stage.epochs).fold(1, u64::max),
            StrategyKind::Joint | StrategyKind::Alternating => self.epochs,
        }
    }
}

/// What is written beside the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputConfig {
    /// Free text for the experiment table. Default: empty.
    pub note: String,
    /// Whether plots are drawn, and in which format. Default: true, which is PNG and SVG.
    pub plots: PlotFormats,
}

impl Default for OutputConfig {
    fn default() -> Self {
        Self { note: String::new(), plots: PlotFormats::All }
    }
}
