//! Dense parameters: every parameter of the module that received a gradient takes one step.

use burn::module::{ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::rule::{OptimizerConfig, Parameter, StepAt};
use super::{Moments, dense_key};
use crate::AutodiffRecommender;
use crate::path::Path;

/// Walks the module and steps what has a gradient. Moments are kept by parameter path, since Burn's own ids
/// are drawn anew in every process.
pub(super) struct DenseStep<'a, B: AutodiffRecommender> {
    pub(super) rule: &'a OptimizerConfig,
    pub(super) at: StepAt,
    pub(super) grads: GradientsParams,
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
        let Some(grad) = self.grads.remove::<B::InnerBackend, D>(param.id) else {
            return param;
        };
        let (id, value, mapper) = param.consume();
        let shape = value.shape();
        // The rules work on matrices; element by element, a row of everything is as good as any shape.
        let flat = [1, shape.num_elements()];
        let value = value.inner().reshape(flat);
        let key = dense_key(&self.path);
        let moments = self.moments.remove(&key).unwrap_or_else(|| {
            let zeros = || Tensor::zeros(flat, &value.device());
            self.rule.moments().iter().map(|_| zeros()).collect()
        });
        let after = self.rule.update(Parameter { value, moments }, grad.reshape(flat), self.at);
        self.moments.insert(key, after.moments);
        let value = Tensor::from_inner(after.value.reshape(shape)).require_grad();
        Param::from_mapped_value(id, value, mapper)
    }
}
