//! What an optimiser remembers, as named tensors: how a run stops and goes on.

use burn::module::{ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::{DENSE, Optimizer, OptimizerConfig, dense_key, rows_key};
use crate::path::Path;
use crate::weights::{NamedTensors, WeightsError};
use crate::{AutodiffRecommender, TrainModel};

impl<B: AutodiffRecommender> Optimizer<B> {
    /// Everything remembered, by name: `rows/user_embedding/moment_1`, `dense/tower.layers.0.weight/moment_1`.
    pub fn state(&self) -> NamedTensors {
        let mut state = NamedTensors::new();
        self.visit_state(|name, moment| drop(state.insert(name, moment.to_data())));
        state
    }

    /// Hands over everything remembered, tensor by tensor, under the names of [`state`](Self::state).
    pub fn visit_state(&self, mut visit: impl FnMut(String, &Tensor<B::InnerBackend, 2>)) {
        for (key, moments) in &self.moments {
            for (name, moment) in self.rule_of(key).moments().iter().zip(moments) {
                visit(format!("{key}/{name}"), moment);
            }
        }
    }

    /// An optimiser that goes on with `model` where the one that gave `state` stood after `step` steps.
    ///
    /// A table or parameter without moments is one that no step has moved yet.
    ///
    /// # Errors
    ///
    /// A name that this rule does not keep or this model does not have, a moment without its companion, or one of
    /// another shape than its table or parameter.
    pub fn resume<M: TrainModel<B>>(
        rule: OptimizerConfig,
        step: u64,
        mut state: NamedTensors,
        model: &mut M,
        device: &B::Device,
    ) -> Result<Self, WeightsError> {
        let mut optimizer = Self { step, group_steps: vec![step], ..Self::new(rule) };
        for (key, shape) in shapes(model) {
            let rule = optimizer.rule_of(&key);
            let names: Vec<String> = rule.moments().iter().map(|moment| format!("{key}/{moment}")).collect();
            if names.iter().any(|name| state.contains_key(name)) {
                let take = |(name, shape)| take_matrix(&mut state, name, shape, device);
                let moments = names.into_iter().zip(rule.moment_shapes(shape));
                let moments = moments.map(take).collect::<Result<_, _>>()?;
                optimizer.moments.insert(key, moments);
            }
        }
        match state.into_keys().next() {
            None => Ok(optimizer),
            Some(name) => Err(WeightsError::Surplus(name)),
        }
    }

    fn rule_of(&self, key: &str) -> OptimizerConfig {
        if key.starts_with(DENSE) { self.rule.dense() } else { self.rule.clone() }
    }
}

/// Key and shape of each table and each dense parameter.
pub(super) fn shapes<B: AutodiffRecommender, M: TrainModel<B>>(model: &mut M) -> Vec<(String, [usize; 2])> {
    let mut dense = DenseShapes::default();
    model.visit(&mut dense);
    let tables = model.tables_mut();
    let tables = tables.iter().map(|table| (rows_key(table.name()), table.dims()));
    tables.chain(dense.shapes).collect()
}

/// The key of each table, and of each dense parameter that may learn.
pub(super) fn keys_that_learn<B: AutodiffRecommender, M: TrainModel<B>>(model: &mut M) -> Vec<String> {
    let mut dense = DenseShapes::default();
    model.visit(&mut dense);
    let fixed = dense.fixed;
    let shapes = shapes(model).into_iter().map(|(key, _)| key);
    shapes.filter(|key| !fixed.contains(key)).collect()
}

/// Collects the parameters that are stepped as one row of all their values: those of no table.
#[derive(Default)]
struct DenseShapes {
    shapes: Vec<(String, [usize; 2])>,
    /// Keys of those that ask for no gradient.
    fixed: Vec<String>,
    path: Path,
    is_in_table: bool,
}

impl<B: Backend> ModuleVisitor<B> for DenseShapes {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name);
        self.is_in_table = container_type == "Struct:EmbeddingTable";
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
        self.is_in_table = false;
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if !self.is_in_table {
            let (key, value) = (dense_key(&self.path), param.val());
            if !value.is_require_grad() {
                self.fixed.push(key.clone());
            }
            self.shapes.push((key, [1, value.shape().num_elements()]));
        }
    }
}

fn take_matrix<B: Backend>(
    state: &mut NamedTensors,
    name: String,
    expected: [usize; 2],
    device: &B::Device,
) -> Result<Tensor<B, 2>, WeightsError> {
    let Some(data) = state.remove(&name) else { return Err(WeightsError::Missing(name)) };
    let found = data.shape.to_vec();
    if found != expected {
        return Err(WeightsError::Shape { name, found, expected: expected.to_vec() });
    }
    Ok(Tensor::from_data(data, device))
}
