//! Dense parameters: every parameter of the module that received a gradient takes one step.

use std::collections::BTreeMap;

use burn::module::{ModuleMapper, Param};
use burn::tensor::Tensor;

use super::rule::OptimizerConfig;
use super::{GroupSteps, Moments, dense_key};
use crate::dropout::DropoutKey;
use crate::kernels::spec::{RowState, RowStep};
use crate::path::Path;
use crate::{AutodiffRecommender, RecommenderBackend};

/// Walks the module and steps what has a gradient. Moments are kept by parameter path, since Burn's own ids
/// are drawn anew in every process.
pub(super) struct DenseStep<'a, B: AutodiffRecommender> {
    pub(super) rule: &'a OptimizerConfig,
    pub(super) steps: GroupSteps<'a>,
    pub(super) scale: Tensor<B::InnerBackend, 1>,
    pub(super) rounding: DropoutKey,
    /// By path, each flattened to `[1, values]`.
    pub(super) grads: BTreeMap<String, Tensor<B::InnerBackend, 2>>,
    pub(super) moments: &'a mut Moments<B>,
    pub(super) path: Path,
}

impl<B: AutodiffRecommender> ModuleMapper<B> for DenseStep<'_, B> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let Some(grad) = self.grads.remove(&self.path.to_string()) else {
            return param;
        };
        let (id, value, mapper) = param.consume();
        let shape = value.shape();
        let flat = [1, shape.num_elements()];
        let value = value.inner().reshape(flat);
        let key = dense_key(&self.path);
        let moments = self.moments.remove(&key).unwrap_or_else(|| {
            let zeros = |shape| Tensor::zeros(shape, &value.device());
            self.rule.moment_shapes(flat).into_iter().map(zeros).collect()
        });
        let step = RowStep {
            rule: self.steps.rule(&key, self.rule),
            scale: self.scale.clone(),
            rounding: self.rounding,
        };
        let state = RowState { value, moments };
        let after = <B::InnerBackend>::update_rows(state, None, grad, step);
        self.moments.insert(key, after.moments);
        let value = Tensor::from_inner(after.value.reshape(shape)).require_grad();
        Param::from_mapped_value(id, value, mapper)
    }
}
