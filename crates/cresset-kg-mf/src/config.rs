//! Hyperparameters.

use burn::tensor::backend::Backend;
use cresset_data::Ratings;
use cresset_nn::{ConfigError, EmbeddingTable};
use serde::{Deserialize, Serialize};

use crate::error::KnowledgeError;
use crate::knowledge::Knowledge;
use crate::model::KgMf;
use crate::parts::genome::{GenomeConfig, TagAttention};
use crate::parts::graph::{GraphConfig, GraphPart};
use crate::parts::time::{TimeConfig, TimePart};

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
    /// What the model reads in the knowledge graph; nothing by default.
    pub graph: Option<GraphConfig>,
    /// What it reads in the tag genome; nothing by default.
    pub genome: Option<GenomeConfig>,
    /// What it reads in the time of a rating; nothing by default.
    pub time: Option<TimeConfig>,
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
            graph: None,
            genome: None,
            time: None,
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

    /// The scale from `min` to `max`, with the mean of the training ratings.
    pub fn of(train: &Ratings, (min, max): (f32, f32)) -> Self {
        let sum: f64 = train.rating.iter().map(|&rating| f64::from(rating)).sum();
        Self { mean: (sum / train.len().max(1) as f64) as f32, min, max }
    }
}

/// A rule of [`ConfigError::first_of`]: a finite number of at least 0.
pub(crate) fn at_least_0(field: &str, value: f64) -> (&str, f64, bool, &'static str) {
    (field, value, (0.0..f64::INFINITY).contains(&value), "a finite number of at least 0")
}

impl KgMfConfig {
    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let dim = self.embedding_dim as f64;
        ConfigError::first_of(&[
            ("embedding_dim", dim, (1.0..=8192.0).contains(&dim), "1 to 8192"),
            at_least_0("init_std", self.init_std),
            ("n_negatives", self.n_negatives as f64, self.n_negatives >= 1, "at least 1"),
            at_least_0("l2", self.l2),
            at_least_0("l2_bias", self.l2_bias),
        ])?;
        self.graph.as_ref().map_or(Ok(()), GraphConfig::validate)?;
        self.genome.as_ref().map_or(Ok(()), GenomeConfig::validate)?;
        self.time.as_ref().map_or(Ok(()), TimeConfig::validate)
    }

    /// A model that knows nothing but ratings, with vectors drawn as a function of `seed`, and biases of zero.
    ///
    /// # Errors
    ///
    /// A hyperparameter outside its range, a scale that is none, or a part that reads what is not given here: see
    /// [`init_knowing`](Self::init_knowing).
    pub fn init<B: Backend>(
        &self,
        n_users: usize,
        n_items: usize,
        scale: RatingScale,
        seed: u64,
        device: &B::Device,
    ) -> Result<KgMf<B>, KnowledgeError> {
        self.init_knowing(n_users, n_items, scale, &Knowledge::default(), seed, device)
    }

    /// A model with the parts that the config asks for; what they read is in `knowledge`. The vectors of the plain model
    /// are the same, whatever the parts.
    ///
    /// # Errors
    ///
    /// A hyperparameter outside its range, a scale that is none, or a part whose knowledge is missing or does not fit.
    pub fn init_knowing<B: Backend>(
        &self,
        n_users: usize,
        n_items: usize,
        scale: RatingScale,
        knowledge: &Knowledge,
        seed: u64,
        device: &B::Device,
    ) -> Result<KgMf<B>, KnowledgeError> {
        self.validate()?;
        scale.validate()?;
        let vectors = |name, n_rows| {
            EmbeddingTable::normal(name, [n_rows, self.embedding_dim], self.init_std as f32, seed, device)
        };
        let graph = |config: &GraphConfig| {
            GraphPart::new(config, [n_users, n_items, self.embedding_dim], knowledge, seed, device)
        };
        let genome = |config: &GenomeConfig| TagAttention::new(config, n_items, knowledge, seed, device);
        let time = |config: &TimeConfig| TimePart::new(config, knowledge, device);
        Ok(KgMf {
            user_bias: EmbeddingTable::zeros("user_bias", [n_users, 1], device),
            item_bias: EmbeddingTable::zeros("item_bias", [n_items, 1], device),
            user_embedding: vectors("user_embedding", n_users),
            item_embedding: vectors("item_embedding", n_items),
            graph: self.graph.as_ref().map(graph).transpose()?,
            genome: self.genome.as_ref().map(genome).transpose()?,
            time: self.time.as_ref().map(time).transpose()?,
            config: self.clone(),
            scale,
        })
    }

    /// Parameters by part, for tables of this size, without building them. Those of the parts that read `knowledge` are
    /// counted where it is given.
    pub fn n_parameters(
        &self,
        n_users: usize,
        n_items: usize,
        knowledge: &Knowledge,
    ) -> Vec<(&'static str, usize)> {
        let mut parts = vec![
            ("user_bias", n_users),
            ("item_bias", n_items),
            ("user_embedding", n_users * self.embedding_dim),
            ("item_embedding", n_items * self.embedding_dim),
        ];
        if let (Some(config), Some(graph)) = (&self.graph, &knowledge.graph) {
            let sizes = [graph.n_entities(), graph.n_relations()];
            parts.push(("graph", config.n_parameters(n_users, self.embedding_dim, sizes)));
        }
        if let (Some(config), Some(genome)) = (&self.genome, &knowledge.genome) {
            parts.push(("genome", config.n_parameters(genome.dim)));
        }
        if let (Some(_), Some(times)) = (&self.time, &knowledge.times) {
            parts.push(("time", times.n_rows()));
        }
        parts
    }
}
