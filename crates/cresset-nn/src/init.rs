//! Initial weights, drawn on the host as a function of the seed and the parameter's path.
//!
//! Burn's own generators are process-wide; drawing here makes two models of one process independent of each
//! other, and the same on every backend.

use burn::tensor::backend::Backend;
use burn::tensor::{Shape, Tensor, TensorData};
use cresset_data::random::{open_unit, standard_normal, stream};

/// A tensor of independent normal values with mean 0.
pub fn normal<B: Backend, const D: usize>(
    seed: u64,
    path: &str,
    shape: impl Into<Shape>,
    std: f32,
    device: &B::Device,
) -> Tensor<B, D> {
    let mut rng = stream(seed, path, 0);
    fill(shape.into(), device, || std * standard_normal(&mut rng))
}

/// A tensor of independent values, uniform between `-bound` and `bound`.
pub fn uniform<B: Backend, const D: usize>(
    seed: u64,
    path: &str,
    shape: impl Into<Shape>,
    bound: f32,
    device: &B::Device,
) -> Tensor<B, D> {
    let mut rng = stream(seed, path, 0);
    fill(shape.into(), device, || bound * (2.0 * open_unit(&mut rng) - 1.0))
}

fn fill<B: Backend, const D: usize>(
    shape: Shape,
    device: &B::Device,
    mut draw: impl FnMut() -> f32,
) -> Tensor<B, D> {
    let values: Vec<f32> = (0..shape.num_elements()).map(|_| draw()).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
