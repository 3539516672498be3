//! The seam between models and trainers.

use burn::module::AutodiffModule;
use burn::tensor::backend::Backend;
use burn::tensor::{ElementConversion, Tensor};

use crate::optim::ParameterGroup;
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

    /// The modules that a strategy may train apart, by name: none, unless the model has such parts.
    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        vec![]
    }

    /// How each of the model's routers divides one batch among its experts: none, unless the model has routers. A trainer
    /// asks a few times an epoch, to tell when a router sends everything to few of them.
    fn expert_shares(&self, _batch: &Self::Batch, _key: StepKey) -> Vec<ExpertShares> {
        vec![]
    }
}

/// What one router did with one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpertShares {
    /// Where the router is, as the model calls it.
    pub router: String,
    /// Each expert's share of the places, summing to 1: [`RouterStatistics::usage`](crate::layers::RouterStatistics::usage).
    pub shares: Vec<f32>,
}

/// What the chance of one training step is a function of. Nothing else need be saved to resume it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepKey {
    /// The seed of the run.
    pub seed: u64,
    /// The pass, counted over the whole run.
    pub step: u64,
}

/// What one forward pass hands to the optimiser.
#[derive(Debug)]
pub struct ForwardPass<B: AutodiffRecommender> {
    /// The terms of the loss, each `[1]` and a mean over the batch, under the names that the history shows. Their sum
    /// is minimised; a model with one term calls it `loss`.
    pub terms: Vec<(&'static str, Tensor<B, 1>)>,
    /// Examples in the batch.
    pub n_examples: usize,
    /// The rows that the batch touched, once for each table.
    pub rows: Vec<GatheredRows<B>>,
}

impl<B: AutodiffRecommender> ForwardPass<B> {
    /// What is minimised, `[1]`: the sum of the terms.
    ///
    /// # Panics
    ///
    /// If there is no term.
    pub fn loss(&self) -> Tensor<B, 1> {
        let terms = self.terms.iter().map(|(_, term)| term.clone());
        terms.reduce(|sum, term| sum + term).expect("a loss has at least one term")
    }

    /// The value of each term; waits for the device, once.
    ///
    /// # Panics
    ///
    /// If there is no term.
    pub fn values(&self) -> Vec<(&'static str, f32)> {
        let terms: Vec<_> = self.terms.iter().map(|(_, term)| term.clone().inner()).collect();
        let values = Tensor::cat(terms, 0).into_data();
        self.terms.iter().map(|(name, _)| *name).zip(values.iter::<f32>()).collect()
    }

    /// The pass with each term times the weight of its name. A term of weight 0 is left out, and costs nothing on the
    /// way back.
    pub fn weighted(mut self, weight: impl Fn(&str) -> f64) -> Self {
        let times = |(name, term): (&'static str, Tensor<B, 1>)| match weight(name) {
            0.0 => None,
            1.0 => Some((name, term)),
            weight => Some((name, term * weight)),
        };
        self.terms = self.terms.into_iter().filter_map(times).collect();
        self
    }
}

/// The value of a tensor that holds one; waits for the device.
pub fn scalar<B: Backend>(tensor: Tensor<B, 1>) -> f32 {
    tensor.into_scalar().elem()
}
