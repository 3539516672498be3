//! What the loop carries from step to step, and what a step is.

use std::time::Instant;

use cresset_nn::optim::{Gradients, LossScaler, Optimizer};
use cresset_nn::weights::parameters_by_part;
use cresset_nn::{AutodiffRecommender, ForwardPass, Precision, StepKey, TrainModel};

use crate::checkpoint::{CheckpointError, Origin, Progress, Saver};
use crate::config::TrainingConfig;
use crate::error::TrainError;
use crate::strategy::{Plan, StrategyError};

/// A model in training.
pub(crate) struct Session<'a, B: AutodiffRecommender, M> {
    // `None` only while the optimiser holds the model.
    pub(crate) model: Option<M>,
    pub(crate) optimizer: Optimizer<B>,
    pub(crate) progress: Progress,
    pub(crate) plan: Plan<'a>,
    pub(crate) config: &'a TrainingConfig,
    pub(crate) pending: Option<Pending<B>>,
    pub(crate) terms_are_checked: bool,
    pub(crate) origin: Origin,
    pub(crate) saver: Saver,
    pub(crate) steps_since_save: u64,
    pub(crate) seconds_before: f64,
    pub(crate) began: Instant,
}

/// Passes whose step is not taken yet.
pub(crate) struct Pending<B: AutodiffRecommender> {
    gradients: Gradients<B>,
    n_passes: usize,
    /// Batches that they are worth: a smaller last one counts by its examples.
    n_batches: f64,
    /// Sums over the passes, each weighted so, by term.
    terms: Vec<(&'static str, f64)>,
}

impl<B: AutodiffRecommender> Pending<B> {
    fn plus(self, other: Self) -> Self {
        let terms = self.terms.into_iter().zip(other.terms);
        Self {
            gradients: self.gradients + other.gradients,
            n_passes: self.n_passes + other.n_passes,
            n_batches: self.n_batches + other.n_batches,
            terms: terms.map(|((name, sum), (_, value))| (name, sum + value)).collect(),
        }
    }
}

impl<B: AutodiffRecommender, M: TrainModel<B>> Session<'_, B, M> {
    /// Takes a batch forward and backward, and the step where it is the last of those that are taken together. The
    /// loss of the batch comes back.
    pub(crate) fn learn(&mut self, batch: &M::Batch, is_last_of_epoch: bool) -> Result<f32, TrainError> {
        let model = self.model.take().expect("held between steps");
        let key = StepKey { seed: self.config.seed, step: self.progress.passes };
        let pass = self.config.precision.during(|| model.forward_loss(batch, key));
        let looked_back = self.look_back(&model, pass);
        self.model = Some(model);
        let (loss, pending) = looked_back?;
        self.progress.passes += 1;
        // The loop ends with an error, which needs no gradient.
        let Some(pending) = pending else { return Ok(loss) };
        let pending = match self.pending.take() {
            Some(before) => before.plus(pending),
            None => pending,
        };
        if pending.n_passes < self.config.accumulate && !is_last_of_epoch {
            self.pending = Some(pending);
            return Ok(loss);
        }
        self.take_step(pending)?;
        Ok(loss)
    }

    /// The weighted loss of a pass, and its gradients where that is a number.
    fn look_back(
        &mut self,
        model: &M,
        pass: ForwardPass<B>,
    ) -> Result<(f32, Option<Pending<B>>), TrainError> {
        let (terms, n_examples) = (pass.values(), pass.n_examples);
        self.check_terms(&terms)?;
        if let Some(&(_, bad)) = terms.iter().find(|(_, value)| !value.is_finite()) {
            // Of whatever weight: the history could not tell its mean.
            return Ok((bad, None));
        }
        let (plan, progress) = (&self.plan, &self.progress);
        // Added up as the device does it, so that the history shows what was minimised.
        let minimised = terms.iter().map(|&(name, value)| (plan.weight(progress, name), value));
        let minimised =
            minimised.filter(|&(weight, _)| weight != 0.0).map(|(weight, value)| value * weight as f32);
        let Some(loss) = minimised.reduce(|sum, value| sum + value) else {
            return Err(no_term(&terms, progress.epoch + 1).into());
        };
        let n_batches = match self.config.accumulate {
            1 => 1.0,
            _ => n_examples as f64 / self.config.batch_size as f64,
        };
        let pending = loss.is_finite().then(|| {
            let weighted = pass.weighted(|term| plan.weight(progress, term) * n_batches);
            let scale = progress.scaler.as_ref().map_or(1.0, |scaler| scaler.scale);
            Pending {
                gradients: weighted.backward_scaled(model, scale),
                n_passes: 1,
                n_batches,
                terms: terms.iter().map(|&(name, value)| (name, f64::from(value) * n_batches)).collect(),
            }
        });
        self.progress.add_losses(loss, &terms, n_examples);
        Ok((loss, pending))
    }

    fn check_terms(&mut self, terms: &[(&'static str, f32)]) -> Result<(), StrategyError> {
        if !self.terms_are_checked {
            let names: Vec<&str> = terms.iter().map(|&(name, _)| name).collect();
            self.plan.check_terms(&names)?;
            self.terms_are_checked = true;
        }
        Ok(())
    }

    fn take_step(&mut self, pending: Pending<B>) -> Result<(), TrainError> {
        let Pending { gradients, n_batches, terms, .. } = pending;
        let gradients = if n_batches == 1.0 { gradients } else { gradients.times(1.0 / n_batches as f32) };
        if !self.is_in_range(&gradients) {
            return Ok(());
        }
        let rates = self.plan.rates(&self.progress);
        let model = self.model.take().expect("held between steps");
        self.model = Some(self.optimizer.apply_by_group(model, gradients, &rates));
        self.progress.optimizer_steps = self.optimizer.steps_taken();
        self.progress.group_steps = self.optimizer.group_steps().to_vec();
        self.optimizer.gradient_norm()?;
        let mean = |term: &str| {
            let sum = terms.iter().find(|(name, _)| *name == term).map_or(f64::NAN, |&(_, sum)| sum);
            sum / n_batches
        };
        self.plan.observe(&mut self.progress, mean);
        Ok(())
    }

    /// Whether the step can be taken: not where f16 has overflowed and a smaller scale may help.
    fn is_in_range(&mut self, gradients: &Gradients<B>) -> bool {
        let Some(scaler) = &mut self.progress.scaler else { return true };
        let is_finite = gradients.is_finite();
        scaler.observe(&self.config.loss_scale, is_finite);
        if is_finite || scaler.is_exhausted() {
            // What overflows without a scale is the model's own, and the optimiser says whose it is.
            return true;
        }
        let (scale, skipped) = (scaler.scale, scaler.skipped);
        tracing::warn!(
            "a gradient overflowed in f16: step skipped ({skipped} in all), loss scale now {scale}"
        );
        false
    }

    /// The highest learning rate at which anything learns now: that of the run, the group or the stage, as the schedule has
    /// it.
    pub(crate) fn learning_rate(&self) -> f64 {
        self.plan.rates(&self.progress).into_iter().flatten().fold(0.0, f64::max)
    }

    /// Whether every pass so far has had its step, so that the state is one to save.
    pub(crate) fn is_between_steps(&self) -> bool {
        self.pending.is_none()
    }

    /// The length of the gradient of each parameter that was to learn in the last step.
    pub(crate) fn gradient_norms(&mut self) -> Vec<(String, f32)> {
        let model = self.model.as_mut().expect("held between steps");
        self.optimizer.gradient_norms(model)
    }

    pub(crate) fn model(&self) -> &M {
        self.model.as_ref().expect("held between steps")
    }

    /// The model, once its best weights and the last checkpoint are written.
    pub(crate) fn into_model_when_saved(self) -> Result<M, CheckpointError> {
        self.saver.finish()?;
        Ok(self.model.expect("held between steps"))
    }

    /// Values in the model and in what the optimiser remembers of it.
    pub(crate) fn n_values(&self) -> usize {
        let mut n_values = parameters_by_part::<B, M>(self.model()).values().sum();
        self.optimizer.visit_state(|_, moment| n_values += moment.shape().num_elements());
        n_values
    }

    pub(crate) fn progress_now(&self) -> Progress {
        let seconds = self.seconds_before + self.began.elapsed().as_secs_f64();
        Progress { seconds, ..self.progress.clone() }
    }
}

/// The scale of the loss that a run begins with; only f16 needs one.
pub(crate) fn first_scaler(config: &TrainingConfig) -> Option<LossScaler> {
    (config.precision == Precision::F16).then(|| LossScaler::new(&config.loss_scale))
}

fn no_term(terms: &[(&'static str, f32)], epoch: u64) -> StrategyError {
    let names: Vec<&str> = terms.iter().map(|&(name, _)| name).collect();
    StrategyError::NoTerm { epoch, terms: names.join(", ") }
}
