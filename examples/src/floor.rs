//! The floor: simple recommenders, fitted to the same training ratings, that every result is printed beside.

use std::collections::BTreeMap;

use cresset::baselines::{Baseline, BaselineConfig, ItemNeighboursConfig, TrainingSet};
use cresset::data::negatives::CandidateSets;
use cresset::data::{Ratings, Split, SplitKind};
use cresset::metrics::Metrics;
use cresset::trainers::{EvaluationPart, Judged};

use crate::failure::Failure;

/// Rows by which users are known when they are tested.
///
/// Where the split goes by time, what was held back for validation has happened by then. By chance it has not happened
/// earlier than the test, and is left out, as is usual.
pub fn known_at_test(split: &Split, kind: SplitKind) -> Vec<u32> {
    if kind.is_by_time() { split.before_test() } else { split.train.clone() }
}

/// What the simple recommenders learn from.
#[derive(Clone, Copy)]
pub struct Floor<'a> {
    /// The training ratings.
    pub train: &'a Ratings,
    /// The ratings by which users are known on the part that is measured.
    pub known: &'a Ratings,
    /// Users.
    pub n_users: usize,
    /// Items.
    pub n_items: usize,
    /// How the parts were divided: where by time, neighbours look at sequences.
    pub split: SplitKind,
}

impl Floor<'_> {
    /// Their metrics on a part, by name: the means where `beside` predicts ratings, popularity and item neighbours where
    /// it ranks.
    ///
    /// # Errors
    ///
    /// If there is no training rating.
    pub fn measure(
        &self,
        part: &EvaluationPart,
        candidates: Option<&CandidateSets>,
        beside: Judged<'_>,
    ) -> Result<BTreeMap<String, Metrics>, Failure> {
        let mut found = BTreeMap::new();
        for (name, config) in self.configs(beside) {
            let model = self.fit(&config)?;
            let judged = Judged { predictor: model.predictor(), scorer: model.scorer() };
            let metrics = part.measure_with(candidates, judged)?.metrics;
            if !metrics.is_empty() {
                found.insert(name.to_owned(), metrics);
            }
        }
        Ok(found)
    }

    fn configs(&self, beside: Judged<'_>) -> Vec<(&'static str, BaselineConfig)> {
        let by_kind = |kind: &str| BaselineConfig::defaults(kind);
        let mut configs = Vec::new();
        if beside.predictor.is_some() {
            configs.extend([("global mean", by_kind("global-mean")), ("user mean", by_kind("user-mean"))]);
            configs.push(("item mean", by_kind("item-mean")));
        }
        if beside.scorer.is_some() {
            let neighbours = Some(BaselineConfig::ItemNeighbours(self.neighbours()));
            configs.extend([("popularity", by_kind("popularity")), ("item neighbours", neighbours)]);
        }
        configs.into_iter().filter_map(|(name, config)| Some((name, config?))).collect()
    }

    fn neighbours(&self) -> ItemNeighboursConfig {
        let has_times = self.training(self.train).times.is_some();
        match self.split.is_by_time() && has_times {
            true => ItemNeighboursConfig::for_sequences(),
            false => ItemNeighboursConfig::default(),
        }
    }

    fn fit(&self, config: &BaselineConfig) -> Result<Baseline, Failure> {
        Ok(config.fit(&self.training(self.train))?.knowing(&self.training(self.known))?)
    }

    fn training<'r>(&self, ratings: &'r Ratings) -> TrainingSet<'r> {
        TrainingSet::from_ratings(ratings, self.n_users, self.n_items)
    }
}
