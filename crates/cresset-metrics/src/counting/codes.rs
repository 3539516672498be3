//! Counting on short codes of the scores, twice as many at a time as scores.

use pulp::{Simd, WithSimd};

use super::{Counts, LANES, compare};

/// Scores that are coded at a time: few enough for the first-level cache, and for counts of 16 bits.
const PIECE: usize = 4_096;

/// A map from scores to whole numbers of 16 bits that never falls as the score rises.
///
/// So a higher code means a higher score, and only scores of the same code are left to compare. The codes of
/// the thresholds span all but the ends of the range, which are for what lies beyond them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codes {
    lowest: f32,
    scale: f32,
}

impl Codes {
    /// The codes for falling thresholds; none if they lie too close or too far apart.
    pub(super) fn spanning(thresholds: &[f32]) -> Option<Self> {
        let (&highest, &lowest) = (thresholds.first()?, thresholds.last()?);
        let scale = f32::from(u16::MAX - 2) / (highest - lowest);
        // Neither 0, of an infinite span, nor an infinity: with both, a code could be NaN.
        scale.is_normal().then_some(Self { lowest, scale })
    }

    #[inline(always)]
    fn of(self, score: f32) -> i16 {
        /// Added to a whole number of 16 bits, this leaves it in the lowest bits of the sum.
        const SHIFT: f32 = 12_582_912.0;
        // Each step rounds, and none of them ever falls.
        let code = (score - self.lowest) * self.scale - 32_767.0;
        let code = if code > -32_768.0 { code } else { -32_768.0 };
        let code = if code < 32_767.0 { code } else { 32_767.0 };
        (code + SHIFT).to_bits() as i16
    }
}

/// Counts by code first, and by comparing scores for thresholds whose code several scores have.
pub(super) struct CountByCode<'a> {
    pub(super) scores: &'a [f32],
    /// Each is one of the scores; they strictly fall.
    pub(super) thresholds: &'a [f32],
    pub(super) codes: Codes,
    /// Room for the codes of a piece.
    pub(super) room: &'a mut Vec<i16>,
    pub(super) counts: &'a mut Vec<Counts>,
}

impl WithSimd for CountByCode<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { scores, thresholds, codes, room, counts } = self;
        let begin = counts.len();
        counts.resize(begin + thresholds.len(), Counts::default());
        let all = &mut counts[begin..];
        for piece in scores.chunks(PIECE) {
            room.clear();
            room.extend(piece.iter().map(|&score| codes.of(score)));
            let groups = thresholds.chunks_exact(LANES);
            let rest = groups.remainder();
            let (counts, rest_counts) = all.split_at_mut(thresholds.len() - rest.len());
            for (group, counts) in groups.zip(counts.chunks_exact_mut(LANES)) {
                add(counts, compare_codes::<LANES>(room, std::array::from_fn(|lane| codes.of(group[lane]))));
            }
            for (&threshold, counts) in rest.iter().zip(rest_counts.chunks_exact_mut(1)) {
                add(counts, compare_codes(room, [codes.of(threshold)]));
            }
        }
        for (counts, &threshold) in all.iter_mut().zip(thresholds) {
            // One score of a threshold's code is the threshold itself.
            if counts.equal > 1 {
                [*counts] = compare(scores, [threshold]);
            }
        }
    }
}

#[inline(always)]
fn compare_codes<const N: usize>(codes: &[i16], thresholds: [i16; N]) -> [Counts; N] {
    let (mut above, mut equal) = ([0_u16; N], [0_u16; N]);
    for &code in codes {
        for lane in 0..N {
            above[lane] += u16::from(code > thresholds[lane]);
            equal[lane] += u16::from(code == thresholds[lane]);
        }
    }
    std::array::from_fn(|lane| Counts { above: above[lane].into(), equal: equal[lane].into() })
}

#[inline(always)]
fn add<const N: usize>(counts: &mut [Counts], more: [Counts; N]) {
    for (count, more) in counts.iter_mut().zip(more) {
        count.above += more.above;
        count.equal += more.equal;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn thresholds_keep_clear_of_the_ends_and_what_lies_beyond_them_does_not() {
        let codes = Codes::spanning(&[2.0, 0.5, -1.0]).unwrap();
        assert_eq!([-1.0, 2.0].map(|score| codes.of(score)), [-32_767, 32_766]);
        assert_eq!([f32::NEG_INFINITY, f32::MIN].map(|score| codes.of(score)), [-32_768; 2]);
        assert_eq!([f32::INFINITY, f32::MAX].map(|score| codes.of(score)), [32_767; 2]);
    }

    #[test]
    fn thresholds_too_close_or_too_far_apart_have_no_codes() {
        for thresholds in [&[][..], &[1.0], &[f32::MAX, f32::MIN], &[1e-40, 0.0]] {
            assert!(Codes::spanning(thresholds).is_none(), "{thresholds:?}");
        }
    }

    proptest! {
        #[test]
        fn a_code_never_falls_as_the_score_rises(
            mut scores in prop::collection::vec(-1e30_f32..1e30, 2..40),
            ends in (-1e3_f32..1e3, 1e-3_f32..1e3),
        ) {
            let Some(codes) = Codes::spanning(&[ends.0 + ends.1, ends.0]) else { return Ok(()) };
            scores.extend([ends.0, ends.0 + ends.1, ends.0 + ends.1 / 2.0, f32::NEG_INFINITY]);
            scores.sort_by(f32::total_cmp);
            prop_assert!(scores.iter().map(|&score| codes.of(score)).is_sorted());
        }
    }
}
