//! Inner products of rows, and sums of their squares.

use pulp::Arch;
use rayon::prelude::*;

use super::lanes::{LANES, fold};

/// Pairs or rows of one task; fewer stay on their thread.
const TASK_ELEMENTS: usize = 1 << 15;

/// Writes `left[i] . right[j]` for each pair of rows.
///
/// # Shapes
///
/// - left, right: rows `[.., dim]` and the row of each pair, `[n]`
/// - out: `[n]`
///
/// # Panics
///
/// If there is not one row of each side for each pair, or an id names no row.
pub(crate) fn pair_products(
    dim: usize,
    (left, left_ids): (&[f32], &[i32]),
    (right, right_ids): (&[f32], &[i32]),
    out: &mut [f32],
) {
    assert_eq!(
        (left_ids.len(), right_ids.len()),
        (out.len(), out.len()),
        "one row of each side for each pair"
    );
    let task = (TASK_ELEMENTS / dim.max(1)).max(1);
    let pairs = left_ids.par_chunks(task).zip(right_ids.par_chunks(task)).zip(out.par_chunks_mut(task));
    pairs.with_min_len(1).for_each(|((left_ids, right_ids), out)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for ((&i, &j), out) in left_ids.iter().zip(right_ids).zip(out) {
                    *out = dot(row(left, dim, i), row(right, dim, j));
                }
            },
        );
    });
}

/// The sum over rows of weight times squared length, in an order that depends on the shape alone.
///
/// # Shapes
///
/// - values: `[n, dim]`
/// - weights: `[n]`
///
/// # Panics
///
/// If there is not one weight for each row.
pub(crate) fn weighted_sum_of_squares(values: &[f32], dim: usize, weights: &[f32]) -> f64 {
    assert_eq!(values.len(), weights.len() * dim, "one weight for each row");
    if dim == 0 {
        return 0.0;
    }
    let task = (TASK_ELEMENTS / dim).max(1);
    let partial = |(values, weights): (&[f32], &[f32])| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let rows = values.chunks_exact(dim).zip(weights);
                rows.map(|(row, &weight)| f64::from(weight) * f64::from(dot(row, row))).sum::<f64>()
            },
        )
    };
    let partials: Vec<f64> =
        values.par_chunks(task * dim).zip(weights.par_chunks(task)).map(partial).collect();
    partials.iter().sum()
}

#[inline(always)]
fn row(rows: &[f32], dim: usize, id: i32) -> &[f32] {
    let start = usize::try_from(id).unwrap_or(usize::MAX / 2).saturating_mul(dim);
    let end = start.saturating_add(dim);
    assert!(end <= rows.len(), "row {id} is beyond the {} rows", rows.len() / dim.max(1));
    &rows[start..end]
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (a_whole, a_rest) = a.as_chunks::<LANES>();
    let (b_whole, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_whole.iter().zip(b_whole) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    fold(sums, |a, b| a + b) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, dim: usize) -> Vec<f32> {
        (0..n * dim).map(|i| ((i * 37 % 101) as f32 - 50.0) / 25.0).collect()
    }

    #[test]
    fn pairs_are_multiplied_as_their_definition_says() {
        for dim in [1, 3, 16, 17, 64, 100] {
            let (left, right) = (rows(7, dim), rows(5, dim));
            let left_ids: Vec<i32> = (0..2000).map(|i| i % 7).collect();
            let right_ids: Vec<i32> = (0..2000).map(|i| i * 3 % 5).collect();
            let mut out = vec![0.0; 2000];
            pair_products(dim, (&left, &left_ids), (&right, &right_ids), &mut out);
            for ((&i, &j), &found) in left_ids.iter().zip(&right_ids).zip(&out) {
                let a = &left[i as usize * dim..][..dim];
                let b = &right[j as usize * dim..][..dim];
                let expected: f64 = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
                assert!((f64::from(found) - expected).abs() < 1e-4, "{found} for {expected} at dim {dim}");
            }
        }
    }

    #[test]
    fn squares_are_weighted_row_by_row() {
        for (n, dim) in [(0, 3), (1, 1), (5, 0), (3000, 17), (100, 64)] {
            let values = rows(n, dim);
            let weights: Vec<f32> = (0..n).map(|i| (i % 4) as f32).collect();
            let each = (0..n).flat_map(|i| (0..dim).map(move |j| (i, i * dim + j)));
            let expected: f64 =
                each.map(|(i, at)| f64::from(weights[i]) * f64::from(values[at]).powi(2)).sum();
            let found = weighted_sum_of_squares(&values, dim, &weights);
            assert!((found - expected).abs() <= 1e-5 * expected, "{found} for {expected}");
        }
    }

    #[test]
    #[should_panic(expected = "row 7 is beyond the 7 rows")]
    fn a_row_beyond_the_table_is_named() {
        pair_products(2, (&rows(7, 2), &[7]), (&rows(5, 2), &[0]), &mut [0.0]);
    }
}
