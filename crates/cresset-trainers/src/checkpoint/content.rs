//! What is in a checkpoint: the model, what the optimiser remembers of it, and where the run stands.

use std::path::Path;

use cresset_nn::optim::Optimizer;
use cresset_nn::weights::{self, NamedTensors, Snapshot};
use cresset_nn::{AutodiffRecommender, TrainModel};
use serde::{Deserialize, Serialize};

use super::{CheckpointError, Origin, Progress};

/// Everything that resume needs.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) progress: Progress,
    pub(crate) model: NamedTensors,
    pub(crate) optimizer: NamedTensors,
}

/// What the names of the model's tensors begin with; the others are the optimiser's.
pub(super) const MODEL: &str = "model:";
const OPTIMIZER: &str = "optimizer:";

/// What stands beside the tensors.
#[derive(Serialize, Deserialize)]
struct Note {
    origin: Origin,
    progress: Progress,
}

/// Copies a model and what its optimiser remembers.
pub(crate) fn fill<B, M>(snapshot: &mut Snapshot, model: &M, optimizer: &Optimizer<B>)
where
    B: AutodiffRecommender,
    M: TrainModel<B>,
{
    snapshot.push_module(MODEL, model);
    optimizer.visit_state(|name, moment| snapshot.push(format!("{OPTIMIZER}{name}"), moment.clone()));
}

/// The text that stands beside the tensors.
pub(crate) fn note(origin: &Origin, progress: Progress) -> String {
    let note = Note { origin: origin.clone(), progress };
    serde_json::to_string(&note).expect("plain numbers and text")
}

impl Checkpoint {
    /// Reads a checkpoint of the training that `now` tells of.
    pub(crate) fn load(file: &Path, now: &Origin) -> Result<Self, CheckpointError> {
        let (tensors, note) = weights::load_with_note(file).map_err(CheckpointError::of(file))?;
        let damaged = |cause: String| CheckpointError::Damaged { file: file.display().to_string(), cause };
        let note: Note = serde_json::from_str(&note).map_err(|e| damaged(e.to_string()))?;
        let changes = note.origin.changes(now);
        if !changes.is_empty() {
            let (file, changes) = (file.display().to_string(), changes.join(", "));
            return Err(CheckpointError::Changed { file, changes });
        }
        let (mut model, mut optimizer) = (NamedTensors::new(), NamedTensors::new());
        for (name, data) in tensors {
            if let Some(name) = name.strip_prefix(MODEL) {
                model.insert(name.to_owned(), data);
            } else if let Some(name) = name.strip_prefix(OPTIMIZER) {
                optimizer.insert(name.to_owned(), data);
            } else {
                return Err(damaged(format!("it holds `{name}`, which no checkpoint does")));
            }
        }
        Ok(Self { progress: note.progress, model, optimizer })
    }
}
