//! The best items for each query, chosen on the device: scores by a product, then one cube for each query.

use burn::tensor::{DType, Element, Int, Tensor, TensorData};
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::host::{
    CubeTensors, WIDE, address_type, cubes, empty, floats, int_tensor, ints, is_f32, optional, tensor,
};
use crate::kernels::plain;

/// Scores held at once: 64 MB of them.
const SCORES_PER_BLOCK: usize = 1 << 24;
/// Keys of scores that are out of the question, and of those that are not numbers: below that of minus infinity.
const LEFT_OUT: u32 = 0;
const NOT_A_NUMBER: u32 = 1;
const SIGN: u32 = 0x8000_0000;

pub(super) fn top_k<B: CubeTensors>(
    queries: Tensor<B, 2>,
    items: Tensor<B, 2>,
    bias: Option<Tensor<B, 1>>,
    seen: Option<&[Vec<u32>]>,
    k: usize,
) -> (Tensor<B, 2>, Tensor<B, 2, Int>) {
    let [n, dim] = queries.dims();
    let [n_items, _] = items.dims();
    if n * dim * k == 0 || k > n_items || !is_f32(&queries) || !is_f32(&items) {
        return plain::top_k(queries, items, bias, seen, k);
    }
    let items = items.transpose();
    let bias = bias.map(floats);
    let most = (SCORES_PER_BLOCK / n_items).max(1);
    let block = |start: usize| {
        let rows = most.min(n - start);
        let scores = floats(queries.clone().narrow(0, start, rows).matmul(items.clone()));
        let seen = seen.map(|seen| Seen::of(&seen[start..start + rows], &queries.device()));
        best(&scores, bias.clone(), seen, k)
    };
    let (scores, ids): (Vec<_>, Vec<_>) = (0..n).step_by(most).map(block).unzip();
    (Tensor::cat(scores, 0), Tensor::cat(ids, 0))
}

/// The items that each query has seen, one list after the other.
struct Seen<B: CubeTensors> {
    offsets: CubeTensor<B::Runtime>,
    items: CubeTensor<B::Runtime>,
}

impl<B: CubeTensors> Seen<B> {
    fn of(lists: &[Vec<u32>], device: &B::Device) -> Self {
        let ints = |values: Vec<i32>| {
            let shape = [values.len()];
            ints(Tensor::<B, 1, Int>::from_data(TensorData::new(values, shape), device))
        };
        let ends = lists.iter().scan(0, |end, list| {
            *end += list.len() as i32;
            Some(*end)
        });
        let offsets = std::iter::once(0).chain(ends).collect();
        // One more than there are, so that the buffer is never empty.
        let items = lists.iter().flatten().map(|&item| item as i32).chain([0]).collect();
        Self { offsets: ints(offsets), items: ints(items) }
    }
}

fn best<B: CubeTensors>(
    scores: &CubeTensor<B::Runtime>,
    bias: Option<CubeTensor<B::Runtime>>,
    seen: Option<Seen<B>>,
    k: usize,
) -> (Tensor<B, 2>, Tensor<B, 2, Int>) {
    let [rows, n_items] = scores.meta.shape().dims();
    let found = empty(scores, [rows, k], DType::F32);
    let ids = empty(scores, [rows, k], DType::I32);
    let (count, cube_dim) = cubes(&scores.client, rows, WIDE);
    let seen = match seen {
        None => ComptimeOptionArgs::None,
        Some(seen) => ComptimeOptionArgs::Some(ListsLaunch::new(
            seen.offsets.into_array_arg(),
            seen.items.into_array_arg(),
        )),
    };
    kernel::launch::<B::Runtime>(
        &found.client,
        count,
        cube_dim,
        address_type(&[scores]),
        scores.clone().into_array_arg(),
        optional(bias),
        seen,
        found.clone().into_array_arg(),
        ids.clone().into_array_arg(),
        EndsLaunch::new(f32::NEG_INFINITY, f32::NAN),
        rows,
        n_items,
        k,
    );
    (tensor(found), int_tensor::<B, 2>(ids).cast(B::IntElem::dtype()))
}

#[derive(CubeType, CubeLaunch)]
struct Lists {
    offsets: Array<i32>,
    items: Array<i32>,
}

/// Numbers that shading languages cannot write down.
#[derive(CubeType, CubeLaunch)]
struct Ends {
    minus_infinity: f32,
    not_a_number: f32,
}

/// Scores become keys, in place; then each round of a row finds the best key after the last one found.
#[cube(launch, address_type = "dynamic")]
fn kernel(
    keys: &mut Array<u32>,
    bias: &ComptimeOption<Array<f32>>,
    seen: &ComptimeOption<Lists>,
    scores: &mut Array<f32>,
    ids: &mut Array<i32>,
    ends: &Ends,
    rows: usize,
    n_items: usize,
    k: usize,
) {
    if CUBE_POS >= rows {
        terminate!();
    }
    let start = CUBE_POS * n_items;
    let mut item = UNIT_POS as usize;
    while item < n_items {
        // Every unit reads only the keys that it has written.
        keys[start + item] = key(with_bias(f32::reinterpret(keys[start + item]), item, bias), item, seen);
        item += WIDE as usize;
    }
    let mut best_keys = SharedMemory::<u32>::new(comptime!(WIDE as usize));
    let mut best_items = SharedMemory::<u32>::new(comptime!(WIDE as usize));
    let mut last_key = u32::MAX.runtime();
    let mut last_item = u32::MAX.runtime();
    for round in 0..k {
        let mut best_key = LEFT_OUT.runtime();
        let mut best_item = u32::MAX.runtime();
        let mut item = UNIT_POS as usize;
        while item < n_items {
            let key = keys[start + item];
            let is_after = key < last_key || (key == last_key && u32::cast_from(item) > last_item);
            if is_after && key > best_key {
                best_key = key;
                best_item = u32::cast_from(item);
            }
            item += WIDE as usize;
        }
        best_keys[UNIT_POS as usize] = best_key;
        best_items[UNIT_POS as usize] = best_item;
        sync_cube();
        best_of_cube(&mut best_keys, &mut best_items);
        last_key = best_keys[0];
        last_item = best_items[0];
        // Every unit has read the best before one of them writes the next round's.
        sync_cube();
        if UNIT_POS == 0 {
            scores[CUBE_POS * k + round] = score(last_key, ends);
            ids[CUBE_POS * k + round] = select(last_key == LEFT_OUT, -1i32, i32::cast_from(last_item));
        }
    }
}

#[cube]
fn with_bias(score: f32, item: usize, bias: &ComptimeOption<Array<f32>>) -> f32 {
    #[comptime]
    match bias {
        ComptimeOption::Some(bias) => score + bias[item],
        ComptimeOption::None => score,
    }
}

/// Integers in the order of the scores.
#[cube]
fn key(score: f32, item: usize, seen: &ComptimeOption<Lists>) -> u32 {
    let bits = u32::reinterpret(score);
    let is_number = (bits & 0x7fff_ffff) <= 0x7f80_0000;
    let ordered = select(bits >= SIGN, !bits, bits ^ SIGN);
    select(is_seen(item, seen), LEFT_OUT, select(is_number, ordered, NOT_A_NUMBER))
}

#[cube]
fn score(key: u32, ends: &Ends) -> f32 {
    let bits = select(key >= SIGN, key ^ SIGN, !key);
    let score = select(key == NOT_A_NUMBER, ends.not_a_number, f32::reinterpret(bits));
    select(key == LEFT_OUT, ends.minus_infinity, score)
}

/// Whether the item is in the cube's list, which ascends.
#[cube]
fn is_seen(item: usize, seen: &ComptimeOption<Lists>) -> bool {
    #[comptime]
    match seen {
        ComptimeOption::Some(seen) => {
            let mut low = seen.offsets[CUBE_POS] as usize;
            let end = seen.offsets[CUBE_POS + 1] as usize;
            let mut high = end;
            while low < high {
                let middle = (low + high) / 2;
                if (seen.items[middle] as usize) < item {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            low < end && seen.items[low] as usize == item
        }
        ComptimeOption::None => false.runtime(),
    }
}

/// Brings the highest key, of equal ones that of the lowest item, to the first place.
#[cube]
fn best_of_cube(keys: &mut SharedMemory<u32>, items: &mut SharedMemory<u32>) {
    let mut width = comptime!(WIDE / 2).runtime();
    while width > 0 {
        if UNIT_POS < width {
            let (own, other) = (UNIT_POS as usize, (UNIT_POS + width) as usize);
            if keys[other] > keys[own] || (keys[other] == keys[own] && items[other] < items[own]) {
                keys[own] = keys[other];
                items[own] = items[other];
            }
        }
        sync_cube();
        width /= 2;
    }
}
