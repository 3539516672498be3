//! The models that these binaries compose, behind one config section.

use cresset::baselines::BaselineConfig;
use cresset::data::negatives::{ItemDistribution, NegativeSampler, NegativesError};
use cresset::data::{Dataset, PairBatches, RatingBatches, Ratings, UserItems};
use cresset::kg_mf::{self, KgMf, KgMfBatches, KgMfConfig, KnowledgeError, RatingScale};
use cresset::metrics::{Family, MetricKey};
use cresset::nn::{ConfigError, RecommenderBackend};
use cresset::trainers::config::{ModelSection, RunConfig, TrainingConfig};
use cresset::two_tower::{SideShape, TwoTowerConfig};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use yaml_serde::Value;

use crate::failure::Failure;
use crate::knowledge::Knowledge;

/// The `model` section: `kind` says which.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ModelConfig {
    /// Trained in epochs.
    Network(NetworkConfig),
    /// Fitted at once.
    Baseline(BaselineConfig),
}

/// A model that is trained in epochs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NetworkConfig {
    /// Knowledge-graph matrix factorisation.
    KgMf(KgMfConfig),
    /// Two-tower retrieval.
    TwoTower(TwoTowerConfig),
}

/// A whole config file.
pub type Config = RunConfig<ModelConfig>;

impl<'de> Deserialize<'de> for ModelConfig {
    /// By `kind`, so that an error is that of the kind meant: trying one after the other would lose it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let section = Value::deserialize(deserializer)?;
        let kind = section.get("kind").and_then(Value::as_str).unwrap_or_default();
        if BaselineConfig::KINDS.contains(&kind) {
            return BaselineConfig::deserialize(section).map(Self::Baseline).map_err(D::Error::custom);
        }
        NetworkConfig::deserialize(section).map(Self::Network).map_err(D::Error::custom)
    }
}

/// Refuses a config whose sections do not go together: a graph or vectors that no model learns from, so that nobody takes
/// them for learnt, and a monitor that the model has no value of.
///
/// # Errors
///
/// The first that does not go with `model`.
pub fn check_together(config: &Config) -> Result<(), Failure> {
    let kind = config.model.kind();
    let reads_graph =
        matches!(&config.model, ModelConfig::Network(NetworkConfig::KgMf(model)) if model.graph.is_some());
    let unread = [
        ("data.graph.sources", !config.data.graph.sources.is_empty() && !reads_graph),
        ("data.vectors", config.data.vectors.iter().any(|vectors| !reads_vectors(config, &vectors.name))),
    ];
    if let Some((key, _)) = unread.into_iter().find(|(_, is_set)| *is_set) {
        let part = match (&config.model, key) {
            (ModelConfig::Network(NetworkConfig::KgMf(_)), "data.graph.sources") => "set model.graph={}, ",
            (ModelConfig::Network(NetworkConfig::TwoTower(_)), "data.vectors") => {
                "name all of them in model.item_vectors or model.user_vectors, "
            }
            _ => "",
        };
        return Err(Failure::input(format!(
            "{key} is set, and model.kind {kind} as it is learns nothing from it: {part}take it out, or use the config with \
             `prepare`"
        )));
    }
    if reads_graph && config.data.graph.sources.is_empty() {
        return Err(KnowledgeError::no_graph().into());
    }
    let monitor = &config.training.monitor;
    let is_of_ratings = monitor.parse().is_ok_and(|key: MetricKey| key.family() == Family::Rating);
    let only_ranks = match &config.model {
        ModelConfig::Network(NetworkConfig::KgMf(model)) => model.loss.is_ranking(),
        ModelConfig::Network(NetworkConfig::TwoTower(_)) => true,
        ModelConfig::Baseline(_) => false,
    };
    if only_ranks && is_of_ratings {
        return Err(Failure::input(format!(
            "training.monitor = {monitor}: {kind} with this loss ranks and predicts no ratings; take a metric of rankings, such as \
             ndcg@10"
        )));
    }
    Ok(())
}

/// Whether the model of a config reads the vectors of this name.
fn reads_vectors(config: &Config, name: &str) -> bool {
    let ModelConfig::Network(NetworkConfig::TwoTower(model)) = &config.model else { return false };
    model.user_vectors.iter().chain(&model.item_vectors).any(|read| read == name)
}

/// kg-mf as it is before its first step; `knowledge` has the times of `train` where the config reads them.
///
/// # Errors
///
/// A hyperparameter outside its range, or a part of the model without anything to read.
pub fn new_kg_mf<B: RecommenderBackend>(
    config: &KgMfConfig,
    dataset: &Dataset,
    knowledge: &kg_mf::Knowledge,
    train: &Ratings,
    seed: u64,
    device: &B::Device,
) -> Result<KgMf<B>, KnowledgeError> {
    let scale = RatingScale::of(train, dataset.rating_range);
    let model = config.init_knowing(dataset.n_users(), dataset.n_items(), scale, knowledge, seed, device)?;
    Ok(model.with_cold_rows_at_zero(train))
}

/// What kg-mf learns from: ratings, or pairs with negatives drawn uniformly from what a user has not.
///
/// # Errors
///
/// If negatives are asked for and a user has every item.
pub fn kg_mf_batches<B: RecommenderBackend>(
    model: &KgMf<B>,
    dataset: &Dataset,
    train: &Ratings,
    training: &TrainingConfig,
) -> Result<KgMfBatches, NegativesError> {
    let TrainingConfig { batch_size, seed, .. } = *training;
    let config = model.config();
    let read = |batches: KgMfBatches| batches.read_by(model.reader(), seed);
    if !config.loss.is_ranking() {
        return Ok(read(RatingBatches::new(train.clone(), batch_size, seed).into()));
    }
    let own = UserItems::from_ratings(train, dataset.n_users());
    let sampler = NegativeSampler::new(ItemDistribution::uniform(dataset.n_items()), own, seed)?;
    let pairs = PairBatches::new(train, batch_size, seed);
    Ok(read(pairs.with_negatives(sampler, config.n_negatives).into()))
}

impl ModelConfig {
    /// Its `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Network(NetworkConfig::KgMf(_)) => "kg-mf",
            Self::Network(NetworkConfig::TwoTower(_)) => "two-tower",
            Self::Baseline(config) => config.kind(),
        }
    }

    /// Parameters by part, for tables of this size; of a baseline that keeps what it finds, the most there can be.
    pub fn n_parameters(
        &self,
        n_users: usize,
        n_items: usize,
        knowledge: &Knowledge,
    ) -> Vec<(&'static str, usize)> {
        match self {
            Self::Network(NetworkConfig::KgMf(config)) => {
                config.n_parameters(n_users, n_items, &knowledge.kg_mf)
            }
            Self::Network(NetworkConfig::TwoTower(config)) => match &knowledge.towers {
                Some(towers) => config.n_parameters(&towers.data.users.shape(), &towers.data.items.shape()),
                None => config.n_parameters(&SideShape::of_ids(n_users), &SideShape::of_ids(n_items)),
            },
            Self::Baseline(config) => config.n_parameters(n_users, n_items),
        }
    }
}

impl ModelSection for ModelConfig {
    const KINDS: &'static [&'static str] = &[
        "kg-mf",
        "two-tower",
        "global-mean",
        "user-mean",
        "item-mean",
        "popularity",
        "item-neighbours",
        "ease",
        "implicit-als",
    ];

    fn defaults(kind: &str) -> Option<Self> {
        match kind {
            "kg-mf" => Some(Self::Network(NetworkConfig::KgMf(KgMfConfig::default()))),
            "two-tower" => Some(Self::Network(NetworkConfig::TwoTower(TwoTowerConfig::default()))),
            _ => BaselineConfig::defaults(kind).map(Self::Baseline),
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::Network(NetworkConfig::KgMf(config)) => config.validate(),
            Self::Network(NetworkConfig::TwoTower(config)) => config.validate(),
            Self::Baseline(config) => config.validate().map_err(|error| ConfigError {
                field: error.field.to_owned(),
                value: error.value,
                expected: error.expected,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_defaults_that_survive_being_written() {
        for kind in ModelConfig::KINDS {
            let config = ModelConfig::defaults(kind).unwrap();
            assert_eq!(config.kind(), *kind);
            let written = yaml_serde::to_string(&config).unwrap();
            assert!(written.contains(&format!("kind: {kind}\n")), "{written}");
            assert_eq!(yaml_serde::from_str::<ModelConfig>(&written).unwrap(), config);
        }
        assert!(BaselineConfig::KINDS.iter().all(|kind| ModelConfig::KINDS.contains(kind)));
    }

    #[test]
    fn an_error_is_that_of_the_kind_that_is_named() {
        let error = |text: &str| yaml_serde::from_str::<ModelConfig>(text).unwrap_err().to_string();
        assert!(error("{kind: ease, lambda: 3}").contains("`lambda`"));
        assert!(error("{kind: kg-mf, embedding_dim: x}").contains("usize"));
    }
}
