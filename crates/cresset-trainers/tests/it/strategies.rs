//! Strategies: that the right modules learn at the right time from the right terms, and go on where they stopped.

use std::collections::BTreeMap;
use std::fs;

use burn::tensor::TensorData;
use cresset_nn::Precision;
use cresset_nn::optim::{LossScalerConfig, OptimizerKind, ParameterGroup};
use cresset_nn::weights::{NamedTensors, named_tensors};
use cresset_trainers::config::{Curriculum, StageConfig, StrategyConfig, StrategyKind};
use tempfile::tempdir;

use crate::duo::{Duo, check_resumes, failure, fit, fitted, run_with, stage, stages, with_modules};
use crate::support::{Cpu, Run, bytes};

/// The tensors of one module.
fn of(module: &str, tensors: &NamedTensors) -> Vec<(String, TensorData)> {
    let own = tensors.iter().filter(|(name, _)| name.starts_with(module));
    own.map(|(name, data)| (name.clone(), data.clone())).collect()
}

fn untrained() -> NamedTensors {
    named_tensors(&Duo::<Cpu>::new())
}

fn run_of(strategy: StrategyConfig) -> Run {
    run_with(|config| config.strategy = strategy)
}

fn alternating(min_steps: u64, switch_threshold: f64) -> StrategyConfig {
    let mut strategy = with_modules(StrategyConfig { kind: StrategyKind::Alternating, ..Default::default() });
    (strategy.alternating.min_steps, strategy.alternating.switch_threshold) = (min_steps, switch_threshold);
    strategy
}

fn curriculum(term: &str, points: &[(f64, f64)]) -> Option<BTreeMap<String, Curriculum>> {
    Some([(term.to_owned(), Curriculum(points.to_vec()))].into())
}

#[test]
fn a_stage_moves_its_groups_and_not_a_bit_of_the_others_and_begins_with_the_best_weights_of_the_one_before() {
    let run = run_of(stages(vec![stage("first", &["left"], 2), stage("second", &["right"], 2)]));
    let (trained, seen) = fitted(&run, &[1.0, 2.0, 4.0, 3.0]);
    for epoch in [0, 1] {
        assert_eq!(of("right", &seen[epoch]), of("right", &untrained()));
    }
    assert_ne!(of("left", &seen[0]), of("left", &untrained()));
    assert_ne!(of("left", &seen[1]), of("left", &seen[0]));
    // The first epoch was the better one.
    for epoch in [2, 3] {
        assert_eq!(of("left", &seen[epoch]), of("left", &seen[0]));
    }
    assert_ne!(of("right", &seen[2]), of("right", &seen[1]));
    assert_eq!(named_tensors(&trained.model), seen[3]);
    assert_eq!(trained.progress.early_stop.best, Some((4, Some(3.0))));
}

#[test]
fn each_stage_has_a_patience_of_its_own_and_the_history_says_which_it_was() {
    let impatient = StageConfig { patience: Some(1), ..stage("first", &[], 9) };
    let run = run_of(stages(vec![impatient.clone(), StageConfig { name: "second".to_owned(), ..impatient }]));
    let folder = tempdir().unwrap();
    // The second stage does not care that it never reaches the best of the first.
    let (trained, _) = fit(&run, folder.path(), &[1.0, 2.0, 8.0, 7.0, 7.5]);
    let progress = trained.unwrap().progress;
    let names: Vec<_> = progress.history.epochs.iter().map(|epoch| epoch.stage.as_deref().unwrap()).collect();
    assert_eq!(names, ["first", "first", "second", "second", "second"]);
    assert_eq!(progress.early_stop.best, Some((4, Some(7.0))));
    let csv = String::from_utf8(bytes(folder.path(), "history.csv")).unwrap();
    let fields = |line: &str| line.split(',').take(2).collect::<Vec<_>>().join(",");
    let starts: Vec<String> = csv.lines().map(fields).collect();
    assert_eq!(starts, ["epoch,stage", "1,first", "2,first", "3,second", "4,second", "5,second"], "{csv}");
    assert!(!folder.path().join("alternation.csv").exists());
}

#[test]
fn the_second_stage_forgets_the_moments_and_starts_the_schedule_again() {
    let long = |epochs| stage("only", &[], epochs);
    let twice = vec![stage("warm", &[], 1), long(2)];
    let (two_stages, seen) = fitted(&run_of(stages(twice)), &[]);
    let rates: Vec<f64> =
        two_stages.progress.history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    assert_eq!(rates, [0.1, 0.1, 0.1 * 0.9]);
    assert_eq!(two_stages.progress.group_steps, [22, 22, 22]);
    assert_eq!(two_stages.progress.optimizer_steps, 33);
    assert_ne!(seen[2], seen[1]);
}

#[test]
fn a_stage_minimises_the_terms_that_it_names_by_their_weights() {
    let only_left = StageConfig { losses: [("left".to_owned(), 1.0)].into(), ..stage("left", &[], 2) };
    let (trained, seen) = fitted(&run_of(stages(vec![only_left])), &[]);
    assert_eq!(of("right", &seen[1]), of("right", &untrained()));
    let losses = &trained.progress.history.epochs[1].losses;
    let names: Vec<&str> = losses.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["loss", "left", "right"]);
    assert_eq!(losses[0].1, losses[1].1);
    assert!(losses[2].1 > 0.0);
}

#[test]
fn learning_rates_are_those_of_the_stage_by_group_then_of_the_stage_then_of_the_group_then_of_the_run() {
    let joint = |rate: f64| fitted(&run_with(|config| config.learning_rate = rate), &[]).1.pop().unwrap();
    let (slow, fast) = (joint(0.01), joint(0.1));
    let last = |run: &Run| fitted(run, &[]).1.pop().unwrap();
    let own = |name: &str| ParameterGroup { learning_rate: Some(0.01), ..ParameterGroup::new(name, &[]) };

    let grouped = last(&run_with(|config| config.groups = vec![own("left")]));
    assert_eq!((of("left", &grouped), of("right", &grouped)), (of("left", &slow), of("right", &fast)));

    let whole = StageConfig { learning_rate: Some(0.01), ..stage("whole", &[], 4) };
    assert_eq!(last(&run_of(stages(vec![whole.clone()]))), slow);

    // The history tells the rate that was taken, not that of the run, which nothing reads here.
    let (trained, _) = fitted(&run_of(stages(vec![whole.clone()])), &[]);
    assert_eq!(trained.progress.history.epochs[0].learning_rate, 0.01);

    let by_group = StageConfig { learning_rates: [("right".to_owned(), 0.1)].into(), ..whole };
    let mixed = last(&run_of(stages(vec![by_group])));
    assert_eq!((of("left", &mixed), of("right", &mixed)), (of("left", &slow), of("right", &fast)));

    let of_group = run_with(|config| {
        config.groups = vec![own("left")];
        config.strategy = stages(vec![stage("whole", &[], 4)]);
    });
    let mixed = last(&of_group);
    assert_eq!((of("left", &mixed), of("right", &mixed)), (of("left", &slow), of("right", &fast)));
}

#[test]
fn modules_that_alternate_learn_in_turn_and_the_one_that_waits_keeps_every_bit() {
    // Any change is below the threshold, so that a turn is one epoch of eleven steps.
    let folder = tempdir().unwrap();
    let (trained, seen) = fit(&run_of(alternating(11, 1e9)), folder.path(), &[]);
    let states: Vec<NamedTensors> = std::iter::once(untrained()).chain(seen).collect();
    for (epoch, pair) in states.windows(2).enumerate() {
        let (learns, waits) = if epoch.is_multiple_of(2) { ("left", "right") } else { ("right", "left") };
        assert_eq!(of(waits, &pair[1]), of(waits, &pair[0]), "epoch {epoch}");
        assert_ne!(of(learns, &pair[1]), of(learns, &pair[0]), "epoch {epoch}");
    }
    let progress = trained.unwrap().progress;
    assert_eq!(progress.strategy.alternation.switches, 4);
    assert_eq!(progress.group_steps, [22, 22, 44]);
    let csv = fs::read_to_string(folder.path().join("alternation.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 45);
    assert_eq!(lines[0], "stage,step,learns,smoothed_left,smoothed_right,switches");
    assert!(lines[11].starts_with(",11,left,") && lines[11].ends_with(",1"), "{}", lines[11]);
    assert!(lines[12].starts_with(",12,right,") && lines[12].ends_with(",1"), "{}", lines[12]);
}

#[test]
fn a_module_whose_loss_still_changes_keeps_its_turn() {
    let (trained, seen) = fitted(&run_of(alternating(1, 1e-12)), &[]);
    assert_eq!(trained.progress.strategy.alternation.switches, 0);
    assert_eq!(of("right", &seen[3]), of("right", &untrained()));
}

#[test]
fn an_alternating_stage_begins_with_the_first_module_and_no_switches() {
    let mut strategy = with_modules(stages(vec![
        StageConfig { alternating: true, ..stage("one", &[], 1) },
        StageConfig { alternating: true, ..stage("two", &[], 1) },
    ]));
    (strategy.alternating.min_steps, strategy.alternating.switch_threshold) = (4, 1e9);
    let rows = fitted(&run_of(strategy), &[]).0.progress.strategy.series.rows;
    let turns: Vec<(usize, usize, u64)> =
        rows.iter().map(|row| (row.stage, row.module, row.switches)).collect();
    let turn = |stage| (0..11).map(move |step: u64| (stage, (step / 4 % 2) as usize, (step + 1) / 4));
    assert_eq!(turns, turn(0).chain(turn(1)).collect::<Vec<_>>());
}

#[test]
fn a_curriculum_weighs_its_term_by_the_epoch() {
    let joint =
        run_with(|config| config.strategy.curriculum = curriculum("right", &[(1.0, 0.0), (3.0, 1.0)]));
    let (trained, seen) = fitted(&joint, &[]);
    assert_eq!(of("right", &seen[0]), of("right", &untrained()));
    assert_ne!(of("right", &seen[1]), of("right", &seen[0]));
    for (epoch, weight) in [0.0, 0.5, 1.0, 1.0].into_iter().enumerate() {
        let losses = &trained.progress.history.epochs[epoch].losses;
        let expected = losses[1].1 + weight * losses[2].1;
        assert!((losses[0].1 - expected).abs() < 1e-5, "epoch {epoch}: {losses:?}");
    }
}

#[test]
fn every_strategy_resumes_to_the_bit() {
    let both = || StageConfig { alternating: true, ..stage("both", &[], 2) };
    check_resumes(|| run_with(|config| config.accumulate = 2));
    check_resumes(|| {
        run_of(stages(vec![stage("left", &["left"], 2), stage("right", &["right", "rest"], 2)]))
    });
    check_resumes(|| run_of(alternating(3, 0.05)));
    check_resumes(|| run_of(with_modules(stages(vec![stage("alone", &["left"], 2), both()]))));
    check_resumes(|| {
        run_with(|config| {
            config.strategy = alternating(2, 0.5);
            config.strategy.curriculum = curriculum("left", &[(1.0, 0.2), (4.0, 1.0)]);
            config.accumulate = 3;
            config.max_grad_norm = Some(0.5);
            config.schedule.warmup_steps = 6;
            (config.precision, config.loss_scale) =
                (Precision::F16, LossScalerConfig { initial: 1e24, double_after: 5 });
            (config.optimizer.kind, config.optimizer.weight_decay) = (OptimizerKind::Adamw, 0.01);
        })
    });
}

#[test]
fn a_group_or_a_term_that_there_is_not_is_told_those_there_are() {
    let check = |strategy: StrategyConfig, expected: &str| assert_eq!(failure(&run_of(strategy)), expected);
    check(
        stages(vec![stage("one", &["left"], 1), stage("two", &["middle"], 1)]),
        "training.strategy.stages[1].learns names the group `middle`, expected one of: left, right, rest",
    );
    let rates = StageConfig { learning_rates: [("middle".to_owned(), 0.1)].into(), ..stage("one", &[], 1) };
    check(
        stages(vec![rates]),
        "training.strategy.stages[0].learning_rates names the group `middle`, expected one of: left, right, rest",
    );
    let mut unknown = alternating(5, 0.01);
    unknown.alternating.modules[1].group = "middle".to_owned();
    check(
        unknown,
        "training.strategy.alternating.modules[1].group names the group `middle`, expected one of: left, right, rest",
    );
    let losses = StageConfig { losses: [("middle".to_owned(), 0.1)].into(), ..stage("two", &[], 1) };
    check(
        stages(vec![stage("one", &[], 1), losses]),
        "training.strategy.stages[1].losses names the term `middle` of the loss, expected one of: left, right",
    );
    let mut unknown = alternating(5, 0.01);
    unknown.alternating.modules[0].loss = "middle".to_owned();
    check(
        unknown,
        "training.strategy.alternating.modules[0].loss names the term `middle` of the loss, expected one of: left, right",
    );
    check(
        StrategyConfig { curriculum: curriculum("middle", &[(1.0, 1.0)]), ..Default::default() },
        "training.strategy.curriculum names the term `middle` of the loss, expected one of: left, right",
    );
}

#[test]
fn a_module_that_may_not_learn_in_its_turn_is_refused() {
    let half = StageConfig { alternating: true, ..stage("half", &["left"], 1) };
    assert_eq!(
        failure(&run_of(with_modules(stages(vec![half])))),
        "training.strategy: stage half alternates and does not list the group `right` under `learns`; add it"
    );
}

#[test]
fn an_epoch_with_nothing_to_minimise_is_refused() {
    let left = StageConfig { losses: [("left".to_owned(), 1.0)].into(), ..stage("left", &[], 3) };
    let strategy =
        StrategyConfig { curriculum: curriculum("left", &[(1.0, 1.0), (2.0, 0.0)]), ..stages(vec![left]) };
    assert_eq!(
        failure(&run_of(strategy)),
        "training.strategy leaves no term of the loss to minimise in epoch 2: all of left, right have weight 0 then, or in \
         the turn of a module; give one a weight above 0"
    );
}

#[test]
fn a_module_that_has_nothing_to_minimise_in_its_turn_is_refused_before_it_comes() {
    let half =
        StageConfig { alternating: true, losses: [("left".to_owned(), 1.0)].into(), ..stage("half", &[], 9) };
    let message = failure(&run_of(with_modules(stages(vec![stage("before", &[], 3), half]))));
    assert!(message.contains("no term of the loss to minimise in epoch 4"), "{message}");
    let mut late = alternating(100, 0.01);
    late.curriculum = curriculum("right", &[(1.0, 1.0), (2.5, 0.0), (6.0, 1.0)]);
    // In epoch 2 a third is left, in epoch 3 some is back.
    assert_eq!(fitted(&run_of(late.clone()), &[]).0.progress.epoch, 4);
    late.curriculum = curriculum("right", &[(1.0, 1.0), (2.5, 0.0), (3.5, 0.0)]);
    let message = failure(&run_of(late));
    assert!(message.contains("no term of the loss to minimise in epoch 3"), "{message}");
}

#[test]
fn groups_that_do_not_fit_are_refused_with_their_key() {
    let run = run_with(|config| config.groups = vec![ParameterGroup::new("middle", &["middle_*"])]);
    assert_eq!(
        failure(&run),
        "training.groups: `middle_*` of group middle matches no parameter, expected some of: left_item, right_item, \
         left_bias, right_bias"
    );
}

#[test]
fn a_run_resumed_with_other_groups_is_refused() {
    let folder = tempdir().unwrap();
    fit(&run_with(|config| config.epochs = 1), folder.path(), &[]).0.unwrap();
    let other = run_with(|config| config.groups = vec![ParameterGroup::new("biases", &["*_bias"])]);
    let error = fit(&other, folder.path(), &[]).0.unwrap_err().to_string();
    assert!(error.contains("another training.groups") && error.contains("put back what changed"), "{error}");
}
