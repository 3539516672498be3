//! What a run will take, before it: memory by its parts, and time by a few steps.

use std::time::Instant;

use cresset::data::{Batches, Dataset, Split};
use cresset::device::OnBackend;
use cresset::kg_mf::KgMfConfig;
use cresset::nn::optim::Optimizer;
use cresset::nn::{AutodiffRecommender, StepKey, TrainModel, scalar};
use cresset::trainers::memory::{available_memory_mb, peak_memory_mb};
use cresset::two_tower::TwoTowerConfig;

use crate::failure::Failure;
use crate::knowledge::{Knowledge, with_times};
use crate::models::{Config, ModelConfig, NetworkConfig, kg_mf_batches, new_kg_mf};
use crate::two_tower;

/// Steps that are timed.
const STEPS: usize = 20;
/// Steps before those, in which memory is touched for the first time.
const WARM_UP: usize = 5;

/// Takes a few steps of a config's training, and tells how long an epoch will take.
pub struct Calibrate<'a> {
    /// The effective config.
    pub config: &'a Config,
    /// The cleaned data.
    pub dataset: &'a Dataset,
    /// What the model may read beside them.
    pub knowledge: &'a Knowledge,
}

/// What a few steps tell of an epoch.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Median over the steps.
    pub seconds_per_step: f64,
    /// Steps of an epoch.
    pub n_steps: usize,
}

impl Pace {
    /// Seconds of an epoch's steps; validation comes on top.
    pub fn seconds_per_epoch(&self) -> f64 {
        self.seconds_per_step * self.n_steps as f64
    }
}

impl OnBackend for Calibrate<'_> {
    /// Nothing for a model that has no steps.
    type Out = Result<Option<Pace>, Failure>;

    fn run<B: AutodiffRecommender>(self, device: B::Device) -> Self::Out {
        match &self.config.model {
            ModelConfig::Network(NetworkConfig::KgMf(model)) => self.kg_mf::<B>(model, &device).map(Some),
            ModelConfig::Network(NetworkConfig::TwoTower(model)) => {
                self.two_tower::<B>(model, &device).map(Some)
            }
            ModelConfig::Baseline(_) => Ok(None),
        }
    }
}

impl Calibrate<'_> {
    fn kg_mf<B: AutodiffRecommender>(
        &self,
        config: &KgMfConfig,
        device: &B::Device,
    ) -> Result<Pace, Failure> {
        let Self { dataset, knowledge, .. } = self;
        let training = &self.config.training;
        let split = Split::of(&dataset.ratings, &self.config.data, 0)?;
        let train = dataset.ratings.select(&split.train);
        let of_split = with_times(config, knowledge.kg_mf.clone(), &train);
        let model = new_kg_mf::<B>(config, dataset, &of_split, &train, training.seed, device)?;
        let batches = kg_mf_batches(&model, dataset, &train, training)?;
        Ok(self.pace::<B, _, _>(model, &batches))
    }

    fn two_tower<B: AutodiffRecommender>(
        &self,
        config: &TwoTowerConfig,
        device: &B::Device,
    ) -> Result<Pace, Failure> {
        let split = Split::of(&self.dataset.ratings, &self.config.data, 0)?;
        let rows = (self.dataset, &split.train[..]);
        let started = two_tower::start::<B>(config, self.knowledge, rows, &self.config.training, device)?;
        Ok(self.pace::<B, _, _>(started.model, &started.batches))
    }

    fn pace<B, M, S>(&self, mut model: M, batches: &S) -> Pace
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
        S: Batches<Batch = M::Batch>,
    {
        let training = &self.config.training;
        let mut optimizer = Optimizer::new(training.optimizer.clone());
        let (order, n_steps) = (batches.order(0), batches.n_steps());
        let mut seconds = Vec::new();
        for step in 0..WARM_UP + STEPS {
            let batch = batches.batch(&order, step % n_steps);
            let began = Instant::now();
            let pass = model.forward_loss(&batch, StepKey { seed: training.seed, step: step as u64 });
            scalar(pass.loss().inner());
            model = optimizer.step(model, pass, training.learning_rate);
            // The step is done when its gradient has been looked at, as in training.
            let _ = optimizer.gradient_norm();
            seconds.push(began.elapsed().as_secs_f64());
        }
        let timed = &mut seconds[WARM_UP..];
        timed.sort_by(f64::total_cmp);
        Pace { seconds_per_step: timed[STEPS / 2], n_steps }
    }
}

/// Memory of a run, part by part, in MiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// The program and the data, as they are now.
    pub data: f64,
    /// The parts of the split, and what evaluation works on.
    pub parts: f64,
    /// The rows that a batch gathers, their gradients, and what lies between.
    pub batch: f64,
    /// Weights, and what the optimiser remembers of them.
    pub weights: f64,
    /// The copy of both that a checkpoint is written from, and the best weights once more at the end.
    pub saving: f64,
}

const MIB: f64 = 1024.0 * 1024.0;

impl Memory {
    /// What a config will need; to be asked when the data are loaded.
    pub fn of(config: &Config, dataset: &Dataset, knowledge: &Knowledge) -> Self {
        let (n_users, n_items, n_ratings) = (dataset.n_users(), dataset.n_items(), dataset.ratings.len());
        let parameters =
            config.model.n_parameters(n_users, n_items, knowledge).iter().map(|(_, n)| n).sum::<usize>()
                as f64;
        // Kept with the weights, and not trained.
        let tags = knowledge.kg_mf.genome.as_ref().map_or(0, |genome| genome.values.len()) as f64;
        let moments = match &config.model {
            ModelConfig::Network(_) => config.training.optimizer.moments().len() as f64,
            ModelConfig::Baseline(_) => 0.0,
        };
        Self {
            data: peak_memory_mb().unwrap_or(0.0),
            parts: (n_ratings * BYTES_PER_RATING) as f64 / MIB + EVALUATION,
            batch: values_of_a_batch(config, n_ratings, n_items) * 4.0 * 4.0 / MIB,
            weights: (parameters * (1.0 + moments) + tags) * 4.0 / MIB,
            saving: (parameters * (2.0 + moments) + 2.0 * tags) * 4.0 / MIB,
        }
    }

    /// All of it.
    pub fn total(&self) -> f64 {
        self.data + self.parts + self.batch + self.weights + self.saving
    }

    /// Refuses a run that cannot fit into what the system has to give.
    ///
    /// # Errors
    ///
    /// If it needs more than there is, with the key to lower.
    pub fn check(&self, config: &Config) -> Result<(), Failure> {
        let needed = self.total() - self.data;
        let fits = available_memory_mb().is_none_or(|available| needed <= available);
        // A limit on the process is found only by asking; what is asked for is given back at once.
        if fits && Vec::<u8>::new().try_reserve_exact((needed * MIB) as usize).is_ok() {
            return Ok(());
        }
        let model = self.weights + self.saving;
        let remedy = match &config.model {
            _ if self.parts > model.max(self.batch) => "raise data.min_user_ratings or data.min_item_ratings",
            _ if self.batch > model => "lower training.batch_size",
            ModelConfig::Network(_) => "lower model.embedding_dim",
            ModelConfig::Baseline(_) => "raise data.min_item_ratings, or take another model.kind",
        };
        Err(Failure::input(format!(
            "the run needs about {needed:.0} MiB of memory beside the data, and the system has less to give; {remedy}"
        )))
    }
}

/// The columns of a rating in the parts of the split, in the lists that evaluation ranks and masks, and in what the simple
/// recommenders count.
const BYTES_PER_RATING: usize = 104;
/// Blocks of scores that evaluation works on, in MiB.
const EVALUATION: f64 = 32.0;

/// Values that the rows of a batch have.
fn values_of_a_batch(config: &Config, n_ratings: usize, n_items: usize) -> f64 {
    let n_examples = config.training.batch_size.min(n_ratings) as f64;
    match &config.model {
        ModelConfig::Network(NetworkConfig::KgMf(model)) => {
            let n_each = if model.loss.is_ranking() { 1 + model.n_negatives } else { 1 };
            n_examples * (1 + n_each) as f64 * model.embedding_dim as f64
        }
        ModelConfig::Network(NetworkConfig::TwoTower(model)) => {
            two_tower::values_of_a_batch(model, n_examples, n_items)
        }
        ModelConfig::Baseline(_) => 0.0,
    }
}
