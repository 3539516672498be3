//! What of a query can be among its best.

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
    /// The worst of as many scored items as are wanted, once the bounds have failed to tell the best from a
    /// crowd.
    worst: Option<Candidate>,
}

/// Memory to work in.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    ranks: Vec<u32>,
    to_score: Vec<u32>,
    pub(crate) scored: Vec<Candidate>,
}

impl Best {
    /// Forgets what it holds and wants `wanted` items, at least one.
    pub(crate) fn begin(&mut self, wanted: usize) {
        self.wanted = wanted;
        self.held.clear();
        self.worst = None;
    }

    #[inline(always)]
    pub(crate) fn hold(&mut self, bounds: Bounds) {
        self.held.push(bounds);
    }

    pub(crate) fn held(&self) -> &[Bounds] {
        &self.held
    }

    /// Whether the bounds have failed to tell the best from a crowd, so that items had better be scored when
    /// they are met: their vectors are then in the cache, where those of a neighbouring query have been read.
    #[inline(always)]
    pub(crate) fn is_undecided(&self) -> bool {
        self.worst.is_some()
    }

    /// Whether as many items as are wanted are known to be better than a candidate.
    #[inline(always)]
    pub(crate) fn is_beaten(&self, candidate: Candidate) -> bool {
        self.worst.is_some_and(|worst| candidate > worst)
    }

    /// Whether it holds so much that it should be sifted.
    #[inline(always)]
    pub(crate) fn is_crowded(&self) -> bool {
        self.held.len() >= self.capacity()
    }

    fn capacity(&self) -> usize {
        (5 * self.wanted).max(256)
    }

    /// Drops what cannot reach `bar`, and returns what the score of others must reach.
    ///
    /// Where most of it can, `score` turns items into candidates, and only as many as are wanted stay.
    pub(crate) fn sift(
        &mut self,
        bar: f32,
        score: impl FnMut(&[u32], &mut Vec<Candidate>),
        scratch: &mut Scratch,
    ) -> f32 {
        let bar = bar.max(scratch.bar(&self.held, self.wanted));
        self.held.retain(|bounds| bounds.upper >= bar);
        if !self.is_undecided() && self.held.len() <= self.capacity() * 3 / 4 {
            return bar;
        }
        scratch.begin();
        scratch.score(&self.held, bar, score);
        keep_best(&mut scratch.scored, self.wanted);
        self.worst = scratch.scored.last().filter(|_| scratch.scored.len() == self.wanted).copied();
        self.held.clear();
        self.held.extend(scratch.scored.iter().map(|candidate| candidate.hit()).map(|hit| Bounds {
            item: hit.item,
            lower: hit.score,
            upper: hit.score,
        }));
        bar.max(scratch.bar(&self.held, self.wanted))
    }
}

impl Scratch {
    /// Forgets what was scored.
    pub(crate) fn begin(&mut self) {
        self.scored.clear();
    }

    /// What a score must reach to be among the best `k`, since as many items surely do.
    pub(crate) fn bar(&mut self, held: &[Bounds], k: usize) -> f32 {
        if held.len() < k {
            return f32::NEG_INFINITY;
        }
        self.ranks.clear();
        self.ranks.extend(held.iter().map(|bounds| rank(bounds.lower)));
        let place = held.len() - k;
        number(*self.ranks.select_nth_unstable(place).1)
    }

    /// Adds those of `held` that can reach `bar` to what was scored; `score` is asked where the score is not
    /// known.
    pub(crate) fn score(
        &mut self,
        held: &[Bounds],
        bar: f32,
        mut score: impl FnMut(&[u32], &mut Vec<Candidate>),
    ) {
        self.to_score.clear();
        for bounds in held.iter().filter(|bounds| bounds.upper >= bar) {
            if bounds.lower == bounds.upper {
                self.scored.push(Candidate::new(bounds.lower, bounds.item));
            } else {
                self.to_score.push(bounds.item);
            }
        }
        score(&self.to_score, &mut self.scored);
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
        let held = [bounds(0, 1.0, 4.0), bounds(1, 3.0, 4.0), bounds(2, 0.5, 4.0), bounds(3, 2.0, 4.0)];
        let mut scratch = Scratch::default();
        assert_eq!(scratch.bar(&held, 2), 2.0);
        assert_eq!(scratch.bar(&held, 4), 0.5);
        assert_eq!(scratch.bar(&held, 5), f32::NEG_INFINITY);
    }

    #[test]
    fn only_what_can_reach_the_bar_is_scored_and_only_where_the_score_is_not_known() {
        let held = [bounds(0, 1.0, 1.5), bounds(1, 2.0, 3.0), bounds(2, 2.5, 2.5)];
        let mut scratch = Scratch::default();
        scratch.score(&held, 2.0, |items, scored| {
            assert_eq!(items, [1]);
            scored.push(Candidate::new(2.75, 1));
        });
        keep_best(&mut scratch.scored, 5);
        assert_eq!(items(&scratch.scored), [1, 2]);
    }

    #[test]
    fn a_crowd_that_all_reach_the_bar_is_scored_and_thinned() {
        let mut best = Best::default();
        best.begin(3);
        let mut n_items = 0;
        while !best.is_crowded() {
            best.hold(bounds(n_items, 0.0, 1e6));
            n_items += 1;
        }
        let score = |items: &[u32], scored: &mut Vec<Candidate>| {
            scored.extend(items.iter().map(|&item| Candidate::new(item as f32, item)));
        };
        let bar = best.sift(f32::NEG_INFINITY, score, &mut Scratch::default());
        assert_eq!((bar, best.is_undecided()), ((n_items - 3) as f32, true));
        assert!(best.is_beaten(Candidate::new(bar, n_items)) && !best.is_beaten(Candidate::new(bar, 0)));
        assert_eq!(
            best.held.iter().map(|bounds| bounds.item).collect::<Vec<_>>(),
            [n_items - 1, n_items - 2, n_items - 3]
        );
    }

    #[test]
    fn a_crowd_that_misses_the_bar_is_dropped_without_a_score() {
        let mut best = Best::default();
        best.begin(1);
        for item in 0..300 {
            best.hold(bounds(item, 0.0, if item == 7 { 2.0 } else { 1.0 }));
        }
        let bar = best.sift(1.5, |_, _| panic!("one is left"), &mut Scratch::default());
        assert_eq!((bar, best.held()), (1.5, &[bounds(7, 0.0, 2.0)][..]));
        assert!(!best.is_undecided());
    }
}
