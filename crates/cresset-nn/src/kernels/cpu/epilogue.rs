//! What follows a linear layer: bias, activation, dropout and residual in one pass over memory.
//!
//! Rows are taken in blocks that stay in the first-level cache, and each part is a plain loop over the
//! block: as fast as a loop that does everything at once, without a copy of the code for each combination
//! of parts.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::exp::normal_distribution_and_density;
use crate::{Activation, Dropout};

/// Elements of one task. A call of fewer stays on its thread: waking another costs as much as the work.
pub(super) const TASK_ELEMENTS: usize = 16_384;

/// Elements that all parts visit before the next are read: with their residual, a third of a 48 KiB cache.
const BLOCK_ELEMENTS: usize = 2048;

/// The map `residual + dropout(activation(x + bias))`, each part of which may be missing.
///
/// Element `(row, column)` has the dropout index `row * dim + column`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epilogue<'a> {
    /// Width of a row.
    pub(crate) dim: usize,
    /// `[dim]`
    pub(crate) bias: Option<&'a [f32]>,
    /// Applied after the bias. GELU is exact to 2e-7 of `max(1, |x|)`, and its tail below -8.9 is 0.
    pub(crate) activation: Activation,
    /// Applied after the activation.
    pub(crate) dropout: Option<Dropout>,
    /// Added last, `[rows, dim]`.
    pub(crate) residual: Option<&'a [f32]>,
}

/// Writes the rows of `x` after bias, activation, dropout and residual to `out`.
///
/// # Shapes
///
/// - x, out: `[rows, dim]`
///
/// # Panics
///
/// If a length does not fit.
pub(crate) fn forward(x: &[f32], epilogue: &Epilogue<'_>, out: &mut [f32]) {
    assert_eq!(x.len(), out.len(), "the output has the shape of the input");
    epilogue.forward(Some(x), out);
}

/// As [`forward`], over `x` itself.
pub(crate) fn forward_in_place(x: &mut [f32], epilogue: &Epilogue<'_>) {
    epilogue.forward(None, x);
}

/// Writes the gradient of `x` to `grad_x` and returns that of the bias, if there is one; the residual's is
/// `grad_out` itself.
///
/// The bias gradient is summed in an order that depends on the shape alone.
///
/// # Shapes
///
/// - `grad_out`, `grad_x`: `[rows, dim]`
/// - x: `[rows, dim]`, as it was before the bias; not read, and may be empty, where there is no activation
/// - output: `[dim]`
///
/// # Panics
///
/// If a length does not fit.
pub(crate) fn backward(
    grad_out: &[f32],
    x: &[f32],
    epilogue: &Epilogue<'_>,
    grad_x: &mut [f32],
) -> Option<Vec<f32>> {
    assert_eq!(grad_out.len(), grad_x.len(), "both gradients have the shape of the input");
    epilogue.backward(Some(grad_out), x, grad_x)
}

/// As [`backward`], over the gradient of the output itself.
pub(crate) fn backward_in_place(grad: &mut [f32], x: &[f32], epilogue: &Epilogue<'_>) -> Option<Vec<f32>> {
    epilogue.backward(None, x, grad)
}

impl Epilogue<'_> {
    fn forward(&self, source: Option<&[f32]>, out: &mut [f32]) {
        self.check(out.len());
        let task = |(number, rows): (usize, &mut [f32])| {
            let first = number * self.task_len();
            Arch::new().dispatch(Forward { epilogue: self, first, source, rows });
        };
        if out.len() <= TASK_ELEMENTS {
            out.chunks_mut(self.task_len()).enumerate().for_each(task);
        } else {
            out.par_chunks_mut(self.task_len()).enumerate().for_each(task);
        }
    }

    fn backward(&self, source: Option<&[f32]>, x: &[f32], grad: &mut [f32]) -> Option<Vec<f32>> {
        self.check(grad.len());
        let reads_x = self.activation != Activation::None;
        assert!(!reads_x || x.len() == grad.len(), "an activation's gradient needs its whole input");
        let task = |(number, rows): (usize, &mut [f32])| {
            let first = number * self.task_len();
            let mut by_bias = vec![0.0; self.bias.map_or(0, <[f32]>::len)];
            let by_bias_mut = by_bias.as_mut_slice();
            Arch::new().dispatch(Backward { epilogue: self, first, source, x, rows, by_bias: by_bias_mut });
            by_bias
        };
        let by_task: Vec<Vec<f32>> = if grad.len() <= TASK_ELEMENTS {
            grad.chunks_mut(self.task_len()).enumerate().map(task).collect()
        } else {
            grad.par_chunks_mut(self.task_len()).enumerate().map(task).collect()
        };
        self.bias.map(|bias| sum_of_rows(&by_task, bias.len()))
    }

    /// Elements of one task: whole rows, and the same however many threads there are.
    fn task_len(&self) -> usize {
        whole_rows(TASK_ELEMENTS, self.dim)
    }

    fn check(&self, len: usize) {
        let dim = self.dim;
        assert!(len.checked_rem(dim).unwrap_or(len) == 0, "{len} elements are whole rows of {dim}");
        assert!(self.bias.is_none_or(|bias| bias.len() == dim), "one bias for each of the {dim} columns");
        assert!(
            self.residual.is_none_or(|rows| rows.len() == len),
            "the residual has the shape of the input"
        );
    }
}

/// Some rows on their way forward.
///
/// A type, not a closure: `dispatch` compiles its method for each instruction set, where a closure may be
/// left as a call to code for the oldest.
struct Forward<'a, 'b> {
    epilogue: &'a Epilogue<'b>,
    /// The element of the whole at which the rows begin.
    first: usize,
    source: Option<&'a [f32]>,
    rows: &'a mut [f32],
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { epilogue, mut first, source, rows } = self;
        for block in rows.chunks_mut(whole_rows(BLOCK_ELEMENTS, epilogue.dim)) {
            if let Some(source) = source {
                block.copy_from_slice(&source[first..first + block.len()]);
            }
            if let Some(bias) = epilogue.bias {
                block.chunks_exact_mut(epilogue.dim).for_each(|row| add(row, bias));
            }
            match epilogue.activation {
                Activation::None => {}
                Activation::Relu => map(block, relu),
                Activation::Gelu => map(block, gelu),
            }
            if let Some(dropout) = epilogue.dropout {
                drop_out(block, dropout, first as u32);
            }
            if let Some(residual) = epilogue.residual {
                add(block, &residual[first..first + block.len()]);
            }
            first += block.len();
        }
    }
}

/// Some rows on their way back.
struct Backward<'a, 'b> {
    epilogue: &'a Epilogue<'b>,
    first: usize,
    source: Option<&'a [f32]>,
    x: &'a [f32],
    rows: &'a mut [f32],
    by_bias: &'a mut [f32],
}

impl WithSimd for Backward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { epilogue, mut first, source, x, rows, by_bias } = self;
        for block in rows.chunks_mut(whole_rows(BLOCK_ELEMENTS, epilogue.dim)) {
            let place = first..first + block.len();
            if let Some(source) = source {
                block.copy_from_slice(&source[place.clone()]);
            }
            if let Some(dropout) = epilogue.dropout {
                drop_out(block, dropout, first as u32);
            }
            match epilogue.activation {
                Activation::None => {}
                Activation::Relu => multiply_by_slope(block, &x[place], epilogue.bias, relu_slope),
                Activation::Gelu => multiply_by_slope(block, &x[place], epilogue.bias, gelu_slope),
            }
            if epilogue.bias.is_some() {
                block.chunks_exact(epilogue.dim).for_each(|row| add(by_bias, row));
            }
            first += block.len();
        }
    }
}

#[inline(always)]
fn multiply_by_slope(grad: &mut [f32], x: &[f32], bias: Option<&[f32]>, slope: impl Fn(f32) -> f32 + Copy) {
    let Some(bias) = bias else {
        return grad.iter_mut().zip(x).for_each(|(grad, &x)| *grad *= slope(x));
    };
    for (grad, x) in grad.chunks_exact_mut(bias.len()).zip(x.chunks_exact(bias.len())) {
        for ((grad, &x), &bias) in grad.iter_mut().zip(x).zip(bias) {
            *grad *= slope(x + bias);
        }
    }
}

#[inline(always)]
fn map(block: &mut [f32], function: impl Fn(f32) -> f32) {
    for x in block {
        *x = function(*x);
    }
}

/// The largest multiple of `dim` up to `elements`, but at least one row, and never 0.
pub(super) fn whole_rows(elements: usize, dim: usize) -> usize {
    let dim = dim.max(1);
    (elements / dim).max(1) * dim
}

/// The sum of equally long rows, from the first to the last.
pub(super) fn sum_of_rows(rows: &[Vec<f32>], dim: usize) -> Vec<f32> {
    let mut sum = vec![0.0; dim];
    rows.iter().for_each(|row| add(&mut sum, row));
    sum
}

#[inline(always)]
fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to += from);
}

#[inline(always)]
fn drop_out(block: &mut [f32], dropout: Dropout, first: u32) {
    for (offset, x) in (0u32..).zip(block) {
        *x *= dropout.factor(first.wrapping_add(offset));
    }
}

/// Keeps NaN, as a maximum with 0 would not.
#[inline(always)]
fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

#[inline(always)]
fn relu_slope(x: f32) -> f32 {
    if x <= 0.0 { 0.0 } else { 1.0 }
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    x * normal_distribution_and_density(x).0
}

#[inline(always)]
fn gelu_slope(x: f32) -> f32 {
    let (distribution, density) = normal_distribution_and_density(x);
    x.mul_add(density, distribution)
}

#[cfg(test)]
mod tests {
    use cresset_data::random::{standard_normal, stream};

    use super::super::exp::reference::normal_distribution;
    use super::*;

    const SHAPES: [(usize, usize); 8] =
        [(0, 8), (4, 0), (1, 1), (3, 5), (7, 64), (1, 3000), (300, 64), (17_000, 1)];

    fn noise(n: usize, place: u64) -> Vec<f32> {
        let mut rng = stream(1, "epilogue", place);
        (0..n).map(|_| 2.0 * standard_normal(&mut rng)).collect()
    }

    /// Calls `check` with the rows and the epilogue for every combination of parts and every shape.
    fn for_each_epilogue(check: impl Fn(usize, &Epilogue<'_>)) {
        let dropout = Dropout::new(0.3, 1, 2, "test").unwrap();
        for (rows, dim) in SHAPES {
            let (bias, residual) = (noise(dim, 1), noise(rows * dim, 2));
            for activation in [Activation::None, Activation::Relu, Activation::Gelu] {
                for parts in 0..8 {
                    let with = |bit: usize| parts & bit != 0;
                    let epilogue = Epilogue {
                        dim,
                        bias: with(1).then_some(&bias),
                        activation,
                        dropout: with(2).then_some(dropout),
                        residual: with(4).then_some(&residual),
                    };
                    check(rows, &epilogue);
                }
            }
        }
    }

    fn reference(epilogue: &Epilogue<'_>, index: usize, x: f64) -> f64 {
        let x = x + epilogue.bias.map_or(0.0, |bias| f64::from(bias[index % epilogue.dim]));
        let x = match epilogue.activation {
            Activation::None => x,
            Activation::Relu => x.max(0.0),
            Activation::Gelu => x * normal_distribution(x),
        };
        let factor = epilogue.dropout.map_or(1.0, |dropout| f64::from(dropout.factor(index as u32)));
        x * factor + epilogue.residual.map_or(0.0, |residual| f64::from(residual[index]))
    }

    #[test]
    fn every_combination_of_parts_agrees_with_its_definition() {
        for_each_epilogue(|rows, epilogue| {
            let x = noise(rows * epilogue.dim, 3);
            let mut out = vec![f32::NAN; x.len()];
            forward(&x, epilogue, &mut out);
            for (index, (&x, &found)) in x.iter().zip(&out).enumerate() {
                let expected = reference(epilogue, index, f64::from(x));
                let error = (f64::from(found) - expected).abs();
                assert!(
                    error < 1e-6 * expected.abs().max(1.0),
                    "{epilogue:?} at {index}: {found}, not {expected}"
                );
            }
            let mut in_place = x;
            forward_in_place(&mut in_place, epilogue);
            assert_eq!(in_place, out);
        });
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        for_each_epilogue(|rows, epilogue| {
            let (x, grad_out) = (noise(rows * epilogue.dim, 3), noise(rows * epilogue.dim, 4));
            let mut grad_x = vec![f32::NAN; x.len()];
            let by_bias = backward(&grad_out, &x, epilogue, &mut grad_x);
            let mut expected_by_bias = vec![0.0; epilogue.dim];
            for (index, (&x, &grad_out)) in x.iter().zip(&grad_out).enumerate() {
                let at = |offset| reference(epilogue, index, f64::from(x) + offset);
                let expected = f64::from(grad_out) * (at(1e-6) - at(-1e-6)) / 2e-6;
                expected_by_bias[index % epilogue.dim] += expected;
                let error = (f64::from(grad_x[index]) - expected).abs();
                assert!(error < 1e-5, "{epilogue:?} at {index}: {} not {expected}", grad_x[index]);
            }
            assert_eq!(by_bias.is_some(), epilogue.bias.is_some());
            for (found, expected) in by_bias.iter().flatten().zip(expected_by_bias) {
                let error = (f64::from(*found) - expected).abs();
                assert!(error < 1e-5 * expected.abs().max(10.0), "bias: {found}, not {expected}");
            }
            let mut in_place = grad_out;
            assert_eq!(backward_in_place(&mut in_place, &x, epilogue), by_bias);
            assert_eq!(in_place, grad_x);
        });
    }

    #[test]
    fn gelu_is_within_its_bound_and_its_far_tail_is_zero() {
        for step in -100_000..=100_000 {
            let x = 1.1e-4 * step as f32;
            let expected = f64::from(x) * normal_distribution(f64::from(x));
            let error = (f64::from(gelu(x)) - expected).abs();
            assert!(error < 2e-7 * f64::from(x.abs().max(1.0)), "gelu({x}): off by {error}");
        }
        assert_eq!(gelu(-9.0), 0.0);
        assert_eq!([gelu(f32::INFINITY), gelu_slope(100.0), gelu_slope(-100.0)], [f32::INFINITY, 1.0, 0.0]);
    }

    #[test]
    fn a_nan_is_passed_on() {
        for activation in [Activation::None, Activation::Relu, Activation::Gelu] {
            let epilogue = Epilogue { dim: 2, bias: None, activation, dropout: None, residual: None };
            let mut x = [f32::NAN, 1.0];
            forward_in_place(&mut x, &epilogue);
            assert!(x[0].is_nan() && !x[1].is_nan(), "{activation:?}: {x:?}");
        }
    }

    #[test]
    fn bias_gradients_have_the_same_bits_on_any_number_of_threads() {
        let (x, bias) = (noise(500 * 96, 3), noise(96, 1));
        let epilogue = Epilogue {
            dim: 96,
            bias: Some(&bias),
            activation: Activation::Gelu,
            dropout: None,
            residual: None,
        };
        let with_threads = |n| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
            pool.install(|| backward_in_place(&mut x.clone(), &x, &epilogue))
        };
        assert_eq!(with_threads(1), with_threads(3));
    }

    #[test]
    #[should_panic(expected = "one bias for each of the 3 columns")]
    fn a_bias_of_another_width_is_refused() {
        let activation = Activation::None;
        let epilogue = Epilogue { dim: 3, bias: Some(&[0.0; 2]), activation, dropout: None, residual: None };
        forward_in_place(&mut [0.0; 6], &epilogue);
    }
}
