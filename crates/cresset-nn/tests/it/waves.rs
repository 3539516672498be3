//! Numbers that are set, not drawn, the same here and in the scripts under `tests/golden`.

use std::collections::BTreeMap;

use burn::backend::Autodiff;
use burn::backend::Flex;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};
use cresset_nn::weights::{named_tensors, restore};

use crate::models::Cpu;

/// `height * sin(0.7 i + phase)` for element `i`.
pub(crate) fn wave(n: usize, height: f64, phase: f64) -> Vec<f32> {
    (0..n).map(|i| (height * (0.7 * i as f64 + phase).sin()) as f32).collect()
}

/// A wave as a tensor that receives a gradient.
pub(crate) fn wave_tensor<const D: usize>(shape: [usize; D], height: f64, phase: f64) -> Tensor<Cpu, D> {
    let values = wave(shape.iter().product(), height, phase);
    Tensor::from_data(TensorData::new(values, shape), &Default::default()).require_grad()
}

/// The module with a wave for each parameter, whose phase is the place of its name among the sorted ones: of height 0.5,
/// about 1 for a gamma, and of height 3 for a router.
pub(crate) fn with_waves<M: Module<Cpu>>(module: M) -> M {
    let of = |(at, (name, old)): (usize, (String, TensorData))| {
        let height = if name.starts_with("router") { 3.0 } else { 0.5 };
        let middle = if name.ends_with("gamma") { 1.0 } else { 0.0 };
        let values = wave(old.num_elements(), height, at as f64).into_iter().map(|value| value + middle);
        (name, TensorData::new(values.collect::<Vec<f32>>(), old.shape))
    };
    let tensors = named_tensors(&module).into_iter().enumerate().map(of).collect();
    restore(module, tensors).unwrap()
}

/// The sum of the values times a wave: what tells one tensor from another by one number.
pub(crate) fn print(values: &[f32], phase: f64) -> f32 {
    let wave = wave(values.len(), 1.0, phase);
    values.iter().zip(wave).map(|(&a, b)| f64::from(a) * f64::from(b)).sum::<f64>() as f32
}

pub(crate) fn to_vec<const D: usize>(tensor: Tensor<Flex, D>) -> Vec<f32> {
    tensor.into_data().to_vec().unwrap()
}

pub(crate) fn values<const D: usize>(tensor: &Tensor<Cpu, D>) -> Vec<f32> {
    to_vec(tensor.clone().inner())
}

/// The gradient of every parameter by path; a parameter without one is not there.
pub(crate) fn gradients_by_name<M: Module<Cpu>>(
    module: &M,
    gradients: Gradients,
) -> BTreeMap<String, Vec<f32>> {
    let mut collect = Collect { gradients, path: vec![], found: BTreeMap::new() };
    module.visit(&mut collect);
    collect.found
}

pub(crate) type Gradients = <Cpu as AutodiffBackend>::Gradients;

struct Collect {
    gradients: Gradients,
    path: Vec<String>,
    found: BTreeMap<String, Vec<f32>>,
}

impl ModuleVisitor<Autodiff<Flex>> for Collect {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Cpu, D>>) {
        if let Some(gradient) = param.val().grad(&self.gradients) {
            self.found.insert(self.path.join("."), to_vec(gradient));
        }
    }
}
