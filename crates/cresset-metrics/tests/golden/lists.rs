//! Metrics of ordered lists beside those of ranx and `pytrec_eval`, user by user.
//!
//! Both divide average precision by all relevant items, as ours does under the name `map_by_relevant`. Where all of
//! them fit into the list it is our `map`, too.

use cresset_metrics::{
    ItemLists, MetricError, RankedLists, RankingPlan, RankingReport, RankingTask, average_precision_at_k,
    average_precision_by_relevant_at_k, f1_at_k, hit_rate_at_k, mrr_at_k, ndcg_at_k, precision_at_k,
    rank_lists, recall_at_k,
};
use serde::Deserialize;

use crate::{ByKey, cases, check_close};

#[derive(Deserialize)]
struct Case {
    name: String,
    ranked: Vec<Vec<u32>>,
    relevant: Vec<Vec<u32>>,
    ranx: ByKey<Vec<f64>>,
    pytrec_eval: ByKey<Vec<f64>>,
}

impl Case {
    /// Keys with the values of all users, by either peer.
    fn expected(&self) -> impl Iterator<Item = (&String, &Vec<f64>)> {
        self.ranx.iter().chain(&self.pytrec_eval)
    }

    /// The same lists as someone's recommendations with scores.
    fn rank(&self) -> Result<RankingReport, MetricError> {
        const N_ITEMS: usize = 30;
        let users: Vec<u32> = (0..self.ranked.len() as u32).collect();
        let (offsets, relevant_offsets) = (offsets(&self.ranked), offsets(&self.relevant));
        let scores: Vec<f64> =
            self.ranked.iter().flat_map(|row| (0..row.len()).map(|at| -(at as f64))).collect();
        let lists = RankedLists { offsets: &offsets, items: &self.ranked.concat(), scores: &scores };
        let relevant = ItemLists { offsets: &relevant_offsets, items: &self.relevant.concat() };
        let task = RankingTask { users: &users, relevant, seen: ItemLists::NONE };
        let keys: Vec<&String> = self.expected().map(|(key, _)| key).collect();
        rank_lists(&lists, N_ITEMS, &task, &RankingPlan::parse(&keys)?)
    }
}

fn offsets(rows: &[Vec<u32>]) -> Vec<usize> {
    let ends = rows.iter().scan(0, |end, row| {
        *end += row.len();
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

fn all() -> Vec<Case> {
    cases(include_str!("lists.json"))
}

fn metric(name: &str, ranked: &[u32], relevant: &[u32], k: usize) -> Result<f64, MetricError> {
    match name {
        "hit_rate" => hit_rate_at_k(ranked, relevant, k),
        "precision" => precision_at_k(ranked, relevant, k),
        "recall" => recall_at_k(ranked, relevant, k),
        "f1" => f1_at_k(ranked, relevant, k),
        "ndcg" => ndcg_at_k(ranked, relevant, k),
        "mrr" => mrr_at_k(ranked, relevant, k),
        "map_by_relevant" => average_precision_by_relevant_at_k(ranked, relevant, k),
        other => panic!("no metric is named {other}"),
    }
}

fn parts(key: &str) -> (&str, usize) {
    let (name, k) = key.split_once('@').expect("a cut-off");
    (name, k.parse().expect("a number"))
}

#[test]
fn metrics_of_a_list_are_those_of_ranx_and_pytrec_eval() {
    for case in all() {
        for (key, expected) in case.expected() {
            let (name, k) = parts(key);
            for ((ranked, relevant), expected) in case.ranked.iter().zip(&case.relevant).zip(expected) {
                check_close(&case.name, key, metric(name, ranked, relevant, k).unwrap(), *expected);
            }
        }
    }
}

#[test]
fn given_lists_have_the_values_of_ranx_and_pytrec_eval() {
    for case in all() {
        let report = case.rank().unwrap();
        for (key, expected) in case.expected() {
            let found = report.per_user(key).unwrap();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                check_close(&case.name, key, *found, *expected);
            }
        }
    }
}

#[test]
fn our_map_is_theirs_where_all_relevant_items_fit_into_the_list() {
    let mut n_checked = 0;
    for case in all() {
        for (key, expected) in case.expected().filter(|(key, _)| key.starts_with("map_by_relevant")) {
            let (_, k) = parts(key);
            let users = case.ranked.iter().zip(&case.relevant).zip(expected);
            for ((ranked, relevant), expected) in users.filter(|((_, relevant), _)| relevant.len() <= k) {
                check_close(&case.name, key, average_precision_at_k(ranked, relevant, k).unwrap(), *expected);
                n_checked += 1;
            }
        }
    }
    assert!(n_checked > 50);
}
