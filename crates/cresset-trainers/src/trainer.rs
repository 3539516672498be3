//! The training loop, top to bottom: epochs of steps, a validation, the best model kept, a checkpoint.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::backend::Backend;
use cresset_data::files::atomic_write;
use cresset_data::{Batches, Loader, LoaderConfig};
use cresset_metrics::{Direction, MetricError, Metrics, direction};
use cresset_nn::optim::Optimizer;
use cresset_nn::weights::{self, named_tensors};
use cresset_nn::{AutodiffRecommender, StepKey, TrainModel, scalar};

use crate::checkpoint::{Checkpoint, CheckpointError, Progress};
use crate::config::TrainingConfig;
use crate::error::TrainError;
use crate::history::pairs;
use crate::progress::EpochBar;
use crate::run_dir::RunDir;
use crate::stop::StopFlag;

const CHECKPOINT: &str = "checkpoints/last/checkpoint.safetensors";
const BEST_WEIGHTS: &str = "best_model/weights.safetensors";

/// Runs the loop for one model into one run directory.
#[derive(Debug)]
pub struct Trainer<'a> {
    /// How to train.
    pub config: &'a TrainingConfig,
    /// Where the run lies.
    pub run: &'a RunDir,
    /// Raised when the run should save and stop.
    pub stop: StopFlag,
    /// Whether a terminal shows a bar over the steps of each epoch.
    pub show_progress: bool,
    /// How batches are made ahead of the steps.
    pub loader: LoaderConfig,
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
    /// `validate` measures the model on the validation part; nothing here ever sees the test part. Where there is
    /// no validation part it measures nothing, and returns no metric at all: then every epoch is trained,
    /// whatever the patience, and the last one is kept.
    ///
    /// # Errors
    ///
    /// If the loss is not a number, somebody asks to stop, the monitored metric has no value, a checkpoint is
    /// damaged or of another model, or a file cannot be written.
    ///
    /// # Panics
    ///
    /// If there is no batch, or a number of the config is outside its documented range.
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
        assert!(batches.n_steps() > 0, "there is at least one example to train on");
        self.config.validate().expect("a config within its documented ranges");
        let mut session = self.start::<B, M>(model, device)?;
        if session.progress.early_stop.is_exhausted(self.config.patience) {
            tracing::info!("training had stopped for want of patience; raise training.patience to go on");
        }
        while session.progress.epoch < self.config.epochs
            && !session.progress.early_stop.is_exhausted(self.config.patience)
        {
            self.train_epoch(&mut session, batches)?;
            let metrics = validate(&session.model().valid())?;
            self.finish_epoch(&mut session, &metrics)?;
        }
        let progress = session.progress_now();
        let trained_seconds: f64 = progress.history.epochs.iter().map(|epoch| epoch.seconds).sum();
        let examples = batches.n_examples() * progress.history.epochs.len();
        Ok(Trained {
            model: self.best_of(session.into_model().valid())?,
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
            let Checkpoint { progress, model: tensors, optimizer: state } = Checkpoint::load(&file)?;
            tracing::info!("resuming after epoch {}, step {}", progress.epoch, progress.step);
            let misfit = CheckpointError::of(&file);
            let mut model = weights::restore::<B, M>(model, tensors).map_err(&misfit)?;
            let steps = progress.optimizer_steps;
            let optimizer = Optimizer::resume(rule, steps, state, &mut model, device).map_err(&misfit)?;
            (model, optimizer, progress)
        } else {
            (model, Optimizer::new(rule), Progress::default())
        };
        let seconds_before = progress.seconds;
        Ok(Session { model: Some(model), optimizer, progress, seconds_before, began: Instant::now() })
    }

    fn best_of<B: Backend, M: Module<B>>(&self, model: M) -> Result<M, CheckpointError> {
        let file = self.run.file(BEST_WEIGHTS);
        weights::load(&file)
            .and_then(|best| weights::restore(model, best))
            .map_err(CheckpointError::of(&file))
    }

    /// The steps of one epoch that are still to do, with the batches made ahead on threads of their own.
    fn train_epoch<B, M, S>(&self, session: &mut Session<B, M>, batches: &S) -> Result<(), TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
        S: Batches<Batch = M::Batch>,
    {
        let epoch = session.progress.epoch;
        let mut clock = Instant::now();
        let order = batches.order(epoch);
        let (first, n_steps) = (session.progress.step, batches.n_steps());
        let rate = self.config.learning_rate_at(epoch);
        let mut bar = EpochBar::new([epoch + 1, self.config.epochs], [first, n_steps], self.show_progress);
        std::thread::scope(|scope| {
            for batch in Loader::start(scope, batches, &order, first, self.loader) {
                let loss = session.step(&batch, self.config.seed, rate)?;
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
        let monitored = self.monitored(metrics)?;
        let progress = &mut session.progress;
        progress.close_epoch(self.config.learning_rate_at(progress.epoch), pairs(metrics));
        let is_best = match monitored {
            Some((value, direction)) => progress.early_stop.observe(progress.epoch, value, direction),
            None => progress.early_stop.keep(progress.epoch),
        };
        self.report(&session.progress, is_best);
        if is_best {
            let file = self.run.file(BEST_WEIGHTS);
            weights::save(&named_tensors(session.model()), &file).map_err(CheckpointError::of(&file))?;
        }
        atomic_write(&self.run.file("history.csv"), session.progress.history.to_csv().as_bytes())?;
        self.save_checkpoint(session)
    }

    /// The metric that decides, and which way; `None` where nothing was measured.
    fn monitored(&self, metrics: &Metrics) -> Result<Option<(f64, Direction)>, TrainError> {
        let monitor = &self.config.monitor;
        if metrics.is_empty() {
            return Ok(None);
        }
        let cause = match (metrics.get(monitor), direction(monitor)) {
            (Some(value), Some(direction)) => return Ok(Some((value, direction))),
            (Some(_), None) => "nobody knows whether more of it is better".to_owned(),
            (None, _) => match metrics.reason(monitor) {
                Some(reason) => format!("undefined on the validation part ({reason})"),
                None => "not measured on the validation part".to_owned(),
            },
        };
        let can_decide = |name: &str| metrics.get(name).is_some() && direction(name).is_some();
        let known: Vec<&str> = metrics.iter().map(|(name, _)| name).filter(|name| can_decide(name)).collect();
        Err(TrainError::Monitor { monitor: monitor.clone(), cause, known: known.join(", ") })
    }

    fn report(&self, progress: &Progress, is_best: bool) {
        let Some(last) = progress.history.epochs.last() else { return };
        let loss = last.losses.first().map_or(f64::NAN, |&(_, loss)| loss);
        let monitor = &self.config.monitor;
        let valid = match last.valid(monitor) {
            Some(value) => format!("valid {monitor} {value:.4}{}  ", if is_best { " *" } else { "  " }),
            None => String::new(),
        };
        let (epoch, epochs) = (last.epoch, self.config.epochs);
        let (speed, seconds) = (last.examples_per_second, last.seconds);
        tracing::info!(
            "epoch {epoch:>3}/{epochs}  loss {loss:.4}  {valid}{speed:.0} examples/s  {seconds:.1} s"
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
    fn step(&mut self, batch: &M::Batch, seed: u64, learning_rate: f64) -> Result<f32, TrainError> {
        let model = self.model.take().expect("held between steps");
        let pass = model.forward_loss(batch, StepKey { seed, step: self.optimizer.steps_taken() });
        let loss = scalar(pass.loss().inner());
        self.progress.add_losses(loss, &pass.values(), pass.n_examples);
        self.model = Some(self.optimizer.step(model, pass, learning_rate));
        self.progress.optimizer_steps = self.optimizer.steps_taken();
        if loss.is_finite() {
            self.optimizer.gradient_norm()?;
        }
        Ok(loss)
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
