//! The best candidates of a query so far.

use std::collections::BinaryHeap;

use crate::candidate::Candidate;

/// The best candidates of a query so far, at most as many as are wanted.
#[derive(Debug, Default)]
pub(crate) struct Best {
    /// The worst on top.
    heap: BinaryHeap<Candidate>,
    wanted: usize,
}

impl Best {
    /// Forgets what it holds and wants `wanted` candidates, at least one.
    pub(crate) fn begin(&mut self, wanted: usize) {
        self.heap.clear();
        self.heap.reserve(wanted);
        self.wanted = wanted;
    }

    /// Takes a candidate if it is among the best, and returns the score that others must reach once there are enough.
    #[inline]
    pub(crate) fn offer(&mut self, candidate: Candidate) -> Option<f32> {
        if self.heap.len() < self.wanted {
            self.heap.push(candidate);
        } else if let Some(mut worst) = self.heap.peek_mut() {
            if candidate >= *worst {
                return None;
            }
            *worst = candidate;
        }
        let is_full = self.heap.len() == self.wanted;
        self.heap.peek().filter(|_| is_full).map(|worst| worst.score())
    }

    /// What it holds, in no order.
    pub(crate) fn candidates(&self) -> &[Candidate] {
        self.heap.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_the_worst_of_as_many_as_are_wanted() {
        let mut best = Best::default();
        best.begin(2);
        let mut offer = |score, item| best.offer(Candidate::new(score, item));
        assert_eq!(offer(1.0, 0), None);
        assert_eq!(offer(3.0, 1), Some(1.0));
        assert_eq!(offer(0.5, 2), None);
        assert_eq!(offer(2.0, 3), Some(2.0));
        assert_eq!(offer(2.0, 4), None, "of equal scores the lower item stays");
        assert_eq!(offer(2.0, 2), Some(2.0), "and replaces a higher one");
        let mut held: Vec<_> = best.candidates().iter().map(|candidate| candidate.hit().item).collect();
        held.sort_unstable();
        assert_eq!(held, [1, 2]);
    }
}
