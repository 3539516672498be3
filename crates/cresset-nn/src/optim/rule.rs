//! The update rules: one formula each, for rows of a table and for dense parameters alike.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::ConfigError;

/// Which update rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Gradient descent, with momentum where `momentum` is above 0.
    Sgd,
    /// Adagrad (Duchi et al., JMLR 2011).
    Adagrad,
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

    /// Names of the tensors that the rule keeps beside a parameter, each of the parameter's shape.
    pub fn moments(&self) -> &'static [&'static str] {
        match self.kind {
            OptimizerKind::Sgd if self.momentum == 0.0 => &[],
            OptimizerKind::Sgd => &["velocity"],
            OptimizerKind::Adagrad => &["sum_of_squares"],
            OptimizerKind::Adam | OptimizerKind::Adamw => &["moment_1", "moment_2"],
        }
    }

    /// The parameter and its moments after one step.
    ///
    /// For rows, too, [`StepAt`] counts the optimiser's steps and not the row's own touches, as PyTorch's
    /// `SparseAdam` does: a row first seen late has nearly no bias correction.
    pub(crate) fn update<B: Backend>(
        &self,
        before: Parameter<B>,
        grad: Tensor<B, 2>,
        at: StepAt,
    ) -> Parameter<B> {
        let grad = self.with_penalty(grad, &before.value);
        match self.kind {
            OptimizerKind::Sgd => self.sgd(before, grad, at),
            OptimizerKind::Adagrad => self.adagrad(before, grad, at),
            OptimizerKind::Adam | OptimizerKind::Adamw => self.adam(before, grad, at),
        }
    }

    fn with_penalty<B: Backend>(&self, grad: Tensor<B, 2>, value: &Tensor<B, 2>) -> Tensor<B, 2> {
        if self.weight_decay == 0.0 || self.kind == OptimizerKind::Adamw {
            return grad;
        }
        grad + value.clone() * self.weight_decay
    }

    fn sgd<B: Backend>(&self, before: Parameter<B>, grad: Tensor<B, 2>, at: StepAt) -> Parameter<B> {
        let Parameter { value, mut moments } = before;
        let direction = match moments.pop() {
            Some(velocity) => velocity * self.momentum + grad,
            None => grad,
        };
        let moments = if self.momentum == 0.0 { vec![] } else { vec![direction.clone()] };
        Parameter { value: value - direction * at.learning_rate, moments }
    }

    fn adagrad<B: Backend>(&self, before: Parameter<B>, grad: Tensor<B, 2>, at: StepAt) -> Parameter<B> {
        let [sum] = take(before.moments);
        let sum = sum + grad.clone() * grad.clone();
        let change = grad / (sum.clone().sqrt() + self.epsilon);
        Parameter { value: before.value - change * at.learning_rate, moments: vec![sum] }
    }

    fn adam<B: Backend>(&self, before: Parameter<B>, grad: Tensor<B, 2>, at: StepAt) -> Parameter<B> {
        let [first, second] = take(before.moments);
        let second = second * self.beta_2 + grad.clone() * grad.clone() * (1.0 - self.beta_2);
        let first = first * self.beta_1 + grad * (1.0 - self.beta_1);
        let steps = at.step as f64;
        let root_2 = (1.0 - self.beta_2.powf(steps)).sqrt();
        let rate = at.learning_rate / (1.0 - self.beta_1.powf(steps));
        let change = first.clone() / (second.clone().sqrt() / root_2 + self.epsilon);
        let value = if self.kind == OptimizerKind::Adamw && self.weight_decay > 0.0 {
            before.value * (1.0 - at.learning_rate * self.weight_decay)
        } else {
            before.value
        };
        Parameter { value: value - change * rate, moments: vec![first, second] }
    }
}

/// A parameter, or some rows of one, beside its moments, all `[rows, dim]`.
#[derive(Debug, Clone)]
pub(crate) struct Parameter<B: Backend> {
    pub(crate) value: Tensor<B, 2>,
    pub(crate) moments: Vec<Tensor<B, 2>>,
}

/// Which step it is, from 1, and how large.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepAt {
    pub(crate) step: u64,
    pub(crate) learning_rate: f64,
}

fn take<B: Backend, const N: usize>(moments: Vec<Tensor<B, 2>>) -> [Tensor<B, 2>; N] {
    moments.try_into().expect("as many moments as the rule names")
}
