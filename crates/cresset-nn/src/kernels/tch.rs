//! LibTorch: rows written where they lie, and the fused operations that it has.
//!
//! What is not here runs by the plain bodies, whose ordinary operations LibTorch does well.

use burn::tensor::{DType, Int, Tensor, TensorPrimitive};
use burn_tch::{LibTorch, TchElement, TchTensor};
use tch::Kind;

use super::plain;
use super::spec::{CsrMatrix, Epilogue, Normalized, RowState, RowStep};
use crate::{Activation, RecommenderBackend, rounding};

/// How LibTorch's bags of embeddings are told to add up.
const SUM: i64 = 0;

impl<E: TchElement> RecommenderBackend for LibTorch<E> {
    fn sum_rows(rows: Tensor<Self, 2>, matrix: &CsrMatrix<Self>) -> Tensor<Self, 2> {
        let [n_rows, dim] = rows.dims();
        let n_entries = matrix.columns.dims()[0];
        let Some(offsets) = &matrix.offsets else { return plain::sum_rows(rows, matrix) };
        if n_rows * dim * n_entries * matrix.n_rows == 0 {
            return Tensor::zeros([matrix.n_rows, dim], &rows.device());
        }
        // One bag for each row, each summed in the order of its entries.
        let (sums, ..) = tch::Tensor::embedding_bag(
            &float(rows).tensor,
            &int(matrix.columns.clone()).tensor,
            &int(offsets.clone()).tensor,
            false,
            SUM,
            false,
            matrix.values.clone().map(|values| float(values).tensor),
            true,
        );
        wrapped(sums)
    }

    fn update_rows(
        state: RowState<Self>,
        ids: Option<Tensor<Self, 1, Int>>,
        grads: Tensor<Self, 2>,
        step: RowStep<Self>,
    ) -> RowState<Self> {
        let [n, dim] = grads.dims();
        if n * dim == 0 {
            return state;
        }
        let named = ids.clone().map(|ids| int(ids).tensor.to_kind(Kind::Int64));
        let value = owned(state.value);
        let moments: Vec<TchTensor> = state.moments.into_iter().map(owned).collect();
        let before = RowState {
            value: named_rows(&value, named.as_ref()),
            moments: moments.iter().map(|moment| named_rows(moment, named.as_ref())).collect(),
        };
        let rounding = step.rounding;
        let mut after = plain::update_rows(before, None, grads, step);
        if value.tensor.kind() == Kind::BFloat16 {
            after.value = rounding::rows_to_bf16(after.value, ids.as_ref(), rounding);
        }
        let written = moments.into_iter().zip(after.moments);
        RowState {
            value: write_rows(value, named.as_ref(), after.value),
            moments: written.map(|(table, rows)| write_rows(table, named.as_ref(), rows)).collect(),
        }
    }

    fn sum_of_squares(values: Tensor<Self, 2>, weights: Option<Tensor<Self, 2>>) -> Tensor<Self, 1> {
        // The norm of a row is the one sum of squares that does not store the squares first.
        let norms = float(values).tensor.norm_scalaropt_dim(2.0, [1].as_slice(), true);
        let of_rows: Tensor<Self, 2> = wrapped(norms.square());
        match weights {
            None => of_rows.sum(),
            Some(weights) => (of_rows * weights).sum(),
        }
    }

    fn epilogue_backward(
        grad: Tensor<Self, 2>,
        x: Option<Tensor<Self, 2>>,
        epilogue: Epilogue<Self>,
    ) -> (Tensor<Self, 2>, Option<Tensor<Self, 1>>) {
        if epilogue.activation != Activation::Gelu {
            return plain::epilogue_backward(grad, x, epilogue);
        }
        let dropout_alone = Epilogue { dropout: epilogue.dropout, ..Epilogue::default() };
        let (grad, _) = plain::epilogue_backward(grad, None, dropout_alone);
        let x = x.expect("an activation's way back reads its input");
        let x = match &epilogue.bias {
            None => x,
            Some(bias) => x + bias.clone().unsqueeze_dim(0),
        };
        let grad = wrapped(float(x).tensor.gelu_backward(&float(grad).tensor, "none"));
        plain::epilogue_backward(grad, None, Epilogue { bias: epilogue.bias, ..Epilogue::default() })
    }

    fn fused_layer_norm_forward(
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        beta: Tensor<Self, 1>,
        epsilon: f32,
    ) -> Normalized<Self> {
        let [rows, dim] = x.dims();
        let (gamma, beta) = (float(gamma).tensor, float(beta).tensor);
        let width = [dim as i64];
        let (output, mean, inverse_deviation) =
            float(x).tensor.native_layer_norm(width.as_slice(), Some(gamma), Some(beta), f64::from(epsilon));
        let column = |statistic| wrapped::<E, 2>(statistic).reshape([rows]);
        Normalized {
            output: wrapped(output),
            mean: column(mean),
            inverse_deviation: column(inverse_deviation),
        }
    }

    fn fused_layer_norm_backward(
        grad: Tensor<Self, 2>,
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        normalized: Normalized<Self>,
    ) -> (Tensor<Self, 2>, Tensor<Self, 1>, Tensor<Self, 1>) {
        if grad.dims()[0] == 0 {
            // Burn would write the product of no row and one row into the one row.
            return (grad, gamma.zeros_like(), gamma.zeros_like());
        }
        plain::layer_norm_backward(grad, x, gamma, normalized)
    }
}

fn float<E: TchElement, const D: usize>(tensor: Tensor<LibTorch<E>, D>) -> TchTensor {
    tensor.into_primitive().tensor()
}

fn int<E: TchElement, const D: usize>(tensor: Tensor<LibTorch<E>, D, Int>) -> TchTensor {
    tensor.into_primitive()
}

/// The Burn tensor of a result whose memory nobody else holds.
fn wrapped<E: TchElement, const D: usize>(fresh: tch::Tensor) -> Tensor<LibTorch<E>, D> {
    Tensor::from_primitive(TensorPrimitive::Float(TchTensor::new(fresh)))
}

/// The table itself where nobody else holds it, else a copy.
fn owned<E: TchElement>(table: Tensor<LibTorch<E>, 2>) -> TchTensor {
    let table = float(table);
    if table.can_mut() { table } else { TchTensor::new(table.tensor.copy()) }
}

/// The rows that are named, as f32; without names the table itself, which the caller only reads.
fn named_rows<E: TchElement>(table: &TchTensor, ids: Option<&tch::Tensor>) -> Tensor<LibTorch<E>, 2> {
    match ids {
        Some(ids) => wrapped(table.tensor.index_select(0, ids).to_kind(Kind::Float)),
        None => {
            let shared: Tensor<LibTorch<E>, 2> =
                Tensor::from_primitive(TensorPrimitive::Float(table.clone()));
            shared.cast(DType::F32)
        }
    }
}

/// The table with its named rows replaced in place. It must have no other owner that is still read.
fn write_rows<E: TchElement>(
    mut table: TchTensor,
    ids: Option<&tch::Tensor>,
    rows: Tensor<LibTorch<E>, 2>,
) -> Tensor<LibTorch<E>, 2> {
    let rows = float(rows).tensor.to_kind(table.tensor.kind());
    match ids {
        Some(ids) => drop(table.tensor.index_copy_(0, ids, &rows)),
        None => table.tensor.copy_(&rows),
    }
    Tensor::from_primitive(TensorPrimitive::Float(table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DropoutKey, RowRule, id_tensor};

    type B = LibTorch;

    const ADAM: RowRule = RowRule::Adam {
        rate: 0.1,
        beta_1: 0.9,
        beta_2: 0.999,
        root_2: 0.05,
        epsilon: 1e-3,
        weight_decay: 0.0,
        decay: 1.0,
    };

    fn state(dtype: DType) -> RowState<B> {
        let ones = || Tensor::<B, 2>::ones([6, 4], &Default::default());
        RowState { value: ones().cast(dtype), moments: vec![ones(), ones()] }
    }

    fn stepped(state: RowState<B>, ids: Option<&[u32]>) -> RowState<B> {
        let device = Default::default();
        let n = ids.map_or(6, <[u32]>::len);
        let ids = ids.map(|ids| id_tensor(ids, &device));
        let scale = Tensor::ones([1], &device);
        let step = RowStep { rule: ADAM, scale, rounding: DropoutKey::new(1, 2, "table") };
        B::update_rows(state, ids, Tensor::ones([n, 4], &device), step)
    }

    fn addresses(state: &RowState<B>) -> Vec<usize> {
        let address = |table: &Tensor<B, 2>| float(table.clone()).tensor.data_ptr() as usize;
        std::iter::once(&state.value).chain(&state.moments).map(address).collect()
    }

    #[test]
    fn tables_and_moments_with_one_owner_are_written_where_they_lie_step_after_step() {
        for dtype in [DType::F32, DType::BF16] {
            for ids in [None, Some(&[0, 2, 5][..])] {
                let mut state = state(dtype);
                let before = addresses(&state);
                for _ in 0..3 {
                    state = stepped(state, ids);
                    assert_eq!(addresses(&state), before, "{dtype:?}, {ids:?}");
                }
            }
        }
    }

    #[test]
    fn what_has_another_owner_is_copied_once_and_nothing_else_is() {
        let first = state(DType::F32);
        let before = addresses(&first);
        let snapshot = first.value.clone();
        let second = stepped(first, Some(&[1, 2]));
        let after = addresses(&second);
        assert_ne!(after[0], before[0]);
        assert_eq!(after[1..], before[1..]);
        assert_eq!(snapshot.into_data().to_vec::<f32>().expect("f32"), [1.0; 24]);
        assert_eq!(addresses(&stepped(second, Some(&[1, 2]))), after);
    }

    #[test]
    fn sums_of_rows_have_the_same_bits_in_every_run() {
        let device = Default::default();
        let n = 1 << 14;
        let entries: Vec<u32> = (0..n).map(|at| at * 7919 % 100).collect();
        let offsets: Vec<u32> = (0..=n / 64).map(|row| row * 64).collect();
        let selection = crate::Selection::<B>::bags(&offsets, &entries, 100, crate::Pooling::Sum, &device);
        let rows = crate::init::normal::<B, 2>(1, "rows", [100, 48], 1.0, &device);
        let grads = crate::init::normal::<B, 2>(1, "grads", [n as usize / 64, 48], 1.0, &device);
        let run = || {
            let sums = B::sum_rows(rows.clone(), &selection.matrix);
            let back = B::sum_rows(grads.clone(), &selection.transposed);
            [sums, back].map(|sums| sums.into_data().to_vec::<f32>().expect("f32"))
        };
        let first = run();
        assert!((0..20).all(|_| run() == first));
    }
}
