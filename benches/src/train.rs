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
    let mut optimizer = Optimizer::<B>::new(OptimizerConfig::default());
    let mut model = Some(model);
    Box::new(move || {
        let held = model.take().expect("put back after each step");
        let step = optimizer.steps_taken();
        let pass = held.forward_loss(&batches[step as usize % batches.len()], StepKey { seed: 42, step });
        let loss = pass.loss();
        model = Some(optimizer.step(held, pass, 1e-3));
        let loss = cresset::nn::scalar(loss.inner());
        assert!(loss.is_finite(), "the loss is {loss}");
    })
}
