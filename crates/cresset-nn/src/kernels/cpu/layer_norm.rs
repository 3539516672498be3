//! Layer normalisation of rows, in one pass over memory each way.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::epilogue::{TASK_ELEMENTS, sum_of_rows, whole_rows};
use super::lanes::{LANES, fold};

/// The map `gamma * (x - mean) / sqrt(variance + epsilon) + beta` over rows, with the biased variance.
///
/// # Source
///
/// Ba et al., 2016, equation 4, <https://arxiv.org/abs/1607.06450>.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerNorm<'a> {
    /// `[dim]`
    pub(crate) gamma: &'a [f32],
    /// `[dim]`
    pub(crate) beta: &'a [f32],
    /// Keeps the division finite.
    pub(crate) epsilon: f32,
}

/// What the way back needs to know of each row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moments {
    /// `[rows]`
    pub(crate) mean: Vec<f32>,
    /// One over the root of variance plus epsilon, `[rows]`.
    pub(crate) inverse_deviation: Vec<f32>,
}

/// Returns the moments of the rows of `x`, whose normalised values it writes to `out`.
///
/// # Shapes
///
/// - x, out: `[rows, dim]`
///
/// # Panics
///
/// If a length does not fit.
pub(crate) fn forward(x: &[f32], norm: &LayerNorm<'_>, out: &mut [f32]) -> Moments {
    let (dim, rows) = (norm.gamma.len(), n_rows(x.len(), norm.gamma.len()));
    assert_eq!(norm.beta.len(), dim, "one beta for each gamma");
    assert_eq!(x.len(), out.len(), "the output has the shape of the input");
    let mut moments = Moments { mean: vec![0.0; rows], inverse_deviation: vec![0.0; rows] };
    let task_len = whole_rows(TASK_ELEMENTS, dim);
    let task_rows = task_len / dim.max(1);
    let Moments { mean, inverse_deviation } = &mut moments;
    if x.len() <= TASK_ELEMENTS {
        Arch::new().dispatch(Forward { norm, x, out, mean, inverse_deviation });
    } else {
        let moments = mean.par_chunks_mut(task_rows).zip(inverse_deviation.par_chunks_mut(task_rows));
        let rows = x.par_chunks(task_len).zip(out.par_chunks_mut(task_len));
        rows.zip(moments).for_each(|((x, out), (mean, inverse_deviation))| {
            Arch::new().dispatch(Forward { norm, x, out, mean, inverse_deviation });
        });
    }
    moments
}

/// Returns the gradients of gamma and beta, and writes that of `x` to `grad_x`.
///
/// The former are summed in an order that depends on the shape alone.
///
/// # Shapes
///
/// - `grad_out`, x, `grad_x`: `[rows, dim]`
/// - gamma: `[dim]`
/// - output: `[dim]` and `[dim]`
///
/// # Panics
///
/// If a length does not fit.
pub(crate) fn backward(
    grad_out: &[f32],
    x: &[f32],
    gamma: &[f32],
    moments: &Moments,
    grad_x: &mut [f32],
) -> (Vec<f32>, Vec<f32>) {
    let (dim, rows) = (gamma.len(), n_rows(x.len(), gamma.len()));
    assert_eq!([grad_out.len(), grad_x.len()], [x.len(); 2], "gradients have the shape of the input");
    assert_eq!(moments.mean.len(), rows, "one mean for each row");
    assert_eq!(moments.inverse_deviation.len(), rows, "one deviation for each row");
    let task_len = whole_rows(TASK_ELEMENTS, dim);
    let task = |(number, out): (usize, &mut [f32])| {
        let first = number * task_len;
        let (mut by_gamma, mut by_beta) = (vec![0.0; dim], vec![0.0; dim]);
        Arch::new().dispatch(Backward {
            gamma,
            grad: &grad_out[first..first + out.len()],
            x: &x[first..first + out.len()],
            mean: &moments.mean[first / dim..],
            inverse_deviation: &moments.inverse_deviation[first / dim..],
            out,
            by_gamma: &mut by_gamma,
            by_beta: &mut by_beta,
        });
        (by_gamma, by_beta)
    };
    let (by_gamma, by_beta): (Vec<_>, Vec<_>) = if x.len() <= TASK_ELEMENTS {
        grad_x.chunks_mut(task_len).enumerate().map(task).unzip()
    } else {
        grad_x.par_chunks_mut(task_len).enumerate().map(task).unzip()
    };
    (sum_of_rows(&by_gamma, dim), sum_of_rows(&by_beta, dim))
}

fn n_rows(len: usize, dim: usize) -> usize {
    let rows = len.checked_div(dim).unwrap_or(0);
    assert_eq!(rows * dim, len, "whole rows of {dim}");
    rows
}

/// Some rows on their way forward.
struct Forward<'a> {
    norm: &'a LayerNorm<'a>,
    x: &'a [f32],
    out: &'a mut [f32],
    mean: &'a mut [f32],
    inverse_deviation: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let &LayerNorm { gamma, beta, epsilon } = self.norm;
        let dim = gamma.len().max(1);
        let rows = self.x.chunks_exact(dim).zip(self.out.chunks_exact_mut(dim));
        let moments = self.mean.iter_mut().zip(self.inverse_deviation);
        for ((x, out), (mean, inverse_deviation)) in rows.zip(moments) {
            let centre = sum(x, |x| x) / dim as f32;
            let variance = sum(x, |x| (x - centre) * (x - centre)) / dim as f32;
            let factor = 1.0 / (variance + epsilon).sqrt();
            (*mean, *inverse_deviation) = (centre, factor);
            for (((out, &x), &gamma), &beta) in out.iter_mut().zip(x).zip(gamma).zip(beta) {
                *out = ((x - centre) * factor).mul_add(gamma, beta);
            }
        }
    }
}

/// Some rows on their way back.
struct Backward<'a> {
    gamma: &'a [f32],
    grad: &'a [f32],
    x: &'a [f32],
    mean: &'a [f32],
    inverse_deviation: &'a [f32],
    out: &'a mut [f32],
    by_gamma: &'a mut [f32],
    by_beta: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { gamma, by_gamma, by_beta, .. } = self;
        let dim = gamma.len().max(1);
        let rows =
            self.grad.chunks_exact(dim).zip(self.x.chunks_exact(dim)).zip(self.out.chunks_exact_mut(dim));
        let moments = self.mean.iter().zip(self.inverse_deviation);
        for (((grad, x), out), (&mean, &inverse_deviation)) in rows.zip(moments) {
            let unit = |x: f32| (x - mean) * inverse_deviation;
            let receivers = by_gamma.iter_mut().zip(by_beta.iter_mut());
            for (((&grad, &x), out), (by_gamma, by_beta)) in
                grad.iter().zip(x).zip(out.iter_mut()).zip(receivers)
            {
                *out = unit(x);
                *by_gamma = grad.mul_add(*out, *by_gamma);
                *by_beta += grad;
            }
            row_backward(grad, gamma, inverse_deviation, out);
        }
    }
}

/// Replaces a row of normalised values by the gradient of the input.
#[inline(always)]
fn row_backward(grad: &[f32], gamma: &[f32], inverse_deviation: f32, row: &mut [f32]) {
    let [along_ones, along_row] = sums_of_products(grad, gamma, row).map(|sum| sum / row.len() as f32);
    for ((x, &grad), &gamma) in row.iter_mut().zip(grad).zip(gamma) {
        *x = inverse_deviation * (grad.mul_add(gamma, -along_ones) - *x * along_row);
    }
}

/// The sums of `a b` and of `a b c`.
#[inline(always)]
fn sums_of_products(a: &[f32], b: &[f32], c: &[f32]) -> [f32; 2] {
    let mut sums = [[0.0; LANES]; 2];
    let whole = a.len() - a.len() % LANES;
    let lanes = |x| <[f32]>::as_chunks::<LANES>(x).0;
    for ((a, b), c) in lanes(a).iter().zip(lanes(b)).zip(lanes(c)) {
        for lane in 0..LANES {
            let product = a[lane] * b[lane];
            sums[0][lane] += product;
            sums[1][lane] = product.mul_add(c[lane], sums[1][lane]);
        }
    }
    for (((&a, &b), &c), lane) in a[whole..].iter().zip(&b[whole..]).zip(&c[whole..]).zip(0..) {
        sums[0][lane] += a * b;
        sums[1][lane] += a * b * c;
    }
    sums.map(|sums| fold(sums, |a, b| a + b))
}

#[inline(always)]
fn sum(x: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for (sum, &x) in sums.iter_mut().zip(x) {
            *sum += term(x);
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum += term(x);
    }
    fold(sums, |a, b| a + b)
}

#[cfg(test)]
mod tests {
    use cresset_data::random::{standard_normal, stream};

    use super::*;

    const SHAPES: [(usize, usize); 9] =
        [(0, 8), (0, 0), (1, 1), (1, 64), (3, 5), (40, 33), (300, 64), (9, 2000), (20_000, 1)];

    fn noise(n: usize, place: u64) -> Vec<f32> {
        let mut rng = stream(1, "layer_norm", place);
        (0..n).map(|_| 0.5 + standard_normal(&mut rng)).collect()
    }

    fn reference(x: &[f64], norm: &LayerNorm<'_>) -> Vec<f64> {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
        let deviation = (variance + f64::from(norm.epsilon)).sqrt();
        let affine = norm.gamma.iter().zip(norm.beta);
        x.iter()
            .zip(affine)
            .map(|(x, (&g, &b))| (x - mean) / deviation * f64::from(g) + f64::from(b))
            .collect()
    }

    fn widened(x: &[f32]) -> Vec<f64> {
        x.iter().copied().map(f64::from).collect()
    }

    #[test]
    fn rows_of_every_shape_agree_with_the_definition() {
        for (rows, dim) in SHAPES {
            let [x, gamma, beta] = [(rows * dim, 0), (dim, 1), (dim, 2)].map(|(n, place)| noise(n, place));
            let norm = LayerNorm { gamma: &gamma, beta: &beta, epsilon: 1e-5 };
            let mut out = vec![f32::NAN; x.len()];
            let moments = forward(&x, &norm, &mut out);
            assert_eq!((moments.mean.len(), moments.inverse_deviation.len()), (rows, rows));
            for (x, out) in x.chunks(dim.max(1)).zip(out.chunks(dim.max(1))) {
                for (&found, expected) in out.iter().zip(reference(&widened(x), &norm)) {
                    assert!(
                        (f64::from(found) - expected).abs() < 1e-5,
                        "{rows} x {dim}: {found}, not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_large_common_offset_does_not_spoil_the_variance() {
        let x: Vec<f32> = noise(64, 0).into_iter().map(|x| x + 1024.0).collect();
        let norm = LayerNorm { gamma: &[1.0; 64], beta: &[0.0; 64], epsilon: 1e-5 };
        let mut out = vec![0.0; 64];
        forward(&x, &norm, &mut out);
        for (found, expected) in out.iter().zip(reference(&widened(&x), &norm)) {
            assert!((f64::from(*found) - expected).abs() < 1e-3, "{found}, not {expected}");
        }
    }

    /// Of `sum(grad * output)` of one row: by the input, by gamma and by beta.
    fn finite_differences(x: &[f32], grad: &[f32], norm: &LayerNorm<'_>) -> [Vec<f64>; 3] {
        let x = widened(x);
        let value =
            |x: &[f64]| reference(x, norm).iter().zip(grad).map(|(y, &g)| y * f64::from(g)).sum::<f64>();
        let by_x = (0..x.len()).map(|place| {
            let moved = |by| {
                let mut x = x.clone();
                x[place] += by;
                value(&x)
            };
            (moved(1e-5) - moved(-1e-5)) / 2e-5
        });
        let unit = LayerNorm { gamma: &vec![1.0; x.len()], beta: &vec![0.0; x.len()], epsilon: norm.epsilon };
        let by_gamma = reference(&x, &unit).into_iter().zip(grad).map(|(y, &g)| y * f64::from(g));
        [by_x.collect(), by_gamma.collect(), widened(grad)]
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        // Rows of one element have no variance: their output does not depend on the input.
        for (rows, dim) in [(0, 8), (0, 0), (1, 1), (1, 64), (3, 5), (40, 33), (300, 64), (500, 2)] {
            let [x, grad, gamma, beta] =
                [(rows * dim, 0), (rows * dim, 3), (dim, 1), (dim, 2)].map(|(n, place)| noise(n, place));
            let norm = LayerNorm { gamma: &gamma, beta: &beta, epsilon: 1e-2 };
            let moments = forward(&x, &norm, &mut vec![0.0; x.len()]);
            let mut by_x = vec![f32::NAN; x.len()];
            let (by_gamma, by_beta) = backward(&grad, &x, &gamma, &moments, &mut by_x);
            let mut expected = [vec![], vec![0.0; dim], vec![0.0; dim]];
            for (x, grad) in x.chunks(dim.max(1)).zip(grad.chunks(dim.max(1))) {
                let [row_by_x, row_by_gamma, row_by_beta] = finite_differences(x, grad, &norm);
                expected[0].extend(row_by_x);
                expected[1].iter_mut().zip(row_by_gamma).for_each(|(sum, grad)| *sum += grad);
                expected[2].iter_mut().zip(row_by_beta).for_each(|(sum, grad)| *sum += grad);
            }
            for (found, expected) in [by_x, by_gamma, by_beta].into_iter().zip(expected) {
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.into_iter().zip(expected) {
                    let error = (f64::from(found) - expected).abs();
                    assert!(
                        error < 5e-5 * expected.abs().max(1.0),
                        "{rows} x {dim}: {found}, not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn gradients_have_the_same_bits_on_any_number_of_threads() {
        let (x, gamma) = (noise(900 * 48, 0), noise(48, 1));
        let norm = LayerNorm { gamma: &gamma, beta: &gamma, epsilon: 1e-5 };
        let with_threads = |n| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
            pool.install(|| {
                let mut out = vec![0.0; x.len()];
                let moments = forward(&x, &norm, &mut out);
                let sums = backward(&x, &x, &gamma, &moments, &mut vec![0.0; x.len()]);
                (out, moments, sums)
            })
        };
        assert_eq!(with_threads(1), with_threads(3));
    }

    #[test]
    fn a_constant_row_becomes_beta_and_a_nan_stays_in_its_row() {
        let norm = LayerNorm { gamma: &[2.0; 3], beta: &[0.5; 3], epsilon: 1e-5 };
        let mut out = [0.0; 6];
        forward(&[7.0, 7.0, 7.0, f32::NAN, 1.0, 2.0], &norm, &mut out);
        assert_eq!(out[..3], [0.5; 3]);
        assert!(out[3..].iter().all(|x| x.is_nan()));
    }

    #[test]
    #[should_panic(expected = "whole rows of 3")]
    fn a_broken_row_is_refused() {
        forward(&[0.0; 4], &LayerNorm { gamma: &[1.0; 3], beta: &[0.0; 3], epsilon: 1e-5 }, &mut [0.0; 4]);
    }
}
