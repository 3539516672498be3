//! The seam between models and trainers.

use burn::module::AutodiffModule;
use burn::tensor::backend::Backend;
use burn::tensor::{ElementConversion, Tensor};

use crate::table::GatheredRows;
use crate::{AutodiffRecommender, EmbeddingTable};

/// A model that a trainer can train: it turns a batch into a loss and names its tables.
///
/// The trainer knows no concrete model, and the model no trainer, optimiser or schedule.
pub trait TrainModel<B: AutodiffRecommender>: AutodiffModule<B> {
    /// What the loader prepares, in plain arrays.
    type Batch: Send;

    /// The loss of one batch, beside the rows it touched. Whatever is random in it, such as dropout, is a function of
    /// `key`.
    fn forward_loss(&self, batch: &Self::Batch, key: StepKey) -> ForwardPass<B>;

    /// Every row-sparse table of the model; their names differ.
    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>>;
}

/// What the chance of one training step is a function of. Nothing else need be saved to resume it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepKey {
    /// The seed of the run.
    pub seed: u64,
    /// The step, counted over the whole run.
    pub step: u64,
}

/// What one forward pass hands to the optimiser.
#[derive(Debug)]
pub struct ForwardPass<B: AutodiffRecommender> {
    /// What is minimised, `[1]`, the mean over the batch.
    pub loss: Tensor<B, 1>,
    /// The loss's parts under the names that the history shows, each `[1]`.
    pub parts: Vec<(&'static str, Tensor<B::InnerBackend, 1>)>,
    /// Examples in the batch.
    pub n_examples: usize,
    /// The rows that the batch touched, once for each table.
    pub rows: Vec<GatheredRows<B>>,
}

/// The value of a tensor that holds one; waits for the device.
pub fn scalar<B: Backend>(tensor: Tensor<B, 1>) -> f32 {
    tensor.into_scalar().elem()
}
