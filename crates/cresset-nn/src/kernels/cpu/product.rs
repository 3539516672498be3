//! Matrix products in registers, with no copy made of either side.

use pulp::Simd;

/// Floats that every right-hand side's width is a multiple of: one AVX-512 register, and whole registers of
/// any narrower instruction set.
pub(super) const LANES: usize = 16;

/// Rows of the result that are computed together; with four registers a row, 24 of AVX-512's 32 hold sums.
const ROWS: usize = 6;

/// The left-hand side of a product, addressed so that neither orientation needs a transposed copy.
#[derive(Clone, Copy)]
pub(super) enum Left<'a> {
    /// Element `(row, depth)` is at `row * stride + depth`.
    Rows(&'a [f32], usize),
    /// Element `(row, depth)` is at `depth * stride + row`.
    Columns(&'a [f32], usize),
}

/// What a product is added to.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    /// Nothing: the result is overwritten.
    Zero,
    /// One constant a row of the result, which is overwritten.
    Constants(&'a [f32]),
    /// What the result holds.
    Previous,
}

/// Writes `start + left * right` to `out`.
///
/// # Shapes
///
/// - left: `[rows, depth]`
/// - right: `[depth, width]`, `width` a multiple of [`LANES`]
/// - out: `[rows, width]`; its length tells `rows`
#[inline(always)]
pub(super) fn multiply<S: Simd>(
    simd: S,
    left: Left<'_>,
    right: &[f32],
    width: usize,
    start: Start<'_>,
    out: &mut [f32],
) {
    debug_assert_eq!(width % LANES, 0, "a width of whole registers");
    let right = Right { vectors: S::as_simd_f32s(right).0, width: width / S::F32_LANES };
    let out = S::as_mut_simd_f32s(out).0;
    let mut row = 0;
    for rows in out.chunks_mut(ROWS * right.width) {
        let n_rows = rows.len() / right.width;
        let mut done = 0;
        while done < n_rows {
            let out = &mut rows[done * right.width..];
            done += match n_rows - done {
                ROWS.. => band::<S, ROWS>(simd, left, right, start, row + done, out),
                2.. => band::<S, 2>(simd, left, right, start, row + done, out),
                _ => band::<S, 1>(simd, left, right, start, row + done, out),
            };
        }
        row += n_rows;
    }
}

/// The right-hand side in registers: `width` of them a row.
#[derive(Clone, Copy)]
struct Right<'a, V> {
    vectors: &'a [V],
    width: usize,
}

/// Computes the `M` rows from `row` on, as many registers abreast as the machine has room for, and returns
/// `M`.
#[inline(always)]
fn band<S: Simd, const M: usize>(
    simd: S,
    left: Left<'_>,
    right: Right<'_, S::f32s>,
    start: Start<'_>,
    row: usize,
    out: &mut [S::f32s],
) -> usize {
    let mut column = 0;
    while column < right.width {
        column += match right.width - column {
            4.. if S::REGISTER_COUNT >= 32 => tile::<S, M, 4>(simd, left, right, start, [row, column], out),
            2.. => tile::<S, M, 2>(simd, left, right, start, [row, column], out),
            _ => tile::<S, M, 1>(simd, left, right, start, [row, column], out),
        };
    }
    M
}

/// Computes `M` rows by `N` registers from `[row, column]` on, and returns `N`.
#[inline(always)]
fn tile<S: Simd, const M: usize, const N: usize>(
    simd: S,
    left: Left<'_>,
    right: Right<'_, S::f32s>,
    start: Start<'_>,
    [row, column]: [usize; 2],
    out: &mut [S::f32s],
) -> usize {
    let depth = right.vectors.len() / right.width;
    let mut begin = [[simd.splat_f32s(0.0); N]; M];
    for (r, begin) in begin.iter_mut().enumerate() {
        match start {
            Start::Zero => {}
            Start::Constants(constants) => *begin = [simd.splat_f32s(constants[row + r]); N],
            Start::Previous => begin.copy_from_slice(&out[r * right.width + column..][..N]),
        }
    }
    let sums = match left {
        Left::Rows(data, stride) => {
            let mut rows: [&[f32]; M] = [&[]; M];
            for (r, to) in rows.iter_mut().enumerate() {
                *to = &data[(row + r) * stride..][..depth];
            }
            accumulate(simd, begin, right, column, |k| {
                // A loop, not `map`, which the compiler does not always inline.
                let mut values = [0.0; M];
                for (value, row) in values.iter_mut().zip(&rows) {
                    *value = row[k];
                }
                values
            })
        }
        Left::Columns(data, stride) => {
            let data = &data[row..];
            accumulate(simd, begin, right, column, |k| {
                *data[k * stride..].first_chunk().expect("M rows are left")
            })
        }
    };
    for (r, sums) in sums.iter().enumerate() {
        out[r * right.width + column..][..N].copy_from_slice(sums);
    }
    N
}

/// Returns `sums + left * right` for one tile; `left` gives the tile's column of a depth.
#[inline(always)]
fn accumulate<S: Simd, const M: usize, const N: usize>(
    simd: S,
    mut sums: [[S::f32s; N]; M],
    right: Right<'_, S::f32s>,
    column: usize,
    left: impl Fn(usize) -> [f32; M],
) -> [[S::f32s; N]; M] {
    for (k, row) in right.vectors.chunks_exact(right.width).enumerate() {
        let right: [S::f32s; N] = *row[column..].first_chunk().expect("N registers are left");
        for (sums, left) in sums.iter_mut().zip(left(k)) {
            let left = simd.splat_f32s(left);
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = simd.mul_add_f32s(left, right, *sum);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, Scalar, WithSimd};

    use super::*;

    struct Multiply<'a>(Left<'a>, &'a [f32], usize, Start<'a>, &'a mut [f32]);

    impl WithSimd for Multiply<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Multiply(left, right, width, start, out) = self;
            multiply(simd, left, right, width, start, out);
        }
    }

    /// Small whole numbers, so that sums are exact whatever their order.
    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7 + seed) % 11) as f32 - 5.0).collect()
    }

    fn check(rows: usize, depth: usize, width: usize) {
        let (by_rows, right) = (numbers(rows * depth, 1), numbers(depth * width, 4));
        let by_columns: Vec<f32> = (0..depth * rows).map(|i| by_rows[i % rows * depth + i / rows]).collect();
        let (constants, previous) = (numbers(rows, 2), numbers(rows * width, 3));
        for left in [Left::Rows(&by_rows, depth), Left::Columns(&by_columns, rows)] {
            for start in [Start::Zero, Start::Constants(&constants), Start::Previous] {
                let mut expected = previous.clone();
                for (i, x) in expected.iter_mut().enumerate() {
                    let (row, column) = (i / width, i % width);
                    *x = match start {
                        Start::Zero => 0.0,
                        Start::Constants(constants) => constants[row],
                        Start::Previous => *x,
                    };
                    *x +=
                        (0..depth).map(|k| by_rows[row * depth + k] * right[k * width + column]).sum::<f32>();
                }
                let (mut fast, mut scalar) = (previous.clone(), previous.clone());
                Arch::new().dispatch(Multiply(left, &right, width, start, &mut fast));
                Scalar::new().vectorize(Multiply(left, &right, width, start, &mut scalar));
                assert_eq!(fast, expected, "{rows} x {depth} x {width}");
                assert_eq!(scalar, expected, "{rows} x {depth} x {width}, without registers");
            }
        }
    }

    #[test]
    fn products_of_every_shape_and_start_are_exact() {
        for rows in [0, 1, 2, 3, 5, 6, 7, 13, 64] {
            for depth in [1, 2, 17] {
                for width in [16, 32, 48, 64, 80, 112] {
                    check(rows, depth, width);
                }
            }
        }
    }
}
