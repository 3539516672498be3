//! Any of the baselines, fitted.

use cresset_metrics::{RatingPredictor, Scorer};

use crate::{
    BaselineConfig, BaselineError, Ease, GlobalMean, Histories, HistoryScorer, ImplicitAls, ItemMean,
    ItemNeighbours, Popularity, TrainingSet, UserMean,
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

    /// The same baseline, ranking its users by what they have now; nothing is fitted again.
    ///
    /// In leave-one-out the history at test holds the validation item, which training has not:
    ///
    /// ```
    /// use cresset_baselines::{BaselineConfig, TrainingSet};
    ///
    /// let training = TrainingSet {
    ///     user_ids: &[0, 0, 1, 1, 2],
    ///     item_ids: &[0, 1, 1, 2, 0],
    ///     ratings: &[1.0; 5],
    ///     times: None,
    ///     n_users: 3,
    ///     n_items: 3,
    /// };
    /// let neighbours = BaselineConfig::defaults("item-neighbours").expect("a kind").fit(&training)?;
    /// // User 2 has item 1 now, too, whose neighbour is item 2.
    /// let now = TrainingSet { user_ids: &[2, 2], item_ids: &[0, 1], ratings: &[1.0; 2], ..training };
    /// let score = |model: &cresset_baselines::Baseline| {
    ///     let mut scores = [0.0; 3];
    ///     model.scorer().expect("neighbours rank").score_block(&[2], &mut scores);
    ///     scores[2]
    /// };
    /// assert_eq!(score(&neighbours), 0.0);
    /// assert!(score(&neighbours.knowing(&now)?) > 0.0);
    /// # Ok::<(), cresset_baselines::BaselineError>(())
    /// ```
    ///
    /// Means and popularity look at nobody's history, and stay as they are.
    ///
    /// # Errors
    ///
    /// If `now` fails its [`check`](TrainingSet::check).
    ///
    /// # Panics
    ///
    /// If `now` has other numbers of users and items than the baseline was fitted to.
    pub fn knowing(mut self, now: &TrainingSet<'_>) -> Result<Self, BaselineError> {
        assert_eq!((now.n_users, now.n_items), self.dims(), "the users and items it was fitted to");
        match &mut self.model {
            Model::ItemNeighbours(model) => model.histories = Histories::of(now)?,
            Model::Ease(model) => model.histories = Histories::by_item(now)?,
            Model::ImplicitAls(model) => model.knowing(&Histories::by_item(now)?),
            _ => now.check()?,
        }
        Ok(self)
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
        match &self.model {
            Model::ItemNeighbours(model) => vec![("similarities", model.similarities.weights.len())],
            _ => self.config.n_parameters(self.n_users, self.n_items),
        }
    }
}
