//! Losses of a positive against negatives drawn for each query.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};

use crate::RecommenderBackend;
use crate::kernels::spec::{Against, CandidateLoss, Objective};

/// For each query a positive and its negatives, all of them rows of one tensor.
///
/// Rows that many queries share, popular items for instance, are gathered once. A negative that is the positive of its
/// query counts for nothing.
#[derive(Debug, Clone)]
pub struct DrawnItems<B: Backend> {
    rows: Tensor<B, 2>,
    positives: Tensor<B, 1, Int>,
    negatives: Tensor<B, 2, Int>,
}

impl<B: Backend> DrawnItems<B> {
    /// The items of `n` queries.
    ///
    /// # Shapes
    ///
    /// - rows: `[n_rows, dim]`
    /// - positives: `[n]`, places in `rows`
    /// - negatives: `[n, n_negatives]`, places in `rows`
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    pub fn new(rows: Tensor<B, 2>, positives: Tensor<B, 1, Int>, negatives: Tensor<B, 2, Int>) -> Self {
        assert_eq!(positives.dims()[0], negatives.dims()[0], "one list of negatives for each positive");
        Self { rows, positives, negatives }
    }
}

/// Mean cross-entropy of each positive among itself and its own negatives.
///
/// # Shapes
///
/// - hidden: `[n, dim]`
/// - `log_q`: `[n_rows]`, natural log of each row's chance of being drawn
/// - weights: `[n]`
/// - output: `[1]`, in nats
///
/// # Panics
///
/// If the shapes do not fit, or a place is beyond the rows, where the backend notices.
///
/// # Source
///
/// Jean et al., ACL 2015, section 3, <https://arxiv.org/abs/1412.2007>, with negatives of each query's own.
pub fn sampled_softmax_drawn<B: RecommenderBackend>(
    hidden: Tensor<B, 2>,
    items: DrawnItems<B>,
    log_q: Option<Tensor<B, 1>>,
    weights: Option<Tensor<B, 1>>,
) -> Tensor<B, 1> {
    if let Some(log_q) = &log_q {
        assert_eq!(log_q.dims()[0], items.rows.dims()[0], "one log_q for each row");
    }
    loss(hidden, items, log_q.map(Tensor::neg), weights, Objective::Softmax)
}

/// Mean generalised binary cross-entropy: the positive's probability is raised to the power `beta` before its log is
/// taken, which undoes the overconfidence that few negatives teach. With `beta` 1 it is binary cross-entropy.
///
/// The terms of a query, its positive and its negatives, are averaged.
///
/// # Shapes
///
/// - hidden: `[n, dim]`
/// - weights: `[n]`
/// - output: `[1]`, in nats
///
/// # Panics
///
/// If `beta` is not in `[0, 1]`, the shapes do not fit, or a place is beyond the rows, where the backend notices.
///
/// # Source
///
/// Petrov and Macdonald, RecSys 2023, <https://doi.org/10.1145/3604915.3608783>.
pub fn gbce<B: RecommenderBackend>(
    hidden: Tensor<B, 2>,
    items: DrawnItems<B>,
    beta: f32,
    weights: Option<Tensor<B, 1>>,
) -> Tensor<B, 1> {
    assert!((0.0..=1.0).contains(&beta), "beta = {beta}, expected a number in [0, 1]");
    loss(hidden, items, None, weights, Objective::Sigmoid { beta })
}

/// The `beta` of [`gbce`] for a calibration `t`: 1 at `t` = 0, and at `t` = 1 the share of negatives that are drawn,
/// which calibrates the scores fully.
///
/// ```
/// use cresset_nn::loss::gbce_beta;
///
/// assert_eq!(gbce_beta(256, 3_417, 0.0), 1.0);
/// assert!((gbce_beta(256, 3_417, 1.0) - 256.0 / 3_416.0).abs() < 1e-7);
/// ```
///
/// # Panics
///
/// If `t` is not in `[0, 1]`, or `n_negatives` is 0 or not less than `n_items`.
///
/// # Source
///
/// Petrov and Macdonald, RecSys 2023, <https://doi.org/10.1145/3604915.3608783>.
pub fn gbce_beta(n_negatives: usize, n_items: usize, t: f64) -> f32 {
    assert!((0.0..=1.0).contains(&t), "t = {t}, expected a number in [0, 1]");
    let is_share = 0 < n_negatives && n_negatives < n_items;
    assert!(is_share, "n_negatives = {n_negatives}, expected at least 1 and less than the {n_items} items");
    let share = n_negatives as f64 / (n_items - 1) as f64;
    (share * (t * (1.0 - 1.0 / share) + 1.0 / share)) as f32
}

/// Mean over queries and their negatives of `-ln sigmoid(positive - negative)`.
///
/// # Shapes
///
/// - hidden: `[n, dim]`
/// - weights: `[n]`
/// - output: `[1]`, in nats
///
/// # Panics
///
/// If the shapes do not fit, or a place is beyond the rows, where the backend notices.
///
/// # Source
///
/// Rendle et al., UAI 2009, section 4.1, <https://arxiv.org/abs/1205.2618>, averaged over a query's negatives.
pub fn bpr_drawn<B: RecommenderBackend>(
    hidden: Tensor<B, 2>,
    items: DrawnItems<B>,
    weights: Option<Tensor<B, 1>>,
) -> Tensor<B, 1> {
    loss(hidden, items, None, weights, Objective::Bpr)
}

fn loss<B: RecommenderBackend>(
    queries: Tensor<B, 2>,
    items: DrawnItems<B>,
    bias: Option<Tensor<B, 1>>,
    weights: Option<Tensor<B, 1>>,
    objective: Objective,
) -> Tensor<B, 1> {
    let DrawnItems { rows: candidates, positives, negatives } = items;
    let against = Against::Drawn { positives, negatives };
    B::candidate_loss(CandidateLoss { queries, candidates, against, bias, scale: 1.0, weights }, objective)
}
