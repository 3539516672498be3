//! The smallest models there are: rows, a stack of layers, and both together, drawn to targets by squared distance.

use burn::backend::{Autodiff, Flex};
use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset_data::UniqueRows;
use cresset_nn::optim::{Optimizer, OptimizerConfig, OptimizerKind};
use cresset_nn::{
    AutodiffRecommender, EmbeddingTable, ForwardPass, GatheredRows, Mlp, RowIndex, StepKey, TrainModel,
    id_tensor, scalar,
};

pub(crate) type Cpu = Autodiff<Flex>;

/// Ids, and for each a target of every value.
#[derive(Debug, Clone)]
pub(crate) struct Pulls {
    pub(crate) ids: Vec<u32>,
    pub(crate) targets: Vec<f32>,
}

impl Pulls {
    pub(crate) fn new(ids: &[u32], targets: &[f32]) -> Self {
        Self { ids: ids.to_vec(), targets: targets.to_vec() }
    }

    fn targets<B: Backend>(&self, device: &B::Device) -> Tensor<B, 2> {
        matrix(&self.targets, [self.ids.len(), 1], device)
    }
}

pub(crate) fn matrix<B: Backend>(values: &[f32], shape: [usize; 2], device: &B::Device) -> Tensor<B, 2> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

/// Mean over the rows of their squared distance to the targets.
pub(crate) fn mean_square_distance<B: Backend>(rows: Tensor<B, 2>, targets: Tensor<B, 2>) -> Tensor<B, 1> {
    (rows - targets).powi_scalar(2).sum_dim(1).mean()
}

/// One table.
#[derive(Module, Debug)]
pub(crate) struct Rows<B: Backend> {
    pub(crate) films: EmbeddingTable<B>,
}

impl Rows<Cpu> {
    pub(crate) fn new(values: &[f32], shape: [usize; 2]) -> Self {
        Self { films: EmbeddingTable::from_tensor("films", matrix(values, shape, &Default::default())) }
    }

    pub(crate) fn values(&self) -> Vec<f32> {
        self.films.weight().into_data().to_vec().unwrap()
    }
}

impl<B: AutodiffRecommender> TrainModel<B> for Rows<B> {
    type Batch = Pulls;

    fn forward_loss(&self, batch: &Pulls, _key: StepKey) -> ForwardPass<B> {
        let rows = gather(&self.films, &batch.ids);
        let targets = batch.targets(&rows.leaf.device());
        pass(mean_square_distance(rows.per_example(), targets), batch, vec![rows])
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![&mut self.films]
    }
}

/// The same table as an ordinary parameter, which a step rewrites whole.
#[derive(Module, Debug)]
pub(crate) struct DenseRows<B: Backend> {
    pub(crate) films: Param<Tensor<B, 2>>,
}

impl<B: AutodiffRecommender> TrainModel<B> for DenseRows<B> {
    type Batch = Pulls;

    fn forward_loss(&self, batch: &Pulls, _key: StepKey) -> ForwardPass<B> {
        let device = self.films.device();
        let rows = self.films.val().select(0, id_tensor(&batch.ids, &device));
        pass(mean_square_distance(rows, batch.targets(&device)), batch, vec![])
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![]
    }
}

/// A table and layers above it, and layers that nothing uses.
#[derive(Module, Debug)]
pub(crate) struct Tower<B: Backend> {
    pub(crate) films: EmbeddingTable<B>,
    pub(crate) layers: Mlp<B>,
    pub(crate) spare: Mlp<B>,
}

impl Tower<Cpu> {
    pub(crate) fn new(seed: u64) -> Self {
        let device = Default::default();
        Self {
            films: EmbeddingTable::normal("films", [5, 3], 0.5, seed, &device),
            layers: Mlp::new("layers", &[3, 4, 1], seed, &device).unwrap(),
            spare: Mlp::new("spare", &[2, 1], seed, &device).unwrap(),
        }
    }
}

impl<B: AutodiffRecommender> TrainModel<B> for Tower<B> {
    type Batch = Pulls;

    fn forward_loss(&self, batch: &Pulls, _key: StepKey) -> ForwardPass<B> {
        let rows = gather(&self.films, &batch.ids);
        let targets = batch.targets(&rows.leaf.device());
        pass(mean_square_distance(self.layers.forward(rows.per_example(), None), targets), batch, vec![rows])
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![&mut self.films]
    }
}

fn gather<B: AutodiffRecommender>(table: &EmbeddingTable<B>, ids: &[u32]) -> GatheredRows<B> {
    table.gather(&RowIndex::new(&UniqueRows::of(ids), &table.device()))
}

fn pass<B: AutodiffRecommender>(
    loss: Tensor<B, 1>,
    batch: &Pulls,
    rows: Vec<GatheredRows<B>>,
) -> ForwardPass<B> {
    ForwardPass { terms: vec![("loss", loss)], n_examples: batch.ids.len(), rows }
}

/// Layers alone, from rows of inputs to rows of targets.
#[derive(Module, Debug)]
pub(crate) struct Layers<B: Backend> {
    pub(crate) layers: Mlp<B>,
}

/// Inputs and targets, row by row.
#[derive(Debug)]
pub(crate) struct Examples {
    pub(crate) n: usize,
    pub(crate) inputs: Vec<f32>,
    pub(crate) targets: Vec<f32>,
}

impl<B: AutodiffRecommender> TrainModel<B> for Layers<B> {
    type Batch = Examples;

    fn forward_loss(&self, batch: &Examples, _key: StepKey) -> ForwardPass<B> {
        let device = self.devices()[0].clone();
        let of = |values: &[f32]| matrix(values, [batch.n, values.len() / batch.n], &device);
        let loss = mean_square_distance(self.layers.forward(of(&batch.inputs), None), of(&batch.targets));
        ForwardPass { terms: vec![("loss", loss)], n_examples: batch.n, rows: vec![] }
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![]
    }
}

pub(crate) fn rule(kind: OptimizerKind) -> OptimizerConfig {
    OptimizerConfig { kind, ..OptimizerConfig::default() }
}

/// Every rule, with everything switched on that it has.
pub(crate) fn every_rule() -> Vec<OptimizerConfig> {
    let of = |kind, momentum| OptimizerConfig { weight_decay: 0.05, momentum, ..rule(kind) };
    vec![
        of(OptimizerKind::Sgd, 0.0),
        of(OptimizerKind::Sgd, 0.9),
        of(OptimizerKind::Adagrad, 0.0),
        of(OptimizerKind::RowwiseAdagrad, 0.0),
        of(OptimizerKind::Adam, 0.0),
        of(OptimizerKind::Adamw, 0.0),
    ]
}

/// The model after a step on each batch, at a learning rate of 0.1.
pub(crate) fn train<M: TrainModel<Cpu>>(optimizer: &mut Optimizer<Cpu>, model: M, batches: &[M::Batch]) -> M {
    batches.iter().fold(model, |model, batch| {
        let pass = model.forward_loss(batch, StepKey::default());
        optimizer.step(model, pass, 0.1)
    })
}

pub(crate) fn loss<M: TrainModel<Cpu>>(model: &M, batch: &M::Batch) -> f32 {
    scalar(model.forward_loss(batch, StepKey::default()).loss().inner())
}

#[track_caller]
pub(crate) fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    let is_close = |(a, b): (&f32, &f32)| (a - b).abs() <= tolerance * b.abs().max(1.0);
    assert!(
        found.iter().zip(expected).all(is_close),
        "{found:?}\nis not within {tolerance} of\n{expected:?}"
    );
}
