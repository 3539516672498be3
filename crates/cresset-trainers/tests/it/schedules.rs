//! Schedules: against PyTorch 2.9.0 (`../golden/schedules.py` prints these numbers), their properties, and what is
//! refused.

use cresset_nn::ConfigError;
use cresset_trainers::TrainError;
use cresset_trainers::config::{ScheduleConfig, ScheduleKind};
use cresset_trainers::strategy::StrategyError;
use proptest::prelude::*;
use tempfile::tempdir;

use crate::duo::run_with;

fn of(kind: ScheduleKind) -> ScheduleConfig {
    ScheduleConfig { kind, ..ScheduleConfig::default() }
}

/// Learning rates of 8 epochs of 3 steps, from 0.1.
fn rates(schedule: &ScheduleConfig) -> Vec<f64> {
    (0..24).map(|step| 0.1 * schedule.factor(step / 3, step, 8)).collect()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let is_close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
    assert!(found.iter().zip(expected).all(is_close), "{found:?}\nis not\n{expected:?}");
}

/// One rate for each epoch.
#[track_caller]
fn check(schedule: &ScheduleConfig, expected: [f64; 8]) {
    let by_epoch: Vec<f64> = rates(schedule).into_iter().step_by(3).collect();
    assert_close(&by_epoch, &expected);
}

#[test]
fn every_schedule_is_that_of_pytorch() {
    check(&of(ScheduleKind::Constant), [0.1; 8]);
    let step = ScheduleConfig { every: 3, gamma: 0.5, ..of(ScheduleKind::Step) };
    check(&step, [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]);
    let exponential = ScheduleConfig { gamma: 0.9, ..of(ScheduleKind::Exponential) };
    let expected = [0.1, 0.09, 0.081, 0.0729, 0.06561, 0.059049, 0.0531441, 0.04782969];
    check(&exponential, expected);
    let expected = [
        0.1,
        0.0961939766256,
        0.0853553390593,
        0.0691341716183,
        0.05,
        0.0308658283817,
        0.0146446609407,
        0.00380602337444,
    ];
    check(&of(ScheduleKind::Cosine), expected);
    let expected = [
        0.1,
        0.096574578963,
        0.0868198051534,
        0.0722207544564,
        0.055,
        0.0377792455436,
        0.0231801948466,
        0.013425421037,
    ];
    check(&ScheduleConfig { floor: 0.1, ..of(ScheduleKind::Cosine) }, expected);
    let linear = ScheduleConfig { epochs: Some(5), floor: 0.2, ..of(ScheduleKind::Linear) };
    check(&linear, [0.1, 0.084, 0.068, 0.052, 0.036, 0.02, 0.02, 0.02]);
}

#[test]
fn a_warm_up_rises_step_by_step_in_front_of_any_schedule_as_chained_in_pytorch() {
    let exponential = ScheduleConfig { gamma: 0.9, warmup_steps: 7, ..of(ScheduleKind::Exponential) };
    let rising = [
        0.0142857142857,
        0.0285714285714,
        0.0428571428571,
        0.0514285714286,
        0.0642857142857,
        0.0771428571429,
        0.081,
        0.081,
        0.081,
        0.0729,
    ];
    assert_close(&rates(&exponential)[..10], &rising);
    let linear = ScheduleConfig { warmup_steps: 4, ..of(ScheduleKind::Linear) };
    assert_close(&rates(&linear)[..7], &[0.025, 0.05, 0.075, 0.0875, 0.0875, 0.0875, 0.075]);
}

fn any_schedule() -> impl Strategy<Value = ScheduleConfig> {
    use ScheduleKind::{Constant, Cosine, Exponential, Linear, Step};
    let kind = prop::sample::select(vec![Constant, Step, Exponential, Cosine, Linear]);
    (kind, 1u64..9, 0.01f64..=1.0, prop::option::of(1u64..=10), 0.0f64..0.99, 0u64..30).prop_map(
        |(kind, every, gamma, epochs, floor, warmup_steps)| ScheduleConfig {
            kind,
            every,
            gamma,
            epochs,
            floor,
            warmup_steps,
        },
    )
}

proptest! {
    #[test]
    fn a_valid_schedule_never_leaves_0_to_1_and_never_rises_after_its_warm_up(schedule in any_schedule()) {
        prop_assert_eq!(schedule.validate(10), Ok(()));
        let factors: Vec<f64> = (0..60).map(|step| schedule.factor(step / 5, step, 10)).collect();
        prop_assert!(factors.iter().all(|factor| (0.0..=1.0).contains(factor)), "{:?}", factors);
        let warm = &factors[schedule.warmup_steps as usize..];
        prop_assert!(warm.windows(2).all(|pair| pair[1] <= pair[0] + 1e-15), "{:?}", warm);
    }
}

#[test]
fn a_schedule_that_never_ends_or_never_gets_going_is_refused() {
    let check = |schedule: ScheduleConfig, expected: &str| {
        let error: ConfigError = schedule.validate(8).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    let step = || of(ScheduleKind::Step);
    check(ScheduleConfig { every: 0, ..step() }, "every = 0, expected at least 1");
    let never_falls = "expected fewer epochs than are trained: the learning rate would never fall";
    check(ScheduleConfig { every: 8, ..step() }, &format!("every = 8, {never_falls}"));
    check(ScheduleConfig { gamma: 0.0, every: 1, ..step() }, "gamma = 0, expected above 0 and at most 1");
    let up = ScheduleConfig { gamma: 1.01, ..of(ScheduleKind::Exponential) };
    check(up, "gamma = 1.01, expected above 0 and at most 1");
    let longer = ScheduleConfig { epochs: Some(9), ..of(ScheduleKind::Cosine) };
    let never_down = "expected at most the epochs that are trained, or null: it would never come down";
    check(longer, &format!("epochs = 9, {never_down}"));
    let none = ScheduleConfig { epochs: Some(0), ..of(ScheduleKind::Linear) };
    check(none, "epochs = 0, expected at least 1, or null for all epochs");
    let flat = ScheduleConfig { floor: 1.0, ..of(ScheduleKind::Cosine) };
    check(flat, "floor = 1, expected at least 0 and below 1");
}

#[test]
fn a_warm_up_as_long_as_the_run_is_refused_before_the_first_step() {
    // 4 epochs of 11 batches, two batches a step: 24 steps.
    let fit = |warmup_steps| {
        let run = run_with(|config| (config.schedule.warmup_steps, config.accumulate) = (warmup_steps, 2));
        let folder = tempdir().unwrap();
        run.fit_and_validate(folder.path()).map(drop)
    };
    assert!(fit(23).is_ok());
    let error = fit(24).unwrap_err();
    assert!(matches!(error, TrainError::Strategy(StrategyError::Warmup { .. })), "{error}");
    assert_eq!(
        error.to_string(),
        "training.schedule.warmup_steps = 24, expected fewer than the 24 steps of the run: the learning rate would never \
         reach its full size"
    );
}

#[test]
fn the_history_shows_the_learning_rate_of_each_epoch() {
    let folder = tempdir().unwrap();
    let trained = run_with(|_| ()).fit_and_validate(folder.path()).unwrap();
    let found: Vec<f64> = trained.progress.history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    assert_close(&found, &[0.1, 0.09, 0.081, 0.0729]);
}
