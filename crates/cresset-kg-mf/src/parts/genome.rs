//! Attention over the tag genome: how much an item's vector counts, by what it is about.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use cresset_nn::{ConfigError, EmbeddingTable, Mlp, RecommenderBackend};
use serde::{Deserialize, Serialize};

use crate::error::KnowledgeError;
use crate::knowledge::Knowledge;

/// What the model reads in the tag genome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GenomeConfig {
    /// Width of the hidden layer between the tags and their weight, 1 to 8,192. Default: 32.
    pub hidden_dim: usize,
}

impl Default for GenomeConfig {
    fn default() -> Self {
        Self { hidden_dim: 32 }
    }
}

impl GenomeConfig {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let dim = self.hidden_dim as f64;
        ConfigError::first_of(&[("genome.hidden_dim", dim, (1.0..=8192.0).contains(&dim), "1 to 8192")])
    }

    pub(crate) fn n_parameters(&self, n_tags: usize) -> usize {
        (n_tags + 2) * self.hidden_dim + 1
    }
}

/// `2 sigmoid(layers(tags))`, a factor of an item's vector: 1 where the tags say nothing, and for items without any.
#[derive(Module, Debug)]
pub(crate) struct TagAttention<B: Backend> {
    layers: Mlp<B>,
    /// Not trained: `[n_items, n_tags]`. As bf16 where the backend has it: eight bits say all that a relevance means, and a
    /// step reads the tags of all its items twice.
    tags: EmbeddingTable<B>,
    /// 1 for items that have tags: `[n_items, 1]`. Not trained either.
    has_tags: EmbeddingTable<B>,
}

impl<B: Backend> TagAttention<B> {
    pub(crate) fn new(
        config: &GenomeConfig,
        n_items: usize,
        knowledge: &Knowledge,
        seed: u64,
        device: &B::Device,
    ) -> Result<Self, KnowledgeError> {
        let genome = knowledge.genome.as_ref().ok_or(KnowledgeError::Missing {
            part: "genome",
            missing: "tag genome",
            remedy: "put genome-scores.csv and genome-tags.csv beside the ratings",
        })?;
        let found = genome.present.len();
        if found != n_items {
            return Err(KnowledgeError::OtherItems { what: "tag genome", found, n_items });
        }
        let tags = TensorData::new(genome.values.clone(), [n_items, genome.dim]);
        let has_tags: Vec<f32> = genome.present.iter().map(|&has| f32::from(has)).collect();
        let has_tags = TensorData::new(has_tags, [n_items, 1]);
        let tags = EmbeddingTable::from_tensor("tags", Tensor::from_data(tags, device));
        Ok(Self {
            layers: Mlp::new("tag_attention", &[genome.dim, config.hidden_dim, 1], seed, device)?,
            tags: if B::supports_dtype(device, DType::BF16) { tags.stored_as_bf16() } else { tags },
            has_tags: EmbeddingTable::from_tensor("has_tags", Tensor::from_data(has_tags, device)),
        })
    }
}

impl<B: RecommenderBackend> TagAttention<B> {
    /// The factor of each item, `[items.len(), 1]`; items beyond the genome have 1.
    pub(crate) fn factors(&self, items: &[u32]) -> Tensor<B, 2> {
        let n_items = self.tags.dims()[0];
        let within: Vec<u32> = items.iter().map(|&item| item.min(n_items as u32 - 1)).collect();
        let factors = sigmoid(self.layers.forward_rows(&self.tags, &within, None)) * 2.0;
        let has_tags = self.has_tags.lookup_or_zeros(items);
        factors * has_tags.clone() + (has_tags.neg() + 1.0)
    }
}
