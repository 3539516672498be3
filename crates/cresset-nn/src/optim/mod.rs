//! Optimisers over embedding rows and dense parameters together.
//!
//! One step takes the loss of a [`ForwardPass`], and moves what the batch touched: the gathered rows of each
//! table, and every dense parameter with a gradient. What a batch does not touch stays as it is, to the bit:
//! an untouched row is not decayed, its velocity and moments do not fade, and they catch up on nothing when
//! the row is next seen. The bias correction of Adam counts the optimiser's steps, for all parameters alike.

mod dense;
mod rule;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;

use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use self::dense::DenseStep;
pub use self::rule::{OptimizerConfig, OptimizerKind};
use self::rule::{Parameter, StepAt};
use crate::backend::write_rows;
use crate::path::Path;
use crate::table::GatheredRows;
use crate::{AutodiffRecommender, EmbeddingTable, ForwardPass, TrainModel};

/// What a rule remembers of each table and parameter, in the order of its [`OptimizerConfig::moments`].
type Moments<B> = BTreeMap<String, Vec<Tensor<<B as AutodiffBackend>::InnerBackend, 2>>>;

/// An update rule and what it remembers, by table name and parameter path.
#[derive(Debug)]
pub struct Optimizer<B: AutodiffRecommender> {
    rule: OptimizerConfig,
    step: u64,
    moments: Moments<B>,
}

impl<B: AutodiffRecommender> Optimizer<B> {
    /// An optimiser that has taken no step.
    pub fn new(rule: OptimizerConfig) -> Self {
        Self { rule, step: 0, moments: Moments::<B>::new() }
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
    pub fn step<M: TrainModel<B>>(&mut self, mut model: M, pass: ForwardPass<B>, learning_rate: f64) -> M {
        assert_gathered_once(&pass.rows);
        self.step += 1;
        let at = StepAt { step: self.step, learning_rate };
        let mut grads = pass.loss.backward();
        for rows in pass.rows {
            // A leaf that the loss does not depend on has no gradient and does not move.
            let Some(grad) = rows.leaf.grad_remove(&mut grads) else { continue };
            let mut tables = model.tables_mut();
            let table = tables.iter_mut().find(|table| table.name() == rows.table);
            self.step_rows(table.expect("a pass gathers from its own model's tables"), rows, grad, at);
        }
        let grads = GradientsParams::from_grads(grads, &model);
        if grads.is_empty() {
            return model;
        }
        let Self { rule, moments, .. } = self;
        model.map(&mut DenseStep { rule, at, grads, moments, path: Path::default() })
    }

    fn step_rows(
        &mut self,
        table: &mut EmbeddingTable<B>,
        rows: GatheredRows<B>,
        grad: Tensor<B::InnerBackend, 2>,
        at: StepAt,
    ) {
        let GatheredRows { ids, leaf, table: name, .. } = rows;
        let key = rows_key(&name);
        let kept = self.moments.remove(&key).unwrap_or_else(|| self.fresh_moments(table));
        let moments = kept.iter().map(|moment| moment.clone().select(0, ids.clone())).collect();
        let after = self.rule.update(Parameter { value: leaf.inner(), moments }, grad, at);
        let write = |(table, rows)| write_rows::<B::InnerBackend>(table, ids.clone(), rows);
        let kept = kept.into_iter().zip(after.moments).map(write).collect();
        self.moments.insert(key, kept);
        table.replace_rows(ids.clone(), after.value);
    }

    fn fresh_moments(&self, table: &EmbeddingTable<B>) -> Vec<Tensor<B::InnerBackend, 2>> {
        let weight = table.weight();
        let zeros = || Tensor::zeros(weight.dims(), &weight.device());
        self.rule.moments().iter().map(|_| zeros()).collect()
    }
}

fn rows_key(table: &str) -> String {
    format!("rows/{table}")
}

fn dense_key(path: impl Display) -> String {
    format!("dense/{path}")
}

/// The second write of a table would undo the first.
fn assert_gathered_once<B: AutodiffRecommender>(rows: &[GatheredRows<B>]) {
    for (at, one) in rows.iter().enumerate() {
        let twice = rows[..at].iter().any(|other| other.table == one.table);
        assert!(!twice, "a pass gathers once from each table, but twice from {}", one.table);
    }
}
