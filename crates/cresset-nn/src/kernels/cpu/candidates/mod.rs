//! Losses of queries against candidate rows, with their gradients, the logits never stored as a whole.
//!
//! One family serves the catalogue's cross-entropy, the in-batch softmax, the sampled softmax with its log-Q
//! correction, BCE with negatives, gBCE and BPR. They differ in the [`Objective`], in where a query's
//! positive comes from ([`Positives`]), and in whether all queries see the same candidates ([`Shared`]) or
//! each has its own ([`PerRow`]).
//!
//! All of them split a gradient alike. What a negative with logit `s` receives is `coefficient(query) *
//! e(s)`, where `e` can be computed as soon as the logit is, and the coefficient only when all logits of the
//! query were seen: for the softmax `e` is the exponential and the coefficient is the inverse of the
//! normaliser. So each logit is computed once. The positive is kept apart from the negatives, which also
//! avoids the cancellation of `p - 1` where a model is confident.

mod functions;
mod per_row;
mod shared;

#[cfg(test)]
mod tests;

pub(crate) use self::per_row::PerRow;
pub(crate) use self::shared::{Positives, Shared};
use crate::kernels::spec::Objective;

/// The gradients of a loss, row by row as the inputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gradients {
    /// `[n, dim]`; rows of weight 0 are 0.
    pub(crate) queries: Vec<f32>,
    /// `[m, dim]`; candidates that no query saw are 0.
    pub(crate) candidates: Vec<f32>,
    /// `[n, dim]` for [`Positives::Rows`], otherwise empty.
    pub(crate) positives: Vec<f32>,
}

/// What one query's negatives add up to, and its positive logit: all that its loss and coefficients depend
/// on.
#[derive(Debug, Clone, Copy)]
struct RowSums {
    positive: f64,
    /// What was subtracted from the negative logits before `e` (softmax; otherwise 0).
    shift: f64,
    /// Sum of `e` over the negatives.
    mass: f64,
    /// Sum of the negatives' own losses (sigmoid and BPR).
    loss: f64,
    /// How many negatives.
    count: f64,
}

/// A query's loss, and its coefficients: the gradient of the loss is `positive` in the positive logit and
/// `negatives * e` in a negative one.
#[derive(Debug, Clone, Copy)]
struct RowResult {
    loss: f64,
    positive: f64,
    negatives: f64,
}

impl Objective {
    /// Returns the loss and the coefficients of a query, before its weight.
    fn row(self, sums: RowSums) -> RowResult {
        let RowSums { positive, shift, mass, loss, count } = sums;
        match self {
            Objective::Softmax => {
                let e = (positive - shift).exp();
                // Of the two forms of log(e + mass) - log(e), each is exact where the other rounds.
                let loss =
                    if positive >= shift { (mass / e).ln_1p() } else { (e + mass).ln() + shift - positive };
                RowResult { loss, positive: -mass / (e + mass), negatives: 1.0 / (e + mass) }
            }
            Objective::Sigmoid { beta } => {
                let beta = f64::from(beta);
                let share = 1.0 / (1.0 + count);
                let (sigmoid, softplus) = sigmoid_and_softplus(-positive);
                let loss = (beta * softplus + loss) * share;
                RowResult { loss, positive: -beta * sigmoid * share, negatives: share }
            }
            Objective::Bpr => {
                let share = if count == 0.0 { 0.0 } else { 1.0 / count };
                // NaN stays NaN, also beside no negative.
                RowResult { loss: loss * share + 0.0 * positive, positive: -mass * share, negatives: share }
            }
        }
    }
}

/// Returns `sigmoid(x)` and `log(1 + e^x)`.
fn sigmoid_and_softplus(x: f64) -> (f64, f64) {
    let e = (-x.abs()).exp();
    (if x < 0.0 { e } else { 1.0 } / (1.0 + e), x.max(0.0) + e.ln_1p())
}

/// Returns the numbers of the rows that take part, those whose weight is not 0, and the sum of their weights.
fn active_rows(n: usize, weights: Option<&[f32]>) -> (Vec<u32>, f64) {
    let n = u32::try_from(n).expect("fewer than 2^32 queries");
    match weights {
        None => ((0..n).collect(), f64::from(n)),
        Some(weights) => {
            assert_eq!(weights.len(), n as usize, "one weight a query");
            let rows = (0..n).filter(|&row| weights[row as usize] != 0.0).collect();
            (rows, weights.iter().map(|&w| f64::from(w)).sum())
        }
    }
}

/// Returns `id` as an index.
///
/// # Panics
///
/// If it is not below `n_candidates`.
fn candidate_index(id: i32, n_candidates: usize) -> usize {
    let index = usize::try_from(id).unwrap_or(usize::MAX);
    assert!(index < n_candidates, "a candidate is a row number below {n_candidates}, not {id}");
    index
}

/// Returns the inner product, summed in a fixed order.
#[inline(always)]
pub(super) fn dot<S: pulp::Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    let mut sums = [simd.splat_f32s(0.0); 4];
    for (a, b) in a.chunks(4).zip(b.chunks(4)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum = simd.mul_add_f32s(*a, *b, *sum);
        }
    }
    let [s0, s1, s2, s3] = sums;
    let sum = simd.add_f32s(simd.add_f32s(s0, s1), simd.add_f32s(s2, s3));
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    simd.reduce_sum_f32s(sum) + rest
}

/// Adds `scale * from` to `to`.
#[inline(always)]
pub(super) fn add_scaled<S: pulp::Simd>(simd: S, scale: f32, from: &[f32], to: &mut [f32]) {
    let ((from, from_rest), (to, to_rest)) = (S::as_simd_f32s(from), S::as_mut_simd_f32s(to));
    let scales = simd.splat_f32s(scale);
    for (to, from) in to.iter_mut().zip(from) {
        *to = simd.mul_add_f32s(scales, *from, *to);
    }
    for (to, from) in to_rest.iter_mut().zip(from_rest) {
        *to += scale * from;
    }
}
