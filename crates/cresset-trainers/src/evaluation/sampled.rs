//! Ranking among a few candidates of each user instead of the whole catalogue.

use cresset_data::negatives::CandidateSets;
use cresset_metrics::{
    MetricError, RankedLists, RankingPlan, RankingReport, RankingTask, Scorer, rank_lists,
};

/// Users scored at a time.
const BLOCK_USERS: usize = 256;

/// Ranks the relevant items of each user of the task among them and the user's candidates.
///
/// A user without candidates is ranked among the relevant items alone.
pub(super) fn rank_among(
    scorer: &dyn Scorer,
    candidates: &CandidateSets,
    task: &RankingTask<'_>,
    plan: &RankingPlan<'_>,
) -> Result<RankingReport, MetricError> {
    let n_items = scorer.n_items();
    let n_users = task.users.iter().max().map_or(0, |&user| user as usize + 1);
    let asked = |user: u32| {
        let mut items = task.relevant.of(user).to_vec();
        if !items.is_empty() {
            items.extend_from_slice(candidates.of(user).unwrap_or_default());
        }
        items.sort_unstable();
        items.dedup();
        items
    };
    let (mut offsets, mut items, mut scores) = (vec![0], Vec::new(), Vec::new());
    let users: Vec<u32> = (0..n_users as u32).collect();
    let mut block = vec![f32::NAN; BLOCK_USERS.min(users.len()) * n_items];
    for users in users.chunks(BLOCK_USERS) {
        let block = &mut block[..users.len() * n_items];
        scorer.score_block(users, block);
        for (&user, row) in users.iter().zip(block.chunks_exact(n_items)) {
            let asked = asked(user);
            scores.extend(asked.iter().map(|&item| f64::from(row[item as usize])));
            items.extend(asked);
            offsets.push(items.len());
        }
    }
    rank_lists(&RankedLists { offsets: &offsets, items: &items, scores: &scores }, n_items, task, plan)
}
