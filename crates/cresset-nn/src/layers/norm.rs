//! Rows of a common length or spread.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::RecommenderBackend;

/// Added to the variance, as in PyTorch.
const EPSILON: f32 = 1e-5;

/// Each row with mean 0 and variance 1, times `gamma` plus `beta`, which are learnt.
///
/// # Source
///
/// Ba, Kiros and Hinton, 2016, section 3, <https://arxiv.org/abs/1607.06450>; 1e-5 is added to the variance.
#[derive(Module, Debug)]
pub struct LayerNorm<B: Backend> {
    gamma: Param<Tensor<B, 1>>,
    beta: Param<Tensor<B, 1>>,
}

impl<B: Backend> LayerNorm<B> {
    /// A layer for rows of width `d_model`: `gamma` is 1, `beta` is 0.
    ///
    /// # Panics
    ///
    /// If the width is 0.
    pub fn new(d_model: usize, device: &B::Device) -> Self {
        assert!(d_model > 0, "d_model = 0, expected rows of at least one value");
        Self {
            gamma: Param::from_tensor(Tensor::ones([d_model], device)),
            beta: Param::from_tensor(Tensor::zeros([d_model], device)),
        }
    }
}

impl<B: RecommenderBackend> LayerNorm<B> {
    /// The normalised rows, in any shape of rows.
    ///
    /// # Shapes
    ///
    /// - x, output: `[.., d_model]`
    ///
    /// # Panics
    ///
    /// If the last axis has another width.
    pub fn forward<const D: usize>(&self, x: Tensor<B, D>) -> Tensor<B, D> {
        let shape = x.shape();
        let d_model = self.gamma.dims()[0];
        assert_eq!(shape.last(), Some(&d_model), "the last axis is as wide as the layer");
        let rows = x.reshape([shape.num_elements() / d_model, d_model]);
        B::fused_layer_norm(rows, self.gamma.val(), self.beta.val(), EPSILON).reshape(shape)
    }
}

/// Each row divided by its length, or by `epsilon` where that is larger, so that a row of zeros stays one.
///
/// # Shapes
///
/// - x, output: `[rows, dim]`
///
/// # Panics
///
/// If the square of `epsilon` is not above 0 in single precision.
pub fn l2_normalize<B: Backend>(x: Tensor<B, 2>, epsilon: f32) -> Tensor<B, 2> {
    let floor = epsilon * epsilon;
    assert!(floor > 0.0, "epsilon = {epsilon}, expected a number whose square is above 0");
    // The square is kept above 0, not its root, whose slope at 0 is infinite.
    let squares = (x.clone() * x.clone()).sum_dim(1).clamp_min(floor);
    x * squares.sqrt().recip()
}
