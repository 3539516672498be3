//! The section `evaluation`.

use cresset_metrics::{MetricKey, MetricKeyError, Ties, expand_keys};
use cresset_nn::ConfigError;
use serde::{Deserialize, Serialize};

/// How a model is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationConfig {
    /// What is measured: names, each at every cut-off of `k` where it takes one, or whole keys such as `recall@50`.
    /// Default: `rmse`, `mae`, `r2`, `hit_rate`, `precision`, `recall`, `ndcg`.
    pub metrics: Vec<String>,
    /// Cut-offs of the ranking metrics, each at least 1. Default: `[10]`.
    pub k: Vec<usize>,
    /// Ratings from here up make an item relevant to its user. Default: 4.0.
    pub relevant_rating: f32,
    /// Whether what a user has in the parts before is left out of the ranking. Default: true.
    pub mask_seen: bool,
    /// How items of equal score count. Default: `expected`.
    pub ties: Ties,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        let metrics = ["rmse", "mae", "r2", "hit_rate", "precision", "recall", "ndcg"];
        let metrics = metrics.map(str::to_owned).to_vec();
        Self { metrics, k: vec![10], relevant_rating: 4.0, mask_seen: true, ties: Ties::Expected }
    }
}

impl EvaluationConfig {
    /// Checks every number against its documented range.
    ///
    /// # Errors
    ///
    /// The first number outside its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let smallest = self.k.iter().copied().min().unwrap_or(0);
        let relevant = f64::from(self.relevant_rating);
        ConfigError::first_of(&[
            ("k", smallest as f64, smallest >= 1, "one or more cut-offs, each at least 1"),
            ("relevant_rating", relevant, relevant.is_finite(), "a rating"),
            (
                "metrics",
                self.metrics.len() as f64,
                !self.metrics.is_empty(),
                "at least one metric, such as ndcg",
            ),
        ])
    }

    /// The keys of all metrics, in their order.
    ///
    /// # Errors
    ///
    /// A metric that there is not.
    pub fn keys(&self) -> Result<Vec<MetricKey>, MetricKeyError> {
        expand_keys(&self.metrics, &self.k)
    }
}
