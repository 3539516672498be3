//! What a trained model of any kind can do for the commands.

use cresset::baselines::{Baseline, TrainingSet};
use cresset::data::{Dataset, Ratings};
use cresset::kg_mf::{KgMf, KgMfConfig, KgMfInference};
use cresset::metrics::{RatingPredictor, Scorer};
use cresset::nn::RecommenderBackend;
use cresset::trainers::{Judged, RunDir};

use crate::failure::Failure;

/// A model that serves: it predicts ratings, or ranks the catalogue for users old and new, or both.
pub trait Served {
    /// It as one that predicts ratings.
    fn predictor(&self) -> Option<&dyn RatingPredictor>;

    /// It as one that ranks.
    fn scorer(&self) -> Option<&dyn Scorer>;

    /// A score for every item, for a user known by these ratings alone, `[n_items]`; none where it does not rank.
    fn score_history(&self, items: &[u32], ratings: &[f32]) -> Option<Vec<f32>>;

    /// The same model, its users known by what they have rated by `now`; nothing is trained again. A model that keeps
    /// what it learnt of each user stays as it is.
    ///
    /// # Errors
    ///
    /// If the ratings are none that the model can take.
    fn knowing(self: Box<Self>, now: &Ratings) -> Result<Box<dyn Served>, Failure>;

    /// Writes into the run directory what it is opened by again, beside its weights.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    fn keep(&self, _run: &RunDir, _dataset: &Dataset) -> Result<(), Failure> {
        Ok(())
    }

    /// All that it can be measured by.
    fn judged(&self) -> Judged<'_> {
        Judged { predictor: self.predictor(), scorer: self.scorer() }
    }
}

/// kg-mf; where it has parts and lives on the host, its answers come from plain arrays.
pub struct ServedKgMf<B: RecommenderBackend> {
    model: KgMf<B>,
    arrays: Option<KgMfInference>,
}

impl<B: RecommenderBackend> From<KgMf<B>> for ServedKgMf<B> {
    fn from(model: KgMf<B>) -> Self {
        let KgMfConfig { graph, genome, time, .. } = model.config();
        let has_parts = graph.is_some() || genome.is_some() || time.is_some();
        let arrays = (B::ON_HOST && has_parts).then(|| model.inference());
        Self { model, arrays }
    }
}

impl<B: RecommenderBackend> Served for ServedKgMf<B> {
    /// A model that learnt to rank knows no ratings.
    fn predictor(&self) -> Option<&dyn RatingPredictor> {
        if self.model.config().loss.is_ranking() {
            return None;
        }
        Some(self.arrays.as_ref().map_or(&self.model as &dyn RatingPredictor, |arrays| arrays))
    }

    fn scorer(&self) -> Option<&dyn Scorer> {
        Some(self.arrays.as_ref().map_or(&self.model as &dyn Scorer, |arrays| arrays))
    }

    fn score_history(&self, items: &[u32], ratings: &[f32]) -> Option<Vec<f32>> {
        Some(self.model.score_history(items, ratings))
    }

    fn knowing(self: Box<Self>, _now: &Ratings) -> Result<Box<dyn Served>, Failure> {
        Ok(self)
    }
}

impl Served for Baseline {
    fn predictor(&self) -> Option<&dyn RatingPredictor> {
        Baseline::predictor(self)
    }

    fn scorer(&self) -> Option<&dyn Scorer> {
        Baseline::scorer(self)
    }

    fn score_history(&self, items: &[u32], ratings: &[f32]) -> Option<Vec<f32>> {
        let model = self.history_scorer()?;
        let mut scores = vec![0.0; model.n_items()];
        model.score_history(items, ratings, &mut scores);
        Some(scores)
    }

    fn knowing(self: Box<Self>, now: &Ratings) -> Result<Box<dyn Served>, Failure> {
        let (n_users, n_items) = self.dims();
        Ok(Box::new(Baseline::knowing(*self, &TrainingSet::from_ratings(now, n_users, n_items))?))
    }
}
