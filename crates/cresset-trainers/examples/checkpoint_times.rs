//! How long checkpoints keep the steps waiting, and how long they take until they are on the disk.
//!
//! ```text
//! cargo run --release -p cresset-trainers --example checkpoint_times [-- FOLDER]
//! ```
//!
//! A table of 252,822 rows of 128 numbers and one of 2,648 (32.7 million parameters) are trained with Adam, so that a
//! checkpoint holds three times as many numbers: 392 MB. A pause is what the step with a save in it takes longer than the
//! median step; both are seen from the model, whose forward pass is asked once a step. Next to each checkpoint the same
//! number of bytes is written and synced by itself, as a measure of the disk.

#![recursion_limit = "256"]

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use burn::backend::{Autodiff, Flex};
use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use cresset_data::{LoaderConfig, RatingBatch, RatingBatches, Ratings, TimeKind};
use cresset_metrics::Metrics;
use cresset_nn::{AutodiffRecommender, EmbeddingTable, ForwardPass, RowIndex, StepKey, TrainModel};
use cresset_trainers::config::{CheckpointConfig, TrainingConfig};
use cresset_trainers::{RunDir, StopFlag, Trainer};

const N_USERS: usize = 252_822;
const N_ITEMS: usize = 2_648;
const DIM: usize = 128;
const N_STEPS: usize = 4_000;
const EVERY_STEPS: u64 = 800;
const BATCH: usize = 1_024;

/// When each step began, and when the checkpoint then on the disk was written.
type Log = Arc<Mutex<Vec<(Instant, Option<SystemTime>)>>>;

#[derive(Module, Debug)]
struct Towers<B: Backend> {
    user: EmbeddingTable<B>,
    item: EmbeddingTable<B>,
    #[module(skip)]
    watch: Watch,
}

/// Notes the beginning of each step.
#[derive(Debug, Clone)]
struct Watch {
    log: Log,
    checkpoint: PathBuf,
}

impl Watch {
    fn note(&self) {
        let written = fs::metadata(&self.checkpoint).and_then(|file| file.modified()).ok();
        self.log.lock().expect("nobody panics while noting").push((Instant::now(), written));
    }
}

impl<B: AutodiffRecommender> TrainModel<B> for Towers<B> {
    type Batch = RatingBatch;

    fn forward_loss(&self, batch: &RatingBatch, _key: StepKey) -> ForwardPass<B> {
        self.watch.note();
        let device = self.user.device();
        let user = self.user.gather(&RowIndex::new(&batch.users, &device));
        let item = self.item.gather(&RowIndex::new(&batch.items, &device));
        let ratings = Tensor::from_data(TensorData::new(batch.ratings.clone(), [batch.len()]), &device);
        let error = user.products(&item) - ratings;
        let loss = (error.clone() * error).mean();
        ForwardPass { terms: vec![("loss", loss)], n_examples: batch.len(), rows: vec![user, item] }
    }

    fn tables_mut(&mut self) -> Vec<&mut EmbeddingTable<B>> {
        vec![&mut self.user, &mut self.item]
    }
}

fn ratings() -> Ratings {
    let n = (N_STEPS * BATCH) as u64;
    // Multiplication by an odd constant scatters the rows.
    let scattered = |bound: usize, factor: u64| {
        (0..n).map(|row| ((row.wrapping_mul(factor) >> 20) % bound as u64) as u32).collect()
    };
    Ratings {
        user_id: scattered(N_USERS, 0x9E37_79B9_7F4A_7C15),
        item_id: scattered(N_ITEMS, 0xC2B2_AE3D_27D4_EB4F),
        rating: (0..n).map(|row| (row % 5) as f32).collect(),
        time: vec![0; n as usize],
        time_kind: TimeKind::Timestamp,
        parts: None,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = match std::env::args().nth(1) {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let run = RunDir::create(folder.path(), false)?;
    let checkpoint = run.file("checkpoints/last/checkpoint.safetensors");
    let watch = Watch { log: Log::default(), checkpoint: checkpoint.clone() };
    let log = Arc::clone(&watch.log);
    let every = CheckpointConfig { every_steps: Some(EVERY_STEPS), every_epochs: 1 };
    let config =
        TrainingConfig { epochs: 1, batch_size: BATCH, checkpoint: every, ..TrainingConfig::default() };
    let device = Default::default();
    let model = Towers::<Autodiff<Flex>> {
        user: EmbeddingTable::normal("user", [N_USERS, DIM], 0.1, 1, &device),
        item: EmbeddingTable::normal("item", [N_ITEMS, DIM], 0.1, 1, &device),
        watch,
    };
    let batches = RatingBatches::new(ratings(), BATCH, config.seed);
    let (stop, loader) = (StopFlag::default(), LoaderConfig::default());
    let trainer = Trainer { config: &config, run: &run, stop, show_progress: false, loader };
    trainer.fit(model, &batches, &mut |_| Ok(Metrics::new()), &device)?;

    report(&log.lock().expect("training has ended"));
    let bytes = fs::metadata(&checkpoint)?.len();
    for _ in 0..3 {
        let seconds = write_alone(&folder.path().join("alone"), bytes as usize)?.as_secs_f64();
        println!("{:.0} MB written and synced by themselves: {seconds:.2} s", bytes as f64 / 1e6);
    }
    Ok(())
}

/// Prints the pause of each save and the time until its file was there.
fn report(log: &[(Instant, Option<SystemTime>)]) {
    let steps: Vec<Duration> = log.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let mut sorted = steps.clone();
    sorted.sort();
    let median = sorted[steps.len() / 2];
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{} steps, median {:.2} ms", steps.len(), ms(median));
    for begun in (EVERY_STEPS as usize - 1..steps.len()).step_by(EVERY_STEPS as usize) {
        let pause = steps[begun].saturating_sub(median);
        let before = log[begun].1;
        let seen = log[begun..].iter().find(|(_, written)| *written != before);
        let saved = seen.map_or("after the last step".to_owned(), |(time, _)| {
            format!("{:.2} s later", (*time - log[begun].0).as_secs_f64())
        });
        println!("after step {}: steps paused for {:.0} ms, saved {saved}", begun + 1, ms(pause));
    }
}

fn write_alone(file: &Path, n_bytes: usize) -> std::io::Result<Duration> {
    let content = vec![7; n_bytes];
    let began = Instant::now();
    let mut file = File::create(file)?;
    file.write_all(&content)?;
    file.sync_all()?;
    Ok(began.elapsed())
}
