//! The section `training.strategy`.

use std::collections::BTreeMap;

use cresset_nn::ConfigError;
use serde::{Deserialize, Serialize};

use super::curriculum::Curriculum;

/// Which groups of parameters learn when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrategyKind {
    /// All of them, all the time.
    #[default]
    Joint,
    /// By stages, one after the other.
    Stages,
    /// Two modules in turn, as their losses say.
    Alternating,
}

/// In which order the parts of a model learn, and from which terms of its loss.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StrategyConfig {
    /// Which groups of parameters learn when. Default: `joint`.
    pub kind: StrategyKind,
    /// The stages of `stages`, in order. Default: none.
    pub stages: Vec<StageConfig>,
    /// How two modules alternate, in `alternating` and in stages that do. Default: no modules.
    pub alternating: AlternatingConfig,
    /// Weights of terms of the loss by epoch. Default: none, every term at 1.
    pub curriculum: Option<BTreeMap<String, Curriculum>>,
}

/// One stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageConfig {
    /// What the history calls it.
    pub name: String,
    /// The groups that learn; without any, all do.
    #[serde(default)]
    pub learns: Vec<String>,
    /// Epochs at most, at least 1.
    pub epochs: u64,
    /// Epochs without a better `monitor` before the next stage begins, at least 1; `None` trains all of them.
    #[serde(default)]
    pub patience: Option<u64>,
    /// The learning rate of groups that `learning_rates` does not name; `None` is that of the group or of the run.
    #[serde(default)]
    pub learning_rate: Option<f64>,
    /// Learning rates by group.
    #[serde(default)]
    pub learning_rates: BTreeMap<String, f64>,
    /// Weights by term of the loss; a term that it leaves out is not minimised. Without any, all are, at 1.
    #[serde(default)]
    pub losses: BTreeMap<String, f64>,
    /// Whether the two modules of `training.strategy.alternating` learn in turn.
    #[serde(default)]
    pub alternating: bool,
}

/// One of two modules that alternate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleConfig {
    /// Its group of parameters.
    pub group: String,
    /// The term of the loss that stands for it.
    pub loss: String,
}

/// When the module that learns is changed for the other one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlternatingConfig {
    /// The two, the first of which begins. Default: none.
    pub modules: Vec<ModuleConfig>,
    /// A module's turn ends when its smoothed loss changes by a smaller share than this in a step, above 0. Default:
    /// 0.01.
    pub switch_threshold: f64,
    /// Steps that a turn lasts at least, at least 1. Default: 5.
    pub min_steps: u64,
    /// Share of the smoothed loss that a step keeps, at least 0 and below 1. Default: 0.9.
    pub smoothing: f64,
}

impl Default for AlternatingConfig {
    fn default() -> Self {
        Self { modules: vec![], switch_threshold: 0.01, min_steps: 5, smoothing: 0.9 }
    }
}

impl StrategyConfig {
    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let below = |key: &str| prefix(key.to_owned());
        if self.kind == StrategyKind::Stages {
            check_stages(&self.stages)?;
        }
        self.alternating.validate().map_err(below("alternating"))?;
        if self.alternates() {
            self.alternating.check_modules().map_err(below("alternating"))?;
        }
        for (term, curriculum) in self.curriculum.iter().flatten() {
            let of_term =
                |e: ConfigError| ConfigError { field: format!("curriculum.{term}{}", e.field), ..e };
            curriculum.validate().map_err(of_term)?;
        }
        Ok(())
    }

    /// Whether two modules learn in turn at some time.
    pub fn alternates(&self) -> bool {
        match self.kind {
            StrategyKind::Joint => false,
            StrategyKind::Alternating => true,
            StrategyKind::Stages => self.stages.iter().any(|stage| stage.alternating),
        }
    }
}

fn check_stages(stages: &[StageConfig]) -> Result<(), ConfigError> {
    let refused =
        |field: String, value: &str, expected| Err(ConfigError { field, value: value.to_owned(), expected });
    if stages.is_empty() {
        return refused("stages".to_owned(), "[]", "one or more stages");
    }
    for (place, stage) in stages.iter().enumerate() {
        let field = format!("stages[{place}]");
        // The name is a field of a CSV file.
        let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if stage.name.is_empty() || !stage.name.chars().all(is_plain) {
            return refused(format!("{field}.name"), &stage.name, "letters, digits, `-`, `_` and `.`");
        }
        if stages[..place].iter().any(|before| before.name == stage.name) {
            return refused(format!("{field}.name"), &stage.name, "a name that no stage before it has");
        }
        stage.validate().map_err(prefix(field))?;
    }
    Ok(())
}

impl StageConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        let is_rate = |rate: f64| rate > 0.0 && rate.is_finite();
        let is_weight = |weight: f64| (0.0..f64::INFINITY).contains(&weight);
        let (rate, patience) = (self.learning_rate.unwrap_or(1.0), self.patience.unwrap_or(1));
        ConfigError::first_of(&[
            ("epochs", self.epochs as f64, self.epochs >= 1, "at least 1"),
            ("patience", patience as f64, patience >= 1, "at least 1, or null to train every epoch"),
            ("learning_rate", rate, is_rate(rate), "a finite number above 0, or null"),
        ])?;
        for (group, &rate) in &self.learning_rates {
            let rule = (group.as_str(), rate, is_rate(rate), "a finite number above 0");
            ConfigError::first_of(&[rule]).map_err(prefix("learning_rates".to_owned()))?;
        }
        for (term, &weight) in &self.losses {
            let rule = (term.as_str(), weight, is_weight(weight), "a finite number of at least 0");
            ConfigError::first_of(&[rule]).map_err(prefix("losses".to_owned()))?;
        }
        Ok(())
    }
}

impl AlternatingConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        let (threshold, steps) = (self.switch_threshold, self.min_steps as f64);
        let is_share = threshold > 0.0 && threshold.is_finite();
        ConfigError::first_of(&[
            ("switch_threshold", threshold, is_share, "a finite number above 0, such as 0.01"),
            ("min_steps", steps, self.min_steps >= 1, "at least 1"),
            ("smoothing", self.smoothing, (0.0..1.0).contains(&self.smoothing), "at least 0 and below 1"),
        ])
    }

    fn check_modules(&self) -> Result<(), ConfigError> {
        let is_pair = match self.modules.as_slice() {
            [first, second] => first.group != second.group && first.loss != second.loss,
            _ => false,
        };
        if is_pair {
            return Ok(());
        }
        let names: Vec<String> = self.modules.iter().map(|m| format!("{}: {}", m.group, m.loss)).collect();
        let expected = "two modules with a group and a loss each, which differ";
        Err(ConfigError { field: "modules".to_owned(), value: format!("[{}]", names.join(", ")), expected })
    }
}

/// Puts the section before the field of an error.
pub(crate) fn prefix(section: String) -> impl Fn(ConfigError) -> ConfigError {
    move |error| ConfigError { field: format!("{section}.{}", error.field), ..error }
}
