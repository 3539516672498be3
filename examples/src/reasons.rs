//! What an explanation needs of a run.

use std::sync::Arc;

use cresset::data::KnowledgeGraph;
use cresset::kg_mf::explain::Reasons;
use cresset::nn::AutodiffRecommender;

use crate::failure::Failure;
use crate::models::{ModelConfig, NetworkConfig};
use crate::saved::Saved;

/// A model that can be asked why, and the graph that its reasons are in.
pub struct Opened {
    /// The model.
    pub reasons: Box<dyn Reasons>,
    /// Its graph, under the indices that the model knows.
    pub graph: Arc<KnowledgeGraph>,
}

impl Saved {
    /// The reasons of the run's model and its graph.
    ///
    /// # Errors
    ///
    /// If the model was trained without a graph, or a file is damaged.
    pub fn reasons<B: AutodiffRecommender>(&self, device: &B::Device) -> Result<Opened, Failure> {
        if let ModelConfig::Network(NetworkConfig::KgMf(config)) = &self.config.model {
            let (model, knowledge) = self.kg_mf::<B::InnerBackend>(config, device)?;
            if let Some(graph) = knowledge.graph {
                return Ok(Opened { reasons: Box::new(model.inference()), graph });
            }
        }
        Err(Failure::input(format!(
            "{} holds {}, and this model has no graph to explain by; train kg-mf with data.graph.sources and \
             model.graph",
            self.run.path().display(),
            self.config.model.kind()
        )))
    }
}
