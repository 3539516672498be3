//! Self-attention of short sequences, by several heads.
//!
//! A task is one sequence. Its queries are taken in blocks, and everything that a block needs, the scores
//! before all, stays in the first-level cache; of the causal half that is not seen, only the corner of each
//! block is computed.

mod backward;
mod forward;
#[cfg(test)]
mod tests;

use pulp::Arch;
use rayon::prelude::*;

use self::backward::Backward;
use self::forward::Forward;
use super::lanes::LANES;
use crate::Dropout;

/// Elements of queries, keys and values below which a call stays on its thread.
const PARALLEL_ELEMENTS: usize = 16_384;

/// Queries whose scores are held at a time.
const BLOCK_QUERIES: usize = 16;

/// Who attends to whom: `softmax(q k / sqrt(d_head))`, with dropout, times `v`, for each head.
///
/// Probability `(batch, head, query, key)` has the dropout index
/// `((batch * n_heads + head) * seq + query) * seq + key`.
///
/// # Source
///
/// Vaswani et al., 2017, section 3.2, <https://arxiv.org/abs/1706.03762>.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SelfAttention<'a> {
    /// Places of a sequence.
    pub(crate) seq: usize,
    /// Width of the queries of all heads together.
    pub(crate) d_model: usize,
    /// Heads, which divide `d_model`.
    pub(crate) n_heads: usize,
    /// Whether a place sees itself and what came before, or everything.
    pub(crate) causal: bool,
    /// True where there is padding, `[batch, seq]`: it is not seen, and its own output is zero.
    pub(crate) mask_pad: Option<&'a [bool]>,
    /// Applied to the probabilities.
    pub(crate) dropout: Option<Dropout>,
}

/// Writes what each place gathers to `out`, and to `probabilities` how much from where, before dropout.
///
/// A probability below 4e-18 of the largest of its row is 0.
///
/// # Shapes
///
/// - qkv: `[batch, seq, 3 * d_model]`, a row holds query, key and value
/// - out: `[batch, seq, d_model]`
/// - probabilities: `[batch, heads, seq, seq]`
///
/// # Panics
///
/// If a length does not fit, or the heads do not divide the width.
pub(crate) fn forward(
    qkv: &[f32],
    attention: &SelfAttention<'_>,
    out: &mut [f32],
    probabilities: &mut [f32],
) {
    let Some(batch) = attention.batch(qkv.len()) else { return };
    let [out_len, square] = [attention.seq * attention.d_model, attention.n_heads * attention.seq.pow(2)];
    assert_eq!(out.len(), batch * out_len, "one output row for each place");
    assert_eq!(probabilities.len(), batch * square, "one probability for each head, query and key");
    let task = |scratch: &mut Scratch, (number, (out, probabilities)): (usize, (&mut [f32], &mut [f32]))| {
        let sequence = Sequence::new(attention, number, qkv);
        Arch::new().dispatch(Forward { sequence, out, probabilities, scratch });
    };
    let scratch = || Scratch::new(attention);
    if qkv.len() <= PARALLEL_ELEMENTS {
        let mut scratch = scratch();
        let parts = out.chunks_mut(out_len).zip(probabilities.chunks_mut(square));
        parts.enumerate().for_each(|part| task(&mut scratch, part));
    } else {
        let parts = out.par_chunks_mut(out_len).zip(probabilities.par_chunks_mut(square));
        parts.enumerate().for_each_init(scratch, task);
    }
}

/// Writes the gradient of `qkv` to `grad_qkv`, given the probabilities that [`forward`] wrote.
///
/// # Shapes
///
/// - `grad_out`: `[batch, seq, d_model]`
/// - qkv, `grad_qkv`: `[batch, seq, 3 * d_model]`
/// - probabilities: `[batch, heads, seq, seq]`
///
/// # Panics
///
/// If a length does not fit, or the heads do not divide the width.
pub(crate) fn backward(
    grad_out: &[f32],
    qkv: &[f32],
    probabilities: &[f32],
    attention: &SelfAttention<'_>,
    grad_qkv: &mut [f32],
) {
    let Some(batch) = attention.batch(qkv.len()) else { return };
    let [out_len, square] = [attention.seq * attention.d_model, attention.n_heads * attention.seq.pow(2)];
    assert_eq!(grad_out.len(), batch * out_len, "one output row for each place");
    assert_eq!(probabilities.len(), batch * square, "one probability for each head, query and key");
    assert_eq!(grad_qkv.len(), qkv.len(), "the gradient has the shape of queries, keys and values");
    let task = |scratch: &mut Scratch, (number, grad_qkv): (usize, &mut [f32])| {
        let sequence = Sequence::new(attention, number, qkv);
        let grad_out = &grad_out[number * out_len..][..out_len];
        let probabilities = &probabilities[number * square..][..square];
        Arch::new().dispatch(Backward { sequence, grad_out, probabilities, grad_qkv, scratch });
    };
    let scratch = || Scratch::new(attention);
    if qkv.len() <= PARALLEL_ELEMENTS {
        let mut scratch = scratch();
        grad_qkv.chunks_mut(3 * out_len).enumerate().for_each(|part| task(&mut scratch, part));
    } else {
        grad_qkv.par_chunks_mut(3 * out_len).enumerate().for_each_init(scratch, task);
    }
}

impl SelfAttention<'_> {
    /// The number of sequences; `None` where there is nothing to compute.
    fn batch(&self, qkv_len: usize) -> Option<usize> {
        let Self { seq, d_model, n_heads, .. } = *self;
        assert!(
            n_heads > 0 && d_model.is_multiple_of(n_heads),
            "{n_heads} heads divide a width of {d_model}"
        );
        let sequence = 3 * seq * d_model;
        let batch = qkv_len.checked_div(sequence)?;
        assert_eq!(batch * sequence, qkv_len, "whole sequences of {seq} places of width 3 * {d_model}");
        let padded = self.mask_pad.map_or(batch * seq, <[bool]>::len);
        assert_eq!(padded, batch * seq, "one mark of padding for each place");
        (batch > 0).then_some(batch)
    }

    fn d_head(&self) -> usize {
        self.d_model / self.n_heads
    }
}

/// What one thread works in; rows of scores are `width` apart.
struct Scratch {
    /// The length of a sequence, padded.
    width: usize,
    /// Keys or values of one head: `[d_head, width]`.
    transposed: Vec<f32>,
    /// Zero for keys that may be seen, minus infinity for padding, `[width]`.
    key_bias: Vec<f32>,
    /// Scores and probabilities, or gradients of them, `[BLOCK_QUERIES, width]`.
    scores: Vec<f32>,
    /// Probabilities after dropout, on the way back, `[BLOCK_QUERIES, width]`.
    weights: Vec<f32>,
    /// Probabilities of one query, on the way back, `[width]`.
    probabilities: Vec<f32>,
}

impl Scratch {
    fn new(attention: &SelfAttention<'_>) -> Self {
        let width = attention.seq.next_multiple_of(LANES);
        Self {
            width,
            transposed: vec![0.0; attention.d_head() * width],
            key_bias: vec![0.0; width],
            scores: vec![0.0; BLOCK_QUERIES * width],
            weights: vec![0.0; BLOCK_QUERIES * width],
            probabilities: vec![0.0; width],
        }
    }

    fn mark_padding(&mut self, mask_pad: Option<&[bool]>) {
        for (bias, &padding) in self.key_bias.iter_mut().zip(mask_pad.unwrap_or_default()) {
            *bias = if padding { f32::NEG_INFINITY } else { 0.0 };
        }
    }

    /// Rows of one head, `stride` apart, become columns; what is beyond the sequence stays zero.
    #[inline(always)]
    fn transpose(&mut self, rows: &[f32], stride: usize, d_head: usize, scale: f32) {
        for (place, row) in rows.chunks(stride).enumerate() {
            for (column, &x) in self.transposed[place..].iter_mut().step_by(self.width).zip(&row[..d_head]) {
                *column = x * scale;
            }
        }
    }
}

/// One sequence of the batch.
#[derive(Clone, Copy)]
struct Sequence<'a> {
    attention: &'a SelfAttention<'a>,
    number: usize,
    qkv: &'a [f32],
    mask_pad: Option<&'a [bool]>,
}

/// Some neighbouring queries, and the keys before `n_keys` that they see among them.
#[derive(Clone, Copy)]
struct Block {
    start: usize,
    len: usize,
    n_keys: usize,
}

impl<'a> Sequence<'a> {
    fn new(attention: &'a SelfAttention<'a>, number: usize, qkv: &'a [f32]) -> Self {
        let SelfAttention { seq, d_model, mask_pad, .. } = *attention;
        let len = 3 * seq * d_model;
        Self {
            attention,
            number,
            qkv: &qkv[number * len..][..len],
            mask_pad: mask_pad.map(|mask| &mask[number * seq..][..seq]),
        }
    }

    /// Queries (0), keys (1) or values (2) of a head, from their first element on; rows are `3 * d_model`
    /// apart.
    #[inline(always)]
    fn part(&self, part: usize, head: usize) -> &'a [f32] {
        &self.qkv[part * self.attention.d_model + head * self.attention.d_head()..]
    }

    #[inline(always)]
    fn stride(&self) -> usize {
        3 * self.attention.d_model
    }

    fn scale(&self) -> f32 {
        1.0 / (self.attention.d_head() as f32).sqrt()
    }

    fn blocks(&self) -> impl Iterator<Item = Block> + use<> {
        let SelfAttention { seq, causal, .. } = *self.attention;
        (0..seq).step_by(BLOCK_QUERIES).map(move |start| {
            let len = BLOCK_QUERIES.min(seq - start);
            Block { start, len, n_keys: if causal { start + len } else { seq } }
        })
    }

    /// How many keys, from the first, a query may see; 0 for padding.
    #[inline(always)]
    fn seen(&self, query: usize) -> usize {
        let SelfAttention { seq, causal, .. } = *self.attention;
        match self.mask_pad {
            Some(mask) if mask[query] => 0,
            _ if causal => query + 1,
            _ => seq,
        }
    }

    /// The dropout index of the first key of a query.
    #[inline(always)]
    fn index(&self, head: usize, query: usize) -> u32 {
        let SelfAttention { seq, n_heads, .. } = *self.attention;
        (((self.number * n_heads + head) * seq + query) * seq) as u32
    }
}
