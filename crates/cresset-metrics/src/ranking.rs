//! How well one ranked list puts the relevant items first.

use crate::MetricError;

/// 1 if any relevant item is among the first `k`, else 0.
///
/// The four functions of this kind take a list in its final order, best first. It may be shorter than `k`,
/// or empty; what it lacks counts as not relevant. For scores, whose ties leave the order open, see
/// [`RelevantRanks`](crate::RelevantRanks).
///
/// # Errors
///
/// If `k` is 0, an item is twice in either list, or no item is relevant ([`MetricError::Undefined`]).
pub fn hit_rate_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    check_lists("hit_rate", ranked, relevant, k)?;
    Ok(if hits(ranked, relevant, k).any(|hit| hit) { 1.0 } else { 0.0 })
}

/// Hits among the first `k`, divided by `k`.
///
/// # Errors
///
/// As [`hit_rate_at_k`].
pub fn precision_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    check_lists("precision", ranked, relevant, k)?;
    Ok(n_hits(ranked, relevant, k) / k as f64)
}

/// Hits among the first `k`, divided by the number of relevant items.
///
/// # Errors
///
/// As [`hit_rate_at_k`].
pub fn recall_at_k(ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    check_lists("recall", ranked, relevant, k)?;
    Ok(n_hits(ranked, relevant, k) / relevant.len() as f64)
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
    check_lists("ndcg", ranked, relevant, k)?;
    let gains = (0..).zip(hits(ranked, relevant, k)).filter(|&(_, hit)| hit);
    let dcg: f64 = gains.map(|(position, _)| discount(position)).sum();
    Ok(dcg / ideal_dcg(relevant.len(), k))
}

/// What a hit at this position (from 0) is worth.
pub(crate) fn discount(position: usize) -> f64 {
    ((position + 2) as f64).log2().recip()
}

/// The gain of a list that puts its relevant items first.
pub(crate) fn ideal_dcg(n_relevant: usize, k: usize) -> f64 {
    (0..n_relevant.min(k)).map(discount).sum()
}

fn hits(ranked: &[u32], relevant: &[u32], k: usize) -> impl Iterator<Item = bool> {
    ranked.iter().take(k).map(|item| relevant.contains(item))
}

fn n_hits(ranked: &[u32], relevant: &[u32], k: usize) -> f64 {
    hits(ranked, relevant, k).filter(|&hit| hit).count() as f64
}

fn check_lists(metric: &'static str, ranked: &[u32], relevant: &[u32], k: usize) -> Result<(), MetricError> {
    if k == 0 {
        return Err(MetricError::ZeroCutoff);
    }
    if relevant.is_empty() {
        return Err(MetricError::Undefined { metric, reason: "no item is relevant".to_owned() });
    }
    check_distinct("ranked", ranked)?;
    check_distinct("relevant", relevant)
}

fn check_distinct(list: &'static str, items: &[u32]) -> Result<(), MetricError> {
    let mut sorted = items.to_vec();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(MetricError::DuplicateItem { list, item: pair[0] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        for metric in [hit_rate_at_k, precision_at_k, recall_at_k, ndcg_at_k] {
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
            for metric in [hit_rate_at_k, precision_at_k, recall_at_k, ndcg_at_k] {
                prop_assert!((0.0..=1.0).contains(&metric(&order, &relevant, k).unwrap()));
            }
            prop_assert_eq!(ndcg_at_k(&relevant, &relevant, k), Ok(1.0));
            prop_assert_eq!(hit_rate_at_k(&relevant, &relevant, k), Ok(1.0));
        }
    }
}
