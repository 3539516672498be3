//! Losses of queries against candidates: scores by a product, then one kernel that turns a block of them in place into
//! their slopes, then two products.

use burn::tensor::{DType, Int, Tensor};
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::device::{highest_of_cube, sum_of_cube};
use super::host::{CubeTensors, WIDE, address_type, cubes, empty, floats, ints, is_f32, optional, tensor};
use crate::kernels::plain;
use crate::kernels::spec::{Against, CandidateGradients, CandidateLoss, Objective};

/// Scores held at once: 64 MB of them.
const SCORES_PER_BLOCK: usize = 1 << 24;

pub(super) fn candidate_loss<B: CubeTensors>(
    inputs: &CandidateLoss<B>,
    objective: Objective,
) -> Tensor<B, 1> {
    inputs.check();
    if !is_served(inputs) {
        return plain::candidate_loss(inputs, objective);
    }
    let shares = shares(inputs);
    let losses = blocks(inputs, SCORES_PER_BLOCK).map(|block| {
        let weight = shares.clone().narrow(0, block.start, block.rows);
        slopes(inputs, &block, weight, objective, false).loss
    });
    losses.reduce(|sum, loss| sum + loss).expect("there is a query")
}

pub(super) fn candidate_loss_forward<B: CubeTensors>(
    inputs: &CandidateLoss<B>,
    objective: Objective,
) -> (Tensor<B, 1>, CandidateGradients<B>) {
    candidate_loss_in_blocks(inputs, objective, SCORES_PER_BLOCK)
}

pub(super) fn candidate_loss_in_blocks<B: CubeTensors>(
    inputs: &CandidateLoss<B>,
    objective: Objective,
    scores_per_block: usize,
) -> (Tensor<B, 1>, CandidateGradients<B>) {
    inputs.check();
    if !is_served(inputs) {
        return plain::candidate_loss_forward(inputs, objective);
    }
    let shares = shares(inputs);
    let mut loss: Option<Tensor<B, 1>> = None;
    let mut candidates: Option<Tensor<B, 2>> = None;
    let (mut queries, mut positives) = (vec![], vec![]);
    for block in blocks(inputs, scores_per_block) {
        let weight = shares.clone().narrow(0, block.start, block.rows);
        let slopes = slopes(inputs, &block, weight, objective, true);
        let mut by_query = slopes.negatives.clone().matmul(inputs.candidates.clone());
        let by_candidate = slopes.negatives.transpose().matmul(block.queries.clone());
        if let Some((slope, rows)) = slopes.positive.zip(block.positive_rows) {
            by_query = by_query + rows * slope.clone();
            positives.push(block.queries * slope);
        }
        queries.push(by_query);
        loss = Some(added(loss, slopes.loss));
        candidates = Some(added(candidates, by_candidate));
    }
    let own = matches!(inputs.against, Against::OwnPositive { .. }).then(|| Tensor::cat(positives, 0));
    let rule = "there is a query";
    let gradients = CandidateGradients {
        queries: Tensor::cat(queries, 0),
        candidates: candidates.expect(rule),
        positives: own,
    };
    (loss.expect(rule), gradients)
}

fn added<B: CubeTensors, const D: usize>(sum: Option<Tensor<B, D>>, term: Tensor<B, D>) -> Tensor<B, D> {
    match sum {
        None => term,
        Some(sum) => sum + term,
    }
}

/// The negatives that a query draws are few and their rows scattered: the default body, until loaders group them.
fn is_served<B: CubeTensors>(inputs: &CandidateLoss<B>) -> bool {
    let [n, dim] = inputs.queries.dims();
    let some = n * dim * inputs.candidates.dims()[0] > 0;
    let floats = is_f32(&inputs.queries) && is_f32(&inputs.candidates);
    some && floats && !matches!(inputs.against, Against::Drawn { .. })
}

/// Each query's share of the mean loss, `[n]`.
fn shares<B: CubeTensors>(inputs: &CandidateLoss<B>) -> Tensor<B, 1> {
    let n = inputs.queries.dims()[0];
    match &inputs.weights {
        None => Tensor::full([n], 1.0 / n as f32, &inputs.queries.device()),
        Some(weights) => {
            let total = weights.clone().sum();
            // Where every weight is 0, so is every share of the loss.
            weights.clone() / total.clone().mask_fill(total.equal_elem(0.0), 1.0)
        }
    }
}

/// Some queries, and their own positives.
struct Block<B: CubeTensors> {
    start: usize,
    rows: usize,
    /// `[rows, dim]`
    queries: Tensor<B, 2>,
    positive_rows: Option<Tensor<B, 2>>,
}

fn blocks<B: CubeTensors>(
    inputs: &CandidateLoss<B>,
    scores_per_block: usize,
) -> impl Iterator<Item = Block<B>> {
    let n = inputs.queries.dims()[0];
    let most = (scores_per_block / inputs.candidates.dims()[0]).max(1);
    (0..n).step_by(most).map(move |start| {
        let rows = most.min(n - start);
        let positive_rows = match &inputs.against {
            Against::OwnPositive { rows: own, .. } => Some(own.clone().narrow(0, start, rows)),
            _ => None,
        };
        Block { start, rows, queries: inputs.queries.clone().narrow(0, start, rows), positive_rows }
    })
}

/// The loss of a block and its slopes by the inner products.
struct Slopes<B: CubeTensors> {
    /// `[1]`
    loss: Tensor<B, 1>,
    /// `[rows, n_candidates]`
    negatives: Tensor<B, 2>,
    /// `[rows, 1]`, of a positive of the query's own.
    positive: Option<Tensor<B, 2>>,
}

fn slopes<B: CubeTensors>(
    inputs: &CandidateLoss<B>,
    block: &Block<B>,
    weight: Tensor<B, 1>,
    objective: Objective,
    with_slopes: bool,
) -> Slopes<B> {
    let scores = floats(block.queries.clone().matmul(inputs.candidates.clone().transpose()));
    let found = empty(&scores, [block.rows, 2], DType::F32);
    let (count, cube_dim) = cubes(&scores.client, block.rows, WIDE);
    let part = |ids: &Tensor<B, 1, Int>| ints(ids.clone().narrow(0, block.start, block.rows));
    let (positives, hits) = match &inputs.against {
        Against::All { positives, hits } => (Some(part(positives)), hits),
        Against::OwnPositive { hits, .. } => (None, hits),
        Against::Drawn { .. } => unreachable!("drawn negatives are not served"),
    };
    let beta = if let Objective::Sigmoid { beta } = objective { beta } else { 1.0 };
    kernel::launch::<B::Runtime>(
        &scores.client,
        count,
        cube_dim,
        address_type(&[&scores]),
        scores.clone().into_array_arg(),
        RowsLaunch::new(
            optional(positives),
            optional(positive_scores(inputs, block)),
            optional(hits.as_ref().map(|hits| part(&hits.positive_ids))),
            floats(weight).into_array_arg(),
        ),
        CandidatesLaunch::new(
            optional(hits.as_ref().map(|hits| ints(hits.candidate_ids.clone()))),
            optional(inputs.bias.clone().map(floats)),
            inputs.candidates.dims()[0],
            inputs.scale,
        ),
        found.clone().into_array_arg(),
        beta,
        objective.into(),
        with_slopes,
    );
    let found: Tensor<B, 2> = tensor(found);
    Slopes {
        loss: found.clone().narrow(1, 0, 1).sum(),
        negatives: tensor(scores),
        positive: block.positive_rows.is_some().then(|| found.narrow(1, 1, 1)),
    }
}

/// Scores of the queries' own positives, `[rows]`.
fn positive_scores<B: CubeTensors>(
    inputs: &CandidateLoss<B>,
    block: &Block<B>,
) -> Option<CubeTensor<B::Runtime>> {
    let rows = block.positive_rows.clone()?;
    let scores: Tensor<B, 1> = (block.queries.clone() * rows).sum_dim(1).squeeze_dim(1) * inputs.scale;
    let scores = match &inputs.against {
        Against::OwnPositive { bias: Some(bias), .. } => {
            scores + bias.clone().narrow(0, block.start, block.rows)
        }
        _ => scores,
    };
    Some(floats(scores))
}

/// [`Objective`] as a part of a kernel's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Softmax,
    Sigmoid,
    Bpr,
}

impl From<Objective> for Kind {
    fn from(objective: Objective) -> Self {
        match objective {
            Objective::Softmax => Self::Softmax,
            Objective::Sigmoid { .. } => Self::Sigmoid,
            Objective::Bpr => Self::Bpr,
        }
    }
}

/// What is known of each query.
#[derive(CubeType, CubeLaunch)]
struct Rows {
    /// The column of the positive, where it is one of the candidates.
    positives: ComptimeOption<Array<i32>>,
    /// Its score, where it is not.
    scores: ComptimeOption<Array<f32>>,
    /// Its id, where hits are left out.
    ids: ComptimeOption<Array<i32>>,
    /// The query's share of the loss.
    weights: Array<f32>,
}

/// What a cube knows of its query.
#[derive(CubeType)]
struct Query {
    /// Where its scores begin.
    start: usize,
    /// The positive's column; the number of candidates where it is none of them.
    positive: usize,
    positive_score: f32,
    positive_id: i32,
}

/// What is known of the candidates.
#[derive(CubeType, CubeLaunch)]
struct Candidates {
    ids: ComptimeOption<Array<i32>>,
    bias: ComptimeOption<Array<f32>>,
    n: usize,
    /// Multiplies the inner products.
    scale: f32,
}

#[cube]
fn score(scores: &Array<f32>, candidates: &Candidates, start: usize, column: usize) -> f32 {
    let score = scores[start + column] * candidates.scale;
    #[comptime]
    match &candidates.bias {
        ComptimeOption::Some(bias) => score + bias[column],
        ComptimeOption::None => score,
    }
}

#[cube]
fn is_negative(query: &Query, candidates: &Candidates, column: usize) -> bool {
    let other = column != query.positive;
    #[comptime]
    match &candidates.ids {
        ComptimeOption::Some(ids) => other && ids[column] != query.positive_id,
        ComptimeOption::None => other,
    }
}

#[cube]
fn query(scores: &Array<f32>, rows: &Rows, candidates: &Candidates) -> Query {
    let start = CUBE_POS * candidates.n;
    #[comptime]
    let positive = match &rows.positives {
        ComptimeOption::Some(positives) => positives[CUBE_POS] as usize,
        ComptimeOption::None => candidates.n,
    };
    #[comptime]
    let positive_score = match &rows.scores {
        ComptimeOption::Some(own) => own[CUBE_POS],
        ComptimeOption::None => score(scores, candidates, start, positive),
    };
    #[comptime]
    let positive_id = match &rows.ids {
        ComptimeOption::Some(ids) => ids[CUBE_POS],
        ComptimeOption::None => 0i32.runtime(),
    };
    Query { start, positive, positive_score, positive_id }
}

/// One cube for each query: its loss and the slope by its own positive go to `found`, the slopes by the candidates
/// take the scores' place.
#[cube(launch, address_type = "dynamic")]
fn kernel(
    scores: &mut Array<f32>,
    rows: &Rows,
    candidates: &Candidates,
    found: &mut Array<f32>,
    beta: f32,
    #[comptime] kind: Kind,
    #[comptime] with_slopes: bool,
) {
    if CUBE_POS >= rows.weights.len() {
        terminate!();
    }
    let query = query(scores, rows, candidates);
    let mut shared = SharedMemory::<f32>::new(comptime!(WIDE as usize));
    let level = level(scores, &query, candidates, &mut shared, kind);
    let mut sum = 0.0f32;
    let mut slope_sum = 0.0f32;
    let mut count = 0.0f32;
    let mut column = UNIT_POS as usize;
    while column < candidates.n {
        if is_negative(&query, candidates, column) {
            let above = score(scores, candidates, query.start, column) - level;
            sum += term(above, kind);
            slope_sum += slope(above, kind);
            count += 1.0f32;
        }
        column += WIDE as usize;
    }
    let sum = sum_of_cube(sum, &mut shared, WIDE);
    let count = sum_of_cube(count, &mut shared, WIDE);
    let slope_sum = sum_of_cube(slope_sum, &mut shared, WIDE);
    let outcome = outcome(&query, level, sum, slope_sum, count, beta, kind);
    let weight = rows.weights[CUBE_POS];
    let slope_weight = weight * candidates.scale;
    if UNIT_POS == 0 {
        found[CUBE_POS * 2] = outcome.loss * weight;
        found[CUBE_POS * 2 + 1] = outcome.positive_slope * slope_weight;
    }
    if with_slopes {
        let mut column = UNIT_POS as usize;
        while column < candidates.n {
            let mut by_score = 0.0f32;
            if is_negative(&query, candidates, column) {
                let above = score(scores, candidates, query.start, column) - level;
                by_score = slope(above, kind) / outcome.divisor;
            } else if column == query.positive {
                by_score = outcome.positive_slope;
            }
            scores[query.start + column] = by_score * slope_weight;
            column += WIDE as usize;
        }
    }
}

/// What is taken off every score: the highest of them, nothing, or the positive's.
#[cube]
fn level(
    scores: &Array<f32>,
    query: &Query,
    candidates: &Candidates,
    shared: &mut SharedMemory<f32>,
    #[comptime] kind: Kind,
) -> f32 {
    match comptime!(kind) {
        Kind::Softmax => {
            let mut highest = query.positive_score;
            let mut column = UNIT_POS as usize;
            while column < candidates.n {
                if is_negative(query, candidates, column) {
                    highest = max(highest, score(scores, candidates, query.start, column));
                }
                column += WIDE as usize;
            }
            highest_of_cube(highest, shared, WIDE)
        }
        // Every unit has read the positive's score before one of them writes.
        Kind::Sigmoid => 0.0f32.runtime(),
        Kind::Bpr => query.positive_score,
    }
}

/// What a negative adds to the loss, or to the sum that the loss is the logarithm of.
#[cube]
fn term(above: f32, #[comptime] kind: Kind) -> f32 {
    match comptime!(kind) {
        Kind::Softmax => above.exp(),
        Kind::Sigmoid | Kind::Bpr => softplus(above),
    }
}

/// The slope of [`term`].
#[cube]
fn slope(above: f32, #[comptime] kind: Kind) -> f32 {
    match comptime!(kind) {
        Kind::Softmax => above.exp(),
        Kind::Sigmoid | Kind::Bpr => sigmoid(above),
    }
}

/// What the sums over a query's negatives come to.
#[derive(CubeType)]
struct Outcome {
    loss: f32,
    positive_slope: f32,
    /// Divides the slopes of the negatives.
    divisor: f32,
}

#[cube]
fn outcome(
    query: &Query,
    level: f32,
    sum: f32,
    slope_sum: f32,
    count: f32,
    beta: f32,
    #[comptime] kind: Kind,
) -> Outcome {
    let positive = query.positive_score;
    match comptime!(kind) {
        Kind::Softmax => {
            let own = (positive - level).exp();
            let divisor = sum + own;
            Outcome { loss: divisor.ln() + level - positive, positive_slope: own / divisor - 1.0, divisor }
        }
        Kind::Sigmoid => {
            let divisor = count + 1.0;
            Outcome {
                loss: (softplus(-positive) * beta + sum) / divisor,
                positive_slope: -sigmoid(-positive) * beta / divisor,
                divisor,
            }
        }
        Kind::Bpr => {
            let divisor = max(count, 1.0);
            Outcome { loss: sum / divisor, positive_slope: -slope_sum / divisor, divisor }
        }
    }
}

/// `ln(1 + exp(x))`.
#[cube]
fn softplus(x: f32) -> f32 {
    max(x, 0.0) + (-x.abs()).exp().log1p()
}

#[cube]
fn sigmoid(x: f32) -> f32 {
    let small = (-x.abs()).exp();
    select(x < 0.0, small, 1.0) / (1.0 + small)
}
