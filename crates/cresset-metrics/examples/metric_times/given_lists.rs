//! 6,040 lists of 100 items that lie ready.

use cresset_metrics::{ItemLists, RankedLists, RankingPlan, RankingTask, rank_lists};

use crate::inputs::{ITEMS, Lists, USERS, listed_items, relevant_items};
use crate::{Options, Outcome};

const LISTED: u32 = 100;
const METRICS: [&str; 5] = ["ndcg", "map_by_relevant", "mrr", "recall", "precision"];

pub(crate) fn run(options: &Options) -> Outcome {
    let users: Vec<u32> = (0..USERS).collect();
    let relevant = Lists::of(users.iter().map(|&user| relevant_items(user)));
    let listed = Lists::of(users.iter().map(|&user| listed_items(user, LISTED)));
    let scores: Vec<f64> = users.iter().flat_map(|_| (1..=LISTED).rev().map(f64::from)).collect();
    let lists = RankedLists { offsets: &listed.offsets, items: &listed.items, scores: &scores };
    let task = RankingTask { users: &users, relevant: relevant.view(), seen: ItemLists::NONE };
    let keys: Vec<String> =
        METRICS.iter().flat_map(|name| [10, 100].map(|k| format!("{name}@{k}"))).collect();
    let plan = RankingPlan::parse(&keys)?;
    options.measure(&format!("{USERS}x{LISTED}"), || {
        Ok(rank_lists(&lists, ITEMS as usize, &task, &plan)?.metrics)
    })
}
