//! How well one ranked list puts the relevant items first.

use crate::MetricError;
use crate::discount::{discount, ideal_dcg};

/// 1 if any relevant item is among the first `k`, else 0.
///
/// The functions of this kind take a list in its final order, best first. It may be shorter than `k`,
/// or empty; what it lacks counts as not relevant. For scores, whose ties leave the order open, see
/// [`RelevantRanks`](crate::RelevantRanks).
///
/// # Errors
///
/// If `k` is 0, an item is twice in either list, or no item is relevant ([`MetricError::Undefined`]).
pub fn hit_rate_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    let list = Judged::new("hit_rate", ranked, relevant, k)?;
    Ok(if list.hits().next().is_some() { 1.0 } else { 0.0 })
}

/// Hits among the first `k`, divided by `k`.
///
/// # Errors
///
/// As [`hit_rate_at_k`].
pub fn precision_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    let list = Judged::new("precision", ranked, relevant, k)?;
    Ok(list.n_hits() / k as f64)
}

/// Hits among the first `k`, divided by the number of relevant items.
///
/// # Errors
///
/// As [`hit_rate_at_k`].
pub fn recall_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    let list = Judged::new("recall", ranked, relevant, k)?;
    Ok(list.n_hits() / relevant.len() as f64)
}

/// Hits among the first `k`, divided by min(relevant, k), the hits that `k` places allow.
///
/// A variant of [`recall_at_k`], which a user with more than `k` relevant items cannot bring to 1.
///
/// # Errors
///
/// As [`hit_rate_at_k`].
pub fn recall_capped_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    let list = Judged::new("recall_capped", ranked, relevant, k)?;
    Ok(list.n_hits() / relevant.len().min(k) as f64)
}

/// Harmonic mean of [`precision_at_k`] and [`recall_at_k`], which is 2 hits / (k + relevant).
///
/// # Errors
///
/// As [`hit_rate_at_k`].
///
/// # Source
///
/// Van Rijsbergen, Information Retrieval, 2nd edition, Butterworths, 1979, with equal weights.
pub fn f1_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    let list = Judged::new("f1", ranked, relevant, k)?;
    Ok(2.0 * list.n_hits() / (k as f64 + relevant.len() as f64))
}

/// One divided by the rank of the first relevant item, 0 if none is among the first `k`.
///
/// ```
/// assert_eq!(cresset_metrics::mrr_at_k(&[8, 4, 9], &[9, 4], 10), Ok(0.5));
/// ```
///
/// # Errors
///
/// As [`hit_rate_at_k`].
///
/// # Source
///
/// Voorhees, The TREC-8 question answering track report, TREC 1999.
pub fn mrr_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    let list = Judged::new("mrr", ranked, relevant, k)?;
    Ok(list.hits().next().map_or(0.0, |position| 1.0 / (position + 1) as f64))
}

/// Precision at the rank of each hit among the first `k`, summed and divided by min(relevant, k).
///
/// Its mean over users is `map@k`.
///
/// ```
/// // Hits at ranks 1 and 3: (1/1 + 2/3) / min(2, 10).
/// let value = cresset_metrics::average_precision_at_k(&[4, 8, 9], &[4, 9], 10)?;
/// assert_eq!(value, (1.0 + 2.0 / 3.0) / 2.0);
/// # Ok::<(), cresset_metrics::MetricError>(())
/// ```
///
/// # Errors
///
/// As [`hit_rate_at_k`].
///
/// # Source
///
/// Buckley and Voorhees, Evaluating evaluation measure stability, SIGIR 2000,
/// <https://doi.org/10.1145/345508.345543>, cut at k and divided by what k places allow.
pub fn average_precision_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    let list = Judged::new("map", ranked, relevant, k)?;
    Ok(list.precision_sum() / relevant.len().min(k) as f64)
}

/// As [`average_precision_at_k`], but divided by the number of relevant items however small `k` is.
///
/// The definition of TREC's evaluation program (`map_cut`); here under its own name, `map_by_relevant`.
///
/// # Errors
///
/// As [`hit_rate_at_k`].
pub fn average_precision_by_relevant_at_k(
    ranked: &[u32],
    relevant: &[u32],
    k: usize,
) -> Result<f64, MetricError> {
    let list = Judged::new("map_by_relevant", ranked, relevant, k)?;
    Ok(list.precision_sum() / relevant.len() as f64)
}

/// Normalised discounted cumulative gain: binary gain, discount 1 / log2(rank + 1), and as the ideal
/// min(relevant, k) hits at the top.
///
/// ```
/// use cresset_metrics::ndcg_at_k;
///
/// // DCG = 1/log2(3 + 1) = 0.5; ideal DCG = 1/log2(2) = 1.
/// assert_eq!(ndcg_at_k(&[8, 9, 4], &[4], 10), Ok(0.5));
/// ```
///
/// # Errors
///
/// As [`hit_rate_at_k`].
///
/// # Source
///
/// Järvelin and Kekäläinen, ACM TOIS 20(4), 2002, <https://doi.org/10.1145/582415.582418>, with binary gain
/// and the discount from rank 2 on (log2(1 + rank)), as is now usual.
pub fn ndcg_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    let list = Judged::new("ndcg", ranked, relevant, k)?;
    Ok(list.dcg() / ideal_dcg(relevant.len().min(k)))
}

/// As [`ndcg_at_k`], but the ideal is `k` hits, even if fewer items are relevant.
///
/// Some libraries publish this as NDCG; under leave-one-out no list reaches 1 in it from k = 2 on. Here it
/// has its own name, `ndcg_ideal_k`.
///
/// # Errors
///
/// As [`hit_rate_at_k`].
pub fn ndcg_ideal_k_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    let list = Judged::new("ndcg_ideal_k", ranked, relevant, k)?;
    Ok(list.dcg() / ideal_dcg(k))
}

/// The first `k` of a list, and the relevant items in rising order.
struct Judged<'a> {
    top: &'a [u32],
    relevant: Vec<u32>,
}

impl<'a> Judged<'a> {
    fn new(metric: &'static str, ranked: &'a [u32], relevant: &[u32], k: usize) -> Result<Self, MetricError> {
        if k == 0 {
            return Err(MetricError::ZeroCutoff);
        }
        if relevant.is_empty() {
            return Err(MetricError::Undefined { metric, reason: "no item is relevant".to_owned() });
        }
        sorted_distinct("ranked", ranked)?;
        let relevant = sorted_distinct("relevant", relevant)?;
        Ok(Self { top: &ranked[..k.min(ranked.len())], relevant })
    }

    /// The positions of the hits, from 0.
    fn hits(&self) -> impl Iterator<Item = usize> {
        (0..self.top.len()).filter(|&position| self.relevant.binary_search(&self.top[position]).is_ok())
    }

    fn n_hits(&self) -> f64 {
        self.hits().count() as f64
    }

    fn dcg(&self) -> f64 {
        self.hits().fold(0.0, |sum, position| sum + discount(position))
    }

    fn precision_sum(&self) -> f64 {
        (1..).zip(self.hits()).fold(0.0, |sum, (nth, position)| sum + f64::from(nth) / (position + 1) as f64)
    }
}

/// The items in rising order, if they differ.
fn sorted_distinct(list: &'static str, items: &[u32]) -> Result<Vec<u32>, MetricError> {
    let mut sorted = items.to_vec();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(MetricError::DuplicateItem { list, item: pair[0] }),
        None => Ok(sorted),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type MetricOfList = fn(&[u32], &[u32], usize) -> Result<f64, MetricError>;

    const ALL: [MetricOfList; 10] = [
        hit_rate_at_k,
        precision_at_k,
        recall_at_k,
        recall_capped_at_k,
        f1_at_k,
        ndcg_at_k,
        ndcg_ideal_k_at_k,
        mrr_at_k,
        average_precision_at_k,
        average_precision_by_relevant_at_k,
    ];

    #[test]
    fn one_relevant_item_at_rank_3_has_an_ndcg_of_one_half() {
        // DCG = 1/log2(3 + 1) = 0.5; ideal DCG = 1/log2(2) = 1.
        assert_eq!(ndcg_at_k(&[8, 9, 4], &[4], 10), Ok(0.5));
    }

    #[test]
    fn one_hit_at_rank_2_of_three_relevant_items_gives_the_metrics_worked_out_by_hand() {
        let (ranked, relevant) = ([8, 4, 9, 1], [4, 5, 6]);
        assert_eq!(hit_rate_at_k(&ranked, &relevant, 2), Ok(1.0));
        assert_eq!(precision_at_k(&ranked, &relevant, 2), Ok(0.5));
        assert_eq!(recall_at_k(&ranked, &relevant, 2), Ok(1.0 / 3.0));
        // DCG = 1/log2(3); the ideal fills both places of the list: 1 + 1/log2(3).
        let at_rank_2 = 1.0 / 3.0_f64.log2();
        assert_eq!(ndcg_at_k(&ranked, &relevant, 2), Ok(at_rank_2 / (1.0 + at_rank_2)));
        assert_eq!(hit_rate_at_k(&ranked, &relevant, 1), Ok(0.0));
    }

    #[test]
    fn hits_at_ranks_1_and_3_of_three_relevant_items_give_the_metrics_worked_out_by_hand() {
        let (ranked, relevant) = ([4, 8, 5, 9], [4, 5, 6]);
        assert_eq!(mrr_at_k(&ranked, &relevant, 3), Ok(1.0));
        let precisions = 1.0 + 2.0 / 3.0;
        assert_eq!(average_precision_at_k(&ranked, &relevant, 3), Ok(precisions / 3.0));
        assert_eq!(average_precision_at_k(&ranked, &relevant, 1), Ok(1.0));
        // Precision 2/3 and recall 2/3; at 2, precision 1/2 and recall 1/3, so 2 · 1/6 / (5/6).
        assert_eq!(f1_at_k(&ranked, &relevant, 3), Ok(2.0 / 3.0));
        assert_eq!(f1_at_k(&ranked, &relevant, 2), Ok(0.4));
        assert_eq!(f1_at_k(&[9], &relevant, 2), Ok(0.0));
    }

    #[test]
    fn the_variants_differ_where_k_and_the_number_of_relevant_items_differ() {
        // Three relevant items, two places, one hit at rank 1.
        let (ranked, relevant) = ([4, 8], [4, 5, 6]);
        assert_eq!(recall_at_k(&ranked, &relevant, 2), Ok(1.0 / 3.0));
        assert_eq!(recall_capped_at_k(&ranked, &relevant, 2), Ok(0.5));
        assert_eq!(average_precision_at_k(&ranked, &relevant, 2), Ok(0.5));
        assert_eq!(average_precision_by_relevant_at_k(&ranked, &relevant, 2), Ok(1.0 / 3.0));
        // One relevant item, found first: an ideal of two hits holds the list below 1.
        assert_eq!(ndcg_at_k(&ranked, &[4], 2), Ok(1.0));
        assert_eq!(ndcg_ideal_k_at_k(&ranked, &[4], 2), Ok(1.0 / (1.0 + 3.0_f64.log2().recip())));
    }

    #[test]
    fn the_ideal_is_taken_over_the_relevant_items_and_not_over_the_retrieved_list() {
        // One hit at rank 1, another relevant item not retrieved: by its own ideal this list would score 1.
        let expected = 1.0 / (1.0 + 1.0 / 3.0_f64.log2());
        assert_eq!(ndcg_at_k(&[4, 8, 9], &[4, 5], 3), Ok(expected));
    }

    #[test]
    fn a_list_shorter_than_k_still_divides_precision_by_k() {
        assert_eq!(precision_at_k(&[4], &[4], 10), Ok(0.1));
        assert_eq!(recall_at_k(&[], &[4], 10), Ok(0.0));
    }

    #[test]
    fn no_relevant_item_leaves_every_metric_undefined() {
        for metric in ALL {
            assert!(matches!(metric(&[1, 2], &[], 2), Err(MetricError::Undefined { .. })));
        }
    }

    #[test]
    fn a_cut_off_of_zero_and_an_item_twice_are_errors() {
        assert_eq!(ndcg_at_k(&[1], &[1], 0), Err(MetricError::ZeroCutoff));
        let twice = |list| Err(MetricError::DuplicateItem { list, item: 7 });
        assert_eq!(recall_at_k(&[7, 1, 7], &[1], 2), twice("ranked"));
        assert_eq!(recall_at_k(&[1], &[7, 7], 2), twice("relevant"));
    }

    proptest! {
        #[test]
        fn metrics_lie_between_0_and_1_and_a_perfect_list_scores_exactly_1(
            order in Just((0_u32..12).collect::<Vec<_>>()).prop_shuffle(),
            n_relevant in 1_usize..12,
            k in 1_usize..15,
        ) {
            let relevant: Vec<u32> = (0..n_relevant as u32).collect();
            for metric in ALL {
                prop_assert!((0.0..=1.0).contains(&metric(&order, &relevant, k).unwrap()));
            }
            prop_assert_eq!(ndcg_at_k(&relevant, &relevant, k), Ok(1.0));
            for metric in [hit_rate_at_k, recall_capped_at_k, mrr_at_k, average_precision_at_k] {
                prop_assert_eq!(metric(&relevant, &relevant, k), Ok(1.0));
            }
        }
    }
}
