//! Rows gathered, summed, and copied to the host.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, IndexingUpdateOp, Int, Tensor};

use crate::kernels::spec::CsrMatrix;

pub(crate) fn gather_rows<B: Backend>(table: Tensor<B, 2>, ids: Tensor<B, 1, Int>) -> Tensor<B, 2> {
    let rows = table.select(0, ids);
    if rows.dtype() == DType::F32 { rows } else { rows.cast(DType::F32) }
}

pub(crate) fn copy_to_host<B: Backend>(tensor: Tensor<B, 1>, values: &mut [f32]) {
    let data = tensor.into_data();
    values.copy_from_slice(data.as_slice().expect("32-bit floats"));
}

pub(crate) fn sum_rows<B: Backend>(rows: Tensor<B, 2>, matrix: &CsrMatrix<B>) -> Tensor<B, 2> {
    let [_, dim] = rows.dims();
    let device = rows.device();
    let entries = rows.select(0, matrix.columns.clone());
    let entries = match &matrix.values {
        None => entries,
        Some(values) => entries * values.clone().unsqueeze_dim(1),
    };
    match &matrix.entry_rows {
        None => entries,
        Some(entry_rows) => Tensor::zeros([matrix.n_rows, dim], &device).select_assign(
            0,
            entry_rows.clone(),
            entries,
            IndexingUpdateOp::Add,
        ),
    }
}

pub(crate) fn sum_of_squares<B: Backend>(
    values: Tensor<B, 2>,
    weights: Option<Tensor<B, 2>>,
) -> Tensor<B, 1> {
    // Row by row first: on some backends the sum of a large tensor at once is not the same from run to run.
    let of_rows = (values.clone() * values).sum_dim(1);
    match weights {
        None => of_rows.sum(),
        Some(weights) => (of_rows * weights).sum(),
    }
}

pub(crate) fn pair_products<B: Backend>(
    left: Tensor<B, 2>,
    right: Tensor<B, 2>,
    left_ids: Tensor<B, 1, Int>,
    right_ids: Tensor<B, 1, Int>,
) -> Tensor<B, 1> {
    (left.select(0, left_ids) * right.select(0, right_ids)).sum_dim(1).squeeze_dim(1)
}
