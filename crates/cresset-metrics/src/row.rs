//! One user's scores, with what must not be recommended out of the way.

use pulp::{Arch, Simd, WithSimd};

/// The score of what is no candidate: below every finite score, and equal to none.
pub(crate) const MASKED: f32 = f32::NEG_INFINITY;

/// Scores by item, finite or [`MASKED`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaskedRow<'a> {
    /// `[n_items]`
    pub(crate) scores: &'a [f32],
    /// How many are not masked.
    pub(crate) n_candidates: usize,
}

/// The row without the seen items, whose ids strictly rise; copied to `copy` if there are any.
pub(crate) fn mask<'a>(scores: &'a [f32], seen: &[u32], copy: &'a mut Vec<f32>) -> MaskedRow<'a> {
    let n_candidates = scores.len() - seen.len();
    if seen.is_empty() {
        return MaskedRow { scores, n_candidates };
    }
    copy.clear();
    copy.extend_from_slice(scores);
    for &item in seen {
        copy[item as usize] = MASKED;
    }
    MaskedRow { scores: copy, n_candidates }
}

/// The first score that is NaN or infinite, by position.
pub(crate) fn first_not_finite(scores: &[f32]) -> Option<usize> {
    if Arch::new().dispatch(AllFinite(scores)) {
        return None;
    }
    scores.iter().position(|score| !score.is_finite())
}

struct AllFinite<'a>(&'a [f32]);

impl WithSimd for AllFinite<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> bool {
        // One pass without an early exit: it is the common way, and the compiler does many scores at once.
        let magnitude = |score: &f32| score.to_bits() & !(1 << 31);
        let largest = self.0.iter().fold(0, |largest: u32, score| largest.max(magnitude(score)));
        largest < f32::INFINITY.to_bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seen_items_are_masked_in_a_copy_and_the_others_are_candidates() {
        let (scores, mut copy) = ([3.0, 2.0, 1.0], Vec::new());
        let row = mask(&scores, &[0, 2], &mut copy);
        assert_eq!((row.scores, row.n_candidates), (&[MASKED, 2.0, MASKED][..], 1));
        let row = mask(&scores, &[], &mut copy);
        assert_eq!((row.scores, row.n_candidates), (&scores[..], 3));
    }

    #[test]
    fn the_first_score_that_is_not_finite_is_found_wherever_it_stands() {
        for (position, bad) in [(0, f32::NAN), (37, -f32::NAN), (99, f32::INFINITY), (4, f32::NEG_INFINITY)] {
            let mut scores = vec![-f32::MAX; 100];
            assert_eq!(first_not_finite(&scores), None);
            scores[position] = bad;
            assert_eq!(first_not_finite(&scores), Some(position));
        }
        assert_eq!(first_not_finite(&[]), None);
    }
}
