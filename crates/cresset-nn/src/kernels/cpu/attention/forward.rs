//! From queries, keys and values to what each place gathers.

use pulp::{Simd, WithSimd};

use super::super::exp::exp_of_negative;
use super::super::lanes::{LANES, fold};
use super::super::small_product::SmallProduct;
use super::{Block, Scratch, SelfAttention, Sequence};

/// One sequence on its way forward; its part of the output and of the probabilities is written.
pub(super) struct Forward<'a> {
    pub(super) sequence: Sequence<'a>,
    pub(super) out: &'a mut [f32],
    pub(super) probabilities: &'a mut [f32],
    pub(super) scratch: &'a mut Scratch,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.scratch.mark_padding(self.sequence.mask_pad);
        let (d_head, stride) = (self.sequence.attention.d_head(), self.sequence.stride());
        for head in 0..self.sequence.attention.n_heads {
            self.scratch.transpose(self.sequence.part(1, head), stride, d_head, self.sequence.scale());
            for block in self.sequence.blocks() {
                self.scores(simd, head, block);
                for row in 0..block.len {
                    self.probabilities(head, block, row);
                }
                self.output(simd, head, block);
            }
        }
    }
}

impl Forward<'_> {
    #[inline(always)]
    fn scores<S: Simd>(&mut self, simd: S, head: usize, block: Block) {
        let (d_head, stride) = (self.sequence.attention.d_head(), self.sequence.stride());
        let Scratch { transposed, scores, width, .. } = &mut *self.scratch;
        simd.vectorize(SmallProduct {
            a: (&self.sequence.part(0, head)[block.start * stride..], stride),
            a_transposed: false,
            b: (transposed, *width),
            c: (scores, *width),
            accumulate: false,
            shape: [block.len, d_head, block.n_keys.next_multiple_of(LANES)],
        });
    }

    /// Makes a row of scores one of probabilities, notes it, and leaves it after dropout.
    #[inline(always)]
    fn probabilities(&mut self, head: usize, block: Block, row: usize) {
        let (query, seq) = (block.start + row, self.sequence.attention.seq);
        let kept = &mut self.probabilities[(head * seq + query) * seq..][..seq];
        let Scratch { scores, key_bias, width, .. } = &mut *self.scratch;
        let scores = &mut scores[row * *width..][..block.n_keys.next_multiple_of(LANES)];
        let seen = self.sequence.seen(query);
        if seen == 0 {
            kept.fill(0.0);
            return scores.fill(0.0);
        }
        scores[seen..].fill(f32::NEG_INFINITY);
        softmax(scores, key_bias);
        kept[..seen].copy_from_slice(&scores[..seen]);
        kept[seen..].fill(0.0);
        if let Some(dropout) = self.sequence.attention.dropout {
            let first = self.sequence.index(head, query);
            for (key, score) in (0u32..).zip(scores) {
                *score *= dropout.factor(first.wrapping_add(key));
            }
        }
    }

    #[inline(always)]
    fn output<S: Simd>(&mut self, simd: S, head: usize, block: Block) {
        let SelfAttention { d_model, .. } = *self.sequence.attention;
        let d_head = self.sequence.attention.d_head();
        simd.vectorize(SmallProduct {
            a: (&self.scratch.scores, self.scratch.width),
            a_transposed: false,
            b: (self.sequence.part(2, head), self.sequence.stride()),
            c: (&mut self.out[block.start * d_model + head * d_head..], d_model),
            accumulate: false,
            shape: [block.len, block.n_keys, d_head],
        });
    }
}

/// Replaces scores, a multiple of [`LANES`], by their softmax after the bias is added.
#[inline(always)]
fn softmax(scores: &mut [f32], bias: &[f32]) {
    let mut largest = [f32::NEG_INFINITY; LANES];
    for (scores, bias) in scores.chunks_exact_mut(LANES).zip(bias.chunks_exact(LANES)) {
        for ((score, bias), largest) in scores.iter_mut().zip(bias).zip(&mut largest) {
            *score += bias;
            *largest = if *score > *largest { *score } else { *largest };
        }
    }
    let largest = fold(largest, |a, b| if a > b { a } else { b });
    let mut sums = [0.0; LANES];
    for scores in scores.chunks_exact_mut(LANES) {
        for (score, sum) in scores.iter_mut().zip(&mut sums) {
            *score = exp_of_negative(*score - largest);
            *sum += *score;
        }
    }
    let share = 1.0 / fold(sums, |a, b| a + b);
    scores.iter_mut().for_each(|score| *score *= share);
}
