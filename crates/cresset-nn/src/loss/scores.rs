//! Losses of scores that the model has computed.

use burn::tensor::Tensor;
use burn::tensor::activation::log_sigmoid;
use burn::tensor::backend::Backend;

/// Mean of the squared differences.
///
/// # Shapes
///
/// - predictions, targets: any, both the same
/// - output: `[1]`
///
/// # Panics
///
/// If the shapes differ.
pub fn mse<B: Backend, const D: usize>(predictions: Tensor<B, D>, targets: Tensor<B, D>) -> Tensor<B, 1> {
    assert_eq!(predictions.dims(), targets.dims(), "one target for each prediction");
    let difference = predictions - targets;
    (difference.clone() * difference).mean()
}

/// Mean binary cross-entropy of labels under the sigmoid of the logits, finite for any finite logit.
///
/// # Shapes
///
/// - logits, labels: `[n]`; a label is 0, 1 or a probability between them
/// - weights: `[n]`
/// - output: `[1]`, in nats
///
/// # Panics
///
/// If the lengths differ.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use cresset_nn::loss::bce_with_logits;
/// use cresset_nn::scalar;
///
/// let device = Default::default();
/// let logits = Tensor::<Flex, 1>::from_floats([0.0, 100.0], &device);
/// let labels = Tensor::from_floats([1.0, 0.0], &device);
/// let loss = bce_with_logits(logits, labels, None); // ln 2 and 100
/// assert!((scalar(loss) - (0.693_147 + 100.0) / 2.0).abs() < 1e-4);
/// ```
pub fn bce_with_logits<B: Backend>(
    logits: Tensor<B, 1>,
    labels: Tensor<B, 1>,
    weights: Option<Tensor<B, 1>>,
) -> Tensor<B, 1> {
    let [n] = logits.dims();
    assert_eq!(labels.dims(), [n], "one label for each logit");
    assert!(weights.as_ref().is_none_or(|weights| weights.dims() == [n]), "one weight for each example");
    // -y ln s(x) - (1 - y) ln s(-x), where ln s(-x) = ln s(x) - x.
    let terms = logits.clone() * (labels.neg() + 1.0) - log_sigmoid(logits);
    weighted_mean(terms, weights)
}

/// Mean of `-ln sigmoid(positive - negative)`: how far positives are from standing above their negatives.
///
/// # Shapes
///
/// - positives, negatives: any, both the same
/// - output: `[1]`, in nats
///
/// # Panics
///
/// If the shapes differ.
///
/// # Source
///
/// Rendle et al., UAI 2009, section 4.1, <https://arxiv.org/abs/1205.2618>; regularisation is the optimiser's.
pub fn bpr<B: Backend, const D: usize>(positives: Tensor<B, D>, negatives: Tensor<B, D>) -> Tensor<B, 1> {
    assert_eq!(positives.dims(), negatives.dims(), "one negative for each positive");
    log_sigmoid(positives - negatives).mean().neg()
}

fn weighted_mean<B: Backend>(terms: Tensor<B, 1>, weights: Option<Tensor<B, 1>>) -> Tensor<B, 1> {
    let Some(weights) = weights else { return terms.mean() };
    let total = weights.clone().sum();
    // Where every weight is 0, so is the sum.
    let total = total.clone().mask_fill(total.equal_elem(0.0), 1.0);
    (terms * weights).sum() / total
}
