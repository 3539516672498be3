//! A trained model and its data, opened from a run directory.

use std::path::Path;

use cresset::data::Ratings;
use cresset::kg_mf::{KgMf, RatingScale};
use cresset::metrics::{RatingPredictor, Scorer};
use cresset::nn::weights;
use cresset::nn::{AutodiffRecommender, RecommenderBackend};
use cresset::trainers::{RunDir, SavedData};

use crate::failure::Failure;
use crate::models::{Config, ModelConfig};

/// A run that has a model.
pub struct Saved {
    /// Where it lies.
    pub run: RunDir,
    /// The config it was trained with.
    pub config: Config,
    /// The data it was trained on.
    pub data: SavedData,
}

/// A model that serves: it predicts ratings, and ranks the catalogue for users old and new.
pub trait Served: RatingPredictor + Scorer {
    /// A score for every item, for a user known by these ratings alone, `[n_items]`.
    fn score_history(&self, items: &[u32], ratings: &[f32]) -> Vec<f32>;
}

impl<B: RecommenderBackend> Served for KgMf<B> {
    fn score_history(&self, items: &[u32], ratings: &[f32]) -> Vec<f32> {
        KgMf::score_history(self, items, ratings)
    }
}

impl Saved {
    /// Opens a run directory.
    ///
    /// # Errors
    ///
    /// If it holds no trained model, or a file in it is damaged.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let fold = path.join("fold-1");
        if fold.is_dir() {
            let (path, fold) = (path.display(), fold.display());
            return Err(Failure::input(format!(
                "{path} holds a run in folds; name one of them, such as {fold}"
            )));
        }
        let run = RunDir::open(path)?;
        Ok(Self { config: run.read_yaml("best_model/config.yaml")?, data: SavedData::load(&run)?, run })
    }

    /// The model of the best epoch.
    ///
    /// # Errors
    ///
    /// If the weights are damaged or belong to another config.
    pub fn model<B: AutodiffRecommender>(&self, device: &B::Device) -> Result<Box<dyn Served>, Failure> {
        let weights = weights::load(&self.run.file("best_model/weights.safetensors"))?;
        let (n_users, n_items) = (self.data.users.len(), self.data.items.len());
        match &self.config.model {
            ModelConfig::KgMf(config) => {
                let scale = RatingScale::of(&self.train(), self.data.rating_range);
                let seed = self.config.training.seed;
                let model: KgMf<B::InnerBackend> = config.init(n_users, n_items, scale, seed, device)?;
                Ok(Box::new(weights::restore(model, weights)?))
            }
        }
    }

    /// The training ratings.
    pub fn train(&self) -> Ratings {
        self.data.ratings.select(&self.data.split.train)
    }

    /// The index of a user's external id.
    ///
    /// # Errors
    ///
    /// If the model has never seen that user.
    pub fn user(&self, id: &str) -> Result<u32, Failure> {
        self.data.users.index_of(id).ok_or_else(|| self.unknown("user", id, "uid2idx.json"))
    }

    /// The index of an item's external id.
    ///
    /// # Errors
    ///
    /// If the model has never seen that item.
    pub fn item(&self, id: &str) -> Result<u32, Failure> {
        self.data.items.index_of(id).ok_or_else(|| self.unknown("item", id, "iid2idx.json"))
    }

    fn unknown(&self, kind: &str, id: &str, vocabulary: &str) -> Failure {
        let file = self.run.file("best_model").join(vocabulary);
        Failure::input(format!(
            "the model was not trained on {kind} {id}; choose one that {} lists",
            file.display()
        ))
    }
}
