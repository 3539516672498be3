//! Every backend of CubeCL: CUDA, ROCm, Metal, Vulkan and WebGPU from one source.
//!
//! The kernels keep to what WebGPU has: 32-bit numbers, no plane operations, no atomic additions, and at most eight
//! buffers. Every sum is taken in an order that is a function of the shapes alone. Tensors that are not f32 take the
//! default bodies.

mod attention;
mod candidates;
mod device;
mod epilogue;
mod fusion;
mod host;
mod layer_norm;
mod sum_rows;
#[cfg(all(test, any(feature = "wgpu", feature = "vulkan", feature = "metal")))]
mod tests;
mod top_k;
mod update;

use burn::tensor::{Int, Tensor};
use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, FloatElement, IntElement};

use crate::RecommenderBackend;
use crate::kernels::spec::{
    Attention, CandidateGradients, CandidateLoss, CsrMatrix, Epilogue, Normalized, Objective, RowState,
    RowStep,
};

impl<R, F, I, BT> RecommenderBackend for CubeBackend<R, F, I, BT>
where
    R: CubeRuntime,
    F: FloatElement,
    I: IntElement,
    BT: BoolElement,
{
    fn sum_rows(rows: Tensor<Self, 2>, matrix: &CsrMatrix<Self>) -> Tensor<Self, 2> {
        sum_rows::sum_rows(rows, matrix)
    }

    fn update_rows(
        state: RowState<Self>,
        ids: Option<Tensor<Self, 1, Int>>,
        grads: Tensor<Self, 2>,
        step: RowStep<Self>,
    ) -> RowState<Self> {
        update::update_rows(state, ids, grads, step)
    }

    fn candidate_loss(inputs: CandidateLoss<Self>, objective: Objective) -> Tensor<Self, 1> {
        candidates::candidate_loss(&inputs, objective)
    }

    fn candidate_loss_forward(
        inputs: CandidateLoss<Self>,
        objective: Objective,
    ) -> (Tensor<Self, 1>, CandidateGradients<Self>) {
        candidates::candidate_loss_forward(&inputs, objective)
    }

    fn epilogue(x: Tensor<Self, 2>, epilogue: Epilogue<Self>) -> Tensor<Self, 2> {
        epilogue::epilogue(x, epilogue)
    }

    fn epilogue_backward(
        grad: Tensor<Self, 2>,
        x: Option<Tensor<Self, 2>>,
        epilogue: Epilogue<Self>,
    ) -> (Tensor<Self, 2>, Option<Tensor<Self, 1>>) {
        epilogue::epilogue_backward(grad, x, epilogue)
    }

    fn fused_layer_norm_forward(
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        beta: Tensor<Self, 1>,
        epsilon: f32,
    ) -> Normalized<Self> {
        layer_norm::layer_norm_forward(x, gamma, beta, epsilon)
    }

    fn fused_layer_norm_backward(
        grad: Tensor<Self, 2>,
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        normalized: Normalized<Self>,
    ) -> (Tensor<Self, 2>, Tensor<Self, 1>, Tensor<Self, 1>) {
        layer_norm::layer_norm_backward(grad, x, gamma, normalized)
    }

    fn fused_attention_forward(
        qkv: Tensor<Self, 3>,
        attention: Attention<Self>,
    ) -> (Tensor<Self, 3>, Tensor<Self, 4>) {
        attention::attention_forward(qkv, attention)
    }

    fn fused_attention_backward(
        grad: Tensor<Self, 3>,
        qkv: Tensor<Self, 3>,
        probabilities: Tensor<Self, 4>,
        attention: Attention<Self>,
    ) -> Tensor<Self, 3> {
        attention::attention_backward(grad, qkv, probabilities, attention)
    }

    fn top_k(
        queries: Tensor<Self, 2>,
        items: Tensor<Self, 2>,
        bias: Option<Tensor<Self, 1>>,
        seen: Option<&[Vec<u32>]>,
        k: usize,
    ) -> (Tensor<Self, 2>, Tensor<Self, 2, Int>) {
        top_k::top_k(queries, items, bias, seen, k)
    }
}
