//! Evaluates lists that someone else made.

mod places;

#[cfg(test)]
mod tests;

use crate::accumulator::{Layout, RankingAccumulator};
use crate::{ItemLists, MetricError, RankingPlan, RankingReport, RankingTask};

pub(crate) use places::Places;

/// Recommended items with their scores, by user: those of user `u` are at `offsets[u]..offsets[u + 1]`, in
/// any order.
///
/// The scores say which item comes first; where a dump has only ranks, their negatives will do.
#[derive(Debug, Clone, Copy)]
pub struct RankedLists<'a> {
    /// Where each user's list starts, and at last where all end: `[n_users + 1]`.
    pub offsets: &'a [usize],
    /// Dense item ids; [`NO_ITEM`](crate::NO_ITEM) for an item outside the catalogue, which holds a place and
    /// is no hit.
    pub items: &'a [u32],
    /// A score for each of `items`.
    pub scores: &'a [f64],
}

/// Users whose lists are taken in one go.
const BLOCK_USERS: usize = 4_096;

/// Evaluates a list for each user of the task, over a catalogue of `n_items`, and averages over users.
///
/// - **Ties** within a list count as the plan says, by expectation unless it says otherwise.
/// - **A relevant item that is not listed** is a miss, whatever the cut-off, and is counted among
///   [`RankingReport::n_masked`]. What lies beyond the end of a list is unknown and no hit.
/// - **An item that the user has seen** is taken out of the list, those behind it move up, and it is counted
///   ([`RankingReport::n_seen_removed`]).
/// - **A user without a list** has an empty one: a value of 0, counted ([`RankingReport::n_empty_lists`]). A
///   user without a relevant item is left out and counted, with a list or without.
/// - **`auc` and `gauc`** are null: a list of k items does not rank the others.
///
/// ```
/// use cresset_metrics::{ItemLists, NO_ITEM, RankedLists, RankingPlan, RankingTask, rank_lists};
///
/// let lists = RankedLists {
///     offsets: &[0, 3, 5],
///     items: &[4, NO_ITEM, 2, 0, 1],
///     scores: &[0.9, 0.8, 0.7, 0.5, 0.5],
/// };
/// let task = RankingTask {
///     users: &[0, 1],
///     relevant: ItemLists { offsets: &[0, 1, 2], items: &[2, 1] },
///     seen: ItemLists::NONE,
/// };
/// let report = rank_lists(&lists, 5, &task, &RankingPlan::parse(&["mrr@10", "hit_rate@1"])?)?;
/// // Third for user 0; for user 1 first or second, with equal chance.
/// assert_eq!(report.metrics.get("mrr@10"), Some((1.0 / 3.0 + 0.75) / 2.0));
/// assert_eq!(report.metrics.get("hit_rate@1"), Some(0.25));
/// # Ok::<(), cresset_metrics::MetricError>(())
/// ```
///
/// # Errors
///
/// If the catalogue is empty, a user has no row in a list, a list of the task does not strictly rise or
/// leaves the catalogue, there is not one score for each listed item, a score is NaN or infinite, an item is
/// twice in a list, or it is neither in the catalogue nor `NO_ITEM`: the first in the order of `task.users`.
pub fn rank_lists(
    lists: &RankedLists<'_>,
    n_items: usize,
    task: &RankingTask<'_>,
    plan: &RankingPlan<'_>,
) -> Result<RankingReport, MetricError> {
    let (found, expected) = (lists.scores.len(), lists.items.len());
    if found != expected {
        return Err(MetricError::WrongLength { what: "the lists' scores", found, expected });
    }
    ItemLists { offsets: lists.offsets, items: lists.items }.check("ranked", task.users)?;
    let layout = Layout::new(plan, true);
    let mut accumulator = RankingAccumulator::with_layout(task, n_items, plan, layout)?;
    for first in (0..task.users.len()).step_by(BLOCK_USERS) {
        let rows = BLOCK_USERS.min(task.users.len() - first);
        accumulator.add(first, rows, |_, user, scratch, list| {
            let (items, scores) = lists.of(user.id);
            scratch.rank_list(user, items, scores, n_items, list)
        })?;
    }
    accumulator.finish()
}

impl<'a> RankedLists<'a> {
    fn of(&self, user: u32) -> (&'a [u32], &'a [f64]) {
        let user = user as usize;
        match self.offsets {
            [] => (&[], &[]),
            offsets => {
                let places = offsets[user]..offsets[user + 1];
                (&self.items[places.clone()], &self.scores[places])
            }
        }
    }
}
