//! Any of the baselines, fitted.

use cresset_metrics::{RatingPredictor, Scorer};

use crate::{
    BaselineConfig, Ease, GlobalMean, HistoryScorer, ImplicitAls, ItemMean, ItemNeighbours, Popularity,
    UserMean,
};

/// A fitted baseline of any kind, made by [`BaselineConfig::fit`] or read back by [`Baseline::load`].
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    pub(crate) config: BaselineConfig,
    pub(crate) n_users: usize,
    pub(crate) n_items: usize,
    pub(crate) model: Model,
}

/// The model of each kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Model {
    GlobalMean(GlobalMean),
    UserMean(UserMean),
    ItemMean(ItemMean),
    Popularity(Popularity),
    ItemNeighbours(ItemNeighbours),
    Ease(Ease),
    ImplicitAls(ImplicitAls),
}

impl Baseline {
    /// What it was fitted with.
    pub fn config(&self) -> &BaselineConfig {
        &self.config
    }

    /// The sizes of the id spaces it was fitted to: users and items.
    pub fn dims(&self) -> (usize, usize) {
        (self.n_users, self.n_items)
    }

    /// It as one that ranks; the global mean and the user means do not, since they hold all items alike.
    pub fn scorer(&self) -> Option<&dyn Scorer> {
        self.history_scorer().map(|model| model as &dyn Scorer)
    }

    /// It as one that ranks for a history alone: every one that ranks does.
    pub fn history_scorer(&self) -> Option<&dyn HistoryScorer> {
        match &self.model {
            Model::GlobalMean(_) | Model::UserMean(_) => None,
            Model::ItemMean(model) => Some(model),
            Model::Popularity(model) => Some(model),
            Model::ItemNeighbours(model) => Some(model),
            Model::Ease(model) => Some(model),
            Model::ImplicitAls(model) => Some(model),
        }
    }

    /// It as one that predicts ratings: the means do.
    pub fn predictor(&self) -> Option<&dyn RatingPredictor> {
        match &self.model {
            Model::GlobalMean(model) => Some(model),
            Model::UserMean(model) => Some(model),
            Model::ItemMean(model) => Some(model),
            _ => None,
        }
    }

    /// Values that were learnt, by part, for the table of a run.
    pub fn n_parameters(&self) -> Vec<(&'static str, usize)> {
        let (n_users, n_items) = self.dims();
        match &self.model {
            Model::GlobalMean(_) => vec![("mean", 1)],
            Model::UserMean(_) => vec![("mean", 1), ("user_means", n_users)],
            Model::ItemMean(_) => vec![("mean", 1), ("item_means", n_items)],
            Model::Popularity(_) => vec![("counts", n_items)],
            Model::ItemNeighbours(model) => vec![("similarities", model.similarities.weights.len())],
            Model::Ease(model) => vec![("weights", model.weights.len())],
            Model::ImplicitAls(model) => {
                let dim = model.config.embedding_dim;
                vec![("user_vectors", n_users * dim), ("item_vectors", n_items * dim)]
            }
        }
    }
}
