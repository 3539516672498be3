//! One step of an optimiser on rows of a table, in place.

use burn::tensor::{Int, Tensor};
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::Tensor as Table;
use cubecl::prelude::*;

use super::device::{is_finite, sum_of_cube};
use super::host::{
    CubeTensors, NARROW, address_type, buffer, cubes, floats, ints, is_f32, optional, tensor, units,
};
use crate::kernels::plain;
use crate::kernels::spec::{RowRule, RowState, RowStep};

pub(super) fn update_rows<B: CubeTensors>(
    state: RowState<B>,
    ids: Option<Tensor<B, 1, Int>>,
    grads: Tensor<B, 2>,
    step: RowStep<B>,
) -> RowState<B> {
    let tables = || std::iter::once(&state.value).chain(&state.moments);
    let [n, dim] = grads.dims();
    if n * dim == 0 {
        return state;
    }
    if !is_f32(&grads) || !tables().all(is_f32) {
        return plain::update_rows(state, ids, grads, step);
    }
    let RowState { value, moments } = state;
    let value = writable::<B>(value);
    let moments: Vec<_> = moments.into_iter().map(writable::<B>).collect();
    launch::<B>(step.rule, &value, &moments, ids.map(ints), floats(grads), floats(step.scale));
    RowState { value: tensor(value), moments: moments.into_iter().map(tensor).collect() }
}

/// The table's own buffer where nothing else holds it, else a copy.
fn writable<B: CubeTensors>(table: Tensor<B, 2>) -> CubeTensor<B::Runtime> {
    let table = buffer(table);
    if table.can_mut() && table.is_nonoverlapping() { table } else { table.copy() }
}

fn launch<B: CubeTensors>(
    rule: RowRule,
    value: &CubeTensor<B::Runtime>,
    moments: &[CubeTensor<B::Runtime>],
    ids: Option<CubeTensor<B::Runtime>>,
    grads: CubeTensor<B::Runtime>,
    scale: CubeTensor<B::Runtime>,
) {
    let client = &value.client.clone();
    let [n, dim] = grads.meta.shape().dims();
    let address = address_type(&[value, &grads]);
    let (count, cube_dim) = match rule {
        RowRule::RowwiseAdagrad { .. } => cubes(client, n, NARROW),
        _ => units(client, n * dim),
    };
    let table = |table: &CubeTensor<B::Runtime>| table.clone().into_tensor_arg();
    let value = table(value);
    let change = ChangeLaunch::new(optional(ids), grads.into_array_arg(), scale.into_array_arg());
    let numbers = numbers(rule);
    let mut of_rule = moments.iter().map(table);
    match (rule, of_rule.next(), of_rule.next()) {
        (RowRule::Sgd { .. }, None, None) => {
            sgd::launch::<B::Runtime>(client, count, cube_dim, address, value, change, numbers);
        }
        (RowRule::Sgd { .. }, Some(velocity), None) => {
            momentum::launch::<B::Runtime>(
                client, count, cube_dim, address, value, velocity, change, numbers,
            );
        }
        (RowRule::Adagrad { .. }, Some(sum), None) => {
            adagrad::launch::<B::Runtime>(client, count, cube_dim, address, value, sum, change, numbers);
        }
        (RowRule::RowwiseAdagrad { .. }, Some(sum), None) => {
            rowwise::launch::<B::Runtime>(client, count, cube_dim, address, value, sum, change, numbers);
        }
        (RowRule::Adam { .. }, Some(first), Some(second)) => {
            adam::launch::<B::Runtime>(
                client, count, cube_dim, address, value, first, second, change, numbers,
            );
        }
        (rule, ..) => panic!("{rule:?} does not keep {} moments", moments.len()),
    }
}

/// Numbers of all rules; each reads those it has.
#[derive(CubeType, CubeLaunch)]
struct Numbers {
    rate: f32,
    epsilon: f32,
    weight_decay: f32,
    beta_1: f32,
    beta_2: f32,
    root_2: f32,
    decay: f32,
}

fn numbers<R: Runtime>(rule: RowRule) -> NumbersLaunch<R> {
    match rule {
        RowRule::Sgd { learning_rate, momentum, weight_decay } => {
            NumbersLaunch::new(learning_rate, 0.0, weight_decay, momentum, 0.0, 1.0, 1.0)
        }
        RowRule::Adagrad { learning_rate, epsilon, weight_decay }
        | RowRule::RowwiseAdagrad { learning_rate, epsilon, weight_decay } => {
            NumbersLaunch::new(learning_rate, epsilon, weight_decay, 0.0, 0.0, 1.0, 1.0)
        }
        RowRule::Adam { rate, beta_1, beta_2, root_2, epsilon, weight_decay, decay } => {
            NumbersLaunch::new(rate, epsilon, weight_decay, beta_1, beta_2, root_2, decay)
        }
    }
}

/// What the rows are changed by.
#[derive(CubeType, CubeLaunch)]
struct Change {
    ids: ComptimeOption<Array<i32>>,
    grads: Array<f32>,
    scale: Array<f32>,
}

/// The row of the table that gradient row `at` is for.
#[cube]
fn named_row(change: &Change, at: usize) -> usize {
    #[comptime]
    match &change.ids {
        ComptimeOption::Some(ids) => ids[at] as usize,
        ComptimeOption::None => at,
    }
}

/// Whether the unit has an element of the table to write.
#[cube]
fn has_work(change: &Change, table: &Table<f32>) -> bool {
    let mut has_work = false;
    if ABSOLUTE_POS < change.grads.len() {
        let row = named_row(change, ABSOLUTE_POS / table.shape(1));
        has_work = row < table.shape(0) && is_finite(change.scale[0]);
    }
    has_work
}

/// Where the unit's element lies in a table.
#[cube]
fn place(change: &Change, table: &Table<f32>) -> usize {
    let dim = table.shape(1);
    named_row(change, ABSOLUTE_POS / dim) * table.stride(0) + ABSOLUTE_POS % dim * table.stride(1)
}

#[cube]
fn gradient(change: &Change, numbers: &Numbers, at: usize, value: f32) -> f32 {
    change.grads[at] * change.scale[0] + numbers.weight_decay * value
}

#[cube(launch, address_type = "dynamic")]
fn sgd(value: &mut Table<f32>, change: &Change, numbers: &Numbers) {
    if !has_work(change, value) {
        terminate!();
    }
    let at = place(change, value);
    let before = value[at];
    value[at] = before - numbers.rate * gradient(change, numbers, ABSOLUTE_POS, before);
}

#[cube(launch, address_type = "dynamic")]
fn momentum(value: &mut Table<f32>, velocity: &mut Table<f32>, change: &Change, numbers: &Numbers) {
    if !has_work(change, value) {
        terminate!();
    }
    let (at, moment_at) = (place(change, value), place(change, velocity));
    let before = value[at];
    let kept = velocity[moment_at] * numbers.beta_1 + gradient(change, numbers, ABSOLUTE_POS, before);
    velocity[moment_at] = kept;
    value[at] = before - numbers.rate * kept;
}

#[cube(launch, address_type = "dynamic")]
fn adagrad(value: &mut Table<f32>, sum: &mut Table<f32>, change: &Change, numbers: &Numbers) {
    if !has_work(change, value) {
        terminate!();
    }
    let (at, moment_at) = (place(change, value), place(change, sum));
    let before = value[at];
    let grad = gradient(change, numbers, ABSOLUTE_POS, before);
    let total = sum[moment_at] + grad * grad;
    sum[moment_at] = total;
    value[at] = before - numbers.rate * (grad / (total.sqrt() + numbers.epsilon));
}

#[cube(launch, address_type = "dynamic")]
fn adam(
    value: &mut Table<f32>,
    first: &mut Table<f32>,
    second: &mut Table<f32>,
    change: &Change,
    numbers: &Numbers,
) {
    if !has_work(change, value) {
        terminate!();
    }
    let at = place(change, value);
    let (first_at, second_at) = (place(change, first), place(change, second));
    let before = value[at];
    let grad = gradient(change, numbers, ABSOLUTE_POS, before);
    let mean = first[first_at] * numbers.beta_1 + grad * (1.0 - numbers.beta_1);
    let square = second[second_at] * numbers.beta_2 + grad * grad * (1.0 - numbers.beta_2);
    first[first_at] = mean;
    second[second_at] = square;
    value[at] =
        before * numbers.decay - numbers.rate * (mean / (square.sqrt() / numbers.root_2 + numbers.epsilon));
}

/// One cube for each row: the sum grows by the mean over the row.
#[cube(launch, address_type = "dynamic")]
fn rowwise(value: &mut Table<f32>, sum: &mut Table<f32>, change: &Change, numbers: &Numbers) {
    let dim = value.shape(1);
    if CUBE_POS * dim >= change.grads.len() || !is_finite(change.scale[0]) {
        terminate!();
    }
    let row = named_row(change, CUBE_POS);
    if row >= value.shape(0) {
        terminate!();
    }
    let mut shared = SharedMemory::<f32>::new(comptime!(NARROW as usize));
    let mut squares = 0.0f32;
    let mut column = UNIT_POS as usize;
    while column < dim {
        let before = value[row * value.stride(0) + column * value.stride(1)];
        let grad = gradient(change, numbers, CUBE_POS * dim + column, before);
        squares += grad * grad;
        column += NARROW as usize;
    }
    let mean = sum_of_cube(squares, &mut shared, NARROW) / f32::cast_from(dim);
    let total = sum[row * sum.stride(0)] + mean;
    // Every unit has read the sum before one of them writes it.
    sync_cube();
    let mut column = UNIT_POS as usize;
    while column < dim {
        let at = row * value.stride(0) + column * value.stride(1);
        let before = value[at];
        let grad = gradient(change, numbers, CUBE_POS * dim + column, before);
        value[at] = before - numbers.rate * (grad / (total.sqrt() + numbers.epsilon));
        column += NARROW as usize;
    }
    if UNIT_POS == 0 {
        sum[row * sum.stride(0)] = total;
    }
}
