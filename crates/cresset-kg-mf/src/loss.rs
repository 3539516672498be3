//! Squared error with a penalty that weighs every row by its ratings in the batch.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use cresset_nn::RecommenderBackend;

/// Mean squared error.
///
/// # Shapes
///
/// - predictions, ratings: `[batch, 1]`
/// - output: `[1]`, in squared stars
pub fn squared_error<B: Backend>(predictions: Tensor<B, 2>, ratings: Tensor<B, 2>) -> Tensor<B, 1> {
    let error = predictions - ratings;
    (error.clone() * error).mean()
}

/// Sum over examples of the squared length of the row each one uses, divided by the number of examples.
///
/// Equal to squaring the rows example by example, at the cost of the distinct rows alone.
///
/// # Shapes
///
/// - rows: `[n_unique, dim]`
/// - counts: `[n_unique, 1]`, how many examples use each row
/// - output: `[1]`
///
/// # Source
///
/// Koren, Bell and Volinsky, IEEE Computer 42(8), 2009, equation 5: its sum over ratings penalises a user once for
/// each of them.
pub fn mean_square_length<B: RecommenderBackend>(
    rows: Tensor<B, 2>,
    counts: Tensor<B, 2>,
    batch: usize,
) -> Tensor<B, 1> {
    B::sum_of_squares(rows, Some(counts)) / batch as f64
}
