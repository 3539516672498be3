//! What of a query can be among its best.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::candidate::Candidate;
use crate::order::{number, rank};

/// Between which scores an item's lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) item: u32,
    pub(crate) lower: f32,
    pub(crate) upper: f32,
}

/// What of a query can be among its best, as far as it has been seen.
#[derive(Debug, Default)]
pub(crate) struct Best {
    wanted: usize,
    /// In no order, and more than are wanted.
    held: Vec<Bounds>,
    /// The highest lower bounds, as ranks: the lowest on top, at most as many as are wanted.
    lowers: BinaryHeap<Reverse<u32>>,
}

impl Best {
    /// Forgets what it holds and wants `wanted` items, at least one.
    pub(crate) fn begin(&mut self, wanted: usize) {
        self.wanted = wanted;
        self.held.clear();
        self.lowers.clear();
    }

    /// Takes an item, and returns what the score of others must reach if that has risen.
    ///
    /// As many items as are wanted surely reach the lowest of their lower bounds, so another must, too.
    #[inline]
    pub(crate) fn hold(&mut self, bounds: Bounds) -> Option<f32> {
        self.held.push(bounds);
        let lower = Reverse(rank(bounds.lower));
        if self.lowers.len() < self.wanted {
            self.lowers.push(lower);
            return self.bar();
        }
        let mut lowest = self.lowers.peek_mut()?;
        if lower >= *lowest {
            return None;
        }
        *lowest = lower;
        drop(lowest);
        self.bar()
    }

    /// What a score must reach, once there are enough items.
    fn bar(&self) -> Option<f32> {
        let is_full = self.lowers.len() == self.wanted;
        self.lowers.peek().filter(|_| is_full).map(|&Reverse(lowest)| number(lowest))
    }

    /// Whether it holds so much that it should be sifted.
    #[inline]
    pub(crate) fn is_crowded(&self) -> bool {
        self.held.len() >= self.capacity()
    }

    fn capacity(&self) -> usize {
        (8 * self.wanted).max(1_024)
    }

    /// Drops what cannot reach `bar`. Where most can, the items are scored, and only as many as are wanted stay.
    pub(crate) fn sift(&mut self, bar: f32, score: impl FnMut(u32) -> f32, scored: &mut Vec<Candidate>) {
        self.held.retain(|bounds| bounds.upper >= bar);
        if self.held.len() <= self.capacity() / 2 {
            return;
        }
        scored.clear();
        self.score(bar, score, scored);
        keep_best(scored, self.wanted);
        self.held.clear();
        self.lowers.clear();
        for hit in scored.iter().map(|candidate| candidate.hit()) {
            self.hold(Bounds { item: hit.item, lower: hit.score, upper: hit.score });
        }
    }

    /// Adds the scores of the items that can reach `bar` to `scored`.
    pub(crate) fn score(&self, bar: f32, mut score: impl FnMut(u32) -> f32, scored: &mut Vec<Candidate>) {
        scored.extend(self.held.iter().filter(|bounds| bounds.upper >= bar).map(|bounds| {
            let is_known = bounds.lower == bounds.upper;
            Candidate::new(if is_known { bounds.lower } else { score(bounds.item) }, bounds.item)
        }));
    }

    /// The ranks of the highest lower bounds.
    pub(crate) fn lowers(&self) -> impl Iterator<Item = u32> {
        self.lowers.iter().map(|&Reverse(lower)| lower)
    }
}

/// Drops all but the best `k`, which are left in their order.
pub(crate) fn keep_best(candidates: &mut Vec<Candidate>, k: usize) {
    if candidates.len() > k {
        candidates.select_nth_unstable(k - 1);
        candidates.truncate(k);
    }
    candidates.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(item: u32, lower: f32, upper: f32) -> Bounds {
        Bounds { item, lower, upper }
    }

    fn items(candidates: &[Candidate]) -> Vec<u32> {
        candidates.iter().map(|candidate| candidate.hit().item).collect()
    }

    #[test]
    fn the_bar_is_the_lowest_of_as_many_lower_bounds_as_are_wanted() {
        let mut best = Best::default();
        best.begin(2);
        assert_eq!(best.hold(bounds(0, 1.0, 4.0)), None);
        assert_eq!(best.hold(bounds(1, 3.0, 4.0)), Some(1.0));
        assert_eq!(best.hold(bounds(2, 0.5, 4.0)), None);
        assert_eq!(best.hold(bounds(3, 2.0, 4.0)), Some(2.0));
        let mut lowers: Vec<_> = best.lowers().map(number).collect();
        lowers.sort_by(f32::total_cmp);
        assert_eq!(lowers, [2.0, 3.0]);
    }

    #[test]
    fn only_what_can_reach_the_bar_is_scored_and_only_where_the_score_is_not_known() {
        let mut best = Best::default();
        best.begin(2);
        for bounds in [bounds(0, 1.0, 1.5), bounds(1, 2.0, 3.0), bounds(2, 2.5, 2.5)] {
            best.hold(bounds);
        }
        let (mut asked, mut scored) = (Vec::new(), Vec::new());
        let score = |item| {
            asked.push(item);
            2.75
        };
        best.score(2.0, score, &mut scored);
        assert_eq!((items(&scored), asked), (vec![1, 2], vec![1]));
    }

    #[test]
    fn a_crowd_that_all_reach_the_bar_is_scored_and_thinned() {
        let mut best = Best::default();
        best.begin(3);
        let mut item = 0;
        while !best.is_crowded() {
            best.hold(bounds(item, 0.0, 1_000_000.0));
            item += 1;
        }
        best.sift(0.0, |item| item as f32, &mut Vec::new());
        let mut scored = Vec::new();
        best.score(0.0, |_| panic!("all scores are known"), &mut scored);
        keep_best(&mut scored, 2);
        assert_eq!(items(&scored), [item - 1, item - 2]);
        assert_eq!(best.bar(), Some((item - 3) as f32));
    }

    #[test]
    fn a_crowd_that_misses_the_bar_is_dropped_without_a_score() {
        let mut best = Best::default();
        best.begin(1);
        for item in 0..1_024 {
            best.hold(bounds(item, 0.0, if item == 7 { 2.0 } else { 1.0 }));
        }
        best.sift(1.5, |_| panic!("one is left"), &mut Vec::new());
        assert_eq!(best.held, [bounds(7, 0.0, 2.0)]);
    }
}
