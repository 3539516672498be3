//! What kernels share: sums over a cube, the hash of dropout.

use burn_cubecl::CubeRuntime;
use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// The sum of the units' values, in a fixed order, for each of them.
///
/// `shared` has a place for each unit, and `n_units`, a power of two, is their number.
#[cube]
pub(super) fn sum_of_cube(value: f32, shared: &mut SharedMemory<f32>, #[comptime] n_units: u32) -> f32 {
    shared[UNIT_POS as usize] = value;
    sync_cube();
    let mut width = comptime!(n_units / 2).runtime();
    while width > 0 {
        if UNIT_POS < width {
            let sum = shared[UNIT_POS as usize] + shared[(UNIT_POS + width) as usize];
            shared[UNIT_POS as usize] = sum;
        }
        sync_cube();
        width /= 2;
    }
    let sum = shared[0];
    sync_cube();
    sum
}

/// As [`sum_of_cube`], of the highest value.
#[cube]
pub(super) fn highest_of_cube(value: f32, shared: &mut SharedMemory<f32>, #[comptime] n_units: u32) -> f32 {
    shared[UNIT_POS as usize] = value;
    sync_cube();
    let mut width = comptime!(n_units / 2).runtime();
    while width > 0 {
        if UNIT_POS < width {
            let highest = max(shared[UNIT_POS as usize], shared[(UNIT_POS + width) as usize]);
            shared[UNIT_POS as usize] = highest;
        }
        sync_cube();
        width /= 2;
    }
    let highest = shared[0];
    sync_cube();
    highest
}

/// Whether a value is neither infinite nor NaN, by its bits: compilers may take arithmetic to be finite.
#[cube]
pub(super) fn is_finite(value: f32) -> bool {
    (u32::reinterpret(value) & 0x7f80_0000) != 0x7f80_0000
}

/// A [`Dropout`](crate::Dropout) on the device.
#[derive(CubeType, CubeLaunch)]
pub(super) struct Mask {
    first: u32,
    second: u32,
    threshold: u32,
    scale: f32,
}

/// The argument of a kernel that drops, or does not.
pub(super) fn mask<R: CubeRuntime>(dropout: Option<crate::Dropout>) -> ComptimeOptionArgs<Mask, R> {
    match dropout {
        None => ComptimeOptionArgs::None,
        Some(dropout) => {
            let [first, second] = dropout.keys();
            ComptimeOptionArgs::Some(MaskLaunch::new(first, second, dropout.threshold(), dropout.scale()))
        }
    }
}

/// The factors of [`DropoutKey::word`](crate::DropoutKey).
const FIRST_FACTOR: u32 = 0x7feb_352d;
const SECOND_FACTOR: u32 = 0x846c_a68b;

/// `value`, dropped or scaled up: the same function as [`Dropout::factor`](crate::Dropout::factor).
#[cube]
pub(super) fn dropped(value: f32, index: usize, mask: &ComptimeOption<Mask>) -> f32 {
    #[comptime]
    match mask {
        ComptimeOption::Some(mask) => {
            let word = u32::cast_from(index) + mask.first;
            let word = word ^ (word >> 16);
            let word = (word * FIRST_FACTOR) ^ mask.second;
            let word = word ^ (word >> 15);
            let word = word * SECOND_FACTOR;
            value * select(word >= mask.threshold, mask.scale, 0.0)
        }
        ComptimeOption::None => value,
    }
}
