//! The kernel trait: what a backend must be able to do for a recommender.

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor};

use crate::Neighbourhoods;
use crate::kernels::plain;
use crate::kernels::spec::{
    Attention, CandidateGradients, CandidateLoss, CsrMatrix, Epilogue, Normalized, Objective,
    RelationAttention, RelationWeights, RowState, RowStep, Selection,
};

/// A Burn backend with the operations that recommenders spend their time in.
///
/// Every operation has a default body of ordinary Burn operations, right on any backend; the files in
/// `kernels/` replace it where a backend can do better. Models seldom call these methods: the tables,
/// layers and losses of this crate do.
///
/// An operation with a gradient comes as up to three methods: `name` is differentiable, and under
/// [`Autodiff`](burn::backend::Autodiff) records one node of the graph; `name_forward` gives what the way back
/// needs; `name_backward` goes it. A backend replaces the last two. Where Burn's backends already have the name, ours
/// begins with `fused_`.
pub trait RecommenderBackend: Backend {
    /// Whether tensors lie in the memory of the host, where reading them costs nothing: evaluation then takes the scores
    /// themselves, else it has them counted where they are ([`rank_rows`](crate::rank_rows)).
    const ON_HOST: bool = false;

    /// The rows `table[ids[i]]` as f32, without a gradient.
    ///
    /// # Shapes
    ///
    /// - table: `[n_rows, dim]`, f32 or bf16
    /// - ids: `[n]`
    /// - output: `[n, dim]`
    ///
    /// # Panics
    ///
    /// If an id is `n_rows` or more, where the backend notices.
    fn gather_rows(table: Tensor<Self, 2>, ids: Tensor<Self, 1, Int>) -> Tensor<Self, 2> {
        plain::gather_rows(table, ids)
    }

    /// Copies the values of a tensor into memory of the host, without a gradient; waits for the device.
    ///
    /// # Shapes
    ///
    /// - tensor: `[values.len()]`, f32
    ///
    /// # Panics
    ///
    /// If the tensor has another length or type.
    fn copy_to_host(tensor: Tensor<Self, 1>, values: &mut [f32]) {
        plain::copy_to_host(tensor, values);
    }

    /// The product of a sparse matrix with rows: each output row is a weighted sum of input rows.
    ///
    /// # Shapes
    ///
    /// - rows: `[n_columns, dim]`
    /// - matrix: `[n_rows, n_columns]`
    /// - output: `[n_rows, dim]`
    fn sum_rows(rows: Tensor<Self, 2>, matrix: &CsrMatrix<Self>) -> Tensor<Self, 2> {
        plain::sum_rows(rows, matrix)
    }

    /// [`sum_rows`](Self::sum_rows) with a gradient, which is the product with the transposed matrix: so equal ids
    /// have their gradients summed in a fixed order, without atomic additions.
    fn select_rows(rows: Tensor<Self, 2>, selection: &Selection<Self>) -> Tensor<Self, 2> {
        Self::sum_rows(rows, &selection.matrix)
    }

    /// Rows and their moments after one step of an optimiser, written in place where they have no other owner.
    ///
    /// Rows that are not named keep their bits. The gradient is multiplied by `step.scale` first; where that is
    /// not finite, nothing moves.
    ///
    /// # Shapes
    ///
    /// - state: `[n_rows, dim]`, each moment as its rule says
    /// - ids: `[n]`, strictly ascending; `None` stands for every row
    /// - grads: `[n, dim]`
    fn update_rows(
        state: RowState<Self>,
        ids: Option<Tensor<Self, 1, Int>>,
        grads: Tensor<Self, 2>,
        step: RowStep<Self>,
    ) -> RowState<Self> {
        plain::update_rows(state, ids, grads, step)
    }

    /// The sum of the squares of all values, each row's times its weight; differentiable by the values.
    ///
    /// # Shapes
    ///
    /// - values: `[rows, dim]`
    /// - weights: `[rows, 1]`; `None` stands for ones
    /// - output: `[1]`
    fn sum_of_squares(values: Tensor<Self, 2>, weights: Option<Tensor<Self, 2>>) -> Tensor<Self, 1> {
        plain::sum_of_squares(values, weights)
    }

    /// Inner products of pairs of rows, `left[i] . right[j]`, differentiable by both.
    ///
    /// The pairs' rows are not copied out, neither here nor on the way back.
    ///
    /// # Shapes
    ///
    /// - left: `[n_left, dim]`
    /// - right: `[n_right, dim]`
    /// - selections: one row each of left and of right, for each of `n` pairs
    /// - output: `[n]`
    fn pair_products(
        left: Tensor<Self, 2>,
        right: Tensor<Self, 2>,
        left_of: &Selection<Self>,
        right_of: &Selection<Self>,
    ) -> Tensor<Self, 1> {
        Self::pair_products_forward(
            left,
            right,
            left_of.matrix.columns.clone(),
            right_of.matrix.columns.clone(),
        )
    }

    /// [`pair_products`](Self::pair_products) of the rows `left_ids[k]` and `right_ids[k]`.
    fn pair_products_forward(
        left: Tensor<Self, 2>,
        right: Tensor<Self, 2>,
        left_ids: Tensor<Self, 1, Int>,
        right_ids: Tensor<Self, 1, Int>,
    ) -> Tensor<Self, 1> {
        plain::pair_products(left, right, left_ids, right_ids)
    }

    /// The mean loss of queries against candidates, `[1]`, differentiable by all rows of `inputs`.
    ///
    /// The matrix of all scores is never stored whole.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, a place is beyond the candidates, where the backend notices, or `inputs.scale` is not
    /// a finite number above 0.
    fn candidate_loss(inputs: CandidateLoss<Self>, objective: Objective) -> Tensor<Self, 1> {
        plain::candidate_loss(&inputs, objective)
    }

    /// [`candidate_loss`](Self::candidate_loss) beside its gradients.
    ///
    /// # Panics
    ///
    /// As [`candidate_loss`](Self::candidate_loss).
    fn candidate_loss_forward(
        inputs: CandidateLoss<Self>,
        objective: Objective,
    ) -> (Tensor<Self, 1>, CandidateGradients<Self>) {
        plain::candidate_loss_forward(&inputs, objective)
    }

    /// `residual + dropout(activation(x + bias))`, each part optional, in one pass.
    ///
    /// # Shapes
    ///
    /// - x, output: `[rows, dim]`
    fn epilogue(x: Tensor<Self, 2>, epilogue: Epilogue<Self>) -> Tensor<Self, 2> {
        plain::epilogue(x, epilogue)
    }

    /// Gradients of [`epilogue`](Self::epilogue) by `x`, `[rows, dim]`, and by the bias, `[dim]`.
    ///
    /// `x` is what the way forward was given; it is read where there is an activation, and may be empty otherwise.
    fn epilogue_backward(
        grad: Tensor<Self, 2>,
        x: Option<Tensor<Self, 2>>,
        epilogue: Epilogue<Self>,
    ) -> (Tensor<Self, 2>, Option<Tensor<Self, 1>>) {
        plain::epilogue_backward(grad, x, epilogue)
    }

    /// A linear layer and its [`epilogue`](Self::epilogue), differentiable.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, inputs]`
    /// - weight: `[inputs, outputs]`
    /// - output: `[rows, outputs]`
    fn fused_linear(
        x: Tensor<Self, 2>,
        weight: Tensor<Self, 2>,
        epilogue: Epilogue<Self>,
    ) -> Tensor<Self, 2> {
        Self::epilogue(x.matmul(weight), epilogue)
    }

    /// A linear layer on rows of a table that receives no gradient, and its [`epilogue`](Self::epilogue);
    /// differentiable by weight, bias and residual.
    ///
    /// The rows are not copied out, neither here nor on the way back: features such as tags and text are wide.
    ///
    /// # Shapes
    ///
    /// - table: `[n_rows, inputs]`
    /// - ids: `[n]`
    /// - weight: `[inputs, outputs]`
    /// - output: `[n, outputs]`
    fn feature_linear(
        table: Tensor<Self, 2>,
        ids: Tensor<Self, 1, Int>,
        weight: Tensor<Self, 2>,
        epilogue: Epilogue<Self>,
    ) -> Tensor<Self, 2> {
        Self::epilogue(Self::feature_products(table, ids, weight), epilogue)
    }

    /// The rows `ids` of a table times a weight, without a gradient.
    fn feature_products(
        table: Tensor<Self, 2>,
        ids: Tensor<Self, 1, Int>,
        weight: Tensor<Self, 2>,
    ) -> Tensor<Self, 2> {
        Self::gather_rows(table, ids).matmul(weight)
    }

    /// The gradient of [`feature_products`](Self::feature_products) by the weight, `[inputs, outputs]`.
    fn feature_products_backward(
        grad: Tensor<Self, 2>,
        table: Tensor<Self, 2>,
        ids: Tensor<Self, 1, Int>,
    ) -> Tensor<Self, 2> {
        Self::gather_rows(table, ids).transpose().matmul(grad)
    }

    /// Rows with mean 0 and variance 1, times `gamma` plus `beta`; differentiable.
    ///
    /// # Shapes
    ///
    /// - x, output: `[rows, dim]`
    /// - gamma, beta: `[dim]`
    fn fused_layer_norm(
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        beta: Tensor<Self, 1>,
        epsilon: f32,
    ) -> Tensor<Self, 2> {
        Self::fused_layer_norm_forward(x, gamma, beta, epsilon).output
    }

    /// [`fused_layer_norm`](Self::fused_layer_norm) beside each row's mean and inverse deviation.
    fn fused_layer_norm_forward(
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        beta: Tensor<Self, 1>,
        epsilon: f32,
    ) -> Normalized<Self> {
        plain::layer_norm_forward(x, gamma, beta, epsilon)
    }

    /// Gradients of [`fused_layer_norm`](Self::fused_layer_norm) by `x`, `gamma` and `beta`.
    fn fused_layer_norm_backward(
        grad: Tensor<Self, 2>,
        x: Tensor<Self, 2>,
        gamma: Tensor<Self, 1>,
        normalized: Normalized<Self>,
    ) -> (Tensor<Self, 2>, Tensor<Self, 1>, Tensor<Self, 1>) {
        plain::layer_norm_backward(grad, x, gamma, normalized)
    }

    /// Self-attention of short sequences; differentiable.
    ///
    /// # Shapes
    ///
    /// - qkv: `[batch, seq, 3 * d_model]`, each row query, key and value, each of them `n_heads` heads
    /// - output: `[batch, seq, d_model]`
    ///
    /// # Panics
    ///
    /// If the heads do not divide `d_model`, where the backend notices.
    fn fused_attention(qkv: Tensor<Self, 3>, attention: Attention<Self>) -> Tensor<Self, 3> {
        Self::fused_attention_forward(qkv, attention).0
    }

    /// [`fused_attention`](Self::fused_attention) beside its probabilities before dropout, `[batch, heads, seq, seq]`.
    fn fused_attention_forward(
        qkv: Tensor<Self, 3>,
        attention: Attention<Self>,
    ) -> (Tensor<Self, 3>, Tensor<Self, 4>) {
        plain::attention_forward(qkv, attention)
    }

    /// The gradient of [`fused_attention`](Self::fused_attention) by `qkv`.
    fn fused_attention_backward(
        grad: Tensor<Self, 3>,
        qkv: Tensor<Self, 3>,
        probabilities: Tensor<Self, 4>,
        attention: Attention<Self>,
    ) -> Tensor<Self, 3> {
        plain::attention_backward(grad, qkv, probabilities, attention)
    }

    /// A row for each slot of a knowledge graph: its neighbours, weighted by the attention of its relation;
    /// differentiable by entities and logits.
    ///
    /// With the links `n` of slot `s`, their entities `e(n)` and the relation `r(s)`:
    ///
    /// ```text
    /// weight[n] = exp(logits[e(n), r(s)]) / sum over the links m of s of exp(logits[e(m), r(s)])
    /// output[s] = sum over n of weight[n] * entities[e(n)]
    /// ```
    ///
    /// Logits of any size are safe; those that are 40 below the largest of their slot may have no weight at all. A slot
    /// without links has a row of zeros.
    ///
    /// # Shapes
    ///
    /// - entities: `[n_entities, dim]`
    /// - logits: `[n_entities, n_relations]`
    /// - output: `[n_slots, dim]`
    ///
    /// # Panics
    ///
    /// If the shapes are not those of the neighbourhoods.
    fn attend_neighbours(
        entities: Tensor<Self, 2>,
        logits: Tensor<Self, 2>,
        neighbours: &Neighbourhoods<Self>,
    ) -> Tensor<Self, 2> {
        Self::attend_neighbours_forward(entities, logits, neighbours).0
    }

    /// [`attend_neighbours`](Self::attend_neighbours) beside the weight of each link, `[n_links]`.
    ///
    /// # Panics
    ///
    /// As [`attend_neighbours`](Self::attend_neighbours).
    fn attend_neighbours_forward(
        entities: Tensor<Self, 2>,
        logits: Tensor<Self, 2>,
        neighbours: &Neighbourhoods<Self>,
    ) -> (Tensor<Self, 2>, Tensor<Self, 1>) {
        plain::attend_neighbours_forward(entities, logits, neighbours)
    }

    /// Gradients of [`attend_neighbours`](Self::attend_neighbours) by entities and logits, zero for what is in no link.
    ///
    /// `output` and `weights` are what the way forward gave.
    fn attend_neighbours_backward(
        grad: Tensor<Self, 2>,
        entities: Tensor<Self, 2>,
        output: Tensor<Self, 2>,
        weights: Tensor<Self, 1>,
        neighbours: &Neighbourhoods<Self>,
    ) -> (Tensor<Self, 2>, Tensor<Self, 2>) {
        plain::attend_neighbours_backward(grad, entities, output, weights, neighbours)
    }

    /// How far each user's taste agrees with what the graph knows of an item, each of its relations weighted by the
    /// user's attention; differentiable by tastes, logits and pooled rows.
    ///
    /// With the user `u` and the item of example `b`, whose slots `s` have the relations `r(s)`:
    ///
    /// ```text
    /// weight[s] = exp(logits[u, r(s)]) / sum over the slots t of the item of exp(logits[u, r(t)])
    /// output[b] = (slots of the item) * sum over s of weight[s] * (tastes[b] . pooled[s])
    /// ```
    ///
    /// An item without slots has the output 0. Equal logits make it the plain sum over slots.
    ///
    /// # Shapes
    ///
    /// - tastes: `[batch, dim]`
    /// - logits: `[n_users, n_relations]`
    /// - pooled: `[n_slots, dim]`, as of [`attend_neighbours`](Self::attend_neighbours)
    /// - users: one row of the logits for each example
    /// - items: one item of the neighbourhoods for each example
    /// - output: `[batch]`
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or a selection has not one row for each example.
    fn attend_relations(
        tastes: Tensor<Self, 2>,
        logits: Tensor<Self, 2>,
        pooled: Tensor<Self, 2>,
        users: &Selection<Self>,
        items: &Selection<Self>,
        neighbours: &Neighbourhoods<Self>,
    ) -> Tensor<Self, 1> {
        let (users, items, neighbours) = (users.clone(), items.clone(), neighbours.clone());
        let attention = RelationAttention { users, items, neighbours };
        Self::attend_relations_forward(tastes, logits, pooled, &attention).0
    }

    /// [`attend_relations`](Self::attend_relations) beside what the way back needs.
    ///
    /// # Panics
    ///
    /// As [`attend_relations`](Self::attend_relations).
    fn attend_relations_forward(
        tastes: Tensor<Self, 2>,
        logits: Tensor<Self, 2>,
        pooled: Tensor<Self, 2>,
        attention: &RelationAttention<Self>,
    ) -> (Tensor<Self, 1>, RelationWeights<Self>) {
        plain::attend_relations_forward(tastes, logits, pooled, attention)
    }

    /// Gradients of [`attend_relations`](Self::attend_relations) by tastes, logits and pooled rows.
    fn attend_relations_backward(
        grad: Tensor<Self, 1>,
        tastes: Tensor<Self, 2>,
        pooled: Tensor<Self, 2>,
        kept: RelationWeights<Self>,
        attention: &RelationAttention<Self>,
    ) -> (Tensor<Self, 2>, Tensor<Self, 2>, Tensor<Self, 2>) {
        plain::attend_relations_backward(grad, tastes, pooled, kept, attention)
    }

    /// The best `k` items for each query by inner product, best first, ties by the lower id.
    ///
    /// A query with fewer than `k` items left has its last places filled with id -1 and minus infinity. The matrix
    /// of all scores is never stored whole.
    ///
    /// # Shapes
    ///
    /// - queries: `[n, dim]`
    /// - items: `[n_items, dim]`
    /// - bias: `[n_items]`, added to the scores
    /// - seen: for each query the items left out, ascending
    /// - output: scores and ids, `[n, k]`
    ///
    /// # Panics
    ///
    /// If `k` exceeds `n_items`, or, where the backend notices, a query's seen ids do not ascend.
    fn top_k(
        queries: Tensor<Self, 2>,
        items: Tensor<Self, 2>,
        bias: Option<Tensor<Self, 1>>,
        seen: Option<&[Vec<u32>]>,
        k: usize,
    ) -> (Tensor<Self, 2>, Tensor<Self, 2, Int>) {
        plain::top_k(queries, items, bias, seen, k)
    }
}

/// A [`RecommenderBackend`] that differentiates and whose inner backend is one too: what training needs.
pub trait AutodiffRecommender:
    RecommenderBackend + AutodiffBackend<InnerBackend: RecommenderBackend>
{
}

impl<B> AutodiffRecommender for B
where
    B: RecommenderBackend + AutodiffBackend,
    B::InnerBackend: RecommenderBackend,
{
}
