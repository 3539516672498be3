//! Takes in rankings block by block, in any order, and averages them at the end.

mod layout;
mod user;

#[cfg(test)]
mod tests;

use rayon::prelude::*;

use crate::beyond_accuracy::Exposure;
use crate::item_lists::check_list;
use crate::ranking_report::Table;
use crate::{BlockRanks, BlockRequest, MetricError, NO_ITEM, RankingPlan, RankingReport, RankingTask};

pub(crate) use layout::{Layout, Source};
pub(crate) use user::{Scratch, Tally, TaskUser};

/// Ranks blocks of users as their scores come in, and keeps a few numbers of each user.
///
/// [`rank_catalogue`](crate::rank_catalogue) drives one over a whole task. Use it yourself where scores come
/// from elsewhere: a file, a server, a loop of your own.
///
/// Whatever the order of the blocks, their size and the number of threads, the report is the same to the bit:
/// what is kept of a user has its place, and sums are taken at the end, in the order of the task. Of a user
/// without a relevant item nothing is looked at; the report counts them.
///
/// ```
/// use cresset_metrics::{ItemLists, RankingAccumulator, RankingPlan, RankingTask};
///
/// let task = RankingTask {
///     users: &[0, 1],
///     relevant: ItemLists { offsets: &[0, 1, 2], items: &[2, 0] },
///     seen: ItemLists::NONE,
/// };
/// let plan = RankingPlan::parse(&["mrr@3", "coverage@1"])?;
/// let mut accumulator = RankingAccumulator::new(&task, 3, &plan)?;
/// accumulator.add_scores(1, &[0.9, 0.2, 0.1])?;
/// accumulator.add_scores(0, &[0.9, 0.2, 0.5])?;
/// let report = accumulator.finish()?;
/// assert_eq!(report.metrics.get("mrr@3"), Some(0.75));
/// assert_eq!(report.metrics.get("coverage@1"), Some(1.0 / 3.0));
/// # Ok::<(), cresset_metrics::MetricError>(())
/// ```
#[derive(Debug)]
pub struct RankingAccumulator<'a> {
    task: RankingTask<'a>,
    plan: &'a RankingPlan<'a>,
    n_items: usize,
    layout: Layout,
    /// Length of the lists that are taken, at most the catalogue's size.
    list_len: usize,
    /// `[users, columns]`, row-major.
    values: Vec<f64>,
    added: Vec<bool>,
    /// One for each cut-off of the layout.
    exposures: Vec<Exposure>,
    tally: Tally,
}

impl<'a> RankingAccumulator<'a> {
    /// No block yet, of a task over a catalogue of `n_items`.
    ///
    /// # Errors
    ///
    /// If the catalogue is empty, a user has no row in the task's lists, a list does not strictly rise or
    /// leaves the catalogue, or the plan's facts are of another number of items.
    pub fn new(
        task: &RankingTask<'a>,
        n_items: usize,
        plan: &'a RankingPlan<'a>,
    ) -> Result<Self, MetricError> {
        Self::with_layout(task, n_items, plan, Layout::new(plan, false))
    }

    pub(crate) fn with_layout(
        task: &RankingTask<'a>,
        n_items: usize,
        plan: &'a RankingPlan<'a>,
        layout: Layout,
    ) -> Result<Self, MetricError> {
        check(task, n_items, plan)?;
        let n_users = task.users.len();
        Ok(Self {
            task: *task,
            plan,
            n_items,
            list_len: layout.list_len().min(n_items),
            values: vec![f64::NAN; n_users * layout.n_columns()],
            added: vec![false; n_users],
            exposures: layout.exposures().iter().map(|_| Exposure::new(n_items)).collect(),
            tally: Tally::default(),
            layout,
        })
    }

    /// Adds the scores of a block: of the users from position `first` of the task on.
    ///
    /// # Shapes
    ///
    /// - scores: `[block, n_items]`, row-major
    ///
    /// # Errors
    ///
    /// If the scores are no whole rows, the block leaves the task, a user was added before, or a score is NaN
    /// or infinite: the first in the order of the block. Nothing is added then.
    pub fn add_scores(&mut self, first: usize, scores: &[f32]) -> Result<(), MetricError> {
        let n_items = self.n_items;
        let rows = scores.len() / n_items;
        check_length("the block of scores", scores.len(), rows * n_items)?;
        self.add(first, rows, |row, user, scratch, list| {
            scratch.rank_scores(user, &scores[row * n_items..][..n_items], list)?;
            Ok(scratch.tally())
        })
    }

    /// What to ask a scorer about the `rows` users from position `first` on, for
    /// [`RankingAccumulator::add_ranked`].
    ///
    /// # Panics
    ///
    /// If the block leaves the task.
    pub fn request(&self, first: usize, rows: usize) -> BlockRequest<'a> {
        let RankingTask { users, relevant, seen } = self.task;
        BlockRequest { users: &users[first..first + rows], relevant, seen, top_k: self.list_len }
    }

    /// Adds what was counted of a block of `rows` users from position `first` of the task on, in answer to
    /// [`RankingAccumulator::request`]. The report is the same as by [`RankingAccumulator::add_scores`].
    ///
    /// # Errors
    ///
    /// If a slice has not the length that [`BlockRanks`] states, counts are impossible, the block leaves the
    /// task, a user was added before, or a score is not finite. Nothing is added then.
    pub fn add_ranked(&mut self, first: usize, rows: usize, ranks: &BlockRanks) -> Result<(), MetricError> {
        if let Some(bad) = ranks.not_finite {
            let value = bad.value.into();
            return Err(MetricError::ScoreNotFinite { user: bad.user, item: bad.item, value });
        }
        self.check_block(first, rows)?;
        let mut starts = vec![0];
        for &user in &self.task.users[first..first + rows] {
            starts.push(starts[starts.len() - 1] + self.task.relevant.of(user).len());
        }
        let (n_relevant, list_len, n_items) = (starts[rows], self.list_len, self.n_items);
        check_length("above of the block", ranks.above.len(), n_relevant)?;
        check_length("equal of the block", ranks.equal.len(), n_relevant)?;
        check_length("top_items of the block", ranks.top_items.len(), rows * list_len)?;
        self.add(first, rows, |row, user, scratch, list| {
            let top = &ranks.top_items[row * list_len..][..list_len];
            scratch.rank_counts(user, n_items, (ranks, starts[row]), (top, list))?;
            Ok(scratch.tally())
        })
    }

    /// The metrics of all users together.
    ///
    /// # Errors
    ///
    /// If a user of the task was never added and has a relevant item.
    pub fn finish(self) -> Result<RankingReport, MetricError> {
        let mut evaluated = Vec::with_capacity(self.task.users.len());
        for (position, &user) in self.task.users.iter().enumerate() {
            if self.task.relevant.of(user).is_empty() {
                continue;
            }
            if !self.added[position] {
                return Err(MetricError::NeverAdded { user, position });
            }
            evaluated.push(position);
        }
        let table = Table::new(self.task.users, &evaluated, self.layout.n_columns(), self.values);
        let n_users = self.task.users.len();
        Ok(RankingReport::new(&self.layout, table, &self.exposures, self.tally, n_users))
    }

    /// Adds a block; `rank` ranks the user of one of its rows, and writes the list where one is wanted.
    pub(crate) fn add<F>(&mut self, first: usize, rows: usize, rank: F) -> Result<(), MetricError>
    where
        F: Fn(usize, TaskUser<'_>, &mut Scratch, &mut [u32]) -> Result<Tally, MetricError> + Sync,
    {
        self.check_block(first, rows)?;
        let (task, facts, layout) = (self.task, self.plan.facts(), &self.layout);
        let (ties, reach, list_len) = (self.plan.ties(), self.plan.reach(), self.list_len);
        let run = |scratch: &mut Scratch, row: usize, values: &mut [f64], list: &mut [u32]| {
            let id = task.users[first + row];
            let user = TaskUser { id, relevant: task.relevant.of(id), seen: task.seen.of(id) };
            if user.relevant.is_empty() {
                return Ok(Tally::default());
            }
            scratch.ranks.look_at(reach);
            let tally = rank(row, user, scratch, list)?;
            scratch.ranks.decide(ties);
            let Scratch { ranks, measured, n_listed, .. } = scratch;
            layout.fill(ranks, user.shown(&list[..*n_listed]), facts, measured, values);
            Ok(tally)
        };
        let n_columns = self.layout.n_columns();
        // Apart from the accumulator until all is well, so that an error leaves it as it was.
        let (mut values, mut lists) = (vec![f64::NAN; rows * n_columns], vec![NO_ITEM; rows * list_len]);
        let tallies: Vec<Result<Tally, MetricError>> = rows_of(&mut values, n_columns, rows)
            .into_par_iter()
            .zip(rows_of(&mut lists, list_len, rows))
            .enumerate()
            .with_min_len(MIN_USERS)
            .map_init(Scratch::default, |scratch, (row, (values, list))| run(scratch, row, values, list))
            .collect();
        // Back on one thread, in the order of users: the first error is always the same.
        let tallies: Vec<Tally> = tallies.into_iter().collect::<Result<_, _>>()?;
        tallies.into_iter().for_each(|tally| self.tally.add(tally));
        self.values[first * n_columns..][..rows * n_columns].copy_from_slice(&values);
        self.added[first..first + rows].fill(true);
        for list in rows_of(&mut lists, list_len, rows) {
            for (exposure, &k) in self.exposures.iter_mut().zip(self.layout.exposures()) {
                exposure.add(&list[..k.min(list_len)]);
            }
        }
        Ok(())
    }

    fn check_block(&self, first: usize, rows: usize) -> Result<(), MetricError> {
        let n_users = self.task.users.len();
        let Some(added) = first.checked_add(rows).and_then(|end| self.added.get(first..end)) else {
            return Err(MetricError::BlockBeyondTask { first, rows, n_users });
        };
        match added.iter().position(|&added| added) {
            Some(row) => {
                let position = first + row;
                Err(MetricError::AddedTwice { user: self.task.users[position], position })
            }
            None => Ok(()),
        }
    }
}

/// Users that a thread takes at least, so that it does not make room anew for each.
const MIN_USERS: usize = 8;

impl Tally {
    fn add(&mut self, other: Tally) {
        self.relevant += other.relevant;
        self.unreachable += other.unreachable;
        self.tied += other.tied;
        self.removed += other.removed;
        self.empty_lists += other.empty_lists;
    }
}

/// The rows of a row-major table, which may have no columns.
fn rows_of<T>(values: &mut [T], n_columns: usize, rows: usize) -> Vec<&mut [T]> {
    match n_columns {
        0 => (0..rows).map(|_| <&mut [T]>::default()).collect(),
        _ => values.chunks_exact_mut(n_columns).collect(),
    }
}

fn check(task: &RankingTask<'_>, n_items: usize, plan: &RankingPlan<'_>) -> Result<(), MetricError> {
    if n_items == 0 {
        return Err(MetricError::EmptyCatalogue);
    }
    if let Some(facts) = plan.facts() {
        check_length("the facts of the items", facts.n_items(), n_items)?;
    }
    task.relevant.check("relevant", task.users)?;
    task.seen.check("seen", task.users)?;
    let check_user = |&user: &u32| {
        check_list("relevant", user, task.relevant.of(user), n_items)?;
        check_list("seen", user, task.seen.of(user), n_items)
    };
    // Not cut short by whichever thread meets an error first: the first in the order of users is named.
    let checked: Vec<Result<(), MetricError>> = task.users.par_iter().map(check_user).collect();
    checked.into_iter().collect()
}

fn check_length(what: &'static str, found: usize, expected: usize) -> Result<(), MetricError> {
    if found == expected { Ok(()) } else { Err(MetricError::WrongLength { what, found, expected }) }
}
