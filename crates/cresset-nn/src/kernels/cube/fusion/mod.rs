//! CubeCL backends under Burn's fusion: one custom operation for each kernel, whose body is that of the backend
//! beneath. Operations without a kernel keep the default bodies, which fuse.

mod operation;

use std::sync::Arc;

use burn::tensor::{DType, Element, Int, Shape, Tensor};
use burn_fusion::{Fusion, FusionBackend};

use self::operation::{Found, Inputs, Taken, register};
use super::host::is_f32;
use crate::kernels::plain;
use crate::kernels::spec::{
    AccidentalHits, Against, Attention, CandidateGradients, CandidateLoss, CsrMatrix, Epilogue, Normalized,
    Objective, RowState, RowStep,
};
use crate::{Activation, Dropout, RecommenderBackend};

impl<B: FusionBackend + RecommenderBackend> RecommenderBackend for Fusion<B> {
    fn sum_rows(rows: Tensor<Self, 2>, matrix: &CsrMatrix<Self>) -> Tensor<Self, 2> {
        if !is_f32(&rows) || matrix.offsets.is_none() {
            return plain::sum_rows(rows, matrix);
        }
        let (n_rows, dim) = (matrix.n_rows, rows.dims()[1]);
        let inputs = Inputs::new()
            .float(rows)
            .optional_int(matrix.offsets.clone())
            .int(matrix.columns.clone())
            .optional_float(matrix.values.clone())
            .optional_int(matrix.entry_rows.clone());
        register::<B, _>("cresset::sum_rows", inputs, floats([[n_rows, dim]]), move |taken| {
            let rows = taken.float();
            let matrix = CsrMatrix {
                offsets: taken.optional_int(),
                columns: taken.int(),
                values: taken.optional_float(),
                entry_rows: taken.optional_int(),
                n_rows,
            };
            vec![B::sum_rows(rows, &matrix).into()]
        })
        .float()
    }

    fn update_rows(
        state: RowState<Self>,
        ids: Option<Tensor<Self, 1, Int>>,
        grads: Tensor<Self, 2>,
        step: RowStep<Self>,
    ) -> RowState<Self> {
        let RowStep { rule, scale, rounding } = step;
        let n_moments = state.moments.len();
        let tables = std::iter::once(&state.value).chain(&state.moments);
        let outputs = tables.map(|table| (table.shape(), table.dtype())).collect();
        let inputs = Inputs::new().float(state.value);
        let inputs = state.moments.into_iter().fold(inputs, Inputs::float);
        let inputs = inputs.optional_int(ids).float(grads).float(scale);
        let mut outputs = register::<B, _>("cresset::update_rows", inputs, outputs, move |taken| {
            let value = taken.float();
            let state = RowState { value, moments: (0..n_moments).map(|_| taken.float()).collect() };
            let (ids, grads) = (taken.optional_int(), taken.float());
            let after = B::update_rows(state, ids, grads, RowStep { rule, scale: taken.float(), rounding });
            std::iter::once(after.value).chain(after.moments).map(Found::from).collect()
        });
        RowState { value: outputs.float(), moments: (0..n_moments).map(|_| outputs.float()).collect() }
    }

    fn candidate_loss(inputs: CandidateLoss<Self>, objective: Objective) -> Tensor<Self, 1> {
        // Here and not in the queue's thread.
        inputs.check();
        if !is_served(&inputs) {
            return plain::candidate_loss(&inputs, objective);
        }
        let (inputs, rest) = give_candidates(inputs);
        register::<B, _>("cresset::candidate_loss", inputs, floats([[1]]), move |taken| {
            vec![B::candidate_loss(take_candidates(taken, rest), objective).into()]
        })
        .float()
    }

    fn candidate_loss_forward(
        inputs: CandidateLoss<Self>,
        objective: Objective,
    ) -> (Tensor<Self, 1>, CandidateGradients<Self>) {
        inputs.check();
        if !is_served(&inputs) {
            return plain::candidate_loss_forward(&inputs, objective);
        }
        let mut shapes = vec![Shape::new([1]), inputs.queries.shape(), inputs.candidates.shape()];
        let has_own = matches!(inputs.against, Against::OwnPositive { .. });
        shapes.extend(has_own.then(|| inputs.queries.shape()));
        let (inputs, rest) = give_candidates(inputs);
        let mut outputs =
            register::<B, _>("cresset::candidate_loss_forward", inputs, floats(shapes), move |taken| {
                let (loss, gradients) = B::candidate_loss_forward(take_candidates(taken, rest), objective);
                let CandidateGradients { queries, candidates, positives } = gradients;
                let found = [
                    Some(loss.into()),
                    Some(queries.into()),
                    Some(candidates.into()),
                    positives.map(Found::from),
                ];
                found.into_iter().flatten().collect()
            });
        let loss = outputs.float();
        let gradients = CandidateGradients {
            queries: outputs.float(),
            candidates: outputs.float(),
            positives: has_own.then(|| outputs.float()),
        };
        (loss, gradients)
    }

    fn epilogue(x: Tensor<Self, 2>, epilogue: Epilogue<Self>) -> Tensor<Self, 2> {
        if !is_f32(&x) {
            return plain::epilogue(x, epilogue);
        }
        let shape = x.shape();
        let (inputs, rest) = give_epilogue(Inputs::new().float(x), epilogue);
        register::<B, _>("cresset::epilogue", inputs, floats([shape]), move |taken| {
            let x = taken.float();
            vec![B::epilogue(x, take_epilogue(taken, rest)).into()]
        })
        .float()
    }

    fn epilogue_backward(
        grad: Tensor<Self, 2>,
        x: Option<Tensor<Self, 2>>,
        epilogue: Epilogue<Self>,
    ) -> (Tensor<Self, 2>, Option<Tensor<Self, 1>>) {
        let is_linear = epilogue.activation == Activation::None && epilogue.dropout.is_none();
        // The sum over no rows at all is one that the backend beneath cannot take.
        if !is_f32(&grad) || (is_linear && grad.dims()[0] > 0) {
            return plain::epilogue_backward(grad, x, epilogue);
        }
        let has_bias = epilogue.bias.is_some();
        let mut shapes = vec![grad.shape()];
        shapes.extend(has_bias.then(|| Shape::new([grad.dims()[1]])));
        let (inputs, rest) = give_epilogue(Inputs::new().float(grad).optional_float(x), epilogue);
        let mut outputs =
            register::<B, _>("cresset::epilogue_backward", inputs, floats(shapes), move |taken| {
                let (grad, x) = (taken.float(), taken.optional_float());
                let (by_x, by_bias) = B::epilogue_backward(grad, x, take_epilogue(taken, rest));
                std::iter::once(by_x.into()).chain(by_bias.map(Found::from)).collect()
            });
        (outputs.float(), has_bias.then(|| outputs.float()))
    }

    fn fused_layer_norm_forward(
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        beta: Tensor<Self, 1>,
        epsilon: f32,
    ) -> Normalized<Self> {
        if !is_f32(&x) {
            return plain::layer_norm_forward(x, gamma, beta, epsilon);
        }
        let rows = Shape::new([x.dims()[0]]);
        let shapes = [x.shape(), rows.clone(), rows];
        let inputs = Inputs::new().float(x).float(gamma).float(beta);
        let mut outputs =
            register::<B, _>("cresset::layer_norm_forward", inputs, floats(shapes), move |taken| {
                let found = B::fused_layer_norm_forward(taken.float(), taken.float(), taken.float(), epsilon);
                vec![found.output.into(), found.mean.into(), found.inverse_deviation.into()]
            });
        Normalized { output: outputs.float(), mean: outputs.float(), inverse_deviation: outputs.float() }
    }

    fn fused_layer_norm_backward(
        grad: Tensor<Self, 2>,
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        normalized: Normalized<Self>,
    ) -> (Tensor<Self, 2>, Tensor<Self, 1>, Tensor<Self, 1>) {
        if !is_f32(&x) {
            return plain::layer_norm_backward(grad, x, gamma, normalized);
        }
        let shapes = [x.shape(), gamma.shape(), gamma.shape()];
        let Normalized { output, mean, inverse_deviation } = normalized;
        let inputs = Inputs::new().float(grad).float(x).float(gamma);
        let inputs = inputs.float(output).float(mean).float(inverse_deviation);
        let mut outputs =
            register::<B, _>("cresset::layer_norm_backward", inputs, floats(shapes), move |taken| {
                let (grad, x, gamma) = (taken.float(), taken.float(), taken.float());
                let normalized = Normalized {
                    output: taken.float(),
                    mean: taken.float(),
                    inverse_deviation: taken.float(),
                };
                let (by_x, by_gamma, by_beta) = B::fused_layer_norm_backward(grad, x, gamma, normalized);
                vec![by_x.into(), by_gamma.into(), by_beta.into()]
            });
        (outputs.float(), outputs.float(), outputs.float())
    }

    fn fused_attention_forward(
        qkv: Tensor<Self, 3>,
        attention: Attention<Self>,
    ) -> (Tensor<Self, 3>, Tensor<Self, 4>) {
        if !is_f32(&qkv) {
            return plain::attention_forward(qkv, attention);
        }
        let [batch, seq, width] = qkv.dims();
        let Attention { n_heads, causal, mask_pad, dropout } = attention;
        let shapes = [Shape::new([batch, seq, width / 3]), Shape::new([batch, n_heads, seq, seq])];
        let inputs = Inputs::new().float(qkv).optional_bool(mask_pad);
        let mut outputs =
            register::<B, _>("cresset::attention_forward", inputs, floats(shapes), move |taken| {
                let qkv = taken.float();
                let attention = Attention { n_heads, causal, mask_pad: taken.optional_bool(), dropout };
                let (output, probabilities) = B::fused_attention_forward(qkv, attention);
                vec![output.into(), probabilities.into()]
            });
        (outputs.float(), outputs.float())
    }

    fn fused_attention_backward(
        grad: Tensor<Self, 3>,
        qkv: Tensor<Self, 3>,
        probabilities: Tensor<Self, 4>,
        attention: Attention<Self>,
    ) -> Tensor<Self, 3> {
        if !is_f32(&qkv) {
            return plain::attention_backward(grad, qkv, probabilities, attention);
        }
        let Attention { n_heads, causal, mask_pad, dropout } = attention;
        let outputs = floats([qkv.shape()]);
        let inputs = Inputs::new().float(grad).float(qkv).float(probabilities).optional_bool(mask_pad);
        register::<B, _>("cresset::attention_backward", inputs, outputs, move |taken| {
            let (grad, qkv, probabilities) = (taken.float(), taken.float(), taken.float());
            let attention = Attention { n_heads, causal, mask_pad: taken.optional_bool(), dropout };
            vec![B::fused_attention_backward(grad, qkv, probabilities, attention).into()]
        })
        .float()
    }

    fn top_k(
        queries: Tensor<Self, 2>,
        items: Tensor<Self, 2>,
        bias: Option<Tensor<Self, 1>>,
        seen: Option<&[Vec<u32>]>,
        k: usize,
    ) -> (Tensor<Self, 2>, Tensor<Self, 2, Int>) {
        let ([n, _], [n_items, _]) = (queries.dims(), items.dims());
        // Also where `k` is beyond the catalogue: the default body says so, here and not in the queue's thread.
        if !is_f32(&queries) || k > n_items {
            return plain::top_k(queries, items, bias, seen, k);
        }
        let shape = Shape::new([n, k]);
        let shapes = vec![(shape.clone(), DType::F32), (shape, B::IntElem::dtype())];
        let seen: Option<Arc<[Vec<u32>]>> = seen.map(Arc::from);
        let inputs = Inputs::new().float(queries).float(items).optional_float(bias);
        let mut outputs = register::<B, _>("cresset::top_k", inputs, shapes, move |taken| {
            let (queries, items) = (taken.float(), taken.float());
            let (scores, ids) = B::top_k(queries, items, taken.optional_float(), seen.as_deref(), k);
            vec![scores.into(), ids.into()]
        });
        (outputs.float(), outputs.int())
    }
}

/// Outputs that are f32.
fn floats<S: Into<Shape>>(shapes: impl IntoIterator<Item = S>) -> Vec<(Shape, DType)> {
    shapes.into_iter().map(|shape| (shape.into(), DType::F32)).collect()
}

/// What an [`Epilogue`] holds beside tensors.
type EpilogueRest = (Activation, Option<Dropout>);

fn give_epilogue<B: FusionBackend>(
    inputs: Inputs<B>,
    epilogue: Epilogue<Fusion<B>>,
) -> (Inputs<B>, EpilogueRest) {
    let Epilogue { bias, activation, dropout, residual } = epilogue;
    (inputs.optional_float(bias).optional_float(residual), (activation, dropout))
}

fn take_epilogue<B: FusionBackend>(
    taken: &mut Taken<'_, B>,
    (activation, dropout): EpilogueRest,
) -> Epilogue<B> {
    Epilogue { bias: taken.optional_float(), residual: taken.optional_float(), activation, dropout }
}

/// Whether the backend beneath has a kernel for it.
fn is_served<B: FusionBackend>(inputs: &CandidateLoss<Fusion<B>>) -> bool {
    is_f32(&inputs.queries) && !matches!(inputs.against, Against::Drawn { .. })
}

/// What a [`CandidateLoss`] holds beside tensors: the scale, and whether the positives are candidates.
type CandidatesRest = (f32, bool);

fn give_candidates<B: FusionBackend>(inputs: CandidateLoss<Fusion<B>>) -> (Inputs<B>, CandidatesRest) {
    let CandidateLoss { queries, candidates, against, bias, scale, weights } = inputs;
    let given = Inputs::new().float(queries).float(candidates).optional_float(bias).optional_float(weights);
    let (given, hits, is_all) = match against {
        Against::All { positives, hits } => (given.int(positives), hits, true),
        Against::OwnPositive { rows, bias, hits } => (given.float(rows).optional_float(bias), hits, false),
        Against::Drawn { .. } => unreachable!("drawn negatives take the default body"),
    };
    let (candidate_ids, positive_ids) = hits.map(|hits| (hits.candidate_ids, hits.positive_ids)).unzip();
    (given.optional_int(candidate_ids).optional_int(positive_ids), (scale, is_all))
}

fn take_candidates<B: FusionBackend>(
    taken: &mut Taken<'_, B>,
    (scale, is_all): CandidatesRest,
) -> CandidateLoss<B> {
    let (queries, candidates) = (taken.float(), taken.float());
    let (bias, weights) = (taken.optional_float(), taken.optional_float());
    let against = if is_all {
        Against::All { positives: taken.int(), hits: take_hits(taken) }
    } else {
        Against::OwnPositive { rows: taken.float(), bias: taken.optional_float(), hits: take_hits(taken) }
    };
    CandidateLoss { queries, candidates, against, bias, scale, weights }
}

fn take_hits<B: FusionBackend>(taken: &mut Taken<'_, B>) -> Option<AccidentalHits<B>> {
    let (candidate_ids, positive_ids) = (taken.optional_int(), taken.optional_int());
    Some(AccidentalHits { candidate_ids: candidate_ids?, positive_ids: positive_ids? })
}
