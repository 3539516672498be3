//! What the parts of the model read beside the ratings.

use std::sync::Arc;

use cresset_data::graph::KnowledgeGraph;
use cresset_data::{AlignedVectors, Ratings};

use crate::parts::time::RatingTimes;

/// What the parts of the model read beside the ratings; each may be missing where no part asks for it.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// The knowledge graph, whose first entities are the items.
    pub graph: Option<Arc<KnowledgeGraph>>,
    /// The relevance of each tag to each item.
    pub genome: Option<Arc<AlignedVectors>>,
    /// When training ratings were given.
    pub times: Option<Arc<RatingTimes>>,
}

impl Knowledge {
    /// The same with a graph.
    #[must_use]
    pub fn with_graph(self, graph: KnowledgeGraph) -> Self {
        Self { graph: Some(Arc::new(graph)), ..self }
    }

    /// The same with a tag genome.
    #[must_use]
    pub fn with_genome(self, genome: AlignedVectors) -> Self {
        Self { genome: Some(Arc::new(genome)), ..self }
    }

    /// The same with the times of the training ratings; without, where those are no timestamps.
    #[must_use]
    pub fn with_times_of(self, train: &Ratings) -> Self {
        Self { times: RatingTimes::of(train).map(Arc::new), ..self }
    }
}
