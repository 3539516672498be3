//! Losses of queries against candidates, block of queries by block of queries.

use burn::tensor::activation::sigmoid;
use burn::tensor::backend::Backend;
use burn::tensor::{Bool, IndexingUpdateOp, Int, Tensor};

use crate::kernels::spec::{AccidentalHits, Against, CandidateGradients, CandidateLoss, Objective};

/// Scores held at once: 16 MB of them.
const SCORES_PER_BLOCK: usize = 1 << 22;
/// Below every score of a negative that is left out.
const LEFT_OUT: f32 = -1e30;

pub(crate) fn candidate_loss<B: Backend>(inputs: &CandidateLoss<B>, objective: Objective) -> Tensor<B, 1> {
    inputs.check();
    let loss = |block: Block<B>| (block.weight.clone() * slopes(&block, objective).loss).sum();
    blocks(inputs).map(loss).reduce(|sum, loss| sum + loss).unwrap_or_else(|| zero(inputs))
}

pub(crate) fn candidate_loss_forward<B: Backend>(
    inputs: &CandidateLoss<B>,
    objective: Objective,
) -> (Tensor<B, 1>, CandidateGradients<B>) {
    inputs.check();
    let mut loss = zero(inputs);
    let mut queries = vec![];
    let mut positives = vec![];
    let mut candidates = inputs.candidates.zeros_like();
    for block in blocks(inputs) {
        let Slopes { loss: losses, positive, negatives } = slopes(&block, objective);
        loss = loss + (block.weight.clone() * losses).sum();
        let weight = block.weight.clone() * inputs.scale;
        let (positive, negatives) = (positive * weight.clone(), negatives * weight);
        let by_positive = positive.clone() * block.positive_rows.clone();
        queries.push(by_positive + block.negatives.times_candidates(negatives.clone(), inputs));
        candidates = block.negatives.add_transposed(candidates, negatives, block.queries.clone());
        let change = positive * block.queries;
        match block.positives {
            Some(ids) => candidates = candidates.select_assign(0, ids, change, IndexingUpdateOp::Add),
            None => positives.push(change),
        }
    }
    let join =
        |parts: Vec<_>| if parts.is_empty() { inputs.queries.zeros_like() } else { Tensor::cat(parts, 0) };
    let own = matches!(inputs.against, Against::OwnPositive { .. }).then(|| join(positives));
    (loss, CandidateGradients { queries: join(queries), candidates, positives: own })
}

fn zero<B: Backend>(inputs: &CandidateLoss<B>) -> Tensor<B, 1> {
    Tensor::zeros([1], &inputs.queries.device())
}

/// Some queries with their scores, `[rows, ..]`.
struct Block<B: Backend> {
    queries: Tensor<B, 2>,
    /// Share of the mean loss, `[rows, 1]`.
    weight: Tensor<B, 2>,
    /// Where the positives' gradient goes, when they are rows of the candidates.
    positives: Option<Tensor<B, 1, Int>>,
    positive_rows: Tensor<B, 2>,
    /// `[rows, 1]`
    positive_scores: Tensor<B, 2>,
    /// `[rows, n_negatives]`
    negative_scores: Tensor<B, 2>,
    /// True where a column is no negative of the query's.
    left_out: Tensor<B, 2, Bool>,
    negatives: Negatives<B>,
}

/// Which rows of the candidates the negatives are.
enum Negatives<B: Backend> {
    /// All of them, in order.
    All,
    /// `[rows, n_negatives]`
    Drawn(Tensor<B, 2, Int>),
}

impl<B: Backend> Negatives<B> {
    /// For each query the sum of the negatives' rows times `slopes`.
    fn times_candidates(&self, slopes: Tensor<B, 2>, inputs: &CandidateLoss<B>) -> Tensor<B, 2> {
        match self {
            Self::All => slopes.matmul(inputs.candidates.clone()),
            Self::Drawn(ids) => {
                let rows = rows_of(&inputs.candidates, ids.clone());
                (rows * slopes.unsqueeze_dim(2)).sum_dim(1).squeeze_dim(1)
            }
        }
    }

    fn add_transposed(&self, to: Tensor<B, 2>, slopes: Tensor<B, 2>, queries: Tensor<B, 2>) -> Tensor<B, 2> {
        match self {
            Self::All => to + slopes.transpose().matmul(queries),
            Self::Drawn(ids) => {
                let [rows, n_negatives] = slopes.dims();
                let dim = queries.dims()[1];
                let change: Tensor<B, 3> = slopes.unsqueeze_dim(2) * queries.unsqueeze_dim(1);
                let change = change.reshape([rows * n_negatives, dim]);
                to.select_assign(0, ids.clone().reshape([rows * n_negatives]), change, IndexingUpdateOp::Add)
            }
        }
    }
}

/// `[rows, n_negatives, dim]`
fn rows_of<B: Backend>(candidates: &Tensor<B, 2>, ids: Tensor<B, 2, Int>) -> Tensor<B, 3> {
    let [rows, n_negatives] = ids.dims();
    let dim = candidates.dims()[1];
    candidates.clone().select(0, ids.reshape([rows * n_negatives])).reshape([rows, n_negatives, dim])
}

fn blocks<B: Backend>(inputs: &CandidateLoss<B>) -> impl Iterator<Item = Block<B>> {
    let [n, dim] = inputs.queries.dims();
    let columns = match &inputs.against {
        Against::All { .. } | Against::OwnPositive { .. } => inputs.candidates.dims()[0],
        // The rows of drawn negatives are held, too.
        Against::Drawn { negatives, .. } => negatives.dims()[1] * dim,
    };
    let rows = (SCORES_PER_BLOCK / columns.max(1)).max(1);
    let total = match &inputs.weights {
        None => Tensor::full([1], n as f32, &inputs.queries.device()),
        Some(weights) => {
            let total = weights.clone().sum();
            // Where every weight is 0, so is every share of the loss.
            total.clone().mask_fill(total.equal_elem(0.0), 1.0)
        }
    };
    (0..n).step_by(rows).map(move |start| block(inputs, start, rows.min(n - start), total.clone()))
}

fn block<B: Backend>(inputs: &CandidateLoss<B>, start: usize, rows: usize, total: Tensor<B, 1>) -> Block<B> {
    let queries = inputs.queries.clone().narrow(0, start, rows);
    let weights = match &inputs.weights {
        None => Tensor::ones([rows], &queries.device()),
        Some(weights) => weights.clone().narrow(0, start, rows),
    };
    let (positives, positive_rows) = match &inputs.against {
        Against::OwnPositive { rows: own, .. } => (None, own.clone().narrow(0, start, rows)),
        Against::All { positives, .. } | Against::Drawn { positives, .. } => {
            let ids = positives.clone().narrow(0, start, rows);
            (Some(ids.clone()), inputs.candidates.clone().select(0, ids))
        }
    };
    let product = (queries.clone() * positive_rows.clone()).sum_dim(1) * inputs.scale;
    let (negative_scores, left_out, negatives) = scored_negatives(inputs, &queries, start);
    Block {
        weight: (weights / total).unsqueeze_dim(1),
        positive_scores: with_positive_bias(product, inputs, start, positives.as_ref()),
        queries,
        positives,
        positive_rows,
        negative_scores,
        left_out,
        negatives,
    }
}

fn with_positive_bias<B: Backend>(
    product: Tensor<B, 2>,
    inputs: &CandidateLoss<B>,
    start: usize,
    positives: Option<&Tensor<B, 1, Int>>,
) -> Tensor<B, 2> {
    let rows = product.dims()[0];
    let bias = match (&inputs.against, &inputs.bias, positives) {
        (Against::OwnPositive { bias, .. }, ..) => bias.clone().map(|bias| bias.narrow(0, start, rows)),
        (_, Some(bias), Some(ids)) => Some(bias.clone().select(0, ids.clone())),
        _ => None,
    };
    match bias {
        None => product,
        Some(bias) => product + bias.unsqueeze_dim(1),
    }
}

fn scored_negatives<B: Backend>(
    inputs: &CandidateLoss<B>,
    queries: &Tensor<B, 2>,
    start: usize,
) -> (Tensor<B, 2>, Tensor<B, 2, Bool>, Negatives<B>) {
    let [rows, _] = queries.dims();
    if let Against::Drawn { positives, negatives } = &inputs.against {
        let ids = negatives.clone().narrow(0, start, rows);
        let product: Tensor<B, 3> =
            rows_of(&inputs.candidates, ids.clone()) * queries.clone().unsqueeze_dim(1);
        let mut scores = product.sum_dim(2).squeeze_dim::<2>(2) * inputs.scale;
        if let Some(bias) = &inputs.bias {
            let [rows, n_negatives] = ids.dims();
            let flat = ids.clone().reshape([rows * n_negatives]);
            scores = scores + bias.clone().select(0, flat).reshape([rows, n_negatives]);
        }
        let positives = positives.clone().narrow(0, start, rows).unsqueeze_dim::<2>(1);
        let left_out = ids.clone().equal(positives.expand(ids.dims()));
        return (scores, left_out, Negatives::Drawn(ids));
    }
    let mut scores = queries.clone().matmul(inputs.candidates.clone().transpose()) * inputs.scale;
    if let Some(bias) = &inputs.bias {
        scores = scores + bias.clone().unsqueeze_dim(0);
    }
    (scores, left_out(inputs, start, rows), Negatives::All)
}

fn left_out<B: Backend>(inputs: &CandidateLoss<B>, start: usize, rows: usize) -> Tensor<B, 2, Bool> {
    let device = inputs.queries.device();
    let n_candidates = inputs.candidates.dims()[0];
    let same = |columns: Tensor<B, 1, Int>, ids: &Tensor<B, 1, Int>| {
        let ids: Tensor<B, 2, Int> = ids.clone().narrow(0, start, rows).unsqueeze_dim(1);
        ids.expand([rows, n_candidates]).equal(columns.unsqueeze_dim::<2>(0).expand([rows, n_candidates]))
    };
    let by_hit = |hits: &AccidentalHits<B>| same(hits.candidate_ids.clone(), &hits.positive_ids);
    match &inputs.against {
        Against::All { positives, hits } => {
            let own = same(Tensor::arange(0..n_candidates as i64, &device), positives);
            match hits {
                None => own,
                Some(hits) => own.bool_or(by_hit(hits)),
            }
        }
        Against::OwnPositive { hits: Some(hits), .. } => by_hit(hits),
        _ => Tensor::full([rows, n_candidates], false, &device),
    }
}

/// The loss of each query, `[rows, 1]`, and its slope by each score.
struct Slopes<B: Backend> {
    loss: Tensor<B, 2>,
    positive: Tensor<B, 2>,
    negatives: Tensor<B, 2>,
}

fn slopes<B: Backend>(block: &Block<B>, objective: Objective) -> Slopes<B> {
    match objective {
        Objective::Softmax => softmax(block),
        Objective::Sigmoid { beta } => binary(block, beta),
        Objective::Bpr => bpr(block),
    }
}

fn softmax<B: Backend>(block: &Block<B>) -> Slopes<B> {
    let positive = block.positive_scores.clone();
    let negatives = block.negative_scores.clone().mask_fill(block.left_out.clone(), LEFT_OUT);
    let all = Tensor::cat(vec![positive.clone(), negatives], 1);
    let highest = all.clone().max_dim(1);
    let all = (all - highest.clone()).exp();
    let sum = all.clone().sum_dim(1);
    let n_negatives = block.left_out.dims()[1];
    let share = all / sum.clone();
    Slopes {
        loss: sum.log() + highest - positive,
        positive: share.clone().narrow(1, 0, 1) - 1.0,
        negatives: share.narrow(1, 1, n_negatives),
    }
}

fn binary<B: Backend>(block: &Block<B>, beta: f32) -> Slopes<B> {
    let positive = block.positive_scores.clone();
    let negatives = block.negative_scores.clone();
    let terms = n_negatives(block) + 1.0;
    let loss = softplus(negatives.clone()).mask_fill(block.left_out.clone(), 0.0).sum_dim(1);
    Slopes {
        loss: (softplus(positive.clone().neg()) * beta + loss) / terms.clone(),
        positive: sigmoid(positive.neg()) * -beta / terms.clone(),
        negatives: sigmoid(negatives).mask_fill(block.left_out.clone(), 0.0) / terms,
    }
}

fn bpr<B: Backend>(block: &Block<B>) -> Slopes<B> {
    let behind = block.negative_scores.clone() - block.positive_scores.clone();
    let terms = n_negatives(block).clamp_min(1.0);
    let loss = softplus(behind.clone()).mask_fill(block.left_out.clone(), 0.0).sum_dim(1);
    let negatives = sigmoid(behind).mask_fill(block.left_out.clone(), 0.0) / terms.clone();
    Slopes { loss: loss / terms, positive: negatives.clone().sum_dim(1).neg(), negatives }
}

/// `log(1 + e^x)`, also where `e^x` exceeds every number.
fn softplus<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    x.clone().clamp_min(0.0) + x.abs().neg().exp().log1p()
}

/// Negatives of each query that count, `[rows, 1]`.
fn n_negatives<B: Backend>(block: &Block<B>) -> Tensor<B, 2> {
    block.left_out.clone().bool_not().float().sum_dim(1)
}
