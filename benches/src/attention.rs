//! One attention block of a sequence model, forward and backward.

use burn::tensor::Tensor;
use cresset::nn::{AutodiffRecommender, LayerNorm, MultiHeadSelfAttention, StepKey, scalar};

use crate::inputs::normal;
use crate::{Case, Work};

const BATCH: usize = 128;
const LENGTH: usize = 50;
const WIDTH: usize = 64;
const N_HEADS: usize = 2;
const DROPOUT: f64 = 0.2;

pub(crate) fn cases<B: AutodiffRecommender>() -> Vec<Case<B>> {
    vec![Case::new(format!("{BATCH}x{LENGTH}x{WIDTH}"), BATCH * LENGTH, start::<B>)]
}

fn start<B: AutodiffRecommender>(device: &B::Device) -> Work {
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
        let out = attention.forward(normed, None, key, Some(residual)).reshape([BATCH * LENGTH, WIDTH]);
        let mut grads = (out * upstream.clone()).sum().backward();
        let by_x = x.grad_remove(&mut grads).expect("the output depends on it");
        assert!(scalar(by_x.slice([0..1, 0..1]).reshape([1])).is_finite());
    })
}
