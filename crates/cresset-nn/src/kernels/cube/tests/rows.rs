use burn::backend::Flex;
use burn::backend::wgpu::WgpuRuntime;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::CubeElement;
use cubecl::server::CopyDescriptor;

use super::{Bare, Fused, assert_close, device, floats, ids, ints, numbers, on_both, read};
use crate::kernels::plain;
use crate::kernels::spec::{CsrMatrix, RowRule, RowState, RowStep};
use crate::{DropoutKey, RecommenderBackend};

fn rules() -> [RowRule; 6] {
    let (learning_rate, epsilon, weight_decay) = (0.1, 1e-8, 0.01);
    [
        RowRule::Sgd { learning_rate, momentum: 0.0, weight_decay },
        RowRule::Sgd { learning_rate, momentum: 0.9, weight_decay: 0.0 },
        RowRule::Adagrad { learning_rate, epsilon, weight_decay },
        RowRule::RowwiseAdagrad { learning_rate, epsilon, weight_decay },
        RowRule::Adam {
            rate: 0.2,
            beta_1: 0.9,
            beta_2: 0.99,
            root_2: 0.5,
            epsilon,
            weight_decay,
            decay: 1.0,
        },
        RowRule::Adam {
            rate: 0.2,
            beta_1: 0.8,
            beta_2: 0.999,
            root_2: 0.3,
            epsilon,
            weight_decay: 0.0,
            decay: 0.98,
        },
    ]
}

fn n_moments(rule: RowRule) -> usize {
    match rule {
        RowRule::Sgd { momentum: 0.0, .. } => 0,
        RowRule::Adam { .. } => 2,
        _ => 1,
    }
}

fn state<B: Backend>(rule: RowRule, [n_rows, dim]: [usize; 2], device: &B::Device) -> RowState<B> {
    let width = if matches!(rule, RowRule::RowwiseAdagrad { .. }) { 1 } else { dim };
    let moment = |salt: usize| floats::<B, 2>([n_rows, width], salt as u32, device).abs();
    RowState {
        value: floats([n_rows, dim], 1, device),
        moments: (0..n_moments(rule)).map(|at| moment(at + 2)).collect(),
    }
}

fn step<B: Backend>(rule: RowRule, scale: f32, device: &B::Device) -> RowStep<B> {
    let scale = Tensor::from_data(TensorData::new(vec![scale], [1]), device);
    RowStep { rule, scale, rounding: DropoutKey::new(0, 0, "rows") }
}

#[test]
fn rows_move_as_by_the_default_body() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        let cases: [(usize, usize, &[i32]); 5] = [
            (1, 1, &[0]),
            (5, 3, &[4]),
            (7, 16, &[0, 2, 6]),
            (300, 5, &[1, 77, 299]),
            (9, 130, &[0, 1, 2, 3, 8]),
        ];
        for rule in rules() {
            for (n_rows, dim, named) in cases {
                let case = format!("{rule:?}, {n_rows} x {dim}, rows {named:?}");
                let n = named.len();
                let there = B::update_rows(
                    state(rule, [n_rows, dim], device),
                    Some(ints(named.to_vec(), [n], device)),
                    floats([n, dim], 9, device),
                    step(rule, 0.5, device),
                );
                let cpu = Default::default();
                let here = plain::update_rows::<Flex>(
                    state(rule, [n_rows, dim], &cpu),
                    Some(ints(named.to_vec(), [n], &cpu)),
                    floats([n, dim], 9, &cpu),
                    step(rule, 0.5, &cpu),
                );
                assert_close(there.value, here.value, &case);
                assert_eq!(there.moments.len(), here.moments.len(), "{case}");
                for (there, here) in there.moments.into_iter().zip(here.moments) {
                    assert_close(there, here, &case);
                }
            }
        }
    }
    on_both!(check);
}

#[test]
fn every_row_moves_where_none_is_named() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        for rule in rules() {
            let cpu = Default::default();
            let (grads, scale) = (floats([70, 9], 9, device), step(rule, 2.0, device));
            let there = B::update_rows(state(rule, [70, 9], device), None, grads, scale);
            let (grads, scale) = (floats([70, 9], 9, &cpu), step(rule, 2.0, &cpu));
            let here = plain::update_rows::<Flex>(state(rule, [70, 9], &cpu), None, grads, scale);
            assert_close(there.value, here.value, &format!("{rule:?}"));
        }
    }
    on_both!(check);
}

#[test]
fn no_rows_leave_the_table_as_it_is() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        for rule in rules() {
            let (none, grads) = (Some(ints(vec![], [0], device)), floats([0, 3], 9, device));
            let after = B::update_rows(state(rule, [5, 3], device), none, grads, step(rule, 1.0, device));
            assert_eq!(read(after.value), read(state::<B>(rule, [5, 3], device).value), "{rule:?}");
        }
    }
    on_both!(check);
}

#[test]
fn rows_that_are_not_named_keep_their_bits() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        for rule in rules() {
            let before = read(state::<B>(rule, [20, 3], device).value);
            let named = ints(vec![4, 11], [2], device);
            let grads = floats([2, 3], 9, device);
            let after =
                B::update_rows(state(rule, [20, 3], device), Some(named), grads, step(rule, 1.0, device));
            for (at, (before, after)) in before.iter().zip(read(after.value)).enumerate() {
                let is_named = [4, 11].contains(&(at / 3));
                assert_eq!(before.to_bits() != after.to_bits(), is_named, "{rule:?}, element {at}");
            }
        }
    }
    on_both!(check);
}

#[test]
fn a_scale_that_is_not_finite_moves_nothing() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        for (rule, scale) in
            rules().into_iter().zip([f32::NAN, f32::INFINITY, f32::NEG_INFINITY].into_iter().cycle())
        {
            let before: RowState<B> = state(rule, [5, 3], device);
            let before = (read(before.value), before.moments.into_iter().map(read).collect::<Vec<_>>());
            let grads = floats([5, 3], 9, device);
            let after = B::update_rows(state(rule, [5, 3], device), None, grads, step(rule, scale, device));
            let after = (read(after.value), after.moments.into_iter().map(read).collect::<Vec<_>>());
            assert_eq!(before, after, "{rule:?}, scale {scale}");
        }
    }
    on_both!(check);
}

/// Reads a table's buffer later, without owning it.
fn buffer(table: &CubeTensor<WgpuRuntime>) -> impl Fn() -> Vec<f32> + use<> {
    let (client, binding) = (table.client.clone(), table.handle.clone().binding());
    let (shape, strides) = (table.meta.shape().clone(), table.meta.strides().clone());
    move || {
        let whole = CopyDescriptor::new(binding.clone(), shape.clone(), strides.clone(), size_of::<f32>());
        f32::from_bytes(&client.read_one_unchecked_tensor(whole)).to_vec()
    }
}

#[test]
fn a_table_without_another_owner_is_written_in_place() {
    fn check<B: RecommenderBackend>(
        device: &B::Device,
        of: impl Fn(Tensor<B, 2>) -> CubeTensor<WgpuRuntime>,
    ) {
        for rule in rules() {
            let update =
                |state| B::update_rows(state, None, floats([5, 3], 9, device), step(rule, 1.0, device));
            let table: RowState<B> = state(rule, [5, 3], device);
            let first = buffer(&of(table.value.clone()));
            let after = update(table);
            let held = after.value.clone();
            let values = read(after.value.clone());
            assert_eq!(first(), values, "{rule:?}: copied");
            let again = update(after);
            assert_eq!(read(held), values, "{rule:?}: a table that is held elsewhere was written");
            assert_ne!(read(again.value), values, "{rule:?}");
        }
    }
    let Some(device) = device() else { return };
    check::<Bare>(&device, |table| table.into_primitive().tensor());
    check::<Fused>(&device, |table| {
        let table = table.into_primitive().tensor();
        table.client.clone().resolve_tensor_float::<Bare>(table)
    });
}

/// Rows of lengths 0, 1, 2, 0, 1, 2 and so on.
fn matrix<B: Backend>(
    n_rows: usize,
    n_columns: usize,
    with_values: bool,
    device: &B::Device,
) -> CsrMatrix<B> {
    let mut offsets = vec![0];
    let mut entry_rows = vec![];
    for row in 0..n_rows {
        entry_rows.extend(std::iter::repeat_n(row as i32, row % 3));
        offsets.push(entry_rows.len() as i32);
    }
    let n = entry_rows.len();
    CsrMatrix {
        offsets: Some(ints(offsets, [n_rows + 1], device)),
        columns: ints(ids(n, n_columns, 3), [n], device),
        values: with_values.then(|| Tensor::from_data(TensorData::new(numbers(n, 4), [n]), device)),
        entry_rows: Some(ints(entry_rows, [n], device)),
        n_rows,
    }
}

#[test]
fn rows_are_summed_as_by_the_default_body() {
    fn check<B: RecommenderBackend>(device: &B::Device) {
        // Few columns, so that ids repeat.
        for (n_rows, n_columns, dim) in [(1, 2, 3), (2, 1, 1), (3, 1, 4), (100, 7, 33), (515, 4, 2)] {
            for with_values in [false, true] {
                let case = format!("{n_rows} x {n_columns}, width {dim}, values {with_values}");
                let there = B::sum_rows(
                    floats([n_columns, dim], 1, device),
                    &matrix(n_rows, n_columns, with_values, device),
                );
                let cpu = Default::default();
                let rows = floats([n_columns, dim], 1, &cpu);
                let here = plain::sum_rows::<Flex>(rows, &matrix(n_rows, n_columns, with_values, &cpu));
                assert_close(there, here, &case);
            }
        }
    }
    on_both!(check);
}
