//! A training step as a closure.

use cresset::prelude::*;

use crate::Work;

/// Steps of Adam through `batches` in turn; each reads the loss, which waits for the device.
pub(crate) fn train<B, M>(model: M, batches: Vec<M::Batch>) -> Work
where
    B: AutodiffRecommender,
    M: TrainModel<B> + 'static,
    M::Batch: 'static,
{
    let mut training = Training::<B, M>::new(model);
    Box::new(move || training.step(&batches[training.steps_taken() as usize % batches.len()]))
}

/// As [`train`], through batches that `read` makes of the number of a step, within the step.
pub(crate) fn train_reading<B, M>(model: M, read: impl Fn(u64) -> M::Batch + 'static) -> Work
where
    B: AutodiffRecommender,
    M: TrainModel<B> + 'static,
{
    let mut training = Training::<B, M>::new(model);
    Box::new(move || training.step(&read(training.steps_taken())))
}

/// A model and its optimiser.
struct Training<B: AutodiffRecommender, M> {
    optimizer: Optimizer<B>,
    model: Option<M>,
}

impl<B: AutodiffRecommender, M: TrainModel<B>> Training<B, M> {
    fn new(model: M) -> Self {
        Self { optimizer: Optimizer::new(OptimizerConfig::default()), model: Some(model) }
    }

    fn steps_taken(&self) -> u64 {
        self.optimizer.steps_taken()
    }

    fn step(&mut self, batch: &M::Batch) {
        let model = self.model.take().expect("put back after each step");
        let pass = model.forward_loss(batch, StepKey { seed: 42, step: self.steps_taken() });
        let loss = pass.loss();
        self.model = Some(self.optimizer.step(model, pass, 1e-3));
        let loss = cresset::nn::scalar(loss.inner());
        assert!(loss.is_finite(), "the loss is {loss}");
    }
}
