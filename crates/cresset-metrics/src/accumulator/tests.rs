use super::*;
use crate::{ItemFacts, ItemLists};

const RELEVANT: ItemLists<'static> = ItemLists { offsets: &[0, 1, 1, 2], items: &[2, 0] };
const SEEN: ItemLists<'static> = ItemLists { offsets: &[0, 0, 0, 1], items: &[1] };
const TASK: RankingTask<'static> = RankingTask { users: &[0, 1, 2], relevant: RELEVANT, seen: SEEN };

/// Of three users and three items.
const SCORES: [f32; 9] = [0.3, 0.2, 0.1, f32::NAN, 0.0, 0.0, 0.1, 0.9, 0.2];

fn plan(keys: &[&str]) -> RankingPlan<'static> {
    RankingPlan::parse(keys).unwrap()
}

#[test]
fn blocks_in_any_order_come_to_the_same_report() {
    let plan = plan(&["mrr@3", "coverage@1", "auc"]);
    let mut whole = RankingAccumulator::new(&TASK, 3, &plan).unwrap();
    whole.add_scores(0, &SCORES).unwrap();
    let mut parts = RankingAccumulator::new(&TASK, 3, &plan).unwrap();
    parts.add_scores(2, &SCORES[6..]).unwrap();
    parts.add_scores(0, &SCORES[..6]).unwrap();
    let report = whole.finish().unwrap();
    // User 0 finds item 2 third of three; user 2, without item 1, finds item 0 second of two.
    assert_eq!(report.metrics.get("mrr@3"), Some((1.0 / 3.0 + 0.5) / 2.0));
    // Items 0 and 2 come first.
    assert_eq!(report.metrics.get("coverage@1"), Some(2.0 / 3.0));
    assert_eq!(report.metrics.get("auc"), Some(0.0));
    assert_eq!(parts.finish().unwrap(), report);
}

#[test]
fn of_a_user_without_a_relevant_item_nothing_is_looked_at() {
    let plan = plan(&["mrr@3"]);
    let mut accumulator = RankingAccumulator::new(&TASK, 3, &plan).unwrap();
    accumulator.add_scores(0, &SCORES[..3]).unwrap();
    accumulator.add_scores(2, &SCORES[6..]).unwrap();
    let report = accumulator.finish().unwrap();
    assert_eq!((report.n_users, report.n_users_left_out), (2, 1));
    assert_eq!(report.users(), [0, 2]);
}

#[test]
fn a_user_who_was_never_added_or_twice_is_an_error() {
    let plan = plan(&["mrr@3"]);
    let mut accumulator = RankingAccumulator::new(&TASK, 3, &plan).unwrap();
    accumulator.add_scores(0, &SCORES[..3]).unwrap();
    let twice = accumulator.add_scores(0, &SCORES[..3]).unwrap_err();
    assert_eq!(twice, MetricError::AddedTwice { user: 0, position: 0 });
    let missing = accumulator.finish().unwrap_err();
    assert_eq!(missing, MetricError::NeverAdded { user: 2, position: 2 });
}

#[test]
fn blocks_that_do_not_fit_the_task_are_errors() {
    let plan = plan(&["mrr@3"]);
    let mut accumulator = RankingAccumulator::new(&TASK, 3, &plan).unwrap();
    let ragged = accumulator.add_scores(0, &SCORES[..4]).unwrap_err();
    assert_eq!(ragged, MetricError::WrongLength { what: "the block of scores", found: 4, expected: 3 });
    for first in [2, usize::MAX] {
        let beyond = accumulator.add_scores(first, &SCORES[..6]).unwrap_err();
        assert_eq!(beyond, MetricError::BlockBeyondTask { first, rows: 2, n_users: 3 });
    }
}

#[test]
fn an_error_leaves_the_accumulator_as_it_was() {
    let plan = plan(&["mrr@3", "coverage@2"]);
    let mut accumulator = RankingAccumulator::new(&TASK, 3, &plan).unwrap();
    let mut broken = SCORES;
    broken[8] = f32::INFINITY;
    let error = accumulator.add_scores(0, &broken).unwrap_err();
    assert!(matches!(error, MetricError::ScoreNotFinite { user: 2, item: 2, .. }));
    accumulator.add_scores(0, &SCORES).unwrap();
    let mut fresh = RankingAccumulator::new(&TASK, 3, &plan).unwrap();
    fresh.add_scores(0, &SCORES).unwrap();
    assert_eq!(accumulator.finish(), fresh.finish());
}

#[test]
fn facts_of_another_catalogue_are_an_error() {
    let plan = plan(&["novelty@1"]).with_facts(ItemFacts::new(&[1, 1], 1).unwrap());
    let error = RankingAccumulator::new(&TASK, 3, &plan).unwrap_err();
    assert_eq!(error, MetricError::WrongLength { what: "the facts of the items", found: 2, expected: 3 });
}

#[test]
fn a_metric_that_needs_facts_is_null_with_the_reason_and_the_others_stand() {
    let report_of = |plan: &RankingPlan<'_>| {
        let mut accumulator = RankingAccumulator::new(&TASK, 3, plan).unwrap();
        accumulator.add_scores(0, &SCORES).unwrap();
        accumulator.finish().unwrap()
    };
    let keys = ["novelty@1", "intra_list_diversity@2", "mrr@3"];
    let report = report_of(&plan(&keys));
    assert!(report.metrics.reason("novelty@1").unwrap().contains("not given"));
    assert_eq!(report.per_user("novelty@1"), None);
    assert!(report.metrics.get("mrr@3").is_some());
    let report = report_of(&plan(&keys).with_facts(ItemFacts::new(&[1, 2, 4], 4).unwrap()));
    // Items 0 (two bits) and 2 (none) come first.
    assert_eq!(report.metrics.get("novelty@1"), Some(1.0));
    assert!(report.metrics.reason("intra_list_diversity@2").unwrap().contains("no vectors"));
}

#[test]
fn weights_come_with_the_values_of_gauc_and_serendipity_and_with_no_others() {
    let relevant = ItemLists { offsets: &[0, 1, 3], items: &[0, 0, 2] };
    let task = RankingTask { users: &[0, 1], relevant, seen: ItemLists::NONE };
    let interactions = [1, 2, 0];
    let facts = ItemFacts::new(&interactions, 2).unwrap();
    let plan = plan(&["auc", "gauc", "serendipity@1"]).with_facts(facts);
    let mut accumulator = RankingAccumulator::new(&task, 3, &plan).unwrap();
    // User 0 gets item 0 first of three; user 1 gets it behind item 1, and item 2 last.
    accumulator.add_scores(0, &[0.9, 0.2, 0.1, 0.5, 0.9, 0.1]).unwrap();
    let report = accumulator.finish().unwrap();
    assert_eq!(report.metrics.get("auc"), Some(0.5));
    assert_eq!(report.metrics.get("gauc"), Some(1.0 / 3.0));
    assert_eq!(report.user_values("auc").unwrap().weights, None);
    let gauc = report.user_values("gauc").unwrap();
    assert_eq!((gauc.values, gauc.weights), (vec![1.0, 0.0], Some(vec![1.0, 2.0])));
    // The one hit, item 0 for user 0, is not the most popular item; user 1 has no hit and no value.
    assert_eq!(report.metrics.get("serendipity@1"), Some(1.0));
    let serendipity = report.user_values("serendipity@1").unwrap();
    assert_eq!((serendipity.users, serendipity.weights), (vec![0], Some(vec![1.0])));
    assert_eq!(report.n_without_value("serendipity@1"), Some(1));
}

#[test]
fn impossible_counts_are_errors_that_name_user_and_item() {
    let relevant = ItemLists { offsets: &[0, 2], items: &[0, 2] };
    let task = RankingTask { users: &[0], relevant, seen: ItemLists::NONE };
    let plan = plan(&["auc"]);
    let add = |above: &[u32], equal: &[u32]| {
        let ranks = BlockRanks { above: above.to_vec(), equal: equal.to_vec(), ..BlockRanks::default() };
        RankingAccumulator::new(&task, 3, &plan).unwrap().add_ranked(0, 1, &ranks)
    };
    assert_eq!(add(&[0, 1], &[1, 1]), Ok(()));
    assert_eq!(add(&[1, 1], &[2, 2]), Ok(()));
    let impossible = |above: &[u32], equal: &[u32], bad: u32| {
        let error = add(above, equal).unwrap_err();
        assert!(matches!(error, MetricError::ImpossibleCounts { item, .. } if item == bad), "{error}");
    };
    // Beyond the catalogue; not level with itself; two items on one place; overlapping ties.
    impossible(&[0, 2], &[1, 2], 2);
    impossible(&[0, 1], &[0, 1], 0);
    impossible(&[1, 1], &[1, 1], 0);
    impossible(&[0, 1], &[2, 1], 2);
    assert!(matches!(add(&[0], &[1]), Err(MetricError::WrongLength { found: 1, expected: 2, .. })));
}

#[test]
fn a_list_from_a_device_that_names_no_item_where_one_is_left_is_an_error() {
    let plan = plan(&["coverage@2"]);
    let mut accumulator = RankingAccumulator::new(&TASK, 3, &plan).unwrap();
    let ranks = BlockRanks { above: vec![0], equal: vec![1], top_items: vec![2, NO_ITEM], not_finite: None };
    let error = accumulator.add_ranked(0, 1, &ranks).unwrap_err();
    assert!(matches!(error, MetricError::ItemOutOfRange { list: "top", user: 0, item: NO_ITEM, .. }));
}
