//! A model of two modules, each with a table, a bias and a term of the loss of its own, and runs that train it.

use std::fs;
use std::path::Path;

use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset_data::RatingBatch;
use cresset_metrics::{MetricError, Metrics};
use cresset_nn::optim::ParameterGroup;
use cresset_nn::weights::{NamedTensors, named_tensors};
use cresset_nn::{
    AutodiffRecommender, EmbeddingTable, ForwardPass, GatheredRows, RowIndex, StepKey, TrainModel,
};
use cresset_trainers::config::{ModuleConfig, StageConfig, StrategyConfig, StrategyKind, TrainingConfig};
use cresset_trainers::{TrainError, Trained};
use tempfile::tempdir;

use crate::resume::{Outcome, outcome};
use crate::support::{Cpu, N_ITEMS, Run, TinyBatch, WEIGHTS, copy_folder, metric};

/// `left` learns ratings, `right` halves of ratings; each by `item + bias`.
#[derive(Module, Debug)]
pub(crate) struct Duo<B: Backend> {
    left_item: EmbeddingTable<B>,
    left_bias: Param<Tensor<B, 1>>,
    right_item: EmbeddingTable<B>,
    right_bias: Param<Tensor<B, 1>>,
}

impl<B: Backend> Duo<B> {
    pub(crate) fn new() -> Self {
        let device = Default::default();
        let item = |name| EmbeddingTable::normal(name, [N_ITEMS, 1], 0.1, 3, &device);
        let bias = || Param::from_tensor(Tensor::zeros([1], &device));
        Self {
            left_item: item("left_item"),
            left_bias: bias(),
            right_item: item("right_item"),
            right_bias: bias(),
        }
    }
}

fn squared_error<B: AutodiffRecommender>(
    rows: &GatheredRows<B>,
    bias: &Param<Tensor<B, 1>>,
    batch: &RatingBatch,
    share: f32,
) -> Tensor<B, 1> {
    let ratings: Vec<f32> = batch.ratings.iter().map(|rating| rating * share).collect();
    let ratings = Tensor::from_data(TensorData::new(ratings, [batch.len(), 1]), &bias.val().device());
    (rows.per_example() + bias.val().unsqueeze() - ratings).powi_scalar(2).mean()
}

impl<B: AutodiffRecommender> TrainModel<B> for Duo<B> {
    type Batch = TinyBatch;

    fn forward_loss(&self, TinyBatch { batch, stop, .. }: &TinyBatch, _key: StepKey) -> ForwardPass<B> {
        if let Some(stop) = stop {
            stop.raise();
        }
        let index = RowIndex::new(&batch.items, &self.left_item.device());
        let (left, right) = (self.left_item.gather(&index), self.right_item.gather(&index));
        let left_loss = squared_error(&left, &self.left_bias, batch, 1.0);
        let right_loss = squared_error(&right, &self.right_bias, batch, 0.5);
        let terms = vec![("left", left_loss), ("right", right_loss)];
        ForwardPass { terms, n_examples: batch.len(), rows: vec![left, right] }
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![&mut self.left_item, &mut self.right_item]
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        vec![ParameterGroup::new("left", &["left_*"]), ParameterGroup::new("right", &["right_*"])]
    }
}

/// The model as it is validated.
pub(crate) type ServedDuo = Duo<<Cpu as burn::tensor::backend::AutodiffBackend>::InnerBackend>;

/// A run of four epochs with a change to its config.
pub(crate) fn run_with(change: impl FnOnce(&mut TrainingConfig)) -> Run {
    let mut run = Run::default();
    change(&mut run.config);
    run
}

/// A stage in which some groups learn, for so many epochs.
pub(crate) fn stage(name: &str, learns: &[&str], epochs: u64) -> StageConfig {
    let learns = learns.iter().map(|&group| group.to_owned()).collect();
    StageConfig { name: name.to_owned(), learns, epochs, ..StageConfig::default() }
}

pub(crate) fn stages(stages: Vec<StageConfig>) -> StrategyConfig {
    StrategyConfig { kind: StrategyKind::Stages, stages, ..StrategyConfig::default() }
}

/// The strategy with `left` and `right` as the modules that alternate.
pub(crate) fn with_modules(mut strategy: StrategyConfig) -> StrategyConfig {
    let module = |name: &str| ModuleConfig { group: name.to_owned(), loss: name.to_owned() };
    strategy.alternating.modules = vec![module("left"), module("right")];
    strategy
}

/// Trains while the validation says `values`, epoch by epoch, or stays the same after them; also the weights at each.
pub(crate) fn fit(
    run: &Run,
    folder: &Path,
    values: &[f64],
) -> (Result<Trained<ServedDuo>, TrainError>, Vec<NamedTensors>) {
    let mut seen = vec![];
    let mut validate = |model: &ServedDuo| {
        seen.push(named_tensors(model));
        Ok::<Metrics, MetricError>(metric("rmse", values.get(seen.len() - 1).copied().unwrap_or(9.0)))
    };
    let trained = run.fit_model(Duo::<Cpu>::new(), folder, &mut validate);
    (trained, seen)
}

/// As [`fit`], of a run that ends well.
pub(crate) fn fitted(run: &Run, values: &[f64]) -> (Trained<ServedDuo>, Vec<NamedTensors>) {
    let folder = tempdir().unwrap();
    let (trained, seen) = fit(run, folder.path(), values);
    (trained.unwrap(), seen)
}

pub(crate) fn failure(run: &Run) -> String {
    let folder = tempdir().unwrap();
    fit(run, folder.path(), &[]).0.unwrap_err().to_string()
}

/// Validates on what the model itself says, so that the value of an epoch does not depend on how often it was stopped.
fn by_bias(model: &ServedDuo) -> Result<Metrics, MetricError> {
    let bias: f32 = model.left_bias.val().into_data().to_vec().unwrap()[0];
    Ok(metric("rmse", f64::from((bias - 2.0).abs())))
}

/// What a run in `folder` comes to, going on with what is there.
fn finished(run: &Run, folder: &Path) -> (Outcome, Vec<u8>) {
    let trained = run.fit_model(Duo::<Cpu>::new(), folder, &mut by_bias).unwrap();
    let series = fs::read(folder.join("alternation.csv")).unwrap_or_default();
    (outcome(folder, &trained), series)
}

/// The outcome of a run stopped after each of these steps.
fn stopped(mut run: Run, stops: &[(u64, usize)]) -> (Outcome, Vec<u8>) {
    let folder = tempdir().unwrap();
    for &stop in stops {
        run.stop_at = Some(stop);
        let error = run.fit_model(Duo::<Cpu>::new(), folder.path(), &mut by_bias).unwrap_err();
        assert!(matches!(error, TrainError::Interrupted { .. }), "{error}");
    }
    run.stop_at = None;
    finished(&run, folder.path())
}

/// Asserts that a run of four epochs ends as it does when nobody interrupts it: stopped at several places, and killed
/// in each epoch.
#[track_caller]
pub(crate) fn check_resumes(run: impl Fn() -> Run) {
    let (folder, copies) = (tempdir().unwrap(), tempdir().unwrap());
    let mut n_copies: u64 = 0;
    // While an epoch is validated, nothing of it is saved yet.
    let mut validate = |model: &ServedDuo| {
        copy_folder(folder.path(), &copies.path().join(n_copies.to_string()));
        n_copies += 1;
        by_bias(model)
    };
    run().fit_model(Duo::<Cpu>::new(), folder.path(), &mut validate).unwrap();
    let expected = finished(&run(), folder.path());
    assert_eq!(n_copies, 4);
    let copy = |epoch: u64| copies.path().join(epoch.to_string());
    // Killed after the best weights of an epoch were written, and before the checkpoint that knows of them.
    for epoch in 1..n_copies - 1 {
        let between = copies.path().join(format!("between-{epoch}"));
        copy_folder(&copy(epoch), &between);
        fs::copy(copy(epoch + 1).join(WEIGHTS), between.join(WEIGHTS)).unwrap();
        assert_eq!(finished(&run(), &between), expected, "killed after the weights of epoch {epoch}");
    }
    for epoch in 0..n_copies {
        assert_eq!(finished(&run(), &copy(epoch)), expected, "killed in epoch {epoch}");
    }
    assert_eq!(stopped(run(), &[(0, 3), (0, 7), (1, 0)]), expected);
    assert_eq!(stopped(run(), &[(0, 10), (1, 9), (2, 10), (3, 1)]), expected);
}
