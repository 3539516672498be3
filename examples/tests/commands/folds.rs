//! `data.split: k_fold`: a run directory for each fold, and their mean and spread above.

use yaml_serde::Value;

use crate::desk::Desk;
use crate::outcome::{Outcome, number, results, table_row};

const FOLDS: [&str; 7] =
    ["small.yaml", "--output", "run", "--set", "data.split=k_fold", "--set", "data.n_folds=3"];

fn of_folds(desk: &Desk) -> [Value; 3] {
    ["run/fold-1", "run/fold-2", "run/fold-3"].map(|fold| results(desk, fold))
}

#[test]
fn the_top_results_are_mean_and_sample_deviation_over_the_folds() {
    let desk = Desk::new();
    let printed = desk.train(&FOLDS).done();
    let (top, folds) = (results(&desk, "run"), of_folds(&desk));
    assert_eq!(number(&top, &["n_folds"]), 3.0);
    for part in [&["valid"][..], &["test"], &["baselines", "item mean"]] {
        for metric in ["rmse", "ndcg@10"] {
            let values = folds.each_ref().map(|fold| number(fold, &[part, &[metric]].concat()));
            let mean = values.iter().sum::<f64>() / 3.0;
            let std = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
            let spread = format!("{metric}_std");
            assert!((number(&top, &[part, &[metric]].concat()) - mean).abs() < 1e-12);
            assert!((number(&top, &[part, &[&spread]].concat()) - std).abs() < 1e-12);
            assert!(std > 0.0, "folds are not the same data");
        }
    }
    let rmse = format!("{:.4} ± {:.4}", number(&top, &["test", "rmse"]), number(&top, &["test", "rmse_std"]));
    assert!(printed.contains(&rmse), "{rmse} is not in: {printed}");
    let bands = "\ntest ratings by training ratings of the item\n";
    let (_, table) = printed.split_once(bands).unwrap_or_else(|| panic!("no bands in: {printed}"));
    assert!(table.trim_start().starts_with("ratings    rmse     mae\n"), "{printed}");
}

#[test]
fn each_fold_is_a_run_of_its_own() {
    let desk = Desk::new();
    desk.train(&FOLDS).done();
    let files = desk.files("run/fold-1");
    for file in ["config.yaml", "manifest.yaml", "history.csv", "results.yaml", "train.log"] {
        assert!(files.contains(&file.to_owned()), "no {file} in {files:?}");
    }
    assert!(desk.read("run/fold-2/train.log").contains("epoch   4/4"));
    let printed = desk.evaluate(&["run/fold-2"]).done();
    let rmse = number(&of_folds(&desk)[1], &["test", "rmse"]);
    assert_eq!(table_row(&printed, "run/fold-2")[0], ("rmse".to_owned(), format!("{rmse:.4}")));
    desk.recommend(&["run/fold-1", "--user", "1"]).done();
}

#[test]
fn the_folder_above_the_folds_is_answered_with_one_of_them() {
    let desk = Desk::new();
    desk.train(&FOLDS).done();
    let fold = std::path::Path::new("run").join("fold-1").display().to_string();
    desk.evaluate(&["run"]).refused(&["run", "folds", &fold]);
    desk.recommend(&["run", "--user", "1"]).refused(&["run", "folds", &fold]);
}

#[test]
fn more_epochs_go_on_in_every_fold() {
    let desk = Desk::new();
    desk.train(&FOLDS).done();
    let printed = desk.train(&[&FOLDS[..], &["--resume"]].concat()).done();
    assert!(printed.contains("run is finished"), "{printed}");
    let six = ["--set", "training.epochs=6"];
    desk.train(&[&FOLDS[..], &six, &["--resume"]].concat()).done();
    let long = Desk::new();
    long.train(&[&FOLDS[..], &six].concat()).done();
    for fold in ["run/fold-1", "run/fold-2", "run/fold-3"] {
        assert_eq!(Outcome::of(&desk, fold), Outcome::of(&long, fold));
    }
    assert_eq!(results(&desk, "run")["test"], results(&long, "run")["test"]);
}
