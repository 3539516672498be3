//! One config section for all baselines.

use serde::{Deserialize, Serialize};

use crate::baseline::{Baseline, Model};
use crate::{
    BaselineError, EaseConfig, GlobalMean, ImplicitAlsConfig, ItemMean, ItemNeighboursConfig, ParameterError,
    PopularityConfig, TrainingSet, UserMean,
};

/// Which baseline, by its `kind`, and its parameters.
///
/// ```
/// use cresset_baselines::{BaselineConfig, TrainingSet};
///
/// let config: BaselineConfig = serde_json::from_str(r#"{ "kind": "ease", "l2": 10.0 }"#)?;
/// let training = TrainingSet {
///     user_ids: &[0, 0, 1, 1, 2],
///     item_ids: &[0, 1, 0, 1, 2],
///     ratings: &[1.0; 5],
///     times: None,
///     n_users: 3,
///     n_items: 3,
/// };
/// let ease = config.fit(&training)?;
/// let mut scores = [0.0; 3];
/// ease.history_scorer().expect("EASE ranks").score_history(&[0], &[1.0], &mut scores);
/// assert!(scores[1] > scores[2]);
///
/// let misspelt = serde_json::from_str::<BaselineConfig>(r#"{ "kind": "ease", "lambda": 10.0 }"#);
/// assert!(misspelt.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum BaselineConfig {
    /// The mean of all ratings.
    GlobalMean(GlobalMeanConfig),
    /// The mean rating of each user.
    UserMean(MeanConfig),
    /// The mean rating of each item.
    ItemMean(MeanConfig),
    /// What everybody takes, or took lately.
    Popularity(PopularityConfig),
    /// What those who have an item also have.
    ItemNeighbours(ItemNeighboursConfig),
    /// Each item as a linear function of all others.
    Ease(EaseConfig),
    /// Matrix factorisation of implicit feedback.
    ImplicitAls(ImplicitAlsConfig),
}

/// The global mean has no parameter.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GlobalMeanConfig {}

/// Parameters of [`UserMean`] and [`ItemMean`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MeanConfig {
    /// How many ratings at the global mean are added to those of each user or item, from 0 up. Default: 0.
    pub shrinkage: f64,
}

impl BaselineConfig {
    /// Every `kind` there is.
    pub const KINDS: &'static [&'static str] =
        &["global-mean", "user-mean", "item-mean", "popularity", "item-neighbours", "ease", "implicit-als"];

    /// The documented defaults of one kind; `None` if there is no such kind.
    pub fn defaults(kind: &str) -> Option<Self> {
        Some(match kind {
            "global-mean" => Self::GlobalMean(GlobalMeanConfig::default()),
            "user-mean" => Self::UserMean(MeanConfig::default()),
            "item-mean" => Self::ItemMean(MeanConfig::default()),
            "popularity" => Self::Popularity(PopularityConfig::default()),
            "item-neighbours" => Self::ItemNeighbours(ItemNeighboursConfig::default()),
            "ease" => Self::Ease(EaseConfig::default()),
            "implicit-als" => Self::ImplicitAls(ImplicitAlsConfig::default()),
            _ => return None,
        })
    }

    /// Its `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GlobalMean(_) => "global-mean",
            Self::UserMean(_) => "user-mean",
            Self::ItemMean(_) => "item-mean",
            Self::Popularity(_) => "popularity",
            Self::ItemNeighbours(_) => "item-neighbours",
            Self::Ease(_) => "ease",
            Self::ImplicitAls(_) => "implicit-als",
        }
    }

    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ParameterError> {
        match self {
            Self::GlobalMean(GlobalMeanConfig {}) => Ok(()),
            Self::UserMean(config) | Self::ItemMean(config) => {
                ParameterError::check_from_0("shrinkage", config.shrinkage)
            }
            Self::Popularity(config) => config.validate(),
            Self::ItemNeighbours(config) => config.validate(),
            Self::Ease(config) => config.validate(),
            Self::ImplicitAls(config) => config.validate(),
        }
    }

    /// Values that are learnt, by part, for this many users and items: of item neighbours the most there can be.
    pub fn n_parameters(&self, n_users: usize, n_items: usize) -> Vec<(&'static str, usize)> {
        match self {
            Self::GlobalMean(_) => vec![("mean", 1)],
            Self::UserMean(_) => vec![("mean", 1), ("user_means", n_users)],
            Self::ItemMean(_) => vec![("mean", 1), ("item_means", n_items)],
            Self::Popularity(_) => vec![("counts", n_items)],
            Self::ItemNeighbours(config) => {
                vec![("similarities", n_items * config.n_neighbours.min(n_items.saturating_sub(1)))]
            }
            Self::Ease(_) => vec![("weights", n_items * n_items)],
            Self::ImplicitAls(config) => {
                let dim = config.embedding_dim;
                vec![("user_vectors", n_users * dim), ("item_vectors", n_items * dim)]
            }
        }
    }

    /// The baseline, fitted to a training set.
    ///
    /// # Errors
    ///
    /// If a parameter or the training set fails its check, or the kind cannot be fitted to it: see the `fit` of each.
    pub fn fit(&self, training: &TrainingSet<'_>) -> Result<Baseline, BaselineError> {
        self.validate()?;
        let model = match self {
            Self::GlobalMean(GlobalMeanConfig {}) => Model::GlobalMean(GlobalMean::fit(training)?),
            Self::UserMean(config) => Model::UserMean(UserMean::fit(training, config.shrinkage)?),
            Self::ItemMean(config) => Model::ItemMean(ItemMean::fit(training, config.shrinkage)?),
            Self::Popularity(config) => Model::Popularity(config.fit(training)?),
            Self::ItemNeighbours(config) => Model::ItemNeighbours(config.fit(training)?),
            Self::Ease(config) => Model::Ease(config.fit(training)?),
            Self::ImplicitAls(config) => Model::ImplicitAls(config.fit(training)?),
        };
        Ok(Baseline { config: self.clone(), n_users: training.n_users, n_items: training.n_items, model })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_defaults_that_are_valid_and_survive_being_written() {
        for kind in BaselineConfig::KINDS {
            let config = BaselineConfig::defaults(kind).unwrap();
            assert_eq!(config.kind(), *kind);
            config.validate().unwrap();
            let written = serde_json::to_string(&config).unwrap();
            assert!(written.contains(&format!(r#""kind":"{kind}""#)), "{written}");
            assert_eq!(serde_json::from_str::<BaselineConfig>(&written).unwrap(), config);
            let bare = format!(r#"{{ "kind": "{kind}" }}"#);
            assert_eq!(serde_json::from_str::<BaselineConfig>(&bare).unwrap(), config);
        }
        assert_eq!(BaselineConfig::defaults("bpr"), None);
    }

    #[test]
    fn an_unknown_key_is_refused_by_every_kind() {
        for kind in BaselineConfig::KINDS {
            let text = format!(r#"{{ "kind": "{kind}", "shrinkag": 1.0 }}"#);
            let message = serde_json::from_str::<BaselineConfig>(&text).unwrap_err().to_string();
            assert!(message.contains("shrinkag"), "{kind}: {message}");
        }
    }

    fn check(text: &str, expected: &str) {
        let config: BaselineConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.validate().unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_number_out_of_range_is_a_sentence_with_key_value_and_remedy() {
        let from_0 = "expected a finite number from 0 up";
        check(r#"{"kind": "item-mean", "shrinkage": -1}"#, &format!("shrinkage = -1, {from_0}"));
        check(r#"{"kind": "ease", "l2": -0.5}"#, &format!("l2 = -0.5, {from_0}"));
        check(r#"{"kind": "ease", "memory_limit_mb": 0}"#, "memory_limit_mb = 0, expected at least 1");
        check(r#"{"kind": "implicit-als", "embedding_dim": 0}"#, "embedding_dim = 0, expected 1 to 8192");
        check(r#"{"kind": "implicit-als", "alpha": -1}"#, &format!("alpha = -1, {from_0}"));
        check(r#"{"kind": "implicit-als", "n_iterations": 0}"#, "n_iterations = 0, expected at least 1");
        check(r#"{"kind": "item-neighbours", "n_neighbours": 0}"#, "n_neighbours = 0, expected at least 1");
        check(
            r#"{"kind": "item-neighbours", "window": 0}"#,
            "window = 0, expected at least 1, or null for the whole history",
        );
        check(
            r#"{"kind": "item-neighbours", "amplification": 0}"#,
            "amplification = 0, expected a finite number above 0",
        );
        check(
            r#"{"kind": "popularity", "half_life": 0}"#,
            "half_life = 0, expected a finite number above 0, or null",
        );
    }
}
