//! Bias, activation, dropout and residual in one pass.

use burn::tensor::{DType, Tensor};
use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::device::{Mask, dropped, mask};
use super::host::{CubeTensors, address_type, empty, floats, is_f32, optional, tensor, units};
use crate::Activation;
use crate::kernels::plain;
use crate::kernels::spec::Epilogue;

pub(super) fn epilogue<B: CubeTensors>(x: Tensor<B, 2>, epilogue: Epilogue<B>) -> Tensor<B, 2> {
    let [rows, dim] = x.dims();
    if !is_f32(&x) {
        return plain::epilogue(x, epilogue);
    }
    if rows * dim == 0 {
        return x;
    }
    let x = floats(x);
    let output = empty(&x, [rows, dim], DType::F32);
    let (count, cube_dim) = units(&x.client, rows * dim);
    forward::launch::<B::Runtime>(
        &output.client,
        count,
        cube_dim,
        address_type(&[&x]),
        x.clone().into_array_arg(),
        optional(epilogue.bias.map(floats)),
        optional(epilogue.residual.map(floats)),
        mask(epilogue.dropout),
        output.clone().into_array_arg(),
        dim,
        epilogue.activation.into(),
    );
    tensor(output)
}

pub(super) fn epilogue_backward<B: CubeTensors>(
    grad: Tensor<B, 2>,
    x: Option<Tensor<B, 2>>,
    epilogue: Epilogue<B>,
) -> (Tensor<B, 2>, Option<Tensor<B, 1>>) {
    let [rows, dim] = grad.dims();
    if !is_f32(&grad) {
        return plain::epilogue_backward(grad, x, epilogue);
    }
    let has_bias = epilogue.bias.is_some();
    if rows * dim == 0 {
        let device = grad.device();
        return (grad, has_bias.then(|| Tensor::zeros([dim], &device)));
    }
    let by_x = if epilogue.activation == Activation::None && epilogue.dropout.is_none() {
        grad
    } else {
        backward_by_x(grad, x, epilogue)
    };
    let by_bias = has_bias.then(|| by_x.clone().sum_dim(0).squeeze_dim(0));
    (by_x, by_bias)
}

fn backward_by_x<B: CubeTensors>(
    grad: Tensor<B, 2>,
    x: Option<Tensor<B, 2>>,
    epilogue: Epilogue<B>,
) -> Tensor<B, 2> {
    let [rows, dim] = grad.dims();
    let x = match epilogue.activation {
        Activation::None => None,
        _ => Some(floats(x.expect("an activation's way back reads its input"))),
    };
    let grad = floats(grad);
    let output = empty(&grad, [rows, dim], DType::F32);
    let (count, cube_dim) = units(&grad.client, rows * dim);
    backward::launch::<B::Runtime>(
        &output.client,
        count,
        cube_dim,
        address_type(&[&grad]),
        grad.clone().into_array_arg(),
        optional(x),
        optional(epilogue.bias.map(floats)),
        mask(epilogue.dropout),
        output.clone().into_array_arg(),
        dim,
        epilogue.activation.into(),
    );
    tensor(output)
}

/// [`Activation`] as a part of a kernel's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Curve {
    Straight,
    Relu,
    Gelu,
}

impl From<Activation> for Curve {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::None => Self::Straight,
            Activation::Relu => Self::Relu,
            Activation::Gelu => Self::Gelu,
        }
    }
}

#[cube(launch, address_type = "dynamic")]
fn forward(
    x: &Array<f32>,
    bias: &ComptimeOption<Array<f32>>,
    residual: &ComptimeOption<Array<f32>>,
    mask: &ComptimeOption<Mask>,
    output: &mut Array<f32>,
    dim: usize,
    #[comptime] curve: Curve,
) {
    if ABSOLUTE_POS >= output.len() {
        terminate!();
    }
    let value = with_bias(x[ABSOLUTE_POS], ABSOLUTE_POS % dim, bias);
    let value = dropped(bent(value, curve), ABSOLUTE_POS, mask);
    #[comptime]
    let value = match residual {
        ComptimeOption::Some(residual) => value + residual[ABSOLUTE_POS],
        ComptimeOption::None => value,
    };
    output[ABSOLUTE_POS] = value;
}

#[cube(launch, address_type = "dynamic")]
fn backward(
    grad: &Array<f32>,
    x: &ComptimeOption<Array<f32>>,
    bias: &ComptimeOption<Array<f32>>,
    mask: &ComptimeOption<Mask>,
    output: &mut Array<f32>,
    dim: usize,
    #[comptime] curve: Curve,
) {
    if ABSOLUTE_POS >= output.len() {
        terminate!();
    }
    let value = dropped(grad[ABSOLUTE_POS], ABSOLUTE_POS, mask);
    #[comptime]
    let value = match x {
        ComptimeOption::Some(x) => value * slope(with_bias(x[ABSOLUTE_POS], ABSOLUTE_POS % dim, bias), curve),
        ComptimeOption::None => value,
    };
    output[ABSOLUTE_POS] = value;
}

#[cube]
fn with_bias(value: f32, column: usize, bias: &ComptimeOption<Array<f32>>) -> f32 {
    #[comptime]
    match bias {
        ComptimeOption::Some(bias) => value + bias[column],
        ComptimeOption::None => value,
    }
}

#[cube]
fn bent(value: f32, #[comptime] curve: Curve) -> f32 {
    match comptime!(curve) {
        Curve::Straight => value,
        Curve::Relu => select(value < 0.0, 0.0, value),
        Curve::Gelu => value * normal_distribution(value),
    }
}

#[cube]
fn slope(value: f32, #[comptime] curve: Curve) -> f32 {
    match comptime!(curve) {
        Curve::Straight => 1.0f32.runtime(),
        Curve::Relu => select(value <= 0.0, 0.0, 1.0),
        // 0.398.. is one over the root of 2 pi.
        Curve::Gelu => normal_distribution(value) + value * (value * value * -0.5).exp() * 0.398_942_3,
    }
}

#[cube]
fn normal_distribution(value: f32) -> f32 {
    // 0.707.. is the root of one half.
    0.5 + 0.5 * Erf::erf(value * 0.707_106_77)
}
