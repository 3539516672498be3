//! Ranks the whole catalogue for each user, block by block.

use crate::{ItemLists, MetricError, RankingAccumulator, RankingPlan, RankingReport, Scorer};

/// Whom to rank for, what counts as a hit, and what must not be recommended.
#[derive(Debug, Clone, Copy)]
pub struct RankingTask<'a> {
    /// Dense ids of the users to evaluate; one named twice counts twice.
    pub users: &'a [u32],
    /// The items each user should have been recommended.
    pub relevant: ItemLists<'a>,
    /// The items each user has already and is not recommended again.
    pub seen: ItemLists<'a>,
}

/// Scores held at one time, 16 MiB: enough to keep a model busy, and few enough for a large catalogue.
const BLOCK_SCORES: usize = 1 << 22;

/// Users scored at one time at most.
const BLOCK_USERS: usize = 256;

/// Ranks every item that a user has not seen, for each user of the task, and averages over users.
///
/// Scores are asked for in blocks of users and forgotten at once, or counted where they are if the scorer can
/// ([`Scorer::rank_block`]). What is kept of a user is how many items score above each relevant one, how many
/// as high, and the top of the list where the plan needs one: nothing is sorted whole, and no users x items
/// table ever exists. Equal scores count as the plan says.
///
/// Users without a relevant item are left out of everything and counted. A relevant item that is seen too is
/// a miss and counted. A cut-off beyond the catalogue retrieves everything. The result is the same to the bit
/// for any number of threads and any size of block, as far as the scorer's scores are.
///
/// # Errors
///
/// If the catalogue is empty, a user has no row in the lists, a list does not strictly rise or leaves the
/// catalogue, the plan's facts are of another catalogue, or a score is NaN or infinite: always the first in
/// the order of `task.users`.
pub fn rank_catalogue(
    scorer: &dyn Scorer,
    task: &RankingTask<'_>,
    plan: &RankingPlan<'_>,
) -> Result<RankingReport, MetricError> {
    let block_users = (BLOCK_SCORES / scorer.n_items().max(1)).clamp(1, BLOCK_USERS);
    rank_in_blocks(scorer, task, plan, block_users)
}

pub(crate) fn rank_in_blocks(
    scorer: &dyn Scorer,
    task: &RankingTask<'_>,
    plan: &RankingPlan<'_>,
    block_users: usize,
) -> Result<RankingReport, MetricError> {
    let n_items = scorer.n_items();
    // Here, since what follows asks the lists which users have something relevant.
    task.relevant.check("relevant", task.users)?;
    let has_relevant = |user: &u32| !task.relevant.of(*user).is_empty();
    let users: Vec<u32> = task.users.iter().copied().filter(has_relevant).collect();
    let evaluated = RankingTask { users: &users, ..*task };
    let mut accumulator = RankingAccumulator::new(&evaluated, n_items, plan)?;
    let mut scores = Vec::new();
    for (number, block) in users.chunks(block_users).enumerate() {
        let first = number * block_users;
        if let Some(ranks) = scorer.rank_block(&accumulator.request(first, block.len())) {
            accumulator.add_ranked(first, block.len(), &ranks)?;
            continue;
        }
        // Not zeros, nor the scores of the block before: a scorer that leaves a row out is then found out.
        scores.resize(block.len() * n_items, f32::NAN);
        scores.chunks_exact_mut(n_items).for_each(|row| row[0] = f32::NAN);
        scorer.score_block(block, &mut scores);
        accumulator.add_scores(first, &scores)?;
    }
    let mut report = accumulator.finish()?;
    report.n_users_left_out = task.users.len() - users.len();
    Ok(report)
}

#[cfg(test)]
mod tests;
