//! Layer normalisation of rows.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::kernels::spec::Normalized;

pub(crate) fn layer_norm_forward<B: Backend>(
    x: Tensor<B, 2>,
    gamma: Tensor<B, 1>,
    beta: Tensor<B, 1>,
    epsilon: f32,
) -> Normalized<B> {
    let mean = x.clone().mean_dim(1);
    let centred = x - mean.clone();
    let variance = (centred.clone() * centred.clone()).mean_dim(1);
    let inverse_deviation = (variance + epsilon).sqrt().recip();
    Normalized {
        output: centred * inverse_deviation.clone() * gamma.unsqueeze_dim(0) + beta.unsqueeze_dim(0),
        mean: mean.squeeze_dim(1),
        inverse_deviation: inverse_deviation.squeeze_dim(1),
    }
}

pub(crate) fn layer_norm_backward<B: Backend>(
    grad: Tensor<B, 2>,
    x: Tensor<B, 2>,
    gamma: Tensor<B, 1>,
    normalized: Normalized<B>,
) -> (Tensor<B, 2>, Tensor<B, 1>, Tensor<B, 1>) {
    let inverse_deviation: Tensor<B, 2> = normalized.inverse_deviation.unsqueeze_dim(1);
    let unit = (x - normalized.mean.unsqueeze_dim(1)) * inverse_deviation.clone();
    let by_gamma = (grad.clone() * unit.clone()).sum_dim(0).squeeze_dim(0);
    let by_beta = grad.clone().sum_dim(0).squeeze_dim(0);
    let grad = grad * gamma.unsqueeze_dim(0);
    let along = (grad.clone() * unit.clone()).mean_dim(1);
    let by_x = (grad.clone() - grad.mean_dim(1) - unit * along) * inverse_deviation;
    (by_x, by_gamma, by_beta)
}
