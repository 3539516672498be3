//! Weighted sums of rows: one unit for each element of the output, which walks the entries of its row.

use burn::tensor::{DType, Tensor};
use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::host::{CubeTensors, address_type, empty, floats, ints, is_f32, optional, tensor, units};
use crate::kernels::plain;
use crate::kernels::spec::CsrMatrix;

pub(super) fn sum_rows<B: CubeTensors>(rows: Tensor<B, 2>, matrix: &CsrMatrix<B>) -> Tensor<B, 2> {
    let [_, dim] = rows.dims();
    let n = matrix.n_rows * dim;
    let (Some(offsets), true) = (&matrix.offsets, is_f32(&rows)) else {
        return plain::sum_rows(rows, matrix);
    };
    if n == 0 || matrix.columns.dims() == [0] {
        return Tensor::zeros([matrix.n_rows, dim], &rows.device());
    }
    let rows = floats(rows);
    let output = empty(&rows, [matrix.n_rows, dim], DType::F32);
    let values = matrix.values.clone().map(floats);
    let (count, cube_dim) = units(&rows.client, n);
    kernel::launch::<B::Runtime>(
        &output.client,
        count,
        cube_dim,
        address_type(&[&rows, &output]),
        rows.clone().into_array_arg(),
        ints(offsets.clone()).into_array_arg(),
        ints(matrix.columns.clone()).into_array_arg(),
        optional(values),
        output.clone().into_array_arg(),
        dim,
    );
    tensor(output)
}

#[cube(launch, address_type = "dynamic")]
fn kernel(
    rows: &Array<f32>,
    offsets: &Array<i32>,
    columns: &Array<i32>,
    values: &ComptimeOption<Array<f32>>,
    output: &mut Array<f32>,
    dim: usize,
) {
    if ABSOLUTE_POS >= output.len() {
        terminate!();
    }
    let row = ABSOLUTE_POS / dim;
    let column = ABSOLUTE_POS % dim;
    let mut sum = 0.0f32;
    for entry in offsets[row] as usize..offsets[row + 1] as usize {
        let value = rows[columns[entry] as usize * dim + column];
        #[comptime]
        let value = match values {
            ComptimeOption::Some(values) => value * values[entry],
            ComptimeOption::None => value,
        };
        sum += value;
    }
    output[ABSOLUTE_POS] = sum;
}
