//! `evaluate`: the numbers of a run once more, and those of an ensemble.

use crate::desk::Desk;
use crate::outcome::{as_printed, results, table_row};

#[test]
fn a_run_measured_again_has_the_numbers_of_its_results() {
    let desk = Desk::with_run();
    let results = results(&desk, "run");
    let test = desk.evaluate(&["run"]).done();
    assert_eq!(table_row(&test, "run"), as_printed(&results["test"]));
    let valid = desk.evaluate(&["run", "--split", "valid"]).done();
    assert_eq!(table_row(&valid, "run"), as_printed(&results["valid"]));
    assert_ne!(table_row(&test, "run"), table_row(&valid, "run"));
}

#[test]
fn the_baselines_stand_beside_it_as_in_the_results() {
    let desk = Desk::with_run();
    let printed = desk.evaluate(&["run"]).done();
    let results = results(&desk, "run");
    assert_eq!(table_row(&printed, "item mean"), as_printed(&results["baselines"]["item mean"]));
}

#[test]
fn a_run_needs_no_data_once_it_is_trained() {
    let desk = Desk::new();
    let rows: String = (0..90).map(|row| format!("{}\t{}\t{}\t5\n", row % 9, row / 9, 1 + row % 5)).collect();
    desk.write("ml.yaml", "data: {source: movielens-100k}\nmodel: {kind: kg-mf}\ntraining: {epochs: 2}\n");
    desk.write("data/ml-100k/u.data", rows);
    desk.train(&["ml.yaml", "--output", "run"]).done();
    std::fs::remove_dir_all(desk.path("data")).unwrap();
    let printed = desk.evaluate(&["run"]).done();
    assert_eq!(table_row(&printed, "run"), as_printed(&results(&desk, "run")["test"]));
}

fn rmse(printed: &str, name: &str) -> f64 {
    table_row(printed, name)[0].1.parse().unwrap()
}

#[test]
fn an_ensemble_is_no_worse_than_its_runs_on_average() {
    let desk = Desk::with_run();
    desk.train(&["small.yaml", "--output", "other", "--set", "training.seed=7"]).done();
    let printed = desk.evaluate(&["run", "other"]).done();
    assert_eq!(table_row(&printed, "other"), as_printed(&results(&desk, "other")["test"]));
    let square = |name| rmse(&printed, name).powi(2);
    // The error of a mean is at most the mean of the errors; printing rounds to four digits.
    assert!(square("ensemble") <= (square("run") + square("other")) / 2.0 + 2e-4, "{printed}");
    assert_ne!(table_row(&printed, "ensemble"), table_row(&printed, "run"));
}

#[test]
fn an_ensemble_of_a_run_and_itself_is_that_run() {
    let desk = Desk::with_run();
    let printed = desk.evaluate(&["run", "run"]).done();
    assert_eq!(table_row(&printed, "ensemble"), table_row(&printed, "run"));
}

#[test]
fn runs_of_different_data_splits_or_measures_are_no_ensemble() {
    let desk = Desk::with_run();
    desk.train(&["small.yaml", "--output", "split", "--set", "data.split_seed=7"]).done();
    desk.train(&["small.yaml", "--output", "world", "--set", "data.synthetic.seed=7"]).done();
    desk.train(&["small.yaml", "--output", "judged", "--set", "evaluation.relevant_rating=3"]).done();
    for other in ["split", "world", "judged"] {
        desk.evaluate(&["run", other]).refused(&[
            "run",
            other,
            "differ in their data, split or `evaluation`",
            "one by one",
        ]);
    }
}

#[test]
fn a_part_that_the_run_does_not_have_is_refused() {
    let desk = Desk::new();
    desk.train(&["small.yaml", "--output", "run", "--set", "data.valid_ratio=0"]).done();
    desk.evaluate(&["run", "--split", "valid"]).refused(&["run", "valid"]);
}
