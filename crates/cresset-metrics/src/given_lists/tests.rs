use proptest::prelude::*;

use super::*;
use crate::{ItemFacts, NO_ITEM, RankingAccumulator};

fn evaluate(items: &[u32], scores: &[f64], relevant: &[u32], seen: &[u32], keys: &[&str]) -> RankingReport {
    try_evaluate(items, scores, relevant, seen, keys).unwrap()
}

/// One user's list, over nine items.
fn try_evaluate(
    items: &[u32],
    scores: &[f64],
    relevant: &[u32],
    seen: &[u32],
    keys: &[&str],
) -> Result<RankingReport, MetricError> {
    let lists = RankedLists { offsets: &[0, items.len()], items, scores };
    let (relevant_offsets, seen_offsets) = ([0, relevant.len()], [0, seen.len()]);
    let task = RankingTask {
        users: &[0],
        relevant: ItemLists { offsets: &relevant_offsets, items: relevant },
        seen: ItemLists { offsets: &seen_offsets, items: seen },
    };
    let interactions = [1; 9];
    let facts = ItemFacts::new(&interactions, 2).unwrap();
    rank_lists(&lists, 9, &task, &RankingPlan::parse(keys).unwrap().with_facts(facts))
}

#[test]
fn the_scores_and_not_the_order_of_a_list_say_who_is_first() {
    let report = evaluate(&[3, 4, 5], &[0.1, 0.9, 0.5], &[5], &[], &["mrr@10", "hit_rate@1", "ndcg@10"]);
    assert_eq!(report.metrics.get("mrr@10"), Some(0.5));
    assert_eq!(report.metrics.get("hit_rate@1"), Some(0.0));
    assert_eq!(report.metrics.get("ndcg@10"), Some(3.0_f64.log2().recip()));
}

#[test]
fn relevant_items_that_are_not_listed_are_misses_and_counted() {
    let report = evaluate(&[3, 4], &[0.9, 0.8], &[3, 7, 8], &[], &["recall@10"]);
    assert_eq!(report.metrics.get("recall@10"), Some(1.0 / 3.0));
    assert_eq!((report.n_relevant, report.n_masked), (3, 2));
}

#[test]
fn an_item_outside_the_catalogue_holds_a_place_and_is_no_hit() {
    let keys = ["mrr@10", "coverage@10", "popularity@10"];
    let report = evaluate(&[NO_ITEM, NO_ITEM, 3], &[0.9, 0.8, 0.7], &[3], &[], &keys);
    assert_eq!(report.metrics.get("mrr@10"), Some(1.0 / 3.0));
    assert_eq!(report.metrics.get("coverage@10"), Some(1.0 / 9.0));
    assert_eq!(report.metrics.get("popularity@10"), Some(1.0));
}

#[test]
fn seen_items_are_taken_out_counted_and_those_behind_them_move_up() {
    let report = evaluate(&[1, 2, 3], &[0.9, 0.8, 0.7], &[3], &[1, 2], &["mrr@10", "coverage@1"]);
    assert_eq!(report.metrics.get("mrr@10"), Some(1.0));
    assert_eq!(report.n_seen_removed, 2);
    assert_eq!(report.metrics.get("coverage@1"), Some(1.0 / 9.0));
}

#[test]
fn equal_scores_count_by_expectation_and_a_seen_item_does_not_split_them() {
    let report = evaluate(&[5, 1, 4], &[0.5; 3], &[4], &[1], &["hit_rate@1", "mrr@10"]);
    assert_eq!(report.metrics.get("hit_rate@1"), Some(0.5));
    assert_eq!(report.metrics.get("mrr@10"), Some(0.75));
    assert_eq!(report.n_tied, 1);
}

#[test]
fn an_empty_list_scores_zero_and_is_counted() {
    let report = evaluate(&[], &[], &[4], &[], &["ndcg@10", "coverage@10", "gini@10", "novelty@10"]);
    assert_eq!(report.metrics.get("ndcg@10"), Some(0.0));
    assert_eq!(report.n_empty_lists, 1);
    assert_eq!(report.metrics.get("coverage@10"), Some(0.0));
    assert_eq!(report.metrics.reason("gini@10"), Some("no list shows an item"));
    assert_eq!(report.metrics.reason("novelty@10"), Some("no list shows an item of the catalogue"));
}

#[test]
fn a_list_does_not_rank_what_it_leaves_out_so_auc_is_null() {
    let report = evaluate(&[3], &[0.5], &[3], &[], &["auc", "gauc", "hit_rate@1"]);
    for key in ["auc", "gauc"] {
        assert_eq!(report.metrics.reason(key), Some("a list does not rank the items that it leaves out"));
    }
    assert_eq!(report.metrics.get("hit_rate@1"), Some(1.0));
}

#[test]
fn duplicates_and_broken_scores_and_unknown_items_are_errors_with_user_and_item() {
    let error =
        |items: &[u32], scores: &[f64]| try_evaluate(items, scores, &[3], &[2], &["mrr@10"]).unwrap_err();
    assert_eq!(error(&[3, 4, 3], &[0.9, 0.8, 0.7]), MetricError::ListedTwice { user: 0, item: 3 });
    assert_eq!(error(&[2, 2], &[0.9, 0.8]), MetricError::ListedTwice { user: 0, item: 2 });
    assert!(matches!(error(&[9], &[0.9]), MetricError::ItemOutOfRange { list: "ranked", item: 9, .. }));
    for bad in [f64::NAN, f64::INFINITY] {
        let error = error(&[4, 3], &[0.9, bad]);
        assert!(matches!(error, MetricError::ScoreNotFinite { user: 0, item: 3, .. }), "{error}");
    }
    assert!(matches!(error(&[4, 3], &[0.9]), MetricError::WrongLength { found: 1, expected: 2, .. }));
}

#[test]
fn the_first_error_in_the_order_of_users_is_named_and_leaves_no_mark() {
    let lists =
        RankedLists { offsets: &[0, 1, 3, 5], items: &[0, 1, 1, 2, 2], scores: &[0.9, 0.8, 0.7, 0.6, 0.5] };
    let relevant = ItemLists { offsets: &[0, 1, 2, 3], items: &[0, 0, 0] };
    let task = RankingTask { users: &[0, 1, 2], relevant, seen: ItemLists::NONE };
    let error = rank_lists(&lists, 3, &task, &RankingPlan::parse(&["mrr@1"]).unwrap()).unwrap_err();
    assert_eq!(error, MetricError::ListedTwice { user: 1, item: 1 });
}

#[test]
fn a_user_without_a_row_is_an_error_and_no_rows_at_all_are_empty_lists() {
    let relevant = ItemLists { offsets: &[0, 1, 2], items: &[0, 0] };
    let task = RankingTask { users: &[0, 1], relevant, seen: ItemLists::NONE };
    let plan = RankingPlan::parse(&["mrr@1"]).unwrap();
    let short = RankedLists { offsets: &[0, 1], items: &[0], scores: &[0.5] };
    let error = rank_lists(&short, 3, &task, &plan).unwrap_err();
    assert_eq!(error, MetricError::NoSuchUser { list: "ranked", user: 1, n_users: 1 });
    let none = RankedLists { offsets: &[], items: &[], scores: &[] };
    let report = rank_lists(&none, 3, &task, &plan).unwrap();
    assert_eq!((report.metrics.get("mrr@1"), report.n_empty_lists), (Some(0.0), 2));
}

proptest! {
    #[test]
    fn a_list_of_the_whole_catalogue_is_worth_what_its_scores_are(
        levels in prop::collection::vec(0_u8..5, 9),
        kinds in prop::collection::vec(0_u8..5, 9),
        order in Just((0..9).collect::<Vec<u32>>()).prop_shuffle(),
    ) {
        let relevant: Vec<u32> = (0..9).filter(|&item| kinds[item as usize] < 2).collect();
        let seen: Vec<u32> = (0..9).filter(|&item| [1, 2].contains(&kinds[item as usize])).collect();
        prop_assume!(!relevant.is_empty());
        let keys =
            ["ndcg@3", "map@5", "mrr@4", "f1@2", "hit_rate@3", "recall@9", "gini@2", "novelty@4"];
        let scores: Vec<f64> = order.iter().map(|&item| f64::from(levels[item as usize])).collect();
        let listed = evaluate(&order, &scores, &relevant, &seen, &keys);

        let (relevant_offsets, seen_offsets) = ([0, relevant.len()], [0, seen.len()]);
        let task = RankingTask {
            users: &[0],
            relevant: ItemLists { offsets: &relevant_offsets, items: &relevant },
            seen: ItemLists { offsets: &seen_offsets, items: &seen },
        };
        let interactions = [1; 9];
        let facts = ItemFacts::new(&interactions, 2).unwrap();
        let plan = RankingPlan::parse(&keys).unwrap().with_facts(facts);
        let mut accumulator = RankingAccumulator::new(&task, 9, &plan).unwrap();
        let row: Vec<f32> = levels.iter().map(|&level| f32::from(level)).collect();
        accumulator.add_scores(0, &row).unwrap();
        let scored = accumulator.finish().unwrap();
        prop_assert_eq!(listed.metrics, scored.metrics);
        prop_assert_eq!(listed.n_tied, scored.n_tied);
        prop_assert_eq!(listed.n_seen_removed, seen.len());
    }
}
