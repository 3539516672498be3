//! Measuring anything that predicts or ranks on one part of a split.

use cresset_data::{Ratings, UserItems};
use cresset_metrics::{
    ItemLists, MetricError, Metrics, RankingPlan, RankingTask, RatingPredictor, Scorer, mae, r2,
    rank_catalogue, rmse,
};
use serde::{Deserialize, Serialize};

use crate::config::EvaluationConfig;

/// Pairs predicted at once.
const PAIRS_AT_ONCE: usize = 16_384;

/// One part of a split, ready to measure against: its ratings, what is relevant, what must not be ranked.
#[derive(Debug)]
pub struct EvaluationPart {
    ratings: Ratings,
    users: Vec<u32>,
    relevant: UserItems,
    seen: UserItems,
    k: Vec<usize>,
}

/// What is to be measured: one that predicts ratings, one that ranks, or both in one.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    /// Predicts ratings.
    pub predictor: Option<&'a dyn RatingPredictor>,
    /// Ranks the catalogue.
    pub scorer: Option<&'a dyn Scorer>,
}

/// How many users and positives stand behind the ranking metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankingCounts {
    /// Users with something relevant, over whom the mean is taken.
    pub users: usize,
    /// Users without, left out.
    pub users_left_out: usize,
    /// Relevant items that share their score with another item, and so count by expectation.
    pub tied_positives: usize,
}

impl std::fmt::Display for RankingCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { users, users_left_out, tied_positives } = self;
        write!(
            f,
            "ranking judged on {users} users; {users_left_out} without a relevant item are left out; \
             {tied_positives} relevant items tie with others and count by expectation"
        )
    }
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
    /// ranked.
    pub fn new(ratings: Ratings, seen: &Ratings, n_users: usize, config: &EvaluationConfig) -> Self {
        Self {
            users: (0..n_users as u32).collect(),
            relevant: UserItems::from_ratings_at_least(&ratings, n_users, config.relevant_rating),
            seen: UserItems::from_ratings(seen, n_users),
            k: config.k.clone(),
            ratings,
        }
    }

    /// `rmse`, `mae` and `r2` of what predicts, `hit_rate@k` and its kin of what ranks, over the full
    /// catalogue. A part without ratings measures nothing: no metric at all.
    ///
    /// # Errors
    ///
    /// A prediction or score that is not a number; a metric that these data leave undefined is null instead.
    pub fn measure(&self, judged: Judged<'_>) -> Result<(Metrics, RankingCounts), MetricError> {
        let (mut metrics, mut counts) = (Metrics::new(), RankingCounts::default());
        if self.ratings.is_empty() {
            return Ok((metrics, counts));
        }
        if let Some(predictor) = judged.predictor {
            let predictions = self.predict(predictor);
            let targets = &self.ratings.rating;
            metrics.insert_result("rmse", rmse(targets, &predictions))?;
            metrics.insert_result("mae", mae(targets, &predictions))?;
            metrics.insert_result("r2", r2(targets, &predictions))?;
        }
        if let Some(scorer) = judged.scorer {
            let task =
                RankingTask { users: &self.users, relevant: lists(&self.relevant), seen: lists(&self.seen) };
            let report = rank_catalogue(scorer, &task, &RankingPlan::at_cutoffs(&self.k)?)?;
            counts = RankingCounts {
                users: report.n_users,
                users_left_out: report.n_users_left_out,
                tied_positives: report.n_tied,
            };
            metrics.extend(report.metrics);
        }
        Ok((metrics, counts))
    }

    fn predict(&self, predictor: &dyn RatingPredictor) -> Vec<f32> {
        let users = self.ratings.user_id.chunks(PAIRS_AT_ONCE);
        let items = self.ratings.item_id.chunks(PAIRS_AT_ONCE);
        users.zip(items).flat_map(|(users, items)| predictor.predict_pairs(users, items)).collect()
    }
}

fn lists(of: &UserItems) -> ItemLists<'_> {
    ItemLists { offsets: of.offsets(), items: of.items() }
}
