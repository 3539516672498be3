//! What can be known to be wrong with a plan before its first step.

use std::collections::{BTreeMap, BTreeSet};

use cresset_nn::{AutodiffRecommender, ForwardPass, TrainModel};

use super::error::StrategyError;
use super::plan::{Plan, Stage};
use crate::config::TrainingConfig;

/// Checks groups, schedule and strategy against a model and a pass of it, as training does with its first step: for
/// those who take that step themselves.
///
/// # Errors
///
/// The first name that the model does not have, or rule that cannot be followed.
pub fn check<B, M>(
    config: &TrainingConfig,
    model: &mut M,
    pass: &ForwardPass<B>,
    n_steps: usize,
) -> Result<(), StrategyError>
where
    B: AutodiffRecommender,
    M: TrainModel<B>,
{
    let terms: Vec<&str> = pass.terms.iter().map(|&(name, _)| name).collect();
    Plan::for_batches(config, model, n_steps)?.check_terms(&terms)
}

impl Plan<'_> {
    /// Checks every term of the loss that a key names against those there are, and that something is minimised in
    /// every epoch, whosever turn it is.
    ///
    /// # Errors
    ///
    /// The first key that names another, or the first epoch with nothing to minimise.
    pub(crate) fn check_terms(&self, known: &[&str]) -> Result<(), StrategyError> {
        self.check_names(known)?;
        // A stage that runs out of patience lets the next one begin early, as far as its own patience allows.
        let (mut earliest, mut latest): (u64, u64) = (1, 0);
        for stage in &self.stages {
            latest = latest.saturating_add(stage.epochs);
            for epoch in self.bends(earliest, latest) {
                self.check_epoch(stage, epoch, known)?;
            }
            let least =
                stage.patience.map_or(stage.epochs, |patience| stage.epochs.min(patience.saturating_add(1)));
            earliest = earliest.saturating_add(least);
        }
        Ok(())
    }

    /// The epochs from `first` to `last` in which weights may come down to 0: the first one, and those where a
    /// curriculum bends. Between them weights lie on lines.
    fn bends(&self, first: u64, last: u64) -> BTreeSet<u64> {
        let curricula = self.config.strategy.curriculum.iter().flat_map(BTreeMap::values);
        let points = curricula.flat_map(|curriculum| &curriculum.0).map(|point| point.0.ceil() as u64);
        points.filter(|point| (first..=last).contains(point)).chain([first]).collect()
    }

    fn check_epoch(&self, stage: &Stage, epoch: u64, terms: &[&str]) -> Result<(), StrategyError> {
        let modules = &self.config.strategy.alternating.modules;
        let waits = |module: usize| stage.alternates.then(|| modules[module].loss.as_str());
        let is_idle =
            |turn: usize| terms.iter().all(|term| self.weight_at(stage, epoch, waits(1 - turn), term) == 0.0);
        if is_idle(0) || is_idle(1) {
            return Err(StrategyError::NoTerm { epoch, terms: terms.join(", ") });
        }
        Ok(())
    }

    fn check_names(&self, known: &[&str]) -> Result<(), StrategyError> {
        let strategy = &self.config.strategy;
        let by_stage = self.stages.iter().enumerate().flat_map(|(place, stage)| {
            let key = format!("training.strategy.stages[{place}].losses");
            stage.losses.keys().map(move |term| (key.clone(), term))
        });
        let alternating = strategy.alternating.modules.iter().enumerate().map(|(place, module)| {
            (format!("training.strategy.alternating.modules[{place}].loss"), &module.loss)
        });
        let curriculum = strategy.curriculum.iter().flat_map(BTreeMap::keys);
        let curriculum = curriculum.map(|term| ("training.strategy.curriculum".to_owned(), term));
        let alternating = alternating.filter(|_| strategy.alternates());
        for (key, term) in by_stage.chain(alternating).chain(curriculum) {
            if !known.contains(&term.as_str()) {
                let (term, known) = (term.clone(), known.join(", "));
                return Err(StrategyError::UnknownTerm { key, term, known });
            }
        }
        Ok(())
    }

    pub(super) fn check_modules(&self) -> Result<(), StrategyError> {
        let Some(modules) = self.modules else { return Ok(()) };
        for stage in self.stages.iter().filter(|stage| stage.alternates) {
            if let Some(&still) = modules.iter().find(|&&module| stage.rates[module].is_none()) {
                let group = self.groups.as_slice()[still].name.clone();
                let stage = stage.name.clone().unwrap_or_default();
                return Err(StrategyError::StillModule { stage, group });
            }
        }
        Ok(())
    }

    pub(super) fn check_warmup(&self, steps_per_epoch: u64) -> Result<(), StrategyError> {
        let warmup = self.config.schedule.warmup_steps;
        for stage in &self.stages {
            let steps = stage.epochs.saturating_mul(steps_per_epoch);
            if warmup > 0 && warmup >= steps {
                let what = stage.name.as_ref().map_or("the run".to_owned(), |name| format!("stage {name}"));
                return Err(StrategyError::Warmup { warmup, steps, what });
            }
        }
        Ok(())
    }
}
