//! An item and its score as one number.

use crate::Hit;

/// A score and an item in one number, lower where better: the higher score, then the lower item.
///
/// The upper half is the score's bits in the reverse order of the numbers, with -0 as 0; the lower half is the item.
/// The score is no NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate(u64);

impl Candidate {
    #[inline(always)]
    pub(crate) fn new(score: f32, item: u32) -> Self {
        // -0 becomes 0, with which it ties.
        let bits = (score + 0.0).to_bits();
        // Positive numbers compare as their bits do in reverse; the bits of negative ones lie above theirs.
        let rank = if bits >> 31 == 1 { bits } else { !bits & !(1 << 31) };
        Self(u64::from(rank) << 32 | u64::from(item))
    }

    pub(crate) fn hit(self) -> Hit {
        Hit { item: self.0 as u32, score: self.score() }
    }

    pub(crate) fn score(self) -> f32 {
        let rank = (self.0 >> 32) as u32;
        f32::from_bits(if rank >> 31 == 1 { rank } else { !rank & !(1 << 31) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FALLING: [f32; 11] = [
        f32::INFINITY,
        f32::MAX,
        1.5,
        1.0,
        f32::MIN_POSITIVE,
        0.0,
        -f32::MIN_POSITIVE,
        -1.0,
        -1.5,
        f32::MIN,
        f32::NEG_INFINITY,
    ];

    #[test]
    fn candidates_are_in_order_of_falling_scores() {
        assert!(FALLING.map(|score| Candidate::new(score, 7)).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn equal_scores_are_in_order_of_rising_items() {
        assert!(Candidate::new(0.5, 6) < Candidate::new(0.5, 7));
        assert_eq!(Candidate::new(0.0, 7), Candidate::new(-0.0, 7));
    }

    #[test]
    fn score_and_item_come_back() {
        for score in FALLING {
            assert_eq!(Candidate::new(score, u32::MAX).hit(), Hit { item: u32::MAX, score });
        }
    }
}
