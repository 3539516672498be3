//! A model of one table and one bias, ratings to train it on, and a run to stop at any step.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use burn::backend::{Autodiff, Flex};
use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset_data::{Batches, EpochOrder, LoaderConfig, RatingBatch, RatingBatches, Ratings, TimeKind};
use cresset_metrics::{MetricError, Metrics};
use cresset_nn::{AutodiffRecommender, EmbeddingTable, ForwardPass, RowIndex, StepKey, TrainModel};
use cresset_trainers::config::{ScheduleConfig, ScheduleKind, TrainingConfig};
use cresset_trainers::{RunDir, StopFlag, TrainError, Trained, Trainer};

pub(crate) type Cpu = Autodiff<Flex>;
/// The model as it is validated and served.
pub(crate) type Served = Tiny<Flex>;

pub(crate) const N_ITEMS: usize = 11;
pub(crate) const WEIGHTS: &str = "best_model/weights.safetensors";
pub(crate) const CHECKPOINT: &str = "checkpoints/last/checkpoint.safetensors";

/// `rating(item) = item_bias + bias`: rows of a table and a dense parameter, so that both kinds of moments matter.
#[derive(Module, Debug)]
pub(crate) struct Tiny<B: Backend> {
    item_bias: EmbeddingTable<B>,
    bias: Param<Tensor<B, 1>>,
}

impl<B: Backend> Tiny<B> {
    pub(crate) fn new(n_items: usize, seed: u64) -> Self {
        let device = Default::default();
        Self {
            item_bias: EmbeddingTable::normal("item_bias", [n_items, 1], 0.1, seed, &device),
            bias: Param::from_tensor(Tensor::zeros([1], &device)),
        }
    }

    /// Root of the mean squared error.
    pub(crate) fn rmse(&self, ratings: &Ratings) -> f64 {
        let bias: f32 = self.bias.val().into_data().to_vec().unwrap()[0];
        let items: Vec<f32> = self.item_bias.weight().into_data().to_vec().unwrap();
        let squares = ratings.item_id.iter().zip(&ratings.rating).map(|(&item, &rating)| {
            let error = f64::from(items[item as usize] + bias - rating);
            error * error
        });
        (squares.sum::<f64>() / ratings.len() as f64).sqrt()
    }
}

/// A batch; where `stop` is set, the step that uses it is the last one.
pub(crate) struct TinyBatch {
    pub(crate) batch: RatingBatch,
    pub(crate) stop: Option<StopFlag>,
    has_root_of_zero: bool,
}

impl<B: AutodiffRecommender> TrainModel<B> for Tiny<B> {
    type Batch = TinyBatch;

    fn forward_loss(&self, batch: &TinyBatch, _key: StepKey) -> ForwardPass<B> {
        let TinyBatch { batch, stop, has_root_of_zero } = batch;
        if let Some(stop) = stop {
            stop.raise();
        }
        let device = self.bias.val().device();
        let rows = self.item_bias.gather(&RowIndex::new(&batch.items, &device));
        let ratings = TensorData::new(batch.ratings.clone(), [batch.len(), 1]);
        let error = rows.per_example() + self.bias.val().unsqueeze() - Tensor::from_data(ratings, &device);
        let mut loss = (error.clone() * error).mean();
        if *has_root_of_zero {
            loss = loss + (rows.per_example() * 0.0).sqrt().sum();
        }
        ForwardPass { terms: vec![("squared_error", loss)], n_examples: batch.len(), rows: vec![rows] }
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![&mut self.item_bias]
    }
}

/// Batches of ratings, one of which may ask the run to stop, and one may have a loss without a slope.
pub(crate) struct StoppingBatches {
    ratings: RatingBatches,
    stop_at: Option<(u64, usize)>,
    stop: StopFlag,
    root_of_zero_at: Option<(u64, usize)>,
}

impl Batches for StoppingBatches {
    type Batch = TinyBatch;
    type Order = EpochOrder;

    fn n_examples(&self) -> usize {
        self.ratings.n_examples()
    }

    fn n_steps(&self) -> usize {
        self.ratings.n_steps()
    }

    fn order(&self, epoch: u64) -> Self::Order {
        self.ratings.order(epoch)
    }

    fn batch(&self, order: &EpochOrder, step: usize) -> TinyBatch {
        let here = Some((order.epoch, step));
        TinyBatch {
            batch: self.ratings.batch(order, step),
            stop: (self.stop_at == here).then(|| self.stop.clone()),
            has_root_of_zero: self.root_of_zero_at == here,
        }
    }
}

/// `n` ratings from 0.5 to 5.
pub(crate) fn ratings(n: u32) -> Ratings {
    Ratings {
        user_id: (0..n).map(|row| row % 7).collect(),
        item_id: (0..n).map(|row| row * row % N_ITEMS as u32).collect(),
        rating: (0..n).map(|row| (1 + row * 7 % 10) as f32 / 2.0).collect(),
        time: vec![0; n as usize],
        time_kind: TimeKind::Timestamp,
        parts: None,
    }
}

/// One metric with one value.
pub(crate) fn metric(key: &str, value: f64) -> Metrics {
    let mut metrics = Metrics::new();
    metrics.insert(key, value);
    metrics
}

/// What a run is made of; `Default` is one that ends by itself.
pub(crate) struct Run {
    pub(crate) config: TrainingConfig,
    pub(crate) ratings: Ratings,
    pub(crate) n_items: usize,
    /// Epoch and step, both from 0, after which the run is asked to stop.
    pub(crate) stop_at: Option<(u64, usize)>,
    /// Epoch and step, both from 0, whose loss is a number but has a root of zero, whose slope is none.
    pub(crate) root_of_zero_at: Option<(u64, usize)>,
}

impl Default for Run {
    fn default() -> Self {
        let config = TrainingConfig {
            epochs: 4,
            batch_size: 4,
            learning_rate: 0.1,
            schedule: ScheduleConfig {
                kind: ScheduleKind::Exponential,
                gamma: 0.9,
                ..ScheduleConfig::default()
            },
            patience: None,
            ..TrainingConfig::default()
        };
        Self { config, ratings: ratings(42), n_items: N_ITEMS, stop_at: None, root_of_zero_at: None }
    }
}

type Validate<'a> = &'a mut dyn FnMut(&Served) -> Result<Metrics, MetricError>;

impl Run {
    /// Steps of one epoch.
    pub(crate) fn n_steps(&self) -> usize {
        self.ratings.len().div_ceil(self.config.batch_size)
    }

    /// Trains into `folder`, going on with what is there, and validates by `validate`.
    pub(crate) fn fit(&self, folder: &Path, validate: Validate<'_>) -> Result<Trained<Served>, TrainError> {
        self.fit_model(Tiny::<Cpu>::new(self.n_items, self.config.seed), folder, validate)
    }

    /// As [`fit`](Self::fit), another model.
    pub(crate) fn fit_model<M: TrainModel<Cpu, Batch = TinyBatch>>(
        &self,
        model: M,
        folder: &Path,
        validate: &mut dyn FnMut(&M::InnerModule) -> Result<Metrics, MetricError>,
    ) -> Result<Trained<M::InnerModule>, TrainError> {
        let run = RunDir::create(folder, true).unwrap();
        let seed = self.config.seed;
        let stop = StopFlag::default();
        let ratings = RatingBatches::new(self.ratings.clone(), self.config.batch_size, seed);
        let batches = StoppingBatches {
            ratings,
            stop_at: self.stop_at,
            stop: stop.clone(),
            root_of_zero_at: self.root_of_zero_at,
        };
        let loader = LoaderConfig::default();
        let trainer = Trainer { config: &self.config, run: &run, stop, show_progress: false, loader };
        trainer.fit(model, &batches, validate, &Default::default())
    }

    /// As [`fit`](Self::fit), validating on ratings that stay as they are.
    pub(crate) fn fit_and_validate(&self, folder: &Path) -> Result<Trained<Served>, TrainError> {
        let valid = ratings(9);
        self.fit(folder, &mut |model| Ok(metric("rmse", model.rmse(&valid))))
    }
}

/// The bytes of a file.
pub(crate) fn bytes(folder: &Path, file: &str) -> Vec<u8> {
    fs::read(folder.join(file)).unwrap()
}

/// A copy of a folder and all below it, as a kill would leave it.
///
/// The save of the epoch before may still be under way on its thread: a temporary file that it renames between the
/// listing and the copy is left out, as if the kill had come before that file was made.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
            continue;
        }
        match fs::copy(entry.path(), target) {
            Err(gone) if gone.kind() == ErrorKind::NotFound => {}
            copied => drop(copied.unwrap()),
        }
    }
}
