use proptest::prelude::*;

use super::*;
use crate::ranking;

fn ranks(scores: &[f32], relevant: &[u32], seen: &[u32]) -> RelevantRanks {
    RelevantRanks::from_scores(scores, relevant, seen).unwrap()
}

#[test]
fn a_relevant_item_at_rank_3_without_ties_scores_as_in_a_list() {
    let ranks = ranks(&[0.9, 0.1, 0.5, 0.7], &[2], &[]);
    assert_eq!((ranks.hit_rate_at_k(2), ranks.hit_rate_at_k(3)), (0.0, 1.0));
    assert_eq!(ranks.ndcg_at_k(10), 0.5);
    assert_eq!(ranks.precision_at_k(10), 0.1);
    assert_eq!(ranks.n_tied(), 0);
}

#[test]
fn one_relevant_of_four_tied_items_hits_the_top_1_a_quarter_of_the_time() {
    let ranks = ranks(&[1.0; 4], &[3], &[]);
    assert_eq!(ranks.hit_rate_at_k(1), 0.25);
    assert_eq!(ranks.recall_at_k(2), 0.5);
    assert_eq!(ranks.ndcg_at_k(1), 0.25);
}

#[test]
fn two_relevant_of_four_tied_items_miss_the_top_2_in_one_of_six_draws() {
    // Of the six pairs of items that can fill two places, one has neither relevant item.
    let ranks = ranks(&[1.0; 4], &[0, 1], &[]);
    assert!((ranks.hit_rate_at_k(2) - 5.0 / 6.0).abs() < 1e-15);
    assert_eq!(ranks.hit_rate_at_k(3), 1.0);
    assert_eq!(ranks.precision_at_k(2), 0.5);
}

#[test]
fn a_constant_scorer_gets_exactly_chance() {
    for (n_items, k) in [(7_usize, 3_usize), (1682, 10), (3706, 100)] {
        let ranks = ranks(&vec![0.3; n_items], &[5], &[]);
        let chance = k as f64 / n_items as f64;
        assert_eq!(ranks.hit_rate_at_k(k), chance);
        assert_eq!(ranks.recall_at_k(k), chance);
        assert_eq!(ranks.precision_at_k(k), chance / k as f64);
    }
}

#[test]
fn the_first_of_two_relevant_among_three_tied_items_is_at_rank_2_in_one_of_three_orders() {
    let ranks = ranks(&[1.0; 3], &[0, 1], &[]);
    assert!((ranks.mrr_at_k(3) - (2.0 / 3.0 + 1.0 / 3.0 * 0.5)).abs() < 1e-15);
    assert!((ranks.mrr_at_k(1) - 2.0 / 3.0).abs() < 1e-15);
    // Of the orders RRN, RNR and NRR: (1 + 1) / 2, (1 + 2/3) / 2 and (1/2 + 2/3) / 2.
    let expected = (1.0 + 5.0 / 6.0 + 7.0 / 12.0) / 3.0;
    assert!((ranks.average_precision_at_k(3) - expected).abs() < 1e-15);
}

#[test]
fn the_rules_for_ties_put_the_relevant_item_first_last_or_anywhere() {
    let of = |ties| ranks(&[0.5; 4], &[2], &[]).with_ties(ties);
    assert_eq!(of(Ties::Optimistic).mrr_at_k(10), 1.0);
    assert_eq!(of(Ties::Pessimistic).mrr_at_k(10), 0.25);
    assert_eq!(of(Ties::Expected).mrr_at_k(10), (1.0 + 1.0 / 2.0 + 1.0 / 3.0 + 1.0 / 4.0) / 4.0);
    let auc = [Ties::Optimistic, Ties::Expected, Ties::Pessimistic].map(|ties| of(ties).auc());
    assert_eq!(auc, [Some(1.0), Some(0.5), Some(0.0)]);
}

#[test]
fn a_masked_relevant_item_loses_every_pair_and_without_a_negative_there_is_none() {
    // Item 0 is masked; item 1 wins against one of two negatives: one of four pairs.
    assert_eq!(ranks(&[0.9, 0.5, 0.7, 0.1], &[0, 1], &[0]).auc(), Some(0.25));
    assert_eq!(ranks(&[0.9, 0.5], &[0, 1], &[]).auc(), None);
    assert_eq!(ranks(&[0.9, 0.5, 0.1], &[0], &[1, 2]).auc(), None);
}

#[test]
fn a_long_tie_costs_no_more_than_its_places_in_the_list() {
    let ranks = ranks(&vec![0.5; 1_000_000], &[7], &[]);
    assert_eq!(ranks.recall_at_k(1_000_000), 1.0);
    assert!((ranks.mrr_at_k(2) - 1.5e-6).abs() < 1e-15);
}

#[test]
fn seen_items_hold_no_position_and_lift_those_behind_them() {
    let scores = [0.9, 0.8, 0.7, 0.7, 0.1];
    assert_eq!(ranks(&scores, &[4], &[0, 1, 2]).ndcg_at_k(10), 1.0 / 3.0_f64.log2());
    assert_eq!(ranks(&scores, &[3], &[0, 1, 2]).ndcg_at_k(10), 1.0);
    assert_eq!(ranks(&scores, &[3], &[0, 1, 2]).n_tied(), 0);
}

#[test]
fn a_relevant_item_that_is_seen_stays_relevant_and_is_a_miss() {
    let ranks = ranks(&[0.9, 0.8, 0.7], &[0, 1], &[0]);
    assert_eq!((ranks.n_relevant(), ranks.n_masked()), (2, 1));
    assert_eq!(ranks.recall_at_k(3), 0.5);
    assert_eq!(ranks.ndcg_at_k(3), 1.0 / (1.0 + 1.0 / 3.0_f64.log2()));
}

#[test]
fn all_relevant_items_seen_score_zero() {
    let ranks = ranks(&[0.9, 0.8], &[0], &[0]);
    assert_eq!((ranks.hit_rate_at_k(2), ranks.ndcg_at_k(2), ranks.n_masked()), (0.0, 0.0, 1));
}

#[test]
fn a_cut_off_beyond_the_catalogue_retrieves_everything() {
    let ranks = ranks(&[0.1, 0.2, 0.2], &[0, 1], &[]);
    assert_eq!((ranks.hit_rate_at_k(50), ranks.recall_at_k(50)), (1.0, 1.0));
    assert_eq!(ranks.precision_at_k(50), 2.0 / 50.0);
}

#[test]
fn zero_and_minus_zero_tie() {
    assert_eq!(ranks(&[0.0, -0.0], &[1], &[]).hit_rate_at_k(1), 0.5);
    assert_eq!(ranks(&[0.0, -0.0, 0.0], &[0, 1], &[]).recall_at_k(3), 1.0);
}

#[test]
fn a_nan_score_is_an_error_and_so_is_no_relevant_item() {
    let nan = RelevantRanks::from_scores(&[0.1, f32::NAN], &[0], &[1]);
    assert!(matches!(nan, Err(MetricError::NotFinite { what: "score", index: 1, .. })));
    let none = RelevantRanks::from_scores(&[0.1], &[], &[]);
    assert!(matches!(none, Err(MetricError::Undefined { .. })));
}

type MetricOfRanks = fn(&RelevantRanks, usize) -> f64;
type MetricOfList = fn(&[u32], &[u32], usize) -> Result<f64, MetricError>;

const METRICS: [(MetricOfRanks, MetricOfList); 10] = [
    (RelevantRanks::hit_rate_at_k, ranking::hit_rate_at_k),
    (RelevantRanks::precision_at_k, ranking::precision_at_k),
    (RelevantRanks::recall_at_k, ranking::recall_at_k),
    (RelevantRanks::recall_capped_at_k, ranking::recall_capped_at_k),
    (RelevantRanks::f1_at_k, ranking::f1_at_k),
    (RelevantRanks::ndcg_at_k, ranking::ndcg_at_k),
    (RelevantRanks::ndcg_ideal_k_at_k, ranking::ndcg_ideal_k_at_k),
    (RelevantRanks::mrr_at_k, ranking::mrr_at_k),
    (RelevantRanks::average_precision_at_k, ranking::average_precision_at_k),
    (RelevantRanks::average_precision_by_relevant_at_k, ranking::average_precision_by_relevant_at_k),
];

/// The share of pairs that an order puts right; a relevant item that is seen loses them all.
fn auc_of_order(order: &[u32], relevant: &[u32], seen: &[u32]) -> f64 {
    let is_relevant = |item: &u32| relevant.contains(item);
    let n_negatives = order.iter().filter(|item| !is_relevant(item)).count();
    let mut won = 0;
    for (position, _) in order.iter().enumerate().filter(|(_, item)| is_relevant(item)) {
        won += order[position..].iter().filter(|item| !is_relevant(item)).count();
    }
    assert!(order.iter().all(|item| !seen.contains(item)), "seen items are in no order");
    won as f64 / (relevant.len() * n_negatives) as f64
}

/// Averages the metric of the list over every order that the scores allow.
fn mean_over_orders(scores: &[f32], mask: &[u32], metric: &dyn Fn(&[u32]) -> f64) -> f64 {
    let values = values_over_orders(scores, mask, metric);
    values.iter().sum::<f64>() / values.len() as f64
}

/// The metric of the list for every order that the scores allow, which come by exchanging tied items.
fn values_over_orders(scores: &[f32], mask: &[u32], metric: &dyn Fn(&[u32]) -> f64) -> Vec<f64> {
    let mut values = Vec::new();
    let mut items: Vec<u32> = (0..scores.len() as u32).filter(|item| !mask.contains(item)).collect();
    items.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
    visit_orders(scores, &mut items, 0, &mut |order| values.push(metric(order)));
    values
}

fn visit_orders(scores: &[f32], items: &mut [u32], fixed: usize, visit: &mut dyn FnMut(&[u32])) {
    if fixed == items.len() {
        return visit(items);
    }
    for next in fixed..items.len() {
        if scores[items[next] as usize] == scores[items[fixed] as usize] {
            items.swap(fixed, next);
            visit_orders(scores, items, fixed + 1, visit);
            items.swap(fixed, next);
        }
    }
}

proptest! {
    #[test]
    fn every_metric_is_its_mean_over_all_orders_of_all_ties(
        levels in prop::collection::vec(0_u8..3, 2..8),
        kinds in prop::collection::vec(0_u8..5, 8),
        k in 1_usize..9,
    ) {
        let scores: Vec<f32> = levels.iter().map(|&level| f32::from(level)).collect();
        let all = 0..scores.len() as u32;
        let relevant: Vec<u32> = all.clone().filter(|&item| kinds[item as usize] < 2).collect();
        // Kind 1 is relevant and seen, kind 2 seen only.
        let seen: Vec<u32> = all.filter(|&item| [1, 2].contains(&kinds[item as usize])).collect();
        prop_assume!(!relevant.is_empty());
        let ranks = ranks(&scores, &relevant, &seen);
        for (metric, of_list) in METRICS {
            let expected = mean_over_orders(&scores, &seen, &|order| of_list(order, &relevant, k).unwrap());
            let value = metric(&ranks, k);
            prop_assert!((value - expected).abs() < 1e-12, "{value} instead of {expected}");
        }
        let auc_of_list = |order: &[u32]| auc_of_order(order, &relevant, &seen);
        match ranks.auc() {
            Some(value) => {
                let expected = mean_over_orders(&scores, &seen, &auc_of_list);
                prop_assert!((value - expected).abs() < 1e-12, "{value} instead of {expected}");
            }
            None => {
                let is_negative = |item: &u32| !relevant.contains(item) && !seen.contains(item);
                prop_assert!(!(0..scores.len() as u32).any(|item| is_negative(&item)));
            }
        }
    }

    #[test]
    fn optimistic_and_pessimistic_are_the_best_and_the_worst_of_all_orders(
        levels in prop::collection::vec(0_u8..3, 2..8),
        kinds in prop::collection::vec(0_u8..5, 8),
        k in 1_usize..9,
    ) {
        let scores: Vec<f32> = levels.iter().map(|&level| f32::from(level)).collect();
        let all = 0..scores.len() as u32;
        let relevant: Vec<u32> = all.clone().filter(|&item| kinds[item as usize] < 2).collect();
        let seen: Vec<u32> = all.filter(|&item| [1, 2].contains(&kinds[item as usize])).collect();
        prop_assume!(!relevant.is_empty());
        let expected = ranks(&scores, &relevant, &seen);
        let best = expected.clone().with_ties(Ties::Optimistic);
        let worst = expected.clone().with_ties(Ties::Pessimistic);
        for (metric, of_list) in METRICS {
            let values = values_over_orders(&scores, &seen, &|order| of_list(order, &relevant, k).unwrap());
            let (highest, lowest) = values.iter().fold((0.0_f64, 1.0_f64), |(h, l), &v| (h.max(v), l.min(v)));
            prop_assert!((metric(&best, k) - highest).abs() < 1e-12);
            prop_assert!((metric(&worst, k) - lowest).abs() < 1e-12);
            prop_assert!(metric(&best, k) >= metric(&expected, k) - 1e-15);
            prop_assert!(metric(&expected, k) >= metric(&worst, k) - 1e-15);
        }
        prop_assert!(best.auc() >= expected.auc() && expected.auc() >= worst.auc());
        prop_assert_eq!(best.n_tied(), expected.n_tied());
        prop_assert_eq!(best.n_masked(), expected.n_masked());
    }

    #[test]
    fn renaming_the_items_changes_no_metric(
        levels in prop::collection::vec(0_u8..9, 20),
        renamed in Just((0..20).collect::<Vec<u32>>()).prop_shuffle(),
        n_relevant in 1_usize..20,
        k in 1_usize..25,
    ) {
        let scores: Vec<f32> = levels.iter().map(|&level| f32::from(level)).collect();
        let mut moved = vec![0.0; 20];
        for (item, &name) in renamed.iter().enumerate() {
            moved[name as usize] = scores[item];
        }
        let relevant: Vec<u32> = (0..n_relevant as u32).collect();
        let mut moved_relevant = renamed[..n_relevant].to_vec();
        moved_relevant.sort_unstable();
        let (before, after) = (ranks(&scores, &relevant, &[]), ranks(&moved, &moved_relevant, &[]));
        prop_assert_eq!(before.ndcg_at_k(k), after.ndcg_at_k(k));
        prop_assert_eq!(before.hit_rate_at_k(k), after.hit_rate_at_k(k));
    }

    #[test]
    fn a_perfect_order_scores_exactly_1(n_relevant in 1_u32..30, k in 1_usize..40) {
        let scores: Vec<f32> = (0..30_u8).map(|item| -f32::from(item)).collect();
        let relevant: Vec<u32> = (0..n_relevant).collect();
        prop_assert_eq!(ranks(&scores, &relevant, &[]).ndcg_at_k(k), 1.0);
    }
}
