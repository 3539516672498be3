//! The reasons of a trained model, opened from a run directory.

use cresset::data::KnowledgeGraph;
use cresset::kg_mf::explain::Reasons;
use cresset::nn::AutodiffRecommender;

use crate::failure::Failure;
use crate::saved::Saved;

/// A model that can be asked why, and the graph that its reasons speak of.
pub struct Opened {
    /// The model.
    pub reasons: Box<dyn Reasons>,
    /// Its graph, under the indices that the model knows.
    pub graph: KnowledgeGraph,
}

impl Saved {
    /// The reasons of the run's model and its graph.
    ///
    /// # Errors
    ///
    /// If the model was trained without a graph.
    // No kind of model keeps a graph yet; one that does is opened here.
    pub fn reasons<B: AutodiffRecommender>(&self, _device: &B::Device) -> Result<Opened, Failure> {
        Err(Failure::input(format!(
            "{} holds {}, and this model has no graph to explain by; train kg-mf with data.graph.sources and \
             model.graph",
            self.run.path().display(),
            self.config.model.kind()
        )))
    }
}
