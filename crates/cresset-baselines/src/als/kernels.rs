//! Products of a few rows at a time, in registers.

use std::iter::StepBy;
use std::ops::Range;

use pulp::Simd;

/// Rows that are worked on at once.
pub(super) const BAND: usize = 4;

/// The first of every [`BAND`] of `n` rows, and the rows that are left.
#[inline(always)]
pub(super) fn bands(n: usize) -> (StepBy<Range<usize>>, Range<usize>) {
    let whole = n - n % BAND;
    ((0..whole).step_by(BAND), whole..n)
}

/// `N` rows from row `at` on of a matrix of rows of whole registers.
#[inline(always)]
pub(super) fn rows_at<S: Simd, const N: usize>(matrix: &[f32], stride: usize, at: usize) -> [&[S::f32s]; N] {
    let mut rows: [&[S::f32s]; N] = [&[]; N];
    for (offset, row) in rows.iter_mut().enumerate() {
        *row = S::as_simd_f32s(&matrix[(at + offset) * stride..][..stride]).0;
    }
    rows
}

/// The product of each row with `vector`.
#[inline(always)]
pub(super) fn dots<S: Simd, const N: usize>(simd: S, rows: [&[S::f32s]; N], vector: &[S::f32s]) -> [f32; N] {
    let width = vector.len();
    let rows = rows.map(|row| &row[..width]);
    let mut sums = [simd.splat_f32s(0.0); N];
    for at in 0..width {
        for (sum, row) in sums.iter_mut().zip(rows) {
            *sum = simd.mul_add_e_f32s(row[at], vector[at], *sum);
        }
    }
    let mut products = [0.0; N];
    for (product, sum) in products.iter_mut().zip(sums) {
        *product = simd.reduce_sum_f32s(sum);
    }
    products
}

/// Adds each row times its coefficient to `out`.
#[inline(always)]
pub(super) fn combine<S: Simd, const N: usize>(
    simd: S,
    coefficients: [f32; N],
    rows: [&[S::f32s]; N],
    out: &mut [S::f32s],
) {
    let width = out.len();
    let rows = rows.map(|row| &row[..width]);
    let mut splats = [simd.splat_f32s(0.0); N];
    for (splat, coefficient) in splats.iter_mut().zip(coefficients) {
        *splat = simd.splat_f32s(coefficient);
    }
    for at in 0..width {
        let mut sum = out[at];
        for (splat, row) in splats.into_iter().zip(rows) {
            sum = simd.mul_add_e_f32s(splat, row[at], sum);
        }
        out[at] = sum;
    }
}
