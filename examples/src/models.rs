//! The models that these binaries compose, behind one config section.

use cresset::kg_mf::KgMfConfig;
use cresset::nn::ConfigError;
use cresset::trainers::config::{ModelSection, RunConfig};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The `model` section: `kind` says which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ModelConfig {
    /// Knowledge-graph matrix factorisation.
    KgMf(KgMfConfig),
}

/// A whole config file.
pub type Config = RunConfig<ModelConfig>;

/// Refuses what no model learns from, so that nobody takes it for learnt.
///
/// # Errors
///
/// If the config names a graph or vectors.
pub fn refuse_unread(config: &Config) -> Result<(), Failure> {
    let unread = [
        ("data.graph.sources", !config.data.graph.sources.is_empty()),
        ("data.vectors", !config.data.vectors.is_empty()),
    ];
    match unread.into_iter().find(|(_, is_set)| *is_set) {
        Some((key, _)) => Err(Failure::input(format!(
            "{key} is set, and model.kind {} learns nothing from it: take it out, or use the config with `prepare`",
            config.model.kind()
        ))),
        None => Ok(()),
    }
}

impl ModelConfig {
    /// Its `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::KgMf(_) => "kg-mf",
        }
    }

    /// Parameters by part, for tables of this size.
    pub fn n_parameters(&self, n_users: usize, n_items: usize) -> Vec<(&'static str, usize)> {
        match self {
            Self::KgMf(config) => config.n_parameters(n_users, n_items),
        }
    }
}

impl ModelSection for ModelConfig {
    const KINDS: &'static [&'static str] = &["kg-mf"];

    fn defaults(kind: &str) -> Option<Self> {
        (kind == "kg-mf").then(|| Self::KgMf(KgMfConfig::default()))
    }

    fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::KgMf(config) => config.validate(),
        }
    }
}
