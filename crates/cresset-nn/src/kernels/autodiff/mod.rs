//! Any backend under autodiff: one node of the graph for each operation, its gradient written by hand.
//!
//! What has no gradient (gathered rows, row updates) happens beneath the graph, which never sees it.

mod node;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::tensor::{Int, Tensor};

use self::node::{Node, lift, lower, lower_int, placeholder};
use crate::kernels::spec::{
    AccidentalHits, Against, Attention, CandidateGradients, CandidateLoss, CsrMatrix, Epilogue, Objective,
    RelationAttention, RowState, RowStep, Selection,
};
use crate::{Activation, Neighbourhoods, RecommenderBackend};

impl<B: RecommenderBackend, C: CheckpointStrategy> RecommenderBackend for Autodiff<B, C> {
    const ON_HOST: bool = B::ON_HOST;

    fn gather_rows(table: Tensor<Self, 2>, ids: Tensor<Self, 1, Int>) -> Tensor<Self, 2> {
        lift(B::gather_rows(lower(table), lower_int(ids)))
    }

    fn copy_to_host(tensor: Tensor<Self, 1>, values: &mut [f32]) {
        B::copy_to_host(lower(tensor), values);
    }

    fn update_rows(
        state: RowState<Self>,
        ids: Option<Tensor<Self, 1, Int>>,
        grads: Tensor<Self, 2>,
        step: RowStep<Self>,
    ) -> RowState<Self> {
        let state =
            RowState { value: lower(state.value), moments: state.moments.into_iter().map(lower).collect() };
        let step = RowStep { rule: step.rule, scale: lower(step.scale), rounding: step.rounding };
        let after = B::update_rows(state, ids.map(lower_int), lower(grads), step);
        RowState { value: lift(after.value), moments: after.moments.into_iter().map(lift).collect() }
    }

    fn sum_of_squares(values: Tensor<Self, 2>, weights: Option<Tensor<Self, 2>>) -> Tensor<Self, 1> {
        let node = Node::<B, C, 1>::of([values.clone().into_primitive()]);
        let (values, weights) = (lower(values), weights.map(lower));
        let output = B::sum_of_squares(values.clone(), weights.clone());
        node.record((values, weights), output, |(values, weights), grad: Tensor<B, 1>, _| {
            let slope: Tensor<B, 2> = (grad * 2.0).unsqueeze();
            let slope = weights.map_or(slope.clone(), |weights| weights * slope);
            [Some((values * slope).into_primitive())]
        })
    }

    fn pair_products(
        left: Tensor<Self, 2>,
        right: Tensor<Self, 2>,
        left_of: &Selection<Self>,
        right_of: &Selection<Self>,
    ) -> Tensor<Self, 1> {
        let node = Node::<B, C, 2>::of([left.clone().into_primitive(), right.clone().into_primitive()]);
        let (left, right) = (lower(left), lower(right));
        let left_of = (lower_int(left_of.matrix.columns.clone()), lower_matrix(&left_of.transposed));
        let right_of = (lower_int(right_of.matrix.columns.clone()), lower_matrix(&right_of.transposed));
        let output =
            B::pair_products_forward(left.clone(), right.clone(), left_of.0.clone(), right_of.0.clone());
        let state = (left, right, left_of, right_of);
        node.record(state, output, |(left, right, left_of, right_of), grad: Tensor<B, 1>, _| {
            let by_left = B::sum_rows(right, &partners(left_of.1, &right_of.0, &grad));
            let by_right = B::sum_rows(left, &partners(right_of.1, &left_of.0, &grad));
            [Some(by_left.into_primitive()), Some(by_right.into_primitive())]
        })
    }

    fn select_rows(rows: Tensor<Self, 2>, selection: &Selection<Self>) -> Tensor<Self, 2> {
        let output = B::sum_rows(lower(rows.clone()), &lower_matrix(&selection.matrix));
        let transposed = lower_matrix(&selection.transposed);
        Node::<B, C, 1>::of([rows.into_primitive()]).record(transposed, output, |transposed, grad, _| {
            [Some(B::sum_rows(grad, &transposed).into_primitive())]
        })
    }

    fn candidate_loss(inputs: CandidateLoss<Self>, objective: Objective) -> Tensor<Self, 1> {
        let device = inputs.queries.device();
        let own = match &inputs.against {
            Against::OwnPositive { rows, .. } => rows.clone().into_primitive(),
            _ => placeholder::<B, C>(&device),
        };
        let parents =
            [inputs.queries.clone().into_primitive(), inputs.candidates.clone().into_primitive(), own];
        let node = Node::<B, C, 3>::of(parents);
        let inputs = lower_inputs(inputs);
        if !node.is_tracked() {
            return lift(B::candidate_loss(inputs, objective));
        }
        let (loss, gradients) = B::candidate_loss_forward(inputs, objective);
        node.record(gradients, loss, |gradients, grad: Tensor<B, 1>, _| {
            let grad: Tensor<B, 2> = grad.unsqueeze();
            let CandidateGradients { queries, candidates, positives } = gradients;
            [Some(queries), Some(candidates), positives]
                .map(|rows| rows.map(|rows| (rows * grad.clone()).into_primitive()))
        })
    }

    fn epilogue(x: Tensor<Self, 2>, epilogue: Epilogue<Self>) -> Tensor<Self, 2> {
        let device = x.device();
        let parents = [x.clone().into_primitive(), bias(&epilogue, &device), residual(&epilogue, &device)];
        let node = Node::<B, C, 3>::of(parents);
        let (x, epilogue) = (lower(x), lower_epilogue(epilogue));
        let way_back = (input_to_keep(&x, &epilogue), without_residual(&epilogue));
        let output = B::epilogue(x, epilogue);
        node.record(way_back, output, |(x, epilogue), grad: Tensor<B, 2>, needed| {
            let by_residual = needed[2].then(|| grad.clone().into_primitive());
            let (by_x, by_bias) = B::epilogue_backward(grad, x, epilogue);
            [Some(by_x.into_primitive()), by_bias.map(Tensor::into_primitive), by_residual]
        })
    }

    fn fused_linear(
        x: Tensor<Self, 2>,
        weight: Tensor<Self, 2>,
        epilogue: Epilogue<Self>,
    ) -> Tensor<Self, 2> {
        let device = x.device();
        let parents = [
            x.clone().into_primitive(),
            weight.clone().into_primitive(),
            bias(&epilogue, &device),
            residual(&epilogue, &device),
        ];
        let node = Node::<B, C, 4>::of(parents);
        let (x, weight, epilogue) = (lower(x), lower(weight), lower_epilogue(epilogue));
        let product = x.clone().matmul(weight.clone());
        let way_back = (x, weight, input_to_keep(&product, &epilogue), without_residual(&epilogue));
        let output = B::epilogue(product, epilogue);
        node.record(way_back, output, |(x, weight, product, epilogue), grad: Tensor<B, 2>, needed| {
            let by_residual = needed[3].then(|| grad.clone().into_primitive());
            let (grad, by_bias) = B::epilogue_backward(grad, product, epilogue);
            let by_x = needed[0].then(|| grad.clone().matmul(weight.transpose()).into_primitive());
            let by_weight = needed[1].then(|| x.transpose().matmul(grad).into_primitive());
            [by_x, by_weight, by_bias.map(Tensor::into_primitive), by_residual]
        })
    }

    fn feature_linear(
        table: Tensor<Self, 2>,
        ids: Tensor<Self, 1, Int>,
        weight: Tensor<Self, 2>,
        epilogue: Epilogue<Self>,
    ) -> Tensor<Self, 2> {
        let device = table.device();
        let parents =
            [weight.clone().into_primitive(), bias(&epilogue, &device), residual(&epilogue, &device)];
        let node = Node::<B, C, 3>::of(parents);
        let (table, ids, epilogue) = (lower(table), lower_int(ids), lower_epilogue(epilogue));
        let product = B::feature_products(table.clone(), ids.clone(), lower(weight));
        let way_back = (table, ids, input_to_keep(&product, &epilogue), without_residual(&epilogue));
        let output = B::epilogue(product, epilogue);
        node.record(way_back, output, |(table, ids, product, epilogue), grad: Tensor<B, 2>, needed| {
            let by_residual = needed[2].then(|| grad.clone().into_primitive());
            let (grad, by_bias) = B::epilogue_backward(grad, product, epilogue);
            let by_weight =
                needed[0].then(|| B::feature_products_backward(grad, table, ids).into_primitive());
            [by_weight, by_bias.map(Tensor::into_primitive), by_residual]
        })
    }

    fn fused_layer_norm(
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        beta: Tensor<Self, 1>,
        epsilon: f32,
    ) -> Tensor<Self, 2> {
        let parents =
            [x.clone().into_primitive(), gamma.clone().into_primitive(), beta.clone().into_primitive()];
        let node = Node::<B, C, 3>::of(parents);
        let (x, gamma) = (lower(x), lower(gamma));
        let normalized = B::fused_layer_norm_forward(x.clone(), gamma.clone(), lower(beta), epsilon);
        let output = normalized.output.clone();
        node.record((x, gamma, normalized), output, |(x, gamma, normalized), grad: Tensor<B, 2>, _| {
            let (by_x, by_gamma, by_beta) = B::fused_layer_norm_backward(grad, x, gamma, normalized);
            [Some(by_x.into_primitive()), Some(by_gamma.into_primitive()), Some(by_beta.into_primitive())]
        })
    }

    fn fused_attention(qkv: Tensor<Self, 3>, attention: Attention<Self>) -> Tensor<Self, 3> {
        let node = Node::<B, C, 1>::of([qkv.clone().into_primitive()]);
        let (qkv, attention) = (lower(qkv), lower_attention(attention));
        let (output, probabilities) = B::fused_attention_forward(qkv.clone(), attention.clone());
        node.record((qkv, probabilities, attention), output, |(qkv, probabilities, attention), grad, _| {
            [Some(B::fused_attention_backward(grad, qkv, probabilities, attention).into_primitive())]
        })
    }

    fn attend_neighbours(
        entities: Tensor<Self, 2>,
        logits: Tensor<Self, 2>,
        neighbours: &Neighbourhoods<Self>,
    ) -> Tensor<Self, 2> {
        let node = Node::<B, C, 2>::of([entities.clone().into_primitive(), logits.clone().into_primitive()]);
        let (entities, neighbours) = (lower(entities), neighbours.inner());
        let (output, weights) = B::attend_neighbours_forward(entities.clone(), lower(logits), &neighbours);
        let state = (entities, output.clone(), weights, neighbours);
        node.record(state, output, |(entities, output, weights, neighbours), grad, _| {
            let (by_entities, by_logits) =
                B::attend_neighbours_backward(grad, entities, output, weights, &neighbours);
            [Some(by_entities.into_primitive()), Some(by_logits.into_primitive())]
        })
    }

    fn attend_relations(
        tastes: Tensor<Self, 2>,
        logits: Tensor<Self, 2>,
        pooled: Tensor<Self, 2>,
        users: &Selection<Self>,
        items: &Selection<Self>,
        neighbours: &Neighbourhoods<Self>,
    ) -> Tensor<Self, 1> {
        let parents = [
            tastes.clone().into_primitive(),
            logits.clone().into_primitive(),
            pooled.clone().into_primitive(),
        ];
        let node = Node::<B, C, 3>::of(parents);
        let (tastes, pooled) = (lower(tastes), lower(pooled));
        let attention = RelationAttention {
            users: lower_selection(users),
            items: lower_selection(items),
            neighbours: neighbours.inner(),
        };
        let (output, kept) =
            B::attend_relations_forward(tastes.clone(), lower(logits), pooled.clone(), &attention);
        node.record(
            (tastes, pooled, kept, attention),
            output,
            |(tastes, pooled, kept, attention), grad, _| {
                let (by_tastes, by_logits, by_pooled) =
                    B::attend_relations_backward(grad, tastes, pooled, kept, &attention);
                [by_tastes, by_logits, by_pooled].map(|gradient| Some(gradient.into_primitive()))
            },
        )
    }

    fn top_k(
        queries: Tensor<Self, 2>,
        items: Tensor<Self, 2>,
        bias: Option<Tensor<Self, 1>>,
        seen: Option<&[Vec<u32>]>,
        k: usize,
    ) -> (Tensor<Self, 2>, Tensor<Self, 2, Int>) {
        let (scores, ids) = B::top_k(lower(queries), lower(items), bias.map(lower), seen, k);
        (lift(scores), Tensor::from_inner(ids))
    }
}

/// For each row of one side its partners in the pairs, weighted by the pairs' gradients.
fn partners<B: RecommenderBackend>(
    pairs_of: CsrMatrix<B>,
    partner_of: &Tensor<B, 1, Int>,
    grad: &Tensor<B, 1>,
) -> CsrMatrix<B> {
    let pairs = pairs_of.columns.clone();
    CsrMatrix {
        columns: partner_of.clone().select(0, pairs.clone()),
        values: Some(grad.clone().select(0, pairs)),
        ..pairs_of
    }
}

/// An activation's way back reads its input; without one it need not be kept.
fn input_to_keep<B: RecommenderBackend>(x: &Tensor<B, 2>, epilogue: &Epilogue<B>) -> Option<Tensor<B, 2>> {
    (epilogue.activation != Activation::None).then(|| x.clone())
}

fn without_residual<B: RecommenderBackend>(epilogue: &Epilogue<B>) -> Epilogue<B> {
    Epilogue { residual: None, ..epilogue.clone() }
}

fn bias<B: RecommenderBackend, C: CheckpointStrategy>(
    epilogue: &Epilogue<Autodiff<B, C>>,
    device: &B::Device,
) -> node::Primitive<B, C> {
    epilogue.bias.clone().map_or_else(|| placeholder::<B, C>(device), Tensor::into_primitive)
}

fn residual<B: RecommenderBackend, C: CheckpointStrategy>(
    epilogue: &Epilogue<Autodiff<B, C>>,
    device: &B::Device,
) -> node::Primitive<B, C> {
    epilogue.residual.clone().map_or_else(|| placeholder::<B, C>(device), Tensor::into_primitive)
}

fn lower_matrix<B: RecommenderBackend, C: CheckpointStrategy>(
    matrix: &CsrMatrix<Autodiff<B, C>>,
) -> CsrMatrix<B> {
    CsrMatrix {
        offsets: matrix.offsets.clone().map(lower_int),
        columns: lower_int(matrix.columns.clone()),
        values: matrix.values.clone().map(lower),
        entry_rows: matrix.entry_rows.clone().map(lower_int),
        n_rows: matrix.n_rows,
    }
}

fn lower_selection<B: RecommenderBackend, C: CheckpointStrategy>(
    selection: &Selection<Autodiff<B, C>>,
) -> Selection<B> {
    Selection { matrix: lower_matrix(&selection.matrix), transposed: lower_matrix(&selection.transposed) }
}

fn lower_epilogue<B: RecommenderBackend, C: CheckpointStrategy>(
    epilogue: Epilogue<Autodiff<B, C>>,
) -> Epilogue<B> {
    Epilogue {
        bias: epilogue.bias.map(lower),
        activation: epilogue.activation,
        dropout: epilogue.dropout,
        residual: epilogue.residual.map(lower),
    }
}

fn lower_attention<B: RecommenderBackend, C: CheckpointStrategy>(
    attention: Attention<Autodiff<B, C>>,
) -> Attention<B> {
    Attention {
        n_heads: attention.n_heads,
        causal: attention.causal,
        mask_pad: attention.mask_pad.map(Tensor::inner),
        dropout: attention.dropout,
    }
}

fn lower_inputs<B: RecommenderBackend, C: CheckpointStrategy>(
    inputs: CandidateLoss<Autodiff<B, C>>,
) -> CandidateLoss<B> {
    let lower_hits = |hits: AccidentalHits<Autodiff<B, C>>| AccidentalHits {
        candidate_ids: lower_int(hits.candidate_ids),
        positive_ids: lower_int(hits.positive_ids),
    };
    CandidateLoss {
        queries: lower(inputs.queries),
        candidates: lower(inputs.candidates),
        against: match inputs.against {
            Against::All { positives, hits } => {
                Against::All { positives: lower_int(positives), hits: hits.map(lower_hits) }
            }
            Against::OwnPositive { rows, bias, hits } => {
                Against::OwnPositive { rows: lower(rows), bias: bias.map(lower), hits: hits.map(lower_hits) }
            }
            Against::Drawn { positives, negatives } => {
                Against::Drawn { positives: lower_int(positives), negatives: negatives.inner() }
            }
        },
        bias: inputs.bias.map(lower),
        scale: inputs.scale,
        weights: inputs.weights.map(lower),
    }
}
