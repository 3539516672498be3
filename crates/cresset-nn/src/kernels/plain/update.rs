//! One step of an optimiser on rows of a table.

use burn::tensor::backend::Backend;
use burn::tensor::{Bool, DType, IndexingUpdateOp, Int, Tensor};

use super::gather_rows;
use crate::kernels::spec::{RowRule, RowState, RowStep};
use crate::rounding;

pub(crate) fn update_rows<B: Backend>(
    state: RowState<B>,
    ids: Option<Tensor<B, 1, Int>>,
    grads: Tensor<B, 2>,
    step: RowStep<B>,
) -> RowState<B> {
    let [n, dim] = grads.dims();
    if n * dim == 0 {
        return state;
    }
    let RowState { value, moments } = state;
    let take = |table: &Tensor<B, 2>| match &ids {
        Some(ids) => gather_rows(table.clone(), ids.clone()),
        None => table.clone().cast(DType::F32),
    };
    let before = RowState { value: take(&value), moments: moments.iter().map(take).collect() };
    let scale = step.scale.unsqueeze::<2>();
    let is_finite: Tensor<B, 2, Bool> = scale.clone().is_finite().expand([n, dim]);
    let after = ruled(step.rule, before.clone(), grads * scale);
    let keep = |after: Tensor<B, 2>, before: Tensor<B, 2>| {
        let width = before.dims()[1];
        before.mask_where(is_finite.clone().narrow(1, 0, width), after)
    };
    let put = |table: Tensor<B, 2>, rows: Tensor<B, 2>| match &ids {
        Some(ids) => write_rows_by_addition(table, ids.clone(), rows),
        None => rows,
    };
    let rows = keep(after.value, before.value);
    let is_bf16 = value.dtype() == DType::BF16;
    let rows = if is_bf16 { rounding::rows_to_bf16(rows, ids.as_ref(), step.rounding) } else { rows };
    let written = moments.into_iter().zip(after.moments).zip(before.moments);
    RowState {
        value: put(value, rows),
        moments: written.map(|((table, after), before)| put(table, keep(after, before))).collect(),
    }
}

/// Addition is the one update of rows that all backends have; it copies the table, and rounds once more.
fn write_rows_by_addition<B: Backend>(
    table: Tensor<B, 2>,
    ids: Tensor<B, 1, Int>,
    rows: Tensor<B, 2>,
) -> Tensor<B, 2> {
    let dtype = table.dtype();
    let change = rows.cast(dtype) - table.clone().select(0, ids.clone());
    table.select_assign(0, ids, change, IndexingUpdateOp::Add)
}

fn ruled<B: Backend>(rule: RowRule, before: RowState<B>, grad: Tensor<B, 2>) -> RowState<B> {
    let RowState { value, mut moments } = before;
    let with_penalty = |weight_decay: f32| {
        if weight_decay == 0.0 { grad.clone() } else { grad.clone() + value.clone() * weight_decay }
    };
    match rule {
        RowRule::Sgd { learning_rate, momentum, weight_decay } => {
            let grad = with_penalty(weight_decay);
            let velocity = moments.pop().map(|velocity| velocity * momentum + grad.clone());
            let direction = velocity.clone().unwrap_or(grad);
            RowState { value: value - direction * learning_rate, moments: velocity.into_iter().collect() }
        }
        RowRule::Adagrad { learning_rate, epsilon, weight_decay } => {
            let grad = with_penalty(weight_decay);
            let [sum] = take(moments);
            let sum = sum + grad.clone() * grad.clone();
            let change = grad / (sum.clone().sqrt() + epsilon);
            RowState { value: value - change * learning_rate, moments: vec![sum] }
        }
        RowRule::RowwiseAdagrad { learning_rate, epsilon, weight_decay } => {
            let grad = with_penalty(weight_decay);
            let [sum] = take(moments);
            let sum = sum + (grad.clone() * grad.clone()).mean_dim(1);
            let change = grad / (sum.clone().sqrt() + epsilon);
            RowState { value: value - change * learning_rate, moments: vec![sum] }
        }
        RowRule::Adam { rate, beta_1, beta_2, root_2, epsilon, weight_decay, decay } => {
            let grad = with_penalty(weight_decay);
            let [first, second] = take(moments);
            let second = second * beta_2 + grad.clone() * grad.clone() * (1.0 - beta_2);
            let first = first * beta_1 + grad * (1.0 - beta_1);
            let change = first.clone() / (second.clone().sqrt() / root_2 + epsilon);
            RowState { value: value * decay - change * rate, moments: vec![first, second] }
        }
    }
}

fn take<B: Backend, const N: usize>(moments: Vec<Tensor<B, 2>>) -> [Tensor<B, 2>; N] {
    moments.try_into().expect("as many moments as the rule names")
}
