//! An item and its score as one number.

use crate::Hit;
use crate::order::{number, rank};

/// A score and an item in one number, lower where better: the higher score, then the lower item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate(u64);

impl Candidate {
    /// A candidate of a score that is no NaN.
    #[inline(always)]
    pub(crate) fn new(score: f32, item: u32) -> Self {
        Self(u64::from(!rank(score)) << 32 | u64::from(item))
    }

    pub(crate) fn hit(self) -> Hit {
        Hit { item: self.0 as u32, score: number(!((self.0 >> 32) as u32)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn higher_scores_come_first_and_of_equal_ones_lower_items() {
        assert!(Candidate::new(0.5, 7) < Candidate::new(-0.5, 6));
        assert!(Candidate::new(0.5, 6) < Candidate::new(0.5, 7));
        assert!(Candidate::new(f32::INFINITY, u32::MAX) < Candidate::new(f32::MAX, 0));
        assert_eq!(Candidate::new(0.0, 7), Candidate::new(-0.0, 7));
    }

    #[test]
    fn score_and_item_come_back() {
        for score in [f32::NEG_INFINITY, -1.5, 0.0, 2.0, f32::INFINITY] {
            assert_eq!(Candidate::new(score, u32::MAX).hit(), Hit { item: u32::MAX, score });
        }
    }
}
