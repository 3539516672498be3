//! Hyperparameters.

use burn::tensor::backend::Backend;
use cresset_data::Ratings;
use cresset_nn::{ConfigError, EmbeddingTable};
use serde::{Deserialize, Serialize};

use crate::KgMf;

/// What the model knows of items beside their ratings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Knowledge {
    /// Nothing: plain biased matrix factorisation.
    #[default]
    None,
}

/// What the model learns to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KgMfLoss {
    /// To predict ratings, by their squared error.
    #[default]
    SquaredError,
    /// To rank what a user has above what they have not, pair by pair (Rendle et al., UAI 2009); ratings are not looked at.
    Bpr,
    /// The same by the cross-entropy of each positive among its negatives, all of them together.
    Softmax,
}

impl KgMfLoss {
    /// Whether it ranks, and knows no ratings.
    pub fn is_ranking(self) -> bool {
        self != Self::SquaredError
    }
}

/// Hyperparameters of [`KgMf`]; [`init`](Self::init) checks them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KgMfConfig {
    /// Width of the user and item vectors, 1 to 8,192. Default: 64.
    pub embedding_dim: usize,
    /// Standard deviation of the vectors' first values, at least 0. Default: 0.1.
    pub init_std: f64,
    /// What the model learns to do. Default: `squared_error`.
    pub loss: KgMfLoss,
    /// Items drawn for each example of a ranking loss, at least 1. Default: 1.
    pub n_negatives: usize,
    /// Penalty on the squared length of both vectors, once for each rating, at least 0. Default: 0.05.
    pub l2: f64,
    /// Penalty on the square of both biases, once for each rating, at least 0. Default: 0.01.
    pub l2_bias: f64,
    /// What the model knows of items beside their ratings. Default: `none`.
    pub knowledge: Knowledge,
}

impl Default for KgMfConfig {
    fn default() -> Self {
        Self {
            embedding_dim: 64,
            init_std: 0.1,
            loss: KgMfLoss::SquaredError,
            n_negatives: 1,
            l2: 0.05,
            l2_bias: 0.01,
            knowledge: Knowledge::None,
        }
    }
}

/// What the model must know of the ratings before it sees the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatingScale {
    /// Mean of the training ratings, where predictions start.
    pub mean: f32,
    /// Lowest rating there is; predictions are not lower.
    pub min: f32,
    /// Highest rating there is; predictions are not higher.
    pub max: f32,
}

impl RatingScale {
    /// Checks that the three are finite and in order.
    ///
    /// # Errors
    ///
    /// The first that is not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let Self { mean, min, max } = *self;
        let (is_scale, is_within) = (max.is_finite() && min <= max, min <= mean && mean <= max);
        ConfigError::first_of(&[
            ("scale.min", min.into(), min.is_finite(), "a finite number"),
            ("scale.max", max.into(), is_scale, "a finite number of at least scale.min"),
            ("scale.mean", mean.into(), is_within, "a number from scale.min to scale.max"),
        ])
    }
}

impl RatingScale {
    /// The scale from `min` to `max`, with the mean of the training ratings.
    pub fn of(train: &Ratings, (min, max): (f32, f32)) -> Self {
        let sum: f64 = train.rating.iter().map(|&rating| f64::from(rating)).sum();
        Self { mean: (sum / train.len().max(1) as f64) as f32, min, max }
    }
}

impl KgMfConfig {
    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let dim = self.embedding_dim as f64;
        let of = |field, value| {
            (field, value, (0.0..f64::INFINITY).contains(&value), "a finite number of at least 0")
        };
        ConfigError::first_of(&[
            ("embedding_dim", dim, (1.0..=8192.0).contains(&dim), "1 to 8192"),
            of("init_std", self.init_std),
            ("n_negatives", self.n_negatives as f64, self.n_negatives >= 1, "at least 1"),
            of("l2", self.l2),
            of("l2_bias", self.l2_bias),
        ])
    }

    /// A model with vectors drawn as a function of `seed`, and biases of zero.
    ///
    /// # Errors
    ///
    /// A hyperparameter outside its range, or a scale that is none.
    pub fn init<B: Backend>(
        &self,
        n_users: usize,
        n_items: usize,
        scale: RatingScale,
        seed: u64,
        device: &B::Device,
    ) -> Result<KgMf<B>, ConfigError> {
        self.validate()?;
        scale.validate()?;
        let vectors = |name, n_rows| {
            EmbeddingTable::normal(name, [n_rows, self.embedding_dim], self.init_std as f32, seed, device)
        };
        Ok(KgMf {
            user_bias: EmbeddingTable::zeros("user_bias", [n_users, 1], device),
            item_bias: EmbeddingTable::zeros("item_bias", [n_items, 1], device),
            user_embedding: vectors("user_embedding", n_users),
            item_embedding: vectors("item_embedding", n_items),
            config: self.clone(),
            scale,
        })
    }

    /// Parameters by part, for tables of this size, without building them.
    pub fn n_parameters(&self, n_users: usize, n_items: usize) -> Vec<(&'static str, usize)> {
        vec![
            ("user_bias", n_users),
            ("item_bias", n_items),
            ("user_embedding", n_users * self.embedding_dim),
            ("item_embedding", n_items * self.embedding_dim),
        ]
    }
}
