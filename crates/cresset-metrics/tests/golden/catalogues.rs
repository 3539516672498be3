//! Metrics of scored catalogues beside scikit-learn's, user by user; most cases are full of ties.
//!
//! `ndcg_score(ignore_ties=False)` averages over all orders of tied items, as we do, and `roc_auc_score` counts a tie
//! as half.

use cresset_metrics::{
    ItemLists, MetricError, RankingAccumulator, RankingPlan, RankingReport, RankingTask, RelevantRanks, auc,
};
use serde::Deserialize;

use crate::{ByKey, cases, check_close};

#[derive(Deserialize)]
struct Case {
    name: String,
    scores: Vec<Vec<f32>>,
    relevant: Vec<Vec<u32>>,
    expected: ByKey<Vec<f64>>,
    gauc: f64,
}

impl Case {
    fn rank(&self) -> Result<RankingReport, MetricError> {
        let users: Vec<u32> = (0..self.scores.len() as u32).collect();
        let mut offsets = vec![0];
        for items in &self.relevant {
            offsets.push(offsets[offsets.len() - 1] + items.len());
        }
        let relevant = ItemLists { offsets: &offsets, items: &self.relevant.concat() };
        let task = RankingTask { users: &users, relevant, seen: ItemLists::NONE };
        let keys: Vec<&str> = self.expected.keys().map(String::as_str).chain(["gauc"]).collect();
        let plan = RankingPlan::parse(&keys)?;
        let mut accumulator = RankingAccumulator::new(&task, self.scores[0].len(), &plan)?;
        accumulator.add_scores(0, &self.scores.concat())?;
        accumulator.finish()
    }
}

fn all() -> Vec<Case> {
    cases(include_str!("catalogues.json"))
}

#[test]
fn ranking_a_catalogue_gives_every_user_the_values_of_scikit_learn() {
    for case in all() {
        let report = case.rank().unwrap();
        for (key, expected) in &case.expected {
            let found = report.user_values(key).unwrap().values;
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                check_close(&case.name, key, *found, *expected);
            }
            let mean = expected.iter().sum::<f64>() / expected.len() as f64;
            check_close(&case.name, key, report.metrics.get(key).unwrap(), mean);
        }
        check_close(&case.name, "gauc", report.metrics.get("gauc").unwrap(), case.gauc);
    }
}

#[test]
fn the_ranks_of_one_user_and_the_area_under_one_curve_are_those_of_scikit_learn() {
    for case in all() {
        for (user, (scores, relevant)) in case.scores.iter().zip(&case.relevant).enumerate() {
            let ranks = RelevantRanks::from_scores(scores, relevant, &[]).unwrap();
            check_close(&case.name, "ndcg@5", ranks.ndcg_at_k(5), case.expected["ndcg@5"][user]);
            let labels: Vec<bool> = (0..scores.len() as u32).map(|item| relevant.contains(&item)).collect();
            check_close(&case.name, "auc", auc(scores, &labels).unwrap(), case.expected["auc"][user]);
        }
    }
}
