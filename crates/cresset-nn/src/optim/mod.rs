//! Optimisers over embedding rows and dense parameters together.
//!
//! One step takes the loss of a [`ForwardPass`], and moves what the batch touched: the gathered rows of each
//! table, and every dense parameter with a gradient. What a batch does not touch stays as it is, to the bit:
//! an untouched row is not decayed, its velocity and moments do not fade, and catch up on nothing when the
//! row is next seen. The bias correction of Adam counts the optimiser's steps, for all parameters alike.

mod dense;
mod rule;

use std::collections::BTreeMap;

use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

pub use self::rule::{OptimizerConfig, OptimizerKind};
use self::dense::DenseStep;
use self::rule::{Parameter, StepAt};
use crate::backend::write_rows;
use crate::path::Path;
use crate::table::GatheredRows;
use crate::weights::{NamedTensors, Tensors, WeightsError};
use crate::{AutodiffRecommender, EmbeddingTable, ForwardPass, TrainModel};

/// An update rule and what it remembers, by table name and parameter path.
#[derive(Debug)]
pub struct Optimizer<B: AutodiffRecommender> {
    rule: OptimizerConfig,
    step: u64,
    rows: BTreeMap<String, Vec<Tensor<B::InnerBackend, 2>>>,
    dense: BTreeMap<String, Vec<Tensor<B::InnerBackend, 2>>>,
}

impl<B: AutodiffRecommender> Optimizer<B> {
    /// An optimiser that has taken no step.
    pub fn new(rule: OptimizerConfig) -> Self {
        Self { rule, step: 0, rows: BTreeMap::new(), dense: BTreeMap::new() }
    }

    /// How many steps it has taken.
    pub fn steps_taken(&self) -> u64 {
        self.step
    }

    /// The model after one step down the gradient of `pass.loss`.
    pub fn step<M>(&mut self, mut model: M, pass: ForwardPass<B>, learning_rate: f64) -> M
    where
        M: TrainModel<B> + AutodiffModule<B>,
    {
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
        let Self { rule, dense, .. } = self;
        model.map(&mut DenseStep { rule, at, grads, moments: dense, path: Path::default() })
    }

    fn step_rows(
        &mut self,
        table: &mut EmbeddingTable<B>,
        rows: GatheredRows<B>,
        grad: Tensor<B::InnerBackend, 2>,
        at: StepAt,
    ) {
        let GatheredRows { ids, leaf, table: name, .. } = rows;
        let kept = self.rows.remove(&name).unwrap_or_else(|| self.fresh_moments(table));
        let moments = kept.iter().map(|moment| moment.clone().select(0, ids.clone())).collect();
        let after = self.rule.update(Parameter { value: leaf.inner(), moments }, grad, at);
        let write = |(table, rows)| write_rows::<B::InnerBackend>(table, ids.clone(), rows);
        let kept = kept.into_iter().zip(after.moments).map(write).collect();
        self.rows.insert(name, kept);
        table.replace_rows(ids.clone(), after.value);
    }

    fn fresh_moments(&self, table: &EmbeddingTable<B>) -> Vec<Tensor<B::InnerBackend, 2>> {
        let weight = table.weight();
        let zeros = || Tensor::zeros(weight.dims(), &weight.device());
        self.rule.moments().iter().map(|_| zeros()).collect()
    }

    /// Everything remembered, by name: `rows/user_embedding/moment_1`, `dense/tower.0.weight/moment_1`.
    pub fn state(&self) -> NamedTensors {
        let kinds = [("rows", &self.rows), ("dense", &self.dense)];
        let mut state = NamedTensors::new();
        for (kind, moments) in kinds {
            for (path, tensors) in moments {
                for (moment, tensor) in self.rule.moments().iter().zip(tensors) {
                    state.insert(format!("{kind}/{path}/{moment}"), tensor.to_data());
                }
            }
        }
        state
    }

    /// An optimiser that goes on where the one that gave `state` stood after `step` steps.
    ///
    /// # Errors
    ///
    /// A name in `state` that this rule does not keep, or a moment without its companion.
    pub fn restore(
        rule: OptimizerConfig,
        step: u64,
        state: NamedTensors,
        device: &B::Device,
    ) -> Result<Self, WeightsError> {
        let mut state = Tensors::new(state);
        let mut optimizer = Self { step, ..Self::new(rule) };
        let mut paths: Vec<(String, String)> = Vec::new();
        for name in state.names() {
            let mut parts = name.splitn(3, '/').map(str::to_owned);
            if let (Some(kind), Some(path)) = (parts.next(), parts.next()) {
                paths.push((kind, path));
            }
        }
        paths.dedup();
        for (kind, path) in paths {
            let named = |moment: &&str| state.take_matrix(&format!("{kind}/{path}/{moment}"), device);
            let moments = optimizer.rule.moments().iter().map(named).collect::<Result<_, _>>()?;
            let kept = if kind == "rows" { &mut optimizer.rows } else { &mut optimizer.dense };
            kept.insert(path, moments);
        }
        state.finish()?;
        Ok(optimizer)
    }
}

