//! Self-attention by batched products.

use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Int, Tensor};

use super::epilogue::dropped;
use crate::kernels::spec::Attention;

/// Below every score of a key that is not seen.
const NOT_SEEN: f32 = -1e30;

pub(crate) fn attention_forward<B: Backend>(
    qkv: Tensor<B, 3>,
    attention: Attention<B>,
) -> (Tensor<B, 3>, Tensor<B, 4>) {
    let [batch, seq, width] = qkv.dims();
    if batch * seq * width == 0 {
        let device = qkv.device();
        let probabilities = Tensor::zeros([batch, attention.n_heads, seq, seq], &device);
        return (Tensor::zeros([batch, seq, width / 3], &device), probabilities);
    }
    let [query, key, value] = heads(qkv, attention.n_heads);
    let d_head = query.dims()[3];
    let scores = query.matmul(key.transpose()) / (d_head as f32).sqrt();
    let seen = seen(&attention, scores.dims(), &scores.device());
    let scores = match &seen {
        None => scores,
        Some(seen) => scores.mask_fill(seen.clone().bool_not(), NOT_SEEN),
    };
    let weights = (scores.clone() - scores.max_dim(3)).exp();
    let probabilities = weights.clone() / weights.sum_dim(3);
    let probabilities = match seen {
        None => probabilities,
        // Also the rows of padding, which see nothing: their softmax of equal scores is not zero.
        Some(seen) => probabilities.mask_fill(seen.bool_not(), 0.0),
    };
    let output = dropped(probabilities.clone(), attention.dropout).matmul(value);
    (joined(output), probabilities)
}

pub(crate) fn attention_backward<B: Backend>(
    grad: Tensor<B, 3>,
    qkv: Tensor<B, 3>,
    probabilities: Tensor<B, 4>,
    attention: Attention<B>,
) -> Tensor<B, 3> {
    let [query, key, value] = heads(qkv, attention.n_heads);
    let root = (query.dims()[3] as f32).sqrt();
    let grad = split(grad, attention.n_heads);
    let by_value = dropped(probabilities.clone(), attention.dropout).transpose().matmul(grad.clone());
    let by_probability = dropped(grad.matmul(value.transpose()), attention.dropout);
    let along = (by_probability.clone() * probabilities.clone()).sum_dim(3);
    let by_score = (by_probability - along) * probabilities / root;
    let by_query = by_score.clone().matmul(key);
    let by_key = by_score.transpose().matmul(query);
    Tensor::cat([by_query, by_key, by_value].map(joined).to_vec(), 2)
}

/// Query, key and value, each `[batch, heads, seq, d_head]`.
fn heads<B: Backend>(qkv: Tensor<B, 3>, n_heads: usize) -> [Tensor<B, 4>; 3] {
    let d_model = qkv.dims()[2] / 3;
    [0, 1, 2].map(|part| split(qkv.clone().narrow(2, part * d_model, d_model), n_heads))
}

fn split<B: Backend>(x: Tensor<B, 3>, n_heads: usize) -> Tensor<B, 4> {
    let [batch, seq, d_model] = x.dims();
    x.reshape([batch, seq, n_heads, d_model / n_heads]).swap_dims(1, 2)
}

fn joined<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 3> {
    let [batch, heads, seq, d_head] = x.dims();
    x.swap_dims(1, 2).reshape([batch, seq, heads * d_head])
}

/// Whether a query sees a key, `[batch, heads, seq, seq]`; `None` where each sees all.
fn seen<B: Backend>(
    attention: &Attention<B>,
    [batch, heads, seq, _]: [usize; 4],
    device: &B::Device,
) -> Option<Tensor<B, 4, Bool>> {
    let shape = [batch, heads, seq, seq];
    let causal = attention.causal.then(|| {
        let places = Tensor::<B, 1, Int>::arange(0..seq as i64, device);
        let query: Tensor<B, 2, Int> = places.clone().unsqueeze_dim(1);
        let earlier = query.expand([seq, seq]).greater_equal(places.unsqueeze_dim::<2>(0).expand([seq, seq]));
        earlier.unsqueeze::<4>().expand(shape)
    });
    let there = attention.mask_pad.clone().map(|mask| {
        let there = mask.bool_not();
        let key: Tensor<B, 4, Bool> = there.clone().reshape([batch, 1, 1, seq]).expand(shape);
        key.bool_and(there.reshape([batch, 1, seq, 1]).expand(shape))
    });
    match (causal, there) {
        (Some(causal), Some(there)) => Some(causal.bool_and(there)),
        (causal, there) => causal.or(there),
    }
}
