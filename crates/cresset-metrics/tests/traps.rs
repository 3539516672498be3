//! Mistakes that evaluations elsewhere have made, each held against this crate.

use cresset_metrics::{
    ItemLists, MetricError, NO_ITEM, RankedLists, RankingAccumulator, RankingPlan, RankingReport,
    RankingTask, Scorer, rank_catalogue, rank_lists, rmse,
};
use proptest::prelude::*;

/// Scores by user and item.
struct Table {
    n_items: usize,
    scores: Vec<f32>,
}

impl Table {
    /// Scores of 32 levels, so that many tie.
    fn noisy(n_users: usize, n_items: usize, seed: u32) -> Self {
        let score = |place: u32| {
            let mixed = (place ^ seed).wrapping_mul(0x9E37_79B9);
            ((mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA6B) >> 27) as f32
        };
        Self { n_items, scores: (0..(n_users * n_items) as u32).map(score).collect() }
    }

    /// The same for everyone and everything.
    fn constant(n_users: usize, n_items: usize) -> Self {
        Self { n_items, scores: vec![0.25; n_users * n_items] }
    }
}

impl Scorer for Table {
    fn n_items(&self) -> usize {
        self.n_items
    }

    fn score_block(&self, users: &[u32], scores: &mut [f32]) {
        for (&user, row) in users.iter().zip(scores.chunks_exact_mut(self.n_items)) {
            row.copy_from_slice(&self.scores[user as usize * self.n_items..][..self.n_items]);
        }
    }
}

/// Item lists that are owned.
struct Lists {
    offsets: Vec<usize>,
    items: Vec<u32>,
}

impl Lists {
    fn of(lists: &[&[u32]]) -> Self {
        let offsets = std::iter::once(0).chain(lists.iter().scan(0, |end, list| {
            *end += list.len();
            Some(*end)
        }));
        Self { offsets: offsets.collect(), items: lists.concat() }
    }

    fn view(&self) -> ItemLists<'_> {
        ItemLists { offsets: &self.offsets, items: &self.items }
    }
}

fn evaluate(scorer: &Table, relevant: &[&[u32]], keys: &[&str]) -> RankingReport {
    let (users, relevant) = ((0..relevant.len() as u32).collect::<Vec<u32>>(), Lists::of(relevant));
    let task = RankingTask { users: &users, relevant: relevant.view(), seen: ItemLists::NONE };
    let plan = RankingPlan::parse(keys).expect("known keys");
    rank_catalogue(scorer, &task, &plan).expect("lists that fit the scores")
}

#[test]
fn metrics_that_do_not_add_up_are_taken_over_all_users_and_not_averaged_over_blocks() {
    // Two blocks of one user; both show item 0, and each alone covers a half and is as unequal as can be.
    let scorer = Table { n_items: 2, scores: vec![0.9, 0.1, 0.2, 0.8, 0.9, 0.1] };
    let relevant = Lists::of(&[&[0], &[1], &[0]]);
    let plan = RankingPlan::parse(&["coverage@1", "gini@1", "gauc"]).unwrap();
    let task = RankingTask { users: &[0, 1, 2], relevant: relevant.view(), seen: ItemLists::NONE };
    let mut accumulator = RankingAccumulator::new(&task, 2, &plan).unwrap();
    for (position, row) in scorer.scores.chunks(2).enumerate() {
        accumulator.add_scores(position, row).unwrap();
    }
    let report = accumulator.finish().unwrap();
    assert_eq!(report.metrics.get("coverage@1"), Some(1.0));
    // Items shown once and twice: (-1 · 1 + 1 · 2) / (2 · 3).
    assert_eq!(report.metrics.get("gini@1"), Some(1.0 / 6.0));
}

#[test]
fn all_of_12_000_users_are_evaluated() {
    const N_USERS: usize = 12_000;
    let relevant: Vec<&[u32]> =
        (0..N_USERS).map(|user| if user < 10_000 { &[2][..] } else { &[0] }).collect();
    let scorer = Table { n_items: 3, scores: [0.9, 0.5, 0.1].repeat(N_USERS) };
    let report = evaluate(&scorer, &relevant, &["hit_rate@1"]);
    assert_eq!((report.n_users, report.n_users_left_out), (N_USERS, 0));
    assert_eq!(report.metrics.get("hit_rate@1"), Some(2_000.0 / 12_000.0));
}

#[test]
fn the_ideal_of_ndcg_is_that_of_the_relevant_items_and_not_of_the_retrieved_list() {
    // Found first, and another one not at all: by its own ideal the list of two would score 1.
    let scorer = Table { n_items: 4, scores: vec![0.9, 0.8, 0.7, 0.1] };
    let report = evaluate(&scorer, &[&[0, 3]], &["ndcg@2"]);
    assert_eq!(report.metrics.get("ndcg@2"), Some(1.0 / (1.0 + 3.0_f64.log2().recip())));
}

#[test]
fn ties_are_not_resolved_in_the_models_favour() {
    let report = evaluate(&Table::constant(2, 50), &[&[0], &[49]], &["hit_rate@10", "ndcg@1", "auc"]);
    assert_eq!(report.metrics.get("hit_rate@10"), Some(0.2));
    assert_eq!(report.metrics.get("ndcg@1"), Some(0.02));
    assert_eq!(report.metrics.get("auc"), Some(0.5));
    assert_eq!(report.n_tied, 2);
}

#[test]
fn a_nan_is_an_error_and_skips_nobody() {
    let mut scorer = Table::noisy(40, 9, 1);
    scorer.scores[37 * 9 + 4] = f32::NAN;
    let (users, relevant) = ((0..40).collect::<Vec<u32>>(), vec![&[0_u32][..]; 40]);
    let relevant = Lists::of(&relevant);
    let task = RankingTask { users: &users, relevant: relevant.view(), seen: ItemLists::NONE };
    let error = rank_catalogue(&scorer, &task, &RankingPlan::parse(&["mrr@5"]).unwrap()).unwrap_err();
    assert!(matches!(error, MetricError::ScoreNotFinite { user: 37, item: 4, .. }));
    assert!(rmse(&[1.0, 2.0], &[1.0, f32::NAN]).is_err());
}

#[test]
fn equal_scores_list_the_lower_item_first_whatever_the_order_in_which_they_come() {
    let relevant = Lists::of(&[&[0], &[0]]);
    let task = RankingTask { users: &[0, 1], relevant: relevant.view(), seen: ItemLists::NONE };
    let plan = RankingPlan::parse(&["coverage@2"]).unwrap();
    // The same list of four equal items, twice and in two orders: both show items 2 and 3 only.
    let lists =
        RankedLists { offsets: &[0, 4, 8], items: &[9, 2, 3, NO_ITEM, 3, NO_ITEM, 9, 2], scores: &[0.5; 8] };
    let report = rank_lists(&lists, 10, &task, &plan).unwrap();
    assert_eq!(report.metrics.get("coverage@2"), Some(0.2));
    // And a constant scorer shows everyone items 0 and 1.
    let report = evaluate(&Table::constant(5, 10), &[&[7][..]; 5], &["coverage@2"]);
    assert_eq!(report.metrics.get("coverage@2"), Some(0.2));
}

#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    let scorer = Table::noisy(300, 41, 3);
    let relevant: Vec<&[u32]> = (0..300).map(|user| [&[3, 9][..], &[40], &[]][user % 3]).collect();
    let keys = ["ndcg@7", "map@7", "hit_rate@7", "gauc", "gini@3", "coverage@3"];
    let on = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| evaluate(&scorer, &relevant, &keys))
    };
    let alone = on(1);
    for n_threads in [2, 3, 8] {
        assert_eq!(on(n_threads), alone);
    }
}

proptest! {
    #[test]
    fn a_constant_scorer_gets_what_chance_gets(
        n_items in 2_u32..60,
        n_relevant in 1_u32..20,
        k in 1_u32..80,
    ) {
        let n_relevant = n_relevant.min(n_items - 1);
        let relevant: Vec<u32> = (0..n_relevant).collect();
        let keys = ["recall", "precision", "hit_rate"].map(|name| format!("{name}@{k}"));
        let report = evaluate(
            &Table::constant(1, n_items as usize),
            &[&relevant],
            &[&keys[0], &keys[1], &keys[2], "auc"],
        );
        let (n, r, places) = (f64::from(n_items), f64::from(n_relevant), f64::from(k.min(n_items)));
        let close = |key: &str, expected: f64| (report.metrics.get(key).unwrap() - expected).abs() < 1e-12;
        prop_assert!(close(&keys[0], places / n));
        prop_assert!(close(&keys[1], r * places / n / f64::from(k)));
        // All places miss: each finds one fewer of the other items among one fewer of all.
        let misses = |place: u32| ((n - r - f64::from(place)) / (n - f64::from(place))).max(0.0);
        let miss: f64 = (0..k.min(n_items)).map(misses).product();
        prop_assert!(close(&keys[2], 1.0 - miss));
        prop_assert!(close("auc", 0.5));
    }

    #[test]
    fn renaming_the_items_changes_no_ranking_metric(
        seed in any::<u32>(),
        renamed in Just((0..30).collect::<Vec<u32>>()).prop_shuffle(),
    ) {
        let scorer = Table::noisy(6, 30, seed);
        let mut moved = Table::constant(6, 30);
        for (place, &score) in scorer.scores.iter().enumerate() {
            moved.scores[place / 30 * 30 + renamed[place % 30] as usize] = score;
        }
        let relevant: [&[u32]; 6] = [&[0, 4, 9], &[1], &[29], &[2, 3], &[7, 8, 20, 21], &[5]];
        let moved_relevant: Vec<Vec<u32>> = relevant.iter().map(|list| {
            let mut list: Vec<u32> = list.iter().map(|&item| renamed[item as usize]).collect();
            list.sort_unstable();
            list
        }).collect();
        let moved_relevant: Vec<&[u32]> = moved_relevant.iter().map(Vec::as_slice).collect();
        let keys = ["ndcg@10", "map@10", "mrr@10", "f1@5", "hit_rate@3", "recall@30", "auc", "gauc"];
        prop_assert_eq!(evaluate(&scorer, &relevant, &keys), evaluate(&moved, &moved_relevant, &keys));
    }
}
