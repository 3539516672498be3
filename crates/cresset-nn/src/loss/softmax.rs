//! Cross-entropy of a positive among all items, those of the batch, or those drawn for the batch.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};

use crate::RecommenderBackend;
use crate::kernels::spec::{AccidentalHits, Against, CandidateLoss, Objective};

/// Rows of items, how likely each was to be drawn, and which items they are.
#[derive(Debug, Clone)]
pub struct SampledItems<B: Backend> {
    rows: Tensor<B, 2>,
    log_q: Option<Tensor<B, 1>>,
    ids: Option<Tensor<B, 1, Int>>,
}

impl<B: Backend> SampledItems<B> {
    /// Items that were all equally likely, and none of which stands there twice.
    ///
    /// # Shapes
    ///
    /// - rows: `[n, dim]`
    pub fn new(rows: Tensor<B, 2>) -> Self {
        Self { rows, log_q: None, ids: None }
    }

    /// The items with the natural log of each one's chance of being drawn, which is taken from its scores.
    ///
    /// # Shapes
    ///
    /// - `log_q`: `[n]`
    ///
    /// # Panics
    ///
    /// If the length is another.
    pub fn with_log_q(self, log_q: Tensor<B, 1>) -> Self {
        assert_eq!(log_q.dims()[0], self.rows.dims()[0], "one log_q for each item");
        Self { log_q: Some(log_q), ..self }
    }

    /// The items with their ids, by which a negative is known to be the positive, and left out.
    ///
    /// # Shapes
    ///
    /// - ids: `[n]`
    ///
    /// # Panics
    ///
    /// If the length is another.
    pub fn with_ids(self, ids: Tensor<B, 1, Int>) -> Self {
        assert_eq!(ids.dims()[0], self.rows.dims()[0], "one id for each item");
        Self { ids: Some(ids), ..self }
    }

    fn bias(&self) -> Option<Tensor<B, 1>> {
        self.log_q.clone().map(Tensor::neg)
    }
}

/// Mean cross-entropy of each target among all items, whose scores are the inner products.
///
/// # Shapes
///
/// - hidden: `[n, dim]`
/// - items: `[n_items, dim]`
/// - targets: `[n]`, rows of `items`
/// - weights: `[n]`
/// - output: `[1]`, in nats
///
/// # Panics
///
/// If the shapes do not fit, or a target is beyond the items, where the backend notices.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use cresset_nn::loss::catalogue_cross_entropy;
/// use cresset_nn::{id_tensor, scalar};
///
/// let device = Default::default();
/// let hidden = Tensor::<Flex, 2>::zeros([2, 8], &device);
/// let items = Tensor::ones([1000, 8], &device);
/// let loss = catalogue_cross_entropy(hidden, items, id_tensor(&[7, 9], &device), None);
/// assert!((scalar(loss) - 1000f32.ln()).abs() < 1e-4); // nothing is known yet
/// ```
pub fn catalogue_cross_entropy<B: RecommenderBackend>(
    hidden: Tensor<B, 2>,
    items: Tensor<B, 2>,
    targets: Tensor<B, 1, Int>,
    weights: Option<Tensor<B, 1>>,
) -> Tensor<B, 1> {
    let against = Against::All { positives: targets, hits: None };
    softmax(hidden, items, against, None, 1.0, weights)
}

/// Mean cross-entropy of each query's item among those of the whole batch: `s(q, i) / temperature - log_q`.
///
/// Item `i` is the positive of query `i` and a negative of all others, but for those whose positive has the same id.
///
/// # Shapes
///
/// - queries: `[batch, dim]`
/// - items: `[batch, dim]`
/// - output: `[1]`, in nats
///
/// # Panics
///
/// If the shapes differ, or the temperature is not a finite number above 0.
///
/// # Source
///
/// Yi et al., RecSys 2019, section 3, <https://doi.org/10.1145/3298689.3346996>, with every reward set to 1.
pub fn in_batch_softmax<B: RecommenderBackend>(
    queries: Tensor<B, 2>,
    items: SampledItems<B>,
    temperature: f32,
) -> Tensor<B, 1> {
    assert_eq!(queries.dims(), items.rows.dims(), "one item for each query");
    let positives = diagonal(&queries);
    let hits = items.ids.clone().map(|ids| AccidentalHits { candidate_ids: ids.clone(), positive_ids: ids });
    let bias = items.bias();
    softmax(queries, items.rows, Against::All { positives, hits }, bias, temperature.recip(), None)
}

/// Mean cross-entropy of row `i` of `b` among all rows of `b`, for row `i` of `a`: one way, from `a` to `b`.
///
/// Scores are inner products over the temperature; for cosines, pass rows of length 1.
///
/// # Shapes
///
/// - a, b: `[batch, dim]`
/// - output: `[1]`, in nats
///
/// # Panics
///
/// If the shapes differ, or the temperature is not a finite number above 0.
///
/// # Source
///
/// van den Oord et al., 2018, equation 4, <https://arxiv.org/abs/1807.03748>, with the log of `f` the score.
pub fn info_nce<B: RecommenderBackend>(a: Tensor<B, 2>, b: Tensor<B, 2>, temperature: f32) -> Tensor<B, 1> {
    in_batch_softmax(a, SampledItems::new(b), temperature)
}

/// Mean of [`info_nce`] from `a` to `b` and from `b` to `a`.
///
/// # Shapes
///
/// - a, b: `[batch, dim]`
/// - output: `[1]`, in nats
///
/// # Panics
///
/// If the shapes differ, or the temperature is not a finite number above 0.
///
/// # Source
///
/// Radford et al., ICML 2021, figure 3, <https://arxiv.org/abs/2103.00020>.
pub fn info_nce_both_ways<B: RecommenderBackend>(
    a: Tensor<B, 2>,
    b: Tensor<B, 2>,
    temperature: f32,
) -> Tensor<B, 1> {
    (info_nce(a.clone(), b.clone(), temperature) + info_nce(b, a, temperature)) * 0.5
}

/// Mean cross-entropy of each positive among itself and negatives that all queries share.
///
/// # Shapes
///
/// - hidden: `[n, dim]`
/// - positives: `n` items
/// - negatives: any number of items
/// - weights: `[n]`
/// - output: `[1]`, in nats
///
/// # Panics
///
/// If the shapes do not fit, or one of positives and negatives has ids and the other has not.
///
/// # Source
///
/// Jean et al., ACL 2015, section 3, <https://arxiv.org/abs/1412.2007>; accidental hits are left out.
pub fn sampled_softmax<B: RecommenderBackend>(
    hidden: Tensor<B, 2>,
    positives: SampledItems<B>,
    negatives: SampledItems<B>,
    weights: Option<Tensor<B, 1>>,
) -> Tensor<B, 1> {
    assert_eq!(hidden.dims(), positives.rows.dims(), "one positive for each query");
    let hits = match (&negatives.ids, &positives.ids) {
        (Some(candidate_ids), Some(positive_ids)) => {
            Some(AccidentalHits { candidate_ids: candidate_ids.clone(), positive_ids: positive_ids.clone() })
        }
        (candidate_ids, positive_ids) => {
            assert!(candidate_ids.is_none() && positive_ids.is_none(), "ids of both positives and negatives");
            None
        }
    };
    let bias = negatives.bias();
    let against = Against::OwnPositive { bias: positives.bias(), rows: positives.rows, hits };
    softmax(hidden, negatives.rows, against, bias, 1.0, weights)
}

fn softmax<B: RecommenderBackend>(
    queries: Tensor<B, 2>,
    candidates: Tensor<B, 2>,
    against: Against<B>,
    bias: Option<Tensor<B, 1>>,
    scale: f32,
    weights: Option<Tensor<B, 1>>,
) -> Tensor<B, 1> {
    B::candidate_loss(
        CandidateLoss { queries, candidates, against, bias, scale, weights },
        Objective::Softmax,
    )
}

/// Row `i` for query `i`.
fn diagonal<B: Backend>(queries: &Tensor<B, 2>) -> Tensor<B, 1, Int> {
    Tensor::arange(0..queries.dims()[0] as i64, &queries.device())
}
