//! Layer normalisation: one cube for each row.

use burn::tensor::{DType, Tensor};
use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::device::sum_of_cube;
use super::host::{CubeTensors, NARROW, address_type, cubes, empty, floats, is_f32, tensor, units};
use crate::kernels::plain;
use crate::kernels::spec::Normalized;

/// Rows whose share of the parameters' gradients one unit sums; the shares are summed after.
const ROWS_PER_SHARE: usize = 64;

pub(super) fn layer_norm_forward<B: CubeTensors>(
    x: Tensor<B, 2>,
    gamma: Tensor<B, 1>,
    beta: Tensor<B, 1>,
    epsilon: f32,
) -> Normalized<B> {
    let [rows, dim] = x.dims();
    if !is_f32(&x) {
        return plain::layer_norm_forward(x, gamma, beta, epsilon);
    }
    if rows * dim == 0 {
        let none = Tensor::zeros([rows], &x.device());
        return Normalized { output: x, mean: none.clone(), inverse_deviation: none };
    }
    let x = floats(x);
    let output = empty(&x, [rows, dim], DType::F32);
    let [mean, inverse_deviation] = [(); 2].map(|()| empty(&x, [rows], DType::F32));
    let (count, cube_dim) = cubes(&x.client, rows, NARROW);
    forward::launch::<B::Runtime>(
        &output.client,
        count,
        cube_dim,
        address_type(&[&x]),
        x.clone().into_array_arg(),
        floats(gamma).into_array_arg(),
        floats(beta).into_array_arg(),
        output.clone().into_array_arg(),
        mean.clone().into_array_arg(),
        inverse_deviation.clone().into_array_arg(),
        dim,
        epsilon,
    );
    Normalized { output: tensor(output), mean: tensor(mean), inverse_deviation: tensor(inverse_deviation) }
}

pub(super) fn layer_norm_backward<B: CubeTensors>(
    grad: Tensor<B, 2>,
    x: Tensor<B, 2>,
    gamma: Tensor<B, 1>,
    normalized: Normalized<B>,
) -> (Tensor<B, 2>, Tensor<B, 1>, Tensor<B, 1>) {
    let [rows, dim] = x.dims();
    if !is_f32(&x) {
        return plain::layer_norm_backward(grad, x, gamma, normalized);
    }
    if rows * dim == 0 {
        let zeros = gamma.zeros_like();
        return (x, zeros.clone(), zeros);
    }
    let (grad, x) = (floats(grad), floats(x));
    let (mean, inverse_deviation) = (floats(normalized.mean), floats(normalized.inverse_deviation));
    let address = address_type(&[&x]);
    let by_x = empty(&x, [rows, dim], DType::F32);
    let (count, cube_dim) = cubes(&x.client, rows, NARROW);
    backward_by_x::launch::<B::Runtime>(
        &by_x.client,
        count,
        cube_dim,
        address,
        grad.clone().into_array_arg(),
        x.clone().into_array_arg(),
        floats(gamma).into_array_arg(),
        mean.clone().into_array_arg(),
        inverse_deviation.clone().into_array_arg(),
        by_x.clone().into_array_arg(),
        dim,
    );
    let n_shares = rows.div_ceil(ROWS_PER_SHARE);
    let [by_gamma, by_beta] = [(); 2].map(|()| empty(&x, [n_shares, dim], DType::F32));
    let (count, cube_dim) = units(&x.client, n_shares * dim);
    backward_by_parameters::launch::<B::Runtime>(
        &by_gamma.client,
        count,
        cube_dim,
        address,
        grad.into_array_arg(),
        x.into_array_arg(),
        mean.into_array_arg(),
        inverse_deviation.into_array_arg(),
        by_gamma.clone().into_array_arg(),
        by_beta.clone().into_array_arg(),
        dim,
    );
    let sum = |shares| tensor::<B, 2>(shares).sum_dim(0).squeeze_dim(0);
    (tensor(by_x), sum(by_gamma), sum(by_beta))
}

#[cube(launch, address_type = "dynamic")]
fn forward(
    x: &Array<f32>,
    gamma: &Array<f32>,
    beta: &Array<f32>,
    output: &mut Array<f32>,
    mean: &mut Array<f32>,
    inverse_deviation: &mut Array<f32>,
    dim: usize,
    epsilon: f32,
) {
    if CUBE_POS >= mean.len() {
        terminate!();
    }
    let start = CUBE_POS * dim;
    let mut shared = SharedMemory::<f32>::new(comptime!(NARROW as usize));
    let mut sum = 0.0f32;
    let mut column = UNIT_POS as usize;
    while column < dim {
        sum += x[start + column];
        column += NARROW as usize;
    }
    let row_mean = sum_of_cube(sum, &mut shared, NARROW) / f32::cast_from(dim);
    let mut squares = 0.0f32;
    let mut column = UNIT_POS as usize;
    while column < dim {
        let centred = x[start + column] - row_mean;
        squares += centred * centred;
        column += NARROW as usize;
    }
    let variance = sum_of_cube(squares, &mut shared, NARROW) / f32::cast_from(dim);
    let inverse = 1.0 / (variance + epsilon).sqrt();
    let mut column = UNIT_POS as usize;
    while column < dim {
        output[start + column] = (x[start + column] - row_mean) * inverse * gamma[column] + beta[column];
        column += NARROW as usize;
    }
    if UNIT_POS == 0 {
        mean[CUBE_POS] = row_mean;
        inverse_deviation[CUBE_POS] = inverse;
    }
}

#[cube(launch, address_type = "dynamic")]
fn backward_by_x(
    grad: &Array<f32>,
    x: &Array<f32>,
    gamma: &Array<f32>,
    mean: &Array<f32>,
    inverse_deviation: &Array<f32>,
    by_x: &mut Array<f32>,
    dim: usize,
) {
    if CUBE_POS >= mean.len() {
        terminate!();
    }
    let start = CUBE_POS * dim;
    let inverse = inverse_deviation[CUBE_POS];
    let mut shared = SharedMemory::<f32>::new(comptime!(NARROW as usize));
    let mut sum = 0.0f32;
    let mut sum_along = 0.0f32;
    let mut column = UNIT_POS as usize;
    while column < dim {
        let slope = grad[start + column] * gamma[column];
        sum += slope;
        sum_along += slope * (x[start + column] - mean[CUBE_POS]) * inverse;
        column += NARROW as usize;
    }
    let level = sum_of_cube(sum, &mut shared, NARROW) / f32::cast_from(dim);
    let along = sum_of_cube(sum_along, &mut shared, NARROW) / f32::cast_from(dim);
    let mut column = UNIT_POS as usize;
    while column < dim {
        let unit = (x[start + column] - mean[CUBE_POS]) * inverse;
        by_x[start + column] = (grad[start + column] * gamma[column] - level - unit * along) * inverse;
        column += NARROW as usize;
    }
}

/// One unit for each column of each share of the rows.
#[cube(launch, address_type = "dynamic")]
fn backward_by_parameters(
    grad: &Array<f32>,
    x: &Array<f32>,
    mean: &Array<f32>,
    inverse_deviation: &Array<f32>,
    by_gamma: &mut Array<f32>,
    by_beta: &mut Array<f32>,
    dim: usize,
) {
    if ABSOLUTE_POS >= by_gamma.len() {
        terminate!();
    }
    let column = ABSOLUTE_POS % dim;
    let first = ABSOLUTE_POS / dim * ROWS_PER_SHARE;
    let mut gamma_sum = 0.0f32;
    let mut beta_sum = 0.0f32;
    for row in first..min(first + ROWS_PER_SHARE, mean.len()) {
        let at = row * dim + column;
        gamma_sum += grad[at] * (x[at] - mean[row]) * inverse_deviation[row];
        beta_sum += grad[at];
    }
    by_gamma[ABSOLUTE_POS] = gamma_sum;
    by_beta[ABSOLUTE_POS] = beta_sum;
}
