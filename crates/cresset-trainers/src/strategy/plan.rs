//! A strategy held against its model: names looked up, rates and weights worked out.

use std::collections::BTreeMap;

use cresset_nn::optim::{Groups, ParameterGroup};
use cresset_nn::{AutodiffRecommender, TrainModel};

use super::alternation::AlternationRow;
use super::config::{StageConfig, StrategyKind};
use super::error::StrategyError;
use crate::checkpoint::Progress;
use crate::config::TrainingConfig;

/// What each step of a run learns, and from what.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(super) config: &'a TrainingConfig,
    pub(super) groups: Groups,
    pub(super) stages: Vec<Stage>,
    /// The groups of the two modules that alternate.
    pub(super) modules: Option<[usize; 2]>,
}

/// One stage; a strategy without stages is a stage without a name.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) name: Option<String>,
    pub(super) epochs: u64,
    pub(super) patience: Option<u64>,
    /// By group, before the schedule; `None` stands still.
    pub(super) rates: Vec<Option<f64>>,
    pub(super) losses: BTreeMap<String, f64>,
    pub(super) alternates: bool,
}

impl<'a> Plan<'a> {
    /// The plan of `config` for `model`, in epochs of so many batches.
    ///
    /// # Errors
    ///
    /// A group that there is not, a module that may not learn in its turn, a warm-up as long as its stage.
    pub(crate) fn for_batches<B, M>(
        config: &'a TrainingConfig,
        model: &mut M,
        n_batches: usize,
    ) -> Result<Self, StrategyError>
    where
        B: AutodiffRecommender,
        M: TrainModel<B>,
    {
        let groups = Groups::of(model, &config.groups)?;
        let strategy = &config.strategy;
        let stages = match strategy.kind {
            StrategyKind::Stages => {
                let stages = strategy.stages.iter().enumerate();
                stages
                    .map(|(place, stage)| Stage::of(stage, place, &groups, config))
                    .collect::<Result<_, _>>()?
            }
            kind => vec![Stage::whole_run(config, &groups, kind == StrategyKind::Alternating)],
        };
        let modules = if strategy.alternates() { Some(modules(config, &groups)?) } else { None };
        let plan = Self { config, groups, stages, modules };
        plan.check_modules()?;
        plan.check_warmup(n_batches.div_ceil(config.accumulate) as u64)?;
        Ok(plan)
    }

    pub(crate) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The counts of a checkpoint, one for each group.
    ///
    /// # Errors
    ///
    /// If the checkpoint is of other groups.
    pub(crate) fn checked<'b>(&self, group_steps: &'b [u64]) -> Result<&'b [u64], StrategyError> {
        let (found, expected) = (group_steps.len(), self.groups.as_slice().len());
        if found == expected { Ok(group_steps) } else { Err(StrategyError::OtherGroups { found, expected }) }
    }

    /// Epochs of all stages.
    pub(crate) fn n_epochs(&self) -> u64 {
        self.stages.iter().fold(0, |sum: u64, stage| sum.saturating_add(stage.epochs))
    }

    /// The name of the stage that learns, where stages have names.
    pub(crate) fn stage_name(&self, progress: &Progress) -> Option<&str> {
        self.stage(progress).name.as_deref()
    }

    fn stage(&self, progress: &Progress) -> &Stage {
        &self.stages[progress.strategy.stage.min(self.stages.len() - 1)]
    }

    /// Whether the stage that learns has had its epochs, or its patience is exhausted.
    pub(crate) fn is_stage_over(&self, progress: &Progress) -> bool {
        let epochs = progress.epoch - progress.strategy.epochs_before;
        epochs >= self.stage(progress).epochs || self.is_out_of_patience(progress)
    }

    /// Whether the stage that learns has waited long enough for a better epoch.
    pub(crate) fn is_out_of_patience(&self, progress: &Progress) -> bool {
        progress.early_stop.is_exhausted(self.stage(progress).patience)
    }

    /// The key that says how long it waits.
    pub(crate) fn key_of_patience(&self, progress: &Progress) -> String {
        match self.stage(progress).name {
            None => "training.patience".to_owned(),
            Some(_) => format!("training.strategy.stages[{}].patience", progress.strategy.stage),
        }
    }

    /// Whether a stage comes after the one that learns.
    pub(crate) fn has_next_stage(&self, progress: &Progress) -> bool {
        progress.strategy.stage + 1 < self.stages.len()
    }

    /// Whether nothing is left to train.
    pub(crate) fn is_finished(&self, progress: &Progress) -> bool {
        !self.has_next_stage(progress) && self.is_stage_over(progress)
    }

    /// What the schedule makes of every learning rate in this step.
    pub(crate) fn factor(&self, progress: &Progress) -> f64 {
        let state = &progress.strategy;
        let (epoch, step) =
            (progress.epoch - state.epochs_before, progress.optimizer_steps - state.steps_before);
        self.config.schedule.factor(epoch, step, self.stage(progress).epochs)
    }

    /// The learning rate of each group in this step, the rest last; `None` stands still.
    pub(crate) fn rates(&self, progress: &Progress) -> Vec<Option<f64>> {
        let factor = self.factor(progress);
        let stage = self.stage(progress);
        let waits = self.waiting(progress).map(|module| module.0);
        let rate = |(place, rate): (usize, &Option<f64>)| {
            rate.filter(|_| waits != Some(place)).map(|rate| rate * factor)
        };
        stage.rates.iter().enumerate().map(rate).collect()
    }

    /// The weight of a term of the loss in this step.
    pub(crate) fn weight(&self, progress: &Progress, term: &str) -> f64 {
        let waits = self.waiting(progress).map(|(_, term)| term);
        self.weight_at(self.stage(progress), progress.epoch + 1, waits, term)
    }

    pub(super) fn weight_at(&self, stage: &Stage, epoch: u64, waits: Option<&str>, term: &str) -> f64 {
        if waits == Some(term) {
            return 0.0;
        }
        let losses = &stage.losses;
        let of_stage = if losses.is_empty() { 1.0 } else { losses.get(term).copied().unwrap_or(0.0) };
        let curriculum = self.config.strategy.curriculum.as_ref().and_then(|terms| terms.get(term));
        of_stage * curriculum.map_or(1.0, |curriculum| curriculum.weight(epoch))
    }

    /// Group and term of the module whose turn it is not.
    fn waiting(&self, progress: &Progress) -> Option<(usize, &str)> {
        let modules = self.modules.filter(|_| self.stage(progress).alternates)?;
        let waits = 1 - progress.strategy.alternation.module;
        Some((modules[waits], &self.config.strategy.alternating.modules[waits].loss))
    }

    /// Takes note of the losses of a step that was taken, by term.
    pub(crate) fn observe(&self, progress: &mut Progress, loss_of: impl Fn(&str) -> f64) {
        if !self.stage(progress).alternates {
            return;
        }
        let config = &self.config.strategy.alternating;
        let losses = [0, 1].map(|module: usize| loss_of(&config.modules[module].loss));
        let (step, state) = (progress.optimizer_steps, &mut progress.strategy);
        let module = state.alternation.module;
        state.alternation.observe(config, losses);
        let (smoothed, switches) = (state.alternation.smoothed.unwrap_or(losses), state.alternation.switches);
        state.series.push(AlternationRow { stage: state.stage, step, module, smoothed, switches });
    }

    /// The text of `alternation.csv`, where modules alternate.
    pub(crate) fn alternation_csv(&self, progress: &Progress) -> Option<String> {
        self.modules?;
        let names: Vec<String> =
            self.stages.iter().map(|stage| stage.name.clone().unwrap_or_default()).collect();
        Some(progress.strategy.series.to_csv(&self.config.strategy.alternating, &names))
    }
}

impl Stage {
    fn whole_run(config: &TrainingConfig, groups: &Groups, alternates: bool) -> Self {
        let rate = |group: &ParameterGroup| Some(group.learning_rate.unwrap_or(config.learning_rate));
        Self {
            name: None,
            epochs: config.epochs,
            patience: config.patience,
            rates: groups.as_slice().iter().map(rate).collect(),
            losses: BTreeMap::new(),
            alternates,
        }
    }

    fn of(
        stage: &StageConfig,
        place: usize,
        groups: &Groups,
        config: &TrainingConfig,
    ) -> Result<Self, StrategyError> {
        let key = |name: &str| format!("training.strategy.stages[{place}].{name}");
        for group in &stage.learns {
            place_of(groups, group, || key("learns"))?;
        }
        for group in stage.learning_rates.keys() {
            place_of(groups, group, || key("learning_rates"))?;
        }
        let rate = |group: &ParameterGroup| {
            let learns = stage.learns.is_empty() || stage.learns.contains(&group.name);
            let of_stage = stage.learning_rates.get(&group.name).copied().or(stage.learning_rate);
            let rate = of_stage.or(group.learning_rate).unwrap_or(config.learning_rate);
            learns.then_some(rate)
        };
        Ok(Self {
            name: Some(stage.name.clone()),
            epochs: stage.epochs,
            patience: stage.patience,
            rates: groups.as_slice().iter().map(rate).collect(),
            losses: stage.losses.clone(),
            alternates: stage.alternating,
        })
    }
}

/// The places of the groups of the two modules that alternate.
fn modules(config: &TrainingConfig, groups: &Groups) -> Result<[usize; 2], StrategyError> {
    let modules = &config.strategy.alternating.modules;
    let place = |module: usize| {
        let key = || format!("training.strategy.alternating.modules[{module}].group");
        place_of(groups, &modules[module].group, key)
    };
    Ok([place(0)?, place(1)?])
}

fn place_of(groups: &Groups, group: &str, key: impl Fn() -> String) -> Result<usize, StrategyError> {
    groups.place(group).ok_or_else(|| StrategyError::UnknownGroup {
        key: key(),
        group: group.to_owned(),
        known: groups.names().collect::<Vec<_>>().join(", "),
    })
}
