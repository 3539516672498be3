//! The best few of many, without sorting the many.

use pulp::{Arch, Simd, WithSimd};

use crate::MetricError;
use crate::rating::check_finite;
use crate::row::{MASKED, mask};

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
    let mut masked = mask[..mask.partition_point(|&item| (item as usize) < scores.len())].to_vec();
    masked.dedup();
    let mut row = Vec::new();
    let mut best = Best::default();
    best.select(self::mask(scores, &masked, &mut row).scores, k);
    Ok(best.items().map(|item| (item, scores[item as usize])).collect())
}

/// Scores that are compared at a time with what they must reach.
const CHUNK: usize = 32;

/// The best of a row, and room to find them.
#[derive(Debug, Default)]
pub(crate) struct Best {
    /// Highest scores of interleaved parts of the row.
    maxima: Vec<f32>,
    candidates: Vec<Candidate>,
}

impl Best {
    /// Finds the `k` best of a row, or all if fewer are not [`MASKED`].
    pub(crate) fn select(&mut self, row: &[f32], k: usize) {
        self.candidates.clear();
        if k == 0 {
            return;
        }
        let Self { maxima, candidates } = self;
        Arch::new().dispatch(Collect { row, k, maxima, candidates });
        if candidates.len() > k {
            candidates.select_nth_unstable(k - 1);
            candidates.truncate(k);
        }
        candidates.sort_unstable();
    }

    /// What was found, best first; equal scores by item id.
    pub(crate) fn items(&self) -> impl Iterator<Item = u32> {
        self.candidates.iter().map(|candidate| candidate.item())
    }
}

/// Collects the candidates of a row: all scores that reach a bar which the `k` best surely reach.
struct Collect<'a> {
    row: &'a [f32],
    k: usize,
    maxima: &'a mut Vec<f32>,
    candidates: &'a mut Vec<Candidate>,
}

impl WithSimd for Collect<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { row, k, maxima, candidates } = self;
        let bar = bar(row, k, maxima);
        let (chunks, rest) = row.as_chunks::<CHUNK>();
        for (number, chunk) in chunks.iter().enumerate() {
            // Most chunks hold no candidate, and whether one does is a few vector instructions.
            if chunk.iter().fold(false, |any, &score| any | (score >= bar)) {
                collect(chunk, number * CHUNK, bar, candidates);
            }
        }
        collect(rest, chunks.len() * CHUNK, bar, candidates);
    }
}

#[inline(always)]
fn collect(scores: &[f32], first: usize, bar: f32, candidates: &mut Vec<Candidate>) {
    for (item, &score) in (first as u32..).zip(scores) {
        if score >= bar && score != MASKED {
            candidates.push(Candidate::new(score, item));
        }
    }
}

/// A score that at least `k` of the row reach, if it is long enough to find a useful one; else [`MASKED`].
///
/// The row is dealt out to twice as many parts as items are wanted. The k-th highest of the parts' maxima is
/// reached by k items, those maxima, and on a row in random order by about 1.4 k.
#[inline(always)]
fn bar(row: &[f32], k: usize, maxima: &mut Vec<f32>) -> f32 {
    let n_parts = (2 * k).next_multiple_of(CHUNK);
    if row.len() < 2 * n_parts {
        return MASKED;
    }
    maxima.clear();
    maxima.resize(n_parts, MASKED);
    for dealt in row.chunks_exact(n_parts) {
        for (maximum, &score) in maxima.iter_mut().zip(dealt) {
            *maximum = if score > *maximum { score } else { *maximum };
        }
    }
    *maxima.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a)).1
}

/// A score and its item in one number, lower where better: the higher score, then the lower item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate(u64);

impl Candidate {
    #[inline(always)]
    fn new(score: f32, item: u32) -> Self {
        // -0 becomes 0, with which it ties.
        let bits = (score + 0.0).to_bits();
        // Positive numbers compare as their bits do in reverse; the bits of negative ones lie above theirs.
        let rank = if bits >> 31 == 1 { bits } else { !bits & !(1 << 31) };
        Self(u64::from(rank) << 32 | u64::from(item))
    }

    fn item(self) -> u32 {
        self.0 as u32
    }
}

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

    #[test]
    fn candidates_are_in_order_of_falling_scores() {
        let falling = [f32::MAX, 1.5, 1.0, f32::MIN_POSITIVE, 0.0, -f32::MIN_POSITIVE, -1.0, -1.5, f32::MIN];
        assert!(falling.map(|score| Candidate::new(score, 7)).is_sorted_by(|a, b| a < b));
        assert_eq!(Candidate::new(0.0, 7), Candidate::new(-0.0, 7));
        assert!(Candidate::new(0.0, 6) < Candidate::new(0.0, 7));
    }

    #[test]
    fn a_long_row_that_is_masked_nearly_whole_gives_what_is_left() {
        let (scores, mask) = (vec![1.0; 5_000], (1..4_999).collect::<Vec<u32>>());
        assert_eq!(ids(&scores, &mask, 10), [0, 4_999]);
    }

    proptest! {
        #[test]
        fn a_long_row_gives_the_head_of_the_full_sort(
            seed in any::<u32>(),
            n_items in 100_u32..3_000,
            k in 1_usize..150,
            levels in prop::sample::select(vec![2_u32, 50, 1 << 20]),
        ) {
            let mix = |item: u32| {
                (item ^ seed).wrapping_mul(0x9E37_79B9).rotate_left(13).wrapping_mul(0x85EB_CA6B)
            };
            let scores: Vec<f32> = (0..n_items).map(|item| (mix(item) % levels) as f32 - 1.0).collect();
            let mask: Vec<u32> = (0..n_items).filter(|&item| mix(item) % 7 == 0).collect();
            let mut sorted: Vec<u32> = (0..n_items).filter(|item| mask.binary_search(item).is_err()).collect();
            sorted.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
            sorted.truncate(k);
            prop_assert_eq!(ids(&scores, &mask, k), sorted);
        }

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
