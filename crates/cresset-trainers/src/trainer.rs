//! The training loop, top to bottom: epochs of steps, a validation, the best model kept, a checkpoint.

use std::sync::mpsc::sync_channel;
use std::time::Instant;

use cresset_data::Batches;
use cresset_data::files::{FileError, atomic_write};
use cresset_metrics::{Direction, MetricError, Metrics, direction};
use cresset_nn::optim::Optimizer;
use cresset_nn::weights::{self, WeightsError, named_tensors};
use cresset_nn::{AutodiffRecommender, TrainModel, scalar};

use crate::checkpoint::{Checkpoint, Progress};
use crate::config::TrainingConfig;
use crate::history::pairs;
use crate::progress::EpochBar;
use crate::run_dir::RunDir;
use crate::stop::StopFlag;

/// Batches made ahead of the step that uses them.
const BATCHES_AHEAD: usize = 4;

const CHECKPOINT: &str = "checkpoints/last/checkpoint.safetensors";
const BEST_WEIGHTS: &str = "best_model/weights.safetensors";

/// Why training ended without a model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The loss is not a number any more.
    #[error("the loss became {loss} in epoch {epoch}, step {step}; lower training.learning_rate (now {learning_rate})")]
    Diverged {
        /// Epoch, from 1.
        epoch: u64,
        /// Step in it, from 1.
        step: usize,
        /// The loss.
        loss: f32,
        /// The learning rate.
        learning_rate: f64,
    },
    /// Somebody asked to stop.
    #[error("interrupted in epoch {epoch} after {step} steps, all saved; continue with --resume --output {run}")]
    Interrupted {
        /// Epoch, from 1.
        epoch: u64,
        /// Steps finished in it.
        step: usize,
        /// The run directory.
        run: String,
    },
    /// The monitored metric is not among those measured.
    #[error("training.monitor = {monitor} is not measured on the validation part, expected one of {known}")]
    Monitor {
        /// The key's value.
        monitor: String,
        /// What is measured.
        known: String,
    },
    /// The validation could not be measured.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// A checkpoint or the weights could not be saved or restored.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Runs the loop for one model into one run directory.
#[derive(Debug)]
pub struct Trainer<'a> {
    /// How to train.
    pub config: &'a TrainingConfig,
    /// Where the run lies.
    pub run: &'a RunDir,
    /// Raised when the run should save and stop.
    pub stop: StopFlag,
}

/// A trained model: the weights of its best epoch.
#[derive(Debug)]
pub struct Trained<M> {
    /// The model as it was at the best epoch, ready to serve.
    pub model: M,
    /// How it came to be.
    pub progress: Progress,
    /// Examples trained on in each second of all epochs together.
    pub examples_per_second: f64,
}

/// What the loop carries from step to step.
struct Session<B: AutodiffRecommender, M> {
    // `None` only while the optimiser holds the model.
    model: Option<M>,
    optimizer: Optimizer<B>,
    progress: Progress,
    seconds_before: f64,
    began: Instant,
}

impl Trainer<'_> {
    /// Trains `model` until its epochs or its patience end; goes on from a checkpoint where there is one.
    ///
    /// `validate` measures the model on the validation part; nothing here ever sees the test part.
    ///
    /// # Errors
    ///
    /// If the loss is not a number, somebody asks to stop, the monitored metric is not measured, or a file
    /// cannot be written.
    pub fn fit<B, M, S>(
        &self,
        model: M,
        batches: &S,
        validate: &mut dyn FnMut(&M::InnerModule) -> Result<Metrics, MetricError>,
        device: &B::Device,
    ) -> Result<Trained<M::InnerModule>, TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
        S: Batches<Batch = M::Batch>,
    {
        let mut session = self.start::<B, M>(model, device)?;
        while session.progress.epoch < self.config.epochs
            && !session.progress.early_stop.is_exhausted(self.config.patience)
        {
            self.train_epoch(&mut session, batches)?;
            let metrics = validate(&session.model().valid())?;
            self.finish_epoch(&mut session, &metrics)?;
        }
        let best = weights::load(&self.run.file(BEST_WEIGHTS))?;
        let progress = session.progress_now();
        let trained_seconds: f64 = progress.history.epochs.iter().map(|epoch| epoch.seconds).sum();
        let examples = batches.n_examples() * progress.history.epochs.len();
        Ok(Trained {
            model: weights::restore::<B::InnerBackend, M::InnerModule>(session.into_model().valid(), best)?,
            progress,
            examples_per_second: examples as f64 / trained_seconds,
        })
    }

    fn start<B, M>(&self, model: M, device: &B::Device) -> Result<Session<B, M>, TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let rule = self.config.optimizer.clone();
        let file = self.run.file(CHECKPOINT);
        let (model, optimizer, progress) = if file.exists() {
            let Checkpoint { progress, model: tensors, optimizer } = Checkpoint::load(&file)?;
            tracing::info!("resuming after epoch {}, step {}", progress.epoch, progress.step);
            let optimizer = Optimizer::restore(rule, progress.optimizer_steps, optimizer, device)?;
            (weights::restore::<B, M>(model, tensors)?, optimizer, progress)
        } else {
            (model, Optimizer::new(rule), Progress::default())
        };
        let seconds_before = progress.seconds;
        Ok(Session { model: Some(model), optimizer, progress, seconds_before, began: Instant::now() })
    }

    /// The steps of one epoch that are still to do, with the batches made ahead on a thread of their own.
    fn train_epoch<B, M, S>(&self, session: &mut Session<B, M>, batches: &S) -> Result<(), TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
        S: Batches<Batch = M::Batch>,
    {
        let epoch = session.progress.epoch;
        let order = batches.order(epoch);
        let (first, n_steps) = (session.progress.step, batches.n_steps());
        let rate = self.config.learning_rate_at(epoch);
        let mut bar = EpochBar::new(epoch + 1, self.config.epochs, first, n_steps);
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(BATCHES_AHEAD);
            scope.spawn(move || {
                // An error means that the loop has stopped and wants no more.
                (first..n_steps).try_for_each(|step| sender.send(batches.batch(&order, step)))
            });
            let mut clock = Instant::now();
            for batch in receiver {
                let loss = session.step(&batch, rate);
                session.progress.epoch_seconds += clock.elapsed().as_secs_f64();
                clock = Instant::now();
                session.progress.step += 1;
                self.check_step(session, loss, rate)?;
                bar.advance(session.progress.mean_loss(), session.progress.examples_per_second());
            }
            Ok(())
        })
    }

    fn check_step<B, M>(&self, session: &mut Session<B, M>, loss: f32, rate: f64) -> Result<(), TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let (epoch, step) = (session.progress.epoch + 1, session.progress.step);
        if !loss.is_finite() {
            return Err(TrainError::Diverged { epoch, step, loss, learning_rate: rate });
        }
        if self.stop.is_raised() {
            self.save_checkpoint(session)?;
            return Err(TrainError::Interrupted { epoch, step, run: self.run.path().display().to_string() });
        }
        Ok(())
    }

    fn finish_epoch<B, M>(&self, session: &mut Session<B, M>, metrics: &Metrics) -> Result<(), TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let (value, direction) = self.monitored(metrics)?;
        let progress = &mut session.progress;
        progress.close_epoch(self.config.learning_rate_at(progress.epoch), pairs(metrics));
        let epoch = progress.epoch;
        let best = progress.early_stop.observe(epoch, value, direction);
        self.report(session, value, best);
        if best {
            weights::save(&named_tensors(session.model()), &self.run.file(BEST_WEIGHTS))?;
        }
        atomic_write(&self.run.file("history.csv"), session.progress.history.to_csv().as_bytes())?;
        self.save_checkpoint(session)
    }

    fn monitored(&self, metrics: &Metrics) -> Result<(f64, Direction), TrainError> {
        let monitor = &self.config.monitor;
        metrics.get(monitor).zip(direction(monitor)).ok_or_else(|| {
            let known: Vec<&str> = metrics.iter().map(|(name, _)| name).collect();
            TrainError::Monitor { monitor: monitor.clone(), known: known.join(", ") }
        })
    }

    fn report<B: AutodiffRecommender, M>(&self, session: &Session<B, M>, value: f64, best: bool) {
        let Some(last) = session.progress.history.epochs.last() else { return };
        let loss = last.losses.first().map_or(f64::NAN, |&(_, loss)| loss);
        tracing::info!(
            "epoch {:>3}/{}  loss {loss:.4}  valid {} {value:.4}{}  {:.0} examples/s  {:.1} s",
            last.epoch,
            self.config.epochs,
            self.config.monitor,
            if best { " *" } else { "  " },
            last.examples_per_second,
            last.seconds,
        );
    }

    fn save_checkpoint<B, M>(&self, session: &Session<B, M>) -> Result<(), TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let checkpoint = Checkpoint {
            progress: session.progress_now(),
            model: named_tensors(session.model()),
            optimizer: session.optimizer.state(),
        };
        Ok(checkpoint.save(&self.run.file(CHECKPOINT))?)
    }
}

impl<B: AutodiffRecommender, M: TrainModel<B>> Session<B, M> {
    fn step(&mut self, batch: &M::Batch, learning_rate: f64) -> f32 {
        let model = self.model.take().expect("held between steps");
        let pass = model.forward_loss(batch);
        let loss = scalar(pass.loss.clone().inner());
        let parts: Vec<(&str, f32)> = pass.parts.iter().map(|(name, part)| (*name, scalar(part.clone()))).collect();
        self.progress.add_losses(loss, &parts, pass.n_examples);
        self.model = Some(self.optimizer.step(model, pass, learning_rate));
        self.progress.optimizer_steps = self.optimizer.steps_taken();
        loss
    }

    fn model(&self) -> &M {
        self.model.as_ref().expect("held between steps")
    }

    fn into_model(self) -> M {
        self.model.expect("held between steps")
    }

    fn progress_now(&self) -> Progress {
        let seconds = self.seconds_before + self.began.elapsed().as_secs_f64();
        Progress { seconds, ..self.progress.clone() }
    }
}
