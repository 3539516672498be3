//! The few pieces of arithmetic that the world needs.

use rand::Rng;

pub(super) use crate::random::{open_unit as uniform, standard_normal as normal};

/// A uniform draw from `0..n`.
pub(super) fn below(rng: &mut impl Rng, n: usize) -> usize {
    crate::random::below(n as u64, rng) as usize
}

/// A vector of standard normal draws.
pub(super) fn normals(rng: &mut impl Rng, n: usize) -> Vec<f32> {
    (0..n).map(|_| normal(rng)).collect()
}

/// The inner product, summed in eight lanes of fixed order.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_chunks, a_rest) = a.as_chunks::<8>();
    let (b_chunks, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..8 {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f32>() + rest
}

/// Scales to length 1; a vector of zeros stays as it is.
pub(super) fn normalise(vector: &mut [f32]) {
    let length = dot(vector, vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}

/// The logistic function.
pub(super) fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// A linear map that gives the rows it was fitted to, whose mean is 0, the covariance 1.
#[derive(Debug)]
pub(super) struct Whitening {
    /// Lower triangle of the Cholesky factor, row by row; a direction without variance has a pivot of 0.
    factor: Vec<f64>,
    /// Makes up for the directions without variance, so that the total stays one a dimension.
    gain: f64,
}

impl Whitening {
    /// The map for rows of width `dim`.
    pub(super) fn fit(rows: &[f32], dim: usize) -> Self {
        let factor = cholesky(covariance(rows, dim), dim);
        let rank = (0..dim).filter(|&i| factor[i * dim + i] > 0.0).count();
        Self { factor, gain: (dim as f64 / rank.max(1) as f64).sqrt() }
    }

    /// Maps one row in place, by forward substitution.
    pub(super) fn apply(&self, row: &mut [f32]) {
        let dim = row.len();
        let mut solved = vec![0.0f64; dim];
        for i in 0..dim {
            let pivot = self.factor[i * dim + i];
            let known: f64 = (0..i).map(|j| self.factor[i * dim + j] * solved[j]).sum();
            if pivot > 0.0 {
                solved[i] = (f64::from(row[i]) - known) / pivot;
            }
        }
        for (x, y) in row.iter_mut().zip(solved) {
            *x = (y * self.gain) as f32;
        }
    }
}

/// The covariance of rows whose mean is 0.
fn covariance(rows: &[f32], dim: usize) -> Vec<f64> {
    let n = (rows.len() / dim) as f64;
    let mut sums = vec![0.0; dim * dim];
    for row in rows.chunks_exact(dim) {
        for (sums, &x) in sums.chunks_exact_mut(dim).zip(row) {
            sums.iter_mut().zip(row).for_each(|(sum, &y)| *sum += f64::from(x) * f64::from(y) / n);
        }
    }
    sums
}

/// The lower Cholesky factor of a positive semi-definite matrix; a vanishing pivot clears its column.
fn cholesky(mut matrix: Vec<f64>, dim: usize) -> Vec<f64> {
    for j in 0..dim {
        let before = |m: &[f64], i: usize| (0..j).map(|k| m[i * dim + k] * m[j * dim + k]).sum::<f64>();
        let variance = matrix[j * dim + j];
        let left = variance - before(&matrix, j);
        let pivot = if left > 1e-6 * variance.max(1e-12) { left.sqrt() } else { 0.0 };
        for i in j..dim {
            let entry = matrix[i * dim + j] - before(&matrix, i);
            matrix[i * dim + j] = if pivot > 0.0 { entry / pivot } else { 0.0 };
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn normal_draws_have_mean_0_and_variance_1() {
        let mut rng = stream(1, "test", 0);
        let draws = normals(&mut rng, 100_000);
        let mean = draws.iter().sum::<f32>() / 1e5;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 1e5;
        assert!(mean.abs() < 0.015, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
    }

    #[test]
    fn the_inner_product_covers_lanes_and_rest() {
        let a: Vec<f32> = (1..=11).map(|x| x as f32).collect();
        assert_eq!(dot(&a, &a), 506.0);
    }

    #[test]
    fn whitened_rows_have_covariance_1() {
        let mut rng = stream(2, "test", 0);
        let mut rows = Vec::new();
        for _ in 0..500 {
            let [a, b, c] = [normal(&mut rng), normal(&mut rng), normal(&mut rng)];
            rows.extend([3.0 * a, 2.0 * a + 0.5 * b, b - 4.0 * c]);
        }
        let map = Whitening::fit(&rows, 3);
        rows.chunks_exact_mut(3).for_each(|row| map.apply(row));
        let found = covariance(&rows, 3);
        for (i, entry) in found.iter().enumerate() {
            let identity = if i % 4 == 0 { 1.0 } else { 0.0 };
            assert!((entry - identity).abs() < 1e-3, "{found:?}");
        }
    }

    #[test]
    fn a_direction_without_variance_is_cleared_and_the_others_make_up_for_it() {
        let mut rows = vec![1.0, 2.0, 3.0, 6.0, -4.0, -8.0];
        let map = Whitening::fit(&rows, 2);
        rows.chunks_exact_mut(2).for_each(|row| map.apply(row));
        let total: f32 = rows.iter().map(|x| x * x).sum::<f32>() / 3.0;
        assert!((total - 2.0).abs() < 1e-4, "{rows:?}");
        assert_eq!([rows[1], rows[3], rows[5]], [0.0; 3]);
    }
}
