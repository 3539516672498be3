//! A trained model and its data, opened from a run directory.

use std::path::Path;

use cresset::baselines::Baseline;
use cresset::data::Ratings;
use cresset::kg_mf::{self, KgMf, KgMfConfig, RatingScale};
use cresset::nn::weights;
use cresset::nn::{AutodiffRecommender, RecommenderBackend};
use cresset::trainers::{RunDir, SavedData};

use crate::failure::Failure;
use crate::floor::known_at_test;
use crate::knowledge;
use crate::models::{Config, ModelConfig, NetworkConfig};
use crate::served::{Served, ServedKgMf};
use crate::two_tower::ServedTowers;

/// The model of a run directory, of whatever kind.
pub const WEIGHTS: &str = "best_model/weights.safetensors";

/// A run that has a model.
pub struct Saved {
    /// Where it lies.
    pub run: RunDir,
    /// The config it was trained with.
    pub config: Config,
    /// The data it was trained on.
    pub data: SavedData,
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

    /// The model: of a network the weights of its best epoch.
    ///
    /// # Errors
    ///
    /// If the weights are damaged or belong to another config.
    pub fn model<B: AutodiffRecommender>(&self, device: &B::Device) -> Result<Box<dyn Served>, Failure> {
        let file = self.run.file(WEIGHTS);
        match &self.config.model {
            ModelConfig::Network(NetworkConfig::KgMf(config)) => {
                let (model, _) = self.kg_mf(config, device)?;
                Ok(Box::new(ServedKgMf::<B::InnerBackend>::from(model)))
            }
            ModelConfig::Network(NetworkConfig::TwoTower(config)) => {
                Ok(Box::new(ServedTowers::<B::InnerBackend>::open(&self.run, config, &self.data, device)?))
            }
            ModelConfig::Baseline(config) => Ok(Box::new(self.baseline(&file, config.kind())?)),
        }
    }

    /// kg-mf as it was trained, and what it reads.
    ///
    /// # Errors
    ///
    /// If a file is damaged or belongs to another config.
    pub fn kg_mf<B: RecommenderBackend>(
        &self,
        config: &KgMfConfig,
        device: &B::Device,
    ) -> Result<(KgMf<B>, kg_mf::Knowledge), Failure> {
        let weights = weights::load(&self.run.file(WEIGHTS))?;
        let (n_users, n_items) = (self.data.users.len(), self.data.items.len());
        let (train, seed) = (self.train(), self.config.training.seed);
        let knowledge = knowledge::of_run(&self.run, config, &weights, &train)?;
        let scale = RatingScale::of(&train, self.data.rating_range);
        let model = config.init_knowing(n_users, n_items, scale, &knowledge, seed, device)?;
        Ok((weights::restore(model, weights)?, knowledge))
    }

    fn baseline(&self, file: &Path, kind: &str) -> Result<Baseline, Failure> {
        let model = Baseline::load(file)?;
        let (n_users, n_items) = (self.data.users.len(), self.data.items.len());
        if model.config().kind() != kind || model.dims() != (n_users, n_items) {
            let ((users, items), found) = (model.dims(), model.config().kind());
            return Err(Failure::input(format!(
                "{} holds {found} of {users} users and {items} items, and the run is {kind} of {n_users} users and \
                 {n_items} items; restore it from a copy or train again",
                file.display()
            )));
        }
        Ok(model)
    }

    /// The training ratings.
    pub fn train(&self) -> Ratings {
        self.data.ratings.select(&self.data.split.train)
    }

    /// The ratings by which users are known when they are tested.
    pub fn known_at_test(&self) -> Ratings {
        self.data.ratings.select(&known_at_test(&self.data.split, self.config.data.split))
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
