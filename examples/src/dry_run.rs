//! `train --dry-run`: what a newcomer runs first on their own files.

use cresset::baselines::{BaselineConfig, BaselineError, TrainingSet};
use cresset::data::{Batches, Dataset, Split};
use cresset::device::OnBackend;
use cresset::kg_mf::{KgMfConfig, KgMfExamples};
use cresset::nn::optim::Optimizer;
use cresset::nn::{AutodiffRecommender, StepKey, TrainModel, scalar};
use cresset::trainers::TrainError;
use cresset::trainers::config::TrainingConfig;
use cresset::trainers::strategy;
use cresset::two_tower::TwoTowerConfig;

use crate::failure::Failure;
use crate::knowledge::{self, Knowledge, with_times};
use crate::models::{Config, ModelConfig, NetworkConfig, kg_mf_batches, new_kg_mf};
use crate::two_tower::{self, Started};

/// One batch, forward, backward and through the optimiser, each step printed.
pub struct DryRun<'a> {
    /// The effective config.
    pub config: &'a Config,
    /// The cleaned data.
    pub dataset: &'a Dataset,
    /// What the model may read beside them.
    pub knowledge: &'a Knowledge,
}

impl OnBackend for DryRun<'_> {
    type Out = Result<(), Failure>;

    fn run<B: AutodiffRecommender>(self, device: B::Device) -> Self::Out {
        let Self { config, dataset, .. } = self;
        println!("data       {}", dataset.cleaning);
        println!("           {} users, {} items", dataset.n_users(), dataset.n_items());
        knowledge::tell(self.knowledge).iter().for_each(|line| println!("           {line}"));
        let split = Split::of(&dataset.ratings, &config.data, 0)?;
        println!(
            "split      {} train, {} valid, {} test",
            split.train.len(),
            split.valid.len(),
            split.test.len()
        );
        println!("           {}", split.note);
        match &config.model {
            ModelConfig::Network(NetworkConfig::KgMf(model)) => self.kg_mf::<B>(model, &split, &device)?,
            ModelConfig::Network(NetworkConfig::TwoTower(model)) => {
                self.two_tower::<B>(model, &split, &device)?;
            }
            ModelConfig::Baseline(model) => self.baseline(model, &split)?,
        }
        println!("done       the config trains; run again without --dry-run");
        Ok(())
    }
}

impl DryRun<'_> {
    fn baseline(&self, config: &BaselineConfig, split: &Split) -> Result<(), BaselineError> {
        let train = self.dataset.ratings.select(&split.train);
        let (n_users, n_items) = (self.dataset.n_users(), self.dataset.n_items());
        let model = config.fit(&TrainingSet::from_ratings(&train, n_users, n_items))?;
        let n_parameters: usize = model.n_parameters().iter().map(|(_, n)| n).sum();
        println!("model      {}, {n_parameters} parameters, fitted at once", config.kind());
        Ok(())
    }

    fn kg_mf<B: AutodiffRecommender>(
        &self,
        config: &KgMfConfig,
        split: &Split,
        device: &B::Device,
    ) -> Result<(), Failure> {
        let train = self.dataset.ratings.select(&split.train);
        let training = &self.config.training;
        let (n_users, n_items) = (self.dataset.n_users(), self.dataset.n_items());
        let of_split = with_times(config, self.knowledge.kg_mf.clone(), &train);
        let model = new_kg_mf::<B>(config, self.dataset, &of_split, &train, training.seed, device)?;
        let parts = config.n_parameters(n_users, n_items, &of_split);
        println!("model      kg-mf, {} parameters", parts.iter().map(|(_, n)| n).sum::<usize>());
        let batches = kg_mf_batches(&model, self.dataset, &train, training)?;
        let batch = batches.batch(&batches.order(0), 0);
        println!("batch      {}", tell(&batch));
        one_step::<B, _>(model, &batch, training, batches.n_steps(), device)
    }

    fn two_tower<B: AutodiffRecommender>(
        &self,
        config: &TwoTowerConfig,
        split: &Split,
        device: &B::Device,
    ) -> Result<(), Failure> {
        let training = &self.config.training;
        let Started { model, batches, data } =
            two_tower::start::<B>(config, self.knowledge, (self.dataset, &split.train), training, device)?;
        let parts = config.n_parameters(&data.users.shape(), &data.items.shape());
        println!("model      two-tower, {} parameters", parts.iter().map(|(_, n)| n).sum::<usize>());
        let batch = batches.batch(&batches.order(0), 0);
        let (n_users, n_items) = batch.n_rows();
        println!("batch      {} pairs, {n_users} users, {n_items} items", batch.len());
        one_step::<B, _>(model, &batch, training, batches.n_steps(), device)
    }
}

/// What a batch is made of.
fn tell(batch: &KgMfExamples) -> String {
    let (n_users, n_items) = batch.n_rows();
    let what = match batch {
        KgMfExamples::Ratings(_) => format!("{} ratings", batch.len()),
        KgMfExamples::Pairs(_) => format!("{} pairs, {} negatives", batch.len(), batch.n_negatives()),
    };
    format!("{what}, {n_users} users, {n_items} items")
}

fn one_step<B: AutodiffRecommender, M: TrainModel<B>>(
    mut model: M,
    batch: &M::Batch,
    training: &TrainingConfig,
    n_steps: usize,
    device: &B::Device,
) -> Result<(), Failure> {
    if !training.precision.is_supported::<B>(device) {
        return Err(TrainError::Precision { precision: training.precision }.into());
    }
    let key = StepKey { seed: training.seed, step: 0 };
    let pass = model.forward_loss(batch, key);
    strategy::check(training, &mut model, &pass, n_steps)?;
    println!("forward    loss {:.4}", scalar(pass.loss().inner()));
    let mut optimizer = Optimizer::new(training.optimizer.clone());
    let model = optimizer.step(model, pass, training.learning_rate);
    println!("backward   one step of the optimiser");
    println!(
        "forward    loss {:.4} on the same batch",
        scalar(model.forward_loss(batch, key).loss().inner())
    );
    Ok(())
}
