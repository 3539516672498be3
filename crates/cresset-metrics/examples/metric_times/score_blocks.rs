//! 6,040 users and 3,706 items whose scores lie ready.

use cresset_metrics::{ItemLists, RankingAccumulator, RankingPlan, RankingTask};

use crate::inputs::{ITEMS, Lists, USERS, relevant_items, scores};
use crate::{Options, Outcome};

const KEYS: [&str; 6] = ["hit_rate@10", "recall@10", "ndcg@10", "hit_rate@100", "recall@100", "ndcg@100"];

pub(crate) fn run(options: &Options) -> Outcome {
    let users: Vec<u32> = (0..USERS).collect();
    let relevant = Lists::of(users.iter().map(|&user| relevant_items(user)));
    let scores: Vec<f32> = users.iter().flat_map(|&user| scores(user, relevant.view().of(user))).collect();
    let task = RankingTask { users: &users, relevant: relevant.view(), seen: ItemLists::NONE };
    let plan = RankingPlan::parse(&KEYS)?;
    options.measure(&format!("{USERS}x{ITEMS}"), || {
        let mut accumulator = RankingAccumulator::new(&task, ITEMS as usize, &plan)?;
        accumulator.add_scores(0, &scores)?;
        Ok(accumulator.finish()?.metrics)
    })
}
