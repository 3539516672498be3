//! The update rules: one formula each, for rows of a table and for dense parameters alike.

use serde::{Deserialize, Serialize};

use crate::ConfigError;
use crate::kernels::spec::RowRule;

/// Which update rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// Gradient descent, with momentum where `momentum` is above 0.
    Sgd,
    /// Adagrad (Duchi et al., JMLR 2011).
    Adagrad,
    /// Adagrad with one number for each row of a table, the sum of its gradients' mean squares: next to no memory beside
    /// the table, as `TorchRec` and DLRM train theirs. On dense parameters plain Adagrad.
    RowwiseAdagrad,
    /// Adam (Kingma and Ba, ICLR 2015); on rows the lazy form, as PyTorch's `SparseAdam`.
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019).
    Adamw,
}

/// Numbers of the update rule. The defaults are those of PyTorch's Adam.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// The rule. Default: `adam`.
    pub kind: OptimizerKind,
    /// L2 penalty added to the gradient; decoupled from it for `adamw`. At least 0. Default: 0.
    pub weight_decay: f64,
    /// Share of the velocity kept by `sgd`, in 0..1. Default: 0.
    pub momentum: f64,
    /// Share of the first moment kept by Adam, in 0..1. Default: 0.9.
    pub beta_1: f64,
    /// Share of the second moment kept by Adam, in 0..1. Default: 0.999.
    pub beta_2: f64,
    /// Added to the root of the second moment (Adam: after its bias correction, where PyTorch's `SparseAdam`
    /// has it before) or of Adagrad's sum, above 0. Default: 1e-8.
    pub epsilon: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            kind: OptimizerKind::Adam,
            weight_decay: 0.0,
            momentum: 0.0,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
        }
    }
}

impl OptimizerConfig {
    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let share = |value: f64| (0.0..1.0).contains(&value);
        let penalty = (0.0..f64::INFINITY).contains(&self.weight_decay);
        let is_above_0 = self.epsilon > 0.0 && self.epsilon.is_finite();
        let rules = [
            ("weight_decay", self.weight_decay, penalty, "a finite number of at least 0"),
            ("momentum", self.momentum, share(self.momentum), "at least 0 and below 1"),
            ("beta_1", self.beta_1, share(self.beta_1), "at least 0 and below 1"),
            ("beta_2", self.beta_2, share(self.beta_2), "at least 0 and below 1"),
            ("epsilon", self.epsilon, is_above_0, "a finite number above 0"),
        ];
        ConfigError::first_of(&rules)
    }

    /// Names of the tensors that the rule keeps beside a parameter.
    pub fn moments(&self) -> &'static [&'static str] {
        match self.kind {
            OptimizerKind::Sgd if self.momentum == 0.0 => &[],
            OptimizerKind::Sgd => &["velocity"],
            OptimizerKind::Adagrad => &["sum_of_squares"],
            OptimizerKind::RowwiseAdagrad => &["row_sum_of_squares"],
            OptimizerKind::Adam | OptimizerKind::Adamw => &["moment_1", "moment_2"],
        }
    }

    /// Shapes of the tensors that the rule keeps beside a parameter `[n_rows, dim]`.
    pub(crate) fn moment_shapes(&self, [n_rows, dim]: [usize; 2]) -> Vec<[usize; 2]> {
        let width = if self.kind == OptimizerKind::RowwiseAdagrad { 1 } else { dim };
        self.moments().iter().map(|_| [n_rows, width]).collect()
    }

    /// The rule for dense parameters, which have no rows to speak of.
    pub(crate) fn dense(&self) -> Self {
        match self.kind {
            OptimizerKind::RowwiseAdagrad => Self { kind: OptimizerKind::Adagrad, ..self.clone() },
            _ => self.clone(),
        }
    }

    /// The rule with the numbers of one step, counted from 1.
    ///
    /// For rows, too, `step` counts the optimiser's steps and not the row's own touches, as PyTorch's `SparseAdam`
    /// does: a row first seen late has nearly no bias correction.
    pub(crate) fn at(&self, step: u64, learning_rate: f64) -> RowRule {
        let (epsilon, weight_decay) = (self.epsilon as f32, self.weight_decay as f32);
        let size = learning_rate as f32;
        match self.kind {
            OptimizerKind::Sgd => {
                RowRule::Sgd { learning_rate: size, momentum: self.momentum as f32, weight_decay }
            }
            OptimizerKind::Adagrad => RowRule::Adagrad { learning_rate: size, epsilon, weight_decay },
            OptimizerKind::RowwiseAdagrad => {
                RowRule::RowwiseAdagrad { learning_rate: size, epsilon, weight_decay }
            }
            OptimizerKind::Adam | OptimizerKind::Adamw => self.adam(step as f64, learning_rate),
        }
    }

    fn adam(&self, steps: f64, learning_rate: f64) -> RowRule {
        let is_decoupled = self.kind == OptimizerKind::Adamw;
        let decay = if is_decoupled { 1.0 - learning_rate * self.weight_decay } else { 1.0 };
        // The corrections are of the shares as f32 has them: 1 - 0.999 is off by 1 in 77,000 there.
        let (beta_1, beta_2) = (self.beta_1 as f32, self.beta_2 as f32);
        RowRule::Adam {
            rate: (learning_rate / (1.0 - f64::from(beta_1).powf(steps))) as f32,
            beta_1,
            beta_2,
            root_2: (1.0 - f64::from(beta_2).powf(steps)).sqrt() as f32,
            epsilon: self.epsilon as f32,
            weight_decay: if is_decoupled { 0.0 } else { self.weight_decay as f32 },
            decay: decay as f32,
        }
    }
}
