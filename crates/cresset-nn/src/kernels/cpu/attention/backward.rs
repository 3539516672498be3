//! From the gradient of what each place gathers to that of queries, keys and values.

use pulp::{Simd, WithSimd};

use super::super::lanes::{LANES, fold};
use super::super::small_product::SmallProduct;
use super::{Block, Scratch, SelfAttention, Sequence};

/// Gradients of scores smaller than this are 0, so that no product of theirs is a denormal number.
const SMALLEST_GRADIENT: f32 = 1e-30;

/// One sequence on its way back; its part of the gradient is written.
pub(super) struct Backward<'a> {
    pub(super) sequence: Sequence<'a>,
    pub(super) grad_out: &'a [f32],
    pub(super) probabilities: &'a [f32],
    pub(super) grad_qkv: &'a mut [f32],
    pub(super) scratch: &'a mut Scratch,
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (d_head, stride) = (self.sequence.attention.d_head(), self.sequence.stride());
        // Keys and values receive from each block of queries.
        self.grad_qkv.fill(0.0);
        for head in 0..self.sequence.attention.n_heads {
            self.scratch.transpose(self.sequence.part(2, head), stride, d_head, 1.0);
            for block in self.sequence.blocks() {
                self.by_probability(simd, head, block);
                for row in 0..block.len {
                    self.by_score(head, block, row);
                }
                self.by_query_key_value(simd, head, block);
            }
        }
    }
}

impl Backward<'_> {
    /// Gradients of a block's probabilities after dropout, in the place of the scores.
    #[inline(always)]
    fn by_probability<S: Simd>(&mut self, simd: S, head: usize, block: Block) {
        let SelfAttention { d_model, .. } = *self.sequence.attention;
        let d_head = self.sequence.attention.d_head();
        let Scratch { transposed, scores, width, .. } = &mut *self.scratch;
        simd.vectorize(SmallProduct {
            a: (&self.grad_out[block.start * d_model + head * d_head..], d_model),
            a_transposed: false,
            b: (transposed, *width),
            c: (scores, *width),
            accumulate: false,
            shape: [block.len, d_head, block.n_keys.next_multiple_of(LANES)],
        });
    }

    /// Makes a row of gradients of probabilities one of gradients of inner products, and fills in the
    /// probabilities after dropout.
    #[inline(always)]
    fn by_score(&mut self, head: usize, block: Block, row: usize) {
        let (query, seq) = (block.start + row, self.sequence.attention.seq);
        let Scratch { scores, weights, probabilities, width, .. } = &mut *self.scratch;
        let len = block.n_keys.next_multiple_of(LANES);
        let grads = &mut scores[row * *width..][..len];
        let weights = &mut weights[row * *width..][..len];
        let probabilities = &mut probabilities[..len];
        let seen = self.sequence.seen(query);
        if seen == 0 {
            grads.fill(0.0);
            return weights.fill(0.0);
        }
        probabilities[..seen].copy_from_slice(&self.probabilities[(head * seq + query) * seq..][..seen]);
        probabilities[seen..].fill(0.0);
        weights.copy_from_slice(probabilities);
        if let Some(dropout) = self.sequence.attention.dropout {
            let first = self.sequence.index(head, query);
            for ((key, grad), weight) in (0u32..).zip(grads.iter_mut()).zip(weights.iter_mut()) {
                let factor = dropout.factor(first.wrapping_add(key));
                *grad *= factor;
                *weight *= factor;
            }
        }
        softmax_backward(grads, probabilities, self.sequence.scale());
    }

    #[inline(always)]
    fn by_query_key_value<S: Simd>(&mut self, simd: S, head: usize, block: Block) {
        let SelfAttention { d_model, .. } = *self.sequence.attention;
        let (d_head, stride) = (self.sequence.attention.d_head(), self.sequence.stride());
        let Scratch { scores, weights, width, .. } = &*self.scratch;
        let by_query = &mut self.grad_qkv[block.start * stride + head * d_head..];
        simd.vectorize(SmallProduct {
            a: (scores, *width),
            a_transposed: false,
            b: (self.sequence.part(1, head), stride),
            c: (by_query, stride),
            accumulate: false,
            shape: [block.len, block.n_keys, d_head],
        });
        let queries = &self.sequence.part(0, head)[block.start * stride..];
        let grad_out = &self.grad_out[block.start * d_model + head * d_head..];
        for (part, a, b) in [(1, scores, (queries, stride)), (2, weights, (grad_out, d_model))] {
            simd.vectorize(SmallProduct {
                a: (a, *width),
                a_transposed: true,
                b,
                c: (&mut self.grad_qkv[part * d_model + head * d_head..], stride),
                accumulate: true,
                shape: [block.n_keys, block.len, d_head],
            });
        }
    }
}

/// Replaces gradients of probabilities, a multiple of [`LANES`], by those of the inner products before
/// `scale`.
#[inline(always)]
fn softmax_backward(grads: &mut [f32], probabilities: &[f32], scale: f32) {
    let mut sums = [0.0; LANES];
    for (grads, probabilities) in grads.chunks_exact(LANES).zip(probabilities.chunks_exact(LANES)) {
        for ((grad, probability), sum) in grads.iter().zip(probabilities).zip(&mut sums) {
            *sum = grad.mul_add(*probability, *sum);
        }
    }
    let along = fold(sums, |a, b| a + b);
    for (grad, probability) in grads.iter_mut().zip(probabilities) {
        let by_score = (*grad - along) * (probability * scale);
        *grad = if by_score.abs() < SMALLEST_GRADIENT { 0.0 } else { by_score };
    }
}
