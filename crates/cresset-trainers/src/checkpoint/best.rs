//! The weights of the best epoch, as they are read back.

use burn::module::Module;
use burn::tensor::backend::Backend;
use cresset_nn::weights;

use super::{BEST_WEIGHTS, CheckpointError, Progress};
use crate::run_dir::RunDir;

/// `model` with the best weights of the run.
pub(crate) fn load_best<B: Backend, M: Module<B>>(run: &RunDir, model: M) -> Result<M, CheckpointError> {
    let file = run.file(BEST_WEIGHTS);
    let best = weights::load(&file).and_then(|best| weights::restore(model, best));
    best.map_err(CheckpointError::of(&file))
}

/// Writes the best weights that a kill fell before: a checkpoint that ends the best epoch, as `model` comes from, has them.
pub(crate) fn mend_best<B: Backend, M: Module<B>>(
    run: &RunDir,
    model: &M,
    progress: &Progress,
) -> Result<(), CheckpointError> {
    let best = progress.early_stop.best.map(|(epoch, _)| epoch);
    if progress.step > 0 || best != Some(progress.epoch) {
        return Ok(());
    }
    let (file, tensors) = (run.file(BEST_WEIGHTS), weights::named_tensors(model));
    if weights::load(&file).is_ok_and(|found| found == tensors) {
        return Ok(());
    }
    tracing::info!("{} is written from the checkpoint", file.display());
    weights::save(&tensors, &file).map_err(CheckpointError::of(&file))
}
