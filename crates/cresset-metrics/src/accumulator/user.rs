//! One user's part of an evaluation.

use crate::beyond_accuracy::Shown;
use crate::given_lists::Places;
use crate::relevant_ranks::{Thresholds, TieGroup};
use crate::row::{MaskedRow, mask};
use crate::top_k::Best;
use crate::{BlockRanks, MetricError, RelevantRanks, row};

/// A user of the task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskUser<'a> {
    /// Dense user id.
    pub(crate) id: u32,
    /// Rising.
    pub(crate) relevant: &'a [u32],
    /// Rising.
    pub(crate) seen: &'a [u32],
}

/// What is counted of a user beside metrics.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) relevant: usize,
    pub(crate) unreachable: usize,
    pub(crate) tied: usize,
    /// Items of a given list that were taken out because the user has seen them.
    pub(crate) removed: usize,
    /// Given lists without an item.
    pub(crate) empty_lists: usize,
}

/// Room that is used again for the next user of the same thread.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) ranks: RelevantRanks,
    pub(crate) measured: Vec<f64>,
    /// Places of the list that was written last; what is behind them is no part of it.
    pub(crate) n_listed: usize,
    row: Vec<f32>,
    thresholds: Thresholds,
    best: Best,
    counted: Vec<Counted>,
    pub(crate) places: Places,
}

/// A relevant item as it was counted elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Counted {
    above: u32,
    equal: u32,
    item: u32,
}

impl<'a> TaskUser<'a> {
    /// The list as list metrics take it.
    pub(crate) fn shown(self, list: &'a [u32]) -> Shown<'a> {
        Shown { list, relevant: self.relevant, seen: self.seen }
    }

    fn n_candidates(self, n_items: usize) -> usize {
        n_items - self.seen.len()
    }
}

impl Scratch {
    /// Ranks by a row of scores, and writes the best items to `list`.
    pub(crate) fn rank_scores(
        &mut self,
        user: TaskUser<'_>,
        scores: &[f32],
        list: &mut [u32],
    ) -> Result<(), MetricError> {
        if let Some(item) = row::first_not_finite(scores) {
            let (user, value) = (user.id, scores[item].into());
            return Err(MetricError::ScoreNotFinite { user, item: item as u32, value });
        }
        let row: MaskedRow<'_> = mask(scores, user.seen, &mut self.row);
        self.ranks.rank_row(row, user.relevant, &mut self.thresholds);
        if !list.is_empty() {
            self.best.select(row.scores, list.len());
        }
        self.n_listed = list.len().min(row.n_candidates);
        list.iter_mut().zip(self.best.items()).for_each(|(place, item)| *place = item);
        Ok(())
    }

    /// Ranks by what was counted elsewhere.
    ///
    /// # Shapes
    ///
    /// - first: where the user's relevant items begin in `ranks`
    /// - top: `[list]`, the user's row of the best items
    pub(crate) fn rank_counts(
        &mut self,
        user: TaskUser<'_>,
        n_items: usize,
        (ranks, first): (&BlockRanks, usize),
        (top, list): (&[u32], &mut [u32]),
    ) -> Result<(), MetricError> {
        let n_candidates = user.n_candidates(n_items);
        self.counted.clear();
        for (&item, index) in user.relevant.iter().zip(first..) {
            if user.seen.binary_search(&item).is_err() {
                self.counted.push(Counted { above: ranks.above[index], equal: ranks.equal[index], item });
            }
        }
        self.counted.sort_unstable();
        self.ranks.restart(user.relevant.len(), n_candidates);
        let mut first_free = 0;
        for group in self.counted.chunk_by(|a, b| (a.above, a.equal) == (b.above, b.equal)) {
            let Counted { above, equal, item } = group[0];
            let tie = TieGroup { above: above as usize, size: equal as usize, relevant: group.len() };
            let end = tie.above + tie.size;
            if tie.relevant > tie.size || tie.above < first_free || end > n_candidates {
                let user = user.id;
                return Err(MetricError::ImpossibleCounts { user, item, above, equal, n_candidates });
            }
            self.ranks.push(tie);
            first_free = end;
        }
        self.n_listed = list.len().min(n_candidates);
        list.copy_from_slice(top);
        match list[..self.n_listed].iter().find(|&&item| item as usize >= n_items) {
            Some(&item) => Err(MetricError::ItemOutOfRange { list: "top", user: user.id, item, n_items }),
            None => Ok(()),
        }
    }

    /// What was counted of the user ranked last.
    pub(crate) fn tally(&self) -> Tally {
        Tally {
            relevant: self.ranks.n_relevant(),
            unreachable: self.ranks.n_masked(),
            tied: self.ranks.n_tied(),
            ..Tally::default()
        }
    }
}
