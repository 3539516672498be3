//! The pure-Rust CPU backend: the kernels of [`cpu`](super::cpu) on its tensors.

mod graph;

use burn::tensor::{DType, Int, Tensor, TensorData, TensorPrimitive};
use burn_flex::{Flex, FlexTensor};

use super::cpu::features::FeatureRows;
use super::cpu::{attention, candidates, epilogue, layer_norm, products, rows, top_k, update};
use super::spec::{
    AccidentalHits, Against, Attention, CandidateGradients, CandidateLoss, CsrMatrix, Epilogue, Normalized,
    Objective, RelationAttention, RelationWeights, RowState, RowStep,
};
use crate::{Activation, Neighbourhoods, RecommenderBackend};

impl RecommenderBackend for Flex {
    const ON_HOST: bool = true;

    fn gather_rows(table: Tensor<Self, 2>, ids: Tensor<Self, 1, Int>) -> Tensor<Self, 2> {
        let [_, dim] = table.dims();
        let (table, ids) = (contiguous(table), ints(ids));
        let mut out = vec![0.0; ids.len() * dim];
        match table.dtype() {
            DType::BF16 => rows::gather::<half::bf16>(values(&table), dim, &ids, &mut out),
            _ => rows::gather::<f32>(values(&table), dim, &ids, &mut out),
        }
        tensor(out, [ids.len(), dim])
    }

    fn copy_to_host(tensor: Tensor<Self, 1>, into: &mut [f32]) {
        into.copy_from_slice(values(&contiguous(tensor)));
    }

    fn sum_rows(rows: Tensor<Self, 2>, matrix: &CsrMatrix<Self>) -> Tensor<Self, 2> {
        let [_, dim] = rows.dims();
        let (rows, columns) = (contiguous(rows), ints(matrix.columns.clone()));
        let weights = matrix.values.clone().map(contiguous);
        let weights = weights.as_ref().map(values);
        let mut out = vec![0.0; matrix.n_rows * dim];
        match &matrix.offsets {
            None if weights.is_none() => rows::gather::<f32>(values(&rows), dim, &columns, &mut out),
            None => {
                let offsets: Vec<i32> = (0..=columns.len() as i32).collect();
                rows::sum_groups(values(&rows), dim, &columns, &offsets, weights, &mut out);
            }
            Some(offsets) => {
                rows::sum_groups(values(&rows), dim, &columns, &ints(offsets.clone()), weights, &mut out);
            }
        }
        tensor(out, [matrix.n_rows, dim])
    }

    fn update_rows(
        state: RowState<Self>,
        ids: Option<Tensor<Self, 1, Int>>,
        grads: Tensor<Self, 2>,
        step: RowStep<Self>,
    ) -> RowState<Self> {
        let [_, dim] = state.value.dims();
        let mut value = owned(state.value);
        let mut moments: Vec<FlexTensor> = state.moments.into_iter().map(owned).collect();
        let (ids, grads) = (ids.map(ints), contiguous(grads));
        let rows = update::RowGrads {
            ids: ids.as_deref(),
            grads: values(&grads),
            dim,
            scale: step.scale.into_scalar(),
        };
        // Each copies once if somebody else still holds it, and never otherwise.
        let mut moment_values: Vec<&mut [f32]> = moments.iter_mut().map(FlexTensor::storage_mut).collect();
        match value.dtype() {
            DType::BF16 => {
                update::update_bf16(step.rule, value.storage_mut(), &mut moment_values, &rows, step.rounding);
            }
            _ => update::update(step.rule, value.storage_mut(), &mut moment_values, &rows),
        }
        RowState { value: matrix(value), moments: moments.into_iter().map(matrix).collect() }
    }

    fn sum_of_squares(squared: Tensor<Self, 2>, weights: Option<Tensor<Self, 2>>) -> Tensor<Self, 1> {
        let [_, dim] = squared.dims();
        let squared = contiguous(squared);
        let sum = match weights.map(contiguous) {
            None => rows::sum_of_squares(values(&squared)),
            Some(weights) => products::weighted_sum_of_squares(values(&squared), dim, values(&weights)),
        };
        tensor(vec![sum as f32], [1])
    }

    fn pair_products_forward(
        left: Tensor<Self, 2>,
        right: Tensor<Self, 2>,
        left_ids: Tensor<Self, 1, Int>,
        right_ids: Tensor<Self, 1, Int>,
    ) -> Tensor<Self, 1> {
        let [_, dim] = left.dims();
        let (left, right) = (contiguous(left), contiguous(right));
        let (left_ids, right_ids) = (ints(left_ids), ints(right_ids));
        let mut out = vec![0.0; left_ids.len()];
        products::pair_products(dim, (values(&left), &left_ids), (values(&right), &right_ids), &mut out);
        let n = out.len();
        tensor(out, [n])
    }

    fn candidate_loss(inputs: CandidateLoss<Self>, objective: Objective) -> Tensor<Self, 1> {
        let inputs = Inputs::new(inputs);
        let loss = match &inputs.against {
            AgainstSlices::Drawn { .. } => inputs.per_row().loss(objective),
            AgainstSlices::All { .. } => inputs.shared().loss(objective),
        };
        tensor(vec![loss], [1])
    }

    fn candidate_loss_forward(
        inputs: CandidateLoss<Self>,
        objective: Objective,
    ) -> (Tensor<Self, 1>, CandidateGradients<Self>) {
        let inputs = Inputs::new(inputs);
        let (loss, gradients) = match &inputs.against {
            AgainstSlices::Drawn { .. } => inputs.per_row().loss_and_gradients(objective),
            AgainstSlices::All { .. } => inputs.shared().loss_and_gradients(objective),
        };
        let rows = |gradient: Vec<f32>| {
            let n = gradient.len() / inputs.dim.max(1);
            tensor(gradient, [n, inputs.dim])
        };
        let own = matches!(inputs.against, AgainstSlices::All { own_rows: Some(_), .. });
        let gradients = CandidateGradients {
            queries: rows(gradients.queries),
            candidates: rows(gradients.candidates),
            positives: own.then(|| rows(gradients.positives)),
        };
        (tensor(vec![loss], [1]), gradients)
    }

    fn epilogue(x: Tensor<Self, 2>, epilogue: Epilogue<Self>) -> Tensor<Self, 2> {
        let [n, dim] = x.dims();
        let parts = EpilogueParts::new(dim, epilogue);
        let mut x = contiguous(x);
        if let Some(in_place) = x.try_storage_mut() {
            epilogue::forward_in_place(in_place, &parts.slices());
            return matrix(x);
        }
        let mut out = vec![0.0; n * dim];
        epilogue::forward(values(&x), &parts.slices(), &mut out);
        tensor(out, [n, dim])
    }

    fn epilogue_backward(
        grad: Tensor<Self, 2>,
        x: Option<Tensor<Self, 2>>,
        epilogue: Epilogue<Self>,
    ) -> (Tensor<Self, 2>, Option<Tensor<Self, 1>>) {
        let [n, dim] = grad.dims();
        assert!(
            x.is_some() || epilogue.activation == Activation::None,
            "an activation's way back reads its input"
        );
        let parts = EpilogueParts::new(dim, epilogue);
        let x = x.map(contiguous);
        let x = x.as_ref().map_or(&[][..], values);
        let mut grad = contiguous(grad);
        let bias = |bias: Option<Vec<f32>>| bias.map(|bias| tensor(bias, [dim]));
        if let Some(grad_values) = grad.try_storage_mut() {
            let by_bias = epilogue::backward_in_place(grad_values, x, &parts.slices());
            return (matrix(grad), bias(by_bias));
        }
        let mut by_x = vec![0.0; n * dim];
        let by_bias = epilogue::backward(values(&grad), x, &parts.slices(), &mut by_x);
        (tensor(by_x, [n, dim]), bias(by_bias))
    }

    fn feature_products(
        table: Tensor<Self, 2>,
        ids: Tensor<Self, 1, Int>,
        weight: Tensor<Self, 2>,
    ) -> Tensor<Self, 2> {
        let [dim, outputs] = weight.dims();
        let dtype = table.dtype();
        if !matches!(dtype, DType::F32 | DType::BF16) || dim == 0 {
            return Self::gather_rows(table, ids).matmul(weight);
        }
        let (table, ids, weight) = (contiguous(table), ints(ids), contiguous(weight));
        let (weight, ids) = (values(&weight), ids.as_slice());
        let products = match dtype {
            DType::BF16 => {
                FeatureRows::<half::bf16> { table: values(&table), dim, ids }.times(weight, outputs)
            }
            _ => FeatureRows::<f32> { table: values(&table), dim, ids }.times(weight, outputs),
        };
        tensor(products, [ids.len(), outputs])
    }

    fn feature_products_backward(
        grad: Tensor<Self, 2>,
        table: Tensor<Self, 2>,
        ids: Tensor<Self, 1, Int>,
    ) -> Tensor<Self, 2> {
        let ([_, dim], [_, outputs]) = (table.dims(), grad.dims());
        let dtype = table.dtype();
        if !matches!(dtype, DType::F32 | DType::BF16) || dim == 0 {
            return Self::gather_rows(table, ids).transpose().matmul(grad);
        }
        let (table, ids, grad) = (contiguous(table), ints(ids), contiguous(grad));
        let (grad, ids) = (values(&grad), ids.as_slice());
        let by_weight = match dtype {
            DType::BF16 => {
                FeatureRows::<half::bf16> { table: values(&table), dim, ids }.transposed_times(grad, outputs)
            }
            _ => FeatureRows::<f32> { table: values(&table), dim, ids }.transposed_times(grad, outputs),
        };
        tensor(by_weight, [dim, outputs])
    }

    fn fused_layer_norm_forward(
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        beta: Tensor<Self, 1>,
        epsilon: f32,
    ) -> Normalized<Self> {
        let [n, dim] = x.dims();
        let (x, gamma, beta) = (contiguous(x), contiguous(gamma), contiguous(beta));
        let norm = layer_norm::LayerNorm { gamma: values(&gamma), beta: values(&beta), epsilon };
        let mut out = vec![0.0; n * dim];
        let layer_norm::Moments { mean, inverse_deviation } =
            layer_norm::forward(values(&x), &norm, &mut out);
        Normalized {
            output: tensor(out, [n, dim]),
            mean: tensor(mean, [n]),
            inverse_deviation: tensor(inverse_deviation, [n]),
        }
    }

    fn fused_layer_norm_backward(
        grad: Tensor<Self, 2>,
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        normalized: Normalized<Self>,
    ) -> (Tensor<Self, 2>, Tensor<Self, 1>, Tensor<Self, 1>) {
        let [n, dim] = x.dims();
        let (grad, x, gamma) = (contiguous(grad), contiguous(x), contiguous(gamma));
        let moments = layer_norm::Moments {
            mean: vector(normalized.mean),
            inverse_deviation: vector(normalized.inverse_deviation),
        };
        let mut by_x = vec![0.0; n * dim];
        let (by_gamma, by_beta) =
            layer_norm::backward(values(&grad), values(&x), values(&gamma), &moments, &mut by_x);
        (tensor(by_x, [n, dim]), tensor(by_gamma, [dim]), tensor(by_beta, [dim]))
    }

    fn fused_attention_forward(
        qkv: Tensor<Self, 3>,
        spec: Attention<Self>,
    ) -> (Tensor<Self, 3>, Tensor<Self, 4>) {
        let [batch, seq, width] = qkv.dims();
        let d_model = width / 3;
        let qkv = contiguous(qkv);
        let mask_pad = bools(&spec);
        let mut out = vec![0.0; batch * seq * d_model];
        let mut probabilities = vec![0.0; batch * spec.n_heads * seq * seq];
        let heads = heads(&spec, seq, d_model, mask_pad.as_deref());
        attention::forward(values(&qkv), &heads, &mut out, &mut probabilities);
        (tensor(out, [batch, seq, d_model]), tensor(probabilities, [batch, spec.n_heads, seq, seq]))
    }

    fn fused_attention_backward(
        grad: Tensor<Self, 3>,
        qkv: Tensor<Self, 3>,
        probabilities: Tensor<Self, 4>,
        spec: Attention<Self>,
    ) -> Tensor<Self, 3> {
        let [batch, seq, width] = qkv.dims();
        let (grad, qkv, probabilities) = (contiguous(grad), contiguous(qkv), contiguous(probabilities));
        let mask_pad = bools(&spec);
        let heads = heads(&spec, seq, width / 3, mask_pad.as_deref());
        let mut out = vec![0.0; batch * seq * width];
        attention::backward(values(&grad), values(&qkv), values(&probabilities), &heads, &mut out);
        tensor(out, [batch, seq, width])
    }

    fn attend_neighbours_forward(
        entities: Tensor<Self, 2>,
        logits: Tensor<Self, 2>,
        neighbours: &Neighbourhoods<Self>,
    ) -> (Tensor<Self, 2>, Tensor<Self, 1>) {
        graph::attend_neighbours_forward(entities, logits, neighbours)
    }

    fn attend_neighbours_backward(
        grad: Tensor<Self, 2>,
        entities: Tensor<Self, 2>,
        output: Tensor<Self, 2>,
        weights: Tensor<Self, 1>,
        neighbours: &Neighbourhoods<Self>,
    ) -> (Tensor<Self, 2>, Tensor<Self, 2>) {
        graph::attend_neighbours_backward(grad, entities, output, weights, neighbours)
    }

    fn attend_relations_forward(
        tastes: Tensor<Self, 2>,
        logits: Tensor<Self, 2>,
        pooled: Tensor<Self, 2>,
        attention: &RelationAttention<Self>,
    ) -> (Tensor<Self, 1>, RelationWeights<Self>) {
        graph::attend_relations_forward(tastes, logits, pooled, attention)
    }

    fn attend_relations_backward(
        grad: Tensor<Self, 1>,
        tastes: Tensor<Self, 2>,
        pooled: Tensor<Self, 2>,
        kept: RelationWeights<Self>,
        attention: &RelationAttention<Self>,
    ) -> (Tensor<Self, 2>, Tensor<Self, 2>, Tensor<Self, 2>) {
        graph::attend_relations_backward(grad, tastes, pooled, kept, attention)
    }

    fn top_k(
        queries: Tensor<Self, 2>,
        items: Tensor<Self, 2>,
        bias: Option<Tensor<Self, 1>>,
        seen: Option<&[Vec<u32>]>,
        k: usize,
    ) -> (Tensor<Self, 2>, Tensor<Self, 2, Int>) {
        let [n, dim] = queries.dims();
        let (queries, items, bias) = (contiguous(queries), contiguous(items), bias.map(contiguous));
        let seen = seen.map(flattened);
        let seen = seen.as_ref().map(|(offsets, ids)| (&offsets[..], &ids[..]));
        let bias = bias.as_ref().map(values);
        let (scores, ids) = top_k::top_k(values(&queries), values(&items), dim, bias, seen, k);
        let ids = Tensor::from_data(TensorData::new(ids, [n, k]), &Default::default());
        (tensor(scores, [n, k]), ids)
    }
}

/// The tensor's values in order from the beginning of a buffer of their own length.
fn contiguous<const D: usize>(tensor: Tensor<Flex, D>) -> FlexTensor {
    tensor.into_primitive().tensor().to_contiguous()
}

/// As [`contiguous`], of a tensor that is going to be written: keeps the only owner the only one.
fn owned<const D: usize>(tensor: Tensor<Flex, D>) -> FlexTensor {
    let tensor = tensor.into_primitive().tensor();
    let n_bytes = tensor.layout().shape().num_elements() * tensor.dtype().size();
    let is_whole = tensor.layout().start_offset() == 0 && tensor.bytes().len() == n_bytes;
    if tensor.is_contiguous() && is_whole { tensor } else { tensor.to_contiguous() }
}

fn values<E: burn::tensor::Element + bytemuck::Pod>(tensor: &FlexTensor) -> &[E] {
    tensor.storage()
}

fn vector(tensor: Tensor<Flex, 1>) -> Vec<f32> {
    tensor.into_data().to_vec().expect("f32, as every kernel's output")
}

fn ints<const D: usize>(tensor: Tensor<Flex, D, Int>) -> Vec<i32> {
    tensor.into_data().convert::<i32>().to_vec().expect("converted just before")
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<Flex, D> {
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

fn matrix(tensor: FlexTensor) -> Tensor<Flex, 2> {
    Tensor::from_primitive(TensorPrimitive::Float(tensor))
}

fn bools(attention: &Attention<Flex>) -> Option<Vec<bool>> {
    let mask = attention.mask_pad.clone()?;
    Some(mask.into_data().convert::<bool>().to_vec().expect("converted just before"))
}

fn heads<'a>(
    attention: &Attention<Flex>,
    seq: usize,
    d_model: usize,
    mask_pad: Option<&'a [bool]>,
) -> attention::SelfAttention<'a> {
    let Attention { n_heads, causal, dropout, .. } = *attention;
    attention::SelfAttention { seq, d_model, n_heads, causal, mask_pad, dropout }
}

/// Lists one after the other, and where each begins.
fn flattened(lists: &[Vec<u32>]) -> (Vec<i32>, Vec<i32>) {
    let mut offsets = vec![0];
    let mut ids = vec![];
    for list in lists {
        ids.extend(list.iter().map(|&id| id as i32));
        offsets.push(ids.len() as i32);
    }
    (offsets, ids)
}

/// The parts of an epilogue, laid out for the kernel.
struct EpilogueParts {
    dim: usize,
    bias: Option<FlexTensor>,
    activation: Activation,
    dropout: Option<crate::Dropout>,
    residual: Option<FlexTensor>,
}

impl EpilogueParts {
    fn new(dim: usize, epilogue: Epilogue<Flex>) -> Self {
        Self {
            dim,
            bias: epilogue.bias.map(contiguous),
            activation: epilogue.activation,
            dropout: epilogue.dropout,
            residual: epilogue.residual.map(contiguous),
        }
    }

    fn slices(&self) -> epilogue::Epilogue<'_> {
        epilogue::Epilogue {
            dim: self.dim,
            bias: self.bias.as_ref().map(values),
            activation: self.activation,
            dropout: self.dropout,
            residual: self.residual.as_ref().map(values),
        }
    }
}

/// A [`CandidateLoss`], laid out for the kernels.
struct Inputs {
    queries: FlexTensor,
    candidates: FlexTensor,
    dim: usize,
    bias: Option<FlexTensor>,
    scale: f32,
    weights: Option<FlexTensor>,
    against: AgainstSlices,
}

#[expect(clippy::large_enum_variant, reason = "one lives as long as a call")]
enum AgainstSlices {
    All {
        positives: Vec<i32>,
        own_rows: Option<FlexTensor>,
        own_bias: Option<FlexTensor>,
        hits: Option<(Vec<i32>, Vec<i32>)>,
    },
    Drawn {
        positives: Vec<i32>,
        negatives: Vec<i32>,
    },
}

impl Inputs {
    fn new(inputs: CandidateLoss<Flex>) -> Self {
        inputs.check();
        let [_, dim] = inputs.queries.dims();
        let hits = |hits: Option<AccidentalHits<Flex>>| {
            hits.map(|hits| (ints(hits.candidate_ids), ints(hits.positive_ids)))
        };
        let against = match inputs.against {
            Against::All { positives, hits: ids } => AgainstSlices::All {
                positives: ints(positives),
                own_rows: None,
                own_bias: None,
                hits: hits(ids),
            },
            Against::OwnPositive { rows, bias, hits: ids } => AgainstSlices::All {
                positives: vec![],
                own_rows: Some(contiguous(rows)),
                own_bias: bias.map(contiguous),
                hits: hits(ids),
            },
            Against::Drawn { positives, negatives } => {
                AgainstSlices::Drawn { positives: ints(positives), negatives: ints(negatives) }
            }
        };
        Self {
            queries: contiguous(inputs.queries),
            candidates: contiguous(inputs.candidates),
            dim,
            bias: inputs.bias.map(contiguous),
            scale: inputs.scale,
            weights: inputs.weights.map(contiguous),
            against,
        }
    }

    fn shared(&self) -> candidates::Shared<'_> {
        let AgainstSlices::All { positives, own_rows, own_bias, hits } = &self.against else {
            unreachable!("asked where every query is set against every candidate")
        };
        candidates::Shared {
            queries: values(&self.queries),
            candidates: values(&self.candidates),
            dim: self.dim,
            bias: self.bias.as_ref().map(values),
            scale: self.scale,
            weights: self.weights.as_ref().map(values),
            positives: match own_rows {
                None => candidates::Positives::Column(positives),
                Some(rows) => {
                    candidates::Positives::Rows { rows: values(rows), bias: own_bias.as_ref().map(values) }
                }
            },
            ids: hits.as_ref().map(|(candidates, positives)| (&candidates[..], &positives[..])),
        }
    }

    fn per_row(&self) -> candidates::PerRow<'_> {
        let AgainstSlices::Drawn { positives, negatives } = &self.against else {
            unreachable!("asked where negatives are drawn for each query")
        };
        candidates::PerRow {
            queries: values(&self.queries),
            candidates: values(&self.candidates),
            dim: self.dim,
            bias: self.bias.as_ref().map(values),
            scale: self.scale,
            weights: self.weights.as_ref().map(values),
            positives,
            negatives,
        }
    }
}
