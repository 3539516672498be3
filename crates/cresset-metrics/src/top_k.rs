//! The best few of many, without sorting the many.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::MetricError;
use crate::rating::check_finite;

/// The `k` items of highest score with their scores, best first; equal scores by item id, the lower first.
///
/// Fewer come back if fewer are left beside the mask. The masked items' scores are never looked at for
/// rank, yet must be finite like all others.
///
/// # Shapes
///
/// - scores: `[n_items]`, one for each item id
/// - mask: ids that must not come back, rising; ids beyond the catalogue mask nothing
///
/// # Errors
///
/// [`MetricError::NotFinite`] with the item, if a score is NaN or infinite.
///
/// # Panics
///
/// If `mask` is not sorted.
pub fn top_k(scores: &[f32], mask: &[u32], k: usize) -> Result<Vec<(u32, f32)>, MetricError> {
    assert!(mask.is_sorted(), "the mask's ids rise");
    check_finite("score", scores)?;
    let mut best = Best::new(k.min(scores.len()));
    let mut first = 0;
    // Between two masked items lies a run of candidates; the end of the catalogue closes the last run.
    for &masked in mask.iter().chain([&(scores.len() as u32)]) {
        let end = (masked as usize).min(scores.len());
        if first < end {
            best.offer(first, &scores[first..end]);
        }
        first = end + 1;
    }
    Ok(best.into_sorted())
}

/// The best candidates so far, the worst of them on top of the heap.
struct Best {
    heap: BinaryHeap<Reverse<Candidate>>,
    k: usize,
}

impl Best {
    fn new(k: usize) -> Self {
        Self { heap: BinaryHeap::with_capacity(k), k }
    }

    /// Offers the items from id `first` on. Ids only ever rise, so an equal score never displaces.
    fn offer(&mut self, first: usize, scores: &[f32]) {
        for (item, &score) in (first as u32..).zip(scores) {
            if self.heap.len() < self.k {
                self.heap.push(Reverse(Candidate { score, item }));
            } else if let Some(mut worst) = self.heap.peek_mut()
                && score > worst.0.score
            {
                *worst = Reverse(Candidate { score, item });
            }
        }
    }

    fn into_sorted(self) -> Vec<(u32, f32)> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(best)| (best.item, best.score)).collect()
    }
}

/// An item and its finite score; greater is better.
struct Candidate {
    score: f32,
    item: u32,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        // Finite scores always compare; unlike `total_cmp` this holds -0 and 0 for equal.
        let by_score = self.score.partial_cmp(&other.score).unwrap_or(Ordering::Equal);
        by_score.then(other.item.cmp(&self.item))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(scores: &[f32], mask: &[u32], k: usize) -> Vec<u32> {
        top_k(scores, mask, k).unwrap().into_iter().map(|(item, _)| item).collect()
    }

    #[test]
    fn the_best_come_first_with_their_scores() {
        assert_eq!(top_k(&[0.1, 0.9, 0.5], &[], 2), Ok(vec![(1, 0.9), (2, 0.5)]));
    }

    #[test]
    fn equal_scores_come_in_order_of_item_id() {
        assert_eq!(ids(&[1.0, 2.0, 1.0, 2.0, 1.0], &[], 4), [1, 3, 0, 2]);
        assert_eq!(ids(&[0.0, -0.0, 0.0], &[], 2), [0, 1]);
    }

    #[test]
    fn masked_items_never_come_back() {
        assert_eq!(ids(&[5.0, 4.0, 3.0, 2.0, 1.0], &[0, 2, 2, 4, 9], 5), [1, 3]);
        assert!(ids(&[5.0, 4.0], &[0, 1], 5).is_empty());
    }

    #[test]
    fn a_k_beyond_the_catalogue_gives_all_and_a_k_of_zero_none() {
        assert_eq!(ids(&[1.0, 2.0], &[], 100), [1, 0]);
        assert!(ids(&[1.0, 2.0], &[], 0).is_empty());
        assert!(ids(&[], &[], 3).is_empty());
    }

    #[test]
    fn a_nan_score_is_an_error_that_names_the_item() {
        let error = top_k(&[1.0, f32::NAN], &[1], 1).unwrap_err();
        assert_eq!(error.to_string(), "score 1 is NaN, expected a finite number");
    }

    #[test]
    #[should_panic(expected = "the mask's ids rise")]
    fn an_unsorted_mask_is_refused() {
        let _ = top_k(&[1.0, 2.0, 3.0], &[2, 0], 1);
    }

    proptest! {
        #[test]
        fn the_result_is_the_head_of_the_full_sort(
            scores in prop::collection::vec(-3_i8..3, 0..60),
            masked in prop::collection::vec(any::<bool>(), 60),
            k in 0_usize..70,
        ) {
            let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
            let mask: Vec<u32> = (0..60).filter(|&item| masked[item as usize]).collect();
            let mut sorted: Vec<u32> = (0..scores.len() as u32).filter(|item| !masked[*item as usize]).collect();
            sorted.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
            sorted.truncate(k);
            prop_assert_eq!(ids(&scores, &mask, k), sorted);
        }
    }
}
