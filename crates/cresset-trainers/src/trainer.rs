//! The training loop, top to bottom: epochs of steps, a validation, the best model kept, a checkpoint.

use std::time::Instant;

use cresset_data::files::{FileError, atomic_write};
use cresset_data::{Batches, Loader, LoaderConfig};
use cresset_metrics::{Direction, MetricError, Metrics, direction};
use cresset_nn::optim::Optimizer;
use cresset_nn::weights;
use cresset_nn::{AutodiffRecommender, TrainModel};

use crate::checkpoint::{
    CHECKPOINT, Checkpoint, CheckpointError, Origin, Progress, Saver, fill, load_best, mend_best, note,
};
use crate::config::TrainingConfig;
use crate::early_stop::EarlyStop;
use crate::error::TrainError;
use crate::held_out::Finished;
use crate::history::pairs;
use crate::progress::{EpochBar, EpochPlace};
use crate::run_dir::RunDir;
use crate::session::{Session, first_scaler};
use crate::stop::StopFlag;
use crate::strategy::Plan;
use crate::watch::{Observer, StepSeconds};

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
    /// That training has ended, in exchange for which the test part opens; `None` where it only paused.
    pub finished: Option<Finished>,
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
    /// If the strategy does not fit the model, the device lacks the precision, the loss is not a number, somebody asks
    /// to stop, the monitored metric has no value, a checkpoint is damaged or of another model or config, or the best
    /// weights cannot be written. A checkpoint that cannot be written is a warning, and tried again.
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
        self.fit_until(u64::MAX, model, batches, validate, device)
    }

    /// As [`fit`](Self::fit), but no further than to the end of an epoch, counted from 1; a later call goes on from there. So
    /// a search trains many for a while and the best of them to their end, each as if it had never paused.
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit).
    ///
    /// # Panics
    ///
    /// As [`fit`](Self::fit).
    pub fn fit_until<B, M, S>(
        &self,
        last_epoch: u64,
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
        let origin = Origin::new(self.config, batches.n_examples(), batches.n_steps());
        let mut session = self.start::<B, M>(model, origin, batches.n_steps(), device)?;
        let mut observer = Observer::start(self.config, self.run, &session.progress, batches.n_steps())?;
        if session.plan.is_out_of_patience(&session.progress) {
            let key = session.plan.key_of_patience(&session.progress);
            tracing::info!("training had stopped for want of patience; raise {key} to go on");
        }
        while !session.plan.is_finished(&session.progress) && session.progress.epoch < last_epoch {
            self.enter_stage(&mut session)?;
            self.train_epoch(&mut session, batches, &mut observer)?;
            let metrics = validate(&session.model().valid())?;
            self.finish_epoch(&mut session, &metrics, &mut observer)?;
        }
        self.write_history(&session)?;
        let finished = session.plan.is_finished(&session.progress).then(Finished::training);
        let progress = session.progress_now();
        let model = session.into_model_when_saved().map_err(|cause| self.unsaved(cause))?;
        let trained_seconds: f64 = progress.history.epochs.iter().map(|epoch| epoch.seconds).sum();
        let examples = batches.n_examples() * progress.history.epochs.len();
        Ok(Trained {
            model: load_best(self.run, model.valid())?,
            progress,
            examples_per_second: examples as f64 / trained_seconds,
            finished,
        })
    }

    fn start<B, M>(
        &self,
        mut model: M,
        origin: Origin,
        n_steps: usize,
        device: &B::Device,
    ) -> Result<Session<'_, B, M>, TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let config = self.config;
        if !config.precision.is_supported::<B>(device) {
            return Err(TrainError::Precision { precision: config.precision });
        }
        let plan = Plan::for_batches::<B, M>(config, &mut model, n_steps)?;
        let rule = config.optimizer.clone();
        let file = self.run.file(CHECKPOINT);
        let (model, optimizer, progress) = if file.exists() {
            let Checkpoint { progress, model: tensors, optimizer: state } = Checkpoint::load(&file, &origin)?;
            tracing::info!("resuming after epoch {}, step {}", progress.epoch, progress.step);
            let misfit = CheckpointError::of(&file);
            let mut model = weights::restore::<B, M>(model, tensors).map_err(&misfit)?;
            let steps = progress.optimizer_steps;
            let optimizer = Optimizer::resume(rule, steps, state, &mut model, device).map_err(&misfit)?;
            let optimizer = optimizer.with_groups(plan.groups().clone());
            let group_steps = plan.checked(&progress.group_steps)?.to_vec();
            mend_best::<B, M>(self.run, &model, &progress).map_err(|cause| self.unsaved(cause))?;
            (model, optimizer.with_group_steps(group_steps), progress)
        } else {
            (model, Optimizer::new(rule).with_groups(plan.groups().clone()), Progress::default())
        };
        let scaler = first_scaler(config).map(|first| progress.scaler.clone().unwrap_or(first));
        let progress = Progress { scaler, group_steps: optimizer.group_steps().to_vec(), ..progress };
        let optimizer = match config.max_grad_norm {
            Some(norm) => optimizer.with_max_grad_norm(norm as f32),
            None => optimizer,
        };
        Ok(Session {
            model: Some(model),
            optimizer,
            seconds_before: progress.seconds,
            progress,
            plan,
            config,
            origin,
            saver: Saver::new(self.run),
            steps_since_save: 0,
            pending: None,
            terms_are_checked: false,
            began: Instant::now(),
        })
    }

    /// The steps of one epoch that are still to do, with the batches made ahead on threads of their own.
    fn train_epoch<B, M, S>(
        &self,
        session: &mut Session<'_, B, M>,
        batches: &S,
        observer: &mut Observer<'_>,
    ) -> Result<(), TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
        S: Batches<Batch = M::Batch>,
    {
        let epoch = session.progress.epoch;
        let mut clock = Instant::now();
        let order = batches.order(epoch);
        let (first, n_steps) = (session.progress.step, batches.n_steps());
        let (n_epochs, seconds_between) = (session.plan.n_epochs(), observer.seconds_between());
        let place = EpochPlace { epoch: epoch + 1, n_epochs, first_step: first, n_steps, seconds_between };
        let mut bar = EpochBar::new(place, self.show_progress);
        std::thread::scope(|scope| {
            for batch in Loader::start(scope, batches, &order, first, self.loader) {
                let waited = clock.elapsed().as_secs_f64();
                let loss = session.learn(&batch, session.progress.step + 1 == n_steps)?;
                let all = clock.elapsed().as_secs_f64();
                clock = Instant::now();
                session.progress.epoch_seconds += all;
                session.progress.step += 1;
                self.check_step(session, loss)?;
                self.save_if_due(session);
                observer.step(session, &batch, loss, StepSeconds { model: all - waited, all }, &bar);
                bar.advance(&session.progress);
            }
            observer.begin_between();
            Ok(())
        })
    }

    fn check_step<B, M>(&self, session: &mut Session<'_, B, M>, loss: f32) -> Result<(), TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let (epoch, step) = (session.progress.epoch + 1, session.progress.step);
        if !loss.is_finite() {
            let learning_rate = session.learning_rate();
            return Err(TrainError::Diverged { epoch, step, loss, learning_rate });
        }
        if self.stop.is_raised() && session.is_between_steps() {
            self.save(session, false);
            session.saver.wait().map_err(|cause| self.unsaved(cause))?;
            return Err(TrainError::Interrupted { epoch, step, run: self.run.path().display().to_string() });
        }
        Ok(())
    }

    fn finish_epoch<B, M>(
        &self,
        session: &mut Session<'_, B, M>,
        metrics: &Metrics,
        observer: &mut Observer<'_>,
    ) -> Result<(), TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let monitored = self.monitored(metrics)?;
        let (rate, stage) = (session.learning_rate(), session.plan.stage_name(&session.progress));
        let stage = stage.map(str::to_owned);
        let progress = &mut session.progress;
        progress.close_epoch(stage, rate, pairs(metrics));
        let is_best = match monitored {
            Some((value, direction)) => progress.early_stop.observe(progress.epoch, value, direction),
            None => progress.early_stop.keep(progress.epoch),
        };
        self.report(session, is_best);
        observer.epoch(&session.progress, monitored.is_some());
        if let Err(error) = self.write_history(session) {
            tracing::warn!("{error}; training goes on, and the next epoch tries again");
        }
        let epoch = session.progress.epoch;
        let is_due = epoch.is_multiple_of(self.config.checkpoint.every_epochs);
        if is_best || is_due || session.plan.is_finished(&session.progress) {
            self.save(session, is_best);
        }
        Ok(())
    }

    fn write_history<B, M>(&self, session: &Session<'_, B, M>) -> Result<(), FileError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let progress = &session.progress;
        if let Some(series) = session.plan.alternation_csv(progress) {
            atomic_write(&self.run.file("alternation.csv"), series.as_bytes())?;
        }
        atomic_write(&self.run.file("history.csv"), progress.history.to_csv().as_bytes())
    }

    /// Where a stage is over the next begins, from the best weights of the one before and with nothing in the optimiser's
    /// memory: its moments are of other weights.
    ///
    /// A checkpoint of the new stage lies there before it has best weights of its own, which take the place of those it
    /// began with: so whatever moment a kill chooses, the stage begins with the same weights.
    fn enter_stage<B, M>(&self, session: &mut Session<'_, B, M>) -> Result<(), TrainError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        if !session.plan.is_stage_over(&session.progress) || !session.plan.has_next_stage(&session.progress) {
            return Ok(());
        }
        session.saver.wait().map_err(|cause| self.unsaved(cause))?;
        let model = session.model.take().expect("held between steps");
        session.model = Some(load_best::<B, M>(self.run, model)?);
        session.optimizer.forget();
        let progress = &mut session.progress;
        progress.group_steps = session.optimizer.group_steps().to_vec();
        progress.strategy.next_stage(progress.epoch, progress.optimizer_steps);
        progress.early_stop = EarlyStop::default();
        let name = session.plan.stage_name(&session.progress).unwrap_or_default();
        tracing::info!("stage {name} begins with the best weights so far");
        self.save(session, false);
        session.saver.wait().map_err(|cause| self.unsaved(cause))
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

    fn report<B, M>(&self, session: &Session<'_, B, M>, is_best: bool)
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let Some(last) = session.progress.history.epochs.last() else { return };
        let loss = last.losses.first().map_or(f64::NAN, |&(_, loss)| loss);
        let monitor = &self.config.monitor;
        let valid = match last.valid(monitor) {
            Some(value) => format!("valid {monitor} {value:.4}{}  ", if is_best { " *" } else { "  " }),
            None => String::new(),
        };
        let (epoch, epochs) = (last.epoch, session.plan.n_epochs());
        let stage = last.stage.as_ref().map_or(String::new(), |stage| format!("  {stage}"));
        let (speed, seconds) = (last.examples_per_second, last.seconds);
        tracing::info!(
            "epoch {epoch:>3}/{epochs}{stage}  loss {loss:.4}  {valid}{speed:.0} examples/s  {seconds:.1} s"
        );
    }

    /// Saves between two steps where enough have passed, and a save would not keep the next one waiting.
    fn save_if_due<B, M>(&self, session: &mut Session<'_, B, M>)
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        if session.saver.is_unprepared() {
            // After a step, so that most of what the optimiser will remember is there to be counted.
            session.saver.prepare(session.n_values());
        }
        session.steps_since_save += 1;
        let is_due = self.config.checkpoint.is_due_after(session.steps_since_save);
        if is_due && session.is_between_steps() && session.saver.is_free() {
            self.save(session, false);
        }
    }

    fn save<B, M>(&self, session: &mut Session<'_, B, M>, is_best: bool)
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let began = Instant::now();
        let note = note(&session.origin, session.progress_now());
        let Session { model, optimizer, saver, .. } = session;
        let model = model.as_ref().expect("held between steps");
        saver.save(note, is_best, |snapshot| fill(snapshot, model, optimizer));
        session.steps_since_save = 0;
        tracing::debug!("saving kept the steps waiting for {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    }

    fn unsaved(&self, cause: CheckpointError) -> TrainError {
        TrainError::Unsaved { cause, run: self.run.path().display().to_string() }
    }
}
