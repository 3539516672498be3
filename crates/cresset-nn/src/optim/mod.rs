//! Optimisers over embedding rows and dense parameters together.
//!
//! One step takes the loss of a [`ForwardPass`], and moves what the batch touched: the gathered rows of each
//! table, and every dense parameter with a gradient. What a batch does not touch stays as it is, to the bit:
//! an untouched row is not decayed, its velocity and moments do not fade, and they catch up on nothing when
//! the row is next seen. The bias correction of Adam counts the optimiser's steps, for all parameters alike.
//!
//! The [`Gradients`] of several passes can be added up before one step is taken, and held to a norm over all of them.

mod dense;
mod gradients;
mod rule;
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
pub use self::rule::{OptimizerConfig, OptimizerKind};
use crate::dropout::DropoutKey;
use crate::kernels::spec::RowStep;
use crate::path::Path;
use crate::{AutodiffRecommender, EmbeddingTable, ForwardPass, TrainModel};

/// What a rule remembers of each table and parameter, in the order of its [`OptimizerConfig::moments`].
type Moments<B> = BTreeMap<String, Vec<Tensor<<B as AutodiffBackend>::InnerBackend, 2>>>;

/// An update rule and what it remembers, by table name and parameter path.
#[derive(Debug)]
pub struct Optimizer<B: AutodiffRecommender> {
    rule: OptimizerConfig,
    max_grad_norm: Option<f32>,
    step: u64,
    moments: Moments<B>,
    last: Option<Norms<B::InnerBackend>>,
}

impl<B: AutodiffRecommender> Optimizer<B> {
    /// An optimiser that has taken no step.
    pub fn new(rule: OptimizerConfig) -> Self {
        Self { rule, max_grad_norm: None, step: 0, moments: Moments::<B>::new(), last: None }
    }

    /// The optimiser with every gradient longer than `norm` scaled down to it.
    ///
    /// The norm is over all rows and dense parameters together, repeated ids summed first.
    ///
    /// # Panics
    ///
    /// If `norm` is not above 0.
    pub fn with_max_grad_norm(self, norm: f32) -> Self {
        assert!(norm > 0.0, "max_grad_norm = {norm}, expected a number above 0");
        Self { max_grad_norm: Some(norm), ..self }
    }

    /// How many steps it has taken.
    pub fn steps_taken(&self) -> u64 {
        self.step
    }

    /// The model after one step down the gradient of `pass.loss`.
    ///
    /// # Panics
    ///
    /// If the pass gathered from a table that `model` does not have, or from one table twice.
    pub fn step<M: TrainModel<B>>(&mut self, model: M, pass: ForwardPass<B>, learning_rate: f64) -> M {
        let gradients = pass.backward(&model);
        self.apply(model, gradients, learning_rate)
    }

    /// The model after one step down `gradients`.
    ///
    /// A gradient with a value that is not finite moves nothing at all, neither parameters nor moments; ask
    /// [`gradient_norm`](Self::gradient_norm) afterwards.
    ///
    /// # Panics
    ///
    /// If the gradients are of a table that `model` does not have.
    pub fn apply<M: TrainModel<B>>(
        &mut self,
        mut model: M,
        gradients: Gradients<B>,
        learning_rate: f64,
    ) -> M {
        self.step += 1;
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
            let step = RowStep {
                rule: self.rule.at(self.step, learning_rate),
                scale: scale.clone(),
                rounding: DropoutKey::new(0, self.step, &name),
            };
            self.step_rows(table, rows, step);
        }
        if gradients.dense.is_empty() {
            return model;
        }
        let step = RowStep {
            rule: self.rule.dense().at(self.step, learning_rate),
            scale,
            rounding: DropoutKey::new(0, self.step, "dense"),
        };
        let Self { rule, moments, .. } = self;
        let rule = rule.dense();
        model.map(&mut DenseStep {
            rule: &rule,
            step,
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

    fn step_rows(
        &mut self,
        table: &mut EmbeddingTable<B>,
        rows: RowGradients<B::InnerBackend>,
        step: RowStep<B::InnerBackend>,
    ) {
        let key = rows_key(table.name());
        let moments = self.moments.remove(&key).unwrap_or_else(|| self.fresh_moments(table));
        let moments = table.update_rows(moments, rows.ids, rows.grad, step);
        self.moments.insert(key, moments);
    }

    fn fresh_moments(&self, table: &EmbeddingTable<B>) -> Vec<Tensor<B::InnerBackend, 2>> {
        let zeros = |shape| Tensor::zeros(shape, &table.device());
        self.rule.moment_shapes(table.dims()).into_iter().map(zeros).collect()
    }
}

fn rows_key(table: &str) -> String {
    format!("rows/{table}")
}

/// What the keys of dense parameters begin with.
const DENSE: &str = "dense/";

fn dense_key(path: impl Display) -> String {
    format!("{DENSE}{path}")
}
