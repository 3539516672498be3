//! Bias, activation, dropout and residual, one operation after the other.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData, activation};

use crate::kernels::spec::Epilogue;
use crate::{Activation, Dropout};

pub(crate) fn epilogue<B: Backend>(x: Tensor<B, 2>, epilogue: Epilogue<B>) -> Tensor<B, 2> {
    let x = with_bias(x, &epilogue);
    let x = match epilogue.activation {
        Activation::None => x,
        Activation::Relu => activation::relu(x),
        Activation::Gelu => activation::gelu(x),
    };
    let x = dropped(x, epilogue.dropout);
    match epilogue.residual {
        None => x,
        Some(residual) => x + residual,
    }
}

pub(crate) fn epilogue_backward<B: Backend>(
    grad: Tensor<B, 2>,
    x: Option<Tensor<B, 2>>,
    epilogue: Epilogue<B>,
) -> (Tensor<B, 2>, Option<Tensor<B, 1>>) {
    let grad = dropped(grad, epilogue.dropout);
    let input = || with_bias(x.expect("an activation's way back reads its input"), &epilogue);
    let grad = match epilogue.activation {
        Activation::None => grad,
        Activation::Relu => grad.mask_fill(input().lower_equal_elem(0.0), 0.0),
        Activation::Gelu => grad * gelu_slope(input()),
    };
    let bias = epilogue.bias.is_some().then(|| grad.clone().sum_dim(0).squeeze_dim(0));
    (grad, bias)
}

fn with_bias<B: Backend>(x: Tensor<B, 2>, epilogue: &Epilogue<B>) -> Tensor<B, 2> {
    match &epilogue.bias {
        None => x,
        Some(bias) => x + bias.clone().unsqueeze_dim(0),
    }
}

/// The mask is computed on the host, where no kernel of the backend's own computes it.
pub(super) fn dropped<B: Backend, const D: usize>(x: Tensor<B, D>, dropout: Option<Dropout>) -> Tensor<B, D> {
    let Some(dropout) = dropout else { return x };
    let shape = x.shape();
    let mask = TensorData::new(dropout.mask(shape.num_elements()), shape);
    let mask = Tensor::from_data(mask, &x.device());
    x * mask
}

/// `Phi(x) + x phi(x)`: the derivative of `x Phi(x)`, with `Phi` the normal distribution and `phi` its density.
fn gelu_slope<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    let distribution = ((x.clone() * std::f32::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
    let density = (x.clone() * x.clone() * -0.5).exp()
        * (0.5 * std::f32::consts::FRAC_2_SQRT_PI * std::f32::consts::FRAC_1_SQRT_2);
    distribution + x * density
}
