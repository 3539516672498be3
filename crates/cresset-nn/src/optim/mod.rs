//! Optimisers over embedding rows and dense parameters together.
//!
//! One step takes the loss of a [`ForwardPass`], and moves what the batch touched: the gathered rows of each
//! table, and every dense parameter with a gradient. What a batch does not touch stays as it is, to the bit:
//! an untouched row is not decayed, its velocity and moments do not fade, and they catch up on nothing when
//! the row is next seen. The bias correction of Adam counts the optimiser's steps, for all parameters alike.
//!
//! The [`Gradients`] of several passes can be added up before one step is taken, and held to a norm over all of them.
//! [`Groups`] of parameters learn at rates of their own, or stand still. In half precision, a [`LossScaler`] keeps small
//! gradients from vanishing.

mod dense;
mod gradients;
mod groups;
mod rule;
mod scaler;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use self::dense::DenseStep;
pub use self::gradients::{Gradients, NonFiniteGradient};
use self::gradients::{Norms, RowGradients};
pub use self::groups::{GroupError, Groups, ParameterGroup, REST};
pub use self::rule::{OptimizerConfig, OptimizerKind};
pub use self::scaler::{LossScaler, LossScalerConfig};
use crate::dropout::DropoutKey;
use crate::kernels::spec::{RowRule, RowStep};
use crate::path::Path;
use crate::{AutodiffRecommender, EmbeddingTable, ForwardPass, TrainModel};

/// What a rule remembers of each table and parameter, in the order of its [`OptimizerConfig::moments`].
type Moments<B> = BTreeMap<String, Vec<Tensor<<B as AutodiffBackend>::InnerBackend, 2>>>;

/// An update rule and what it remembers, by table name and parameter path.
#[derive(Debug)]
pub struct Optimizer<B: AutodiffRecommender> {
    rule: OptimizerConfig,
    max_grad_norm: Option<f32>,
    groups: Groups,
    step: u64,
    /// Steps in which each group learnt: those that Adam's corrections count.
    group_steps: Vec<u64>,
    moments: Moments<B>,
    last: Option<Norms<B::InnerBackend>>,
    /// Which groups were to learn in the last step.
    learnt: Vec<bool>,
}

impl<B: AutodiffRecommender> Optimizer<B> {
    /// An optimiser that has taken no step.
    pub fn new(rule: OptimizerConfig) -> Self {
        Self {
            rule,
            max_grad_norm: None,
            groups: Groups::default(),
            step: 0,
            group_steps: vec![0],
            moments: Moments::<B>::new(),
            last: None,
            learnt: vec![],
        }
    }

    /// The optimiser with every gradient longer than `norm` scaled down to it.
    ///
    /// The norm is over all rows and dense parameters that learn together, repeated ids summed first.
    ///
    /// # Panics
    ///
    /// If `norm` is not above 0.
    pub fn with_max_grad_norm(self, norm: f32) -> Self {
        assert!(norm > 0.0, "max_grad_norm = {norm}, expected a number above 0");
        Self { max_grad_norm: Some(norm), ..self }
    }

    /// The optimiser with groups of its model's parameters, which have learnt in every step so far.
    pub fn with_groups(self, groups: Groups) -> Self {
        let group_steps = vec![self.step; groups.as_slice().len()];
        Self { groups, group_steps, ..self }
    }

    /// The groups, the rest last.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// How many steps it has taken.
    pub fn steps_taken(&self) -> u64 {
        self.step
    }

    /// In how many of its steps each group has learnt, the rest last.
    pub fn group_steps(&self) -> &[u64] {
        &self.group_steps
    }

    /// The optimiser, gone on with, with the count of steps that [`group_steps`](Self::group_steps) gave.
    ///
    /// # Panics
    ///
    /// If there is not one count for each group.
    pub fn with_group_steps(self, group_steps: Vec<u64>) -> Self {
        assert_eq!(group_steps.len(), self.groups.as_slice().len(), "one count for each group");
        Self { group_steps, ..self }
    }

    /// Forgets velocities, sums and moments, as if no group had learnt yet; the count of its own steps stays.
    pub fn forget(&mut self) {
        self.moments.clear();
        self.group_steps.fill(0);
    }

    /// The model after one step down the gradient of the loss of `pass`.
    ///
    /// # Panics
    ///
    /// If the pass gathered from a table that `model` does not have, or from one table twice.
    pub fn step<M: TrainModel<B>>(&mut self, model: M, pass: ForwardPass<B>, learning_rate: f64) -> M {
        let gradients = pass.backward(&model);
        self.apply(model, gradients, learning_rate)
    }

    /// The model after one step down `gradients`, every group at the same rate.
    ///
    /// A gradient with a value that is not finite moves nothing at all, neither parameters nor moments; ask
    /// [`gradient_norm`](Self::gradient_norm) afterwards.
    ///
    /// # Panics
    ///
    /// If the gradients are of a table that `model` does not have.
    pub fn apply<M: TrainModel<B>>(&mut self, model: M, gradients: Gradients<B>, learning_rate: f64) -> M {
        let rates = vec![Some(learning_rate); self.groups.as_slice().len()];
        self.apply_by_group(model, gradients, &rates)
    }

    /// As [`apply`](Self::apply), each group at its own rate, the rest last. A group without a rate stands still: its
    /// gradient is not looked at, and its moments do not fade.
    ///
    /// # Panics
    ///
    /// As [`apply`](Self::apply), and if there is not one rate for each group.
    pub fn apply_by_group<M: TrainModel<B>>(
        &mut self,
        mut model: M,
        mut gradients: Gradients<B>,
        rates: &[Option<f64>],
    ) -> M {
        assert_eq!(rates.len(), self.groups.as_slice().len(), "one rate for each group");
        self.step += 1;
        self.learnt = rates.iter().map(Option::is_some).collect();
        for (steps, rate) in self.group_steps.iter_mut().zip(rates) {
            *steps += u64::from(rate.is_some());
        }
        if rates.contains(&None) {
            gradients.keep(|key| rates[self.groups.place_of_key(key)].is_some());
        }
        if gradients.is_empty() {
            self.last = None;
            return model;
        }
        let norms = gradients.norms();
        let scale = norms.scale(self.max_grad_norm);
        self.last = Some(norms);
        for (name, rows) in gradients.rows {
            let mut tables = model.tables_mut();
            let table = tables.iter_mut().find(|table| table.name() == name);
            let table = table.expect("gradients are of their own model's tables");
            let key = rows_key(&name);
            let step = RowStep {
                rule: self.steps(rates).rule(&key, &self.rule),
                scale: scale.clone(),
                rounding: DropoutKey::new(0, self.step, &name),
            };
            self.step_rows(table, key, rows, step);
        }
        if gradients.dense.is_empty() {
            return model;
        }
        let Self { rule, moments, groups, group_steps, .. } = self;
        model.map(&mut DenseStep {
            rule: &rule.dense(),
            steps: GroupSteps { groups, counts: group_steps, rates },
            scale,
            rounding: DropoutKey::new(0, self.step, "dense"),
            grads: gradients.dense,
            moments,
            path: Path::default(),
        })
    }

    /// The length of the last step's gradient before it was clipped; 0 if there was none. Waits for the device.
    ///
    /// # Errors
    ///
    /// If the gradient held a value that is not finite: that step was not taken.
    pub fn gradient_norm(&self) -> Result<f32, NonFiniteGradient> {
        self.last.as_ref().map_or(Ok(0.0), |norms| norms.check(self.step))
    }

    /// The length of the last step's gradient of each table and each dense parameter that was to learn in it, by name and
    /// path, before it was clipped; 0 where the loss does not depend on one at all. Waits for the device, once.
    pub fn gradient_norms<M: TrainModel<B>>(&self, model: &mut M) -> Vec<(String, f32)> {
        let found = self.last.as_ref().map(Norms::each).unwrap_or_default();
        let learnt = |key: &str| self.learnt.get(self.groups.place_of_key(key)).copied().unwrap_or(false);
        let keys = state::keys_that_learn(model).into_iter().filter(|key| learnt(key));
        let names = keys.map(|key| key.trim_start_matches(ROWS).trim_start_matches(DENSE).to_owned());
        let norm = |name: &str| found.get(name).copied().unwrap_or(0.0);
        names
            .map(|name| {
                let norm = norm(&name);
                (name, norm)
            })
            .collect()
    }

    fn steps<'a>(&'a self, rates: &'a [Option<f64>]) -> GroupSteps<'a> {
        GroupSteps { groups: &self.groups, counts: &self.group_steps, rates }
    }

    fn step_rows(
        &mut self,
        table: &mut EmbeddingTable<B>,
        key: String,
        rows: RowGradients<B::InnerBackend>,
        step: RowStep<B::InnerBackend>,
    ) {
        let moments = self.moments.remove(&key).unwrap_or_else(|| self.fresh_moments(table));
        let moments = table.update_rows(moments, rows.ids, rows.grad, step);
        self.moments.insert(key, moments);
    }

    fn fresh_moments(&self, table: &EmbeddingTable<B>) -> Vec<Tensor<B::InnerBackend, 2>> {
        let zeros = |shape| Tensor::zeros(shape, &table.device());
        self.rule.moment_shapes(table.dims()).into_iter().map(zeros).collect()
    }
}

/// Where each group stands in one step.
struct GroupSteps<'a> {
    groups: &'a Groups,
    counts: &'a [u64],
    rates: &'a [Option<f64>],
}

impl GroupSteps<'_> {
    /// The rule with the numbers of the group that a key is in.
    fn rule(&self, key: &str, rule: &OptimizerConfig) -> RowRule {
        let place = self.groups.place_of_key(key);
        let weight_decay = self.groups.as_slice()[place].weight_decay.unwrap_or(rule.weight_decay);
        let rate = self.rates[place].expect("gradients of groups that stand still were left out");
        OptimizerConfig { weight_decay, ..rule.clone() }.at(self.counts[place], rate)
    }
}

/// What the keys of tables begin with.
const ROWS: &str = "rows/";

fn rows_key(table: &str) -> String {
    format!("{ROWS}{table}")
}

/// What the keys of dense parameters begin with.
const DENSE: &str = "dense/";

fn dense_key(path: impl Display) -> String {
    format!("{DENSE}{path}")
}
