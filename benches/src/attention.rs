//! Attention of a sequence model, forward and backward: the heads alone, and a whole block.

use burn::tensor::Tensor;
use cresset::nn::{
    Attention, AutodiffRecommender, Dropout, LayerNorm, MultiHeadSelfAttention, StepKey, scalar,
};

use crate::inputs::normal;
use crate::{Case, Work};

const BATCH: usize = 128;
const LENGTH: usize = 50;
const WIDTH: usize = 64;
const N_HEADS: usize = 2;
const DROPOUT: f64 = 0.2;

pub(crate) fn cases<B: AutodiffRecommender>() -> Vec<Case<B>> {
    let core = format!("core {BATCH}x{N_HEADS}x{LENGTH}x{}", WIDTH / N_HEADS);
    let with_dropout = format!("{core}, dropout");
    vec![
        Case::new(core, BATCH * LENGTH, |device: &B::Device| start_core::<B>(0.0, device)),
        Case::new(with_dropout, BATCH * LENGTH, |device: &B::Device| start_core::<B>(DROPOUT, device)),
        Case::new(format!("block {BATCH}x{LENGTH}x{WIDTH}"), BATCH * LENGTH, start_block::<B>),
    ]
}

/// Heads alone, with the gradients of query, key and value.
fn start_core<B: AutodiffRecommender>(p: f64, device: &B::Device) -> Work {
    let qkv = normal::<B>([BATCH * LENGTH, 3 * WIDTH], 1.0, "qkv", device);
    let upstream = normal::<B>([BATCH * LENGTH, WIDTH], 1.0, "upstream", device);
    let mut step = 0;
    Box::new(move || {
        let qkv = qkv.clone().detach().require_grad();
        let dropout = (p > 0.0).then(|| Dropout::new(p, 42, step, "core").expect("a probability"));
        step += 1;
        let heads = Attention { n_heads: N_HEADS, causal: true, mask_pad: None, dropout };
        let rows = qkv.clone().reshape([BATCH, LENGTH, 3 * WIDTH]);
        let out = B::fused_attention(rows, heads);
        backward(out.reshape([BATCH * LENGTH, WIDTH]), &upstream, &qkv);
    })
}

/// Norm, projections, heads, dropout and residual.
fn start_block<B: AutodiffRecommender>(device: &B::Device) -> Work {
    let attention = MultiHeadSelfAttention::<B>::new("attention", WIDTH, N_HEADS, 42, device)
        .and_then(|attention| attention.with_dropout(DROPOUT))
        .expect("valid numbers")
        .causal();
    let norm = LayerNorm::<B>::new(WIDTH, device);
    let x = normal::<B>([BATCH * LENGTH, WIDTH], 1.0, "x", device);
    let upstream = normal::<B>([BATCH * LENGTH, WIDTH], 1.0, "upstream", device);
    let mut step = 0;
    Box::new(move || {
        let x = x.clone().detach().require_grad();
        let key = Some(StepKey { seed: 42, step });
        step += 1;
        let normed = norm.forward(x.clone()).reshape([BATCH, LENGTH, WIDTH]);
        let residual: Tensor<B, 3> = x.clone().reshape([BATCH, LENGTH, WIDTH]);
        let out = attention.forward(normed, None, key, Some(residual));
        backward(out.reshape([BATCH * LENGTH, WIDTH]), &upstream, &x);
    })
}

/// The gradient by `x`; reading one value of it waits for the device.
fn backward<B: AutodiffRecommender>(out: Tensor<B, 2>, upstream: &Tensor<B, 2>, x: &Tensor<B, 2>) {
    let mut grads = (out * upstream.clone()).sum().backward();
    let by_x = x.grad_remove(&mut grads).expect("the output depends on it");
    assert!(scalar(by_x.slice([0..1, 0..1]).reshape([1])).is_finite());
}
