//! Measuring anything that predicts or ranks on one part of a split.

mod bands;
mod config;
mod facts;
mod measured;
mod per_user;
mod sampled;

use cresset_data::negatives::CandidateSets;
use cresset_data::predictions::Predictions;
use cresset_data::{Ratings, TimeKind, UserItems};
use cresset_metrics::{
    Family, ItemLists, MetricError, MetricKey, RankedLists, RankingPlan, RankingTask, RatingPredictor,
    Scorer, rank_catalogue, rank_lists, rating_metrics,
};

pub use bands::RatingBand;
pub use config::EvaluationConfig;
pub use facts::TrainingFacts;
pub use measured::{Measured, RankingCounts};
pub use per_user::{PerUser, PerUserError};

/// Pairs predicted at once.
const PAIRS_AT_ONCE: usize = 16_384;

/// One part of a split, ready to measure against: its ratings, what is relevant, what must not be ranked.
#[derive(Debug)]
pub struct EvaluationPart {
    ratings: Ratings,
    users: Vec<u32>,
    relevant: UserItems,
    seen: UserItems,
    config: EvaluationConfig,
    facts: Option<TrainingFacts>,
}

/// What is to be measured: one that predicts ratings, one that ranks, or both in one.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    /// Predicts ratings.
    pub predictor: Option<&'a dyn RatingPredictor>,
    /// Ranks the catalogue.
    pub scorer: Option<&'a dyn Scorer>,
}

impl<'a> Judged<'a> {
    /// A model that predicts ratings and ranks by them.
    pub fn both<M: RatingPredictor + Scorer>(model: &'a M) -> Self {
        Self { predictor: Some(model), scorer: Some(model) }
    }
}

impl std::fmt::Debug for Judged<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judged").finish_non_exhaustive()
    }
}

impl EvaluationPart {
    /// The part with the given ratings; items in `seen` (what the model was allowed to learn from) are not
    /// ranked, unless the config says so.
    ///
    /// Metrics that need to know of the training part, such as novelty, are undefined until it is told
    /// [`with_facts`](Self::with_facts), and errors are not told apart by how often an item was rated.
    pub fn new(ratings: Ratings, seen: &Ratings, n_users: usize, config: &EvaluationConfig) -> Self {
        Self {
            users: (0..n_users as u32).collect(),
            relevant: UserItems::from_ratings_at_least(&ratings, n_users, config.relevant_rating),
            seen: match config.mask_seen {
                true => UserItems::from_ratings(seen, n_users),
                false => UserItems::from_ratings(&seen.select(&[]), n_users),
            },
            config: config.clone(),
            facts: None,
            ratings,
        }
    }

    /// The same part, knowing what the training part says of the items.
    #[must_use]
    pub fn with_facts(self, facts: TrainingFacts) -> Self {
        Self { facts: Some(facts), ..self }
    }

    /// The metrics that the config names, ranking over the full catalogue. A part without ratings measures nothing: no
    /// metric at all.
    ///
    /// # Errors
    ///
    /// A prediction or score that is not a number; a metric that these data leave undefined is null instead.
    pub fn measure(&self, judged: Judged<'_>) -> Result<Measured, MetricError> {
        self.measure_with(None, judged)
    }

    /// As [`measure`](Self::measure); where there are candidates, each user's relevant items are ranked among those
    /// alone.
    ///
    /// The numbers are then much larger than those of the full catalogue, and are not to be compared with them.
    ///
    /// # Errors
    ///
    /// As [`measure`](Self::measure).
    pub fn measure_with(
        &self,
        candidates: Option<&CandidateSets>,
        judged: Judged<'_>,
    ) -> Result<Measured, MetricError> {
        let mut measured = self.measure_ratings(judged.predictor)?;
        if let Some((scorer, plan)) = judged.scorer.zip(self.plan()?) {
            let task = self.task();
            let report = match candidates {
                Some(candidates) => sampled::rank_among(scorer, candidates, &task, &plan),
                None => rank_catalogue(scorer, &task, &plan),
            };
            measured.add_ranking(&report?);
        }
        Ok(measured)
    }

    /// The ranking metrics of lists that another program made.
    ///
    /// What a list does not name was not recommended. Items that a user has seen are taken out of the list and counted;
    /// users without a list have missed everything.
    ///
    /// # Errors
    ///
    /// If a list has an item twice, or a score is not a number.
    pub fn measure_lists(&self, lists: &Predictions, n_items: usize) -> Result<Measured, MetricError> {
        let mut measured = Measured::default();
        if let Some(plan) = self.plan()? {
            let scores: Vec<f64> = lists.scores.iter().map(|&score| score.into()).collect();
            let given = RankedLists { offsets: &lists.offsets, items: &lists.items, scores: &scores };
            measured.add_ranking(&rank_lists(&given, n_items, &self.task(), &plan)?);
        }
        Ok(measured)
    }

    /// Its ratings.
    pub fn ratings(&self) -> &Ratings {
        &self.ratings
    }

    /// The users of the part who have a relevant item.
    pub fn users_with_relevant_items(&self) -> Vec<u32> {
        self.users.iter().copied().filter(|&user| !self.relevant.of(user).is_empty()).collect()
    }

    fn measure_ratings(&self, predictor: Option<&dyn RatingPredictor>) -> Result<Measured, MetricError> {
        let mut measured = Measured::default();
        let keys = self.keys(true)?;
        let Some(predictor) = predictor.filter(|_| !self.ratings.is_empty() && !keys.is_empty()) else {
            return Ok(measured);
        };
        let predictions = self.predict(predictor);
        measured.metrics.extend(rating_metrics(&keys, &self.ratings.rating, &predictions)?);
        measured.per_user = PerUser::of_ratings(&keys, &self.ratings, &predictions);
        if let Some(facts) = &self.facts {
            measured.by_item_ratings =
                RatingBand::of_predictions(facts.counts(), &self.ratings, &predictions)?;
        }
        Ok(measured)
    }

    /// The metrics of ratings, or those of rankings and lists.
    fn keys(&self, of_ratings: bool) -> Result<Vec<MetricKey>, MetricError> {
        let mut keys = self.config.keys()?;
        keys.retain(|key| (key.family() == Family::Rating) == of_ratings);
        Ok(keys)
    }

    /// What is asked of a ranking; nothing where the config or the part leaves nothing to ask.
    fn plan(&self) -> Result<Option<RankingPlan<'_>>, MetricError> {
        let keys = self.keys(false)?;
        if keys.is_empty() || self.ratings.is_empty() {
            return Ok(None);
        }
        let plan = RankingPlan::new(keys)?.with_ties(self.config.ties);
        Ok(Some(match &self.facts {
            Some(facts) => plan.with_facts(facts.items()?),
            None => plan,
        }))
    }

    fn task(&self) -> RankingTask<'_> {
        RankingTask { users: &self.users, relevant: lists(&self.relevant), seen: lists(&self.seen) }
    }

    fn predict(&self, predictor: &dyn RatingPredictor) -> Vec<f32> {
        let users = self.ratings.user_id.chunks(PAIRS_AT_ONCE);
        let items = self.ratings.item_id.chunks(PAIRS_AT_ONCE);
        let times = self.ratings.time.chunks(PAIRS_AT_ONCE);
        let pairs = users.zip(items).zip(times);
        if self.ratings.time_kind == TimeKind::Timestamp {
            return pairs
                .flat_map(|((users, items), at)| predictor.predict_pairs_at(users, items, at))
                .collect();
        }
        pairs.flat_map(|((users, items), _)| predictor.predict_pairs(users, items)).collect()
    }
}

fn lists(of: &UserItems) -> ItemLists<'_> {
    ItemLists { offsets: of.offsets(), items: of.items() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Predicts 3 for everything.
    struct Three;

    impl RatingPredictor for Three {
        fn predict_pairs(&self, users: &[u32], _: &[u32]) -> Vec<f32> {
            vec![3.0; users.len()]
        }
    }

    fn ratings(item_id: &[u32], rating: &[f32]) -> Ratings {
        Ratings {
            user_id: vec![0; item_id.len()],
            item_id: item_id.to_vec(),
            rating: rating.to_vec(),
            time: vec![0; item_id.len()],
            time_kind: TimeKind::Absent,
            parts: None,
        }
    }

    fn bands(metrics: &[&str], facts: Option<TrainingFacts>) -> Vec<(String, f64)> {
        let metrics = metrics.iter().map(|metric| (*metric).to_owned()).collect();
        let config = EvaluationConfig { metrics, ..EvaluationConfig::default() };
        let part = EvaluationPart::new(ratings(&[0, 1], &[5.0, 4.0]), &ratings(&[], &[]), 1, &config);
        let part = EvaluationPart { facts, ..part };
        let measured = part.measure(Judged { predictor: Some(&Three), scorer: None }).unwrap();
        measured.by_item_ratings.iter().map(|band| (band.to_string(), band.rmse)).collect()
    }

    #[test]
    fn errors_are_told_apart_by_training_ratings_where_ratings_are_asked_for_and_training_is_known() {
        let facts = || Some(TrainingFacts::new(&ratings(&[1; 12], &[3.0; 12]), 12, 2));
        let expected = [("0".to_owned(), 2.0), ("10 to 49".to_owned(), 1.0)];
        // Which of the metrics of ratings is asked for does not matter.
        for metrics in [&["rmse", "ndcg"][..], &["mae"]] {
            assert_eq!(bands(metrics, facts()), expected);
        }
        assert_eq!(bands(&["ndcg"], facts()), []);
        assert_eq!(bands(&["rmse"], None), []);
    }
}
